//! One build, seen from outside its namespaces: begin it, follow it, know how it ended.
//!
//! The command line and the system service start builds in the same way; what differs is who
//! asks, where the profile's files come from and who takes the ISO. That is theirs; this is
//! what is between.
//!
//! **Invariant:** a build that is begun here has an ending in its journal when
//! [`Build::follow`] returns, however it died.

mod inside;
mod owners;

use std::{
    fs::{self, File},
    io::BufReader,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use isosmith_engine::{Failure, Work, journal::Journal};
use isosmith_host::{
    fs::{Confined, LockGuard, lock_exclusive},
    worker::{Ids, Worker},
};
use isosmith_protocol::{BuildId, BuildResult, Code, Control, Event, EventKind, Isolation, line};
use isosmith_recipe::Order;
use serde::{Deserialize, Serialize};

pub use inside::inside;
pub use isosmith_host::worker::Ender;

/// Held by whoever builds in a folder.
const LOCK: &str = "build.lock";

/// What crosses into the namespaces, and what a resumed build begins with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Which build.
    pub id: BuildId,
    /// Folder of all builds.
    pub state: PathBuf,
    /// Folder of downloads and finished layers.
    pub cache: PathBuf,
    /// The profile's name.
    pub profile: String,
    /// What to build.
    pub order: Order,
    /// Whether to log why a result does not come from the cache.
    pub explain_cache: bool,
    /// Whether somebody can answer questions.
    pub attended: bool,
    /// Where the ISO goes, for a build that is resumed; `None` if only a descriptor says so.
    pub output: Option<PathBuf>,
}

impl Job {
    /// The build's paths.
    pub fn work(&self) -> Work {
        Work::new(&self.state, &self.cache, &self.id)
    }
}

/// A job on its way in. How it is kept in belongs to this run, not to the job: a build may be
/// resumed after the kernel has changed.
#[derive(Debug, Serialize, Deserialize)]
struct Entry<J> {
    job: J,
    isolation: Isolation,
}

/// Locks the folders that builds happen in: one build at a time in each, because whoever
/// begins sweeps away what the dead have left there half-made.
///
/// # Errors
///
/// [`Code::Locked`] when another build runs there.
pub fn lock(state: &Path, cache: &Path) -> Result<[LockGuard; 2], Failure> {
    Ok([lock_folder(state)?, lock_folder(cache)?])
}

fn lock_folder(folder: &Path) -> Result<LockGuard, Failure> {
    fs::create_dir_all(folder).map_err(|error| Failure::io_at("make", folder, error))?;
    lock_exclusive(&folder.join(LOCK))?.ok_or_else(|| {
        Failure::new(
            Code::Locked,
            format!("another build is running in {}", folder.display()),
            "Wait for it, stop it with `isosmith cancel ID`, or choose other folders with --state-dir and --cache-dir.",
        )
    })
}

/// An id for a build that begins now.
pub fn new_id(profile: &str) -> BuildId {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    // Two builds in the same second differ in their fractions.
    BuildId::compose(now.as_secs(), profile, now.subsec_micros() as u16)
}

/// Removes the folder of a build that never began.
pub fn forget(work: &Work) {
    let removed = Confined::new(work.state()).and_then(|state| state.remove_tree(&work.build()));
    if let Err(error) = removed {
        tracing::warn!(%error, "the folder of a build that never began is left");
    }
}

/// Removes private keys that were copied into the folder of a build; one that is not finished
/// needs them when it is gone on with.
fn forget_secrets(work: &Work, secrets: &[PathBuf]) {
    for file in secrets {
        let removed = Confined::new(&work.build()).and_then(|build| build.remove_tree(file));
        if let Err(error) = removed {
            tracing::warn!(%error, "the copy of a private key is left in the folder of the build");
        }
    }
}

/// A build at work.
#[derive(Debug)]
pub struct Build {
    work: Work,
    worker: Worker,
    events: BufReader<File>,
    control: Option<Controls>,
    /// Files that must not outlast a build that has succeeded.
    secrets: Vec<PathBuf>,
}

/// The way to tell a running build something.
#[derive(Debug)]
pub struct Controls(File);

impl Controls {
    /// Tells it. A build that has ended does not listen, which is no error.
    pub fn tell(&mut self, control: &Control) {
        if let Err(error) = line::write(&mut self.0, control) {
            tracing::debug!(%error, "the build does not listen");
        }
    }
}

impl Build {
    /// Starts `job` in its namespaces. The caller holds the folders' [`lock`] until the build
    /// is over. How strongly the build is kept in is said by [`Ids::isolation`], and by the
    /// first of its events.
    ///
    /// # Errors
    ///
    /// When folders cannot be handed to the ids inside, or the kernel refuses a namespace.
    pub fn begin(job: &Job, ids: &Ids) -> Result<Self, Failure> {
        let work = job.work();
        owners::drop_strange_entries(&work, ids)?;
        owners::give_away(job, &work, ids)?;
        let entry = Entry {
            job,
            isolation: ids.isolation(),
        };
        let text = serde_json::to_string(&entry).map_err(|error| {
            Failure::plain(Code::Internal, "the job cannot be written").because(error)
        })?;
        let folders = [job.state.clone(), job.cache.clone()];
        let started = Worker::start(ids, &folders, text)?;
        Ok(Self {
            work,
            worker: started.worker,
            events: BufReader::new(started.events),
            control: Some(Controls(started.control)),
            secrets: job.order.materials.secrets().map(Path::to_owned).collect(),
        })
    }

    /// The way to tell it something; there is one.
    pub fn controls(&mut self) -> Option<Controls> {
        self.control.take()
    }

    /// The way to end it, for when it does not do as it is told.
    pub fn ender(&self) -> Ender {
        self.worker.ender()
    }

    /// Hands every event but the last to `tell`, and returns how the build ended.
    pub fn follow(self, tell: &mut dyn FnMut(&Event)) -> BuildResult {
        let Self {
            work,
            mut worker,
            mut events,
            control,
            secrets,
        } = self;
        let mut result = None;
        while let Ok(Some(event)) = line::read::<Event>(&mut events) {
            if let EventKind::Finished { result: end } = &event.kind {
                result = Some(end.clone());
            } else {
                tell(&event);
            }
        }
        // Closed, so that a worker that speaks nonsense does not wait for a reader for ever.
        drop((events, control));
        let _ = worker.wait();
        if let Some(BuildResult::Succeeded { .. }) = &result {
            forget_secrets(&work, &secrets);
        }
        result.unwrap_or_else(|| {
            // It died without a word: killed, or out of memory.
            if let Err(failure) = Journal::interrupted(&work.build()) {
                tracing::warn!(%failure, "a dead build's journal could not be ended");
            }
            BuildResult::Interrupted
        })
    }
}
