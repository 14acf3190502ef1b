//! The files of a store.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::SquashError;

/// Where pack `number` is.
pub(super) fn pack_path(folder: &Path, number: u32) -> PathBuf {
    folder.join(format!("{number:08}.pack"))
}

/// Where the index of pack `number` is.
pub(super) fn index_path(folder: &Path, number: u32) -> PathBuf {
    folder.join(format!("{number:08}.index"))
}

/// The packs in `folder`, oldest first.
pub(super) fn numbers(folder: &Path) -> Result<Vec<u32>, SquashError> {
    let fail = SquashError::store(folder);
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder).map_err(&fail)? {
        let name = entry.map_err(&fail)?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".pack"));
        numbers.extend(number.and_then(|number| number.parse::<u32>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Deletes the packs that were not used for longest until the others have at
/// most `max_bytes`, and says which. Packs that are being written stay.
pub(super) fn shrink(folder: &Path, max_bytes: u64) -> Result<BTreeSet<u32>, SquashError> {
    let mut packs = Vec::new();
    for number in numbers(folder)? {
        let Ok(found) = fs::metadata(pack_path(folder, number)) else {
            continue;
        };
        packs.push((found.modified().ok(), number, found.len()));
    }
    packs.sort_unstable();
    let mut total: u64 = packs.iter().map(|(_, _, length)| length).sum();
    let mut removed = BTreeSet::new();
    for (_, number, length) in packs {
        if total <= max_bytes {
            break;
        }
        if remove(folder, number).map_err(SquashError::store(folder))? {
            removed.insert(number);
            total -= length;
        }
    }
    Ok(removed)
}

/// Whoever has the pack open can go on reading it.
fn remove(folder: &Path, number: u32) -> io::Result<bool> {
    let path = pack_path(folder, number);
    let Ok(file) = File::open(&path) else {
        return Ok(false);
    };
    if file.try_lock().is_err() {
        return Ok(false);
    }
    // An index without its pack is ignored, the other order costs a scan.
    fs::remove_file(path)?;
    fs::remove_file(index_path(folder, number)).ok();
    Ok(true)
}
