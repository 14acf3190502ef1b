//! Recorded builds, read and folded as a viewer does it.

use std::{fs, io::Cursor, path::Path};

use isosmith_protocol::{
    BuildResult, BuildView, Class, Code, Event, EventKind, Level, Outcome, Phase, Recovery,
    StepState, Stream, Unit, line,
};

fn fixture(name: &str) -> Vec<Event> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/{name}.jsonl"));
    let text = fs::read(path).expect("the fixture is there");
    let mut from = Cursor::new(text);
    std::iter::from_fn(|| line::read::<Event>(&mut from).expect("every line is an event")).collect()
}

fn folded(events: &[Event]) -> BuildView {
    let mut view = BuildView::default();
    events.iter().for_each(|event| view.apply(event));
    view
}

/// Each row in one word: `fetch:done`, `packages:running 2`, `iso:waiting`.
fn rows(view: &BuildView) -> String {
    let word = |state: &StepState| match state {
        StepState::Waiting => "waiting".to_owned(),
        StepState::Running { attempt } => format!("running {attempt}"),
        StepState::Over(Outcome::Done) => "done".to_owned(),
        StepState::Over(Outcome::Cached) => "cached".to_owned(),
        StepState::Over(Outcome::Skipped { .. }) => "skipped".to_owned(),
        StepState::Over(Outcome::Failed { .. }) => "failed".to_owned(),
        StepState::Over(Outcome::Unknown) => "unknown".to_owned(),
    };
    let rows = view
        .steps
        .iter()
        .map(|row| format!("{}:{}", row.info.id, word(&row.state)));
    rows.collect::<Vec<_>>().join(", ")
}

#[track_caller]
fn check(name: &str, want_rows: &str, want_code: Option<Code>, want_permille: u32) {
    let view = folded(&fixture(name));
    assert_eq!(rows(&view), want_rows, "{name}");
    let result = view.result.as_ref().expect("it has ended");
    assert_eq!(result.code(), want_code, "{name}");
    let permille = (view.fraction() * 1000.0).round();
    assert!(
        (permille - f64::from(want_permille)).abs() < 0.5,
        "{name}: {permille}"
    );
    assert_eq!(
        view.left_ms(),
        None,
        "{name}: nothing is left after the end"
    );
    assert!(view.profile == "minimal" || view.profile == "mail");
    assert!(view.build.is_some() && view.started > 1_700_000_000);
}

#[test]
fn builds_fold_into_what_is_shown() {
    check(
        "good",
        "preflight:done, fetch:done, packages:done, branding:skipped, squashfs:done, iso:done",
        None,
        1000,
    );
    // 1 (cached) + 20 + 40 of 99 by weight.
    check(
        "failed",
        "preflight:cached, fetch:done, packages:failed, branding:waiting, squashfs:waiting, iso:waiting",
        Some(Code::PackageConflict),
        616,
    );
    check(
        "cancelled",
        "preflight:done, fetch:cached, packages:cached, branding:done, squashfs:failed, iso:waiting",
        Some(Code::Cancelled),
        880,
    );
    check(
        "interrupted",
        "preflight:done, fetch:done, packages:running 1, branding:waiting, squashfs:waiting, iso:waiting",
        Some(Code::Interrupted),
        220,
    );
}

#[test]
fn every_recorded_stream_keeps_the_promises() {
    for name in ["good", "failed", "cancelled", "interrupted", "newer"] {
        let events = fixture(name);
        assert!(matches!(events[0].kind, EventKind::Hello { .. }), "{name}");
        assert!(
            matches!(events[1].kind, EventKind::Planned { .. }),
            "{name}"
        );
        let ends = |event: &Event| matches!(event.kind, EventKind::Finished { .. });
        assert_eq!(
            events.iter().position(ends),
            Some(events.len() - 1),
            "{name}"
        );
        let seqs: Vec<_> = events.iter().map(|event| event.seq).collect();
        assert!(seqs.is_sorted_by(|a, b| a < b), "{name}: {seqs:?}");
    }
}

#[test]
fn what_is_written_is_what_was_read() {
    for name in ["good", "failed", "cancelled", "interrupted"] {
        let events = fixture(name);
        let mut written = Vec::new();
        for event in &events {
            line::write(&mut written, event).expect("memory takes everything");
        }
        let mut from = Cursor::new(written);
        let read: Vec<_> =
            std::iter::from_fn(|| line::read::<Event>(&mut from).expect("it was just written"))
                .collect();
        assert_eq!(read, events, "{name}");
    }
}

