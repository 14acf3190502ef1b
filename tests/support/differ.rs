//! In what two ISOs that should be the same are not.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, ensure};

use crate::kit::{output, sha256};

/// Fails when two ISOs are not the same, byte by byte, and says in which files they differ.
///
/// # Errors
///
/// When they differ.
pub fn same_iso(what: &str, first: &Path, second: &Path) -> Result<()> {
    if sha256(first)? == sha256(second)? {
        return Ok(());
    }
    let scratch = tempfile::tempdir_in(first.parent().unwrap_or(Path::new("/tmp")))?;
    let lists: Vec<BTreeSet<String>> = [first, second]
        .iter()
        .enumerate()
        .map(|(number, iso)| list(iso, &scratch.path().join(number.to_string())))
        .collect::<Result<_>>()?;
    let only = |a: &BTreeSet<String>, b: &BTreeSet<String>, sign: char| {
        a.difference(b)
            .map(|line| format!("{sign} {line}"))
            .take(20)
            .collect::<Vec<_>>()
    };
    let mut lines = only(&lists[0], &lists[1], '-');
    lines.extend(only(&lists[1], &lists[0], '+'));
    ensure!(
        !lines.is_empty(),
        "{what}: the same files, but not the same ISO"
    );
    anyhow::bail!("{what}: the ISOs differ:\n{}", lines.join("\n"))
}

/// Every file of an ISO and of the tree in it, with everything that counts.
fn list(iso: &Path, folder: &Path) -> Result<BTreeSet<String>> {
    let medium = folder.join("medium");
    fs::create_dir_all(&medium)?;
    output(
        Command::new("xorriso")
            .args(["-no_rc", "-osirrox", "on", "-indev"])
            .arg(iso)
            .args(["-extract", "/"])
            .arg(&medium),
    )?;
    let mut lines = BTreeSet::new();
    describe(&medium, 1, &mut lines)?;
    let tree = folder.join("tree");
    let squashfs: PathBuf = medium.join("live/filesystem.squashfs");
    output(
        Command::new("unsquashfs")
            .args(["-quiet", "-no-progress", "-dest"])
            .arg(&tree)
            .arg(squashfs),
    )?;
    describe(&tree, 0, &mut lines)?;
    fs::remove_dir_all(folder)?;
    Ok(lines)
}

/// The folder that a medium is unpacked into is none of it; the root of the tree is.
fn describe(root: &Path, depth: u8, lines: &mut BTreeSet<String>) -> Result<()> {
    let script = r#"cd "$1" && find . -mindepth "$2" -printf '%P %y %m %U:%G %Ts %l\n' && find . -type f -print0 | xargs -0 -r sha256sum"#;
    let text = output(
        Command::new("sh")
            .args(["-c", script, "sh"])
            .arg(root)
            .arg(depth.to_string()),
    )?;
    lines.extend(text.lines().map(str::to_owned));
    Ok(())
}
