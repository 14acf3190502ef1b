//! The tree to be packed, as found.

use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Statx, StatxAttributes, StatxFlags};

use crate::SquashError;
use crate::error::path_of;
use crate::exclude::Patterns;
use crate::xattr::{Sets, XattrReader, trouble};

/// What the tree holds, in the order of the names' bytes, a directory before
/// what is in it. The number of an inode is its index plus one.
#[derive(Debug)]
pub(crate) struct Tree {
    pub inodes: Vec<Inode>,
    pub xattrs: Sets,
    /// Where other filesystems are mounted; their content stays out.
    pub mount_points: Vec<PathBuf>,
}

#[derive(Debug)]
pub(crate) struct Inode {
    pub kind: Kind,
    /// Permissions with set-id and sticky bits.
    pub mode: u16,
    pub uid: u32,
    pub gid: u32,
    /// Seconds since 1970.
    pub mtime: u32,
    /// Names in the tree; of directories, as the format counts them.
    pub links: u32,
    pub xattrs: Option<u32>,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Directory(Directory),
    File(File),
    Symlink(Vec<u8>),
    /// The kernel's encoding of major and minor number.
    BlockDevice(u32),
    CharDevice(u32),
    Fifo,
    Socket,
}

#[derive(Debug)]
pub(crate) struct Directory {
    /// Index of the directory that this one is in; the root's is its own.
    pub parent: usize,
    pub names: Vec<Name>,
}

#[derive(Debug)]
pub(crate) struct Name {
    pub name: Vec<u8>,
    pub inode: usize,
}

#[derive(Debug)]
pub(crate) struct File {
    /// The first name, relative to the root.
    pub path: Vec<u8>,
    pub size: u64,
    /// On the filesystem it comes from.
    pub ino: u64,
}

/// A directory that is being listed.
struct Frame {
    descriptor: OwnedFd,
    inode: usize,
    path: Vec<u8>,
    /// Still to be visited, the next one last.
    names: Vec<CString>,
}

struct Scan<'a> {
    patterns: &'a Patterns,
    inodes: Vec<Inode>,
    /// Inodes with more than one name, by device and number.
    linked: HashMap<(u32, u32, u64), usize>,
    sets: Sets,
    reader: XattrReader,
    mount_points: Vec<PathBuf>,
}

/// Opens the root of a tree.
pub(crate) fn open(root: &Path) -> Result<OwnedFd, SquashError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(root, flags, Mode::empty()).map_err(trouble(root.to_owned()))
}

/// Lists all that is below `root` but what `patterns` name.
pub(crate) fn scan(
    root: &OwnedFd,
    patterns: &Patterns,
    cancelled: &dyn Fn() -> bool,
) -> Result<Tree, SquashError> {
    let mut scan = Scan {
        patterns,
        inodes: Vec::new(),
        linked: HashMap::new(),
        sets: Sets::default(),
        reader: XattrReader::new(),
        mount_points: Vec::new(),
    };
    let found = stat(root, c".").map_err(trouble(path_of(b"")))?;
    let kind = Kind::Directory(Directory {
        parent: 0,
        names: Vec::new(),
    });
    scan.add(root, c".", b"", &found, kind)?;
    let mut stack = vec![scan.enter(root, c".", 0, Vec::new())?];
    while let Some(frame) = stack.last_mut() {
        if cancelled() {
            return Err(SquashError::Cancelled);
        }
        let Some(name) = frame.names.pop() else {
            stack.pop();
            continue;
        };
        if let Some(below) = scan.visit(frame, &name)? {
            stack.push(below);
        }
    }
    Ok(Tree {
        inodes: scan.inodes,
        xattrs: scan.sets,
        mount_points: scan.mount_points,
    })
}

