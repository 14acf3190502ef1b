//! Files: confined removal, atomic writing, locks, and work inside trees that packages made.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::{
        fd::OwnedFd,
        unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt},
    },
    path::{Component, Path, PathBuf},
};

use nix::{
    fcntl::{AtFlags, Flock, FlockArg, OFlag, OpenHow, ResolveFlag, openat2},
    sys::stat::{FchmodatFlags, Mode, fchmodat, mkdirat},
    unistd::{Gid, Uid, UnlinkatFlags, fchownat, symlinkat, unlinkat},
};

use crate::HostError;

/// A folder that belongs to Isosmith, and the only way to remove anything.
#[derive(Debug, Clone)]
pub struct Confined {
    root: PathBuf,
}

impl Confined {
    /// Takes `root` as a folder of ours. It must exist, be a folder, and lie deeper than two
    /// levels below `/`, so that no slip can name a part of the system.
    ///
    /// # Errors
    ///
    /// [`HostError::Outside`] for a root that cannot be ours, [`HostError::Io`] when it does
    /// not exist.
    pub fn new(root: &Path) -> Result<Self, HostError> {
        let real = root
            .canonicalize()
            .map_err(|source| HostError::io(format!("open {}", root.display()), source))?;
        if !real.is_dir() || real.components().count() < 3 {
            return Err(HostError::Outside {
                path: real,
                root: "a folder of ours".into(),
            });
        }
        Ok(Self { root: real })
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// A path below the folder.
    ///
    /// # Errors
    ///
    /// [`HostError::Outside`] for an absolute path or one with `..`.
    pub fn join(&self, relative: impl AsRef<Path>) -> Result<PathBuf, HostError> {
        let relative = relative.as_ref();
        let plain = relative
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        if !plain || relative.as_os_str().is_empty() {
            return Err(HostError::Outside {
                path: relative.to_owned(),
                root: self.root.clone(),
            });
        }
        Ok(self.root.join(relative))
    }

    /// Removes `path`, which must lie below the folder, with all that is in it. Links are
    /// removed, not followed. Nothing is removed if anything is mounted at or below it, and
    /// another filesystem is never entered. A path that does not exist is no error.
    ///
    /// # Errors
    ///
    /// [`HostError::Outside`] when `path` leads out, [`HostError::Io`] when something could
    /// not be removed.
    pub fn remove_tree(&self, path: &Path) -> Result<(), HostError> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(HostError::Outside {
                path: path.to_owned(),
                root: self.root.clone(),
            });
        };
        let parent = match parent.canonicalize() {
            Ok(parent) => parent,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(source) => return Err(HostError::io(format!("open {}", parent.display()), source)),
        };
        let real = parent.join(name);
        if !real.starts_with(&self.root) || real == self.root {
            return Err(HostError::Outside {
                path: real,
                root: self.root.clone(),
            });
        }
        let meta = match fs::symlink_metadata(&real) {
            Ok(meta) => meta,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(source) => {
                return Err(HostError::io(format!("look at {}", real.display()), source));
            }
        };
        if let Some(mount) = mounts_below(&real)? {
            return Err(HostError::Outside {
                path: mount,
                root: real,
            });
        }
        let removed = if meta.is_dir() {
            remove_dir(&real, meta.dev())
        } else {
            fs::remove_file(&real)
        };
        removed.map_err(|source| HostError::io(format!("remove {}", real.display()), source))
    }
}

/// Removes a folder without leaving its filesystem. A folder that its owner may not search is
/// opened first: packages make such folders.
fn remove_dir(dir: &Path, device: u64) -> io::Result<()> {
    let mut entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            fs::set_permissions(dir, fs::Permissions::from_mode(0o700))?;
            fs::read_dir(dir)?
        }
        other => other?,
    };
    entries.try_for_each(|entry| {
        let entry = entry?;
        let meta = entry.metadata()?;
        if meta.dev() != device {
            return Err(io::ErrorKind::CrossesDevices.into());
        }
        if !meta.is_dir() {
            return fs::remove_file(entry.path());
        }
        remove_dir(&entry.path(), device)
    })?;
    fs::remove_dir(dir)
}

fn mounts_below(path: &Path) -> Result<Option<PathBuf>, HostError> {
    let table = fs::read_to_string("/proc/self/mountinfo")
        .map_err(|source| HostError::io("read the mount table", source))?;
    Ok(mount_points(&table)
        .into_iter()
        .find(|point| point.starts_with(path)))
}

/// Mount points of a mountinfo table (proc_pid_mountinfo(5)), octal escapes undone.
pub fn mount_points(table: &str) -> Vec<PathBuf> {
    table
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .map(|point| {
            let mut text = point.to_owned();
            for (escape, plain) in [
                ("\\040", " "),
                ("\\011", "\t"),
                ("\\012", "\n"),
                ("\\134", "\\"),
            ] {
                text = text.replace(escape, plain);
            }
            PathBuf::from(text)
        })
        .collect()
}

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
        .open(path)
        .map_err(failed)?;
    match Flock::lock(file, how) {
        Ok(guard) => Ok(Some(LockGuard(guard))),
        Err((_, nix::Error::EWOULDBLOCK)) => Ok(None),
        Err((_, error)) => Err(failed(error.into())),
    }
}

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
