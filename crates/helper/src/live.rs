//! One run of a build, as viewers see it: its journal on disk, and in memory what may be lost.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use isosmith_engine::{Failure, journal::Journal};
use isosmith_protocol::{BuildId, BuildResult, EPOCH, Event, EventKind, Isolation, REVISION};

/// Viewers of one person on one build.
pub const MOST_VIEWERS: usize = 32;

/// What the first event of every stream says.
#[derive(Debug, Clone)]
pub struct Greeting {
    /// Which build.
    pub build: BuildId,
    /// The profile's name.
    pub profile: String,
    /// Seconds since 1970.
    pub started: u64,
    /// In what it is kept.
    pub isolation: Isolation,
}

impl Greeting {
    /// As an event.
    pub fn event(&self) -> Event {
        Event {
            seq: 0,
            at_ms: 0,
            kind: EventKind::Hello {
                epoch: EPOCH,
                revision: REVISION,
                version: env!("CARGO_PKG_VERSION").to_owned(),
                build: self.build.clone(),
                profile: self.profile.clone(),
                started: self.started,
                isolation: self.isolation,
            },
        }
    }
}

/// See the module.
#[derive(Debug)]
pub struct Live {
    journal: PathBuf,
    shared: Mutex<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    journal: Option<Journal>,
    /// Whether the journal on disk is this run's.
    begun: bool,
    over: bool,
    /// Of the last event in the journal.
    written: Option<u64>,
    /// Of the next event, if it comes from here.
    next: u64,
    at: Option<Instant>,
    /// The last word of each kind that may be lost.
    lossy: BTreeMap<String, Event>,
    bells: BTreeMap<u64, Rope>,
    next_bell: u64,
}

#[derive(Debug)]
struct Rope {
    uid: u32,
    pull: UnixStream,
}

/// What a viewer finds at the journal's end.
#[derive(Debug, Default)]
pub struct Glance {
    /// Whether there is a journal to read.
    pub begun: bool,
    /// Whether the journal has got its ending.
    pub over: bool,
    /// Of the last event in the journal.
    pub written: Option<u64>,
    /// The last words that may be lost, in order.
    pub lossy: Vec<Event>,
}

impl Live {
    /// A run that waits; its journal will be at `journal`.
    pub fn waiting(journal: &Path) -> Arc<Self> {
        Arc::new(Self {
            journal: journal.to_owned(),
            shared: Mutex::default(),
        })
    }

    /// A run that is over, with its journal.
    pub fn over(journal: &Path) -> Arc<Self> {
        let live = Self::waiting(journal);
        let mut shared = live.shared();
        shared.begun = true;
        shared.over = true;
        drop(shared);
        live
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the journal is.
    pub fn journal(&self) -> &Path {
        &self.journal
    }

    /// Begins the journal; the last run's is set aside.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn begin(&self) -> Result<(), Failure> {
        let journal = Journal::begin(&self.journal)?;
        let mut shared = self.shared();
        shared.journal = Some(journal);
        shared.begun = true;
        shared.at = Some(Instant::now());
        Ok(())
    }

    /// Takes an event: into the journal first, then to whoever watches.
    ///
    /// # Errors
    ///
    /// When the journal cannot be written; viewers miss the event then.
    pub fn tell(&self, event: &Event) -> io::Result<()> {
        let mut shared = self.shared();
        shared.next = event.seq + 1;
        let written = match key(&event.kind) {
            Some(key) => {
                shared.lossy.insert(key, event.clone());
                Ok(())
            }
            None => shared.write(event),
        };
        if let EventKind::StepFinished { step, .. } | EventKind::StepRetried { step, .. } =
            &event.kind
        {
            shared.lossy.remove(step.as_str());
        }
        shared.ring();
        written
    }

