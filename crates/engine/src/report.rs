//! How steps say something, from any thread, and how it gets to the journal and the viewer.

use std::{
    collections::BTreeMap,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender},
    time::{Duration, Instant},
};

use isosmith_protocol::{Event, EventKind, Level, StepId, Stream, Unit, line};

use crate::{failure::Failure, journal::Journal};

/// Whoever is told about a build while it runs, after the journal.
pub trait Sink: Send {
    /// Takes an event. A panic here silences the sink, not the build.
    fn event(&mut self, event: &Event);
}

impl<F: FnMut(&Event) + Send> Sink for F {
    fn event(&mut self, event: &Event) {
        self(event);
    }
}

/// Says things in the name of one step. Clones may go to other threads.
#[derive(Debug, Clone)]
pub struct Reporter {
    voice: Voice,
    step: StepId,
}

impl Reporter {
    /// Says what is being done.
    pub fn log(&self, level: Level, text: impl Into<String>) {
        self.log_from(Stream::Engine, level, &text.into());
    }

    /// Says something that the owner of the build should know.
    pub fn warn(&self, message: impl Into<String>) {
        let message = line::clean(&message.into());
        self.voice.say(EventKind::Warned {
            step: self.step.clone(),
            message,
        });
    }

    /// Says how far the step is, in absolute numbers. As often as one likes: at most ten a
    /// second are passed on, the last one always.
    pub fn progress(&self, done: u64, total: Option<u64>, unit: Unit, note: Option<&str>) {
        let step = self.step.clone();
        let note = note.map(line::clean);
        self.voice.say(EventKind::Progress {
            step,
            done,
            total,
            unit,
            note,
        });
    }

    pub(crate) fn log_from(&self, stream: Stream, level: Level, text: &str) {
        let step = self.step.clone();
        for part in text.lines() {
            let step = step.clone();
            self.voice.say(EventKind::Log {
                step,
                stream,
                level,
                line: line::clean(part),
            });
        }
    }
}

/// The engine's own end of the channel to the [`Scribe`].
#[derive(Debug, Clone)]
pub(crate) struct Voice {
    sender: SyncSender<Said>,
    began: Instant,
}

#[derive(Debug)]
struct Said {
    at_ms: u64,
    kind: EventKind,
    /// Answered once the event is written, with what went wrong with the journal so far.
    reply: Option<SyncSender<Option<io::Error>>>,
}

impl Voice {
    /// A voice, and the scribe who has to be run in a thread of its own.
    pub(crate) fn new(journal: Option<Journal>, sink: &mut dyn Sink) -> (Self, Scribe<'_>) {
        // Bounded, so that a command that floods the log waits instead of filling the memory.
        let (sender, receiver) = mpsc::sync_channel(1024);
        let scribe = Scribe {
            receiver,
            journal,
            trouble: None,
            sink: Some(sink),
            seq: 0,
            at_ms: 0,
            progress: BTreeMap::new(),
        };
        (
            Self {
                sender,
                began: Instant::now(),
            },
            scribe,
        )
    }

    pub(crate) fn of_step(&self, step: &StepId) -> Reporter {
        Reporter {
            voice: self.clone(),
            step: step.clone(),
        }
    }

    /// Milliseconds since the build began.
    pub(crate) fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Says something without waiting. After the end of the build nobody listens.
    pub(crate) fn say(&self, kind: EventKind) {
        let _ = self.sender.send(Said {
            at_ms: self.now_ms(),
            kind,
            reply: None,
        });
    }

    /// Says something and waits until it is written.
    ///
    /// # Errors
    ///
    /// When the journal could not be written, now or since the last time.
    pub(crate) fn tell(&self, kind: EventKind) -> Result<(), Failure> {
        let (reply, answer) = mpsc::sync_channel(1);
        let said = Said {
            at_ms: self.now_ms(),
            kind,
            reply: Some(reply),
        };
        if self.sender.send(said).is_err() {
            return Ok(());
        }
        match answer.recv() {
            Ok(Some(error)) => Err(Failure::io("write the build's journal", error)),
            Ok(None) | Err(_) => Ok(()),
        }
    }
}

