//! Work inside a tree that packages and scripts have written.

use std::{
    fs::{self, File},
    io::{Read, Write},
    os::{fd::OwnedFd, unix::fs::PermissionsExt},
    path::{Path, PathBuf},
};

use nix::{
    fcntl::{AtFlags, OFlag, OpenHow, ResolveFlag, openat2},
    sys::stat::{FchmodatFlags, Mode, fchmodat, mkdirat},
    unistd::{Gid, Uid, UnlinkatFlags, fchownat, symlinkat, unlinkat},
};

use crate::HostError;

/// Whether owners can be set. A build is always root of its own namespace; only a rehearsal,
/// whose trees nobody packs, may be anybody.
fn may_give_away() -> bool {
    Uid::effective().is_root()
}

/// A root tree that packages and scripts have written.
///
/// Every path is resolved as if the tree were `/` (`openat2(RESOLVE_IN_ROOT)`), so no link in
/// it can lead a read or a write outside.
#[derive(Debug)]
pub struct Tree {
    root: OwnedFd,
    path: PathBuf,
}

impl Tree {
    /// Opens the tree at `path`.
    ///
    /// # Errors
    ///
    /// [`HostError::Io`] when it cannot be opened.
    pub fn open(path: &Path) -> Result<Self, HostError> {
        let file = File::open(path)
            .map_err(|source| HostError::io(format!("open {}", path.display()), source))?;
        Ok(Self {
            root: file.into(),
            path: path.to_owned(),
        })
    }

    fn failed(&self, doing: &str, path: &str) -> impl FnOnce(nix::Error) -> HostError {
        let doing = format!("{doing} {path} in {}", self.path.display());
        move |error| HostError::io(doing, error.into())
    }

    fn open_at(&self, path: &str, flags: OFlag, mode: u32) -> nix::Result<OwnedFd> {
        let relative = path.trim_start_matches('/');
        let relative = if relative.is_empty() { "." } else { relative };
        let mut how = OpenHow::new()
            .flags(flags | OFlag::O_CLOEXEC)
            .resolve(ResolveFlag::RESOLVE_IN_ROOT);
        if flags.contains(OFlag::O_CREAT) {
            how = how.mode(Mode::from_bits_truncate(mode));
        }
        openat2(&self.root, relative, how)
    }

    /// Splits into the folder, opened, and the last part of the path.
    fn parent(&self, path: &str) -> nix::Result<(OwnedFd, String)> {
        let trimmed = path.trim_matches('/');
        let (dir, name) = trimmed.rsplit_once('/').unwrap_or(("", trimmed));
        if name.is_empty() || name == ".." || name == "." {
            return Err(nix::Error::EINVAL);
        }
        Ok((
            self.open_at(dir, OFlag::O_PATH | OFlag::O_DIRECTORY, 0)?,
            name.to_owned(),
        ))
    }

    /// Reads a whole file of at most 64 MiB; `None` when there is none.
    ///
    /// # Errors
    ///
    /// [`HostError::Io`].
    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>, HostError> {
        let fd = match self.open_at(path, OFlag::O_RDONLY | OFlag::O_NONBLOCK, 0) {
            Ok(fd) => fd,
            Err(nix::Error::ENOENT | nix::Error::ENOTDIR) => return Ok(None),
            Err(error) => return Err(self.failed("read", path)(error)),
        };
        let mut bytes = Vec::new();
        File::from(fd)
            .take(64 << 20)
            .read_to_end(&mut bytes)
            .map_err(|source| {
                HostError::io(format!("read {path} in {}", self.path.display()), source)
            })?;
        Ok(Some(bytes))
    }