    /// Writes the ending, and before it a beginning if there was none.
    ///
    /// # Errors
    ///
    /// When the journal cannot be written.
    pub fn end(&self, greeting: &Greeting, result: &BuildResult) -> io::Result<()> {
        let mut shared = self.shared();
        let mut written = Ok(());
        if shared.next == 0 {
            written = shared.write(&greeting.event());
            shared.next = 1;
        }
        let passed = shared.at.map(|at| at.elapsed().as_millis());
        let event = Event {
            seq: shared.next,
            at_ms: passed.and_then(|ms| u64::try_from(ms).ok()).unwrap_or(0),
            kind: EventKind::Finished {
                result: result.clone(),
            },
        };
        written = written.and(shared.write(&event));
        shared.lossy.clear();
        shared.journal = None;
        shared.over = true;
        shared.ring();
        written
    }

    /// What there is now.
    pub fn glance(&self) -> Glance {
        let shared = self.shared();
        let mut lossy: Vec<_> = shared.lossy.values().cloned().collect();
        lossy.sort_by_key(|event| event.seq);
        Glance {
            begun: shared.begun,
            over: shared.over,
            written: shared.written,
            lossy,
        }
    }

    /// How many viewers `uid` has here.
    pub fn viewers_of(&self, uid: u32) -> usize {
        let shared = self.shared();
        let ropes = shared.bells.values();
        ropes.filter(|rope| rope.uid == uid).count()
    }

    /// A bell for one more viewer; `None` when `uid` has enough of them.
    ///
    /// # Errors
    ///
    /// When there are no more descriptors.
    pub fn watch(self: &Arc<Self>, uid: u32) -> io::Result<Option<Bell>> {
        let mut shared = self.shared();
        let of_uid = shared.bells.values().filter(|rope| rope.uid == uid);
        if of_uid.count() >= MOST_VIEWERS {
            return Ok(None);
        }
        let (pull, sound) = UnixStream::pair()?;
        pull.set_nonblocking(true)?;
        sound.set_nonblocking(true)?;
        let number = shared.next_bell;
        shared.next_bell += 1;
        shared.bells.insert(number, Rope { uid, pull });
        Ok(Some(Bell {
            live: self.clone(),
            number,
            sound,
        }))
    }
}

impl Shared {
    fn write(&mut self, event: &Event) -> io::Result<()> {
        let Some(journal) = &mut self.journal else {
            return Ok(());
        };
        journal.write(event)?;
        self.written = Some(event.seq);
        Ok(())
    }

    fn ring(&mut self) {
        for rope in self.bells.values_mut() {
            // A full bell rings already.
            let _ = rope.pull.write(&[1]);
        }
    }
}

/// Rings when there is something new.
#[derive(Debug)]
pub struct Bell {
    live: Arc<Live>,
    number: u64,
    sound: UnixStream,
}

impl Bell {
    /// What it belongs to.
    pub fn live(&self) -> &Live {
        &self.live
    }

    /// Readable when it rings.
    pub fn sound(&self) -> &UnixStream {
        &self.sound
    }

    /// Silences it until there is something new.
    pub fn silence(&self) {
        let mut rung = [0; 64];
        while io::Read::read(&mut &self.sound, &mut rung).is_ok_and(|count| count > 0) {}
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        self.live.shared().bells.remove(&self.number);
    }
}

/// What later events of the same kind replace.
fn key(kind: &EventKind) -> Option<String> {
    match kind {
        EventKind::Progress { step, .. } => Some(step.as_str().to_owned()),
        // No step is called that.
        EventKind::Metrics { .. } => Some(" metrics".to_owned()),
        EventKind::Hello { .. }
        | EventKind::Planned { .. }
        | EventKind::StepStarted { .. }
        | EventKind::Log { .. }
        | EventKind::Warned { .. }
        | EventKind::StepRetried { .. }
        | EventKind::Asked { .. }
        | EventKind::Answered { .. }
        | EventKind::SessionWatched { .. }
        | EventKind::SessionChanged { .. }
        | EventKind::StepFinished { .. }
        | EventKind::Finished { .. }
        | EventKind::Unknown => None,
    }
}
