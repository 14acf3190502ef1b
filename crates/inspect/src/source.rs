//! Where bytes come from: a file, memory, or a list of extents in another
//! source (a file inside the ISO, a FAT image inside that).

use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Bytes that can be read at any position, without a shared cursor.
pub trait ReadAt: fmt::Debug {
    /// Length in bytes.
    fn size(&self) -> u64;

    /// Fills `buf` from `offset` on.
    ///
    /// # Errors
    /// `UnexpectedEof` when the source ends earlier, else what the system says.
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()>;

    /// `len` bytes from `offset` on. The length is compared with the size
    /// before any memory is taken, so a forged length costs nothing.
    ///
    /// # Errors
    /// As [`ReadAt::read_exact_at`].
    fn read_vec(&self, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        let end = offset
            .checked_add(len as u64)
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        if end > self.size() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut buf = vec![0; len];
        self.read_exact_at(&mut buf, offset)?;
        Ok(buf)
    }
}

/// A file on disk, its size taken once.
#[derive(Debug)]
pub struct Disk {
    file: File,
    size: u64,
}

impl Disk {
    /// Opens `path` for reading.
    ///
    /// # Errors
    /// What `open(2)` says; a directory is refused too.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let meta = file.metadata()?;
        if meta.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        Ok(Self {
            file,
            size: meta.len(),
        })
    }
}

impl ReadAt for Disk {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(buf, offset)
    }
}

impl ReadAt for Vec<u8> {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let start = usize::try_from(offset).map_err(|_| io::ErrorKind::UnexpectedEof)?;
        let end = start
            .checked_add(buf.len())
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        let bytes = self.get(start..end).ok_or(io::ErrorKind::UnexpectedEof)?;
        buf.copy_from_slice(bytes);
        Ok(())
    }
}

/// A run of bytes in another source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// First byte.
    pub start: u64,
    /// Number of bytes.
    pub len: u64,
}

/// Several runs of one source, read as if they were one.
#[derive(Debug, Clone)]
pub struct Extents<'a> {
    source: &'a dyn ReadAt,
    runs: Vec<Run>,
    size: u64,
}

impl<'a> Extents<'a> {
    /// Joins `runs`. Runs past the end of `source` are found when read.
    pub fn new(source: &'a dyn ReadAt, runs: Vec<Run>) -> Self {
        let size = runs
            .iter()
            .fold(0u64, |sum, run| sum.saturating_add(run.len));
        Self { source, runs, size }
    }

    /// One run.
    pub fn window(source: &'a dyn ReadAt, start: u64, len: u64) -> Self {
        Self::new(source, vec![Run { start, len }])
    }
}

impl ReadAt for Extents<'_> {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let mut rest = buf;
        let mut skip = offset;
        for run in &self.runs {
            if rest.is_empty() {
                return Ok(());
            }
            if skip >= run.len {
                skip -= run.len;
                continue;
            }
            let here = usize::try_from(run.len - skip)
                .unwrap_or(usize::MAX)
                .min(rest.len());
            let (now, later) = rest.split_at_mut(here);
            let at = run
                .start
                .checked_add(skip)
                .ok_or(io::ErrorKind::UnexpectedEof)?;
            self.source.read_exact_at(now, at)?;
            rest = later;
            skip = 0;
        }
        if rest.is_empty() {
            Ok(())
        } else {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(runs: &[(u64, u64)], offset: u64, len: usize, expected: Option<&[u8]>) {
        let source: Vec<u8> = (0..100).collect();
        let runs = runs
            .iter()
            .map(|&(start, len)| Run { start, len })
            .collect();
        let found = Extents::new(&source, runs).read_vec(offset, len).ok();
        assert_eq!(found.as_deref(), expected);
    }

    #[test]
    fn extents_read_across_their_seams() {
        check(&[(10, 3), (50, 3)], 0, 6, Some(&[10, 11, 12, 50, 51, 52]));
        check(&[(10, 3), (50, 3)], 2, 2, Some(&[12, 50]));
        check(&[(10, 3), (50, 3)], 4, 2, Some(&[51, 52]));
        check(&[(10, 3), (50, 3)], 4, 3, None);
        check(&[(98, 5)], 0, 5, None);
        check(&[(u64::MAX, 5)], 1, 2, None);
        check(&[], 0, 0, Some(&[]));
        check(&[(0, 4)], 0, usize::MAX, None);
    }
}
