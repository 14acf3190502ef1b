//! One file of compressed blocks.
//!
//! Layout: eight bytes of magic, then records one after the other: key (32
//! bytes), length (4), hash of both and of the content (12), hash of all these
//! (4), content. A length of zero says that the block does not get smaller.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{Timespec, Timestamps, UTIME_NOW, UTIME_OMIT};

use super::Found;
use super::folder::{index_path, pack_path};
use crate::SquashError;

const MAGIC: &[u8; 8] = b"ISMPACK1";
const INDEX_MAGIC: &[u8; 8] = b"ISMINDX1";
const HEAD: usize = 52;
const INDEX_ENTRY: usize = 44;
/// No compressed block is longer than SquashFS's biggest block.
const LONGEST: u32 = 1 << 20;

/// Stands for a block's content and all that shapes its compressed form.
pub(super) type Key = [u8; 32];

/// Where a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Place {
    at: u64,
    length: u32,
}

/// Blocks with their places, as found in a pack.
pub(super) type Places = Vec<(Key, Place)>;

/// A pack that is read.
#[derive(Debug)]
pub(super) struct Pack {
    file: Arc<File>,
    used: AtomicBool,
}

/// A pack that gets more blocks; nobody else adds to it meanwhile.
#[derive(Debug)]
pub(super) struct PackWriter {
    folder: PathBuf,
    number: u32,
    file: Arc<File>,
    end: u64,
    record: Vec<u8>,
}

impl Pack {
    /// Opens pack `number` and finds its blocks.
    pub(super) fn open(folder: &Path, number: u32) -> io::Result<(Self, Places)> {
        let file = File::open(pack_path(folder, number))?;
        let (places, _) = scan(&file, folder, number)?;
        Ok((Self::new(Arc::new(file)), places))
    }

    fn new(file: Arc<File>) -> Self {
        Self {
            file,
            used: AtomicBool::new(false),
        }
    }

    /// The file, to be read for an image.
    pub(super) fn used(&self) -> Arc<File> {
        self.used.store(true, Ordering::Relaxed);
        Arc::clone(&self.file)
    }

    /// Notes the use as the file's date. Failing that, the pack is only deleted
    /// earlier.
    pub(super) fn touch_if_used(&self) {
        if !self.used.swap(false, Ordering::Relaxed) {
            return;
        }
        let at = |tv_nsec| Timespec { tv_sec: 0, tv_nsec };
        let times = Timestamps {
            last_access: at(UTIME_OMIT),
            last_modification: at(UTIME_NOW),
        };
        rustix::fs::futimens(&*self.file, &times).ok();
    }
}

/// Reads and checks one record; `None` if it is damaged.
pub(super) fn read(file: &File, key: &Key, place: Place, mut buffer: Vec<u8>) -> Option<Found> {
    buffer.resize(HEAD + place.length as usize, 0);
    file.read_exact_at(&mut buffer, place.at).ok()?;
    let (head, content) = buffer.split_at(HEAD);
    if head != head_of(key, content) {
        return None;
    }
    if content.is_empty() {
        return Some(Found::Incompressible);
    }
    buffer.drain(..HEAD);
    Some(Found::Compressed(buffer))
}

impl PackWriter {
    /// Goes on with pack `number`, unless it is full, damaged at its start, gone
    /// or being written by someone else.
    pub(super) fn reopen(folder: &Path, number: u32, limit: u64) -> Option<(Self, Pack, Places)> {
        let path = pack_path(folder, number);
        let file = File::options().read(true).write(true).open(path).ok()?;
        file.try_lock().ok()?;
        let found = file.metadata().ok()?;
        if found.nlink() == 0 || found.len() >= limit {
            return None;
        }
        let (places, end) = scan(&file, folder, number).ok()?;
        // What a crash left behind.
        file.set_len(end).ok()?;
        let file = Arc::new(file);
        let writer = Self::new(folder, number, Arc::clone(&file), end);
        Some((writer, Pack::new(file), places))
    }

