//! SquashFS 4.0, read-only: superblock, structure check, files by path.
//!
//! Source: the kernel's `fs/squashfs/squashfs_fs.h` and
//! `Documentation/filesystems/squashfs.rst`.

mod cursor;
mod decompress;
mod inode;
mod lzo;
mod superblock;

pub use superblock::{Compressor, Superblock};

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use crate::bytes::{slice, u16_le, u32_le, u64_le};
use crate::error::{InspectError, Structure};
use crate::source::ReadAt;
use cursor::Cursor;
use inode::{Content, Inode};

/// Metadata blocks hold at most this much, uncompressed.
const METADATA_BLOCK: usize = 8192;
/// A data block is stored as it is when this bit of its size is set.
const RAW_DATA: u32 = 1 << 24;
const RAW_METADATA: u16 = 1 << 15;
/// As the kernel's own limit for path resolution.
const SYMLINK_LIMIT: usize = 40;
/// The most that metadata blocks kept for reuse may hold.
const CACHE_BLOCKS: usize = 4096;

/// A metadata block's content and the position of the next one.
type Block = (Rc<[u8]>, u64);

/// A name in a directory of the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The name.
    pub name: String,
    /// Whether it is a directory.
    pub directory: bool,
    position: u64,
}

/// What a structure check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Census {
    /// Regular files.
    pub files: u64,
    /// Directories, the root included.
    pub directories: u64,
    /// Everything else: links, devices, sockets, pipes.
    pub others: u64,
    /// Bytes in regular files, as their inodes say; hard links count each time.
    pub file_bytes: u64,
}

/// A SquashFS image.
#[derive(Debug)]
pub struct Squashfs<'a> {
    source: &'a dyn ReadAt,
    superblock: Superblock,
    /// Uncompressed metadata blocks by position, with the position after them.
    cache: RefCell<HashMap<u64, Block>>,
}

impl<'a> Squashfs<'a> {
    /// Reads the superblock.
    ///
    /// # Errors
    /// Damage, or a version other than 4.0.
    pub fn open(source: &'a dyn ReadAt) -> Result<Self, InspectError> {
        let head = source
            .read_vec(0, superblock::LENGTH)
            .map_err(InspectError::inside(Structure::Squashfs))?;
        let superblock = Superblock::parse(&head)?;
        if superblock.bytes_used > source.size() {
            return Err(damaged(
                "it is cut off: its superblock says it is longer than the file",
            ));
        }
        Ok(Self {
            source,
            superblock,
            cache: RefCell::default(),
        })
    }

    /// The superblock.
    #[must_use]
    pub fn superblock(&self) -> &Superblock {
        &self.superblock
    }

    /// The file at `path`, symbolic links followed inside the image, at most
    /// `limit` bytes.
    ///
    /// # Errors
    /// [`InspectError::Missing`], [`InspectError::TooLarge`], or damage.
    pub fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, InspectError> {
        match self.resolve(path)?.content {
            Content::File(file) if file.size > limit => Err(InspectError::TooLarge {
                what: path.to_owned(),
                limit,
            }),
            Content::File(file) => self.file_bytes(&file),
            Content::Directory(_) | Content::Symlink(_) | Content::Other => Err(missing(path)),
        }
    }

    /// Names in the directory at `path`.
    ///
    /// # Errors
    /// As [`Squashfs::read`].
    pub fn list(&self, path: &str) -> Result<Vec<Name>, InspectError> {
        match self.resolve(path)?.content {
            Content::Directory(directory) => self.names(&directory),
            Content::File(_) | Content::Symlink(_) | Content::Other => Err(missing(path)),
        }
    }

