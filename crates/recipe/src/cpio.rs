//! A further archive behind an initramfs: the kernel unpacks one after the other, and a file of
//! a later one replaces that of an earlier one (Linux, "initramfs buffer format").

use std::collections::BTreeSet;

/// Files with the folders above them as an uncompressed archive in the format `newc`. `date` is
/// everything's time, in seconds since 1970; paths are absolute.
pub(crate) fn archive<'a>(
    files: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    date: i64,
) -> Vec<u8> {
    const FOLDER: u32 = 0o040_755;
    const FILE: u32 = 0o100_644;

    let mut archive = Archive {
        bytes: Vec::new(),
        next: 1,
        date,
    };
    let mut folders = BTreeSet::new();
    for (path, bytes) in files {
        let path = path.trim_start_matches('/');
        for (end, _) in path.match_indices('/') {
            if folders.insert(path[..end].to_owned()) {
                archive.entry(&path[..end], FOLDER, 2, &[]);
            }
        }
        archive.entry(path, FILE, 1, bytes);
    }
    archive.entry("TRAILER!!!", 0, 1, &[]);
    archive.bytes
}

/// `initramfs` with zeros up to where the kernel finds the next archive.
pub(crate) fn append(initramfs: &mut Vec<u8>, archive: &[u8]) {
    pad(initramfs);
    initramfs.extend_from_slice(archive);
}

fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

struct Archive {
    bytes: Vec<u8>,
    next: u32,
    date: i64,
}

impl Archive {
    fn entry(&mut self, name: &str, mode: u32, links: u32, bytes: &[u8]) {
        let inode = self.next;
        self.next += 1;
        let date = u32::try_from(self.date).unwrap_or(0);
        // A file of four gigabytes cannot be written in this format, nor held in memory here.
        let size = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let name_size = u32::try_from(name.len() + 1).unwrap_or(u32::MAX);
        let fields = [
            inode, mode, 0, 0, links, date, size, 0, 0, 0, 0, name_size, 0,
        ];
        self.bytes.extend_from_slice(b"070701");
        for field in fields {
            self.bytes
                .extend_from_slice(format!("{field:08X}").as_bytes());
        }
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.push(0);
        pad(&mut self.bytes);
        self.bytes.extend_from_slice(bytes);
        pad(&mut self.bytes);
    }
}

#[cfg(test)]
mod tests;
