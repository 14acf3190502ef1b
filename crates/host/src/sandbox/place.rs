//! Mounting at paths inside a tree that packages have written.
//!
//! Paths are resolved with `openat2(RESOLVE_IN_ROOT)`, so that a symbolic link in the tree
//! cannot lead a mount out of it, and are then named by the descriptor that was opened.

use std::{
    fs, io,
    os::fd::{AsRawFd, OwnedFd},
    path::{Path, PathBuf},
};

use nix::{
    fcntl::{OFlag, OpenHow, ResolveFlag, openat2},
    mount::{MsFlags, mount},
    sys::{
        stat::Mode,
        statvfs::{FsFlags, statvfs},
    },
    unistd::symlinkat,
};

use super::setup::{Setup, SetupError, failed};

/// A tree to mount in.
#[derive(Debug)]
pub(super) struct Base {
    root: &'static str,
    /// The caller's own descriptors in a `/proc` that is surely one.
    descriptors: &'static str,
}

/// The new root while it is being made, beside the old one.
pub(super) const NEW: Base = Base {
    root: "/new",
    // "/old/proc" is the caller's /proc, which is this process's own.
    descriptors: "/old/proc/self/fd",
};

/// The root that the process has, with a `/proc` of its own.
pub(super) const HERE: Base = Base {
    root: "/",
    descriptors: "/proc/self/fd",
};

/// A file or folder that was opened, and a path that names it whatever links the tree holds,
/// for as long as the descriptor lives.
pub(super) struct Place {
    pub(super) fd: OwnedFd,
    pub(super) path: PathBuf,
}

impl Base {
    /// What is at `to`, if there is something.
    pub(super) fn look(&self, to: &Path) -> Setup<Option<Place>> {
        let what = || format!("open {}", to.display());
        let relative = to.strip_prefix("/").unwrap_or(to);
        let wanted = if relative.as_os_str().is_empty() {
            Path::new(".")
        } else {
            relative
        };
        let root = fs::File::open(self.root).map_err(failed(what()))?;
        let how = OpenHow::new()
            .flags(OFlag::O_PATH | OFlag::O_CLOEXEC)
            .resolve(ResolveFlag::RESOLVE_IN_ROOT);
        match openat2(&root, wanted, how) {
            Ok(fd) => {
                let path = Path::new(self.descriptors).join(fd.as_raw_fd().to_string());
                Ok(Some(Place { fd, path }))
            }
            Err(nix::Error::ENOENT) => Ok(None),
            Err(other) => Err(failed(what())(other)),
        }
    }

    /// The mount point `to`, made if it is missing.
    pub(super) fn place(&self, to: &Path, is_dir: bool) -> Setup<Place> {
        if let Some(place) = self.look(to)? {
            return Ok(place);
        }
        let what = || format!("open {}", to.display());
        let impossible = |kind: io::ErrorKind| SetupError {
            what: what(),
            source: kind.into(),
        };
        let (Some(parent), Some(name)) = (to.parent(), to.file_name()) else {
            return Err(impossible(io::ErrorKind::InvalidInput));
        };
        let parent = self.place(parent, true)?;
        if is_dir {
            nix::sys::stat::mkdirat(&parent.fd, name, Mode::from_bits_truncate(0o755))
                .map_err(failed(what()))?;
        } else {
            let flags = OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_WRONLY | OFlag::O_CLOEXEC;
            nix::fcntl::openat(&parent.fd, name, flags, Mode::from_bits_truncate(0o644))
                .map_err(failed(what()))?;
        }
        self.look(to)?
            .ok_or_else(|| impossible(io::ErrorKind::NotFound))
    }

    /// Mounts a filesystem of its own at the folder `to`.
    pub(super) fn mount(
        &self,
        kind: &str,
        to: &Path,
        flags: MsFlags,
        options: Option<&str>,
    ) -> Setup<()> {
        let place = self.place(to, true)?;
        mount(Some(kind), &place.path, Some(kind), flags, options)
            .map_err(failed(format!("mount {kind} at {}", to.display())))
    }

    /// An empty folder in memory at `to`.
    pub(super) fn tmpfs(&self, to: &Path, mode: u32, flags: MsFlags) -> Setup<()> {
        self.mount("tmpfs", to, flags, Some(&format!("mode={mode:o}")))
    }

    /// Shows `source` at `to`, with `flags` beside those that its own mount has. `what` says
    /// so in an error.
    pub(super) fn bind(&self, source: &Path, to: &Path, flags: MsFlags, what: &str) -> Setup<()> {
        let is_dir = fs::metadata(source).map_err(failed(what))?.is_dir();
        let place = self.place(to, is_dir)?;
        mount(
            Some(source),
            &place.path,
            None::<&str>,
            MsFlags::MS_BIND,
            None::<&str>,
        )
        .map_err(failed(what))?;
        // A bind takes the flags of its source; more need a second call, on the new mount.
        let place = self.place(to, is_dir)?;
        add_flags(&place.path, flags).map_err(failed(what))
    }

    /// Makes a symbolic link where nothing is yet.
    pub(super) fn symlink(&self, target: &Path, at: &Path) -> Setup<()> {
        let what = || format!("link {}", at.display());
        let (Some(parent), Some(name)) = (at.parent(), at.file_name()) else {
            return Err(failed(what())(io::Error::from(io::ErrorKind::InvalidInput)));
        };
        let parent = self.place(parent, true)?;
        symlinkat(target, &parent.fd, name).map_err(failed(what()))
    }
}

/// Keeps the flags that the mount has: inside a user namespace they are locked, and a remount
/// that would clear one is refused.
fn add_flags(target: &Path, more: MsFlags) -> io::Result<()> {
    let have = statvfs(target)?.flags();
    let mut flags = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | more;
    for (seen, keep) in [
        (FsFlags::ST_RDONLY, MsFlags::MS_RDONLY),
        (FsFlags::ST_NOSUID, MsFlags::MS_NOSUID),
        (FsFlags::ST_NODEV, MsFlags::MS_NODEV),
        (FsFlags::ST_NOEXEC, MsFlags::MS_NOEXEC),
        (FsFlags::ST_NOATIME, MsFlags::MS_NOATIME),
        (FsFlags::ST_NODIRATIME, MsFlags::MS_NODIRATIME),
        (FsFlags::ST_RELATIME, MsFlags::MS_RELATIME),
    ] {
        if have.contains(seen) {
            flags |= keep;
        }
    }
    if !have.intersects(FsFlags::ST_NOATIME | FsFlags::ST_RELATIME) {
        // A remount that says nothing of times would make it relatime.
        flags |= MsFlags::MS_STRICTATIME;
    }
    mount(None::<&str>, target, None::<&str>, flags, None::<&str>)?;
    Ok(())
}
