//! Calls of cargo, and what it knows about this workspace.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::Value;
use xshell::{Cmd, Shell};

/// A cargo command as a person would type it.
///
/// `cargo run` describes this very program in its environment. Build scripts that look at
/// those variables would run again each time a person and a task take turns.
pub fn cargo<'a>(shell: &'a Shell, words: &[&str]) -> Cmd<'a> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let inherited = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    inherited
        .filter(|name| describes_this_program(name))
        .fold(shell.cmd(program), |cmd, name| cmd.env_remove(name))
        .args(words)
}

fn describes_this_program(name: &str) -> bool {
    [
        "CARGO_PKG_",
        "CARGO_MANIFEST_",
        "CARGO_BIN_",
        "CARGO_CRATE_",
    ]
    .iter()
    .any(|start| name.starts_with(start))
}

/// What `cargo metadata` says.
///
/// # Errors
///
/// When cargo fails, or does not print JSON.
pub fn metadata(shell: &Shell, words: &[&str]) -> Result<Value> {
    let text = cargo(shell, &["metadata", "--format-version", "1"])
        .args(words)
        .quiet()
        .read()?;
    serde_json::from_str(&text).context("cargo metadata did not print JSON")
}

/// Builds the command line as it is shipped, and says where it is.
///
/// # Errors
///
/// When it does not compile.
pub fn build_isosmith(shell: &Shell) -> Result<PathBuf> {
    build(shell, "isosmith-cli", "isosmith")
}

/// Packages that are built in one go, so that what both use is compiled once: alone, each of them
/// would choose other features.
const TOGETHER: &[&str] = &["isosmith-cli", "isosmith-helper", "isosmith-ai-helper"];

/// Builds a package as it is shipped, and says where its program `binary` is.
///
/// # Errors
///
/// When it does not compile.
pub fn build(shell: &Shell, package: &str, binary: &str) -> Result<PathBuf> {
    let packages = if TOGETHER.contains(&package) {
        TOGETHER
    } else {
        &[package]
    };
    let named = packages.iter().flat_map(|package| ["--package", package]);
    cargo(shell, &["build", "--release"]).args(named).run()?;
    Ok(target(shell)?.join("release").join(binary))
}

/// Builds the window for its tests, in a part of the time, and says where it is.
///
/// # Errors
///
/// When it does not compile.
pub fn build_window_for_tests(shell: &Shell) -> Result<PathBuf> {
    cargo(shell, &["build", "--package", "isosmith-gui"]).run()?;
    Ok(target(shell)?.join("debug").join("isosmith-gui"))
}

/// The same choice of packages for every test, so that dependencies are compiled once, with the
/// same features. The window's are many, and would change those of the others.
pub const ALL_BUT_THE_WINDOW: [&str; 3] = ["--workspace", "--exclude", "isosmith-gui"];

/// Builds all other programs as their tests are built, and says in which folder they are. What
/// works hard in them is optimised all the same; see `[profile.dev.package]`.
///
/// # Errors
///
/// When something does not compile.
pub fn build_for_tests(shell: &Shell) -> Result<PathBuf> {
    cargo(shell, &["build"])
        .args(ALL_BUT_THE_WINDOW)
        .arg("--bins")
        .run()?;
    Ok(target(shell)?.join("debug"))
}

fn target(shell: &Shell) -> Result<PathBuf> {
    let metadata = metadata(shell, &["--no-deps"])?;
    let target = metadata["target_directory"].as_str();
    Ok(target.context("cargo names no target folder")?.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_cargo_are_handed_on_and_descriptions_are_not() {
        for (name, want) in [
            ("CARGO_MANIFEST_DIR", true),
            ("CARGO_PKG_NAME", true),
            ("CARGO_HOME", false),
            ("CARGO_TARGET_DIR", false),
            ("CARGO_NET_OFFLINE", false),
        ] {
            assert_eq!(describes_this_program(name), want, "{name}");
        }
    }
}
