//! Failures, retries, cancelling and resuming.

use std::{fs, thread};

use isosmith_engine::{Options, request_cancel, resume, run};
use isosmith_host::{FakeHost, fake::Answer};
use isosmith_protocol::{BuildResult, Code, Event, EventKind};

use crate::{
    bench::{Bench, Ran, assert_well_formed, build_id, cancel_of, permissive, strict},
    toy::{Toy, Trouble, recipe},
};
use Trouble::{Cancel, CancelThenFail, Fail, Full, Panic};

/// Builds with trouble, checks the ending, then goes on with the same build and no trouble.
#[track_caller]
fn check(
    step: &'static str,
    trouble: &[Trouble],
    set: fn(&mut Options),
    want: Option<Code>,
    retries: &[u32],
) -> Ran {
    let bench = Bench::new();
    let mut toy = Toy::with_trouble(step, trouble);
    let ran = bench.build_with("a", &mut toy, &recipe(), FakeHost::default(), set);
    assert_eq!(ran.code(), want, "{:?}", ran.result);
    assert_eq!(ran.retries(), retries);
    assert_well_formed(&ran.events);
    let journal = isosmith_engine::journal::read(&bench.work("a").journal()).expect("it is there");
    assert_well_formed(&journal);
    assert!(
        !bench.work("a").partial().exists(),
        "half-made things are left"
    );
    assert_eq!(
        toy.ran.contains(&"iso".to_owned()),
        want.is_none(),
        "{:?}",
        toy.ran
    );
    if want.is_some() {
        resume(&bench.work("a")).expect("it can be resumed");
        let again = bench.build("a", &mut Toy::default());
        assert!(
            matches!(again.result, BuildResult::Succeeded { .. }),
            "{:?}",
            again.result
        );
        assert_eq!(
            again.outcomes().contains("base:cached"),
            step != "base",
            "{}",
            again.outcomes()
        );
    }
    ran
}

#[test]
fn what_may_pass_is_tried_three_times() {
    let normal: fn(&mut Options) = |_| {};
    for code in [
        Code::DownloadFailed,
        Code::MirrorUnreachable,
        Code::FileMissingOnMirror,
        Code::HashMismatch,
    ] {
        check("packages", &[Fail(code)], normal, None, &[1]);
        check("packages", &[Fail(code); 2], normal, None, &[1, 2]);
        check("packages", &[Fail(code); 3], normal, Some(code), &[1, 2]);
        check("packages", &[Fail(code)], strict, Some(code), &[]);
    }
}

#[test]
fn what_the_system_can_do_without_is_left_out_where_that_is_wanted() {
    let normal: fn(&mut Options) = |_| {};
    let bad = Code::ScriptFailed;
    check("wallpaper", &[Fail(bad)], normal, Some(bad), &[]);
    check("wallpaper", &[Fail(bad)], strict, Some(bad), &[]);
    // Only what the recipe's table says.
    check("packages", &[Fail(bad)], permissive, Some(bad), &[]);
    check("wallpaper", &[Panic], permissive, Some(Code::Internal), &[]);
    // Tried again first where that may help.
    let away = Code::DownloadFailed;
    check("wallpaper", &[Fail(away)], permissive, None, &[1]);

    for trouble in [&[Fail(bad)][..], &[Fail(away); 3]] {
        let ran = check(
            "wallpaper",
            trouble,
            permissive,
            None,
            if trouble.len() == 3 { &[1, 2] } else { &[] },
        );
        assert!(
            ran.outcomes().contains("wallpaper:skipped squash:done"),
            "{}",
            ran.outcomes()
        );
        let warned = ran.warnings();
        assert!(
            matches!(warned[..], [one] if one.contains("as told")),
            "{warned:?}"
        );
    }
}

/// An image without a part is not the image with it, whatever the keys of the parts say.
#[test]
fn what_is_made_on_top_of_something_left_out_is_not_taken_for_the_whole() {
    let bench = Bench::new();
    let mut toy = Toy::with_trouble("wallpaper", &[Fail(Code::ScriptFailed)]);
    let poor = bench.build_with("a", &mut toy, &recipe(), FakeHost::default(), permissive);
    assert!(matches!(poor.result, BuildResult::Succeeded { .. }));
    let whole = bench.build("b", &mut Toy::default());
    assert!(
        whole
            .outcomes()
            .contains("packages:cached wallpaper:done squash:done"),
        "{}",
        whole.outcomes()
    );
}

