//! The test suites, by what they may touch.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use clap::ValueEnum;
use xshell::{Cmd, Shell};

use crate::{
    cargo::{self, cargo},
    lint,
    package::{self, PackageArgs},
    packages::{self, Package},
    page, system,
};

/// A suite, in the order in which all of them run: what fails fast comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Suite {
    /// Format, clippy, documentation, licences. Touches nothing.
    Lint,
    /// The tests of every crate, with those in its documentation.
    Unit,
    /// The window's page: types, words, folds, and every screen in a browser. Needs Node.js.
    Ui,
    /// Dependency directions and other rules of the house.
    Architecture,
    /// The command line, without root.
    Cli,
    /// Sandboxes, kills, full disks and bad mirrors, with a small system. Needs root.
    Privileged,
    /// The service on a private bus with the real polkitd. Needs root.
    Helper,
    /// The real window on a screen without glass, with the real service. Needs root.
    Window,
    /// The Debian package on a small system. Needs root and the network.
    Package,
    /// A profile from the real mirror, compared with a plain tree. Needs root and the network.
    Real,
    /// Real ISOs in QEMU: BIOS, Secure Boot. Needs root and the network.
    Boot,
}

impl Suite {
    const ALL: &[Self] = &[
        Self::Lint,
        Self::Unit,
        Self::Ui,
        Self::Architecture,
        Self::Cli,
        Self::Privileged,
        Self::Helper,
        Self::Window,
        Self::Package,
        Self::Real,
        Self::Boot,
    ];

    /// As it is written on the command line.
    const fn name(self) -> &'static str {
        match self {
            Self::Lint => "lint",
            Self::Unit => "unit",
            Self::Ui => "ui",
            Self::Architecture => "architecture",
            Self::Cli => "cli",
            Self::Privileged => "privileged",
            Self::Helper => "helper",
            Self::Window => "window",
            Self::Package => "package",
            Self::Real => "real",
            Self::Boot => "boot",
        }
    }

    /// What must be installed before.
    const fn packages(self) -> &'static [&'static [Package]] {
        use packages::{
            ARCHIVE, BOOT, BROWSER, BUILD, BUS, IMAGES, MEDIA, OTHER_TREE, PACKAGING, ROOTLESS,
            WINDOW_BUILD, WINDOW_RUN,
        };

        match self {
            Self::Architecture => &[],
            // It compiles everything, the window with it.
            Self::Lint => &[WINDOW_BUILD],
            Self::Unit => &[BOOT, BUS, MEDIA, IMAGES],
            Self::Ui => &[BROWSER],
            Self::Cli => &[BUILD],
            // Rootless builds are tested by root, as another user.
            Self::Privileged => &[BUILD, ROOTLESS, ARCHIVE, MEDIA, IMAGES],
            Self::Helper => &[BUILD, BUS, ARCHIVE, MEDIA, IMAGES],
            Self::Window => &[BUILD, BUS, ARCHIVE, MEDIA, IMAGES, WINDOW_BUILD, WINDOW_RUN],
            Self::Package => &[PACKAGING, OTHER_TREE, WINDOW_BUILD],
            Self::Real => &[BUILD, OTHER_TREE, IMAGES, MEDIA],
            Self::Boot => &[BUILD, ROOTLESS, BOOT, MEDIA],
        }
    }

    const fn needs_root(self) -> bool {
        match self {
            Self::Privileged
            | Self::Helper
            | Self::Window
            | Self::Package
            | Self::Real
            | Self::Boot => true,
            Self::Lint | Self::Unit | Self::Ui | Self::Architecture | Self::Cli => false,
        }
    }

    fn run(self, shell: &Shell, programs: &mut Programs, all: bool) -> Result<()> {
        if self.needs_root() && !system::is_root() {
            bail!(
                "needs root. Run: sudo env \"PATH=$PATH\" cargo xtask test {}",
                self.name()
            );
        }
        match self {
            Self::Lint => {
                page::build(shell)?;
                lint::lint(shell)
            }
            Self::Unit => {
                let cmd = cargo(shell, &["test", "--no-fail-fast"]).args(cargo::ALL_BUT_THE_WINDOW);
                Ok(cmd.args(["--exclude", "isosmith-tests"]).run()?)
            }
            Self::Ui => page::test(shell),
            Self::Architecture => Ok(test_binary(shell, self, all).run()?),
            Self::Helper => {
                let programs = programs.built(shell)?;
                Ok(test_binary(shell, self, all)
                    .env("ISOSMITH_BIN", programs.join("isosmith"))
                    .env("ISOSMITH_HELPER_BIN", programs.join("isosmith-helper"))
                    .run()?)
            }
            Self::Window => {
                let programs = programs.built(shell)?;
                let window = window(shell)?;
                cargo(shell, &["test", "--package", "isosmith-gui"]).run()?;
                Ok(test_binary(shell, self, all)
                    .env("ISOSMITH_BIN", programs.join("isosmith"))
                    .env("ISOSMITH_HELPER_BIN", programs.join("isosmith-helper"))
                    .env("ISOSMITH_GUI_BIN", window)
                    .run()?)
            }
            Self::Package => {
                let programs = programs.built(shell)?;
                let args = PackageArgs::into("target/package").with(programs, window(shell)?);
                let debs = package::package(shell, &args)?;
                Ok(test_binary(shell, self, all)
                    .env("ISOSMITH_BIN", programs.join("isosmith"))
                    .env("ISOSMITH_PACKAGE", debs.service)
                    .env("ISOSMITH_WINDOW_PACKAGE", debs.window)
                    .run()?)
            }
            Self::Cli | Self::Privileged | Self::Real | Self::Boot => {
                let programs = programs.built(shell)?;
                Ok(test_binary(shell, self, all)
                    .env("ISOSMITH_BIN", programs.join("isosmith"))
                    .run()?)
            }
        }
    }
}

