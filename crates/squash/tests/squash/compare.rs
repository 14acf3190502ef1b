//! Two trees, side by side.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::plant::is_root;

/// All about one name that an image must keep.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    kind: &'static str,
    mode: u32,
    owner: (u32, u32),
    mtime: i64,
    device: u64,
    content: blake3::Hash,
    attributes: BTreeMap<Vec<u8>, Vec<u8>>,
    /// All names of the same inode.
    names: BTreeSet<PathBuf>,
}

fn look(root: &Path) -> BTreeMap<PathBuf, Seen> {
    let mut found = BTreeMap::new();
    let mut inodes: BTreeMap<u64, BTreeSet<PathBuf>> = BTreeMap::new();
    let mut stack = vec![PathBuf::new()];
    while let Some(name) = stack.pop() {
        let path = root.join(&name);
        let meta = path.symlink_metadata().unwrap();
        let kind = meta.file_type();
        let (kind, content) = match () {
            () if kind.is_dir() => {
                let entries = fs::read_dir(&path).unwrap();
                stack.extend(entries.map(|entry| name.join(entry.unwrap().file_name())));
                ("directory", Vec::new())
            }
            () if kind.is_file() => ("file", fs::read(&path).unwrap()),
            () if kind.is_symlink() => {
                let target = fs::read_link(&path).unwrap();
                ("symlink", target.as_os_str().as_bytes().to_vec())
            }
            () if kind.is_fifo() => ("fifo", Vec::new()),
            () if kind.is_socket() => ("socket", Vec::new()),
            () if kind.is_block_device() => ("block", Vec::new()),
            () => ("character", Vec::new()),
        };
        inodes.entry(meta.ino()).or_default().insert(name.clone());
        let owner = if is_root() {
            (meta.uid(), meta.gid())
        } else {
            (0, 0)
        };
        let seen = Seen {
            kind,
            mode: meta.mode(),
            owner,
            mtime: meta.mtime(),
            device: meta.rdev(),
            content: blake3::hash(&content),
            attributes: attributes(&path),
            names: BTreeSet::new(),
        };
        found.insert(name, (meta.ino(), seen));
    }
    let with_names = found.into_iter().map(|(name, (ino, mut seen))| {
        seen.names.clone_from(&inodes[&ino]);
        (name, seen)
    });
    with_names.collect()
}

fn attributes(path: &Path) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut names = vec![0; 65_536];
    let length = rustix::fs::llistxattr(path, &mut names[..]).unwrap();
    let mut found = BTreeMap::new();
    for name in names[..length].split(|&byte| byte == 0) {
        if name.is_empty() || name.starts_with(b"system.") {
            continue;
        }
        let mut value = vec![0; 65_536];
        let length = rustix::fs::lgetxattr(path, name, &mut value[..]).unwrap();
        found.insert(name.to_vec(), value[..length].to_vec());
    }
    found
}

/// Fails with the first difference.
pub fn same(expected: &Path, found: &Path, what: &str) {
    let (expected, found) = (look(expected), look(found));
    for (name, seen) in &expected {
        assert_eq!(Some(seen), found.get(name), "{what}: {}", name.display());
    }
    let extra: Vec<_> = found
        .keys()
        .filter(|name| !expected.contains_key(*name))
        .collect();
    assert!(extra.is_empty(), "{what}: {extra:?}");
}