    /// Reads a text file; `None` when there is none. Invalid UTF-8 is replaced.
    ///
    /// # Errors
    ///
    /// [`HostError::Io`].
    pub fn read_text(&self, path: &str) -> Result<Option<String>, HostError> {
        Ok(self
            .read(path)?
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Whether something is there; a dangling link is not.
    pub fn exists(&self, path: &str) -> bool {
        self.open_at(path, OFlag::O_PATH, 0).is_ok()
    }

    /// Whether it is a folder; a link to one is not.
    pub fn is_dir(&self, path: &str) -> bool {
        let Ok((parent, name)) = self.parent(path) else {
            return false;
        };
        nix::sys::stat::fstatat(&parent, name.as_str(), AtFlags::AT_SYMLINK_NOFOLLOW)
            .is_ok_and(|stat| stat.st_mode & libc::S_IFMT == libc::S_IFDIR)
    }

    /// Makes a folder and its missing parents, owned by root, mode 0755.
    ///
    /// # Errors
    ///
    /// [`HostError::Io`].
    pub fn mkdir_all(&self, path: &str) -> Result<(), HostError> {
        let mut done = String::new();
        for part in path.split('/').filter(|part| !part.is_empty()) {
            done.push('/');
            done.push_str(part);
            if self.exists(&done) {
                continue;
            }
            let (parent, name) = self.parent(&done).map_err(self.failed("make", &done))?;
            mkdirat(&parent, name.as_str(), Mode::from_bits_truncate(0o755))
                .map_err(self.failed("make", &done))?;
            // The umask does not count here. A folder that was just made is no link.
            fchmodat(
                &parent,
                name.as_str(),
                Mode::from_bits_truncate(0o755),
                FchmodatFlags::FollowSymlink,
            )
            .map_err(self.failed("make", &done))?;
        }
        Ok(())
    }

    /// Writes a whole file, owned by root, with missing folders. What was there, a link too,
    /// is replaced.
    ///
    /// # Errors
    ///
    /// [`HostError::Io`].
    pub fn write(&self, path: &str, bytes: &[u8], mode: u32) -> Result<(), HostError> {
        self.write_owned(path, bytes, mode, 0, 0)
    }

    /// Like [`Tree::write`], with an owner by number in the tree.
    ///
    /// # Errors
    ///
    /// [`HostError::Io`].
    pub fn write_owned(
        &self,
        path: &str,
        bytes: &[u8],
        mode: u32,
        uid: u32,
        gid: u32,
    ) -> Result<(), HostError> {
        if let Some((dir, _)) = path.trim_end_matches('/').rsplit_once('/') {
            self.mkdir_all(dir)?;
        }
        self.remove(path)?;
        let (parent, name) = self.parent(path).map_err(self.failed("write", path))?;
        let flags =
            OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let fd = nix::fcntl::openat(
            &parent,
            name.as_str(),
            flags,
            Mode::from_bits_truncate(0o600),
        )
        .map_err(self.failed("write", path))?;
        let mut file = File::from(fd);
        let io_failed =
            |source| HostError::io(format!("write {path} in {}", self.path.display()), source);
        file.write_all(bytes).map_err(io_failed)?;
        if may_give_away() {
            nix::unistd::fchown(&file, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))
                .map_err(self.failed("give away", path))?;
        }
        // After the owner: changing it clears set-id bits.
        file.set_permissions(fs::Permissions::from_mode(mode))
            .map_err(io_failed)
    }

    /// Adds a line to a file if it is not in there yet.
    ///
    /// # Errors
    ///
    /// [`HostError::Io`].
    pub fn ensure_line(&self, path: &str, line: &str, mode: u32) -> Result<(), HostError> {
        let mut text = self.read_text(path)?.unwrap_or_default();
        if text.lines().any(|have| have == line) {
            return Ok(());
        }
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(line);
        text.push('\n');
        self.write(path, text.as_bytes(), mode)
    }

    /// Makes a symbolic link, replacing what is there, with missing folders.
    ///
    /// # Errors
    ///
    /// [`HostError::Io`].
    pub fn symlink(&self, target: &str, path: &str) -> Result<(), HostError> {
        if let Some((dir, _)) = path.rsplit_once('/') {
            self.mkdir_all(dir)?;
        }
        self.remove(path)?;
        let (parent, name) = self.parent(path).map_err(self.failed("link", path))?;
        symlinkat(target, &parent, name.as_str()).map_err(self.failed("link", path))
    }

    /// Sets owner and mode of what is at `path`, without following a link at its end.
    ///
    /// # Errors
    ///
    /// [`HostError::Io`].
    pub fn own(&self, path: &str, uid: u32, gid: u32) -> Result<(), HostError> {
        if !may_give_away() {
            return Ok(());
        }
        let (parent, name) = self.parent(path).map_err(self.failed("give away", path))?;
        fchownat(
            &parent,
            name.as_str(),
            Some(Uid::from_raw(uid)),
            Some(Gid::from_raw(gid)),
            AtFlags::AT_SYMLINK_NOFOLLOW,
        )
        .map_err(self.failed("give away", path))
    }

    /// Removes one file or link; nothing there is no error.
    ///
    /// # Errors
    ///
    /// [`HostError::Io`], also for a folder.
    pub fn remove(&self, path: &str) -> Result<(), HostError> {
        let (parent, name) = match self.parent(path) {
            Ok(found) => found,
            Err(nix::Error::ENOENT) => return Ok(()),
            Err(error) => return Err(self.failed("remove", path)(error)),
        };
        match unlinkat(&parent, name.as_str(), UnlinkatFlags::NoRemoveDir) {
            Ok(()) | Err(nix::Error::ENOENT) => Ok(()),
            Err(error) => Err(self.failed("remove", path)(error)),
        }
    }

    /// Names in a folder, sorted; empty when there is none.
    ///
    /// # Errors
    ///
    /// [`HostError::Io`].
    pub fn list(&self, path: &str) -> Result<Vec<String>, HostError> {
        let fd = match self.open_at(path, OFlag::O_RDONLY | OFlag::O_DIRECTORY, 0) {
            Ok(fd) => fd,
            Err(nix::Error::ENOENT | nix::Error::ENOTDIR) => return Ok(Vec::new()),
            Err(error) => return Err(self.failed("list", path)(error)),
        };
        let mut dir = nix::dir::Dir::from_fd(fd).map_err(self.failed("list", path))?;
        let mut names: Vec<String> = dir
            .iter()
            .filter_map(Result::ok)
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|name| name != "." && name != "..")
            .collect();
        names.sort();
        Ok(names)
    }

    /// Removes everything in a folder, which itself stays. Links are removed, not followed.
    ///
    /// # Errors
    ///
    /// [`HostError::Io`].
    pub fn empty_dir(&self, path: &str) -> Result<(), HostError> {
        for name in self.list(path)? {
            let inner = format!("{}/{name}", path.trim_end_matches('/'));
            let (parent, name) = self.parent(&inner).map_err(self.failed("remove", &inner))?;
            match unlinkat(&parent, name.as_str(), UnlinkatFlags::NoRemoveDir) {
                Ok(()) | Err(nix::Error::ENOENT) => continue,
                Err(nix::Error::EISDIR) => {}
                Err(error) => return Err(self.failed("remove", &inner)(error)),
            }
            self.empty_dir(&inner)?;
            unlinkat(&parent, name.as_str(), UnlinkatFlags::RemoveDir)
                .map_err(self.failed("remove", &inner))?;
        }
        Ok(())
    }
}
