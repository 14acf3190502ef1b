//! Small files are collected in fragment blocks.
//!
//! Where a block ends is decided by the names around that place, not by how
//! full it is, so that after a changed file the cuts soon fall where they fell
//! before, and the blocks from there on are the same bytes as in the last image.

/// A file, or the end of one, that waits for its block.
#[derive(Debug)]
struct Waiting {
    inode: usize,
    /// Start in the pending bytes.
    at: usize,
    /// How good a place for a cut is just before it; less is better.
    rank: u64,
}

/// A block that is full enough.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Packed {
    pub bytes: Vec<u8>,
    /// Inodes with the position of their bytes.
    pub members: Vec<(usize, u32)>,
}

/// Small files that do not have a block yet.
#[derive(Debug)]
pub(crate) struct Packer {
    block_size: usize,
    bytes: Vec<u8>,
    waiting: Vec<Waiting>,
    directory: Vec<u8>,
}

impl Packer {
    pub(crate) fn new(block_size: usize) -> Self {
        Self {
            block_size,
            bytes: Vec::with_capacity(block_size),
            waiting: Vec::new(),
            directory: Vec::new(),
        }
    }

    /// Adds a file's `content`, not longer than a block. Returns the blocks that
    /// had to be closed before it.
    pub(crate) fn add(&mut self, inode: usize, path: &[u8], content: &[u8]) -> Option<Packed> {
        let rank = self.rank(path);
        let full = self.bytes.len() + content.len() > self.block_size;
        let closed = full.then(|| self.close(rank, content.len()));
        self.waiting.push(Waiting {
            inode,
            at: self.bytes.len(),
            rank,
        });
        self.bytes.extend(content);
        closed
    }

    /// What is left at the end.
    pub(crate) fn finish(mut self) -> Option<Packed> {
        (!self.waiting.is_empty()).then(|| self.take(self.waiting.len()))
    }

    /// Cuts before one of the waiting files, or after all of them where `rank`
    /// is that of the file that comes next and needs `length` bytes.
    fn close(&mut self, rank: u64, length: usize) -> Packed {
        let end = (self.waiting.len(), self.bytes.len(), rank);
        let inner = self.waiting.iter().enumerate();
        let (count, ..) = inner
            .map(|(count, waiting)| (count, waiting.at, waiting.rank))
            .chain([end])
            .filter(|&(_, at, _)| at >= self.block_size / 8 * MINIMUM_EIGHTHS)
            .filter(|&(_, at, _)| self.bytes.len() - at + length <= self.block_size)
            .min_by_key(|&(_, _, rank)| rank)
            .unwrap_or(end);
        self.take(count)
    }

    fn take(&mut self, count: usize) -> Packed {
        let cut = self
            .waiting
            .get(count)
            .map_or(self.bytes.len(), |first| first.at);
        let rest = self.bytes.split_off(cut);
        let bytes = std::mem::replace(&mut self.bytes, rest);
        let members = self
            .waiting
            .drain(..count)
            .map(|waiting| (waiting.inode, waiting.at as u32))
            .collect();
        for waiting in &mut self.waiting {
            waiting.at -= cut;
        }
        Packed { bytes, members }
    }

    /// A directory's first file is a better place than any other one, because
    /// packages come and go with their directories.
    fn rank(&mut self, path: &[u8]) -> u64 {
        let end = path.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
        let is_first = self.directory != path[..end];
        if is_first {
            self.directory = path[..end].to_vec();
        }
        let hash = blake3::hash(path);
        let mut head = [0; 8];
        head.copy_from_slice(&hash.as_bytes()[..8]);
        u64::from_le_bytes(head) >> 1 | u64::from(!is_first) << 63
    }
}

/// A cut leaves at least this many eighths of a block filled, where it can.
const MINIMUM_EIGHTHS: usize = 6;
