//! One thread reads, some compress, the caller's thread writes in order.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::codec::Codec;
use crate::output::Output;
use crate::pack::Packed;
use crate::reader::{Sink, read_all};
use crate::store::{Found, Session};
use crate::tree::Tree;
use crate::{Options, Progress, SquashError, Summary};

/// Set in a data block's stored size if it is not compressed.
pub(crate) const RAW: u32 = 1 << 24;
/// Blocks between reader and writer take up to this much memory.
const IN_FLIGHT: usize = 32 << 20;

/// Where a file's content is in the image.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layout {
    /// Of the first block.
    pub start: u64,
    /// Stored sizes; zero is a hole.
    pub blocks: Vec<u32>,
    /// Fragment block and offset in it.
    pub fragment: Option<(u32, u32)>,
    /// Bytes in holes.
    pub sparse: u64,
}

/// All that the tables need to know about the data.
#[derive(Debug, Default)]
pub(crate) struct Data {
    /// By inode.
    pub files: Vec<Layout>,
    /// Start and stored size.
    pub fragments: Vec<(u64, u32)>,
}

/// What the reader hands to the writer, in the image's order.
enum Item {
    Block {
        inode: usize,
        raw: u64,
        result: Receiver<Compressed>,
    },
    Hole {
        inode: usize,
        length: u64,
    },
    Fragment {
        members: Vec<(usize, u32)>,
        raw: u64,
        result: Receiver<Compressed>,
    },
    Duplicate {
        inode: usize,
        of: usize,
        length: u64,
    },
}

type Compressed = Result<Stored, SquashError>;

/// A block as it goes into the image.
struct Stored {
    bytes: Vec<u8>,
    compressed: bool,
    reused: bool,
}

struct Job {
    raw: Vec<u8>,
    result: SyncSender<Compressed>,
}

/// What all threads see.
struct Shared<'a> {
    options: &'a Options,
    session: Option<&'a Session<'a>>,
    stop: AtomicBool,
    jobs: Mutex<Receiver<Job>>,
    /// Buffers to be used again.
    buffers: Mutex<Vec<Vec<u8>>>,
}

/// All that the writing of data needs.
pub(crate) struct Pipeline<'a> {
    pub root: &'a OwnedFd,
    pub tree: &'a Tree,
    pub options: &'a Options,
    pub session: Option<&'a Session<'a>>,
    /// Bytes in all files.
    pub total: u64,
    pub watch: Watch<'a>,
}

impl Pipeline<'_> {
    /// Writes all data and fragment blocks.
    pub(crate) fn run(
        &self,
        out: &mut Output<'_>,
        summary: &mut Summary,
    ) -> Result<Data, SquashError> {
        let Self {
            root,
            tree,
            options,
            ..
        } = *self;
        let depth = (IN_FLIGHT / options.block_size as usize).clamp(options.threads + 2, 256);
        let (jobs, jobs_end) = channel();
        let (items, items_end) = sync_channel(depth);
        let shared = &Shared {
            options,
            session: self.session,
            stop: AtomicBool::new(false),
            jobs: Mutex::new(jobs_end),
            buffers: Mutex::default(),
        };
        let mut writer = Writer {
            out,
            summary,
            pipeline: self,
            shared,
            files: vec![Layout::default(); tree.inodes.len()],
            fragments: Vec::new(),
            duplicates: Vec::new(),
        };
        thread::scope(|scope| {
            for _ in 0..options.threads {
                scope.spawn(|| compress_all(shared));
            }
            let reading = scope.spawn(move || {
                let mut queue = Queue {
                    items,
                    jobs,
                    shared,
                };
                read_all(root, tree, options.block_size, &mut queue)
            });
            let written = writer.run(items_end);
            shared.stop.store(true, Ordering::Relaxed);
            let read = reading
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            // If the writer ended early, that is why the reader did.
            written.and(read)
        })?;
        Ok(writer.finish())
    }
}

/// The caller's two functions.
#[derive(Clone, Copy)]
pub(crate) struct Watch<'a> {
    pub progress: &'a dyn Fn(Progress),
    pub cancelled: &'a dyn Fn() -> bool,
}

/// The reader's end.
struct Queue<'a> {
    items: SyncSender<Item>,
    jobs: Sender<Job>,
    shared: &'a Shared<'a>,
}

impl Queue<'_> {
    fn item(&mut self, item: Item) -> Result<(), SquashError> {
        // The writer is gone only after an error of its own or a cancel.
        self.items.send(item).map_err(|_| SquashError::Cancelled)
    }

    fn job(&mut self, raw: Vec<u8>) -> Result<Receiver<Compressed>, SquashError> {
        let (result, receiver) = sync_channel(1);
        let sent = self.jobs.send(Job { raw, result });
        sent.map(|()| receiver).map_err(|_| SquashError::Cancelled)
    }
}

impl Sink for Queue<'_> {
    fn block(&mut self, inode: usize, bytes: Vec<u8>) -> Result<(), SquashError> {
        let raw = bytes.len() as u64;
        let result = self.job(bytes)?;
        self.item(Item::Block { inode, raw, result })
    }

    fn hole(&mut self, inode: usize, length: u64) -> Result<(), SquashError> {
        self.item(Item::Hole { inode, length })
    }

    fn fragment(&mut self, packed: Packed) -> Result<(), SquashError> {
        let Packed { bytes, members } = packed;
        let raw = bytes.len() as u64;
        let result = self.job(bytes)?;
        self.item(Item::Fragment {
            members,
            raw,
            result,
        })
    }

    fn duplicate(&mut self, inode: usize, of: usize, length: u64) -> Result<(), SquashError> {
        self.item(Item::Duplicate { inode, of, length })
    }

    fn buffer(&mut self) -> Vec<u8> {
        self.shared.buffer()
    }

    fn stopped(&self) -> bool {
        self.shared.stop.load(Ordering::Relaxed)
    }
}

