//! A further archive behind an initramfs: the kernel unpacks one after the other, and a file of
//! a later one replaces that of an earlier one (Linux, "initramfs buffer format").

use std::collections::BTreeSet;

/// A file of an archive.
#[derive(Debug, Clone, Copy)]
pub(crate) struct File<'a> {
    /// Absolute path.
    pub(crate) path: &'a str,
    /// Its content.
    pub(crate) bytes: &'a [u8],
    /// Access mode of chmod(1).
    pub(crate) mode: u32,
}

/// Files with the folders above them as an uncompressed archive in the format `newc`. `date` is
/// everything's time, in seconds since 1970; paths are absolute.
pub(crate) fn archive<'a>(
    files: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    date: i64,
) -> Vec<u8> {
    let plain = |(path, bytes)| File {
        path,
        bytes,
        mode: 0o644,
    };
    archive_files(files.into_iter().map(plain), date)
}

/// [`archive`] of files with modes.
pub(crate) fn archive_files<'a>(files: impl IntoIterator<Item = File<'a>>, date: i64) -> Vec<u8> {
    const FOLDER: u32 = 0o040_755;
    const FILE: u32 = 0o100_000;

    let mut archive = Archive {
        bytes: Vec::new(),
        next: 1,
        date,
    };
    let mut folders = BTreeSet::new();
    for file in files {
        let path = file.path.trim_start_matches('/');
        for (end, _) in path.match_indices('/') {
            if folders.insert(path[..end].to_owned()) {
                archive.entry(&path[..end], FOLDER, 2, &[]);
            }
        }
        archive.entry(path, FILE | file.mode, 1, file.bytes);
    }
    archive.entry(TRAILER, 0, 1, &[]);
    archive.bytes
}

const TRAILER: &str = "TRAILER!!!";

/// An entry of an archive that somebody else has made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    /// Path as it is written there, mostly without a slash at the beginning.
    pub(crate) path: &'a str,
    /// A file's content, or a symbolic link's target.
    pub(crate) bytes: &'a [u8],
    /// Type and access mode (inode(7)).
    pub(crate) mode: u32,
    /// All of it, with its header and padding.
    whole: &'a [u8],
}

/// The entries of an uncompressed archive in the format `newc`, up to its end.
///
/// # Errors
///
/// What is wrong with it.
pub(crate) fn entries(archive: &[u8]) -> Result<Vec<Entry<'_>>, &'static str> {
    const HEADER: usize = 110;

    let mut entries = Vec::new();
    let mut rest = archive;
    loop {
        let header = rest.get(..HEADER).ok_or("it ends in the middle")?;
        if !header.starts_with(b"070701") {
            return Err("it has an entry of another format");
        }
        let field = |number: usize| {
            let digits = header.get(6 + 8 * number..14 + 8 * number)?;
            u32::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
        };
        let [Some(mode), Some(size), Some(name_size)] = [field(1), field(6), field(11)] else {
            return Err("it has a number that is none");
        };
        // Both fit: they are at most four gigabytes.
        let begin = (HEADER + name_size as usize).next_multiple_of(4);
        let end = begin + size as usize;
        let path = rest.get(HEADER..HEADER + name_size as usize);
        let bytes = rest.get(begin..end);
        let (Some([path @ .., 0]), Some(bytes)) = (path, bytes) else {
            return Err("it ends in the middle");
        };
        let path = str::from_utf8(path).map_err(|_| "it has a name that is no text")?;
        if path == TRAILER {
            return Ok(entries);
        }
        let next = end.next_multiple_of(4).min(rest.len());
        let (whole, after) = rest.split_at(next);
        entries.push(Entry {
            path,
            bytes,
            mode,
            whole,
        });
        rest = after;
    }
}

/// The archive of `entries`, as they were.
pub(crate) fn rewrite<'a>(entries: impl IntoIterator<Item = Entry<'a>>, date: i64) -> Vec<u8> {
    let mut archive = Archive {
        bytes: Vec::new(),
        next: 0,
        date,
    };
    for entry in entries {
        archive.bytes.extend_from_slice(entry.whole);
        pad(&mut archive.bytes);
    }
    archive.entry(TRAILER, 0, 1, &[]);
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
