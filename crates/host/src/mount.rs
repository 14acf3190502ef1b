//! Overlays in the build's own mount namespace.

use std::{
    io,
    path::{Path, PathBuf},
};

use nix::mount::{MntFlags, umount2};

/// A mount that goes when this is dropped.
///
/// It is only polite: the mount is in the build's own mount namespace and would vanish with
/// the build.
#[derive(Debug)]
#[must_use = "the mount goes with this value"]
pub struct MountGuard(Option<PathBuf>);

impl MountGuard {
    /// Stands for a mount at `at` that was just made.
    pub(crate) fn at(at: PathBuf) -> Self {
        Self(Some(at))
    }

    /// Stands for no mount, for fakes.
    pub fn none() -> Self {
        Self(None)
    }
}

impl Drop for MountGuard {
    fn drop(&mut self) {
        let Some(at) = self.0.take() else { return };
        // Not lazily: the layer below is renamed next, and a mount that is still in use means
        // that something still writes to it.
        if let Err(error) = umount2(&at, MntFlags::empty()) {
            tracing::error!(at = %at.display(), %error, "an overlay could not be unmounted");
        }
    }
}

/// Options for an overlay that also works in a user namespace.
///
/// `userxattr` keeps overlay's own marks where an ordinary user may write them; see the
/// kernel's `filesystems/overlayfs.rst`.
///
/// # Errors
///
/// When a path has a character that cannot be written into the options.
pub(crate) fn overlay_options(
    lower: &[PathBuf],
    upper: Option<(&Path, &Path)>,
) -> io::Result<String> {
    let text = |path: &Path| -> io::Result<String> {
        let text = path.to_str().ok_or(io::ErrorKind::InvalidInput)?;
        if text.contains([':', ',', '\\', '"']) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        Ok(text.to_owned())
    };
    let lower = lower
        .iter()
        .map(|path| text(path))
        .collect::<io::Result<Vec<_>>>()?
        .join(":");
    let mut options = format!("userxattr,lowerdir={lower}");
    if let Some((upper, work)) = upper {
        options.push_str(&format!(
            ",upperdir={},workdir={}",
            text(upper)?,
            text(work)?
        ));
    }
    // The kernel takes one page of options at most.
    if options.len() >= 4096 {
        return Err(io::ErrorKind::ArgumentListTooLong.into());
    }
    Ok(options)
}

/// Mounts an overlay at `at`.
pub(crate) fn overlay(
    lower: &[PathBuf],
    upper: &Path,
    work: &Path,
    at: &Path,
) -> io::Result<MountGuard> {
    let options = overlay_options(lower, Some((upper, work)))?;
    nix::mount::mount(
        Some("overlay"),
        at,
        Some("overlay"),
        nix::mount::MsFlags::MS_NODEV,
        Some(options.as_str()),
    )?;
    Ok(MountGuard::at(at.to_owned()))
}
