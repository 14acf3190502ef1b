//! Isosmith in a terminal.

mod agent;
mod args;
mod build;
mod commands;
mod deliver;
mod findings;
mod keys;
mod named;
mod order;
mod places;
mod profile;
mod remember;
mod render;
mod service;
mod watch;
mod way;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::Parser;
use isosmith_engine::Failure;
use isosmith_protocol::{BuildResult, Class, Code};

use args::{Cli, LogFormat};

fn main() -> ExitCode {
    isosmith_host::worker::entry(build::inside);
    let cli = Cli::parse();
    start_logging(cli.common.log_format, cli.common.verbose, cli.common.quiet);
    match commands::run(&cli) {
        Ok(Ended::Well) => ExitCode::SUCCESS,
        Ok(Ended::Build(result)) => result.code().map_or(ExitCode::SUCCESS, status),
        Ok(Ended::Badly) => ExitCode::FAILURE,
        Ok(Ended::Left) => status(Code::Interrupted),
        Err(failure) => {
            let _ = writeln!(io::stderr(), "{}", render::explain(&failure.view(None)));
            status(failure.code)
        }
    }
}

/// How a command ended.
enum Ended {
    Well,
    /// The answer was "no", and has been given.
    Badly,
    Build(BuildResult),
    /// The person went before the end.
    Left,
}

type Command = Result<Ended, Failure>;

/// See [`args::EXIT_CODES`].
fn status(code: Code) -> ExitCode {
    ExitCode::from(match code.class() {
        Class::Config => 3,
        Class::Permission => 4,
        Class::Network => 5,
        Class::Signature => 6,
        Class::Package => 7,
        Class::DiskSpace | Class::Resource => 8,
        Class::Mount => 9,
        Class::Interrupted => 130,
        Class::Internal | Class::Other => 1,
    })
}

fn start_logging(format: LogFormat, verbose: u8, quiet: bool) {
    use tracing_subscriber::{EnvFilter, fmt};

    let usual = match (quiet, verbose) {
        (true, _) => "error",
        (false, 0 | 1) => "warn",
        (false, 2) => "info",
        (false, _) => "debug",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usual));
    let builder = fmt().with_env_filter(filter).with_writer(io::stderr);
    // A second call finds a logger in place, which is as good.
    let _ = match format {
        LogFormat::Text => builder.without_time().try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
}