    /// Starts a pack with the first free number from `number` on.
    pub(super) fn create(
        folder: &Path,
        mut number: u32,
    ) -> Result<(Self, Pack, Places), SquashError> {
        loop {
            let path = pack_path(folder, number);
            let fail = SquashError::store(&path);
            let mut options = File::options();
            match options.read(true).write(true).create_new(true).open(&path) {
                Ok(file) => {
                    // Nobody else has had a reason to lock it.
                    file.lock().map_err(&fail)?;
                    file.write_all_at(MAGIC, 0).map_err(&fail)?;
                    let file = Arc::new(file);
                    let end = MAGIC.len() as u64;
                    let writer = Self::new(folder, number, Arc::clone(&file), end);
                    return Ok((writer, Pack::new(file), Vec::new()));
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(fail(error)),
            }
        }
    }

    fn new(folder: &Path, number: u32, file: Arc<File>, end: u64) -> Self {
        Self {
            folder: folder.to_owned(),
            number,
            file,
            end,
            record: Vec::new(),
        }
    }

    pub(super) fn number(&self) -> u32 {
        self.number
    }

    /// Length of the pack.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    pub(super) fn append(
        &mut self,
        key: &Key,
        compressed: Option<&[u8]>,
    ) -> Result<Place, SquashError> {
        let content = compressed.unwrap_or_default();
        self.record.clear();
        self.record.extend(head_of(key, content));
        self.record.extend(content);
        let path = pack_path(&self.folder, self.number);
        self.file
            .write_all_at(&self.record, self.end)
            .map_err(SquashError::store(&path))?;
        let place = Place {
            at: self.end,
            length: content.len() as u32,
        };
        self.end += self.record.len() as u64;
        Ok(place)
    }

    /// Writes the index beside the pack.
    pub(super) fn close<'a>(
        self,
        places: impl Iterator<Item = (&'a Key, &'a Place)>,
    ) -> Result<(), SquashError> {
        let path = index_path(&self.folder, self.number);
        let mut bytes = INDEX_MAGIC.to_vec();
        bytes.extend(self.end.to_le_bytes());
        for (key, place) in places {
            bytes.extend(key);
            bytes.extend(place.at.to_le_bytes());
            bytes.extend(place.length.to_le_bytes());
        }
        let hash = blake3::hash(&bytes);
        bytes.extend(hash.as_bytes());
        std::fs::write(&path, bytes).map_err(SquashError::store(&path))
    }
}

impl Drop for PackWriter {
    fn drop(&mut self) {
        // The pack keeps the file open for reading, and the lock with it.
        self.file.unlock().ok();
    }
}

/// What stands before a record's content.
fn head_of(key: &Key, content: &[u8]) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head[..32].copy_from_slice(key);
    head[32..36].copy_from_slice(&(content.len() as u32).to_le_bytes());
    let mut hasher = blake3::Hasher::new();
    hasher.update(&head[..36]).update(content);
    head[36..48].copy_from_slice(&hasher.finalize().as_bytes()[..12]);
    let check = blake3::hash(&head[..48]);
    head[48..].copy_from_slice(&check.as_bytes()[..4]);
    head
}

/// The records of a pack and where they end: those in its index, and whatever
/// came after it.
fn scan(file: &File, folder: &Path, number: u32) -> io::Result<(Places, u64)> {
    let mut magic = [0; MAGIC.len()];
    file.read_exact_at(&mut magic, 0)?;
    if &magic != MAGIC {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let length = file.metadata()?.len();
    let indexed = std::fs::read(index_path(folder, number)).ok();
    let indexed = indexed.and_then(|bytes| parse_index(&bytes));
    let indexed = indexed.filter(|(_, end)| *end <= length);
    let (mut places, mut at) = indexed.unwrap_or((Vec::new(), MAGIC.len() as u64));
    let mut head = [0; HEAD];
    while at + HEAD as u64 <= length {
        file.read_exact_at(&mut head, at)?;
        let Some((key, content)) = parse_head(&head) else {
            break;
        };
        let end = at + HEAD as u64 + u64::from(content);
        if end > length {
            break;
        }
        let place = Place {
            at,
            length: content,
        };
        places.push((key, place));
        at = end;
    }
    Ok((places, at))
}

/// Key and length, if the head is whole.
fn parse_head(head: &[u8; HEAD]) -> Option<(Key, u32)> {
    let check = blake3::hash(&head[..48]);
    let key = head[..32].try_into().ok()?;
    let length = u32::from_le_bytes(head[32..36].try_into().ok()?);
    (head[48..] == check.as_bytes()[..4] && length <= LONGEST).then_some((key, length))
}

fn parse_index(bytes: &[u8]) -> Option<(Places, u64)> {
    let (body, hash) = bytes.split_last_chunk::<32>()?;
    if blake3::hash(body).as_bytes() != hash {
        return None;
    }
    let body = body.strip_prefix(INDEX_MAGIC)?;
    let (end, entries) = body.split_first_chunk::<8>()?;
    let places = entries.chunks_exact(INDEX_ENTRY).map(|entry| {
        let key = entry[..32].try_into().ok()?;
        let place = Place {
            at: u64::from_le_bytes(entry[32..40].try_into().ok()?),
            length: u32::from_le_bytes(entry[40..].try_into().ok()?),
        };
        (place.length <= LONGEST).then_some((key, place))
    });
    let places: Option<Places> = places.collect();
    Some((places?, u64::from_le_bytes(*end)))
}
