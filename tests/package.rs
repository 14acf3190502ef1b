//! The Debian package: what is in it, what it does to a system that it is installed on, and
//! what is left when it goes.
//!
//! Touches: folders below `ISOSMITH_TEST_DIR`, its own namespaces, the network once, for a
//! small system of the machine's own release. Needs root, mmdebstrap, and the package:
//! `ISOSMITH_PACKAGE`.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on stops with a message"
)]

#[path = "package/files.rs"]
mod files;
#[path = "package/life.rs"]
mod life;
#[path = "package/policies.rs"]
mod policies;
#[path = "package/room.rs"]
mod room;

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use isosmith_tests::Kit;
use libtest_mimic::{Arguments, Failed, Trial};

use room::System;

/// What the tests look at.
#[derive(Debug, Clone)]
struct Subject {
    kit: Kit,
    /// The package.
    deb: PathBuf,
    /// A small system with everything that the package depends on.
    system: System,
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let subject = match subject(!arguments.list) {
        Ok(subject) => subject,
        Err(error) => {
            eprintln!("{error:#}");
            return ExitCode::FAILURE;
        }
    };
    let groups = [files::TRIALS, policies::TRIALS, life::TRIALS];
    let trials = groups.into_iter().flatten().map(|(name, test)| {
        let subject = subject.clone();
        Trial::test(*name, move || {
            test(&subject).map_err(|error| Failed::from(format!("{error:#}")))
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

fn subject(ready: bool) -> Result<Subject> {
    let kit = Kit::new()?;
    let deb = std::env::var_os("ISOSMITH_PACKAGE").map(PathBuf::from);
    let deb = deb.unwrap_or_default();
    if ready {
        kit.need_root()?;
        deb.metadata()
            .context("ISOSMITH_PACKAGE names no package; run `cargo xtask test package`")?;
    }
    let system = System::of(&kit, &deb);
    if ready {
        system.make()?;
    }
    Ok(Subject { kit, deb, system })
}

/// A test and its name.
type Named = (&'static str, fn(&Subject) -> Result<()>);
