//! The window's page, which is part of the window's program.

use std::path::Path;

use anyhow::{Context, Result};
use xshell::Shell;

/// Builds the page into `ui/dist`, with the versions of `package-lock.json`.
///
/// # Errors
///
/// When Node.js is not there, or something in the page is wrong.
pub fn build(shell: &Shell) -> Result<()> {
    let _folder = shell.push_dir("ui");
    install(shell)?;
    npm(shell, &["run", "build"])
}

/// Checks types and style, tests what can be tested without a browser, then every screen in one.
///
/// # Errors
///
/// When Node.js is not there, or a test fails.
pub fn test(shell: &Shell) -> Result<()> {
    let _folder = shell.push_dir("ui");
    install(shell)?;
    npm(shell, &["run", "check"])?;
    npm(shell, &["test"])?;
    npm(shell, &["run", "pages"])
}

/// Fetches what the page is made with, where it is not there yet.
fn install(shell: &Shell) -> Result<()> {
    shell
        .cmd("node")
        .arg("--version")
        .quiet()
        .ignore_stdout()
        .run()
        .context("Node.js 20.19 or newer is needed for the window's page: https://nodejs.org")?;
    // What npm has written last is as new as the lock file where nothing is to be done.
    let installed = shell.current_dir().join("node_modules/.package-lock.json");
    if is_newer(&installed, &shell.current_dir().join("package-lock.json")) {
        return Ok(());
    }
    npm(shell, &["ci", "--no-audit", "--no-fund"])
}

fn npm(shell: &Shell, words: &[&str]) -> Result<()> {
    Ok(shell.cmd("npm").args(words).run()?)
}

/// Whether `file` is there and not older than `other`.
fn is_newer(file: &Path, other: &Path) -> bool {
    let time = |path: &Path| path.metadata().and_then(|meta| meta.modified()).ok();
    time(file).is_some_and(|one| time(other).is_none_or(|other| one >= other))
}
