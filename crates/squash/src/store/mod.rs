//! Compressed blocks, kept by content for later images.
//!
//! A folder of packs, each with an index beside it that only saves time. A crash
//! at any moment costs at most the blocks that were being added: a torn end is
//! ignored, and every block is checked against its hash when it is used, so a
//! damaged one is compressed anew. The folder is trusted as far as its owner: a
//! hash shows damage, not malice.

mod folder;
mod pack;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::SquashError;
use pack::{Key, Pack, PackWriter, Place};

/// A pack that has grown to this many bytes gets no more blocks.
const PACK_LIMIT: u64 = 64 << 20;

/// A folder with compressed blocks. Several programs may use it at once.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    max_bytes: u64,
    state: RwLock<State>,
}

#[derive(Debug, Default)]
struct State {
    packs: BTreeMap<u32, Pack>,
    /// Number of the pack and place in it.
    index: HashMap<Key, (u32, Place)>,
    /// Records that were found damaged. Their pack's own index still has them.
    damaged: HashSet<(u32, Place)>,
    writer: Option<PackWriter>,
    /// Why nothing is added any more.
    trouble: Option<String>,
}

/// What the store knows about a block.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Compressed(Vec<u8>),
    /// Compressing does not make it smaller.
    Incompressible,
}

impl Store {
    /// Opens the store in `folder`, which is created if needed. After each image
    /// the packs that were not used for longest are deleted until all together
    /// have at most `max_bytes`.
    ///
    /// # Errors
    /// A folder that cannot be created or listed. Damaged packs are no error.
    pub fn open(folder: &Path, max_bytes: u64) -> Result<Self, SquashError> {
        std::fs::create_dir_all(folder).map_err(SquashError::store(folder))?;
        let mut state = State::default();
        for number in folder::numbers(folder)? {
            // One that another program has just deleted, or cannot be read, is
            // no loss.
            let Ok((pack, places)) = Pack::open(folder, number) else {
                continue;
            };
            let places = places.into_iter();
            state
                .index
                .extend(places.map(|(key, place)| (key, (number, place))));
            state.packs.insert(number, pack);
        }
        Ok(Self {
            folder: folder.to_owned(),
            max_bytes,
            state: RwLock::new(state),
        })
    }

    /// How many blocks it knows.
    #[must_use]
    pub fn blocks(&self) -> usize {
        self.read().index.len()
    }

    fn get(&self, key: &Key, buffer: Vec<u8>) -> Option<Found> {
        let (number, place, file) = {
            let state = self.read();
            let &(number, place) = state.index.get(key)?;
            (number, place, state.packs.get(&number)?.used())
        };
        let found = pack::read(&file, key, place, buffer);
        if found.is_none() {
            // Not to be found again, and to be replaced.
            let mut state = self.write();
            state.damaged.insert((number, place));
            if state.index.get(key) == Some(&(number, place)) {
                state.index.remove(key);
            }
        }
        found
    }

    fn knows(&self, key: &Key) -> bool {
        self.read().index.contains_key(key)
    }

    fn put(&self, key: Key, compressed: Option<&[u8]>) {
        let mut state = self.write();
        if state.trouble.is_some() || state.index.contains_key(&key) {
            return;
        }
        if let Err(error) = self.append(&mut state, key, compressed) {
            state.trouble = Some(error.to_string());
        }
    }

    fn append(
        &self,
        state: &mut State,
        key: Key,
        compressed: Option<&[u8]>,
    ) -> Result<(), SquashError> {
        let full = state
            .writer
            .as_ref()
            .is_some_and(|writer| writer.end() >= PACK_LIMIT);
        if full {
            self.close_pack(state)?;
        }
        let mut writer = match state.writer.take() {
            Some(writer) => writer,
            None => self.open_pack(state)?,
        };
        let place = writer.append(&key, compressed)?;
        state.index.insert(key, (writer.number(), place));
        state.writer = Some(writer);
        Ok(())
    }

    /// Goes on with the newest pack if it has room and nobody else writes to it,
    /// else starts one.
    fn open_pack(&self, state: &mut State) -> Result<PackWriter, SquashError> {
        let newest = state.packs.last_key_value().map(|(&number, _)| number);
        let again = newest.and_then(|number| PackWriter::reopen(&self.folder, number, PACK_LIMIT));
        let (writer, pack, places) = match again {
            Some(found) => found,
            None => PackWriter::create(&self.folder, newest.map_or(1, |number| number + 1))?,
        };
        let number = writer.number();
        for (key, place) in places {
            // What was found damaged a moment ago is about to be replaced.
            if !state.damaged.contains(&(number, place)) {
                state.index.entry(key).or_insert((number, place));
            }
        }
        state.packs.insert(number, pack);
        Ok(writer)
    }

    fn close_pack(&self, state: &mut State) -> Result<(), SquashError> {
        let Some(writer) = state.writer.take() else {
            return Ok(());
        };
        let number = writer.number();
        let places = state.index.iter();
        let places = places.filter(|(_, (pack, _))| *pack == number);
        writer.close(places.map(|(key, (_, place))| (key, place)))
    }

    /// After an image: index, dates of use, size.
    fn settle(&self) -> Option<String> {
        let mut state = self.write();
        let closed = self.close_pack(&mut state);
        for pack in state.packs.values() {
            pack.touch_if_used();
        }
        let removed = folder::shrink(&self.folder, self.max_bytes);
        let trouble = state.trouble.take();
        let trouble = trouble.or_else(|| closed.err().map(|error| error.to_string()));
        match removed {
            Ok(numbers) => {
                state.packs.retain(|number, _| !numbers.contains(number));
                state
                    .index
                    .retain(|_, (number, _)| !numbers.contains(number));
                trouble
            }
            Err(error) => trouble.or_else(|| Some(error.to_string())),
        }
    }

    // The state is whole between any two statements that could panic.
    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The store as one image uses it.
#[derive(Debug)]
pub(crate) struct Session<'a> {
    store: &'a Store,
    domain: [u8; 32],
}

impl<'a> Session<'a> {
    /// `domain` stands for all but the content that shapes a compressed block.
    pub(crate) fn new(store: &'a Store, domain: [u8; 32]) -> Self {
        Self { store, domain }
    }

    pub(crate) fn key(&self, raw: &[u8]) -> Key {
        blake3::keyed_hash(&self.domain, raw).into()
    }

    /// The block's compressed form, in `buffer`, if it is known and sound.
    pub(crate) fn get(&self, key: &Key, buffer: Vec<u8>) -> Option<Found> {
        self.store.get(key, buffer)
    }

    /// Whether the block's compressed form is known; it may still be found damaged.
    pub(crate) fn knows(&self, key: &Key) -> bool {
        self.store.knows(key)
    }

    /// Keeps a compressed form; `None` for one that is not smaller.
    pub(crate) fn put(&self, key: Key, compressed: Option<&[u8]>) {
        self.store.put(key, compressed);
    }

    /// Says why something could not be kept.
    pub(crate) fn finish(self) -> Option<String> {
        self.store.settle()
    }
}

#[cfg(test)]
mod tests;
