//! Choosing the server and the model.

use std::path::Path;

use crate::{
    consent::{self, Agreements, is_yes},
    endpoint::{Endpoint, Place},
    failure::{Exit, Failure},
    server::Server,
    settings::{self, File, Interface, Places, SYSTEM, write_private},
    settle,
    terminal::Terminal,
};

/// Asks for every setting, writes the person's own file, and asks for the agreement.
///
/// # Errors
///
/// When there is no terminal, nothing was chosen, or the file cannot be written.
pub fn dialog(places: &Places) -> Result<(), Failure> {
    let Some(mut terminal) = Terminal::open() else {
        return Err(Failure::new(
            Exit::Usage,
            "`ai setup` needs a terminal",
            format!("Or write {} by hand; see ai(1).", places.config.display()),
        ));
    };
    let (system, own) = match settings::read(Path::new(SYSTEM), &places.config) {
        Ok(files) => files,
        // Whoever sets it up anew wants to get rid of what is wrong.
        Err(failure) => {
            terminal.say(&format!("{failure}\n\nIt is written anew.\n\n"))?;
            (File::default(), File::default())
        }
    };
    terminal.say("Which server is asked? Enter keeps what stands in brackets.\n\n")?;
    let file = ask(&mut terminal, &system, &own)?;
    let text = toml::to_string(&file)
        .map_err(|error| Failure::new(Exit::Failed, error.to_string(), ""))?;
    write_private(&places.config, &text)?;
    terminal.say(&format!("\nWritten to {}.\n\n", places.config.display()))?;

    let settings = settle(places)?;
    let mut agreements = Agreements::read(&places.consent);
    consent::obtain(
        &settings,
        &mut agreements,
        &places.consent,
        Some(&mut terminal),
    )?;
    match Server::new(&settings).models() {
        Ok(models) if models.is_empty() => {
            terminal.say("The server answers. It has no model yet.\n")
        }
        Ok(models) => terminal.say(&format!(
            "The server answers. Its models: {}\n",
            models.join(", ")
        )),
        // The settings are good for when it does answer.
        Err(failure) => terminal.say(&format!("{failure}\n")),
    }
}

fn ask(terminal: &mut Terminal, system: &File, own: &File) -> Result<File, Failure> {
    let interface = own
        .interface
        .or(system.interface)
        .unwrap_or(Interface::Ollama);
    let interface = loop {
        let shown = match interface {
            Interface::Ollama => "ollama",
            Interface::OpenAi => "openai",
        };
        match line(terminal, "Interface, ollama or openai", Some(shown))?.as_str() {
            "ollama" => break Interface::Ollama,
            "openai" => break Interface::OpenAi,
            _ => terminal.say("  Write ollama or openai.\n")?,
        }
    };
    let old = own.endpoint.as_ref().or(system.endpoint.as_ref());
    let usual = match interface {
        Interface::Ollama => Some("http://127.0.0.1:11434"),
        Interface::OpenAi => None,
    };
    let endpoint: Endpoint = loop {
        let text = line(terminal, "Address", old.map(String::as_str).or(usual))?;
        match text.parse() {
            Ok(endpoint) => break endpoint,
            Err(problem) => terminal.say(&format!("  The address {problem}.\n"))?,
        }
    };
    let old = own.model.as_ref().or(system.model.as_ref());
    let model = line(terminal, "Model", old.map(String::as_str))?;
    let same = own.endpoint.as_deref() == Some(endpoint.to_string().as_str());
    let kept = own.api_key.clone().filter(|_| same);
    if endpoint.place() != Place::Here && !endpoint.is_encrypted() {
        terminal.say("  The connection is not encrypted: others on the way can read the key.\n")?;
    }
    let prompt = match &kept {
        Some(_) => "Key [keep the old one; - removes it]: ",
        None => "Key [none]: ",
    };
    let api_key = match terminal.ask_hidden(prompt)?.as_deref() {
        None | Some("") => kept,
        Some("-") => None,
        Some(key) => Some(key.to_owned()),
    };
    let yes = |terminal: &mut Terminal, what: &str| -> Result<bool, Failure> {
        Ok(is_yes(terminal.ask(&format!("{what} [y/N] "))?.as_deref()))
    };
    let hide_addresses = yes(
        terminal,
        "Cut out addresses of networks and machines as well?",
    )?;
    let hide_mail = yes(terminal, "Cut out e-mail addresses as well?")?;
    Ok(File {
        interface: Some(interface),
        endpoint: Some(endpoint.to_string()),
        model: Some(model),
        api_key,
        hide_addresses: Some(hide_addresses),
        hide_mail: Some(hide_mail),
    })
}

/// A line that is not empty.
fn line(terminal: &mut Terminal, what: &str, usual: Option<&str>) -> Result<String, Failure> {
    let prompt = match usual {
        Some(usual) => format!("{what} [{usual}]: "),
        None => format!("{what}: "),
    };
    loop {
        match (terminal.ask(&prompt)?.as_deref(), usual) {
            (None, _) => {
                return Err(Failure::new(
                    Exit::Failed,
                    "nothing was chosen, and nothing written",
                    "",
                ));
            }
            (Some(""), Some(usual)) => return Ok(usual.to_owned()),
            (Some(""), None) => {}
            (Some(text), _) => return Ok(text.to_owned()),
        }
    }
}
