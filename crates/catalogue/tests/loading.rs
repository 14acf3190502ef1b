//! Loading package lists from an archive that changes, lies and goes away.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on stops with a message"
)]

mod support;

use std::{fs, path::Path, time::Duration};

use isosmith_catalogue::{Catalogue, Sources, State, mirrors::Machine};
use isosmith_protocol::Code;
use isosmith_spec::{Layer, Origin, model::BuildSpec};
use support::{Archive, Fault, MAIN, gz, xz};

const VIM: &str = "Package: vim\nVersion: 1\nDescription: editor\nInstalled-Size: 10\nSize: 5\n";

fn spec(mirrors: &[String], more: &str) -> BuildSpec {
    let text = format!(
        "format = 1\n[profile]\nname = \"demo\"\n[base]\nsuite = \"trixie\"\n\
         components = [\"main\"]\nmirrors = {mirrors:?}\nsecurity = false\n{more}"
    );
    let layer = Layer::new(Origin::Profile("demo".into()), "", text);
    isosmith_spec::load(vec![layer], &|_| None).unwrap().0
}

fn open_with(folder: &Path, mirrors: &[String], more: &str) -> Catalogue {
    let sources = Sources::of(&spec(mirrors, more), &Machine::default());
    let catalogue = Catalogue::open(folder, sources);
    catalogue.wait(Duration::from_secs(60));
    catalogue
}

fn open(folder: &Path, archive: &Archive) -> Catalogue {
    open_with(folder, &[archive.uri()], "updates = false\n")
}

/// Names and versions of what is found by `word`.
fn found(catalogue: &Catalogue, word: &str) -> Vec<String> {
    let hits = catalogue.search(word, 100, None).hits;
    let lines = hits
        .iter()
        .map(|hit| format!("{} {}", hit.name, hit.version));
    lines.collect()
}

fn codes(catalogue: &Catalogue) -> Vec<Code> {
    let problems = catalogue.status().problems;
    problems.iter().map(|problem| problem.code).collect()
}

fn asked(archive: &Archive, want: &[(&str, u16)]) {
    let found = archive.asked();
    let found: Vec<_> = found
        .iter()
        .map(|(name, status)| (name.as_str(), *status))
        .collect();
    assert_eq!(found, want);
}

#[test]
fn a_list_is_loaded_once() {
    let folder = tempfile::tempdir().unwrap();
    let archive = Archive::start();
    archive.packages(VIM);

    let first = open(folder.path(), &archive);
    assert_eq!(first.state(), State::Ready);
    assert_eq!(found(&first, "vim"), ["vim 1"]);
    assert_eq!(first.status().done, first.status().total);
    asked(&archive, &[("InRelease", 200), ("Packages.xz", 200)]);

    let second = open(folder.path(), &archive);
    assert_eq!(second.state(), State::Ready);
    assert_eq!(found(&second, "vim"), ["vim 1"]);
    asked(&archive, &[("InRelease", 304)]);

    archive.without_validators();
    let third = open(folder.path(), &archive);
    assert_eq!(found(&third, "vim"), ["vim 1"]);
    asked(&archive, &[("InRelease", 200)]);
}

#[test]
fn what_is_new_comes_with_the_next_refresh() {
    let folder = tempfile::tempdir().unwrap();
    let archive = Archive::start();
    archive.packages(VIM);
    let catalogue = open(folder.path(), &archive);
    let before = catalogue.status().generation;

    archive.packages(&format!(
        "{}\nPackage: vi\nVersion: 7\n",
        VIM.replace(": 1\n", ": 2\n")
    ));
    catalogue.refresh();
    catalogue.wait(Duration::from_secs(60));
    assert_eq!(found(&catalogue, "vi"), ["vi 7", "vim 2"]);
    assert!(catalogue.status().generation > before);
}

#[test]
fn pockets_and_their_newest_versions_come_together() {
    let folder = tempfile::tempdir().unwrap();
    let archive = Archive::start();
    archive.packages(&format!("{VIM}\nPackage: vim-doc\nVersion: 1\n"));
    archive.publish(
        "trixie-updates",
        "Acquire-By-Hash: yes\n",
        &[(
            "main/binary-amd64/Packages.gz",
            gz(b"Package: vim\nVersion: 1.1\n"),
        )],
    );
    let catalogue = open_with(folder.path(), &[archive.uri()], "");
    assert_eq!(catalogue.state(), State::Ready);
    assert_eq!(found(&catalogue, "vim"), ["vim 1.1", "vim-doc 1"]);
    let by_hash = archive.asked().iter().any(|(name, _)| name.len() == 64);
    assert!(by_hash, "the list is asked for by its checksum");
}

