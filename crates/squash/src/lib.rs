//! A SquashFS 4.0 writer that reuses compressed blocks.
//!
//! Blocks of a SquashFS image are compressed independently of each other. So
//! the compressed form of each block is kept in a [`Store`] under a hash of its
//! content, and a later image takes it from there, whatever else is different
//! about that image. Same tree and [`Options`], same bytes: with a full store or
//! none, with one thread or many.
//!
//! Format: `Documentation/filesystems/squashfs.rst` and
//! `fs/squashfs/squashfs_fs.h` of the Linux kernel.

mod codec;
mod directory;
mod error;
mod exclude;
mod inode;
mod metadata;
mod output;
mod pack;
mod pipeline;
mod reader;
mod store;
mod superblock;
mod tables;
mod tree;
mod warm;
mod xattr;

use std::fs::File;
use std::path::{Path, PathBuf};

pub use codec::{Compression, supported};
pub use error::SquashError;
pub use store::Store;
pub use warm::{Ahead, warm};

use codec::Codec;
use exclude::Patterns;
use output::Output;
use pipeline::{Pipeline, Watch};
use store::Session;
use superblock::Superblock;
use tree::{Kind, Tree};

/// Images end on a multiple of this, for loop devices.
const PADDING: u64 = 4096;

/// How an image is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How blocks are compressed.
    pub compression: Compression,
    /// Bytes in a block: a power of two from 4 KiB to 1 MiB; usually 128 KiB.
    pub block_size: u32,
    /// The image's own date, in seconds since 1970.
    pub mkfs_time: u32,
    /// What stays out, with all below it: paths relative to the root, in which
    /// `*` stands for any run of characters within one part and `?` for one.
    /// Unlike in a shell, `*` fits names with a leading dot too.
    pub exclude: Vec<String>,
    /// How many threads compress; at least one.
    pub threads: usize,
}

impl Options {
    /// 128 KiB blocks, nothing left out, a thread for each processor.
    #[must_use]
    pub fn new(compression: Compression, mkfs_time: u32) -> Self {
        Self {
            compression,
            block_size: 128 << 10,
            mkfs_time,
            exclude: Vec::new(),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }

    fn check(&self) -> Result<(), SquashError> {
        let wrong = |message: String| Err(SquashError::Setting(message));
        let size = self.block_size;
        if !size.is_power_of_two() || !(4096..=1 << 20).contains(&size) {
            return wrong(format!(
                "a block size of {size} is not a power of two from 4096 to 1048576"
            ));
        }
        if self.threads == 0 {
            return wrong("at least one thread must compress".to_owned());
        }
        match self.compression {
            Compression::Zstd(level) if !(1..=22).contains(&level) => {
                wrong(format!("zstd has no level {level}, but 1 to 22"))
            }
            Compression::Gzip(level) if !(1..=9).contains(&level) => {
                wrong(format!("gzip has no level {level}, but 1 to 9"))
            }
            Compression::Lz4 | Compression::Lzo => Err(SquashError::Unsupported(self.compression)),
            Compression::Zstd(_) | Compression::Gzip(_) | Compression::Xz { .. } => Ok(()),
        }
    }
}

/// How far the data is; bytes are those of the files, before compression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Read and written.
    pub bytes_done: u64,
    /// Of all files.
    pub bytes_total: u64,
    /// Of those done, taken from the store.
    pub reused: u64,
}

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Length of the image.
    pub bytes: u64,
    /// Inodes in it.
    pub inodes: u32,
    /// Bytes in all files, hard links once.
    pub file_bytes: u64,
    /// Of these, in blocks that came from the store.
    pub reused_bytes: u64,
    /// Of these, in blocks that were compressed.
    pub compressed_bytes: u64,
    /// Of these, in files that have the same content as another one.
    pub duplicate_bytes: u64,
    /// Of these, in blocks of zeros.
    pub sparse_bytes: u64,
    /// Blocks that came from the store.
    pub reused_blocks: u64,
    /// Blocks that were compressed.
    pub compressed_blocks: u64,
    /// Where other filesystems are mounted in the tree, relative to its root.
    /// Directories are in the image, empty; files are not.
    pub mount_points: Vec<PathBuf>,
    /// Extended attributes that the format cannot hold (POSIX access lists and
    /// whatever else is not under `user.`, `trusted.` or `security.`).
    pub lost_xattrs: u64,
    /// Why new blocks could not be kept in the store; the image is sound.
    pub store_trouble: Option<String>,
}

