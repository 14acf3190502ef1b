//! The first 96 bytes of an image.

use crate::Compression;

pub(crate) const LENGTH: usize = 96;
/// Position of a table that does not exist.
pub(crate) const ABSENT: u64 = u64::MAX;

/// Flags as in `squashfs_fs.h`.
const DUPLICATES_FOUND: u16 = 1 << 6;
const EXPORTABLE: u16 = 1 << 7;
const COMPRESSOR_OPTIONS: u16 = 1 << 10;

#[derive(Debug)]
pub(crate) struct Superblock {
    pub compression: Compression,
    pub has_options: bool,
    pub block_size: u32,
    pub mkfs_time: u32,
    pub inodes: u32,
    pub fragments: u32,
    pub ids: u16,
    pub root_inode: u64,
    pub bytes_used: u64,
    pub id_table: u64,
    pub xattr_table: u64,
    pub inode_table: u64,
    pub directory_table: u64,
    pub fragment_table: u64,
    pub export_table: u64,
}

impl Superblock {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let options = if self.has_options {
            COMPRESSOR_OPTIONS
        } else {
            0
        };
        let mut bytes = Vec::with_capacity(LENGTH);
        bytes.extend(b"hsqs");
        for word in [self.inodes, self.mkfs_time, self.block_size, self.fragments] {
            bytes.extend(word.to_le_bytes());
        }
        for half in [
            self.compression.id(),
            self.block_size.trailing_zeros() as u16,
            DUPLICATES_FOUND | EXPORTABLE | options,
            self.ids,
            4,
            0,
        ] {
            bytes.extend(half.to_le_bytes());
        }
        for long in [
            self.root_inode,
            self.bytes_used,
            self.id_table,
            self.xattr_table,
            self.inode_table,
            self.directory_table,
            self.fragment_table,
            self.export_table,
        ] {
            bytes.extend(long.to_le_bytes());
        }
        bytes
    }
}
