//! Inodes as stored.
//!
//! Source: `squashfs_fs.h` of the kernel. Each type has a short and a long
//! form; the long one is used where the short one lacks a field or its width.

use crate::SquashError;
use crate::directory::Listing;
use crate::pipeline::Layout;
use crate::tree::{Inode, Kind};

/// "No fragment", "no attributes".
const NONE: u32 = u32::MAX;
/// What the long form adds to the short form's type.
const LONG: u16 = 7;
/// The format counts "." and "..", which are not stored, as three bytes.
const DOTS: u32 = 3;

/// An inode's number, owner and group, the latter as places in the id table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    pub number: u32,
    pub uid: u16,
    pub gid: u16,
}

/// The short form's type, which directories have too.
pub(crate) fn basic_type(kind: &Kind) -> u16 {
    match kind {
        Kind::Directory(_) => 1,
        Kind::File(_) => 2,
        Kind::Symlink(_) => 3,
        Kind::BlockDevice(_) => 4,
        Kind::CharDevice(_) => 5,
        Kind::Fifo => 6,
        Kind::Socket => 7,
    }
}

/// A directory's inode.
pub(crate) fn directory(
    inode: &Inode,
    head: Head,
    parent: u32,
    listing: &Listing,
) -> Result<Vec<u8>, SquashError> {
    let too_big = || SquashError::Limit("a directory's names take more than 4 GiB".to_owned());
    let size = listing.length.checked_add(DOTS).ok_or_else(too_big)?;
    let block = u32::try_from(listing.start.block).map_err(|_| too_big())?;
    let offset = listing.start.offset;
    let short_size = u16::try_from(size).ok();
    let is_short = inode.xattrs.is_none() && listing.index.is_empty();
    if let Some(size) = short_size.filter(|_| is_short) {
        let mut bytes = start(inode, head, false);
        bytes.extend(block.to_le_bytes());
        bytes.extend(inode.links.to_le_bytes());
        bytes.extend(size.to_le_bytes());
        bytes.extend(offset.to_le_bytes());
        bytes.extend(parent.to_le_bytes());
        return Ok(bytes);
    }
    // An index only makes look-ups faster, so a very big one may end early.
    let index = &listing.index[..listing.index.len().min(u16::MAX.into())];
    let mut bytes = start(inode, head, true);
    for word in [inode.links, size, block, parent] {
        bytes.extend(word.to_le_bytes());
    }
    bytes.extend((index.len() as u16).to_le_bytes());
    bytes.extend(offset.to_le_bytes());
    bytes.extend(inode.xattrs.unwrap_or(NONE).to_le_bytes());
    for entry in index {
        bytes.extend(entry.at.to_le_bytes());
        bytes.extend(entry.block.to_le_bytes());
        bytes.extend((entry.name.len() as u32 - 1).to_le_bytes());
        bytes.extend(&entry.name);
    }
    Ok(bytes)
}

/// The inode of anything but a directory.
pub(crate) fn other(inode: &Inode, head: Head, layout: &Layout) -> Vec<u8> {
    let is_long = inode.xattrs.is_some();
    let mut bytes = match &inode.kind {
        Kind::File(found) => return file(inode, head, found.size, layout),
        Kind::Symlink(target) => {
            let mut bytes = start(inode, head, is_long);
            bytes.extend(inode.links.to_le_bytes());
            bytes.extend((target.len() as u32).to_le_bytes());
            bytes.extend(target);
            bytes
        }
        Kind::BlockDevice(device) | Kind::CharDevice(device) => {
            let mut bytes = start(inode, head, is_long);
            bytes.extend(inode.links.to_le_bytes());
            bytes.extend(device.to_le_bytes());
            bytes
        }
        Kind::Fifo | Kind::Socket | Kind::Directory(_) => {
            let mut bytes = start(inode, head, is_long);
            bytes.extend(inode.links.to_le_bytes());
            bytes
        }
    };
    if let Some(xattrs) = inode.xattrs {
        bytes.extend(xattrs.to_le_bytes());
    }
    bytes
}

fn file(inode: &Inode, head: Head, size: u64, layout: &Layout) -> Vec<u8> {
    let (fragment, offset) = layout.fragment.unwrap_or((NONE, 0));
    let narrow = u32::try_from(layout.start)
        .ok()
        .zip(u32::try_from(size).ok());
    let is_short = inode.xattrs.is_none() && inode.links == 1 && layout.sparse == 0;
    let mut bytes = match narrow.filter(|_| is_short) {
        Some((at, size)) => {
            let mut bytes = start(inode, head, false);
            for word in [at, fragment, offset, size] {
                bytes.extend(word.to_le_bytes());
            }
            bytes
        }
        None => {
            let mut bytes = start(inode, head, true);
            // A file of holes alone still has to have one block of its own in
            // the kernel's arithmetic.
            let sparse = layout.sparse.min(size.saturating_sub(1));
            for long in [layout.start, size, sparse] {
                bytes.extend(long.to_le_bytes());
            }
            let xattrs = inode.xattrs.unwrap_or(NONE);
            for word in [inode.links, fragment, offset, xattrs] {
                bytes.extend(word.to_le_bytes());
            }
            bytes
        }
    };
    for block in &layout.blocks {
        bytes.extend(block.to_le_bytes());
    }
    bytes
}

/// What all inodes begin with.
fn start(inode: &Inode, head: Head, is_long: bool) -> Vec<u8> {
    let kind = basic_type(&inode.kind) + if is_long { LONG } else { 0 };
    let mut bytes = Vec::with_capacity(64);
    for half in [kind, inode.mode, head.uid, head.gid] {
        bytes.extend(half.to_le_bytes());
    }
    bytes.extend(inode.mtime.to_le_bytes());
    bytes.extend(head.number.to_le_bytes());
    bytes
}
