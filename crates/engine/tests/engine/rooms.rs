//! What is listed, kept and removed.

use std::{fs, os::unix::fs::symlink, path::Path, time::Duration};

use isosmith_engine::{
    clean::{CleanItem, CleanPlan, Wanted, Why, clean, plan},
    history,
};
use isosmith_host::FakeHost;
use isosmith_protocol::{BuildResult, Code, ErrorView, Output};

use crate::{
    bench::{Bench, build_id, entry_of},
    journals::{finished, write_journal},
    toy::{SQUASH, Toy, recipe, write},
};

fn succeeded() -> BuildResult {
    let iso = Output {
        path: "/out/a.iso".to_owned(),
        size: 1,
        checksums: [].into(),
        enrolment: None,
    };
    BuildResult::Succeeded {
        iso,
        files: Vec::new(),
    }
}

fn failed() -> BuildResult {
    BuildResult::Failed {
        error: ErrorView {
            class: Code::DiskFull.class(),
            code: Code::DiskFull,
            step: None,
            message: String::new(),
            advice: String::new(),
            causes: Vec::new(),
            command: None,
            tail: Vec::new(),
            recovery: Code::DiskFull.recovery(),
        },
    }
}

/// A build with a limit makes room, oldest first, and keeps what it is made of itself.
#[test]
fn a_cache_keeps_to_its_limit() {
    let run = |limit: Option<u64>| {
        let bench = Bench::new();
        bench.build("a", &mut Toy::default());
        let mut other = Toy {
            suite: "sid",
            ..Toy::default()
        };
        let pool = bench.work("b").pool();
        for (folder, file) in [("ab", "old.deb"), ("blocks", "index")] {
            fs::create_dir_all(pool.join(folder)).expect("made");
            fs::write(pool.join(folder).join(file), vec![1; 20_000]).expect("written");
        }
        let ran = bench.build_with("b", &mut other, &recipe(), FakeHost::default(), |options| {
            options.cache_limit = limit;
        });
        assert!(matches!(ran.result, BuildResult::Succeeded { .. }));
        let freed = ran.logged().iter().any(|line| line.contains("freed"));
        let there = |path: &str| pool.join(path).exists();
        let (deb, blocks) = (there("ab/old.deb"), there("blocks/index"));
        // Seen by what the next builds of each find.
        let old = bench.build("c", &mut Toy::default()).outcomes();
        let new = bench.build("d", &mut other).outcomes();
        let cached = |text: &str| text.contains("base:cached packages:cached wallpaper:cached");
        (freed, deb, blocks, cached(&old), cached(&new))
    };
    assert_eq!(run(None), (false, true, true, true, true));
    assert_eq!(run(Some(u64::MAX)), (false, true, true, true, true));
    assert_eq!(run(Some(1)), (true, false, true, false, true));
}

#[test]
fn builds_are_listed_newest_first() {
    let bench = Bench::new();
    assert_eq!(
        history::list(&bench.state()).expect("nothing is no error"),
        []
    );
    write_journal(&bench.work("old"), 100, &[finished(succeeded())]);
    write_journal(&bench.work("new"), 300, &[finished(failed())]);
    write_journal(
        &bench.work("middle"),
        200,
        &[finished(BuildResult::Cancelled)],
    );
    bench
        .work("never-begun")
        .create()
        .expect("the folders can be made");
    let listed: Vec<_> = history::list(&bench.state())
        .expect("it can be read")
        .into_iter()
        .map(|build| {
            (
                build.id.to_string(),
                build.profile,
                build.resumable,
                build.iso,
                build.took,
            )
        })
        .collect();
    let took = Duration::from_millis(10);
    let row = |id: &str, resumable, iso: Option<&str>| {
        (
            id.to_owned(),
            "toy".to_owned(),
            resumable,
            iso.map(Into::into),
            took,
        )
    };
    assert_eq!(
        listed,
        [
            row("new", true, None),
            row("middle", true, None),
            row("old", false, Some("/out/a.iso")),
        ]
    );
}

#[test]
fn pruning_keeps_the_newest_and_what_can_be_resumed() {
    // Letters from oldest to newest: s succeeded, f failed, c cancelled, r running.
    for (builds, keep, want) in [
        ("ssss", 2, "..ss"),
        ("ssss", 10, "ssss"),
        ("ssss", 0, "...."),
        ("fcfcssss", 2, ".cfc..ss"),
        ("rsss", 1, "r..s"),
        ("ffff", 0, ".fff"),
        ("", 3, ""),
    ] {
        let bench = Bench::new();
        let mut locks = Vec::new();
        let id = |index: usize| format!("b{index}");
        for (index, letter) in builds.chars().enumerate() {
            let work = bench.work(&id(index));
            let end = match letter {
                's' => vec![finished(succeeded())],
                'f' => vec![finished(failed())],
                'c' => vec![finished(BuildResult::Cancelled)],
                _ => Vec::new(),
            };
            write_journal(&work, 1000 + index as u64, &end);
            if letter == 'r' {
                locks.push(work.lock_build().expect("nobody has it"));
            }
        }
        let removed = history::prune(&bench.state(), keep).expect("it can be removed");
        let left: String = builds
            .chars()
            .enumerate()
            .map(|(index, letter)| {
                if bench.work(&id(index)).build().exists() {
                    letter
                } else {
                    '.'
                }
            })
            .collect();
        assert_eq!(left, want, "{builds} {keep}");
        assert_eq!(removed.len(), want.matches('.').count());
    }
}

