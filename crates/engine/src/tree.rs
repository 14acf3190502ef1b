//! Folders of trees: how much room they take, and how the top of an overlay looks.

use std::{
    collections::HashSet,
    fs::{self, File},
    io,
    os::unix::fs::MetadataExt,
    path::Path,
};

use crate::failure::Failure;

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

/// Gives the top of an overlay the mode and time of what it lies on: a merged tree's own
/// folder has those of its uppermost layer, and a fresh folder's are nobody's choice.
pub(crate) fn look_like(lower: &Path, upper: &Path) -> Result<(), Failure> {
    let copy = || -> io::Result<()> {
        let meta = fs::metadata(lower)?;
        fs::set_permissions(upper, meta.permissions())?;
        let times = fs::FileTimes::new().set_modified(meta.modified()?);
        File::open(upper)?.set_times(times)
    };
    copy().map_err(|error| Failure::io(format!("prepare {}", upper.display()), error))
}
