//! Reading metadata, whose records run across block borders.

use super::{Squashfs, damaged};
use crate::error::InspectError;

/// Reads on through consecutive metadata blocks.
pub(super) struct Cursor<'s, 'a> {
    image: &'s Squashfs<'a>,
    block: Option<u64>,
    offset: usize,
}

impl<'s, 'a> Cursor<'s, 'a> {
    pub(super) fn new(image: &'s Squashfs<'a>, table: u64, block: u64, offset: u64) -> Self {
        Self {
            image,
            block: table.checked_add(block),
            offset: offset as usize,
        }
    }

    pub(super) fn take(&mut self, len: usize) -> Result<Vec<u8>, InspectError> {
        let mut bytes = Vec::new();
        while bytes.len() < len {
            let at = self
                .block
                .ok_or_else(|| damaged("a table lies outside the image"))?;
            let (block, next) = self.image.metadata(at)?;
            let rest = block
                .get(self.offset..)
                .ok_or_else(|| damaged("it points past a metadata block"))?;
            let here = rest.len().min(len - bytes.len());
            bytes.extend_from_slice(&rest[..here]);
            self.offset += here;
            if self.offset == block.len() {
                self.block = Some(next);
                self.offset = 0;
            }
        }
        Ok(bytes)
    }
}
