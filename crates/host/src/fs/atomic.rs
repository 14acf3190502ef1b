//! Files that are whole or not there.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use crate::HostError;

/// Writes a whole file: under another name first, to the disk, then renamed.
///
/// # Errors
///
/// [`HostError::Io`]; the old file, if any, is then untouched.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), HostError> {
    let failed = |source| HostError::io(format!("write {}", path.display()), source);
    let parent = path
        .parent()
        .ok_or_else(|| failed(io::ErrorKind::InvalidInput.into()))?;
    let name = path
        .file_name()
        .ok_or_else(|| failed(io::ErrorKind::InvalidInput.into()))?;
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}.tmp", std::process::id()));
    let temporary = parent.join(hidden);
    let write = || -> io::Result<()> {
        let mut file = File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        File::open(parent)?.sync_all()
    };
    write().map_err(|source| {
        let _ = fs::remove_file(&temporary);
        failed(source)
    })
}
