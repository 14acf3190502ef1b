//! The first 96 bytes of an image.

use serde::Serialize;

use crate::bytes::{slice, u16_le, u32_le, u64_le};
use crate::error::{InspectError, Structure};

pub(super) const LENGTH: usize = 96;

/// What blocks are compressed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Compressor {
    /// zlib.
    Gzip,
    /// LZMA, unofficial; Linux cannot mount it.
    Lzma,
    /// LZO.
    Lzo,
    /// XZ.
    Xz,
    /// LZ4.
    Lz4,
    /// Zstandard.
    Zstd,
}

/// The superblock's fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Superblock {
    /// Compressor.
    pub compressor: Compressor,
    /// Bytes per data block, a power of two from 4 KiB to 1 MiB.
    pub block_size: u32,
    /// Number of inodes.
    pub inodes: u32,
    /// When the image was made, in seconds since 1970.
    pub mkfs_time: u32,
    /// Length of the image in bytes.
    pub bytes_used: u64,
    /// Number of fragment blocks.
    pub fragments: u32,
    /// Number of different user and group ids.
    pub ids: u16,
    /// Flags as in `squashfs_fs.h`.
    pub flags: u16,
    /// Whether an NFS export table exists.
    pub exportable: bool,
    /// Whether an extended attribute table exists.
    pub xattrs: bool,
    #[serde(skip)]
    pub(super) root_inode: u64,
    #[serde(skip)]
    pub(super) inode_table: u64,
    #[serde(skip)]
    pub(super) directory_table: u64,
    #[serde(skip)]
    pub(super) fragment_table: u64,
}

impl Superblock {
    /// Reads 96 bytes.
    ///
    /// # Errors
    /// Damage, or a version or compressor that Linux cannot mount.
    pub fn parse(bytes: &[u8]) -> Result<Self, InspectError> {
        Self::fields(bytes)?.ok_or_else(|| damaged("its superblock is cut off"))
    }

    fn fields(bytes: &[u8]) -> Result<Option<Self>, InspectError> {
        if slice(bytes, 0, 4) != Some(b"hsqs") {
            return Err(damaged("it does not start with the SquashFS magic"));
        }
        let version = (u16_le(bytes, 28), u16_le(bytes, 30));
        if version != (Some(4), Some(0)) {
            return Err(InspectError::unsupported(
                Structure::Squashfs,
                "a format version other than 4.0",
            ));
        }
        let compressor = match u16_le(bytes, 20) {
            Some(1) => Compressor::Gzip,
            Some(2) => Compressor::Lzma,
            Some(3) => Compressor::Lzo,
            Some(4) => Compressor::Xz,
            Some(5) => Compressor::Lz4,
            Some(6) => Compressor::Zstd,
            Some(other) => {
                return Err(InspectError::unsupported(
                    Structure::Squashfs,
                    format!("compressor {other}"),
                ));
            }
            None => return Ok(None),
        };
        let Some(parsed) = Self::numbers(bytes, compressor) else {
            return Ok(None);
        };
        let log = u16_le(bytes, 22).map(u32::from);
        if !(12..=20).contains(&parsed.block_size.trailing_zeros())
            || !parsed.block_size.is_power_of_two()
            || log != Some(parsed.block_size.trailing_zeros())
        {
            return Err(damaged("its block size is impossible"));
        }
        let tables = [parsed.inode_table, parsed.directory_table];
        let inside = tables
            .iter()
            .all(|&at| at >= LENGTH as u64 && at < parsed.bytes_used);
        if !inside || parsed.inode_table > parsed.directory_table {
            return Err(damaged("its tables lie outside of it"));
        }
        Ok(Some(parsed))
    }

    fn numbers(bytes: &[u8], compressor: Compressor) -> Option<Self> {
        let flags = u16_le(bytes, 24)?;
        Some(Self {
            compressor,
            inodes: u32_le(bytes, 4)?,
            mkfs_time: u32_le(bytes, 8)?,
            block_size: u32_le(bytes, 12)?,
            fragments: u32_le(bytes, 16)?,
            flags,
            ids: u16_le(bytes, 26)?,
            root_inode: u64_le(bytes, 32)?,
            bytes_used: u64_le(bytes, 40)?,
            // Tables that do not exist have a position of all ones.
            xattrs: u64_le(bytes, 56)? != u64::MAX,
            inode_table: u64_le(bytes, 64)?,
            directory_table: u64_le(bytes, 72)?,
            fragment_table: u64_le(bytes, 80)?,
            exportable: u64_le(bytes, 88)? != u64::MAX,
        })
    }
}

fn damaged(detail: &str) -> InspectError {
    InspectError::damaged(Structure::Squashfs, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Vec<u8> {
        let mut bytes = vec![0; LENGTH];
        bytes[..4].copy_from_slice(b"hsqs");
        bytes[12..16].copy_from_slice(&131_072u32.to_le_bytes());
        bytes[20] = 6;
        bytes[22] = 17;
        bytes[28] = 4;
        for (at, value) in [
            (40, 4096u64),
            (56, u64::MAX),
            (64, 100),
            (72, 200),
            (80, 300),
            (88, u64::MAX),
        ] {
            bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
        }
        bytes
    }

    fn check(change: &[(usize, u8)], expected: Result<Compressor, &str>) {
        let mut bytes = good();
        for &(at, value) in change {
            bytes[at] = value;
        }
        let found = Superblock::parse(&bytes);
        let found = found
            .as_ref()
            .map(|s| s.compressor)
            .map_err(InspectError::code);
        assert_eq!(found, expected, "{change:?}");
    }

    #[test]
    fn superblocks() {
        check(&[], Ok(Compressor::Zstd));
        check(&[(20, 4)], Ok(Compressor::Xz));
        check(&[(20, 9)], Err("inspect_unsupported"));
        check(&[(0, b'x')], Err("inspect_damaged"));
        check(&[(28, 3)], Err("inspect_unsupported"));
        check(&[(12, 1)], Err("inspect_damaged"));
        check(&[(22, 16)], Err("inspect_damaged"));
        check(&[(64, 250)], Err("inspect_damaged"));
        check(&[(79, 1)], Err("inspect_damaged"));
        assert!(Superblock::parse(&good()[..90]).is_err());
    }
}
