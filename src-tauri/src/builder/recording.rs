//! A recorded build, played: for show, for tests, and for work on the page.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use isosmith_client::{Description, Listed, State};
use isosmith_protocol::{BuildId, BuildResult, Choice, Code, Event, EventKind, Isolation, line};
use isosmith_studio::model::{ServiceState, ServiceWord};
use nix::unistd::Uid;

use super::{Builder, Events, Order};
use crate::fault::{Answer, Fault};

/// The recording that is played where no other is named.
const SHIPPED: &str = include_str!("../../recordings/build.jsonl");

/// Builds by playing one recording, whatever is asked for.
#[derive(Debug)]
pub struct Player {
    recording: Arc<[Event]>,
    /// How many times faster than recorded.
    speed: f64,
    builds: Mutex<BTreeMap<BuildId, Arc<Playing>>>,
}

/// One build that is played.
#[derive(Debug)]
struct Playing {
    order: String,
    started: u64,
    output: PathBuf,
    begun: Instant,
    stopped: Mutex<Option<Duration>>,
    stop: Condvar,
}

impl Player {
    /// Plays `recording`, else the one that comes with Isosmith, `speed` times as fast.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is no build from its beginning to its end.
    pub fn new(recording: Option<&Path>, speed: f64) -> Answer<Self> {
        let text = match recording {
            Some(path) => {
                fs::read_to_string(path).map_err(|error| Fault::io("read", path, &error))?
            }
            None => SHIPPED.to_owned(),
        };
        let mut lines = text.as_bytes();
        let mut events = Vec::new();
        while let Some(event) = line::read::<Event>(&mut lines).map_err(unplayable)? {
            events.push(event);
        }
        let ends = events
            .last()
            .is_some_and(|event| matches!(event.kind, EventKind::Finished { .. }));
        if !ends {
            return Err(unplayable("it does not end with a build's ending"));
        }
        Ok(Self {
            recording: events.into(),
            speed,
            builds: Mutex::default(),
        })
    }

    fn builds(&self) -> MutexGuard<'_, BTreeMap<BuildId, Arc<Playing>>> {
        self.builds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn playing(&self, id: &BuildId) -> Answer<Arc<Playing>> {
        self.builds().get(id).cloned().ok_or_else(|| {
            Fault::new(
                Code::NoSuchBuild,
                format!("there is no build {id}"),
                "Start one.",
            )
        })
    }

    /// When an event comes, from the beginning of the build.
    fn due(&self, event: &Event) -> Duration {
        let recorded = Duration::from_millis(event.at_ms);
        Duration::try_from_secs_f64(recorded.as_secs_f64() / self.speed).unwrap_or(Duration::MAX)
    }

    /// An event as it would be in this build.
    fn adapted(&self, event: &Event, id: &BuildId, playing: &Playing) -> Event {
        let mut event = event.clone();
        if let EventKind::Hello {
            build,
            profile,
            started,
            ..
        } = &mut event.kind
        {
            *build = id.clone();
            profile.clone_from(&playing.order);
            *started = playing.started;
        }
        if let EventKind::Finished {
            result: BuildResult::Succeeded { iso, files },
        } = &mut event.kind
        {
            for path in files.iter_mut().chain([&mut iso.path]) {
                if let Some(name) = Path::new(path.as_str()).file_name() {
                    *path = playing.output.join(name).display().to_string();
                }
            }
        }
        event
    }

    fn state(&self, playing: &Playing) -> (State, Option<BuildResult>) {
        if playing.stopped().is_some() {
            return (State::Cancelled, Some(BuildResult::Cancelled));
        }
        let Some(last) = self.recording.last() else {
            return (State::Other, None);
        };
        if playing.begun.elapsed() < self.due(last) {
            return (State::Running, None);
        }
        let EventKind::Finished { result } = &last.kind else {
            return (State::Other, None);
        };
        let state = match result {
            BuildResult::Succeeded { .. } => State::Succeeded,
            BuildResult::Failed { .. } => State::Failed,
            BuildResult::Cancelled => State::Cancelled,
            BuildResult::Interrupted => State::Interrupted,
            BuildResult::Unknown => State::Other,
        };
        (state, Some(result.clone()))
    }
}

impl Playing {
    fn new(order: &str, output: &Path) -> Arc<Self> {
        Arc::new(Self {
            order: order.to_owned(),
            started: now(),
            output: output.to_owned(),
            begun: Instant::now(),
            stopped: Mutex::default(),
            stop: Condvar::new(),
        })
    }

    fn stopped(&self) -> MutexGuard<'_, Option<Duration>> {
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until so long after the beginning; says when it was stopped, if it was before.
    fn wait(&self, due: Duration) -> Option<Duration> {
        let rest = due.saturating_sub(self.begun.elapsed());
        let (stopped, _) = self
            .stop
            .wait_timeout_while(self.stopped(), rest, |stopped| stopped.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        stopped.filter(|at| *at < due)
    }
}

impl Builder for Player {
    fn state(&self) -> ServiceState {
        ServiceState {
            state: ServiceWord::Ready,
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        }
    }

    fn start(&self, order: &Order, output: &Path) -> Answer<BuildId> {
        let mut builds = self.builds();
        let tail = u16::try_from(builds.len()).unwrap_or_default();
        let id = BuildId::compose(now(), &order.name, tail);
        builds.insert(id.clone(), Playing::new(&order.name, output));
        Ok(id)
    }

