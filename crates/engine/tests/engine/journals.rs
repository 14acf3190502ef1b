//! Journals on disk: torn, unfinished, followed.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::Path,
    thread,
};

use isosmith_engine::{
    Failure, Options, Work, history,
    journal::{Journal, follow, read},
    run,
};
use isosmith_host::{Cancel, FakeHost};
use isosmith_protocol::{BuildId, BuildResult, Event, EventKind, Isolation, Level, StepId, Stream};

use crate::{
    bench::{Bench, assert_well_formed, build_id},
    toy::{Toy, recipe},
};

fn hello(id: &BuildId, started: u64) -> EventKind {
    EventKind::Hello {
        epoch: 1,
        revision: 0,
        version: "1".to_owned(),
        build: id.clone(),
        profile: "toy".to_owned(),
        started,
        isolation: Isolation::Namespace,
    }
}

fn log(line: &str) -> EventKind {
    EventKind::Log {
        step: StepId::new("base"),
        stream: Stream::Stdout,
        level: Level::Debug,
        line: line.to_owned(),
    }
}

/// Writes a journal as a build would that began at `started`.
pub fn write_journal(work: &Work, started: u64, kinds: &[EventKind]) {
    work.create().expect("the folders can be made");
    let mut journal = Journal::begin(&work.journal()).expect("it can be begun");
    let kinds = std::iter::once(hello(work.id(), started)).chain(kinds.iter().cloned());
    for (seq, kind) in (0..).zip(kinds) {
        journal
            .write(&Event {
                seq,
                at_ms: seq * 10,
                kind,
            })
            .expect("it can be written");
    }
}

pub fn finished(result: BuildResult) -> EventKind {
    EventKind::Finished { result }
}

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new()
        .append(true)
        .open(path)
        .expect("it is there");
    file.write_all(text.as_bytes()).expect("it can be written");
}

fn seqs(events: &[Event]) -> Vec<u64> {
    events.iter().map(|event| event.seq).collect()
}

#[test]
fn the_journal_has_what_the_viewer_saw_but_progress() {
    let bench = Bench::new();
    let ran = bench.build("a", &mut Toy::default());
    let journal = read(&bench.work("a").journal()).expect("it is there");
    let seen: Vec<_> = ran
        .events
        .into_iter()
        .filter(|event| !event.kind.is_lossy())
        .collect();
    assert_eq!(journal, seen);
    assert_well_formed(&journal);
}

#[test]
fn progress_is_thinned_but_the_last_is_kept() {
    let bench = Bench::new();
    let ran = bench.build("a", &mut Toy::default());
    let progress = ran.files_counted();
    assert!(progress.is_sorted(), "{progress:?}");
    assert_eq!(progress.last(), Some(&1000));
    assert!(
        progress.len() < 500,
        "{} of 1000 came through",
        progress.len()
    );
}