/// Numbers the events, thins progress, writes the journal, tells the sink.
pub(crate) struct Scribe<'a> {
    receiver: Receiver<Said>,
    journal: Option<Journal>,
    trouble: Option<io::Error>,
    sink: Option<&'a mut dyn Sink>,
    seq: u64,
    at_ms: u64,
    progress: BTreeMap<StepId, Thinned>,
}

/// When a step's progress was last passed on, and what has come since.
struct Thinned {
    passed: Instant,
    held: Option<(u64, EventKind)>,
}

impl Scribe<'_> {
    const PAUSE: Duration = Duration::from_millis(100);

    /// Works until the build's end was said, or everyone who could say it is gone.
    pub(crate) fn run(mut self) {
        loop {
            let said = match self.receiver.recv_timeout(Self::PAUSE) {
                Ok(said) => said,
                Err(RecvTimeoutError::Timeout) => {
                    self.pass_held(None);
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let over = matches!(said.kind, EventKind::Finished { .. });
            self.take(said.at_ms, said.kind);
            if let Some(reply) = said.reply {
                let _ = reply.send(self.trouble.take());
            }
            if over {
                return;
            }
        }
    }

    fn take(&mut self, at_ms: u64, kind: EventKind) {
        match &kind {
            EventKind::Progress { step, .. } => {
                let step = step.clone();
                self.thin(step, at_ms, kind);
                return;
            }
            EventKind::StepFinished { step, .. } | EventKind::StepRetried { step, .. } => {
                self.pass_held(Some(&step.clone()));
                self.progress.remove(step);
            }
            EventKind::Finished { .. } => self.progress.clear(),
            EventKind::Hello { .. }
            | EventKind::Planned { .. }
            | EventKind::StepStarted { .. }
            | EventKind::Log { .. }
            | EventKind::Warned { .. }
            | EventKind::Asked { .. }
            | EventKind::Answered { .. }
            | EventKind::SessionWatched { .. }
            | EventKind::SessionChanged { .. }
            | EventKind::Metrics { .. }
            | EventKind::Unknown => {}
        }
        self.write(at_ms, kind);
    }

    fn thin(&mut self, step: StepId, at_ms: u64, kind: EventKind) {
        match self.progress.get_mut(&step) {
            Some(thinned) if thinned.passed.elapsed() < Self::PAUSE => {
                thinned.held = Some((at_ms, kind));
            }
            Some(_) | None => {
                self.progress.insert(
                    step,
                    Thinned {
                        passed: Instant::now(),
                        held: None,
                    },
                );
                self.write(at_ms, kind);
            }
        }
    }

    /// Passes on held progress: of one step whatever its age, else all that is old enough.
    fn pass_held(&mut self, only: Option<&StepId>) {
        let mut due = Vec::new();
        for (step, thinned) in &mut self.progress {
            let wanted = only.map_or(thinned.passed.elapsed() >= Self::PAUSE, |only| only == step);
            if wanted && let Some(held) = thinned.held.take() {
                thinned.passed = Instant::now();
                due.push(held);
            }
        }
        for (at_ms, kind) in due {
            self.write(at_ms, kind);
        }
    }

    fn write(&mut self, at_ms: u64, kind: EventKind) {
        // Threads may overtake each other between looking at the clock and being heard.
        self.at_ms = self.at_ms.max(at_ms);
        let event = Event {
            seq: self.seq,
            at_ms: self.at_ms,
            kind,
        };
        self.seq += 1;
        if let Some(journal) = &mut self.journal
            && let Err(error) = journal.write(&event)
        {
            self.trouble.get_or_insert(error);
        }
        let Some(sink) = self.sink.as_mut() else {
            return;
        };
        let told = catch_unwind(AssertUnwindSafe(|| sink.event(&event)));
        if told.is_err() {
            tracing::error!("whoever watched the build panicked");
            self.sink = None;
        }
    }
}
