//! Compresses ahead of time: what a later image will hold, while a processor is idle.

use std::path::Path;

use crate::codec::{self, Codec};
use crate::exclude::Patterns;
use crate::pack::Packed;
use crate::reader::{Sink, read_all};
use crate::store::{Session, Store};
use crate::{Options, SquashError, tree};

/// What of a tree is compressed ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ahead {
    /// Files of a block or more. Of a tree that others will be merged with: how small files
    /// share blocks depends on their neighbours.
    BigFiles,
    /// All files, in a tree that is nearly as it will be.
    AllFiles,
}

/// Puts the compressed blocks of the tree at `root` into `store`, on this thread, which
/// becomes the least important one of the machine, until all are there or `stopped`.
/// Returns how many bytes of files were dealt with.
///
/// An image of the same content with the same [`Options`] takes these blocks from the store
/// and is byte for byte what it would be without.
///
/// # Errors
/// Those of [`write`](crate::write) about reading and settings, and
/// [`SquashError::Cancelled`] once `stopped`. Whatever was compressed before stays in the
/// store.
pub fn warm(
    root: &Path,
    options: &Options,
    store: &Store,
    ahead: Ahead,
    stopped: &dyn Fn() -> bool,
) -> Result<u64, SquashError> {
    options.check()?;
    // Only a courtesy to the others.
    rustix::process::setpriority_process(None, 19).ok();
    let root = tree::open(root)?;
    let tree = tree::scan(&root, &Patterns::new(&options.exclude), stopped)?;
    let session = Session::new(
        store,
        codec::domain(options.compression, options.block_size)?,
    );
    let mut ahead = Compressing {
        codec: Codec::new(options.compression, options.block_size)?,
        session: &session,
        ahead,
        stopped,
        done: 0,
    };
    let read = read_all(&root, &tree, options.block_size, &mut ahead);
    let done = ahead.done;
    session.finish();
    read.map(|()| done)
}

struct Compressing<'a> {
    codec: Codec,
    session: &'a Session<'a>,
    ahead: Ahead,
    stopped: &'a dyn Fn() -> bool,
    done: u64,
}

impl Compressing<'_> {
    fn keep(&mut self, bytes: &[u8]) -> Result<(), SquashError> {
        if (self.stopped)() {
            return Err(SquashError::Cancelled);
        }
        self.done += bytes.len() as u64;
        let key = self.session.key(bytes);
        if !self.session.knows(&key) {
            let compressed = self.codec.compress(bytes)?;
            self.session.put(key, compressed);
        }
        Ok(())
    }
}

impl Sink for Compressing<'_> {
    fn block(&mut self, _inode: usize, bytes: Vec<u8>) -> Result<(), SquashError> {
        self.keep(&bytes)
    }

    fn hole(&mut self, _inode: usize, _length: u64) -> Result<(), SquashError> {
        Ok(())
    }

    fn fragment(&mut self, packed: Packed) -> Result<(), SquashError> {
        match self.ahead {
            Ahead::AllFiles => self.keep(&packed.bytes),
            Ahead::BigFiles => Ok(()),
        }
    }

    fn duplicate(&mut self, _inode: usize, _of: usize, _length: u64) -> Result<(), SquashError> {
        Ok(())
    }

    fn buffer(&mut self) -> Vec<u8> {
        Vec::new()
    }

    fn stopped(&self) -> bool {
        (self.stopped)()
    }
}