    /// Reads every inode, every directory and the fragment table, so that an
    /// image with damaged tables is found without reading file contents.
    ///
    /// # Errors
    /// The first damage, or a count that differs from the superblock's.
    pub fn census(&self) -> Result<Census, InspectError> {
        let mut census = Census {
            files: 0,
            directories: 0,
            others: 0,
            file_bytes: 0,
        };
        let mut numbers = HashSet::new();
        let mut stack = vec![self.superblock.root_inode];
        while let Some(position) = stack.pop() {
            let inode = self.inode(position)?;
            let is_new = numbers.insert(inode.number);
            match inode.content {
                Content::Directory(_) if !is_new => {
                    return Err(damaged("its directories form a loop"));
                }
                Content::Directory(directory) => {
                    census.directories += 1;
                    stack.extend(self.names(&directory)?.iter().map(|name| name.position));
                }
                Content::File(file) => {
                    census.files += 1;
                    census.file_bytes = census.file_bytes.saturating_add(file.size);
                }
                Content::Symlink(_) | Content::Other => census.others += 1,
            }
            // A forged image may name one inode very often.
            if census.files + census.others > 64 * u64::from(self.superblock.inodes) + 64 {
                return Err(damaged("its directories name more files than it has"));
            }
        }
        if numbers.len() as u64 != u64::from(self.superblock.inodes) {
            let detail = format!(
                "it holds {} inodes but says {}",
                numbers.len(),
                self.superblock.inodes
            );
            return Err(damaged(detail));
        }
        if let Some(last) = self.superblock.fragments.checked_sub(1) {
            self.fragment(last)?;
        }
        Ok(census)
    }

    fn resolve(&self, path: &str) -> Result<Inode, InspectError> {
        let mut links = 0;
        // Positions from the root down to where the path has come.
        let mut trail = vec![self.superblock.root_inode];
        let mut todo: Vec<String> = parts_reversed(path);
        while let Some(part) = todo.pop() {
            if part == ".." {
                if trail.len() > 1 {
                    trail.pop();
                }
                continue;
            }
            let here = trail.last().copied().unwrap_or(self.superblock.root_inode);
            let Content::Directory(directory) = self.inode(here)?.content else {
                return Err(missing(path));
            };
            let names = self.names(&directory)?;
            let found = names
                .into_iter()
                .find(|name| name.name == part)
                .ok_or_else(|| missing(path))?;
            let Content::Symlink(target) = self.inode(found.position)?.content else {
                trail.push(found.position);
                continue;
            };
            links += 1;
            if links > SYMLINK_LIMIT {
                return Err(damaged(format!(
                    "{path} leads through a loop of symbolic links"
                )));
            }
            if target.starts_with('/') {
                trail.truncate(1);
            }
            todo.extend(parts_reversed(&target));
        }
        self.inode(trail.last().copied().unwrap_or(self.superblock.root_inode))
    }

    fn inode(&self, position: u64) -> Result<Inode, InspectError> {
        let mut cursor = Cursor::new(
            self,
            self.superblock.inode_table,
            position >> 16,
            position & 0xffff,
        );
        inode::read(&mut cursor, self.superblock.block_size, self.source.size())
    }

    fn names(&self, directory: &inode::Directory) -> Result<Vec<Name>, InspectError> {
        let mut names = Vec::new();
        // The stated size counts "." and ".." as three bytes.
        let Some(mut left) = directory.size.checked_sub(3) else {
            return Ok(names);
        };
        let table = self.superblock.directory_table;
        let mut cursor = Cursor::new(
            self,
            table,
            u64::from(directory.block),
            u64::from(directory.offset),
        );
        while left > 0 {
            let header = cursor.take(12)?;
            let count = u32_le(&header, 0).unwrap_or(0);
            let start = u32_le(&header, 4).unwrap_or(0);
            // Stored as one less than the number of entries.
            if count >= 256 {
                return Err(damaged("a directory header has more than 256 entries"));
            }
            left = left
                .checked_sub(12)
                .ok_or_else(|| damaged("a directory is shorter than it says"))?;
            for _ in 0..=count {
                let entry = cursor.take(8)?;
                let offset = u16_le(&entry, 0).unwrap_or(0);
                let kind = u16_le(&entry, 4).unwrap_or(0);
                let len = usize::from(u16_le(&entry, 6).unwrap_or(0)) + 1;
                if len > 256 {
                    return Err(damaged("a name is longer than 256 bytes"));
                }
                let name = String::from_utf8_lossy(&cursor.take(len)?).into_owned();
                names.push(Name {
                    name,
                    directory: kind == 1,
                    position: u64::from(start) << 16 | u64::from(offset),
                });
                left = left
                    .checked_sub(8 + len as u32)
                    .ok_or_else(|| damaged("a directory is shorter than it says"))?;
            }
        }
        Ok(names)
    }

