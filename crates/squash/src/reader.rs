//! Reads the files in order, finds duplicates and holes, packs small files.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileExt, MetadataExt};

use rustix::fs::{Mode, OFlags, ResolveFlags};

use crate::SquashError;
use crate::error::path_of;
use crate::pack::{Packed, Packer};
use crate::tree::{File, Kind, Tree};

/// Files up to this size are kept in memory between hashing and packing.
const HELD: u64 = 1 << 20;

/// Takes what was read; an error of its own ends the reading.
pub(crate) trait Sink {
    /// The next block of the file with this inode.
    fn block(&mut self, inode: usize, bytes: Vec<u8>) -> Result<(), SquashError>;
    /// A block of nothing but zeros.
    fn hole(&mut self, inode: usize, length: u64) -> Result<(), SquashError>;
    /// A block of small files.
    fn fragment(&mut self, packed: Packed) -> Result<(), SquashError>;
    /// A file that has the same content as an earlier one.
    fn duplicate(&mut self, inode: usize, of: usize, length: u64) -> Result<(), SquashError>;
    /// An empty buffer for a block.
    fn buffer(&mut self) -> Vec<u8>;
    /// Whether nobody wants more.
    fn stopped(&self) -> bool;
}

/// Reads all files of the tree below `root` into `sink`.
pub(crate) fn read_all(
    root: &OwnedFd,
    tree: &Tree,
    block_size: u32,
    sink: &mut dyn Sink,
) -> Result<(), SquashError> {
    let mut sizes: HashMap<u64, u32> = HashMap::new();
    for file in tree.inodes.iter().filter_map(|inode| as_file(&inode.kind)) {
        *sizes.entry(file.size).or_default() += 1;
    }
    let mut reader = Reader {
        root,
        block_size: u64::from(block_size),
        sizes,
        known: HashMap::new(),
        packer: Packer::new(block_size as usize),
        content: Vec::new(),
        sink,
    };
    for (inode, file) in tree.inodes.iter().enumerate() {
        if let Some(file) = as_file(&file.kind) {
            reader.file(inode, file)?;
        }
    }
    let Reader { packer, sink, .. } = reader;
    packer
        .finish()
        .map_or(Ok(()), |packed| sink.fragment(packed))
}

fn as_file(kind: &Kind) -> Option<&File> {
    match kind {
        Kind::File(file) => Some(file),
        Kind::Directory(_)
        | Kind::Symlink(_)
        | Kind::BlockDevice(_)
        | Kind::CharDevice(_)
        | Kind::Fifo
        | Kind::Socket => None,
    }
}

/// Whether a file shares its block with others. Bigger files have blocks of
/// their own up to their last byte, as mksquashfs makes them, so that a change
/// in one leaves all others alone.
pub(crate) fn is_small(size: u64, block_size: u64) -> bool {
    size < block_size
}

struct Reader<'a> {
    root: &'a OwnedFd,
    block_size: u64,
    /// How many files have a size.
    sizes: HashMap<u64, u32>,
    /// Inodes by the content of files whose size is not theirs alone.
    known: HashMap<blake3::Hash, usize>,
    packer: Packer,
    /// A small file's bytes.
    content: Vec<u8>,
    sink: &'a mut dyn Sink,
}

impl Reader<'_> {
    fn file(&mut self, inode: usize, file: &File) -> Result<(), SquashError> {
        if file.size == 0 {
            return Ok(());
        }
        let source = self.open(file)?;
        let held = file.size <= HELD;
        if held {
            self.content.resize(file.size as usize, 0);
            read_at(&source, file, &mut self.content, 0)?;
        }
        // A size that no other file has needs no hash.
        if self.sizes.get(&file.size).is_some_and(|&count| count > 1) {
            let hash = match held {
                true => blake3::hash(&self.content),
                false => self.hash(&source, file)?,
            };
            if let Some(&earlier) = self.known.get(&hash) {
                return self.sink.duplicate(inode, earlier, file.size);
            }
            self.known.insert(hash, inode);
        }
        if is_small(file.size, self.block_size) {
            let closed = self.packer.add(inode, &file.path, &self.content);
            return closed.map_or(Ok(()), |packed| self.sink.fragment(packed));
        }
        let mut at = 0;
        while at < file.size {
            let length = (file.size - at).min(self.block_size);
            let mut block = self.sink.buffer();
            match held {
                true => block.extend(&self.content[at as usize..(at + length) as usize]),
                false => {
                    block.resize(length as usize, 0);
                    read_at(&source, file, &mut block, at)?;
                }
            }
            match is_zero(&block) {
                true => self.sink.hole(inode, length)?,
                false => self.sink.block(inode, block)?,
            }
            at += length;
        }
        Ok(())
    }

    fn hash(&mut self, source: &fs::File, file: &File) -> Result<blake3::Hash, SquashError> {
        let mut hasher = blake3::Hasher::new();
        let mut at = 0;
        while at < file.size {
            if self.sink.stopped() {
                return Err(SquashError::Cancelled);
            }
            let length = (file.size - at).min(HELD);
            self.content.resize(length as usize, 0);
            read_at(source, file, &mut self.content, at)?;
            hasher.update(&self.content);
            at += length;
        }
        Ok(hasher.finalize())
    }

    /// Opens a file without following a link or leaving the tree on the way.
    fn open(&self, file: &File) -> Result<fs::File, SquashError> {
        let fail = SquashError::read(&file.path);
        // Not to wait if a pipe has come in the file's place.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
        let path = file.path.as_slice();
        let opened = rustix::fs::openat2(self.root.as_fd(), path, flags, Mode::empty(), resolve)
            .map_err(|error| fail(error.into()))?;
        let opened = fs::File::from(opened);
        let found = opened.metadata().map_err(&fail)?;
        let same = found.is_file() && found.ino() == file.ino && found.len() == file.size;
        match same {
            true => Ok(opened),
            false => Err(changed(file)),
        }
    }
}

fn read_at(source: &fs::File, file: &File, bytes: &mut [u8], at: u64) -> Result<(), SquashError> {
    source.read_exact_at(bytes, at).map_err(|error| {
        match error.kind() == io::ErrorKind::UnexpectedEof {
            true => changed(file),
            false => SquashError::read(&file.path)(error),
        }
    })
}

fn changed(file: &File) -> SquashError {
    SquashError::Changed {
        path: path_of(&file.path),
    }
}

fn is_zero(bytes: &[u8]) -> bool {
    // Nearly every block is settled by its first bytes.
    bytes.first() == Some(&0) && bytes.iter().all(|&byte| byte == 0)
}