#[test]
fn a_second_mirror_stands_in_for_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let (broken, whole) = (Archive::start(), Archive::start());
    broken.packages(VIM);
    broken.fault("InRelease", Fault::Status(500));
    whole.packages(VIM);
    let mirrors = [broken.uri(), whole.uri()];
    let catalogue = open_with(folder.path(), &mirrors, "updates = false\n");
    assert_eq!(catalogue.state(), State::Ready);
    assert_eq!(found(&catalogue, "vim"), ["vim 1"]);
}

#[test]
fn without_a_network_there_is_what_was_there_before() {
    let folder = tempfile::tempdir().unwrap();
    let archive = Archive::start();
    archive.packages(VIM);
    drop(open(folder.path(), &archive));
    let uri = archive.uri();
    drop(archive);

    let offline = open_with(
        folder.path(),
        std::slice::from_ref(&uri),
        "updates = false\n",
    );
    assert_eq!(offline.state(), State::Offline);
    assert_eq!(found(&offline, "vim"), ["vim 1"]);
    assert_eq!(codes(&offline), [Code::MirrorUnreachable]);

    let elsewhere = tempfile::tempdir().unwrap();
    let nothing = open_with(elsewhere.path(), &[uri], "updates = false\n");
    assert_eq!(nothing.state(), State::Offline);
    assert!(found(&nothing, "vim").is_empty());
    assert!(nothing.select(&spec(&["auto".to_owned()], "")).is_none());
}

/// With `change`, the archive is broken in the way of `code`: what was there stays, and all is
/// well again afterwards.
fn check(code: Code, change: impl Fn(&Archive)) {
    let folder = tempfile::tempdir().unwrap();
    let archive = Archive::start();
    archive.packages(VIM);
    drop(open(folder.path(), &archive));

    archive.packages(&VIM.replace(": 1\n", ": 2\n"));
    change(&archive);
    let broken = open(folder.path(), &archive);
    assert_eq!(codes(&broken), [code]);
    assert_eq!(broken.state(), State::Offline);
    assert_eq!(found(&broken, "vim"), ["vim 1"], "{code:?}");

    archive.heal();
    archive.packages(&VIM.replace(": 1\n", ": 3\n"));
    broken.refresh();
    assert_eq!(broken.wait(Duration::from_secs(60)), State::Ready);
    assert_eq!(found(&broken, "vim"), ["vim 3"]);
}

#[test]
fn a_broken_archive_breaks_nothing() {
    let list = "Packages.xz";
    check(Code::HashMismatch, |archive| {
        archive.fault(list, Fault::Corrupt)
    });
    check(Code::DownloadFailed, |archive| {
        archive.fault(list, Fault::Half)
    });
    check(Code::DownloadFailed, |archive| {
        archive.fault(list, Fault::Longer)
    });
    check(Code::DownloadFailed, |archive| {
        archive.fault(list, Fault::Status(503))
    });
    check(Code::FileMissingOnMirror, |archive| {
        archive.fault(list, Fault::Status(404))
    });
    check(Code::DownloadFailed, |archive| {
        archive.fault("InRelease", Fault::Half)
    });
    check(Code::FileMissingOnMirror, |archive| {
        archive.fault("Release", Fault::Status(404));
    });
    check(Code::DownloadFailed, |archive| {
        archive.put(
            "/debian/dists/trixie/InRelease",
            b"<html>Log in first".to_vec(),
        );
    });
    // A list that is no list any more, though its checksum is right.
    check(Code::DownloadFailed, |archive| {
        let cut = xz(VIM.as_bytes());
        archive.publish("trixie", "", &[(MAIN, cut[..cut.len() / 2].to_vec())]);
    });
    check(Code::FileMissingOnMirror, |archive| {
        archive.publish(
            "trixie",
            "",
            &[("contrib/binary-amd64/Packages.xz", xz(b""))],
        );
    });
}