#[test]
fn torn_and_foreign_lines_are_passed_over() {
    for (tail, want) in [
        ("", vec![0, 1]),
        (r#"{"seq":2,"atMs":20,"type":"log","st"#, vec![0, 1]),
        // Without its line end, a line is not known to be whole.
        (
            r#"{"seq":2,"atMs":20,"type":"finished","result":{"is":"cancelled"}}"#,
            vec![0, 1],
        ),
        ("\0\0\0\0", vec![0, 1]),
        (
            "rubbish\n{\"seq\":9,\"atMs\":1,\"type\":\"sparkle\"}\n",
            vec![0, 1, 9],
        ),
    ] {
        let bench = Bench::new();
        let work = bench.work("a");
        write_journal(&work, 1, &[log("one")]);
        append(&work.journal(), tail);
        assert_eq!(
            seqs(&read(&work.journal()).expect("it is there")),
            want,
            "{tail:?}"
        );
    }
}

#[test]
fn a_dead_build_gets_its_ending_once() {
    let huge = "x".repeat(200_000);
    for torn in ["", r#"{"seq":2,"atMs""#, &huge] {
        let bench = Bench::new();
        let work = bench.work("a");
        write_journal(&work, 1, &[log("one")]);
        append(&work.journal(), torn);
        assert!(Journal::interrupted(&work.build()).expect("it can be written"));
        assert!(!Journal::interrupted(&work.build()).expect("there is nothing to write"));
        let events = read(&work.journal()).expect("it is there");
        assert_eq!(seqs(&events), [0, 1, 2]);
        assert_eq!(events[2].kind, finished(BuildResult::Interrupted));
        let text = fs::read_to_string(work.journal()).expect("it is text");
        assert_eq!(text.lines().count(), 3, "the torn line is still there");
    }
}

#[test]
fn a_living_build_gets_no_ending_from_others() {
    let bench = Bench::new();
    let work = bench.work("a");
    write_journal(&work, 1, &[log("one")]);
    let lock = work.lock_build().expect("nobody has it");
    assert!(!Journal::interrupted(&work.build()).expect("it is left alone"));
    assert_eq!(
        history::list(&bench.state()).expect("it can be read")[0].result,
        None
    );
    drop(lock);
    let listed = history::list(&bench.state()).expect("it can be read");
    assert_eq!(listed[0].result, Some(BuildResult::Interrupted));
    assert!(listed[0].resumable);
}

#[test]
fn a_build_keeps_its_lock_until_its_ending_is_written() {
    let bench = Bench::new();
    let work = bench.work("a");
    let mut ended_by_others = 0;
    let mut sink = |_: &Event| {
        let ended = Journal::interrupted(&work.build()).expect("it is left alone");
        ended_by_others += u32::from(ended);
    };
    let options = Options::new(build_id("a"), "toy", "1");
    run(
        &recipe(),
        &mut Toy::default(),
        &FakeHost::default(),
        &work,
        &options,
        None,
        &mut sink,
    );
    assert_eq!(ended_by_others, 0);
    assert_well_formed(&read(&work.journal()).expect("it is there"));
}

#[test]
fn any_build_ends_the_journals_of_dead_ones_and_sets_its_own_older_one_aside() {
    let bench = Bench::new();
    write_journal(&bench.work("dead"), 1, &[log("one")]);
    let work = bench.work("a");
    write_journal(&work, 1, &[log("an earlier run")]);
    bench.build("a", &mut Toy::default());
    let dead = read(&bench.work("dead").journal()).expect("it is there");
    assert_eq!(dead[2].kind, finished(BuildResult::Interrupted));
    assert_well_formed(&read(&work.journal()).expect("it is there"));
    let aside = read(&work.build().join("journal.1.jsonl")).expect("it was set aside");
    assert_eq!(aside[1].kind, log("an earlier run"));
}

#[test]
fn a_follower_sees_every_event_from_where_it_asks() -> Result<(), Failure> {
    let bench = Bench::new();
    let work = bench.work("a");
    write_journal(
        &work,
        1,
        &[log("one"), log("two"), finished(BuildResult::Cancelled)],
    );
    for from in 0..5 {
        let events: Vec<_> = follow(&work.journal(), from, &Cancel::new()).collect();
        assert_eq!(seqs(&events), (from..4).collect::<Vec<_>>());
    }
    Ok(())
}

#[test]
fn a_follower_waits_for_what_comes() {
    let bench = Bench::new();
    let path = bench.work("a").journal();
    let (followed, ran) = thread::scope(|scope| {
        // Before there is any journal.
        let follower = scope.spawn(|| follow(&path, 0, &Cancel::new()).collect::<Vec<_>>());
        let ran = bench.build("a", &mut Toy::default());
        (follower.join().expect("it does not panic"), ran)
    });
    let seen: Vec<_> = ran
        .events
        .into_iter()
        .filter(|event| !event.kind.is_lossy())
        .collect();
    assert_eq!(followed, seen);
}

#[test]
fn a_follower_of_a_dead_build_comes_to_an_end() {
    let bench = Bench::new();
    let work = bench.work("a");
    write_journal(&work, 1, &[log("one")]);
    append(&work.journal(), r#"{"seq":2,"at"#);
    let events: Vec<_> = follow(&work.journal(), 0, &Cancel::new()).collect();
    assert_eq!(events[2].kind, finished(BuildResult::Interrupted));
    let stopped = Cancel::new();
    stopped.cancel();
    assert_eq!(follow(&work.journal(), 0, &stopped).count(), 0);
}

#[test]
fn whoever_ends_a_dead_build_falls_into_no_trap() {
    type Lay = fn(&Path, &Path);
    let cases: [(&str, Lay); 3] = [
        ("a pipe for a journal", |journal, _| {
            let mode = nix::sys::stat::Mode::from_bits_truncate(0o600);
            nix::unistd::mkfifo(journal, mode).expect("made");
        }),
        ("a folder for a journal", |journal, _| {
            fs::create_dir(journal).expect("made");
        }),
        ("somebody else's link for a journal", |journal, target| {
            std::os::unix::fs::symlink(target, journal).expect("linked");
            let given = std::os::unix::fs::lchown(journal, Some(65_534), None);
            // Only root can make somebody else's link, and only root needs to fear one.
            if given.is_err() {
                fs::remove_file(journal).expect("removed");
                fs::create_dir(journal).expect("made");
            }
        }),
    ];
    for (name, lay) in cases {
        let root = tempfile::tempdir().expect("a temporary folder");
        let target = root.path().join("target");
        fs::write(&target, "untouched").expect("written");
        let id = build_id("20260101-000000-x-0001");
        let work = Work::new(&root.path().join("state"), &root.path().join("cache"), &id);
        work.create().expect("made");
        lay(&work.journal(), &target);
        Journal::interrupted(&work.build()).expect_err(name);
        assert_eq!(fs::read_to_string(&target).expect("there"), "untouched");
    }
}
