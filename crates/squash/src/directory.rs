//! Directories as stored.

use crate::SquashError;
use crate::codec::Codec;
use crate::metadata::{MetadataWriter, Position};

/// The most names behind one header (`SQUASHFS_DIR_COUNT`).
const RUN: usize = 256;

/// A name with where its inode is.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    pub name: &'a [u8],
    pub inode: Position,
    pub number: u32,
    pub basic_type: u16,
}

/// A directory in the directory table.
#[derive(Debug)]
pub(crate) struct Listing {
    pub start: Position,
    /// Bytes before compression.
    pub length: u32,
    pub index: Vec<IndexEntry>,
}

/// Lets a reader skip the metadata blocks before the one a name is in.
#[derive(Debug)]
pub(crate) struct IndexEntry {
    /// Bytes of the directory before this place.
    pub at: u32,
    /// The metadata block of this place.
    pub block: u32,
    /// The first name there.
    pub name: Vec<u8>,
}

/// Writes the names, which are in order, of one directory.
pub(crate) fn write(
    writer: &mut MetadataWriter,
    codec: &mut Codec,
    entries: &[Entry<'_>],
) -> Result<Listing, SquashError> {
    let start = writer.position();
    let mut listing = Listing {
        start,
        length: 0,
        index: Vec::new(),
    };
    let mut seen = start.block;
    let mut rest = entries;
    while let Some(first) = rest.first() {
        let (run, later) = rest.split_at(run_length(rest));
        rest = later;
        let at = writer.position();
        if at.block != seen {
            seen = at.block;
            listing.index.push(IndexEntry {
                at: listing.length,
                block: narrow(at.block)?,
                name: first.name.to_vec(),
            });
        }
        let bytes = encode(first, run)?;
        listing.length = listing
            .length
            .checked_add(bytes.len() as u32)
            .ok_or_else(too_big)?;
        writer.write(codec, &bytes)?;
    }
    Ok(listing)
}

/// How many of `entries` one header can stand for: their inodes are in the same
/// metadata block and have numbers near the first one's.
fn run_length(entries: &[Entry<'_>]) -> usize {
    let Some(first) = entries.first() else {
        return 0;
    };
    let fits = |entry: &&Entry<'_>| {
        entry.inode.block == first.inode.block
            && i16::try_from(i64::from(entry.number) - i64::from(first.number)).is_ok()
    };
    entries.iter().take(RUN).take_while(fits).count()
}

fn encode(first: &Entry<'_>, run: &[Entry<'_>]) -> Result<Vec<u8>, SquashError> {
    let mut bytes = Vec::new();
    bytes.extend((run.len() as u32 - 1).to_le_bytes());
    bytes.extend(narrow(first.inode.block)?.to_le_bytes());
    bytes.extend(first.number.to_le_bytes());
    for entry in run {
        bytes.extend(entry.inode.offset.to_le_bytes());
        // The difference, as a signed number of 16 bits.
        bytes.extend((entry.number.wrapping_sub(first.number) as u16).to_le_bytes());
        bytes.extend(entry.basic_type.to_le_bytes());
        bytes.extend((entry.name.len() as u16 - 1).to_le_bytes());
        bytes.extend(entry.name);
    }
    Ok(bytes)
}

fn narrow(block: u64) -> Result<u32, SquashError> {
    u32::try_from(block).map_err(|_| too_big())
}

fn too_big() -> SquashError {
    SquashError::Limit("its inodes or names take more than 4 GiB".to_owned())
}
