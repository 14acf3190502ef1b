//! Building a root folder out of [`Op`]s, in the current (private) mount namespace.
//!
//! Destinations are resolved with `openat2(RESOLVE_IN_ROOT)`, so a symbolic link in a tree
//! that a package made cannot lead a mount out of the new root.

use std::{
    fs, io,
    os::fd::{AsRawFd, OwnedFd},
    path::{Path, PathBuf},
};

use nix::{
    fcntl::{OFlag, OpenHow, ResolveFlag, openat2},
    mount::{MntFlags, MsFlags, mount, umount2},
    sys::stat::Mode,
    unistd::{chdir, pivot_root},
};

use super::Op;

/// Which part of the setup failed, and why.
#[derive(Debug)]
pub(crate) struct SetupError {
    pub(crate) what: String,
    pub(crate) source: io::Error,
}

pub(crate) fn failed<E: Into<io::Error>>(what: impl Into<String>) -> impl FnOnce(E) -> SetupError {
    let what = what.into();
    move |source| SetupError {
        what,
        source: source.into(),
    }
}

type Setup<T> = Result<T, SetupError>;

/// Device nodes that every sandbox has.
const DEVICES: &[&str] = &["null", "zero", "full", "random", "urandom", "tty"];

/// Files in `/proc` that act on the whole machine, each covered with an empty file.
const MASKED: &[&str] = &["sysrq-trigger", "kcore", "kmsg", "keys", "timer_list"];

/// Folders in `/proc` that may be read but not written.
const PROC_READ_ONLY: &[&str] = &["sys", "bus", "fs", "irq"];

const NO_DEVICES: MsFlags = MsFlags::MS_NODEV.union(MsFlags::MS_NOSUID);

/// Makes the current mount namespace's root the one described by `ops`.
///
/// The caller has just made a mount namespace. Afterwards no path of the old root is left.
pub(crate) fn new_root(ops: &[&Op]) -> Setup<()> {
    // Folders that are made on the way to a mount must be open to everybody inside, whatever
    // the person who started this keeps to themselves.
    nix::sys::stat::umask(Mode::from_bits_truncate(0o022));
    mount(
        None::<&str>,
        "/",
        None::<&str>,
        MsFlags::MS_REC | MsFlags::MS_SLAVE,
        None::<&str>,
    )
    .map_err(failed("stop mounts from reaching the machine"))?;

    // A scratch root holds the old root and the new one side by side while mounts are made.
    mount(
        Some("tmpfs"),
        "/tmp",
        Some("tmpfs"),
        NO_DEVICES,
        Some("mode=755"),
    )
    .map_err(failed("mount the scratch root"))?;
    for name in ["/tmp/old", "/tmp/new", "/tmp/files"] {
        fs::create_dir(name).map_err(failed("fill the scratch root"))?;
    }
    pivot_root("/tmp", "/tmp/old").map_err(failed("enter the scratch root"))?;
    chdir("/").map_err(failed("enter the scratch root"))?;

    let mut root = NewRoot { files: 0 };
    if ops.first().is_none_or(|op| op.to() != Path::new("/")) {
        mount(
            Some("tmpfs"),
            "/new",
            Some("tmpfs"),
            NO_DEVICES,
            Some("mode=755"),
        )
        .map_err(failed("mount an empty root"))?;
    }
    for op in ops {
        root.apply(op)?;
    }

    chdir("/new").map_err(failed("enter the new root"))?;
    // The old root is stacked below the new one at the same place, then dropped: needs no
    // folder in the new root, which may be read-only. See pivot_root(2), "pivot_root(".", ".")".
    pivot_root(".", ".").map_err(failed("enter the new root"))?;
    umount2(".", MntFlags::MNT_DETACH).map_err(failed("leave the old root"))?;
    chdir("/").map_err(failed("enter the new root"))
}

struct NewRoot {
    files: u32,
}

impl NewRoot {
    fn apply(&mut self, op: &Op) -> Setup<()> {
        match op {
            Op::Bind {
                from,
                to,
                read_only,
            } => self.bind(from, to, *read_only),
            Op::Tmpfs { to, mode } => self.tmpfs(to, *mode, NO_DEVICES),
            Op::Overlay { lower, upper, to } => self.overlay(lower, upper.as_ref(), to),
            Op::Proc => self.proc(),
            Op::Dev => self.dev(),
            Op::Sys => {
                let to = Path::new("/sys");
                self.tmpfs(to, 0o555, NO_DEVICES | MsFlags::MS_RDONLY)
            }
            Op::File { to, text, mode } => self.file(to, text, *mode),
            Op::Symlink { target, to } => {
                let place = in_new(to);
                fs::create_dir_all(place.parent().unwrap_or(&place))
                    .and_then(|()| std::os::unix::fs::symlink(target, &place))
                    .map_err(failed(format!("link {}", to.display())))
            }
        }
    }

