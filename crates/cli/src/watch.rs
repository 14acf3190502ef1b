//! Somebody at a build that somebody else does.

use std::{
    sync::{
        Arc,
        mpsc::{RecvTimeoutError, SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

use isosmith_engine::Failure;
use isosmith_protocol::{BuildId, BuildResult, Choice, Event, EventKind};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::{Handle, Signals},
};

use crate::{build::Viewer, keys::Keys};

/// How watching ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// With the build.
    Over(BuildResult),
    /// The person went.
    Left {
        /// After the build was told to stop.
        stopping: bool,
    },
}

impl Ending {
    /// What to say to a person who went from the build `id`.
    pub fn farewell(stopping: bool, id: &BuildId) -> String {
        if stopping {
            return format!("the build stops; `isosmith attach {id}` shows how it ended");
        }
        format!(
            "the build goes on; `isosmith attach {id}` returns, `isosmith cancel {id}` stops it"
        )
    }
}

/// A way to act on the build.
pub type Act<T> = Arc<dyn Fn(T) -> Result<(), Failure> + Send + Sync>;

/// What the person can do to the build.
#[derive(Default)]
pub struct Hands {
    /// What the first interrupt does; without it, the first one leaves already.
    pub cancel: Option<Act<()>>,
    /// What answers a question.
    pub answer: Option<Act<(u32, Choice)>>,
    /// What to say when the build does not begin within moments.
    pub waiting: Option<String>,
}

enum Happened {
    Said(Box<Result<Event, Failure>>),
    /// There are no more events, and there was no ending.
    Silence,
    Signal(i32),
}

/// Shows `events` until the ending, an error, or until the person goes. Events are waited for
/// on a thread of their own, which is left behind when the person goes.
///
/// # Errors
///
/// The first one among `events`, and when the build cannot be cancelled.
pub fn watch<E>(events: E, viewer: &mut dyn Viewer, hands: &Hands) -> Result<Ending, Failure>
where
    E: Iterator<Item = Result<Event, Failure>> + Send + 'static,
{
    // Some room, so that a slow terminal does not hold up every single event.
    let (happen, happened) = sync_channel(256);
    let _signals = Listening::begin(happen.clone())?;
    thread::spawn(move || {
        for event in events {
            if happen.send(Happened::Said(Box::new(event))).is_err() {
                return;
            }
        }
        let _ = happen.send(Happened::Silence);
    });
    let mut waiting = hands.waiting.as_deref();
    let mut cancel = hands.cancel.as_deref();
    let mut stopping = false;
    let mut keys = None;
    loop {
        let next = match (waiting, happened.recv_timeout(Duration::from_secs(2))) {
            (_, Ok(next)) => next,
            (text, Err(RecvTimeoutError::Timeout)) => {
                if let Some(text) = text {
                    viewer.note(text);
                }
                waiting = None;
                continue;
            }
            (_, Err(RecvTimeoutError::Disconnected)) => return Ok(Ending::Left { stopping }),
        };
        match next {
            Happened::Silence => return Ok(Ending::Left { stopping }),
            Happened::Signal(signal) => {
                // A terminal that went away must not take a build of hours with it.
                let Some(cancel) = cancel.take().filter(|_| signal != SIGHUP) else {
                    return Ok(Ending::Left { stopping });
                };
                stopping = true;
                cancel(())?;
            }
            Happened::Said(said) => {
                waiting = None;
                let event = (*said)?;
                if let EventKind::Finished { result } = event.kind {
                    return Ok(Ending::Over(result));
                }
                viewer.event(&event);
                Keys::follow(&mut keys, &event.kind, |question| listen(question, hands));
            }
        }
    }
}

/// Answers a question with one key.
fn listen(question: u32, hands: &Hands) -> Option<Keys> {
    let answer = hands.answer.clone()?;
    Keys::listen(move |choice| {
        if let Err(failure) = answer((question, choice)) {
            tracing::warn!(%failure, "the answer did not arrive");
        }
    })
}

/// Hands signals on as long as it lives.
struct Listening(Handle);

impl Listening {
    fn begin(to: SyncSender<Happened>) -> Result<Self, Failure> {
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])
            .map_err(|error| Failure::io("watch signals", error))?;
        let handle = signals.handle();
        thread::spawn(move || {
            for signal in signals.forever() {
                if to.send(Happened::Signal(signal)).is_err() {
                    return;
                }
            }
        });
        Ok(Self(handle))
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.close();
    }
}

