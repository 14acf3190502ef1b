//! The real service on a private system bus, with the real polkitd or something that stands in
//! for it, and people who may and may not.
//!
//! Touches: folders below `ISOSMITH_TEST_DIR`, processes that it started, a port of this
//! machine, a mount namespace of its own; the network once, for Debian's base packages.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on stops with a message"
)]

#[path = "helper/asks.rs"]
mod asks;
#[path = "helper/attack.rs"]
mod attack;
#[path = "helper/authorise.rs"]
mod authorise;
#[path = "helper/builds.rs"]
mod builds;
#[path = "helper/caller.rs"]
mod caller;
#[path = "helper/client.rs"]
mod client;
#[path = "helper/files.rs"]
mod files;
#[path = "helper/fuzz.rs"]
mod fuzz;
#[path = "helper/gate.rs"]
mod gate;
#[path = "helper/hostile.rs"]
mod hostile;
#[path = "helper/kills.rs"]
mod kills;
#[path = "helper/mock.rs"]
mod mock;
#[path = "helper/owners.rs"]
mod owners;
#[path = "helper/people.rs"]
mod people;
#[path = "helper/races.rs"]
mod races;
#[path = "helper/refusals.rs"]
mod refusals;
#[path = "helper/values.rs"]
mod values;
#[path = "helper/viewers.rs"]
mod viewers;
#[path = "helper/world.rs"]
mod world;

use std::process::ExitCode;

use anyhow::Result;
use isosmith_tests::{Kit, bus::private_machine};
use libtest_mimic::{Arguments, Failed, Trial};
use tempfile::TempDir;

fn trial(kit: &Kit, name: &str, test: fn(&Kit) -> Result<()>) -> Trial {
    let kit = kit.clone();
    Trial::test(name, move || {
        test(&kit).map_err(|error| Failed::from(format!("{error:#}")))
    })
}

fn main() -> ExitCode {
    // Before all else: this may be somebody's program.
    if let Some(code) = client::entry() {
        return code;
    }
    let mut arguments = Arguments::from_args();
    // Two builds at once on two cores are no faster, and the machine is compared.
    arguments.test_threads = Some(1);
    let (kit, _machine) = match ready(&arguments) {
        Ok(ready) => ready,
        Err(error) => {
            eprintln!("{error:?}");
            return ExitCode::FAILURE;
        }
    };
    let suites = [
        authorise::trials,
        refusals::trials,
        gate::trials,
        owners::trials,
        hostile::trials,
        files::trials,
        races::trials,
        builds::trials,
        viewers::trials,
        kills::trials,
        fuzz::trials,
    ];
    let trials = suites.iter().flat_map(|trials| trials(&kit)).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The kit, and the folder of what covers the machine's people and rules.
fn ready(arguments: &Arguments) -> Result<(Kit, Option<TempDir>)> {
    let kit = Kit::new()?;
    if arguments.list {
        return Ok((kit, None));
    }
    kit.need_root()?;
    let folder = kit.scratch("machine")?;
    let authority = people::authority(folder.path())?;
    private_machine(folder.path(), people::PEOPLE, &[people::MAKERS], &authority)?;
    kit.minimal()?;
    Ok((kit, Some(folder)))
}
