//! What we write is what mksquashfs means.

use std::fs;
use std::path::Path;
use std::process::Command;

use isosmith_inspect::source::Disk;
use isosmith_inspect::squashfs::Squashfs;
use isosmith_squash::{Compression, Options};
use tempfile::TempDir;

use super::{compare, pack, plant, quick};

fn run(command: &mut Command) -> Vec<u8> {
    let output = command.output().expect("squashfs-tools are installed");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
    output.stdout
}

pub fn unpack(image: &Path, to: &Path) {
    // What an ordinary user cannot restore is not looked at either.
    let rights = if plant::is_root() {
        "-xattrs"
    } else {
        "-user-xattrs"
    };
    let mut command = Command::new("unsquashfs");
    run(command
        .args(["-no-progress", rights, "-d"])
        .arg(to)
        .arg(image));
}

/// The image's list of names with all their properties, without the sizes of
/// directories, in which each writer counts its own headers.
fn listing(image: &Path) -> Vec<String> {
    let mut command = Command::new("unsquashfs");
    let output = run(command.env("TZ", "UTC").arg("-lln").arg(image));
    let lines = String::from_utf8_lossy(&output).into_owned();
    lines
        .lines()
        .map(|line| match line.strip_prefix('d') {
            Some(directory) => {
                let words: Vec<&str> = directory.split_whitespace().collect();
                let size = 2.min(words.len());
                [&words[..size], &words[(size + 1).min(words.len())..]]
                    .concat()
                    .join(" ")
            }
            None => line.to_owned(),
        })
        .collect()
}

fn check(root: &Path, options: &Options, what: &str) {
    let scratch = TempDir::new().unwrap();
    let (image, summary) = pack(root, options, None).unwrap();
    let unpacked = scratch.path().join("unpacked");
    unpack(&image, &unpacked);
    compare::same(root, &unpacked, what);
    let disk = Disk::open(&image).unwrap();
    let read = Squashfs::open(&disk).unwrap();
    let census = read.census().unwrap();
    assert_eq!(read.superblock().inodes, summary.inodes, "{what}");
    assert!(census.directories > 0, "{what}");
    let theirs = scratch.path().join("theirs.squashfs");
    let mut command = Command::new("mksquashfs");
    command
        .arg(root)
        .arg(&theirs)
        .args(["-no-progress", "-quiet", "-noappend", "-b"]);
    run(command.arg(options.block_size.to_string()));
    assert_eq!(listing(&image), listing(&theirs), "{what}");
    let disk = Disk::open(&theirs).unwrap();
    let their_census = Squashfs::open(&disk).unwrap().census().unwrap();
    assert_eq!(census, their_census, "{what}");
}

#[test]
fn everything_survives_with_each_compressor() {
    let scratch = TempDir::new().unwrap();
    let root = scratch.path().join("root");
    fs::create_dir(&root).unwrap();
    plant::varied(&root);
    for compression in [
        Compression::Zstd(3),
        Compression::Zstd(15),
        Compression::Gzip(9),
        Compression::Gzip(1),
        Compression::Xz { bcj_x86: false },
        Compression::Xz { bcj_x86: true },
    ] {
        check(
            &root,
            &Options::new(compression, 7),
            &format!("{compression:?}"),
        );
    }
}

#[test]
fn every_block_size() {
    let scratch = TempDir::new().unwrap();
    let root = scratch.path().join("root");
    plant::random(&root, 99, 4096);
    for log in 12..=20 {
        let mut options = quick();
        options.block_size = 1 << log;
        check(&root, &options, &format!("blocks of 2^{log}"));
    }
}

#[test]
fn random_trees() {
    for seed in 1..=12 {
        let scratch = TempDir::new().unwrap();
        let root = scratch.path().join("root");
        plant::random(&root, seed, 4096);
        check(&root, &quick(), &format!("seed {seed}"));
    }
}