    fn resume(&self, id: &BuildId, output: &Path) -> Answer<()> {
        let order = self.playing(id)?.order.clone();
        self.builds()
            .insert(id.clone(), Playing::new(&order, output));
        Ok(())
    }

    fn events(&self, id: &BuildId, from: u64, _output: Option<&Path>) -> Answer<Events> {
        let playing = self.playing(id)?;
        let rows: Vec<(Duration, Event)> = self
            .recording
            .iter()
            .filter(|event| event.seq >= from)
            .map(|event| (self.due(event), self.adapted(event, id, &playing)))
            .collect();
        let mut rows = rows.into_iter();
        let mut over = false;
        Ok(Box::new(std::iter::from_fn(move || {
            let (due, event) = rows.next().filter(|_| !over)?;
            let Some(at) = playing.wait(due) else {
                return Some(Ok(event));
            };
            over = true;
            Some(Ok(Event {
                seq: event.seq,
                at_ms: u64::try_from(at.as_millis()).unwrap_or(u64::MAX),
                kind: EventKind::Finished {
                    result: BuildResult::Cancelled,
                },
            }))
        })))
    }

    fn cancel(&self, id: &BuildId) -> Answer<()> {
        let playing = self.playing(id)?;
        let now = playing.begun.elapsed();
        playing.stopped().get_or_insert(now);
        playing.stop.notify_all();
        Ok(())
    }

    fn answer(&self, id: &BuildId, _question: u32, _choice: Choice) -> Answer<()> {
        // What was answered then is answered now.
        self.playing(id).map(drop)
    }

    fn list(&self) -> Answer<Vec<Listed>> {
        let builds = self.builds();
        let listed = builds.iter().rev().map(|(id, playing)| Listed {
            id: id.clone(),
            profile: playing.order.clone(),
            state: self.state(playing).0,
            started: playing.started,
            uid: Uid::current().as_raw(),
        });
        Ok(listed.collect())
    }

    fn describe(&self, id: &BuildId) -> Answer<Description> {
        let playing = self.playing(id)?;
        let (state, result) = self.state(&playing);
        Ok(Description {
            id: id.clone(),
            profile: playing.order.clone(),
            product: playing.order.clone(),
            state,
            started: playing.started,
            uid: Uid::current().as_raw(),
            spec_sha256: String::new(),
            isolation: Isolation::Namespace,
            resumable: state.is_resumable(),
            iso: None,
            result,
            session: Vec::new(),
        })
    }
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_secs())
}

fn unplayable(why: impl std::fmt::Display) -> Fault {
    Fault::new(
        Code::ProfileInvalid,
        "the recording cannot be played",
        "Give the events of a whole build, one JSON object per line.",
    )
    .because(why.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order() -> Order {
        Order {
            profile: String::new(),
            name: "aurora".into(),
            materials: Vec::new(),
            base: PathBuf::new(),
            manner: isosmith_protocol::Manner::default(),
        }
    }

    fn seqs(events: Events) -> Vec<u64> {
        events.map(|event| event.expect("an event").seq).collect()
    }

    #[test]
    fn the_shipped_recording_is_a_whole_build_of_whatever_is_asked_for() {
        let player = Player::new(None, 1e9).expect("playable");
        let id = player
            .start(&order(), Path::new("/home/a"))
            .expect("started");
        let events: Vec<Event> = player
            .events(&id, 0, None)
            .expect("there")
            .map(|event| event.expect("an event"))
            .collect();
        let EventKind::Hello { build, profile, .. } = &events[0].kind else {
            panic!("{:?}", events[0]);
        };
        assert_eq!((build, profile.as_str()), (&id, "aurora"));
        let Some(EventKind::Finished {
            result: BuildResult::Succeeded { iso, .. },
        }) = events.last().map(|event| &event.kind)
        else {
            panic!("{:?}", events.last());
        };
        assert!(iso.path.starts_with("/home/a/"), "{}", iso.path);
        assert_eq!(player.describe(&id).expect("there").state, State::Succeeded);
        let middle = events[events.len() / 2].seq;
        let rest = seqs(player.events(&id, middle, None).expect("there"));
        assert_eq!(rest.first(), Some(&middle));
    }

    #[test]
    fn a_stopped_build_ends_there_and_can_be_begun_anew() {
        let player = Player::new(None, 0.001).expect("playable");
        let id = player.start(&order(), Path::new("/x")).expect("started");
        player.cancel(&id).expect("stopped");
        let events: Vec<_> = player.events(&id, 0, None).expect("there").collect();
        let last = events.last().cloned().expect("some").expect("an event");
        assert!(matches!(
            last.kind,
            EventKind::Finished {
                result: BuildResult::Cancelled
            }
        ));
        assert_eq!(player.describe(&id).expect("there").state, State::Cancelled);
        player.resume(&id, Path::new("/x")).expect("begun anew");
        assert_eq!(player.describe(&id).expect("there").state, State::Running);
    }

    #[test]
    fn what_is_no_recording_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x");
        assert!(Player::new(Some(&path), 1.0).is_err());
        for text in [
            "",
            "nonsense\n",
            "{\"seq\":0,\"atMs\":0,\"type\":\"unknown\"}\n",
        ] {
            fs::write(&path, text).expect("written");
            let fault = Player::new(Some(&path), 1.0).expect_err(text);
            assert_eq!(fault.code(), Code::ProfileInvalid, "{text}");
        }
    }
}