    fn bind(&self, from: &Path, to: &Path, read_only: bool) -> Setup<()> {
        let what = format!("bind {} at {}", from.display(), to.display());
        let source = in_old(from);
        let is_dir = fs::metadata(&source)
            .map_err(failed(what.clone()))?
            .is_dir();
        self.bind_path(&source, to, is_dir, read_only, &what)
    }

    fn bind_path(
        &self,
        source: &Path,
        to: &Path,
        is_dir: bool,
        read_only: bool,
        what: &str,
    ) -> Setup<()> {
        let (_fd, target) = place(to, is_dir)?;
        mount(
            Some(source),
            &target,
            None::<&str>,
            MsFlags::MS_BIND,
            None::<&str>,
        )
        .map_err(failed(what.to_owned()))?;
        if !read_only {
            return Ok(());
        }
        // A bind takes the flags of its source; read-only needs a second call, on the new mount.
        let (_fd, target) = place(to, is_dir)?;
        remount_read_only(&target).map_err(failed(what.to_owned()))
    }

    fn tmpfs(&self, to: &Path, mode: u32, flags: MsFlags) -> Setup<()> {
        let (_fd, target) = place(to, true)?;
        let options = format!("mode={mode:o}");
        mount(
            Some("tmpfs"),
            &target,
            Some("tmpfs"),
            flags,
            Some(options.as_str()),
        )
        .map_err(failed(format!("mount a tmpfs at {}", to.display())))
    }

    fn overlay(
        &self,
        lower: &[PathBuf],
        upper: Option<&(PathBuf, PathBuf)>,
        to: &Path,
    ) -> Setup<()> {
        let what = || format!("mount an overlay at {}", to.display());
        let (_fd, target) = place(to, true)?;
        let lower: Vec<PathBuf> = lower.iter().map(|path| in_old(path)).collect();
        let upper = upper.map(|(upper, work)| (in_old(upper), in_old(work)));
        let options = crate::mount::overlay_options(
            &lower,
            upper
                .as_ref()
                .map(|(upper, work)| (upper.as_path(), work.as_path())),
        )
        .map_err(failed(what()))?;
        mount(
            Some("overlay"),
            &target,
            Some("overlay"),
            MsFlags::MS_NODEV,
            Some(options.as_str()),
        )
        .map_err(failed(what()))
    }

    fn proc(&mut self) -> Setup<()> {
        let (_fd, target) = place(Path::new("/proc"), true)?;
        mount(
            Some("proc"),
            &target,
            Some("proc"),
            NO_DEVICES | MsFlags::MS_NOEXEC,
            None::<&str>,
        )
        .map_err(failed("mount /proc"))?;
        let empty = self.scratch("", 0o444)?;
        for name in MASKED {
            let to = Path::new("/proc").join(name);
            if in_new(&to).exists() {
                self.bind_path(&empty, &to, false, true, &format!("cover {}", to.display()))?;
            }
        }
        for name in PROC_READ_ONLY {
            let to = Path::new("/proc").join(name);
            let inside = in_new(&to);
            if inside.exists() {
                self.bind_path(
                    &inside,
                    &to,
                    true,
                    true,
                    &format!("protect {}", to.display()),
                )?;
            }
        }
        Ok(())
    }

    fn dev(&self) -> Setup<()> {
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC;
        let (_fd, target) = place(Path::new("/dev"), true)?;
        mount(
            Some("tmpfs"),
            &target,
            Some("tmpfs"),
            flags,
            Some("mode=755"),
        )
        .map_err(failed("mount /dev"))?;
        for name in DEVICES {
            self.bind(
                &Path::new("/dev").join(name),
                &Path::new("/dev").join(name),
                false,
            )?;
        }
        let (_fd, pts) = place(Path::new("/dev/pts"), true)?;
        mount(
            Some("devpts"),
            &pts,
            Some("devpts"),
            flags,
            Some("newinstance,ptmxmode=0666,mode=620"),
        )
        .map_err(failed("mount /dev/pts"))?;
        self.tmpfs(Path::new("/dev/shm"), 0o1777, NO_DEVICES)?;
        for (name, target) in [
            ("ptmx", "pts/ptmx"),
            ("fd", "/proc/self/fd"),
            ("stdin", "/proc/self/fd/0"),
            ("stdout", "/proc/self/fd/1"),
            ("stderr", "/proc/self/fd/2"),
        ] {
            std::os::unix::fs::symlink(target, in_new(&Path::new("/dev").join(name)))
                .map_err(failed("fill /dev"))?;
        }
        Ok(())
    }

