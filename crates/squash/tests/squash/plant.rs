//! Trees to be packed.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, Timespec, Timestamps, XattrFlags, makedev};

/// Whether the tests run as root, which may make devices and change owners.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A generator of numbers (xorshift); the same seed, the same numbers.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }

    pub fn noise(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.roll(256) as u8).collect()
    }

    /// Compresses, and is never twice the same.
    pub fn text(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length + 16);
        while bytes.len() < length {
            bytes.extend(format!("word{} ", self.roll(5000)).bytes());
        }
        bytes.truncate(length);
        bytes
    }
}

/// Writes a file, with its directories.
pub fn file(root: &Path, name: &str, content: &[u8]) -> PathBuf {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    path
}

pub fn date(path: &Path, seconds: i64) {
    let at = Timespec {
        tv_sec: seconds,
        tv_nsec: 123_456_789,
    };
    let times = Timestamps {
        last_access: at,
        last_modification: at,
    };
    rustix::fs::utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).unwrap();
}

pub fn attribute(path: &Path, name: &str, value: &[u8]) {
    rustix::fs::lsetxattr(path, name, value, XattrFlags::empty()).unwrap();
}

/// `cap_net_raw+ep`, as the kernel keeps it.
pub const CAPABILITY: &[u8] = &[1, 0, 0, 2, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// All that SquashFS can hold, and what only root can make if we are root.
pub fn varied(root: &Path) {
    let mut dice = Dice(42);
    kinds(root, &mut dice);
    names(root);
    for mode in (0..0o1000).step_by(3) {
        let path = file(root, &format!("modes/{mode:03o}"), b"x");
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }
    for mode in [0o4755, 0o2755, 0o6711, 0o1777] {
        let path = file(root, &format!("modes/{mode:o}"), b"x");
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }
    attributes(root);
    if is_root() {
        only_root(root);
    }
    for (path, seconds) in [
        ("files/tiny", 0),
        ("files/one", 4_294_967_295),
        ("links", 1),
    ] {
        date(&root.join(path), seconds);
    }
}

fn kinds(root: &Path, dice: &mut Dice) {
    for (name, length) in [
        ("none", 0),
        ("one", 1),
        ("tiny", 100),
        ("below", 131_071),
        ("exact", 131_072),
        ("above", 131_073),
        ("three", 3 * 131_072 + 77),
    ] {
        file(root, &format!("files/{name}"), &dice.text(length));
    }
    file(root, "files/noise", &dice.noise(10 << 20));
    file(
        root,
        "copies/three",
        &fs::read(root.join("files/three")).unwrap(),
    );
    file(
        root,
        "copies/tiny",
        &fs::read(root.join("files/tiny")).unwrap(),
    );
    let holes = File::create(root.join("files/holes")).unwrap();
    holes.set_len(2_000_000).unwrap();
    holes.write_all_at(&dice.text(1000), 700_000).unwrap();
    File::create(root.join("files/hole"))
        .unwrap()
        .set_len(1 << 20)
        .unwrap();
    File::create(root.join("files/small-hole"))
        .unwrap()
        .set_len(5000)
        .unwrap();
    fs::create_dir_all(root.join("empty/within")).unwrap();
    fs::create_dir(root.join("links")).unwrap();
    fs::hard_link(root.join("files/three"), root.join("links/three")).unwrap();
    fs::hard_link(root.join("files/one"), root.join("links/one")).unwrap();
    fs::hard_link(root.join("files/one"), root.join("links/again")).unwrap();
    symlink("../files/one", root.join("links/to-one")).unwrap();
    symlink("/nowhere/at/all", root.join("links/dangling")).unwrap();
    symlink("x".repeat(4000), root.join("links/long")).unwrap();
    fs::hard_link(root.join("links/dangling"), root.join("links/dangling2")).unwrap();
    node(&root.join("fifo"), FileType::Fifo, 0);
    UnixListener::bind(root.join("socket")).unwrap();
    for number in 0..3000 {
        file(root, &format!("many/a-file-with-number-{number}"), b"");
    }
    for number in 0..300 {
        fs::create_dir(root.join(format!("many/directory-{number}"))).unwrap();
    }
}

fn names(root: &Path) {
    let long = "n".repeat(255);
    let odd: [&[u8]; 9] = [
        b"new\nline",
        b"\xff\xfenot utf-8",
        b"-option",
        b" space ",
        b"tab\t\"quote'",
        "ümlaut".as_bytes(),
        b"\x7f\x80\x81",
        b".hidden",
        long.as_bytes(),
    ];
    for name in odd {
        file(root, "odd/plain", b"");
        fs::write(root.join("odd").join(OsStr::from_bytes(name)), name).unwrap();
    }
}

fn attributes(root: &Path) {
    let path = file(root, "attributes/one", b"1");
    attribute(&path, "user.short", b"value");
    attribute(&path, "user.empty", b"");
    attribute(&path, "user.long", &[7; 300]);
    let path = file(root, "attributes/same-long-value", b"2");
    attribute(&path, "user.other", &[7; 300]);
    let path = file(root, "attributes/same-set", b"3");
    attribute(&path, "user.other", &[7; 300]);
    attribute(&root.join("attributes"), "user.on-a-directory", b"yes");
}

fn only_root(root: &Path) {
    node(
        &root.join("dev/null"),
        FileType::CharacterDevice,
        makedev(1, 3),
    );
    node(
        &root.join("dev/disk"),
        FileType::BlockDevice,
        makedev(259, 70_000),
    );
    for number in 0..300 {
        let path = file(root, &format!("owners/{number}"), b"");
        std::os::unix::fs::lchown(path, Some(number * 1000), Some(number)).unwrap();
    }
    let path = file(root, "attributes/capability", b"4");
    attribute(&path, "security.capability", CAPABILITY);
    attribute(&path, "trusted.note", b"kept");
    attribute(
        &root.join("links/dangling"),
        "trusted.link",
        b"a link's own",
    );
    attribute(&root.join("dev/null"), "trusted.device", b"a device's own");
    attribute(&root.join("fifo"), "trusted.fifo", b"a fifo's own");
    attribute(&root.join("socket"), "trusted.socket", b"a socket's own");
}

pub fn node(path: &Path, kind: FileType, device: u64) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    rustix::fs::mknodat(CWD, path, kind, Mode::from_raw_mode(0o640), device).unwrap();
}