#[test]
fn what_will_not_pass_ends_the_build_at_once() {
    let normal: fn(&mut Options) = |_| {};
    for code in [
        Code::PackageConflict,
        Code::BadSignature,
        Code::OutOfMemory,
        Code::Internal,
    ] {
        check("squash", &[Fail(code)], normal, Some(code), &[]);
    }
    check(
        "base",
        &[Fail(Code::ScriptFailed)],
        normal,
        Some(Code::ScriptFailed),
        &[],
    );
}

#[test]
fn a_failure_names_its_step_and_a_full_disk_the_room_left() {
    let ran = check("wallpaper", &[Full], |_| {}, Some(Code::DiskFull), &[]);
    let BuildResult::Failed { error } = ran.result else {
        panic!("{:?}", ran.result)
    };
    assert_eq!(error.step.expect("a step").as_str(), "wallpaper");
    assert!(
        error.causes.iter().any(|cause| cause.ends_with("MiB left")),
        "{:?}",
        error.causes
    );
}

#[test]
fn a_panic_is_a_failure_like_others() {
    let ran = check("packages", &[Panic], |_| {}, Some(Code::Internal), &[]);
    let BuildResult::Failed { error } = ran.result else {
        panic!("{:?}", ran.result)
    };
    assert!(error.message.contains("as told"), "{}", error.message);
}

#[test]
fn a_cancel_ends_the_build_between_and_within_steps() {
    for trouble in [Cancel, CancelThenFail] {
        let ran = check("packages", &[trouble], |_| {}, Some(Code::Cancelled), &[]);
        assert_eq!(ran.outcomes(), "resolve:done base:done packages:failed");
    }
    // What was finished when the cancel came is kept.
    let bench = Bench::new();
    let host = FakeHost::default();
    cancel_of(&host).cancel();
    let ran = bench.build_with("a", &mut Toy::default(), &recipe(), host, |_| {});
    assert_eq!((ran.result, ran.events.len()), (BuildResult::Cancelled, 3));
}

#[test]
fn a_cancel_is_not_answered_with_another_attempt() {
    let bench = Bench::new();
    let host = FakeHost::default();
    let cancel = cancel_of(&host);
    let mut toy = Toy::with_trouble("packages", &[Fail(Code::DownloadFailed)]);
    let mut sink = |event: &Event| {
        if matches!(event.kind, EventKind::StepRetried { .. }) {
            cancel.cancel();
        }
    };
    // The pause is so long that the test would not end if it were not cut short.
    let options = Options {
        retry_wait: std::time::Duration::from_secs(3600),
        ..Options::new(build_id("a"), "toy", "1")
    };
    let result = run(
        &recipe(),
        &mut toy,
        &host,
        &bench.work("a"),
        &options,
        None,
        &mut sink,
    );
    assert_eq!(result, BuildResult::Cancelled);
    assert_eq!(toy.ran, ["resolve", "base", "packages"]);
}