#[test]
fn a_hostile_archive_fills_neither_memory_nor_disk() {
    check(Code::DownloadFailed, |archive| {
        archive.put("/debian/dists/trixie/InRelease", vec![b'x'; 5 << 20]);
    });
    check(Code::DownloadFailed, |archive| {
        let sum = "0".repeat(64);
        let release = format!("SHA256:\n {sum} 99999999999 {MAIN}\n");
        archive.put("/debian/dists/trixie/InRelease", release.into_bytes());
    });
    // 600 MiB of nothing in a few bytes.
    check(Code::DownloadFailed, |archive| {
        let line = [&[b'x'; 65_535][..], b"\n"].concat();
        let bomb = gz(&line.repeat(128)).repeat(75);
        archive.publish("trixie", "", &[("main/binary-amd64/Packages.gz", bomb)]);
    });
}

#[test]
fn a_damaged_cache_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let archive = Archive::start();
    archive.packages(VIM);
    drop(open(folder.path(), &archive));
    for entry in fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0xff;
        fs::write(&path, bytes).unwrap();
    }
    let catalogue = open(folder.path(), &archive);
    assert_eq!(catalogue.state(), State::Ready);
    assert_eq!(found(&catalogue, "vim"), ["vim 1"]);
}

#[test]
fn a_folder_that_cannot_be_written_is_said_and_done_without() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let archive = Archive::start();
    archive.packages(VIM);
    let catalogue = open(&file, &archive);
    assert_eq!(found(&catalogue, "vim"), ["vim 1"]);
    assert!(!codes(&catalogue).is_empty());
}

#[test]
fn a_spec_has_totals_and_each_package_its_cost() {
    let folder = tempfile::tempdir().unwrap();
    let archive = Archive::start();
    let needed = [
        "live-boot",
        "live-boot-initramfs-tools",
        "live-config",
        "live-config-systemd",
        "systemd-sysv",
        "initramfs-tools",
        "locales",
        "keyboard-configuration",
        "console-setup",
        "kbd",
        "tzdata",
        "dbus",
        "udev",
        "zstd",
        "user-setup",
        "sudo",
        "linux-image-amd64",
        "apt",
    ];
    let mut list = String::new();
    for name in needed {
        list += &format!("Package: {name}\nVersion: 1\nInstalled-Size: 100\nSize: 1000\n\n");
    }
    list += "Package: base-files\nVersion: 1\nEssential: yes\nInstalled-Size: 100\nSize: 1000\n\n\
             Package: game\nVersion: 1\nDepends: game-data, base-files\nSize: 7\nInstalled-Size: 1\n\n\
             Package: game-data\nVersion: 1\nSize: 70\nInstalled-Size: 10\n\n\
             Package: broken\nVersion: 1\nDepends: nonesuch\n";
    archive.packages(&list);
    let more = "updates = false\n[software]\npackages = [\"game-data\"]\n";
    let catalogue = open_with(folder.path(), &[archive.uri()], more);
    let select = |more: &str| catalogue.select(&spec(&[archive.uri()], more)).unwrap();

    let selection = select(more);
    let totals = selection.totals();
    assert_eq!(selection.solution().missing, []);
    assert!(totals.exact);
    assert_eq!(totals.packages, 20);
    assert_eq!((totals.download, totals.installed), (19_070, 1910 * 1024));
    assert!(totals.iso > totals.download);

    let cost = selection.cost("game");
    assert_eq!(cost.packages, ["game"]);
    assert_eq!((cost.download, cost.installed), (7, 1024));
    assert!(selection.cost("game-data").packages.is_empty());
    assert_eq!(selection.cost("broken").packages, [""; 0]);
    assert_eq!(selection.cost("broken").missing.len(), 1);
    let marked: Vec<bool> = catalogue
        .search("game", 9, Some(&selection))
        .hits
        .iter()
        .map(|hit| hit.installed)
        .collect();
    assert_eq!(marked, [false, true], "game and game-data");

    let wrong = select("[software]\npackages = [\"gaem\"]\n");
    assert_eq!(wrong.solution().missing[0].wanted, "gaem");
    assert!(!wrong.totals().exact);
    let heavy = |level: &str| {
        select(&format!("[image]\ncompression = \"{level}\"\n"))
            .totals()
            .iso
    };
    assert!(heavy("xz") < heavy("zstd:15") && heavy("zstd:15") < heavy("lz4"));
}
