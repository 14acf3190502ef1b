//! Debian's own installer in text mode: its kernel and initramfs from the suite's archive, with
//! the spec's answers.
//!
//! It installs over the network. The system on the medium would need the installer's own
//! packages for every piece of hardware on the medium, too; who has no network has Calamares.

use std::{fs, io::Read, path::Path};

use isosmith_engine::{Done, Failure, StepCx, step};
use isosmith_protocol::Code;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::environment::write;
use crate::{
    materials::hex,
    menu, mirrors,
    preseed::{cpio, preseed},
    state::Debian,
};

/// Below a suite's folder.
const IMAGES: &str = "main/installer-amd64/current/images";

/// What the kernel and the initramfs are called there.
const FILES: [(&str, &str); 2] = [
    ("netboot/debian-installer/amd64/linux", menu::DEBIAN_KERNEL),
    (
        "netboot/debian-installer/amd64/initrd.gz",
        menu::DEBIAN_INITRD,
    ),
];

/// More than the initramfs has ever had, in bytes.
const MOST: u64 = 256 << 20;

/// What [`make`] fills, below its own folder.
pub(crate) const FOLDER: &str = "medium";

/// What the suite has today, and the answers.
pub(crate) fn inputs(state: &Debian) -> Value {
    match &state.releases {
        Some(releases) => json!({ "releases": releases.first(), "answers": answers(state) }),
        None => step::unknown(),
    }
}

fn answers(state: &Debian) -> String {
    let mut packages = state.asked();
    packages.retain(|name| !name.starts_with("live-") && name != "user-setup");
    let (archive, _) = mirrors::for_image(&state.spec.base);
    preseed(&state.spec, &packages, &archive)
}

/// Downloads what the signed Release file vouches for, through its list of checksums.
pub(crate) fn make(cx: &mut StepCx<'_>, state: &mut Debian) -> Result<Done, Failure> {
    let suite = state.spec.base.suite.as_str();
    let Some(release) = state
        .releases
        .as_ref()
        .and_then(|releases| releases.first())
    else {
        return Err(Failure::plain(Code::Internal, "the mirrors were not asked"));
    };
    let lists = cx.output_of(&crate::INDEX).join("lists");
    let name = format!("{IMAGES}/SHA256SUMS");
    let expected = vouched(&signed_release(&lists, suite)?, &name).ok_or_else(|| {
        Failure::new(
            Code::FileMissingOnMirror,
            format!("the archive has no installer for {suite}"),
            "Write debian = false in [installer], or take another suite.",
        )
    })?;
    let at = format!("{}/dists/{suite}/{IMAGES}", release.uri);
    let sums = fetch(state, &format!("{at}/SHA256SUMS"), &expected)?;
    let sums = String::from_utf8_lossy(&sums);
    for (file, to) in FILES {
        let expected = summed(&sums, file).ok_or_else(|| {
            Failure::plain(
                Code::FileMissingOnMirror,
                format!("the installer's list of checksums has no {file}"),
            )
        })?;
        let mut bytes = fetch(state, &format!("{at}/{file}"), &expected)?;
        if to == menu::DEBIAN_INITRD {
            bytes.resize(bytes.len().next_multiple_of(4), 0);
            bytes.extend(cpio("preseed.cfg", answers(state).as_bytes()));
        }
        let path = cx.out().join(FOLDER).join(to.trim_start_matches('/'));
        let parent = path.parent().unwrap_or(&path);
        fs::create_dir_all(parent).map_err(|error| Failure::io_at("make", parent, error))?;
        write(&path, &bytes)?;
    }
    Ok(Done::Done)
}

/// The suite's Release file, whose signature apt has checked.
fn signed_release(lists: &Path, suite: &str) -> Result<String, Failure> {
    let failed = |error| Failure::io_at("read the package lists in", lists, error);
    for entry in fs::read_dir(lists).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.to_string_lossy();
        if [
            format!("_dists_{suite}_InRelease"),
            format!("_dists_{suite}_Release"),
        ]
        .iter()
        .any(|ending| name.ends_with(ending.as_str()))
        {
            return fs::read_to_string(&path).map_err(failed);
        }
    }
    Err(Failure::plain(
        Code::Internal,
        format!("the package lists have no Release file of {suite}"),
    ))
}

/// SHA-256 of a file, from a Release file: ` HASH SIZE NAME`.
fn vouched(release: &str, name: &str) -> Option<String> {
    let (_, sums) = release.split_once("\nSHA256:\n")?;
    sums.lines()
        .take_while(|line| line.starts_with(' '))
        .find_map(|line| {
            let mut words = line.split_whitespace();
            let hash = words.next()?;
            (words.nth(1)? == name).then(|| hash.to_owned())
        })
}

/// The same from a list as `sha256sum` writes it.
fn summed(sums: &str, name: &str) -> Option<String> {
    sums.lines().find_map(|line| {
        let (hash, file) = line.split_once("  ")?;
        (file.strip_prefix("./")? == name).then(|| hash.to_owned())
    })
}

fn fetch(state: &Debian, url: &str, sha256: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    state
        .web
        .open(url)?
        .take(MOST)
        .read_to_end(&mut bytes)
        .map_err(|error| {
            Failure::plain(
                Code::DownloadFailed,
                format!("the download of {url} broke off"),
            )
            .because(error)
        })?;
    if hex(&Sha256::digest(&bytes)) == sha256 {
        return Ok(bytes);
    }
    Err(Failure::plain(
        Code::HashMismatch,
        format!("{url} is not what the signed Release file promises"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_come_from_the_signed_part_of_their_kind() {
        let release = "Suite: x\nMD5Sum:\n 11 9 main/a\nSHA256:\n 22 9 main/a\n 33 9 main/b\n-----BEGIN PGP SIGNATURE-----\n 44 9 main/c\n";
        assert_eq!(vouched(release, "main/a").as_deref(), Some("22"));
        assert_eq!(vouched(release, "main/c"), None);
        let sums = "aa  ./cdrom/linux\nbb  ./netboot/linux\n";
        assert_eq!(summed(sums, "netboot/linux").as_deref(), Some("bb"));
        assert_eq!(summed(sums, "linux"), None);
    }
}
