//! What can be said about the code without running it.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use xshell::Shell;

use crate::{
    cargo::{cargo, metadata},
    generate,
};

/// Runs every check, whatever the others say.
///
/// # Errors
///
/// Names the checks that failed; each has printed why.
pub fn lint(shell: &Shell) -> Result<()> {
    let results = [
        (
            "format",
            cargo(shell, &["fmt", "--all", "--check"])
                .run()
                .map_err(Into::into),
        ),
        ("clippy", clippy(shell)),
        ("documentation", documentation(shell)),
        ("rust version", rust_version(shell)),
        ("generated files", generate::check(shell)),
        ("dependencies", dependencies(shell)),
    ];
    let mut failed = Vec::new();
    for (name, result) in results {
        if let Err(error) = result {
            println!("lint: {name}: {error:#}");
            failed.push(name);
        }
    }
    if failed.is_empty() {
        Ok(())
    } else {
        bail!("{}", failed.join(", "))
    }
}

fn clippy(shell: &Shell) -> Result<()> {
    Ok(cargo(
        shell,
        &[
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ],
    )
    .run()?)
}

fn documentation(shell: &Shell) -> Result<()> {
    let cmd = cargo(shell, &["doc", "--workspace", "--no-deps"]);
    Ok(cmd.env("RUSTDOCFLAGS", "-D warnings").run()?)
}

/// Checks licences and sources of dependencies, where cargo-deny is installed.
fn dependencies(shell: &Shell) -> Result<()> {
    if cargo(shell, &["deny", "--version"])
        .quiet()
        .ignore_stdout()
        .ignore_stderr()
        .run()
        .is_err()
    {
        println!("lint: dependencies are not checked: cargo-deny is not installed");
        return Ok(());
    }
    Ok(cargo(shell, &["deny", "--all-features", "check"]).run()?)
}

/// No dependency may want a newer Rust than the workspace promises to be content with.
fn rust_version(shell: &Shell) -> Result<()> {
    let newer = wants_newer(&metadata(shell, &["--locked"])?)?;
    if newer.is_empty() {
        Ok(())
    } else {
        bail!("want a newer Rust than the workspace: {}", newer.join(", "))
    }
}

/// Names the packages in the output of `cargo metadata` whose `rust_version` is above that
/// of the workspace's members.
fn wants_newer(metadata: &Value) -> Result<Vec<String>> {
    let members = metadata["workspace_members"]
        .as_array()
        .context("cargo metadata names no members")?;
    let packages = metadata["packages"]
        .as_array()
        .context("cargo metadata names no packages")?;
    let version = |package: &Value| {
        let text = package["rust_version"].as_str().unwrap_or("0");
        text.split('.')
            .map(|part| part.parse::<u32>().unwrap_or(0))
            .collect::<Vec<_>>()
    };
    let promised = packages
        .iter()
        .filter(|package| members.contains(&package["id"]))
        .map(version)
        .max();
    let promised = promised.context("cargo metadata names no member's package")?;
    let newer = packages
        .iter()
        .filter(|package| version(package) > promised);
    Ok(newer
        .filter_map(|package| package["name"].as_str().map(str::to_owned))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_that_wants_a_newer_rust_is_named() {
        let metadata = |wanted: &str| {
            serde_json::json!({
                "workspace_members": ["own"],
                "packages": [
                    { "id": "own", "name": "own", "rust_version": "1.90" },
                    { "id": "free", "name": "free", "rust_version": null },
                    { "id": "dep", "name": "dep", "rust_version": wanted },
                ],
            })
        };
        for (wanted, newer) in [
            ("1.9", ""),
            ("1.90", ""),
            ("1.89.2", ""),
            ("1.91", "dep"),
            ("2", "dep"),
        ] {
            assert_eq!(
                wants_newer(&metadata(wanted)).unwrap().join(" "),
                newer,
                "{wanted}"
            );
        }
    }
}
