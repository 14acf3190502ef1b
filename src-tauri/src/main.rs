//! Isosmith's window: the Rust side.
//!
//! It runs as the person and has no rights of its own. What needs rights, it asks the system
//! service for ([`builder`]); what needs neither is in `isosmith-studio` and
//! `isosmith-catalogue`. [`controller`] holds it all together, [`commands`] are what the page
//! can call, [`desktop`] is the desktop around the window.

mod app;
mod args;
mod builder;
mod commands;
mod controller;
mod desktop;
mod fault;
mod spawn;
mod stream;
mod window;
mod words;

use std::{env, io, process::ExitCode};

use clap::Parser;
use isosmith_studio::renderer;
use nix::unistd::Uid;
use tracing_subscriber::EnvFilter;

/// Exit status for a command line, or a person, that this program does not take.
const REFUSED: u8 = 2;

fn main() -> ExitCode {
    if Uid::effective().is_root() {
        return refuse(
            "The window does not run as root: pages and pictures have no business there. \
             Start it as an ordinary user; builds get their rights from the system service.",
        );
    }
    if env::args_os()
        .nth(1)
        .is_some_and(|word| word == renderer::ARGUMENT)
    {
        return ExitCode::from(renderer::serve());
    }
    let args = args::Args::parse();
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into()))
        .with_writer(io::stderr)
        .init();
    match app::run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => refuse(&why),
    }
}

#[expect(
    clippy::print_stderr,
    reason = "without a window there is only the terminal"
)]
fn refuse(why: &str) -> ExitCode {
    eprintln!("isosmith-gui: {why}");
    ExitCode::from(REFUSED)
}
