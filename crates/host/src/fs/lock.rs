//! Locks that no crash leaves behind.

use std::{
    fs::{File, OpenOptions},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use nix::fcntl::{Flock, FlockArg};

use crate::HostError;

/// A lock that ends with this value or with its process, whichever is first.
#[derive(Debug)]
#[must_use = "the lock goes with this value"]
pub struct LockGuard(#[allow(dead_code, reason = "held, not read")] Flock<File>);

/// Takes the lock at `path` for this process alone; `None` when somebody else holds it.
///
/// # Errors
///
/// [`HostError::Io`] when the file cannot be made.
pub fn lock_exclusive(path: &Path) -> Result<Option<LockGuard>, HostError> {
    lock(path, FlockArg::LockExclusiveNonblock)
}

/// Takes the lock at `path` together with other sharers; `None` when somebody holds it alone.
///
/// # Errors
///
/// [`HostError::Io`] when the file cannot be made.
pub fn lock_shared(path: &Path) -> Result<Option<LockGuard>, HostError> {
    lock(path, FlockArg::LockSharedNonblock)
}

fn lock(path: &Path, how: FlockArg) -> Result<Option<LockGuard>, HostError> {
    let failed = |source| HostError::io(format!("lock {}", path.display()), source);
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        // Whoever may write to the folder must not lead us to another file.
        .custom_flags(nix::libc::O_NOFOLLOW)
        .open(path)
        .map_err(failed)?;
    match Flock::lock(file, how) {
        Ok(guard) => Ok(Some(LockGuard(guard))),
        Err((_, nix::Error::EWOULDBLOCK)) => Ok(None),
        Err((_, error)) => Err(failed(error.into())),
    }
}
