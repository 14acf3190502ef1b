//! Metadata blocks: what inodes, directories and tables are stored in.
//!
//! Source: `Documentation/filesystems/squashfs.rst` of the kernel, sections 3
//! and 4: up to 8 KiB each, compressed where that makes them smaller, with two
//! bytes in front for the stored length.

use crate::SquashError;
use crate::codec::Codec;

/// Bytes in a metadata block before compression.
pub(crate) const BLOCK: usize = 8192;
/// Set in the stored length of a block that is not compressed.
const RAW: u16 = 1 << 15;

/// A place in a series of metadata blocks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Position {
    /// Of the block, relative to the first one, as stored.
    pub block: u64,
    /// Within the block, before compression.
    pub offset: u16,
}

impl Position {
    /// As references in tables have it.
    pub(crate) fn packed(self) -> u64 {
        self.block << 16 | u64::from(self.offset)
    }
}

/// Collects bytes and stores them as metadata blocks.
#[derive(Debug, Default)]
pub(crate) struct MetadataWriter {
    pending: Vec<u8>,
    stored: Vec<u8>,
}

impl MetadataWriter {
    /// Where the next byte goes.
    pub(crate) fn position(&self) -> Position {
        Position {
            block: self.stored.len() as u64,
            offset: self.pending.len() as u16,
        }
    }

    pub(crate) fn write(&mut self, codec: &mut Codec, mut bytes: &[u8]) -> Result<(), SquashError> {
        while !bytes.is_empty() {
            let room = (BLOCK - self.pending.len()).min(bytes.len());
            let (now, later) = bytes.split_at(room);
            self.pending.extend(now);
            bytes = later;
            if self.pending.len() == BLOCK {
                self.store(codec)?;
            }
        }
        Ok(())
    }

    /// The stored blocks.
    pub(crate) fn finish(mut self, codec: &mut Codec) -> Result<Vec<u8>, SquashError> {
        if !self.pending.is_empty() {
            self.store(codec)?;
        }
        Ok(self.stored)
    }

    fn store(&mut self, codec: &mut Codec) -> Result<(), SquashError> {
        match codec.compress(&self.pending)? {
            Some(compressed) => {
                self.stored.extend((compressed.len() as u16).to_le_bytes());
                self.stored.extend(compressed);
            }
            None => {
                self.stored.extend(raw_header(self.pending.len()));
                self.stored.extend(&self.pending);
            }
        }
        self.pending.clear();
        Ok(())
    }
}

/// What stands before an uncompressed block of `length` bytes.
pub(crate) fn raw_header(length: usize) -> [u8; 2] {
    (length as u16 | RAW).to_le_bytes()
}

/// Metadata blocks with a table's entries for position `at` of the image, and
/// the list of pointers to them.
pub(crate) fn table(
    codec: &mut Codec,
    entries: &[u8],
    at: u64,
) -> Result<(Vec<u8>, Vec<u8>), SquashError> {
    let mut stored = Vec::new();
    let mut pointers = Vec::new();
    for block in entries.chunks(BLOCK) {
        pointers.extend((at + stored.len() as u64).to_le_bytes());
        let mut writer = MetadataWriter::default();
        writer.write(codec, block)?;
        stored.extend(writer.finish(codec)?);
    }
    Ok((stored, pointers))
}