/// A tree from a seed: sizes near block borders, copies, holes, links.
pub fn random(root: &Path, seed: u64, block_size: u64) {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut directories = vec![root.to_owned()];
    let mut files: Vec<PathBuf> = Vec::new();
    fs::create_dir(root).unwrap();
    for number in 0..60 + dice.roll(200) {
        let directory = &directories[dice.roll(directories.len() as u64) as usize];
        let path = directory.join(format!(
            "{}{number}",
            ["a", "Z", ".", "ß"][dice.roll(4) as usize]
        ));
        match dice.roll(12) {
            0 | 1 => {
                fs::create_dir(&path).unwrap();
                directories.push(path);
            }
            2 => symlink(format!("{number}"), path).unwrap(),
            3 if !files.is_empty() => {
                let old = &files[dice.roll(files.len() as u64) as usize];
                fs::hard_link(old, path).unwrap();
            }
            4 if !files.is_empty() => {
                let old = &files[dice.roll(files.len() as u64) as usize];
                fs::copy(old, path).unwrap();
            }
            kind => {
                let border = dice.roll(5) * block_size;
                let length =
                    (border + dice.roll(5)).saturating_sub(2) + dice.roll(2) * dice.roll(900);
                let mut content = match kind {
                    5 => dice.noise(length as usize),
                    6 => vec![0; length as usize],
                    _ => dice.text(length as usize),
                };
                if kind == 7 && length > block_size {
                    content[..block_size as usize].fill(0);
                }
                fs::write(&path, content).unwrap();
                files.push(path);
            }
        }
    }
    assert!(root.metadata().unwrap().nlink() >= 2);
}
