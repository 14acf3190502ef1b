//! What the window holds: drafts, catalogues, pictures, settings, history, and the builds that
//! it follows. Commands are calls of this; it says what happens through [`Say`].

mod builds;
mod drafts;
mod follow;
mod history;
mod packages;
mod start;

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use isosmith_protocol::BuildId;
use isosmith_studio::{Drafts, History, Pictures, Places, Recent, Renderer, model::Settings};

use crate::{
    builder::Builder,
    desktop::Desktop,
    fault::{Answer, Fault},
};

use packages::Catalogues;
use start::Reachable;

/// What the page is told without having asked.
pub trait Say: Send + Sync {
    /// The window is to close while a build runs.
    fn closing(&self);

    /// Files were dropped onto the window.
    fn dropped(&self, paths: &[String]);

    /// A file is to be opened.
    fn open(&self, path: &str);
}

/// What the window holds.
pub struct Controller {
    places: Places,
    builder: Arc<dyn Builder>,
    desktop: Box<dyn Desktop>,
    page: Box<dyn Say>,
    settings: Mutex<Settings>,
    drafts: Mutex<Drafts>,
    recent: Recent,
    pictures: Pictures,
    renderer: Mutex<Renderer>,
    catalogues: Catalogues,
    history: Mutex<History>,
    service: Reachable,
    /// Builds whose events go into the history at this moment.
    followed: Mutex<BTreeSet<BuildId>>,
    unfollowed: Condvar,
    /// How many hundredths of each followed build that has begun are done.
    progress: Mutex<BTreeMap<BuildId, u8>>,
    /// Counts the page's streams of events: only the newest one is wanted.
    streams: AtomicU64,
    focused: AtomicBool,
    /// Whether the page was told that the window is to close, and has not decided yet.
    asked: AtomicBool,
    /// What is to be opened as soon as the page listens; [`None`] once it does.
    waiting: Mutex<Option<Vec<String>>>,
}

impl Controller {
    /// Opens what was kept of earlier times; begins to follow builds that still run.
    pub fn new(
        places: Places,
        builder: Arc<dyn Builder>,
        desktop: Box<dyn Desktop>,
        page: Box<dyn Say>,
    ) -> Arc<Self> {
        let (settings, odd) = Settings::load(&places);
        let (history, lost) = History::open(&places);
        for fault in odd.iter().chain(&lost) {
            tracing::warn!(error = ?fault, "something kept could not be used");
        }
        let controller = Arc::new(Self {
            service: Reachable::ask(&builder),
            recent: Recent::new(&places),
            pictures: Pictures::new(&places),
            renderer: Mutex::new(Renderer::new()),
            catalogues: Catalogues::new(&places.cache),
            drafts: Mutex::new(Drafts::new(places.clone(), &settings)),
            settings: Mutex::new(settings),
            history: Mutex::new(history),
            followed: Mutex::default(),
            unfollowed: Condvar::new(),
            progress: Mutex::default(),
            streams: AtomicU64::new(0),
            focused: AtomicBool::new(false),
            asked: AtomicBool::new(false),
            waiting: Mutex::new(Some(Vec::new())),
            places,
            builder,
            desktop,
            page,
        });
        let found = Arc::clone(&controller);
        std::thread::spawn(move || found.follow_running());
        controller
    }

    /// The window has or has not the focus now.
    pub fn focused(&self, focused: bool) {
        self.focused.store(focused, Ordering::Relaxed);
    }

    /// Whether closing must wait until the person has decided what becomes of the build; asks
    /// them then. Who closes it once more without deciding has decided.
    pub fn asks_before_closing(&self) -> bool {
        if locked(&self.followed).is_empty() || self.asked.swap(true, Ordering::Relaxed) {
            return false;
        }
        self.page.closing();
        true
    }

    /// The person was asked and stays.
    pub fn stays(&self) {
        self.asked.store(false, Ordering::Relaxed);
    }

    /// Files were dropped onto the window.
    pub fn dropped(&self, paths: &[PathBuf]) {
        let paths: Vec<String> = paths.iter().map(|path| text(path)).collect();
        self.page.dropped(&paths);
    }

    /// Opens a file, now or as soon as the page listens.
    pub fn open(&self, path: &Path) {
        let path = text(path);
        match &mut *locked(&self.waiting) {
            Some(waiting) => waiting.push(path),
            None => self.page.open(&path),
        }
    }

    /// The page hears from now on.
    pub fn page_listens(&self) {
        let waiting = locked(&self.waiting).take();
        for path in waiting.iter().flatten() {
            self.page.open(path);
        }
    }

    /// The window's settings.
    pub fn settings(&self) -> Settings {
        locked(&self.settings).clone()
    }

    /// Writes settings and uses them from now on.
    ///
    /// # Errors
    ///
    /// When they are no settings or cannot be written; the old ones stay.
    pub fn set_settings(&self, settings: Settings) -> Answer<()> {
        settings.save(&self.places)?;
        locked(&self.drafts).set_settings(&settings);
        *locked(&self.settings) = settings;
        Ok(())
    }
}

/// What is behind the window's locks is whole between any two statements, so a panic in one
/// command does not end all others.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A path as the page gets it. What is no text is shown with replacements; it cannot be opened
/// then, and is said not to be there.
fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// The page names something that is not there.
fn no_such_build(id: &str) -> Fault {
    Fault::new(
        isosmith_protocol::Code::NoSuchBuild,
        format!("there is no build {id}"),
        "Look into the history.",
    )
}
