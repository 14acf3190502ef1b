//! The initramfs, made exactly once.

use std::path::Path;

use isosmith_engine::{Done, Failure, StepCx};
use isosmith_host::fs::Tree;
use isosmith_protocol::{Code, Unit};
use isosmith_squash::Ahead;
use serde_json::{Value, json};

use super::{in_tree, squashfs};
use crate::state::Debian;

/// The date goes into the archive's file times.
pub(crate) fn inputs(state: &Debian) -> Value {
    json!({ "sourceDate": state.source_date() })
}

/// As Debian has it.
const UPDATE_INITRAMFS: &str = "/usr/sbin/update-initramfs";

/// Runs `update-initramfs` for every kernel. Until now there was none for a package's script to
/// bring up to date.
pub(crate) fn make(cx: &mut StepCx<'_>, state: &mut Debian) -> Result<Done, Failure> {
    let root = cx.root().to_owned();
    let tree = Tree::open(&root)?;
    let kernels = kernels(&tree)?;
    if kernels.is_empty() {
        return Err(Failure::new(
            Code::ImageInvalid,
            "no kernel is installed",
            "Do not leave out the kernel in software.exclude.",
        ));
    }
    // live-tools puts a wrapper in its place, which looks at how this machine was started.
    let truename = in_tree("dpkg-divert", &root).args(["--truename", UPDATE_INITRAMFS]);
    let program = cx.run_for_output(&truename)?.trim().to_owned();
    // The initramfs is not in the image, and what comes after changes little else.
    squashfs::meanwhile(cx, state, &root, Ahead::AllFiles, || {
        for (number, version) in kernels.iter().enumerate() {
            cx.progress(
                number as u64,
                Some(kernels.len() as u64),
                Unit::Files,
                Some(version),
            );
            let make = in_tree(&program, &root)
                .env("SOURCE_DATE_EPOCH", state.source_date().to_string())
                .args(["-c", "-k", version]);
            cx.run(&make)?;
        }
        link(cx, &root, &tree, &kernels)?;
        Ok(Done::Done)
    })
}

/// Makes `/initrd.img`, which kernels leave out when they are told to make no initramfs
/// (linux-update-symlinks of linux-base).
fn link(cx: &StepCx<'_>, root: &Path, tree: &Tree, kernels: &[String]) -> Result<(), Failure> {
    const PROGRAM: &str = "/usr/bin/linux-update-symlinks";

    let Some(newest) = kernels.last().filter(|_| tree.exists(PROGRAM)) else {
        return Ok(());
    };
    let image = format!("/boot/vmlinuz-{newest}");
    let links = in_tree(PROGRAM, root).env("INITRD", "Yes");
    // Links that are there stay as they are.
    cx.run(&links.args(["upgrade", newest, &image]))
}

/// Versions of the installed kernels, oldest first.
pub(crate) fn kernels(tree: &Tree) -> Result<Vec<String>, Failure> {
    let mut versions: Vec<String> = tree
        .list("/boot")?
        .iter()
        .filter_map(|name| name.strip_prefix("vmlinuz-"))
        .map(str::to_owned)
        .collect();
    versions.sort_by_key(|version| numbers(version));
    Ok(versions)
}

/// Splits into numbers and the text between them, so that 6.9 comes before 6.12.
fn numbers(version: &str) -> Vec<(u64, String)> {
    let mut parts = Vec::new();
    let mut rest = version;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits);
        let letters = after
            .bytes()
            .take_while(|byte| !byte.is_ascii_digit())
            .count();
        let (text, next) = after.split_at(letters);
        parts.push((number.parse().unwrap_or(0), text.to_owned()));
        rest = next;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_sort_as_people_count() {
        let mut versions = vec!["6.12.5-amd64", "6.9.1-amd64", "6.12.48+deb13-amd64"];
        versions.sort_by_key(|version| numbers(version));
        assert_eq!(
            versions,
            ["6.9.1-amd64", "6.12.5-amd64", "6.12.48+deb13-amd64"]
        );
    }
}