#[cfg(test)]
mod tests {
    use std::{path::Path, sync::Mutex, sync::mpsc};

    use isosmith_protocol::{Code, StepId};

    use super::*;

    /// Signals are for the whole process.
    static ALONE: Mutex<()> = Mutex::new(());

    #[derive(Default)]
    struct Noted(Vec<String>);

    impl Viewer for Noted {
        fn event(&mut self, event: &Event) {
            self.0.push(event.seq.to_string());
        }

        fn note(&mut self, text: &str) {
            self.0.push(text.to_owned());
        }

        fn end(&mut self, _result: &BuildResult, _delivered: Option<&Path>) {
            self.0.push("end".to_owned());
        }
    }

    fn event(seq: u64) -> Result<Event, Failure> {
        let kind = match seq {
            9 => EventKind::Finished {
                result: BuildResult::Cancelled,
            },
            _ => EventKind::Warned {
                step: StepId::new("x"),
                message: String::new(),
            },
        };
        Ok(Event {
            seq,
            at_ms: 0,
            kind,
        })
    }

    fn failure() -> Result<Event, Failure> {
        Err(Failure::plain(Code::NoSuchBuild, "none"))
    }

    /// Watches `events`: what the viewer was told, and how it ended.
    fn check(events: Vec<Result<Event, Failure>>, seen: &[&str], want: Result<Ending, Code>) {
        let mut viewer = Noted::default();
        let ending = watch(events.into_iter(), &mut viewer, &Hands::default());
        assert_eq!(viewer.0, seen);
        assert_eq!(ending.map_err(|failure| failure.code), want);
    }

    #[test]
    fn events_are_shown_to_the_ending_or_the_first_error() {
        let _alone = ALONE.lock();
        let over = Ok(Ending::Over(BuildResult::Cancelled));
        check(vec![event(0), event(1), event(9)], &["0", "1"], over);
        check(vec![event(0), failure()], &["0"], Err(Code::NoSuchBuild));
        let left = Ok(Ending::Left { stopping: false });
        check(vec![event(0)], &["0"], left);
    }

    #[test]
    fn the_first_interrupt_cancels_where_it_may_and_another_one_leaves() {
        let _alone = ALONE.lock();
        let (say, said) = mpsc::channel();
        let calls = Arc::new(Mutex::new(0));
        let counted = calls.clone();
        let hands = Hands {
            cancel: Some(Arc::new(move |()| {
                *counted.lock().expect("no panic") += 1;
                // The second one comes when the first one was seen.
                signal_hook::low_level::raise(SIGINT).expect("raised");
                Ok(())
            })),
            ..Hands::default()
        };
        say.send(event(0)).expect("listening");
        let mut viewer = Interrupting;
        let ending = watch(said.into_iter(), &mut viewer, &hands);
        assert_eq!(ending.ok(), Some(Ending::Left { stopping: true }));
        assert_eq!(*calls.lock().expect("no panic"), 1);

        let (say, said) = mpsc::channel();
        say.send(event(0)).expect("listening");
        let ending = watch(said.into_iter(), &mut Interrupting, &Hands::default());
        assert_eq!(ending.ok(), Some(Ending::Left { stopping: false }));
    }

    /// Presses Ctrl-C at the first event.
    struct Interrupting;

    impl Viewer for Interrupting {
        fn event(&mut self, _event: &Event) {
            signal_hook::low_level::raise(SIGINT).expect("raised");
        }

        fn note(&mut self, _text: &str) {}

        fn end(&mut self, _result: &BuildResult, _delivered: Option<&Path>) {}
    }
}
