//! One function per command.

mod attach;
mod check;
mod clean;
mod history;
mod look;

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use clap::CommandFactory;
use isosmith_engine::Failure;
use isosmith_protocol::{BuildId, Code};

use crate::{
    Command, Ended,
    args::{self, Cli},
    build,
    places::Places,
    profile,
    render::{self, Answering},
    service,
    way::{Place, Way},
};

/// Does what the command line says.
pub fn run(cli: &Cli) -> Command {
    use args::Command as Asked;

    let places = || {
        Places::of(&cli.common).map_err(|error| Failure::io("find the folders of Isosmith", error))
    };
    match &cli.command {
        Asked::Build {
            profile,
            build: how,
        } => {
            let loaded = profile::load(profile).map_err(profile::LoadError::into_failure)?;
            if let Way::Service(client) = Way::of(&cli.common)? {
                return service::build(&client, loaded, how, &cli.common);
            }
            let mut viewer = render::viewer(&cli.common, how.json, Answering::Here);
            build::build(loaded, how, &places()?, viewer.as_mut()).map(Ended::Build)
        }
        Asked::Resume { id, build: how } => {
            let (id, places) = (build_id(id)?, places()?);
            if let Place::Service(client) = Place::of(&id, &cli.common, &places)? {
                return service::resume(&client, &id, how, &cli.common);
            }
            let mut viewer = render::viewer(&cli.common, how.json, Answering::Here);
            build::resume(&id, how, &places, viewer.as_mut()).map(Ended::Build)
        }
        Asked::Cancel { id } => attach::cancel(&build_id(id)?, &cli.common, &places()?),
        Asked::Attach { id, json } => {
            let id = id.as_deref().map(build_id).transpose()?;
            attach::attach(id, *json, &cli.common, &places()?)
        }
        Asked::Answer {
            id,
            choice,
            question,
        } => {
            let id = id.as_deref().map(build_id).transpose()?;
            attach::answer(id, *choice, *question, &cli.common, &places()?)
        }
        Asked::Check { profile, json } => check::check(profile, *json),
        Asked::Plan {
            profile,
            json,
            explain,
            dry_run,
        } => check::plan(profile, *json, *explain, *dry_run, &places()?),
        Asked::Profiles { json } => check::profiles(*json),
        Asked::Builds { json, everybody } => {
            history::builds(&cli.common, &places()?, *json, *everybody)
        }
        Asked::Clean {
            dry_run,
            all,
            unused,
        } => clean::free(&cli.common, &places()?, *dry_run, *all, *unused),
        Asked::Verify {
            iso,
            json,
            bios,
            uefi,
            secure_boot,
        } => look::verify(iso, *json, *bios, *uefi, *secure_boot),
        Asked::TestBoot(how) => look::test_boot(how),
        Asked::Try(how) => look::try_out(how),
        Asked::Schema => print_json(&isosmith_spec::schema()),
        Asked::Completions { shell } => {
            clap_complete::generate(*shell, &mut Cli::command(), "isosmith", &mut io::stdout());
            Ok(Ended::Well)
        }
        Asked::Man { folder } => manual(folder),
    }
}

fn build_id(text: &str) -> Result<BuildId, Failure> {
    BuildId::parse(text).ok_or_else(|| {
        Failure::new(
            Code::ProfileInvalid,
            format!("{text:?} is no build's id"),
            "Take one from the first column of `isosmith builds`.",
        )
    })
}

/// Writes a line to standard output; whoever closed it does not want it.
pub(crate) fn print(line: &str) -> Result<(), Failure> {
    match writeln!(io::stdout(), "{line}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::io("write to standard output", error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Prints a value as JSON.
pub(crate) fn print_json(value: &impl serde::Serialize) -> Command {
    let text = serde_json::to_string_pretty(value).map_err(|error| {
        Failure::plain(Code::Internal, "the answer cannot be written").because(error)
    })?;
    print(&text)?;
    Ok(Ended::Well)
}

fn manual(folder: &Path) -> Command {
    fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
        .map_err(|error| Failure::io_at("write the manual pages to", folder, error))?;
    Ok(Ended::Well)
}
