//! The real window on a screen without glass, driven through WebKit's own driver.
//!
//! Touches: folders below `ISOSMITH_TEST_DIR`, `target/window-shots` where the pictures are
//! kept, processes that it started, ports of this machine, a mount namespace of its own.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on stops with a message"
)]

#[path = "window/desktop.rs"]
mod desktop;
#[path = "window/driver.rs"]
mod driver;
#[path = "window/figures.rs"]
mod figures;
#[path = "window/mock.rs"]
mod mock;
#[path = "window/offers.rs"]
mod offers;
#[path = "window/real.rs"]
mod real;
#[path = "window/world.rs"]
mod world;

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use isosmith_tests::{Kit, bus::private_machine, kit::workspace};
use libtest_mimic::{Arguments, Failed, Trial};
use tempfile::TempDir;

fn trial(kit: &Kit, name: &str, test: fn(&Kit) -> Result<()>) -> Trial {
    let kit = kit.clone();
    Trial::test(name, move || {
        test(&kit).map_err(|error| Failed::from(format!("{error:#}")))
    })
}

/// Where pictures are kept for people to look at.
fn shots() -> PathBuf {
    workspace().join("target/window-shots")
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // A window at a time: two cores draw, build and compile.
    arguments.test_threads = Some(1);
    let (kit, _machine) = match ready(&arguments) {
        Ok(ready) => ready,
        Err(error) => {
            eprintln!("{error:?}");
            return ExitCode::FAILURE;
        }
    };
    let trials = [mock::trials, real::trials, figures::trials]
        .iter()
        .flat_map(|trials| trials(&kit))
        .collect();
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
    private_machine(folder.path(), world::PEOPLE, &[], &world::authority())?;
    Ok((kit, Some(folder)))
}
