//! How much room a folder takes.

use std::{collections::HashSet, fs, os::unix::fs::MetadataExt, path::Path};

/// Bytes on disk of a file or of a folder with everything in it; a file with several names
/// counts once. What cannot be read counts nothing.
pub(crate) fn bytes_on_disk(path: &Path) -> u64 {
    let mut seen = HashSet::new();
    let mut todo = vec![path.to_owned()];
    let mut bytes = 0;
    while let Some(path) = todo.pop() {
        let Ok(meta) = path.symlink_metadata() else {
            continue;
        };
        if meta.nlink() > 1 && !meta.is_dir() && !seen.insert((meta.dev(), meta.ino())) {
            continue;
        }
        // stat(2) counts blocks of 512 bytes, whatever the filesystem's own size is.
        bytes += meta.blocks() * 512;
        if meta.is_dir() {
            todo.extend(
                fs::read_dir(&path)
                    .into_iter()
                    .flatten()
                    .flatten()
                    .map(|item| item.path()),
            );
        }
    }
    bytes
}
