//! The world a command runs in, as a value: a list of mounts and what else it may have.
//!
//! Entered in a process of its own, which first makes mount, PID, IPC, UTS,
//! cgroup and (unless [`Sandbox::online`]) network namespaces. Everything in it ends with its
//! first process, so there is nothing to clean up.

mod calls;
mod device;
pub(crate) mod enter;
pub(crate) mod limits;
mod place;
pub(crate) mod proc;
pub(crate) mod setup;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// One thing that is put into a sandbox. Paths named `to` are inside, `from` outside.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Op {
    /// A file or folder from outside.
    Bind {
        /// Outside.
        from: PathBuf,
        /// Inside.
        to: PathBuf,
        /// Whether writing is refused.
        read_only: bool,
    },
    /// An empty folder in memory.
    Tmpfs {
        /// Inside.
        to: PathBuf,
        /// Permission bits.
        mode: u32,
    },
    /// An overlay.
    Overlay {
        /// Topmost first.
        lower: Vec<PathBuf>,
        /// Where changes go; `None` makes it read-only.
        upper: Option<(PathBuf, PathBuf)>,
        /// Inside.
        to: PathBuf,
    },
    /// A fresh `/proc` of the sandbox's own processes, its dangerous files covered.
    Proc,
    /// A small `/dev`: null, zero, full, random, urandom, tty, pts, shm.
    Dev,
    /// An empty read-only `/sys`.
    Sys,
    /// A small file.
    File {
        /// Inside.
        to: PathBuf,
        /// Contents.
        text: String,
        /// Permission bits.
        mode: u32,
    },
    /// A symbolic link.
    Symlink {
        /// What it points to.
        target: PathBuf,
        /// Inside.
        to: PathBuf,
    },
}

impl Op {
    fn to(&self) -> &Path {
        match self {
            Self::Bind { to, .. }
            | Self::Tmpfs { to, .. }
            | Self::Overlay { to, .. }
            | Self::File { to, .. }
            | Self::Symlink { to, .. } => to,
            Self::Proc => Path::new("/proc"),
            Self::Dev => Path::new("/dev"),
            Self::Sys => Path::new("/sys"),
        }
    }
}

/// Where a command runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sandbox {
    /// A short name for messages.
    name: String,
    ops: Vec<Op>,
    network: bool,
    syncs: bool,
    folder: PathBuf,
}

impl Sandbox {
    /// `root` as `/`, with fresh `/proc`, `/dev`, `/sys`, `/run` and `/tmp`; no network; file
    /// syncs do nothing.
    pub fn tree(name: impl Into<String>, root: &Path) -> Self {
        Self::empty(name)
            .with(Op::Bind {
                from: root.to_owned(),
                to: "/".into(),
                read_only: false,
            })
            .with(Op::Proc)
            .with(Op::Dev)
            .with(Op::Sys)
            .with(Op::Tmpfs {
                to: "/run".into(),
                mode: 0o755,
            })
            .with(Op::Tmpfs {
                to: "/tmp".into(),
                mode: 0o1777,
            })
    }

    /// Like [`Sandbox::tree`], but `root` cannot be changed.
    pub fn read_only_tree(name: impl Into<String>, root: &Path) -> Self {
        let mut sandbox = Self::tree(name, root);
        if let Some(Op::Bind { read_only, .. }) = sandbox.ops.first_mut() {
            *read_only = true;
        }
        sandbox
    }

    /// Nothing at all.
    pub fn empty(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ops: Vec::new(),
            network: false,
            syncs: false,
            folder: "/".into(),
        }
    }

    /// Adds one thing. Order does not matter: outer paths are made before inner ones.
    #[must_use]
    pub fn with(mut self, op: Op) -> Self {
        self.ops.push(op);
        self
    }

    /// Adds a folder or file from outside that can be changed.
    #[must_use]
    pub fn bind(self, from: &Path, to: impl Into<PathBuf>) -> Self {
        self.with(Op::Bind {
            from: from.to_owned(),
            to: to.into(),
            read_only: false,
        })
    }

    /// Adds a folder or file from outside that cannot be changed.
    #[must_use]
    pub fn bind_ro(self, from: &Path, to: impl Into<PathBuf>) -> Self {
        self.with(Op::Bind {
            from: from.to_owned(),
            to: to.into(),
            read_only: true,
        })
    }

    /// Adds a small file.
    #[must_use]
    pub fn file(self, to: impl Into<PathBuf>, text: impl Into<String>, mode: u32) -> Self {
        self.with(Op::File {
            to: to.into(),
            text: text.into(),
            mode,
        })
    }

    /// Lets it use the machine's network.
    #[must_use]
    pub fn online(mut self) -> Self {
        self.network = true;
        self
    }

    /// Lets `fsync` and its kin reach the disk.
    #[must_use]
    pub fn syncing(mut self) -> Self {
        self.syncs = true;
        self
    }

    /// The working folder.
    #[must_use]
    pub fn in_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = folder.into();
        self
    }

    /// What it holds, in the order in which it is made: outer paths first, and among equals
    /// as added.
    pub fn ordered(&self) -> Vec<&Op> {
        let mut ops: Vec<&Op> = self.ops.iter().collect();
        ops.sort_by_key(|op| op.to().components().count());
        ops
    }

    /// Where a path inside is outside, as far as a bind says so.
    pub fn outside(&self, inside: &Path) -> Option<PathBuf> {
        let binds = self.ops.iter().filter_map(|op| match op {
            Op::Bind { from, to, .. } => Some((from, inside.strip_prefix(to).ok()?)),
            Op::Tmpfs { .. }
            | Op::Overlay { .. }
            | Op::Proc
            | Op::Dev
            | Op::Sys
            | Op::File { .. }
            | Op::Symlink { .. } => None,
        });
        // The innermost bind is the one that shows.
        let (from, rest) = binds.min_by_key(|(_, rest)| rest.components().count())?;
        Some(from.join(rest))
    }

    /// A few words for a log: `in tools, online`.
    pub fn summary(&self) -> String {
        let network = if self.network { ", online" } else { "" };
        format!("in {}{network}", self.name)
    }
}