#[test]
fn cleaning_first_says_what_and_then_does_it() {
    let bench = Bench::new();
    bench.build("a", &mut Toy::default());
    write(&bench.work("a").pool().join("vim.deb"), "a package");
    fs::create_dir_all(bench.work("dead").partial_of(&SQUASH)).expect("it can be made");

    let planned = |wanted| plan(&bench.state(), &bench.cache(), wanted);
    let whys = |wanted| {
        planned(wanted)
            .items
            .iter()
            .map(|item| item.why)
            .collect::<Vec<_>>()
    };
    assert_eq!(whys(Wanted::Leftovers), [Why::Leftover]);
    assert_eq!(
        whys(Wanted::Unused(Duration::from_secs(3600))),
        [Why::Leftover]
    );
    assert_eq!(whys(Wanted::ShrinkTo(u64::MAX)), [Why::Leftover]);
    assert_eq!(whys(Wanted::ShrinkTo(0)).len(), 5);
    let everything = planned(Wanted::Everything);
    assert_eq!(everything.items.len(), 6);
    assert_eq!(everything.items[5].why, Why::Download);
    assert!(everything.bytes() > 0);
    assert!(
        everything.items.iter().all(|item| item.path.exists()),
        "planning has removed something"
    );

    let freed = clean(&bench.cache(), &everything).expect("nobody uses it");
    assert_eq!(freed, everything.bytes());
    assert_eq!(planned(Wanted::Everything), CleanPlan::default());
    assert_eq!(
        clean(&bench.cache(), &everything).expect("gone already is no error"),
        0
    );
    let ran = bench.build("b", &mut Toy::default());
    assert!(ran.outcomes().contains("base:done"));
}

#[test]
fn what_was_used_longest_ago_goes_first() {
    let bench = Bench::new();
    bench.build("a", &mut Toy::default());
    bench.build(
        "b",
        &mut Toy {
            level: 9,
            ..Toy::default()
        },
    );
    let layers = bench.work("a").layers();
    let all = plan(&bench.state(), &bench.cache(), Wanted::ShrinkTo(0)).bytes();
    // Only the first image, which the second build did not use, goes.
    let planned = plan(&bench.state(), &bench.cache(), Wanted::ShrinkTo(all - 1));
    assert_eq!(planned.items.len(), 1);
    assert_eq!(planned.items[0].why, Why::Artifact);
    let image = fs::read_to_string(planned.items[0].path.join("data/image")).expect("it is there");
    assert_eq!(image, "image of level 3");
    assert!(entry_of(&layers, "base").join("used").exists());
}

#[test]
fn a_build_keeps_others_from_cleaning() {
    let bench = Bench::new();
    let work = bench.work("a");
    work.create().expect("the folders can be made");
    let one = work.share_cache().expect("nobody has it");
    let two = bench.work("b").share_cache().expect("builds share it");
    let refused = clean(&bench.cache(), &CleanPlan::default()).expect_err("it is in use");
    assert_eq!(refused.code, Code::Locked);
    drop((one, two));
    clean(&bench.cache(), &CleanPlan::default()).expect("nobody uses it");

    let alone = isosmith_host::fs::lock_exclusive(&work.cache_lock()).expect("it can be locked");
    assert!(alone.is_some());
    assert_eq!(
        bench.build("c", &mut Toy::default()).code(),
        Some(Code::Locked)
    );
}

#[test]
fn cleaning_refuses_whatever_is_outside() {
    let bench = Bench::new();
    bench.build("a", &mut Toy::default());
    let precious = bench.outside().join("precious");
    fs::create_dir(&precious).expect("it can be made");
    let link = bench.work("a").layers().join("link");
    symlink(bench.outside(), &link).expect("it can be made");

    for path in [
        precious.clone(),
        bench.cache(),
        bench.cache().join("layers/../../outside/precious"),
        link.join("precious"),
        Path::new("/").to_owned(),
    ] {
        let items = vec![CleanItem {
            path: path.clone(),
            bytes: 1,
            why: Why::Layer,
        }];
        let refused = clean(&bench.cache(), &CleanPlan { items }).expect_err("it is outside");
        assert_eq!(refused.code, Code::Internal, "{}", path.display());
        assert!(
            precious.exists() && bench.cache().exists(),
            "{}",
            path.display()
        );
    }
    // A link inside is only a link.
    let items = vec![CleanItem {
        path: link.clone(),
        bytes: 1,
        why: Why::Layer,
    }];
    clean(&bench.cache(), &CleanPlan { items }).expect("the link is inside");
    assert!(precious.exists() && link.symlink_metadata().is_err());
}

#[test]
fn a_build_sweeps_what_dead_ones_left_but_not_what_living_ones_make() {
    let bench = Bench::new();
    let (dead, living) = (bench.work("dead"), bench.work("living"));
    dead.create().expect("the folders can be made");
    living.create().expect("the folders can be made");
    let _lock = living.lock_build().expect("nobody has it");
    let trash = living.partials().join(".trash-1-0-1");
    fs::create_dir(&trash).expect("it can be made");
    bench.build("a", &mut Toy::default());
    assert!(
        !dead.partial().exists() && !trash.exists(),
        "leftovers are still there"
    );
    assert!(
        living.partial().exists(),
        "a living build's things are gone"
    );
    assert_eq!(living.id(), &build_id("living"));
}
