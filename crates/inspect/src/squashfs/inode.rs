//! Inodes.

use super::cursor::Cursor;
use super::damaged;
use crate::bytes::{u16_le, u32_le, u64_le};
use crate::error::InspectError;

/// "No fragment".
const NONE: u32 = u32::MAX;
/// As the kernel's PATH_MAX, with room.
const TARGET_LIMIT: u32 = 65_536;

#[derive(Debug)]
pub(super) struct Inode {
    pub number: u32,
    pub content: Content,
}

#[derive(Debug)]
pub(super) enum Content {
    Directory(Directory),
    File(File),
    Symlink(String),
    Other,
}

#[derive(Debug)]
pub(super) struct Directory {
    pub block: u32,
    pub offset: u16,
    pub size: u32,
}

#[derive(Debug)]
pub(super) struct File {
    pub start: u64,
    pub size: u64,
    pub blocks: Vec<u32>,
    pub fragment: Option<Fragment>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Fragment {
    pub index: u32,
    pub offset: u32,
}

/// The inode at `cursor`. `image` is the length of the image in bytes.
pub(super) fn read(
    cursor: &mut Cursor<'_, '_>,
    block_size: u32,
    image: u64,
) -> Result<Inode, InspectError> {
    let head = cursor.take(16)?;
    let kind = u16_le(&head, 0).unwrap_or(0);
    let number = u32_le(&head, 12).unwrap_or(0);
    let content = match kind {
        1 => {
            let body = cursor.take(16)?;
            let size = u16_le(&body, 8).map_or(0, u32::from);
            Content::Directory(directory(&body, 0, 10, size))
        }
        2 => {
            let body = cursor.take(16)?;
            let (start, size) = (word(&body, 0).into(), word(&body, 12).into());
            Content::File(file(
                cursor,
                start,
                size,
                (word(&body, 4), word(&body, 8)),
                block_size,
                image,
            )?)
        }
        3 | 10 => {
            let body = cursor.take(8)?;
            Content::Symlink(target(cursor, word(&body, 4))?)
        }
        8 => {
            let body = cursor.take(24)?;
            Content::Directory(directory(&body, 8, 18, word(&body, 4)))
        }
        9 => {
            let body = cursor.take(40)?;
            let (start, size) = (long(&body, 0), long(&body, 8));
            Content::File(file(
                cursor,
                start,
                size,
                (word(&body, 28), word(&body, 32)),
                block_size,
                image,
            )?)
        }
        4..=7 | 11..=14 => Content::Other,
        _ => return Err(damaged(format!("an inode has the unknown type {kind}"))),
    };
    Ok(Inode { number, content })
}

fn directory(body: &[u8], block: usize, offset: usize, size: u32) -> Directory {
    Directory {
        block: word(body, block),
        offset: u16_le(body, offset).unwrap_or(0),
        size,
    }
}

fn file(
    cursor: &mut Cursor<'_, '_>,
    start: u64,
    size: u64,
    (index, offset): (u32, u32),
    block_size: u32,
    image: u64,
) -> Result<File, InspectError> {
    let fragment = (index != NONE).then_some(Fragment { index, offset });
    let blocks = match fragment {
        Some(_) => size / u64::from(block_size),
        None => size.div_ceil(u64::from(block_size)),
    };
    // Each block costs four bytes in the inode table, so a sound image cannot
    // have more than this, however well its metadata compresses.
    if blocks > image.saturating_mul(1024) || blocks > u64::from(u32::MAX) {
        return Err(damaged(
            "a file has more blocks than the image can describe",
        ));
    }
    let mut sizes = Vec::new();
    for _ in 0..blocks {
        sizes.push(word(&cursor.take(4)?, 0));
    }
    Ok(File {
        start,
        size,
        blocks: sizes,
        fragment,
    })
}

fn target(cursor: &mut Cursor<'_, '_>, len: u32) -> Result<String, InspectError> {
    if len > TARGET_LIMIT {
        return Err(damaged("a symbolic link is longer than 64 KiB"));
    }
    Ok(String::from_utf8_lossy(&cursor.take(len as usize)?).into_owned())
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32_le(bytes, at).unwrap_or(0)
}

fn long(bytes: &[u8], at: usize) -> u64 {
    u64_le(bytes, at).unwrap_or(0)
}