/// The window with its page, as it is tested: all that it is made of takes minutes to optimise.
fn window(shell: &Shell) -> Result<PathBuf> {
    page::build(shell)?;
    cargo::build_window_for_tests(shell)
}

/// One of the programs in `tests/`. Its long tests are those that are ignored or that look
/// at `ISOSMITH_FULL`.
fn test_binary(shell: &Shell, suite: Suite, all: bool) -> Cmd<'_> {
    let cmd = cargo(shell, &["test"])
        .args(cargo::ALL_BUT_THE_WINDOW)
        .args(["--test", suite.name()]);
    if all {
        cmd.env("ISOSMITH_FULL", "1")
            .args(["--", "--include-ignored"])
    } else {
        cmd
    }
}

/// The programs under test but the window, built when the first suite wants them.
#[derive(Default)]
struct Programs(Option<PathBuf>);

impl Programs {
    /// The folder that they are in.
    fn built(&mut self, shell: &Shell) -> Result<&Path> {
        let folder = match self.0.take() {
            Some(folder) => folder,
            None => cargo::build_for_tests(shell)?,
        };
        Ok(self.0.insert(folder))
    }
}

/// How a suite ended.
struct Outcome {
    suite: Suite,
    took: Duration,
    error: Option<String>,
}

/// Installs what `suites` need (all of them when none is named) and runs each, whatever
/// happens to the others.
///
/// # Errors
///
/// When something that they need is missing and cannot be installed. That a suite failed
/// is in the exit code.
pub fn test(shell: &Shell, suites: &[Suite], all: bool) -> Result<ExitCode> {
    let chosen = chosen(suites);
    let able = chosen
        .iter()
        .filter(|suite| system::is_root() || !suite.needs_root());
    let groups: Vec<_> = able.flat_map(|suite| suite.packages()).copied().collect();
    packages::ensure(shell, &groups)?;

    let mut programs = Programs::default();
    let mut outcomes = Vec::new();
    for suite in chosen {
        println!("\n=== {} ===", suite.name());
        let start = Instant::now();
        let error = suite
            .run(shell, &mut programs, all)
            .err()
            .map(|error| format!("{error:#}"));
        if let Some(error) = &error {
            println!("{}: {error}", suite.name());
        }
        outcomes.push(Outcome {
            suite,
            took: start.elapsed(),
            error,
        });
    }
    println!("\n{}", summary(&outcomes));
    let well = outcomes.iter().all(|outcome| outcome.error.is_none());
    Ok(if well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Each suite once, in the order in which they run.
fn chosen(named: &[Suite]) -> Vec<Suite> {
    let wanted = |suite: &Suite| named.is_empty() || named.contains(suite);
    Suite::ALL.iter().copied().filter(wanted).collect()
}

/// A line for each suite, and the count.
fn summary(outcomes: &[Outcome]) -> String {
    let mut text = String::from("suite          time  result\n");
    for Outcome { suite, took, error } in outcomes {
        let seconds = took.as_secs();
        let time = format!("{}:{:02}", seconds / 60, seconds % 60);
        let result = error.as_ref().map_or("passed".to_owned(), |error| {
            format!("FAILED: {}", error.lines().next().unwrap_or_default())
        });
        text.push_str(&format!("{:<12} {time:>6}  {result}\n", suite.name()));
    }
    let failed = outcomes
        .iter()
        .filter(|outcome| outcome.error.is_some())
        .count();
    text + &format!("{} passed, {failed} failed", outcomes.len() - failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_suite_can_be_chosen_and_runs_once() {
        assert_eq!(Suite::ALL, Suite::value_variants());
        assert_eq!(chosen(&[]), Suite::ALL);
        assert_eq!(
            chosen(&[Suite::Boot, Suite::Lint, Suite::Boot]),
            [Suite::Lint, Suite::Boot]
        );
        for suite in Suite::ALL {
            assert_eq!(Suite::from_str(suite.name(), false), Ok(*suite));
        }
    }

    #[test]
    fn the_summary_ends_with_the_count() {
        let outcome = |suite, seconds, error: Option<&str>| Outcome {
            suite,
            took: Duration::from_secs(seconds),
            error: error.map(str::to_owned),
        };
        let text = summary(&[
            outcome(Suite::Lint, 65, None),
            outcome(Suite::Boot, 600, Some("no KVM\nmore")),
        ]);
        assert_eq!(
            text,
            "suite          time  result\n\
             lint           1:05  passed\n\
             boot          10:00  FAILED: no KVM\n\
             1 passed, 1 failed"
        );
    }
}