/// Writes the tree at `root` into `out`, which is emptied first. After an error
/// `out` holds part of an image.
///
/// Symbolic links are never followed and other mounts never entered. `progress`
/// and `cancelled` are called on this thread, about once per block. Blocks that
/// were compressed before an error or a cancel are kept in the store.
///
/// Needs `/proc` for extended attributes and `openat2` (Linux 5.6).
///
/// # Errors
/// Files that cannot be read or change meanwhile, a full disk, settings outside
/// their range, more than the format can hold, or [`SquashError::Cancelled`].
pub fn write(
    root: &Path,
    out: &mut File,
    options: &Options,
    store: Option<&Store>,
    progress: &dyn Fn(Progress),
    cancelled: &dyn Fn() -> bool,
) -> Result<Summary, SquashError> {
    options.check()?;
    let root = tree::open(root)?;
    let tree = tree::scan(&root, &Patterns::new(&options.exclude), cancelled)?;
    let session = match store {
        Some(store) => Some(Session::new(
            store,
            codec::domain(options.compression, options.block_size)?,
        )),
        None => None,
    };
    let file_bytes = tree.inodes.iter().map(|inode| size(&inode.kind)).sum();
    let mut summary = Summary {
        inodes: u32::try_from(tree.inodes.len())
            .ok()
            .filter(|&count| count < u32::MAX - 1)
            .ok_or_else(|| SquashError::Limit("it has more than 2^32 inodes".to_owned()))?,
        file_bytes,
        mount_points: tree.mount_points.clone(),
        lost_xattrs: tree.xattrs.lost,
        ..Summary::default()
    };
    let pipeline = Pipeline {
        root: &root,
        tree: &tree,
        options,
        session: session.as_ref(),
        total: file_bytes,
        watch: Watch {
            progress,
            cancelled,
        },
    };
    let written = image(&pipeline, &tree, options, out, &mut summary);
    // Also after an error: what was compressed need not be compressed again.
    summary.store_trouble = session.and_then(Session::finish);
    written.map(|()| summary)
}

fn image(
    pipeline: &Pipeline<'_>,
    tree: &Tree,
    options: &Options,
    out: &mut File,
    summary: &mut Summary,
) -> Result<(), SquashError> {
    let mut out = Output::new(out)?;
    out.append(&[0; superblock::LENGTH])?;
    let stored_options = options.compression.stored_options(options.block_size);
    if let Some(bytes) = &stored_options {
        out.append(&metadata::raw_header(bytes.len()))?;
        out.append(bytes)?;
    }
    let data = pipeline.run(&mut out, summary)?;
    let mut codec = Codec::new(options.compression, options.block_size)?;
    let places = tables::write(tree, &data, &mut codec, &mut out)?;
    let bytes_used = out.position();
    summary.bytes = bytes_used.next_multiple_of(PADDING);
    out.append(&vec![0; (summary.bytes - bytes_used) as usize])?;
    let superblock = Superblock {
        compression: options.compression,
        has_options: stored_options.is_some(),
        block_size: options.block_size,
        mkfs_time: options.mkfs_time,
        inodes: summary.inodes,
        fragments: data.fragments.len() as u32,
        ids: places.ids,
        root_inode: places.root_inode,
        bytes_used,
        id_table: places.id_table,
        xattr_table: places.xattr_table,
        inode_table: places.inode_table,
        directory_table: places.directory_table,
        fragment_table: places.fragment_table,
        export_table: places.export_table,
    };
    out.finish(&superblock.bytes())
}

fn size(kind: &Kind) -> u64 {
    match kind {
        Kind::File(file) => file.size,
        Kind::Directory(_)
        | Kind::Symlink(_)
        | Kind::BlockDevice(_)
        | Kind::CharDevice(_)
        | Kind::Fifo
        | Kind::Socket => 0,
    }
}
