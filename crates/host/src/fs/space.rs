//! How much room there is.

use std::path::Path;

use crate::HostError;

/// Bytes that an ordinary user may still write on the filesystem of `path`.
///
/// # Errors
///
/// [`HostError::Io`] when `path` does not exist.
pub fn free_bytes(path: &Path) -> Result<u64, HostError> {
    let stat = nix::sys::statvfs::statvfs(path).map_err(|error| {
        HostError::io(
            format!("look at the space for {}", path.display()),
            error.into(),
        )
    })?;
    Ok(stat.blocks_available() * stat.fragment_size())
}

/// Files that may still be made on the filesystem of `path`; `None` where it has no such limit.
///
/// # Errors
///
/// [`HostError::Io`] when `path` does not exist.
pub fn free_inodes(path: &Path) -> Result<Option<u64>, HostError> {
    let stat = nix::sys::statvfs::statvfs(path).map_err(|error| {
        HostError::io(
            format!("look at the space for {}", path.display()),
            error.into(),
        )
    })?;
    Ok((stat.files() > 0).then(|| stat.files_available()))
}
