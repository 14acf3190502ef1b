//! What only the supervisor can see of a build: the session around it, and the machine.

use std::{
    sync::{
        Arc,
        mpsc::{self, RecvTimeoutError, SyncSender},
    },
    thread,
    time::{Duration, Instant},
};

use isosmith_engine::Work;
use isosmith_protocol::{Control, EventKind};
use isosmith_session::{Guard, Meter, Roots};
use isosmith_supervise::Ender;

use crate::builds::{Builds, Turn};

const EVERY: Duration = Duration::from_secs(1);

/// How long a build that is to stop may take to do so by itself.
const PATIENCE: Duration = Duration::from_secs(10);

/// Notes are taken until this is dropped.
#[derive(Debug)]
pub struct Notes {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Notes {
    /// Begins to watch for the build of `turn`, and tells it what is seen. If it is to stop and
    /// does not, it is ended.
    pub fn begin(
        builds: Arc<Builds>,
        turn: &Turn,
        work: &Work,
        tell: SyncSender<Control>,
        ender: Ender,
    ) -> Self {
        let (stop, stopped) = mpsc::channel::<()>();
        let (id, uid, folder) = (turn.id.clone(), turn.owner.uid, work.build());
        let thread = thread::spawn(move || {
            // A build that does not listen misses notes, and nobody waits for it.
            let note = |event| drop(tell.try_send(Control::Note { event }));
            let (mut guard, watched) = Guard::begin(&Roots::default(), uid);
            note(watched);
            let mut meter = Meter::new(&folder);
            let mut look = |metrics: bool| {
                for change in guard.check() {
                    builds.session_changed(&id, change.clone());
                    note(EventKind::SessionChanged { change });
                }
                if metrics {
                    let metrics = meter.read();
                    note(EventKind::Metrics { metrics });
                }
            };
            let mut since: Option<Instant> = None;
            while stopped.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                look(true);
                if !builds.is_cancelled(&id) {
                    continue;
                }
                if since.get_or_insert_with(Instant::now).elapsed() >= PATIENCE {
                    ender.end();
                }
            }
            // Whatever happened at the very end counts too.
            look(false);
        });
        Self {
            stop: Some(stop),
            thread: Some(thread),
        }
    }
}

impl Drop for Notes {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::warn!("the watch over the session has broken");
        }
    }
}
