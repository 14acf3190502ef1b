use std::path::Path;

use isosmith_protocol::{Choice, Code, Control, ErrorView, Event, EventKind, Isolation};
use isosmith_supervise::Job;

use super::*;
use crate::{
    gate::{Access, Action},
    output::Folder,
    record::Owner,
    request::Incoming,
};

#[derive(Default)]
struct Noted(Mutex<Vec<(u32, &'static str)>>);

impl Announce for Arc<Noted> {
    fn changed(&self, uid: u32, _id: &BuildId, stage: Stage) {
        self.0
            .lock()
            .expect("not poisoned")
            .push((uid, stage.word()));
    }

    fn busy(&self, _busy: bool) {}
}

fn open(root: &Path) -> (Arc<Builds>, Arc<Noted>) {
    let places = Places::open(&root.join("state"), &root.join("cache")).expect("opened");
    let noted = Arc::new(Noted::default());
    let builds = Builds::recover(places, Box::new(noted.clone())).expect("recovered");
    (builds, noted)
}

fn sealed(builds: &Builds, uid: u32) -> Sealed {
    let (id, incoming) = Incoming::make(builds.places(), "demo").expect("made");
    let owner = Owner {
        uid,
        profile: "demo".to_owned(),
        product: "Demo".to_owned(),
        what: "Debian trixie".to_owned(),
        packages: 1,
        spec_sha256: "0".repeat(64),
        iso: "demo.iso".to_owned(),
        isolation: Isolation::Namespace,
        started: 1,
    };
    let order = serde_json::json!({
        "profile": "", "materials": {}, "squashfs_writer": "isosmith", "previous": null,
        "mirrors": { "archive": [], "security": [], "proxy": null },
        "tool_mirrors": { "archive": [], "security": [], "proxy": null },
    });
    let job = Job {
        id: id.clone(),
        state: builds.places().own_state(&id),
        cache: builds.places().own_cache(),
        profile: "demo".to_owned(),
        order: serde_json::from_value(order).expect("an order"),
        explain_cache: false,
        attended: true,
        output: None,
    };
    Record::write(incoming.path(), &owner, &job).expect("written");
    let output = Folder::for_tests(builds.places().state());
    Sealed {
        id,
        owner,
        output,
        incoming,
    }
}

fn start(builds: &Arc<Builds>, uid: u32) -> Result<BuildId, Kind> {
    let slot = builds.reserve(uid).map_err(|refusal| refusal.kind)?;
    let permit = Permit::for_tests(Action::Build);
    let started = builds.start(sealed(builds, uid), slot, permit);
    Ok(started.expect("started"))
}

fn stage(builds: &Builds, id: &BuildId) -> Stage {
    builds
        .describe(&Access::for_tests(id))
        .expect("known")
        .stage
}

fn failed() -> BuildResult {
    BuildResult::Failed {
        error: ErrorView {
            class: Code::Io.class(),
            code: Code::Io,
            step: None,
            message: "x".to_owned(),
            advice: "y".to_owned(),
            causes: Vec::new(),
            command: None,
            tail: Vec::new(),
            recovery: Code::Io.recovery(),
        },
    }
}

#[test]
fn eight_of_one_person_wait_and_no_more() {
    let root = tempfile::tempdir().expect("a temporary folder");
    let (builds, _) = open(root.path());
    let first = start(&builds, 1000).expect("started");
    let (turn, floor) = builds.next();
    assert_eq!(turn.id, first);
    for _ in 0..MOST_QUEUED {
        start(&builds, 1000).expect("queued");
    }
    assert_eq!(start(&builds, 1000), Err(Kind::QueueFull));
    start(&builds, 1001).expect("somebody else is not held back");
    builds.finish(&turn, &failed());
    drop(floor);
    let (second, _floor) = builds.next();
    assert_ne!(second.id, first);
    start(&builds, 1000).expect("there is room again");
}

#[test]
fn requests_that_nobody_has_allowed_are_counted() {
    let root = tempfile::tempdir().expect("a temporary folder");
    let (builds, _) = open(root.path());
    let slots: Vec<_> = (0..MOST_ASKED)
        .map(|_| builds.reserve(1000).expect("a slot"))
        .collect();
    let refused = builds.reserve(1000).map(drop);
    assert_eq!(refused.map_err(|refusal| refusal.kind), Err(Kind::TooMany));
    assert!(builds.busy());
    drop(slots);
    assert!(!builds.busy());
    builds.reserve(1000).map(drop).expect("a slot");
}

#[test]
fn a_waiting_build_is_cancelled_at_once_and_says_so() {
    let root = tempfile::tempdir().expect("a temporary folder");
    let (builds, noted) = open(root.path());
    let id = start(&builds, 1000).expect("started");
    let access = Access::for_tests(&id);
    builds.cancel(&access).expect("cancelled");
    assert_eq!(stage(&builds, &id), Stage::Cancelled);
    let again = builds.cancel(&access).map_err(|refusal| refusal.kind);
    assert_eq!(again, Err(Kind::WrongState));
    let journal = builds.record(&id).journal();
    let events = isosmith_engine::journal::read(&journal).expect("a journal");
    assert!(matches!(
        events.last().map(|event| &event.kind),
        Some(EventKind::Finished {
            result: BuildResult::Cancelled
        })
    ));
    assert_eq!(
        *noted.0.lock().expect("not poisoned"),
        [(1000, "queued"), (1000, "cancelled")]
    );
    assert!(!builds.busy());
}

#[test]
fn what_the_service_died_with_is_interrupted_and_can_be_resumed() {
    let root = tempfile::tempdir().expect("a temporary folder");
    let (running, waiting, over) = {
        let (builds, _) = open(root.path());
        let over = start(&builds, 1000).expect("started");
        let (turn, floor) = builds.next();
        turn.live.begin().expect("begun");
        turn.live.tell(&turn.greeting().event()).expect("written");
        builds.finish(&turn, &failed());
        drop(floor);
        let running = start(&builds, 1000).expect("started");
        let waiting = start(&builds, 1001).expect("started");
        let (turn, _floor) = builds.next();
        turn.live.begin().expect("begun");
        (running, waiting, over)
    };
    let left = root.path().join("state/incoming/left");
    std::fs::create_dir(&left).expect("made");
    let (builds, _) = open(root.path());
    assert!(!left.exists(), "requests that nobody has allowed are gone");
    for (id, want) in [
        (&running, Stage::Interrupted),
        (&waiting, Stage::Interrupted),
        (&over, Stage::Failed),
    ] {
        assert_eq!(stage(&builds, id), want, "{id}");
    }
    assert_eq!(builds.list(&Whose::Of(1000)).len(), 2);
    assert_eq!(builds.list(&Whose::Of(1002)).len(), 0);
    let access = Access::for_tests(&running);
    let resume = || {
        let slot = builds.reserve(1000).expect("a slot");
        let output = Folder::for_tests(builds.places().state());
        builds
            .resume(&access, output, slot, Permit::for_tests(Action::Build))
            .map_err(|refusal| refusal.kind)
    };
    assert_eq!(resume(), Ok(()));
    assert_eq!(resume(), Err(Kind::WrongState), "it waits already");
    let (turn, _floor) = builds.next();
    assert_eq!(turn.id, running);
}

#[test]
fn only_an_open_question_of_a_running_build_is_answered() {
    let root = tempfile::tempdir().expect("a temporary folder");
    let (builds, _) = open(root.path());
    let id = start(&builds, 1000).expect("started");
    let access = Access::for_tests(&id);
    let answer = |question| {
        builds
            .answer(&access, question, Choice::Retry)
            .map_err(|refusal| refusal.kind)
    };
    assert_eq!(answer(1), Err(Kind::WrongState), "it waits");
    let (_turn, _floor) = builds.next();
    let (tell, told) = std::sync::mpsc::sync_channel(8);
    builds.can_be_told(&id, tell);
    assert_eq!(answer(1), Err(Kind::WrongState), "it asks nothing");
    let BuildResult::Failed { error } = failed() else {
        return;
    };
    builds.heard(
        &id,
        &Event {
            seq: 1,
            at_ms: 1,
            kind: EventKind::Asked {
                question: 1,
                error,
                choices: vec![Choice::Retry],
            },
        },
    );
    assert_eq!(answer(1), Ok(()));
    assert_eq!(answer(1), Err(Kind::WrongState), "it is answered");
    builds.cancel(&access).expect("cancelled");
    let words: Vec<_> = told.try_iter().collect();
    assert_eq!(
        words,
        [
            Control::Answer {
                question: 1,
                choice: Choice::Retry
            },
            Control::Cancel
        ]
    );
}

#[test]
fn nothing_is_cleaned_while_a_build_runs() {
    let root = tempfile::tempdir().expect("a temporary folder");
    let (builds, _) = open(root.path());
    start(&builds, 1000).expect("started");
    let (turn, floor) = builds.next();
    let clean = || builds.while_idle(|| Ok(())).map_err(|refusal| refusal.kind);
    assert_eq!(clean(), Err(Kind::WrongState));
    builds.finish(&turn, &failed());
    drop(floor);
    assert_eq!(clean(), Ok(()));
}