#[test]
fn details_of_a_good_build_are_kept() {
    let events = fixture("good");
    let view = folded(&events);
    assert_eq!(view.warnings.len(), 1);
    assert_eq!(view.retries.len(), 1);
    assert_eq!(view.retries[0].code, Code::MirrorUnreachable);
    assert_eq!(view.steps[1].took_ms, Some(8960), "all attempts together");
    assert_eq!(
        view.steps[2].progress,
        Some((150, Some(150), Unit::Packages))
    );
    assert_eq!(view.at_ms, 39_001);
    let Some(BuildResult::Succeeded { iso, files }) = view.result else {
        panic!("it has succeeded")
    };
    assert_eq!(
        (iso.size, iso.checksums.len(), files.len()),
        (316_669_952, 2, 2)
    );
}

#[test]
fn overall_progress_never_goes_back_and_time_left_comes_late() {
    for name in ["good", "failed", "cancelled", "interrupted"] {
        let mut view = BuildView::default();
        let mut before = 0.0;
        for event in fixture(name) {
            view.apply(&event);
            assert!(view.fraction() >= before, "{name}: {event:?}");
            before = view.fraction();
            assert!(
                view.left_ms().is_none() || before >= 0.1,
                "{name}: {event:?}"
            );
            let over = matches!(view.result, Some(BuildResult::Succeeded { .. }));
            assert_eq!(before >= 1.0, over, "{name}: {event:?}");
        }
    }
}

#[test]
fn a_retried_step_starts_from_nothing_again() {
    let events = fixture("good");
    let second = |event: &Event| matches!(&event.kind, EventKind::StepStarted { attempt: 2, .. });
    let at = events
        .iter()
        .position(second)
        .expect("there is a second attempt");
    let view = folded(&events[..=at]);
    let row = view.running().expect("a step is at work");
    assert_eq!(row.info.id.as_str(), "fetch");
    assert_eq!(row.state, StepState::Running { attempt: 2 });
    assert_eq!((row.progress, row.note.as_deref()), (None, None));
}

#[test]
fn losing_lossy_events_costs_nothing_in_the_end() {
    let mut thinned = fixture("good");
    let whole = folded(&thinned);
    thinned.retain(|event| !event.kind.is_lossy());
    let thin = folded(&thinned);
    assert_eq!(rows(&thin), rows(&whole));
    assert_eq!((thin.result, thin.at_ms), (whole.result, whole.at_ms));
}

#[test]
fn nothing_counts_after_the_end() {
    let mut events = fixture("cancelled");
    let ended = folded(&events);
    events.extend(fixture("good"));
    assert_eq!(folded(&events), ended);
}

#[test]
fn steps_that_were_not_planned_are_passed_over() {
    let mut events = fixture("good");
    events.remove(1);
    let view = folded(&events);
    assert_eq!(view.steps, []);
    assert!(matches!(view.result, Some(BuildResult::Succeeded { .. })));
}

#[test]
fn a_newer_writer_is_not_an_error() {
    let events = fixture("newer");
    let EventKind::Planned { steps } = &events[1].kind else {
        panic!("no plan")
    };
    assert_eq!(steps[0].phase, Phase::Other);
    assert_eq!(events[2].kind, EventKind::Unknown);
    assert!(matches!(
        events[4].kind,
        EventKind::Progress {
            unit: Unit::Other,
            ..
        }
    ));
    assert!(matches!(
        events[5].kind,
        EventKind::Log {
            stream: Stream::Other,
            level: Level::Other,
            ..
        }
    ));
    let EventKind::StepRetried { error, .. } = &events[6].kind else {
        panic!("no retry")
    };
    assert_eq!(
        (error.class, error.code, error.recovery),
        (Class::Other, Code::Other, Recovery::Report)
    );
    let unknown = |kind: &EventKind| {
        matches!(
            kind,
            EventKind::StepFinished {
                outcome: Outcome::Unknown,
                ..
            }
        )
    };
    assert!(unknown(&events[7].kind), "{:?}", events[7]);
    assert_eq!(
        events[8].kind,
        EventKind::Finished {
            result: BuildResult::Unknown
        }
    );
    assert_eq!(rows(&folded(&events)), "preflight:unknown");
}
