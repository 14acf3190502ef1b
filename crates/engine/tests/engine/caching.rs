//! What is run again, what is not, and why.

use std::fs;

use isosmith_engine::{cache::Cache, cache::Lookup, plan};
use isosmith_host::FakeHost;
use isosmith_protocol::{BuildResult, Code, EventKind};

use crate::{
    bench::{Bench, assert_well_formed, build_id, edit_json, entry_of},
    toy::{BASE, Toy, recipe, write},
};

const ALL_DONE: &str = "resolve:done base:done packages:done wallpaper:done squash:done iso:done";
const ALL_CACHED: &str =
    "resolve:done base:cached packages:cached wallpaper:cached squash:cached iso:done";

#[test]
fn the_first_build_does_everything_and_says_so_in_order() {
    let bench = Bench::new();
    let ran = bench.build("a", &mut Toy::default());
    assert_eq!(ran.outcomes(), ALL_DONE);
    assert_well_formed(&ran.events);
    let EventKind::Planned { steps } = &ran.events[1].kind else {
        panic!("no plan")
    };
    assert!(steps.iter().all(|step| !step.cached));
    let BuildResult::Succeeded { iso, files } = &ran.result else {
        panic!("{:?}", ran.result)
    };
    assert_eq!((iso.size, files.len()), (16, 1));
    assert!(
        !bench.work("a").partial().exists(),
        "half-made things are left"
    );
}

#[test]
fn a_change_runs_again_only_what_depends_on_it() {
    let same: fn(&mut Toy) = |_| {};
    for (change, want) in [
        (same, ALL_CACHED),
        (
            |toy| toy.level = 19,
            "resolve:done base:cached packages:cached wallpaper:cached squash:done iso:done",
        ),
        (
            |toy| toy.wallpaper = "hills",
            "resolve:done base:cached packages:cached wallpaper:done squash:done iso:done",
        ),
        (
            |toy| toy.wallpaper = "",
            "resolve:done base:cached packages:cached wallpaper:skipped squash:done iso:done",
        ),
        (
            |toy| toy.wanted.push("zsh 5"),
            "resolve:done base:cached packages:done wallpaper:done squash:done iso:done",
        ),
        (|toy| toy.suite = "bookworm", ALL_DONE),
    ] as [(fn(&mut Toy), &str); 6]
    {
        let bench = Bench::new();
        bench.build("a", &mut Toy::default());
        let mut toy = Toy::default();
        change(&mut toy);
        let ran = bench.build("b", &mut toy);
        assert_eq!(ran.outcomes(), want);
        assert_eq!(
            toy.image,
            format!("image of level {}", toy.level),
            "run and recall fill the state alike"
        );
    }
}

#[test]
fn a_raised_version_runs_the_step_and_all_above_again() {
    let bench = Bench::new();
    bench.build("a", &mut Toy::default());
    let mut raised = recipe();
    raised.steps[3].version = 2;
    let ran = bench.build_with(
        "b",
        &mut Toy::default(),
        &raised,
        FakeHost::default(),
        |_| {},
    );
    assert_eq!(
        ran.outcomes(),
        "resolve:done base:cached packages:cached wallpaper:done squash:done iso:done"
    );
}