    fn file_bytes(&self, file: &inode::File) -> Result<Vec<u8>, InspectError> {
        let block_size = self.superblock.block_size as usize;
        let mut bytes = Vec::new();
        let mut at = file.start;
        for &stored in &file.blocks {
            let left = (file.size - bytes.len() as u64).min(block_size as u64) as usize;
            // A size of zero is a hole.
            if stored == 0 {
                bytes.resize(bytes.len() + left, 0);
                continue;
            }
            let block = self.data_block(at, stored)?;
            at += u64::from(stored & !RAW_DATA);
            if block.len() != left {
                return Err(damaged("a data block does not have its full length"));
            }
            bytes.extend(block);
        }
        let tail = (file.size - bytes.len() as u64) as usize;
        if let Some(fragment) = file.fragment.filter(|_| tail > 0) {
            let (start, stored) = self.fragment(fragment.index)?;
            let block = self.data_block(start, stored)?;
            let tail = slice(&block, fragment.offset as usize, tail);
            bytes.extend(tail.ok_or_else(|| damaged("a file's tail lies outside its fragment"))?);
        }
        Ok(bytes)
    }

    fn data_block(&self, at: u64, stored: u32) -> Result<Vec<u8>, InspectError> {
        let len = (stored & !RAW_DATA) as usize;
        let limit = self.superblock.block_size as usize;
        if len > limit {
            return Err(damaged("a data block is longer than the block size"));
        }
        let bytes = self
            .source
            .read_vec(at, len)
            .map_err(InspectError::inside(Structure::Squashfs))?;
        if stored & RAW_DATA != 0 {
            return Ok(bytes);
        }
        decompress::decompress(self.superblock.compressor, &bytes, limit)
    }

    /// Start and stored size of a fragment block.
    fn fragment(&self, index: u32) -> Result<(u64, u32), InspectError> {
        if index >= self.superblock.fragments {
            return Err(damaged("a file names a fragment that does not exist"));
        }
        let per_block = (METADATA_BLOCK / 16) as u32;
        let pointer_at = self
            .superblock
            .fragment_table
            .checked_add(u64::from(index / per_block) * 8);
        let pointer = pointer_at.and_then(|at| self.source.read_vec(at, 8).ok());
        let block = pointer
            .and_then(|bytes| u64_le(&bytes, 0))
            .ok_or_else(|| damaged("its fragment table is cut off"))?;
        let mut cursor = Cursor::new(self, block, 0, u64::from(index % per_block) * 16);
        let entry = cursor.take(16)?;
        u64_le(&entry, 0)
            .zip(u32_le(&entry, 8))
            .ok_or_else(|| damaged("its fragment table is cut off"))
    }

    /// The metadata block at `at`, and where the next one starts.
    fn metadata(&self, at: u64) -> Result<Block, InspectError> {
        if let Some(found) = self.cache.borrow().get(&at) {
            return Ok(found.clone());
        }
        let header = self
            .source
            .read_vec(at, 2)
            .map_err(InspectError::inside(Structure::Squashfs))?;
        let header = u16_le(&header, 0).unwrap_or(0);
        let len = usize::from(header & !RAW_METADATA);
        if len == 0 || len > METADATA_BLOCK {
            return Err(damaged("a metadata block has an impossible length"));
        }
        let bytes = self
            .source
            .read_vec(at + 2, len)
            .map_err(InspectError::inside(Structure::Squashfs))?;
        let bytes = match header & RAW_METADATA {
            0 => decompress::decompress(self.superblock.compressor, &bytes, METADATA_BLOCK)?,
            _ => bytes,
        };
        let found = (Rc::from(bytes), at + 2 + len as u64);
        let mut cache = self.cache.borrow_mut();
        if cache.len() >= CACHE_BLOCKS {
            cache.clear();
        }
        cache.insert(at, found.clone());
        Ok(found)
    }
}

fn parts_reversed(path: &str) -> Vec<String> {
    path.split('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .rev()
        .map(str::to_owned)
        .collect()
}

fn missing(path: &str) -> InspectError {
    InspectError::Missing {
        structure: Structure::Squashfs,
        path: path.to_owned(),
    }
}

fn damaged(detail: impl Into<String>) -> InspectError {
    InspectError::damaged(Structure::Squashfs, detail)
}
