//! One build from its beginning to its only ending.

use std::{
    io::Read,
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::Duration,
};

use isosmith_host::{Cancel, Host, fs::LockGuard};
use isosmith_protocol::{BuildId, BuildResult, ErrorMode, EventKind, Isolation};

use crate::{
    build::Build,
    clean, control,
    failure::Failure,
    journal::Journal,
    report::{Sink, Voice},
    step::Recipe,
    work::{Work, make},
};

/// How a build is to be done.
#[derive(Debug, Clone)]
pub struct Options {
    /// Which build.
    pub build: BuildId,
    /// The profile's name.
    pub profile: String,
    /// Isosmith's version.
    pub version: String,
    /// What to do about a failure.
    pub error_mode: ErrorMode,
    /// Whether to log why a result does not come from the cache.
    pub explain_cache: bool,
    /// The most that the cache takes once the build has succeeded, in bytes.
    pub cache_limit: Option<u64>,
    /// In what the build is kept; whoever starts it knows.
    pub isolation: Isolation,
    /// The pause before the second attempt; four times that before the third. Up to a
    /// quarter is added by chance, so that many builds do not come back at once.
    pub retry_wait: Duration,
    /// How long a question waits for an answer.
    pub answer_wait: Duration,
}

impl Options {
    /// The usual way.
    pub fn new(build: BuildId, profile: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            build,
            profile: profile.into(),
            version: version.into(),
            error_mode: ErrorMode::Graceful,
            explain_cache: false,
            cache_limit: None,
            isolation: Isolation::Namespace,
            answer_wait: Duration::from_secs(30 * 60),
            retry_wait: Duration::from_secs(1),
        }
    }
}

/// Runs every step of `recipe` and says how it ended; the journal and `sink` get the same
/// ending, once, whatever happens. `state` is what the steps hand to each other.
///
/// Takes the build's lock and a share of the cache's; an older journal of the same build is
/// set aside. `control` carries [`isosmith_protocol::Control`]s; with it the build may ask
/// questions.
pub fn run<R>(
    recipe: &Recipe<R>,
    state: &mut R,
    host: &dyn Host,
    work: &Work,
    options: &Options,
    control: Option<Box<dyn Read + Send>>,
    sink: &mut dyn Sink,
) -> BuildResult {
    let (journal, prepared) = match prepare(recipe, work) {
        Ok((journal, locks)) => (Some(journal), Ok(locks)),
        Err(failure) => (None, Err(failure)),
    };
    let (voice, scribe) = Voice::new(journal, sink);
    thread::scope(|scope| {
        scope.spawn(|| scribe.run());
        let (over, still_running) = mpsc::channel::<()>();
        scope.spawn(move || watch_for_cancel(work, host.cancel(), &still_running));

        let mut build = Build::new(recipe, host, work, options, voice.clone());
        // Viewers get a beginning even if there is nothing but an end to follow it.
        let greeted = build.hello(state);
        // Not before: nothing that a supervisor notes may come between greeting and plan.
        if let Some(control) = control {
            build.attend(control::listen(control, &voice, host.cancel()));
        }
        let result = match (&prepared, greeted) {
            (Ok(_locks), Ok(())) => build.run(state),
            (Err(failure), _) => build.failed(failure.clone()),
            (Ok(_locks), Err(failure)) => build.failed(failure),
        };
        // A journal that cannot take its ending gets one from whoever finds it.
        let _ = voice.tell(EventKind::Finished {
            result: result.clone(),
        });
        // Not before: a journal without an ending whose lock is free is a dead build's.
        drop(prepared);
        drop(over);
        result
    })
}

/// Held while a build runs.
type Locks = (LockGuard, LockGuard);

fn prepare<R>(recipe: &Recipe<R>, work: &Work) -> Result<(Journal, Locks), Failure> {
    recipe.check()?;
    make(&work.build())?;
    make(work.cache())?;
    let locks = (work.lock_build()?, work.share_cache()?);
    work.create()?;
    clean::sweep(work);
    make(&work.partial())?;
    Ok((Journal::begin(&work.journal())?, locks))
}

/// Turns the flag in the build's folder into a cancel, until the other end of `running` is
/// dropped.
fn watch_for_cancel(work: &Work, cancel: &Cancel, running: &Receiver<()>) {
    while running.recv_timeout(Duration::from_millis(100)) == Err(RecvTimeoutError::Timeout) {
        if work.cancel_requested() {
            cancel.cancel();
        }
    }
}