#[test]
fn an_empty_tree() {
    let scratch = TempDir::new().unwrap();
    let root = scratch.path().join("root");
    fs::create_dir(&root).unwrap();
    check(&root, &quick(), "no files at all");
}

#[test]
fn sizes_beyond_32_bits() {
    let scratch = TempDir::new().unwrap();
    let root = scratch.path().join("root");
    let path = plant::file(&root, "big", b"");
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_len((5 << 30) + 3).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, b"end", 5 << 30).unwrap();
    let mut options = quick();
    options.block_size = 1 << 20;
    let (image, summary) = pack(&root, &options, None).unwrap();
    assert_eq!(summary.sparse_bytes, 5 << 30);
    assert!(summary.bytes < 100_000);
    let listed = listing(&image).join("\n");
    assert!(listed.contains(&((5u64 << 30) + 3).to_string()), "{listed}");
    let mut command = Command::new("sh");
    let last = command
        .args(["-c", "unsquashfs -cat \"$0\" big | tail -c 5"])
        .arg(&image);
    assert_eq!(run(last), b"\0\0end");
}

#[test]
fn what_is_excluded_stays_out() {
    let scratch = TempDir::new().unwrap();
    let root = scratch.path().join("root");
    for name in [
        "boot/initrd.img-6",
        "boot/vmlinuz-6",
        "proc/1/fd",
        "proc/.x",
        "usr/proc/1",
    ] {
        plant::file(&root, name, b"content");
    }
    let mut options = quick();
    options.exclude = vec!["boot/initrd.img-*".to_owned(), "proc/*".to_owned()];
    let (image, _) = pack(&root, &options, None).unwrap();
    let unpacked = scratch.path().join("unpacked");
    unpack(&image, &unpacked);
    for gone in ["boot/initrd.img-6", "proc/1", "proc/.x"] {
        let path = root.join(gone);
        match path.is_dir() {
            true => fs::remove_dir_all(path).unwrap(),
            false => fs::remove_file(path).unwrap(),
        }
    }
    for (name, seconds) in [("boot", 5), ("proc", 6)] {
        plant::date(&root.join(name), seconds);
        plant::date(&unpacked.join(name), seconds);
    }
    compare::same(&root, &unpacked, "excluded");
}

#[test]
fn copies_take_no_room() {
    let scratch = TempDir::new().unwrap();
    let mut dice = plant::Dice(5);
    let (small, big) = (dice.noise(3000), dice.noise(300_000));
    let root = scratch.path().join("root");
    for copy in 0..5 {
        plant::file(&root, &format!("{copy}/small"), &small);
        plant::file(&root, &format!("{copy}/big"), &big);
    }
    let (image, summary) = pack(&root, &quick(), None).unwrap();
    assert_eq!(summary.duplicate_bytes, 4 * 303_000);
    assert!(summary.bytes < 330_000, "{}", summary.bytes);
    unpack(&image, &scratch.path().join("unpacked"));
    compare::same(&root, &scratch.path().join("unpacked"), "copies");
}

#[test]
fn access_lists_are_counted_as_lost() {
    let scratch = TempDir::new().unwrap();
    let root = scratch.path().join("root");
    let path = plant::file(&root, "file", b"content");
    // Version 2; owner, user 1, group, mask, others.
    let mut list = 2u32.to_le_bytes().to_vec();
    for (tag, rights, id) in [
        (1, 6, u32::MAX),
        (2, 4, 1),
        (4, 4, u32::MAX),
        (16, 4, u32::MAX),
        (32, 4, u32::MAX),
    ] {
        list.extend(u16::to_le_bytes(tag));
        list.extend(u16::to_le_bytes(rights));
        list.extend(u32::to_le_bytes(id));
    }
    plant::attribute(&path, "system.posix_acl_access", &list);
    let (_, summary) = pack(&root, &quick(), None).unwrap();
    assert_eq!(summary.lost_xattrs, 1);
}
