//! Set-up, test suites, figures and generated files: `cargo xtask`.
//!
//! | Command | Meaning |
//! |---|---|
//! | `run` | install what is missing and Isosmith itself, open its window |
//! | `test` | install what the tests need, run the suites |
//! | `screenshots` | take the pictures of the window that the README shows |
//! | `package` | build the Debian packages |
//! | `generate` | write the files that are made from code, or check that they are fresh |
//! | `bench` | measure builds beside other ways to make the same image |
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a task talks to the person who started it"
)]

mod bench;
mod cargo;
mod generate;
mod lint;
mod package;
mod packages;
mod page;
mod run;
mod screenshots;
mod suites;
mod system;

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;
use xshell::Shell;

/// Set-up, test suites, figures and generated files.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Task {
    /// Install what is missing and Isosmith itself, and open its window.
    Run {
        /// Build this profile in the terminal instead.
        profile: Option<String>,
        /// Where its ISO goes.
        #[arg(long, default_value = "out", requires = "profile")]
        output: PathBuf,
    },
    /// Install what the tests need and run them.
    Test {
        /// Which suites [default: all of them].
        #[arg(value_enum)]
        suites: Vec<suites::Suite>,
        /// The long tests of these suites too.
        #[arg(long)]
        all: bool,
    },
    /// Take the pictures of the window that the README shows, by its test suite.
    Screenshots,
    /// Build the Debian packages.
    Package(package::PackageArgs),
    /// Write the files that are made from code.
    Generate {
        /// Change nothing; fail when a file is not as it would be written.
        #[arg(long)]
        check: bool,
    },
    /// Measure builds beside other ways to make the same image (root only).
    Bench(bench::Args),
}

fn main() -> ExitCode {
    match perform(Task::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn perform(task: Task) -> anyhow::Result<ExitCode> {
    let shell = Shell::new()?;
    shell.change_dir(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../.."));
    match task {
        Task::Run {
            profile: None,
            output: _,
        } => run::open(&shell)?,
        Task::Run {
            profile: Some(profile),
            output,
        } => run::build(&shell, &profile, &output)?,
        Task::Test { suites, all } => return suites::test(&shell, &suites, all),
        Task::Screenshots => return screenshots::take(&shell),
        Task::Package(args) => {
            let made = package::package(&shell, &args)?;
            println!("{}\n{}", made.service.display(), made.window.display());
        }
        Task::Generate { check: false } => generate::write(&shell)?,
        Task::Generate { check: true } => generate::check(&shell)?,
        Task::Bench(args) => bench::bench(&shell, &args)?,
    }
    Ok(ExitCode::SUCCESS)
}
