//! Building a root folder out of [`Op`]s, in the current (private) mount namespace.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use nix::{
    mount::{MntFlags, MsFlags, mount, umount2},
    sys::stat::Mode,
    unistd::{chdir, pivot_root},
};

use super::{Op, device, place, proc};

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

pub(crate) type Setup<T> = Result<T, SetupError>;

pub(super) const NO_DEVICES: MsFlags = MsFlags::MS_NODEV.union(MsFlags::MS_NOSUID);

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
            Op::Tmpfs { to, mode } => place::NEW.tmpfs(to, *mode, NO_DEVICES),
            Op::Overlay { lower, upper, to } => self.overlay(lower, upper.as_ref(), to),
            Op::Proc => self.proc(),
            Op::Dev => device::mount_new(&place::NEW),
            Op::Sys => place::NEW.tmpfs(
                Path::new("/sys"),
                0o555,
                NO_DEVICES | MsFlags::MS_NOEXEC | MsFlags::MS_RDONLY,
            ),
            Op::File { to, text, mode } => self.file(to, text, *mode),
            Op::Symlink { target, to } => place::NEW.symlink(target, to),
        }
    }

    fn bind(&self, from: &Path, to: &Path, read_only: bool) -> Setup<()> {
        let what = format!("bind {} at {}", from.display(), to.display());
        let mut flags = if to == Path::new("/") {
            // Programs of the tree itself may be set-id, but not its files devices.
            MsFlags::MS_NODEV
        } else {
            NO_DEVICES
        };
        if read_only {
            flags |= MsFlags::MS_RDONLY;
        }
        place::NEW.bind(&in_old(from), to, flags, &what)
    }

    fn overlay(
        &self,
        lower: &[PathBuf],
        upper: Option<&(PathBuf, PathBuf)>,
        to: &Path,
    ) -> Setup<()> {
        let what = || format!("mount an overlay at {}", to.display());
        let flags = if to == Path::new("/") {
            MsFlags::MS_NODEV
        } else {
            NO_DEVICES
        };
        let lower: Vec<PathBuf> = lower.iter().map(|path| in_old(path)).collect();
        let upper = upper.map(|(upper, work)| (in_old(upper), in_old(work)));
        let options = crate::mount::overlay_options(
            &lower,
            upper
                .as_ref()
                .map(|(upper, work)| (upper.as_path(), work.as_path())),
        )
        .map_err(failed(what()))?;
        place::NEW.mount("overlay", to, flags, Some(&options))
    }

    fn proc(&mut self) -> Setup<()> {
        let empty = self.scratch("", 0o444)?;
        proc::mount_new(&place::NEW, &empty)
    }

    fn file(&mut self, to: &Path, text: &str, mode: u32) -> Setup<()> {
        let source = self.scratch(text, mode)?;
        let what = format!("write {}", to.display());
        place::NEW.bind(&source, to, NO_DEVICES | MsFlags::MS_RDONLY, &what)
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

pub(super) fn in_old(path: &Path) -> PathBuf {
    Path::new("/old").join(path.strip_prefix("/").unwrap_or(path))
}
