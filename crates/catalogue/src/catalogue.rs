//! What the archives of a spec offer, kept up to date in the background.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use isosmith_protocol::ErrorView;
use isosmith_spec::model::BuildSpec;
use serde::{Deserialize, Serialize};

use crate::{
    fetch::Web,
    index::Index,
    load::{Came, Loader},
    pack,
    search::{self, Hits, Words},
    selection::Selection,
    sources::Sources,
    store::Store,
    trouble::{self, Outcome},
};

/// How far a catalogue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Everything that the sources have can be searched, or what they had the last time, while
    /// they are asked again.
    Ready,
    /// There is nothing yet, but something is on its way.
    Loading,
    /// Not every source could be read. What was read earlier is used, if anything was.
    Offline,
}

/// More about how far a catalogue is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// In one word.
    pub state: State,
    /// How many packages can be found.
    pub packages: usize,
    /// Grows each time when packages or versions may have changed: a [`Selection`] made before
    /// is out of date.
    pub generation: u64,
    /// Bytes of package lists that have come.
    pub done: u64,
    /// Bytes of package lists that are to come in all.
    pub total: u64,
    /// Why not everything is as the sources have it now.
    pub problems: Vec<ErrorView>,
}

/// What the archives of a spec offer.
///
/// It is there at once and fills in a thread of its own, which ends soon after the catalogue
/// does. For display only: checksums are checked against the archives' Release files, but not
/// the signatures of these. What is installed comes from the lists that the build itself fetches
/// and has apt verify.
#[derive(Debug)]
pub struct Catalogue {
    shared: Arc<Shared>,
    folder: PathBuf,
    sources: Sources,
}

#[derive(Debug)]
struct Shared {
    known: Mutex<Known>,
    changed: Condvar,
    cancel: AtomicBool,
}

#[derive(Debug, Default)]
struct Known {
    offer: Option<Arc<Offer>>,
    generation: u64,
    working: bool,
    came: Came,
    problems: Vec<ErrorView>,
}

/// One state of the archives.
#[derive(Debug)]
struct Offer {
    index: Arc<Index>,
    words: Words,
}

impl Catalogue {
    /// Begins with what `folder` has of earlier times, and asks `sources` what is new. The
    /// folder is made when it is needed; several catalogues may share it.
    pub fn open(folder: &Path, sources: Sources) -> Self {
        let shared = Shared {
            known: Mutex::default(),
            changed: Condvar::new(),
            cancel: AtomicBool::new(false),
        };
        let catalogue = Self {
            shared: Arc::new(shared),
            folder: folder.to_owned(),
            sources,
        };
        catalogue.refresh();
        catalogue
    }

    /// Asks the sources again what is new, unless that is being done.
    pub fn refresh(&self) {
        let mut known = self.shared.lock();
        if known.working {
            return;
        }
        known.working = true;
        drop(known);
        let shared = Arc::clone(&self.shared);
        let store = Store::new(&self.folder);
        let sources = self.sources.clone();
        let begun = thread::Builder::new()
            .name("catalogue".to_owned())
            .spawn(move || shared.work(&store, &sources));
        if let Err(error) = begun {
            let problem = trouble::internal("package lists cannot be loaded", error);
            self.shared.end(vec![*problem]);
        }
    }

    /// Where it takes packages from.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// How far it is, in one word.
    pub fn state(&self) -> State {
        self.shared.lock().state()
    }

    /// How far it is.
    pub fn status(&self) -> Status {
        let known = self.shared.lock();
        let offer = known.offer.as_ref();
        Status {
            state: known.state(),
            packages: offer.map_or(0, |offer| offer.index.rows().len()),
            generation: known.generation,
            done: known.came.done,
            total: known.came.total,
            problems: known.problems.clone(),
        }
    }

    /// Waits until the sources have been asked, at most for `most`.
    pub fn wait(&self, most: Duration) -> State {
        let known = self.shared.lock();
        let waited = self
            .shared
            .changed
            .wait_timeout_while(known, most, |known| known.working);
        let (known, _) = waited.unwrap_or_else(PoisonError::into_inner);
        known.state()
    }

    /// Packages whose name or description has every word of `query`, the best `limit` first:
    /// those that are named so, then those whose name begins so, has a word that begins so, has
    /// it somewhere, then those that are described so. Equals have the whole word first, then
    /// programs before libraries, short names before long ones, the alphabet. No words find
    /// nothing.
    ///
    /// `selection` says which packages are there already.
    pub fn search(&self, query: &str, limit: usize, selection: Option<&Selection>) -> Hits {
        let Some(offer) = self.offer() else {
            return Hits::default();
        };
        let there = |name: &str| selection.is_some_and(|selection| selection.has(name));
        search::search(&offer.index, &offer.words, query, limit, there)
    }

    /// Which packages `spec` comes to; `None` while there is nothing to choose from.
    pub fn select(&self, spec: &BuildSpec) -> Option<Selection> {
        let offer = self.offer()?;
        Some(Selection::new(Arc::clone(&offer.index), spec))
    }

    /// Bytes of memory that packages take.
    pub fn memory(&self) -> usize {
        self.offer()
            .map_or(0, |offer| offer.index.memory() + offer.words.memory())
    }

    fn offer(&self) -> Option<Arc<Offer>> {
        self.shared.lock().offer.clone()
    }
}

impl Drop for Catalogue {
    fn drop(&mut self) {
        self.shared.cancel.store(true, Ordering::Relaxed);
    }
}

impl Known {
    fn state(&self) -> State {
        match (&self.offer, self.working, self.problems.is_empty()) {
            (None, true, _) => State::Loading,
            (_, _, false) | (None, false, _) => State::Offline,
            (Some(_), _, true) => State::Ready,
        }
    }
}

impl Shared {
    /// What is behind the lock is whole between any two statements.
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self, store: &Store, sources: &Sources) {
        let broken = "the loading of package lists broke off";
        let mut ending = Ending {
            shared: self,
            problems: vec![*trouble::internal(broken, "see the log")],
        };
        ending.problems = match self.load(store, sources) {
            Ok(problems) => problems,
            Err(problem) => vec![*problem],
        };
    }

    fn load(&self, store: &Store, sources: &Sources) -> Outcome<Vec<ErrorView>> {
        let kept = store.index(&sources.id());
        let kept = kept.and_then(|bytes| pack::read(&bytes));
        let key = kept.as_ref().map(|(_, key)| *key);
        if let Some((index, _)) = kept
            && self.lock().offer.is_none()
        {
            self.publish(index);
        }
        let web = Web::new(sources.proxy.as_deref(), &self.cancel)?;
        let loader = Loader {
            sources,
            store,
            web: &web,
            came: &mut |came| self.lock().came = came,
        };
        let loaded = loader.run(key)?;
        if let Some(index) = loaded.index {
            self.publish(index);
        }
        Ok(loaded.problems)
    }

    fn publish(&self, index: Index) {
        let words = Words::new(&index);
        let mut known = self.lock();
        known.offer = Some(Arc::new(Offer {
            index: Arc::new(index),
            words,
        }));
        known.generation += 1;
    }

    fn end(&self, problems: Vec<ErrorView>) {
        let mut known = self.lock();
        known.problems = problems;
        known.working = false;
        self.changed.notify_all();
    }
}

/// Marks the work as over, once, even after a panic: nobody shall wait for ever.
struct Ending<'a> {
    shared: &'a Shared,
    problems: Vec<ErrorView>,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.shared.end(std::mem::take(&mut self.problems));
    }
}
