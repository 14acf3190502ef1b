//! The image file.

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};

use crate::SquashError;

/// Writes in big pieces and knows where it is.
pub(crate) struct Output<'a> {
    writer: BufWriter<&'a mut File>,
    at: u64,
}

impl<'a> Output<'a> {
    /// Empties the file.
    pub(crate) fn new(file: &'a mut File) -> Result<Self, SquashError> {
        file.seek(SeekFrom::Start(0)).map_err(SquashError::Output)?;
        // Only a regular file can be cut; others are as they are.
        let is_file = file.metadata().is_ok_and(|found| found.is_file());
        if is_file {
            file.set_len(0).map_err(SquashError::Output)?;
        }
        Ok(Self {
            writer: BufWriter::with_capacity(1 << 20, file),
            at: 0,
        })
    }

    /// Bytes so far.
    pub(crate) fn position(&self) -> u64 {
        self.at
    }

    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), SquashError> {
        self.at += bytes.len() as u64;
        self.writer.write_all(bytes).map_err(SquashError::Output)
    }

    /// Writes all that is still in memory, and `head` over the first bytes.
    pub(crate) fn finish(mut self, head: &[u8]) -> Result<(), SquashError> {
        self.writer
            .seek(SeekFrom::Start(0))
            .and_then(|_| self.writer.write_all(head))
            .and_then(|()| self.writer.flush())
            .map_err(SquashError::Output)
    }
}
