//! Questions to a person, and other words from whoever supervises a build.
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a test looks for one kind of event"
)]

use std::{
    io::{self, Read, Write},
    time::Duration,
};

use isosmith_engine::{Options, run};
use isosmith_host::FakeHost;
use isosmith_protocol::{
    BuildResult, Choice, Code, Control, ErrorMode, Event, EventKind, Metrics, SessionKind, line,
};

use crate::{
    bench::{Bench, assert_well_formed, build_id},
    toy::{
        Toy, Trouble,
        Trouble::{Fail, Full},
        recipe,
    },
};

/// What came of a build that talked to somebody.
struct Talked {
    events: Vec<Event>,
    result: BuildResult,
}

/// Builds; each event is shown to `answer`, whose words reach the build.
fn talk(
    trouble: &[Trouble],
    set: impl FnOnce(&mut Options),
    mut answer: impl FnMut(&EventKind) -> Option<Control> + Send,
) -> Talked {
    let bench = Bench::new();
    let mut options = Options::new(build_id("a"), "toy", "1");
    options.retry_wait = Duration::from_millis(1);
    set(&mut options);
    let (control, mut to_build) = io::pipe().expect("a pipe");
    let mut events = Vec::new();
    let mut sink = |event: &Event| {
        events.push(event.clone());
        if let Some(control) = answer(&event.kind) {
            line::write(&mut to_build, &control).expect("it listens");
        }
    };
    let result = run(
        &recipe(),
        &mut Toy::with_trouble("packages", trouble),
        &FakeHost::default(),
        &bench.work("a"),
        &options,
        Some(Box::new(control) as Box<dyn Read + Send>),
        &mut sink,
    );
    assert_well_formed(&events);
    Talked { events, result }
}

fn to_questions(choice: Choice) -> impl FnMut(&EventKind) -> Option<Control> {
    move |kind| match kind {
        EventKind::Asked { question, .. } => Some(Control::Answer {
            question: *question,
            choice,
        }),
        _ => None,
    }
}

impl Talked {
    fn code(&self) -> Option<Code> {
        self.result.code()
    }

    /// `asked 1, retry 1, asked 2, …`
    fn dialogue(&self) -> String {
        let said = self.events.iter().filter_map(|event| match &event.kind {
            EventKind::Asked { question, .. } => Some(format!("asked {question}")),
            EventKind::Answered { question, choice } => Some(format!("{choice:?} {question}")),
            _ => None,
        });
        said.collect::<Vec<_>>().join(", ")
    }
}

#[test]
fn what_a_person_can_mend_is_asked_about() {
    let full = Code::DiskFull;
    let away = Code::MirrorUnreachable;
    for (trouble, choice, ends, dialogue) in [
        (vec![Full], Choice::Retry, None, "asked 1, Retry 1"),
        (vec![Full], Choice::Stop, Some(full), "asked 1, Stop 1"),
        (
            vec![Full, Full],
            Choice::Retry,
            None,
            "asked 1, Retry 1, asked 2, Retry 2",
        ),
        // Three attempts by itself, then the question, then three more.
        (vec![Fail(away); 2], Choice::Retry, None, ""),
        (vec![Fail(away); 5], Choice::Retry, None, "asked 1, Retry 1"),
        (
            vec![Fail(Code::PackageConflict)],
            Choice::Retry,
            Some(Code::PackageConflict),
            "",
        ),
    ] {
        let talked = talk(&trouble, |_| {}, to_questions(choice));
        assert_eq!(talked.code(), ends, "{trouble:?} {:?}", talked.result);
        assert_eq!(talked.dialogue(), dialogue, "{trouble:?}");
    }
}

#[test]
fn nobody_is_asked_in_strict_mode_and_silence_is_no() {
    let strict = |options: &mut Options| options.error_mode = ErrorMode::Strict;
    let talked = talk(&[Full], strict, to_questions(Choice::Retry));
    assert_eq!(
        (talked.code(), talked.dialogue().as_str()),
        (Some(Code::DiskFull), "")
    );

    let hurried = |options: &mut Options| options.answer_wait = Duration::from_millis(1);
    let talked = talk(&[Full], hurried, |_| None);
    assert_eq!(talked.code(), Some(Code::DiskFull));
    assert_eq!(talked.dialogue(), "asked 1, Stop 1");
}

#[test]
fn a_question_ends_with_a_cancel() {
    let talked = talk(
        &[Full],
        |_| {},
        |kind| matches!(kind, EventKind::Asked { .. }).then_some(Control::Cancel),
    );
    assert_eq!(talked.result, BuildResult::Cancelled);
}

#[test]
fn only_what_the_supervisor_sees_can_be_noted() {
    let lie = EventKind::Finished {
        result: BuildResult::Cancelled,
    };
    let metrics = EventKind::Metrics {
        metrics: Metrics::default(),
    };
    let watched = EventKind::SessionWatched {
        session: SessionKind::Ssh,
        items: Vec::new(),
    };
    let mut notes = vec![lie, metrics.clone(), watched.clone()];
    notes.reverse();
    // The last word comes after all notes, so that they are in when the build goes on.
    let talked = talk(
        &[Full],
        |_| {},
        move |kind| match (kind, notes.pop()) {
            (EventKind::Planned { .. } | EventKind::StepStarted { .. }, Some(event)) => {
                Some(Control::Note { event })
            }
            (EventKind::Asked { question, .. }, _) => Some(Control::Answer {
                question: *question,
                choice: Choice::Retry,
            }),
            (_, Some(event)) => {
                notes.push(event);
                None
            }
            (_, None) => None,
        },
    );
    assert!(matches!(talked.result, BuildResult::Succeeded { .. }));
    let kinds: Vec<_> = talked.events.iter().map(|event| &event.kind).collect();
    assert!(kinds.contains(&&metrics) && kinds.contains(&&watched));
}

#[test]
fn what_is_noted_early_comes_after_the_plan() {
    let metrics = EventKind::Metrics {
        metrics: Metrics::default(),
    };
    // It is a race, so that one round would prove little.
    for _ in 0..50 {
        let bench = Bench::new();
        let (control, mut to_build) = io::pipe().expect("a pipe");
        let event = metrics.clone();
        line::write(&mut to_build, &Control::Note { event }).expect("it listens");
        let mut events = Vec::new();
        run(
            &recipe(),
            &mut Toy::default(),
            &FakeHost::default(),
            &bench.work("a"),
            &Options::new(build_id("a"), "toy", "1"),
            Some(Box::new(control)),
            &mut |event: &Event| events.push(event.clone()),
        );
        assert_well_formed(&events);
    }
}

#[test]
fn words_that_are_none_are_no_harm() {
    let bench = Bench::new();
    let (control, mut to_build) = io::pipe().expect("a pipe");
    to_build.write_all(b"nonsense\n").expect("it listens");
    let result = run(
        &recipe(),
        &mut Toy::default(),
        &FakeHost::default(),
        &bench.work("a"),
        &Options::new(build_id("a"), "toy", "1"),
        Some(Box::new(control)),
        &mut |_: &Event| {},
    );
    assert!(matches!(result, BuildResult::Succeeded { .. }));
}
