//! What needs root: real builds of a small system, with everything that can go wrong.
//!
//! Touches: folders below `ISOSMITH_TEST_DIR`, processes that it started, a port of this
//! machine; the network once, for Debian's base packages.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on stops with a message"
)]

#[path = "privileged/contained.rs"]
mod contained;
#[path = "privileged/disk.rs"]
mod disk;
#[path = "privileged/faults.rs"]
mod faults;
#[path = "privileged/features.rs"]
mod features;
#[path = "privileged/hostile.rs"]
mod hostile;
#[path = "privileged/kills.rs"]
mod kills;
#[path = "privileged/pictures.rs"]
mod pictures;
#[path = "privileged/same.rs"]
mod same;

use std::process::ExitCode;

use anyhow::Result;
use isosmith_tests::Kit;
use libtest_mimic::{Arguments, Failed, Trial};

fn trial(kit: &Kit, name: &str, test: fn(&Kit) -> Result<()>) -> Trial {
    let kit = kit.clone();
    Trial::test(name, move || {
        test(&kit).map_err(|error| Failed::from(format!("{error:#}")))
    })
}

/// Seconds since 1970.
fn now() -> i64 {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Two builds at once on two cores are no faster, and the machine is compared.
    arguments.test_threads = Some(1);
    let kit = match Kit::new() {
        Ok(kit) => kit,
        Err(error) => {
            eprintln!("{error:?}");
            return ExitCode::FAILURE;
        }
    };
    let suites = [
        features::trials,
        pictures::trials,
        faults::trials,
        disk::trials,
        hostile::trials,
        contained::trials,
        same::trials,
        kills::trials,
    ];
    let trials = suites.iter().flat_map(|trials| trials(&kit)).collect();
    if !arguments.list {
        let ready = kit.need_root().and_then(|()| kit.minimal());
        if let Err(error) = ready {
            eprintln!("{error:?}");
            return ExitCode::FAILURE;
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}