    fn file(&mut self, to: &Path, text: &str, mode: u32) -> Setup<()> {
        let source = self.scratch(text, mode)?;
        self.bind_path(&source, to, false, true, &format!("write {}", to.display()))
    }

    /// A file that lives as long as the sandbox, outside the tree.
    fn scratch(&mut self, text: &str, mode: u32) -> Setup<PathBuf> {
        use std::os::unix::fs::PermissionsExt;

        let path = PathBuf::from(format!("/files/{}", self.files));
        self.files += 1;
        fs::write(&path, text)
            .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(mode)))
            .map_err(failed("write a scratch file"))?;
        Ok(path)
    }
}

/// Keeps the flags that the mount has: inside a user namespace they are locked, and a remount
/// that would clear one is refused.
fn remount_read_only(target: &Path) -> io::Result<()> {
    let have = nix::sys::statvfs::statvfs(target)?.flags();
    let mut flags = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
    for (seen, keep) in [
        (nix::sys::statvfs::FsFlags::ST_NOSUID, MsFlags::MS_NOSUID),
        (nix::sys::statvfs::FsFlags::ST_NODEV, MsFlags::MS_NODEV),
        (nix::sys::statvfs::FsFlags::ST_NOEXEC, MsFlags::MS_NOEXEC),
        (nix::sys::statvfs::FsFlags::ST_NOATIME, MsFlags::MS_NOATIME),
        (
            nix::sys::statvfs::FsFlags::ST_NODIRATIME,
            MsFlags::MS_NODIRATIME,
        ),
        (
            nix::sys::statvfs::FsFlags::ST_RELATIME,
            MsFlags::MS_RELATIME,
        ),
    ] {
        if have.contains(seen) {
            flags |= keep;
        }
    }
    mount(None::<&str>, target, None::<&str>, flags, None::<&str>)?;
    Ok(())
}

fn in_old(path: &Path) -> PathBuf {
    Path::new("/old").join(path.strip_prefix("/").unwrap_or(path))
}

fn in_new(path: &Path) -> PathBuf {
    Path::new("/new").join(path.strip_prefix("/").unwrap_or(path))
}

/// Opens the mount point `to` below `/new`, making it if it is missing. The path that is
/// returned names the opened place itself, whatever links the tree holds, as long as the
/// descriptor lives.
fn place(to: &Path, is_dir: bool) -> Setup<(OwnedFd, PathBuf)> {
    let what = || format!("open {}", to.display());
    let relative = to.strip_prefix("/").unwrap_or(to);
    let root = fs::File::open("/new").map_err(failed(what()))?;
    let how = OpenHow::new()
        .flags(OFlag::O_PATH | OFlag::O_CLOEXEC)
        .resolve(ResolveFlag::RESOLVE_IN_ROOT);
    let wanted = if relative.as_os_str().is_empty() {
        Path::new(".")
    } else {
        relative
    };
    let fd = match openat2(&root, wanted, how) {
        Ok(fd) => fd,
        Err(nix::Error::ENOENT) => {
            let parent = relative.parent().unwrap_or(Path::new(""));
            let name = relative.file_name().ok_or_else(|| SetupError {
                what: what(),
                source: io::ErrorKind::InvalidInput.into(),
            })?;
            let (parent, _) = place(&Path::new("/").join(parent), true)?;
            if is_dir {
                nix::sys::stat::mkdirat(&parent, name, Mode::from_bits_truncate(0o755))
                    .map_err(failed(what()))?;
            } else {
                let flags = OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_WRONLY | OFlag::O_CLOEXEC;
                nix::fcntl::openat(&parent, name, flags, Mode::from_bits_truncate(0o644))
                    .map_err(failed(what()))?;
            }
            openat2(&root, wanted, how).map_err(failed(what()))?
        }
        Err(other) => return Err(failed(what())(other)),
    };
    // "/old/proc" is the caller's /proc, which is this process's own.
    let path = PathBuf::from(format!("/old/proc/self/fd/{}", fd.as_raw_fd()));
    Ok((fd, path))
}