impl Scan<'_> {
    /// Adds `name` of `frame`; a directory is to be listed next.
    fn visit(&mut self, frame: &Frame, name: &CStr) -> Result<Option<Frame>, SquashError> {
        let path = join(&frame.path, name.to_bytes());
        if self.patterns.matches(&path) {
            return Ok(None);
        }
        let fail = trouble(path_of(&path));
        let found = stat(&frame.descriptor, name).map_err(&fail)?;
        let kind = FileType::from_raw_mode(found.stx_mode.into());
        let mounted = found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT);
        if mounted {
            self.mount_points.push(path_of(&path));
            if kind != FileType::Directory {
                return Ok(None);
            }
        }
        if kind == FileType::Directory {
            let kind = Kind::Directory(Directory {
                parent: frame.inode,
                names: Vec::new(),
            });
            let inode = self.add(&frame.descriptor, name, &path, &found, kind)?;
            self.list(frame.inode, name, inode);
            self.inodes[frame.inode].links += 1;
            if mounted {
                return Ok(None);
            }
            return self.enter(&frame.descriptor, name, inode, path).map(Some);
        }
        let identity = (found.stx_dev_major, found.stx_dev_minor, found.stx_ino);
        let known = self.linked.get(&identity).copied();
        if let Some(inode) = known {
            self.inodes[inode].links += 1;
            self.list(frame.inode, name, inode);
            return Ok(None);
        }
        let kind = other_kind(frame, name, &path, &found)?;
        let inode = self.add(&frame.descriptor, name, &path, &found, kind)?;
        if found.stx_nlink > 1 {
            self.linked.insert(identity, inode);
        }
        self.list(frame.inode, name, inode);
        Ok(None)
    }

    fn list(&mut self, directory: usize, name: &CStr, inode: usize) {
        if let Kind::Directory(directory) = &mut self.inodes[directory].kind {
            directory.names.push(Name {
                name: name.to_bytes().to_vec(),
                inode,
            });
        }
    }

    fn add(
        &mut self,
        directory: &OwnedFd,
        name: &CStr,
        path: &[u8],
        found: &Statx,
        kind: Kind,
    ) -> Result<usize, SquashError> {
        let xattrs = self
            .reader
            .read(directory.as_fd(), name, &mut self.sets)
            .map_err(trouble(path_of(path)))?;
        let links = match kind {
            Kind::Directory(_) => 2,
            Kind::File(_)
            | Kind::Symlink(_)
            | Kind::BlockDevice(_)
            | Kind::CharDevice(_)
            | Kind::Fifo
            | Kind::Socket => 1,
        };
        // The format has 32 bits without a sign.
        let mtime = found.stx_mtime.tv_sec.clamp(0, u32::MAX.into()) as u32;
        self.inodes.push(Inode {
            kind,
            mode: found.stx_mode & 0o7777,
            uid: found.stx_uid,
            gid: found.stx_gid,
            mtime,
            links,
            xattrs,
        });
        Ok(self.inodes.len() - 1)
    }

    /// Opens a directory and reads its names.
    fn enter(
        &self,
        above: &OwnedFd,
        name: &CStr,
        inode: usize,
        path: Vec<u8>,
    ) -> Result<Frame, SquashError> {
        let fail = trouble(path_of(&path));
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let descriptor = rustix::fs::openat(above, name, flags, Mode::empty()).map_err(&fail)?;
        let mut names = Vec::new();
        for entry in Dir::read_from(&descriptor).map_err(&fail)? {
            let entry = entry.map_err(&fail)?;
            if ![c".", c".."].contains(&entry.file_name()) {
                names.push(entry.file_name().to_owned());
            }
        }
        names.sort_unstable_by(|a, b| b.as_bytes().cmp(a.as_bytes()));
        Ok(Frame {
            descriptor,
            inode,
            path,
            names,
        })
    }
}

fn stat(directory: &OwnedFd, name: &CStr) -> Result<Statx, rustix::io::Errno> {
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
    rustix::fs::statx(directory, name, flags, StatxFlags::BASIC_STATS)
}

fn other_kind(frame: &Frame, name: &CStr, path: &[u8], found: &Statx) -> Result<Kind, SquashError> {
    match FileType::from_raw_mode(found.stx_mode.into()) {
        FileType::RegularFile => Ok(Kind::File(File {
            path: path.to_vec(),
            size: found.stx_size,
            ino: found.stx_ino,
        })),
        FileType::Symlink => {
            let target = rustix::fs::readlinkat(&frame.descriptor, name, Vec::new())
                .map_err(trouble(path_of(path)))?;
            Ok(Kind::Symlink(target.into_bytes()))
        }
        FileType::BlockDevice => Ok(Kind::BlockDevice(device(path, found)?)),
        FileType::CharacterDevice => Ok(Kind::CharDevice(device(path, found)?)),
        FileType::Fifo => Ok(Kind::Fifo),
        FileType::Socket => Ok(Kind::Socket),
        // Directories are dealt with by the caller.
        FileType::Directory | FileType::Unknown => Err(SquashError::Changed {
            path: path_of(path),
        }),
    }
}

/// As the kernel's `new_encode_dev`: 12 bits of major, 20 of minor number.
fn device(path: &[u8], found: &Statx) -> Result<u32, SquashError> {
    let (major, minor) = (found.stx_rdev_major, found.stx_rdev_minor);
    if major >= 1 << 12 || minor >= 1 << 20 {
        let name = path_of(path);
        return Err(SquashError::Limit(format!(
            "the device {} has number {major}:{minor}, and the format ends at 4095:1048575",
            name.display()
        )));
    }
    Ok(minor & 0xff | major << 8 | (minor & !0xff) << 12)
}

fn join(directory: &[u8], name: &[u8]) -> Vec<u8> {
    if directory.is_empty() {
        return name.to_vec();
    }
    [directory, b"/", name].concat()
}
