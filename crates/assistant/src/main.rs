//! `ai`: asks a language model that the system's owner names, from a terminal.
//!
//! Three rules hold everywhere. Nothing is sent before the person has agreed to the server
//! ([`consent`]). What is sent has its secrets cut out ([`secrets`]), and text from a pipe is shown
//! first. What comes back cannot command the terminal ([`clean`]).

mod args;
mod asking;
mod clean;
mod consent;
mod endpoint;
mod failure;
mod interrupt;
mod question;
mod secrets;
mod server;
mod settings;
mod setup;
mod terminal;
mod wire;

use std::{env, io, io::IsTerminal, path::Path, process::ExitCode};

use clap::Parser;

use args::{Cli, Command};
use asking::Conversation;
use consent::Agreements;
use failure::{Exit, Failure};
use interrupt::Interrupt;
use server::Server;
use settings::{KEY_VARIABLE, Places, SYSTEM, Settings};
use terminal::{Terminal, note, print};

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        // Nobody reads the answer any more, as in `ai … | head`; they know.
        Err(failure) if failure.exit == Exit::Unheard => ExitCode::from(failure.exit as u8),
        Err(failure) => {
            note(&failure.to_string());
            ExitCode::from(failure.exit as u8)
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    let places = Places::of_the_person()?;
    match cli.command {
        None => Conversation::begin(&places, &cli.how)?.question(&cli.question.join(" ")),
        Some(Command::Explain { how, question }) => {
            if io::stdin().is_terminal() {
                return Err(Failure::new(
                    Exit::Usage,
                    "there is nothing to explain: `ai explain` reads from a pipe",
                    "For example: journalctl -b -p err | ai explain",
                ));
            }
            let question = question.join(" ");
            let question = (!question.trim().is_empty()).then_some(question);
            Conversation::begin(&places, &how)?.explain(question.as_deref())
        }
        Some(Command::Chat { how, wait }) => {
            let result = Conversation::begin(&places, &how).and_then(Conversation::chat);
            if wait {
                wait_for_enter(&result);
            }
            result
        }
        Some(Command::Setup) => setup::dialog(&places),
        Some(Command::Status) => status(&places),
        Some(Command::Forget) => forget(&places),
    }
}

/// What is in force, from both files and the environment.
fn settle(places: &Places) -> Result<Settings, Failure> {
    let (system, own) = settings::read(Path::new(SYSTEM), &places.config)?;
    settings::settle(system, own, env::var(KEY_VARIABLE).ok())
}

/// Keeps a window of its own open until what stands in it has been read.
fn wait_for_enter(result: &Result<(), Failure>) {
    let (Err(failure), Some(mut terminal)) = (result, Terminal::open()) else {
        return;
    };
    // A terminal that is gone need not be kept open.
    let _ = terminal.ask(&format!("{failure}\n\nPress Enter to close. "));
}

fn status(places: &Places) -> Result<(), Failure> {
    let settings = settle(places)?;
    let agreements = Agreements::read(&places.consent);
    let agreed = match (
        agreements.allow(&settings),
        agreements.allow_piped(&settings),
    ) {
        (false, _) => "not yet; `ai setup` or the first question asks",
        (true, false) => "yes; piped text is shown first",
        (true, true) => "yes, also to sending piped text unseen",
    };
    let key = if settings.key.is_some() {
        "set"
    } else {
        "none"
    };
    let hidden = match (settings.hidden.addresses, settings.hidden.mail) {
        (false, false) => "secrets and names",
        (true, false) => "secrets, names, network addresses",
        (false, true) => "secrets, names, e-mail addresses",
        (true, true) => "secrets, names, network and e-mail addresses",
    };
    print(&format!(
        "{}  Key           {key}\n  Cut out       {hidden}\n  Agreed        {agreed}\n",
        consent::describe(&settings)
    ))?;
    if !agreements.allow(&settings) {
        return print("  Answers       not asked, because nobody has agreed\n");
    }
    let models = Server::new(&settings).models().inspect_err(|_| {
        // The failure itself follows on standard error.
        let _ = print("  Answers       no\n");
    })?;
    let wanted = &settings.model;
    // Ollama adds a tag to names without one.
    let has = models
        .iter()
        .any(|model| model == wanted || *model == format!("{wanted}:latest"));
    if has {
        return print("  Answers       yes, and has the model\n");
    }
    print(&format!(
        "  Answers       yes, but does not list the model {wanted}\n"
    ))
}

fn forget(places: &Places) -> Result<(), Failure> {
    let had = consent::forget(&places.consent)?;
    print(if had {
        "Every agreement is taken back. The next question asks again.\n"
    } else {
        "There was no agreement.\n"
    })
}

/// For [`Conversation`], which stops answers.
fn watch_interrupt() -> Result<Interrupt, Failure> {
    Interrupt::watch().map_err(|error| {
        Failure::new(
            Exit::Failed,
            format!("Ctrl-C cannot be watched: {error}"),
            "",
        )
    })
}