#[test]
fn another_process_can_cancel_and_resume() {
    let bench = Bench::new();
    let mut toy = Toy::with_trouble("packages", &[Trouble::WaitForCancel]);
    let ran = thread::scope(|scope| {
        let running = scope.spawn(|| bench.build("a", &mut toy));
        let waits = |text: String| text.contains(r#""step_started","step":"packages""#);
        while !fs::read_to_string(bench.work("a").journal()).is_ok_and(waits) {
            thread::sleep(std::time::Duration::from_millis(5));
        }
        request_cancel(&bench.state(), &build_id("a")).expect("the build is there");
        running.join().expect("it does not panic")
    });
    assert_eq!(ran.result, BuildResult::Cancelled);
    assert_eq!(ran.outcomes(), "resolve:done base:done packages:failed");

    let again = bench.build("a", &mut Toy::default());
    assert_eq!(
        again.result,
        BuildResult::Cancelled,
        "the wish stands until the build is resumed"
    );
    resume(&bench.work("a")).expect("it can be resumed");
    let again = bench.build("a", &mut Toy::default());
    assert!(matches!(again.result, BuildResult::Succeeded { .. }));
    let refused = resume(&bench.work("a")).expect_err("there is nothing left to do");
    assert_eq!(refused.code, Code::ProfileInvalid);
}

#[test]
fn what_was_remembered_is_there_when_the_build_is_resumed() {
    let bench = Bench::new();
    let mut toy = Toy::with_trouble("packages", &[Fail(Code::PackageFailed)]);
    bench.build("a", &mut toy);
    assert_eq!(toy.remembered, None);
    resume(&bench.work("a")).expect("it can be resumed");
    let mut toy = Toy::default();
    bench.build("a", &mut toy);
    assert_eq!(toy.remembered.as_deref(), Some("git 1,vim 9.1-1"));
    let mut toy = Toy::default();
    bench.build("b", &mut toy);
    assert_eq!(
        toy.remembered, None,
        "builds do not share what they remember"
    );
}

#[test]
fn a_command_s_failure_keeps_its_lines_and_gets_a_code() {
    for (status, stderr, want) in [
        (1, "E: broken", Code::CommandFailed),
        (
            1,
            "tar: cannot write: No space left on device",
            Code::DiskFull,
        ),
        (127, "", Code::CommandMissing),
    ] {
        let bench = Bench::new();
        let host = FakeHost::default().answer(Answer {
            when: "frob".to_owned(),
            stdout: "working".to_owned(),
            stderr: stderr.to_owned(),
            status,
            times: None,
        });
        let mut toy = Toy::with_trouble("packages", &[Trouble::Command("frob")]);
        let ran = bench.build_with("a", &mut toy, &recipe(), host, |_| {});
        let BuildResult::Failed { error } = &ran.result else {
            panic!("{:?}", ran.result)
        };
        assert_eq!(error.code, want);
        assert_eq!(error.command.as_deref(), Some("frob --flag"));
        assert!(
            ran.logged().contains(&"$ frob --flag"),
            "{:?}",
            ran.logged()
        );
        assert!(ran.logged().contains(&"working"), "{:?}", ran.logged());
    }
}

#[test]
fn a_recipe_s_mistakes_are_told_as_such() {
    let mut twice = recipe();
    twice.steps[1].id = twice.steps[0].id.clone();
    let mut backwards = recipe();
    backwards.steps[0].after = const { &[crate::toy::SQUASH] };
    let mut odd = recipe();
    odd.steps[0].id = isosmith_protocol::StepId::new("../x");
    for (recipe, toy, want) in [
        (twice, Toy::default(), "two steps named resolve"),
        (
            backwards,
            Toy::default(),
            "comes after squash, which is not earlier",
        ),
        (odd, Toy::default(), "cannot be a step's id"),
        (
            recipe(),
            Toy {
                resolves: false,
                ..Toy::default()
            },
            "is not known when it is reached",
        ),
        (
            recipe(),
            Toy {
                delivers: false,
                ..Toy::default()
            },
            "without an image",
        ),
    ] {
        let bench = Bench::new();
        let ran = bench.build_with("a", &mut toy.clone(), &recipe, FakeHost::default(), |_| {});
        let BuildResult::Failed { error } = &ran.result else {
            panic!("{:?}", ran.result)
        };
        assert_eq!(error.code, Code::Internal);
        assert!(error.message.contains(want), "{}", error.message);
        assert_well_formed(&ran.events);
    }
}

#[test]
fn a_build_that_runs_cannot_be_run_again() {
    let bench = Bench::new();
    let work = bench.work("a");
    work.create().expect("the folders can be made");
    let _lock = work.lock_build().expect("nobody has it");
    let ran = bench.build("a", &mut Toy::default());
    assert_eq!(ran.code(), Some(Code::Locked));
    assert_well_formed(&ran.events);
    assert!(
        !work.journal().exists(),
        "the other one's journal was touched"
    );
    assert_eq!(resume(&work).expect_err("it runs").code, Code::Locked);
}

#[test]
fn two_builds_share_the_cache_at_the_same_time() {
    let bench = Bench::new();
    let results: Vec<_> = thread::scope(|scope| {
        let builds: Vec<_> = ["a", "b", "c"]
            .map(|id| scope.spawn(|| bench.build(id, &mut Toy::default()).result))
            .into_iter()
            .collect();
        builds
            .into_iter()
            .map(|build| build.join().expect("it does not panic"))
            .collect()
    });
    for result in results {
        assert!(
            matches!(result, BuildResult::Succeeded { .. }),
            "{result:?}"
        );
    }
}

#[test]
fn a_viewer_that_panics_does_not_harm_the_build() {
    let bench = Bench::new();
    let mut sink = |_: &Event| panic!("a bad viewer");
    let options = Options::new(build_id("a"), "toy", "1");
    let result = run(
        &recipe(),
        &mut Toy::default(),
        &FakeHost::default(),
        &bench.work("a"),
        &options,
        None,
        &mut sink,
    );
    assert!(
        matches!(result, BuildResult::Succeeded { .. }),
        "{result:?}"
    );
}

#[test]
fn a_folder_that_cannot_be_made_is_a_failure_with_an_ending() {
    let bench = Bench::new();
    fs::write(bench.state(), "a file where a folder should be").expect("it can be written");
    let ran = bench.build("a", &mut Toy::default());
    assert_eq!(ran.code(), Some(Code::Io), "{:?}", ran.result);
    assert_well_formed(&ran.events);
}