#[test]
fn a_miss_is_explained_when_asked_for() {
    let bench = Bench::new();
    let explained = |id, toy: &mut Toy, explain| {
        let ran = bench.build_with(id, toy, &recipe(), FakeHost::default(), |options| {
            options.explain_cache = explain;
        });
        let reasons = ran
            .logged()
            .into_iter()
            .filter_map(|line| line.strip_prefix("not from the cache: "));
        reasons.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(
        explained("a", &mut Toy::default(), true),
        ["never built"; 4]
    );
    assert_eq!(explained("b", &mut Toy::default(), true), [""; 0]);

    let mut toy = Toy {
        wanted: vec!["git 1", "vim 9.1-2"],
        ..Toy::default()
    };
    let reasons = explained("c", &mut toy, true);
    assert_eq!(
        reasons[0],
        r#"inputs.packages[1]: "vim 9.1-1" → "vim 9.1-2""#
    );
    assert!(reasons[1].starts_with("parents.packages: "), "{reasons:?}");
    let mut toy = Toy {
        suite: "sid",
        ..Toy::default()
    };
    assert_eq!(explained("d", &mut toy, false), [""; 0]);
}

#[test]
fn the_plan_knows_what_can_be_known() {
    let bench = Bench::new();
    let cached = |toy: &Toy| {
        let planned = plan(&recipe(), toy, &bench.work("p"));
        planned.iter().map(|step| step.cached).collect::<Vec<_>>()
    };
    let nothing_yet = [Some(false), Some(false), None, None, None, Some(false)];
    assert_eq!(cached(&Toy::default()), nothing_yet);
    let mut toy = Toy::default();
    bench.build("a", &mut toy);
    // What the packages are is found out by a step; all that is above them waits for that.
    assert_eq!(
        cached(&Toy::default()),
        [Some(false), Some(true), None, None, None, Some(false)]
    );
    let all = [
        Some(false),
        Some(true),
        Some(true),
        Some(true),
        Some(true),
        Some(false),
    ];
    assert_eq!(cached(&toy), all);
    assert!(
        !bench.work("p").build().exists(),
        "planning has left something"
    );
}

#[test]
fn a_step_sees_whether_a_later_one_comes_from_the_cache() {
    let bench = Bench::new();
    let mut toy = Toy::default();
    bench.build("a", &mut toy);
    assert_eq!(toy.expected_of_packages, Some(false));

    // Only the base is missing: what is above it is found by its key.
    let base = entry_of(&bench.work("a").layers(), "base");
    fs::remove_dir_all(base).expect("it can be removed");
    let mut toy = Toy::default();
    let ran = bench.build("b", &mut toy);
    assert_eq!(toy.expected_of_packages, Some(true));
    assert_eq!(
        ran.outcomes(),
        "resolve:done base:done packages:cached wallpaper:cached squash:cached iso:done"
    );
}

#[test]
fn layers_are_stacked_topmost_first_and_sealed() {
    let bench = Bench::new();
    let mut toy = Toy::default();
    let ran = bench.build("a", &mut toy);
    let work = bench.work("a");
    let layer = |step| {
        entry_of(&work.layers(), step)
            .join("fs")
            .display()
            .to_string()
    };
    let (base, packages, wallpaper) = (layer("base"), layer("packages"), layer("wallpaper"));
    let root = work.root().display().to_string();
    let partial = work.partial().display().to_string();
    assert_eq!(
        ran.host.log(),
        [
            format!("overlay {root} = {partial}/packages/fs over {base}"),
            format!("overlay {root} = {partial}/wallpaper/fs over {packages} over {base}"),
            format!(
                "overlay {root} = {partial}/squash.scratch/upper over {wallpaper} over {packages} over {base}"
            ),
        ]
    );
    let seen: Vec<_> = toy
        .layers_seen
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    assert_eq!(seen, [wallpaper, packages, base.clone()]);
    let sealed = fs::read_to_string(format!("{base}/sealed")).expect("the layer is sealed");
    assert_eq!(sealed, "trixie");
}

#[test]
fn a_skipped_layer_adds_none() {
    let bench = Bench::new();
    let mut toy = Toy {
        wallpaper: "",
        ..Toy::default()
    };
    let ran = bench.build("a", &mut toy);
    assert_eq!(toy.layers_seen.len(), 2, "{:?}", toy.layers_seen);
    assert_eq!(ran.skip_reasons(), ["no wallpaper was chosen"]);
}

#[test]
fn an_entry_from_before_a_restart_is_trusted_only_if_it_was_synced() {
    for (synced, want) in [(false, "base:done"), (true, "base:cached")] {
        let bench = Bench::new();
        bench.build("a", &mut Toy::default());
        let base = entry_of(&bench.work("a").layers(), "base");
        // The thread that marks entries may be at work on this one.
        std::thread::sleep(std::time::Duration::from_millis(1));
        wait_until_synced(&base);
        edit_json(&base.join("layer.json"), |record| {
            record["boot_id"] = "another boot".into();
            record["synced"] = synced.into();
        });
        let ran = bench.build_with(
            "b",
            &mut Toy::default(),
            &recipe(),
            FakeHost::default(),
            |options| {
                options.explain_cache = true;
            },
        );
        assert!(ran.outcomes().contains(want), "{}", ran.outcomes());
        let said = ran
            .logged()
            .iter()
            .any(|line| line.contains("restarted before it was safely on disk"));
        assert_eq!(said, !synced);
    }
}

/// Entries get to the disk in the background, at some time.
fn wait_until_synced(entry: &std::path::Path) {
    for _ in 0..600 {
        let text = fs::read_to_string(entry.join("layer.json")).expect("the record is there");
        if text.contains(r#""synced": true"#) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("{} was never synced", entry.display());
}

#[test]
fn a_damaged_entry_is_made_anew() {
    let bench = Bench::new();
    bench.build("a", &mut Toy::default());
    let base = entry_of(&bench.work("a").layers(), "base");
    wait_until_synced(&base);
    write(&base.join("layer.json"), "{");
    let ran = bench.build("b", &mut Toy::default());
    assert!(
        ran.outcomes().contains("base:done packages:cached"),
        "{}",
        ran.outcomes()
    );
}

#[test]
fn a_result_that_cannot_be_recalled_is_made_anew_with_a_warning() {
    let bench = Bench::new();
    bench.build("a", &mut Toy::default());
    let squash = entry_of(&bench.work("a").artifacts(), "squash");
    fs::remove_file(squash.join("data/image")).expect("it is there");
    let mut toy = Toy::default();
    let ran = bench.build("b", &mut toy);
    assert!(
        ran.outcomes()
            .ends_with("wallpaper:cached squash:done iso:done"),
        "{}",
        ran.outcomes()
    );
    assert_eq!(ran.warnings().len(), 1, "{:?}", ran.warnings());
    assert_eq!(toy.image, "image of level 3");

    let mut toy = Toy {
        recall_trouble: Some(Code::Cancelled),
        ..Toy::default()
    };
    assert_eq!(bench.build("c", &mut toy).result, BuildResult::Cancelled);
}

#[test]
fn a_build_that_was_overtaken_takes_the_other_one_s_result() {
    let bench = Bench::new();
    let mut toy = Toy::default();
    bench.build("a", &mut toy);
    let work = bench.work("b");
    let cache = Cache::new(&work);
    let planned = plan(&recipe(), &toy, &work);
    let base = planned
        .iter()
        .find(|step| step.info.id == BASE)
        .expect("it is in the plan");
    let key = base.key.as_ref().expect("the base's inputs are known");

    let partial = work.partial_of(&BASE);
    fs::create_dir_all(partial.join("fs")).expect("it can be made");
    let kind = isosmith_engine::Kind::Layer;
    let entry = cache
        .commit(kind, key, &partial)
        .expect("the other one is there");
    assert_eq!(cache.look(kind, key), Lookup::Hit(entry.clone()));
    assert!(
        entry.fs().join("base").exists(),
        "the first one's layer was replaced"
    );
}

#[test]
fn results_of_one_build_serve_another_profile() {
    let bench = Bench::new();
    bench.build("first", &mut Toy::default());
    let mut other = Toy {
        level: 1,
        ..Toy::default()
    };
    let ran = bench.build("second", &mut other);
    assert!(ran.outcomes().contains("wallpaper:cached squash:done"));
    assert_eq!(bench.work("second").id(), &build_id("second"));
}
