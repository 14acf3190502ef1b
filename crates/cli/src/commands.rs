//! One function per command.

mod check;
mod history;
mod look;

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use clap::CommandFactory;
use isosmith_engine::{Failure, clean};
use isosmith_protocol::{BuildId, Code};

use crate::{
    Command, Ended,
    args::{self, Cli},
    build,
    places::Places,
    profile, render,
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
            let mut viewer = render::viewer(&cli.common, how.json);
            build::build(loaded, how, &places()?, viewer.as_mut()).map(Ended::Build)
        }
        Asked::Resume { id, build: how } => {
            let mut viewer = render::viewer(&cli.common, how.json);
            build::resume(&build_id(id)?, how, &places()?, viewer.as_mut()).map(Ended::Build)
        }
        Asked::Cancel { id } => {
            isosmith_engine::request_cancel(&places()?.state, &build_id(id)?)?;
            Ok(Ended::Well)
        }
        Asked::Check { profile, json } => check::check(profile, *json),
        Asked::Plan {
            profile,
            json,
            explain,
            dry_run,
        } => check::plan(profile, *json, *explain, *dry_run, &places()?),
        Asked::Profiles { json } => check::profiles(*json),
        Asked::Builds { json } => history::builds(&places()?, *json),
        Asked::Clean {
            dry_run,
            all,
            unused,
        } => free(&places()?, *dry_run, *all, *unused),
        Asked::Verify {
            iso,
            json,
            bios,
            uefi,
            secure_boot,
        } => look::verify(iso, *json, *bios, *uefi, *secure_boot),
        Asked::TestBoot(how) => look::test_boot(how),
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

fn free(places: &Places, dry_run: bool, all: bool, unused: Option<u64>) -> Command {
    let wanted = match (all, unused) {
        (true, _) => clean::Wanted::Everything,
        (false, Some(days)) => {
            clean::Wanted::Unused(std::time::Duration::from_secs(days.saturating_mul(86_400)))
        }
        (false, None) => clean::Wanted::Leftovers,
    };
    let plan = clean::plan(&places.state, &places.cache, wanted);
    for item in &plan.items {
        print(&format!(
            "{:>12}  {}",
            indicatif::HumanBytes(item.bytes).to_string(),
            item.path.display()
        ))?;
    }
    let verb = if dry_run { "would be freed" } else { "freed" };
    let bytes = if dry_run {
        plan.bytes()
    } else {
        clean::clean(&places.cache, &plan)?
    };
    print(&format!("{} {verb}", indicatif::HumanBytes(bytes)))?;
    Ok(Ended::Well)
}

fn manual(folder: &Path) -> Command {
    fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
        .map_err(|error| Failure::io_at("write the manual pages to", folder, error))?;
    Ok(Ended::Well)
}
