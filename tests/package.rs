//! The Debian packages: what is in them, what it does to a system that it is installed on, and
//! what is left when it goes.
//!
//! Touches: folders below `ISOSMITH_TEST_DIR`, its own namespaces, the network once, for a
//! small system of the machine's own release. Needs root, mmdebstrap, and the packages:
//! `ISOSMITH_PACKAGE` and `ISOSMITH_WINDOW_PACKAGE`.
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
#[path = "package/window.rs"]
mod window;

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use isosmith_tests::Kit;
use libtest_mimic::{Arguments, Failed, Trial};

use room::System;

/// What the tests look at.
#[derive(Debug, Clone)]
struct Subject {
    kit: Kit,
    /// The package of the command line and the service.
    deb: PathBuf,
    /// That of the window.
    window: PathBuf,
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
    let groups = [
        files::TRIALS,
        window::TRIALS,
        policies::TRIALS,
        life::TRIALS,
    ];
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
    let [deb, window] = ["ISOSMITH_PACKAGE", "ISOSMITH_WINDOW_PACKAGE"].map(|name| {
        let deb = PathBuf::from(std::env::var_os(name).unwrap_or_default());
        if ready {
            deb.metadata().with_context(|| {
                format!("{name} names no package; run `cargo xtask test package`")
            })?;
        }
        Ok::<_, anyhow::Error>(deb)
    });
    let (deb, window) = (deb?, window?);
    if ready {
        kit.need_root()?;
    }
    let system = System::of(&kit, &deb);
    if ready {
        system.make()?;
    }
    Ok(Subject {
        kit,
        deb,
        window,
        system,
    })
}

/// A test and its name.
type Named = (&'static str, fn(&Subject) -> Result<()>);