/// The writer's end.
struct Writer<'a, 'o> {
    out: &'a mut Output<'o>,
    summary: &'a mut Summary,
    pipeline: &'a Pipeline<'a>,
    shared: &'a Shared<'a>,
    files: Vec<Layout>,
    fragments: Vec<(u64, u32)>,
    /// Inodes, each with the earlier one that has the same content.
    duplicates: Vec<(usize, usize)>,
}

impl Writer<'_, '_> {
    fn run(&mut self, items: Receiver<Item>) -> Result<(), SquashError> {
        let mut done = 0;
        for item in items {
            if (self.pipeline.watch.cancelled)() {
                return Err(SquashError::Cancelled);
            }
            done += self.item(item)?;
            (self.pipeline.watch.progress)(Progress {
                bytes_done: done,
                bytes_total: self.pipeline.total,
                reused: self.summary.reused_bytes,
            });
        }
        Ok(())
    }

    /// Returns the bytes of files that were dealt with.
    fn item(&mut self, item: Item) -> Result<u64, SquashError> {
        match item {
            Item::Block { inode, raw, result } => {
                let (start, size) = self.store(raw, &result)?;
                let file = &mut self.files[inode];
                if file.blocks.iter().all(|&size| size == 0) {
                    file.start = start;
                }
                file.blocks.push(size);
                Ok(raw)
            }
            Item::Hole { inode, length } => {
                let file = &mut self.files[inode];
                file.blocks.push(0);
                file.sparse += length;
                self.summary.sparse_bytes += length;
                Ok(length)
            }
            Item::Fragment {
                members,
                raw,
                result,
            } => {
                let stored = self.store(raw, &result)?;
                let index = self.fragments.len() as u32;
                self.fragments.push(stored);
                for (inode, offset) in members {
                    self.files[inode].fragment = Some((index, offset));
                }
                Ok(raw)
            }
            Item::Duplicate { inode, of, length } => {
                // Where the earlier one lies may still be open: its fragment is
                // stored later. So a reference is kept until the end.
                self.duplicates.push((inode, of));
                self.summary.duplicate_bytes += length;
                Ok(length)
            }
        }
    }

    /// Start and size of a block in the image.
    fn store(
        &mut self,
        raw: u64,
        result: &Receiver<Compressed>,
    ) -> Result<(u64, u32), SquashError> {
        let lost = || SquashError::Compressor("a compressing thread ended early".to_owned());
        let stored = result.recv().map_err(|_| lost())??;
        let start = self.out.position();
        self.out.append(&stored.bytes)?;
        let length = stored.bytes.len() as u32;
        match stored.reused {
            true => {
                self.summary.reused_bytes += raw;
                self.summary.reused_blocks += 1;
            }
            false => {
                self.summary.compressed_bytes += raw;
                self.summary.compressed_blocks += 1;
            }
        }
        self.shared.recycle(stored.bytes);
        match stored.compressed {
            true => Ok((start, length)),
            false => Ok((start, length | RAW)),
        }
    }

    fn finish(mut self) -> Data {
        for (inode, of) in self.duplicates {
            self.files[inode] = self.files[of].clone();
        }
        Data {
            files: self.files,
            fragments: self.fragments,
        }
    }
}

impl Shared<'_> {
    fn buffer(&self) -> Vec<u8> {
        lock(&self.buffers).pop().unwrap_or_default()
    }

    fn recycle(&self, mut buffer: Vec<u8>) {
        let mut buffers = lock(&self.buffers);
        if buffers.len() < 2 * self.options.threads {
            buffer.clear();
            buffers.push(buffer);
        }
    }
}

/// Another thread's panic is raised where that thread is joined.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A worker: compresses until there is nothing more.
fn compress_all(shared: &Shared<'_>) {
    let mut codec = Codec::new(shared.options.compression, shared.options.block_size);
    loop {
        let job = lock(&shared.jobs).recv();
        let Ok(job) = job else { return };
        if shared.stop.load(Ordering::Relaxed) {
            continue;
        }
        let result = match &mut codec {
            Ok(codec) => compress(shared, codec, job.raw),
            Err(error) => Err(SquashError::Compressor(error.to_string())),
        };
        // Nobody waits for it after an error elsewhere.
        job.result.send(result).ok();
    }
}

fn compress(shared: &Shared<'_>, codec: &mut Codec, raw: Vec<u8>) -> Compressed {
    let keyed = shared.session.map(|session| (session, session.key(&raw)));
    let found = keyed.and_then(|(session, key)| session.get(&key, shared.buffer()));
    match found {
        Some(Found::Compressed(bytes)) => {
            shared.recycle(raw);
            return Ok(Stored::new(bytes, true, true));
        }
        Some(Found::Incompressible) => return Ok(Stored::new(raw, false, true)),
        None => {}
    }
    let compressed = codec.compress(&raw)?;
    if let Some((session, key)) = keyed {
        session.put(key, compressed);
    }
    let Some(compressed) = compressed else {
        return Ok(Stored::new(raw, false, false));
    };
    let mut bytes = shared.buffer();
    bytes.extend(compressed);
    shared.recycle(raw);
    Ok(Stored::new(bytes, true, false))
}

impl Stored {
    fn new(bytes: Vec<u8>, compressed: bool, reused: bool) -> Self {
        Self {
            bytes,
            compressed,
            reused,
        }
    }
}
