//! Small files are collected in fragment blocks.
//!
//! Where a block ends is decided by the names around that place, not by how
//! full it is, so that after a changed file the cuts soon fall where they fell
//! before, and the blocks from there on are the same bytes as in the last image.

/// A landmark comes about once in the content of so many blocks.
const LANDMARK_BLOCKS: usize = 16;

/// A file that waits for its block.
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

    /// Adds a file's `content`, not longer than a block. Returns the block that had
    /// to be closed before it.
    pub(crate) fn add(&mut self, inode: usize, path: &[u8], content: &[u8]) -> Option<Packed> {
        let rank = self.rank(path);
        let closed = match (self.waiting.len(), self.bytes.len() + content.len()) {
            (0, _) => None,
            (count, _) if self.is_landmark(rank, content.len()) => Some(self.take(count)),
            (_, length) if length > self.block_size => Some(self.close(rank, content.len())),
            (_, _) => None,
        };
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
            // Half a block, so that there are many places to choose from.
            .filter(|&(_, at, _)| at >= self.block_size / 2)
            .filter(|&(_, at, _)| self.bytes.len() - at + length <= self.block_size)
            .min_by_key(|&(_, _, rank)| rank)
            .unwrap_or(end);
        self.take(count)
    }

    /// Whether a new block begins with this file, whatever came before it. So
    /// even if cuts stay shifted after a change, they do not for long.
    fn is_landmark(&self, rank: u64, length: usize) -> bool {
        let every = u128::from(u64::MAX >> 1) * length as u128;
        let chance = every / (self.block_size * LANDMARK_BLOCKS) as u128;
        u128::from(rank & u64::MAX >> 1) < chance
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

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: usize = 4096;

    fn packed(files: &[(String, usize)]) -> Vec<Packed> {
        let mut packer = Packer::new(BLOCK);
        let mut blocks = Vec::new();
        for (inode, (path, length)) in files.iter().enumerate() {
            let content = vec![inode as u8; *length];
            blocks.extend(packer.add(inode, path.as_bytes(), &content));
        }
        blocks.extend(packer.finish());
        blocks
    }

    fn files() -> Vec<(String, usize)> {
        (0..4000usize)
            .map(|number| {
                let path = format!("directory {}/{number}", number / 40);
                (path, (number * 7919) % 700 + 1)
            })
            .collect()
    }

    #[test]
    fn each_file_is_in_one_block_where_it_says() {
        let files = files();
        let mut next = 0;
        for block in packed(&files) {
            assert!(block.bytes.len() <= BLOCK);
            for (inode, at) in block.members {
                assert_eq!(inode, next);
                let content = &block.bytes[at as usize..][..files[inode].1];
                assert!(content.iter().all(|&byte| byte == inode as u8));
                next += 1;
            }
        }
        assert_eq!(next, files.len());
    }

    #[test]
    fn blocks_are_filled_well() {
        let blocks = packed(&files());
        let total: usize = blocks.iter().map(|block| block.bytes.len()).sum();
        assert!(total * 10 > blocks.len() * BLOCK * 6);
    }

    #[test]
    fn big_neighbours() {
        let check = |lengths: &[usize], expected: &[usize]| {
            let named = lengths.iter().enumerate();
            let files: Vec<_> = named.map(|(name, &len)| (name.to_string(), len)).collect();
            let blocks: Vec<usize> = packed(&files).iter().map(|b| b.members.len()).collect();
            assert_eq!(blocks, expected, "{lengths:?}");
        };
        check(&[], &[]);
        check(&[1], &[1]);
        check(&[100, 4000], &[1, 1]);
        check(&[4096, 4096, 1], &[1, 1, 1]);
        check(&[2000, 2096, 1], &[2, 1]);
    }

    #[test]
    fn after_a_change_the_cuts_are_the_old_ones() {
        let before = files();
        let check = |after: &[(String, usize)]| {
            let names = |blocks: Vec<Packed>, files: &[(String, usize)]| -> Vec<Vec<String>> {
                let of = |block: &Packed| {
                    let members = block.members.iter();
                    members.map(|&(inode, _)| files[inode].0.clone()).collect()
                };
                blocks.iter().map(of).collect()
            };
            let old = names(packed(&before), &before);
            let new = names(packed(after), after);
            let fresh = new.iter().filter(|block| !old.contains(block)).count();
            assert!(fresh <= 8, "{fresh} of {}", new.len());
        };
        for at in (0..3900).step_by(177) {
            let mut after = before.clone();
            after[at].1 = 650;
            check(&after);
            after.remove(at + 3);
            check(&after);
            after.insert(at, (format!("directory {}/x", at / 40), 333));
            check(&after);
        }
    }
}
