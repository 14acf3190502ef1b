//! Builds that have been, from recorded events.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on stops with a message"
)]

use std::{
    fs,
    path::{Path, PathBuf},
};

use isosmith_client::{Description, Listed, State};
use isosmith_protocol::{BuildId, BuildResult, Code, Event, EventKind, Isolation, Output};
use isosmith_studio::{
    Begun, Checked, Drafts, History, Places,
    model::{BuildState, DraftSource, Settings},
};
use serde_json::json;

struct World {
    root: tempfile::TempDir,
    places: Places,
    history: History,
}

impl World {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../profiles");
        let places = Places::below(root.path(), &[&shipped]);
        fs::create_dir(root.path().join("out")).unwrap();
        let (history, warning) = History::open(&places);
        assert_eq!(warning, None);
        Self {
            root,
            places,
            history,
        }
    }

    fn out(&self) -> PathBuf {
        self.root.path().canonicalize().unwrap().join("out")
    }

    fn draft(&self, profile: &str, name: &str) -> Checked {
        let mut drafts = Drafts::new(self.places.clone(), &Settings::usual(&self.places));
        let id = drafts
            .open(&DraftSource::Profile(profile.into()))
            .unwrap()
            .id;
        drafts.edit(&id, "branding.name", json!(name)).unwrap();
        drafts.checked(&id).unwrap()
    }

    fn begin(&self, id: &BuildId, draft: &Checked, started: u64) {
        let folder = self.out();
        let begun = Begun {
            id,
            draft,
            folder: &folder,
            started,
        };
        self.history.begin(&begun).unwrap();
    }

    /// A build that runs to its end as recorded, with files in its folder.
    fn build(&mut self, number: u16, name: &str, packages: &str) -> BuildId {
        let id = BuildId::compose(u64::from(number), "minimal", number);
        let draft = self.draft("minimal", name);
        self.begin(&id, &draft, u64::from(number));
        let iso = format!("{number}.iso");
        fs::write(self.out().join(&iso), format!("the iso {number}")).unwrap();
        fs::write(self.out().join(format!("{iso}.manifest")), packages).unwrap();
        let mut events = recorded("good");
        let result = BuildResult::Succeeded {
            iso: Output {
                path: format!("/elsewhere/{iso}"),
                size: 9,
                checksums: [("sha256".to_owned(), sum(&self.out().join(&iso)))].into(),
                enrolment: None,
            },
            files: vec![format!("{iso}.manifest")],
        };
        if let EventKind::Finished { result: end } = &mut events.last_mut().unwrap().kind {
            *end = result;
        }
        self.history.record(&id, &events).unwrap();
        id
    }
}

fn sum(path: &Path) -> String {
    let made = std::process::Command::new("sha256sum")
        .arg(path)
        .output()
        .unwrap();
    let text = String::from_utf8(made.stdout).unwrap();
    text.split_whitespace().next().unwrap().to_owned()
}

fn recorded(name: &str) -> Vec<Event> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../protocol/tests/fixtures");
    let text = fs::read_to_string(folder.join(format!("{name}.jsonl"))).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn listed(id: &BuildId, state: State, started: u64) -> Listed {
    Listed {
        id: id.clone(),
        profile: "minimal".into(),
        state,
        started,
        uid: 1000,
    }
}

fn description(id: &BuildId, state: State, result: Option<BuildResult>) -> Description {
    Description {
        id: id.clone(),
        profile: "minimal".into(),
        product: "Aurora 2".into(),
        state,
        started: 5,
        uid: 1000,
        spec_sha256: String::new(),
        isolation: Isolation::Namespace,
        resumable: state.is_resumable(),
        iso: None,
        result,
        session: Vec::new(),
    }
}

#[test]
fn a_build_is_remembered_as_it_went() {
    let mut world = World::new();
    let id = world.build(1, "Aurora", "apt\t3.0\tamd64\tx\nvim\t9.1\tamd64\ty\n");
    // Read by another window.
    let (history, _) = History::open(&world.places);
    let detail = history.detail(&id).unwrap();
    assert_eq!(detail.row.title, "Aurora 1.0");
    assert_eq!(detail.row.state, BuildState::Succeeded);
    assert_eq!((detail.row.size, detail.row.warnings), (Some(9), 1));
    assert_eq!(
        detail.row.iso,
        world.out().join("1.iso").to_str().map(str::to_owned)
    );
    assert!(detail.row.took_ms.unwrap() >= 39_000);
    assert!(
        detail.toml.contains("extends = \"minimal\""),
        "{}",
        detail.toml
    );
    assert_eq!(detail.packages.len(), 2);
    assert_eq!(detail.packages[1].version, "9.1");
    assert!(matches!(detail.result, Some(BuildResult::Succeeded { .. })));
    for words in [
        "Aurora 1.0",
        "Phases:\n  Environment",
        "Fetch packages",
        "firmware-misc-nonfree",
        "sha256",
    ] {
        assert!(
            detail.report.contains(words),
            "{words} in {}",
            detail.report
        );
    }
    fs::remove_file(world.out().join("1.iso")).unwrap();
    assert_eq!(
        history.detail(&id).unwrap().row.iso,
        None,
        "it is not there any more"
    );
}

#[test]
fn endings_are_told_apart() {
    let mut world = World::new();
    for (number, (name, state, code)) in [
        ("failed", BuildState::Failed, true),
        ("cancelled", BuildState::Cancelled, true),
        ("interrupted", BuildState::Interrupted, true),
        ("good", BuildState::Succeeded, false),
    ]
    .into_iter()
    .enumerate()
    {
        let id = BuildId::compose(1, name, u16::try_from(number).unwrap());
        let events = recorded(name);
        let (first, rest) = events.split_at(4);
        world.history.record(&id, first).unwrap();
        let row = world.history.detail(&id).unwrap().row;
        assert_eq!(row.state, BuildState::Running, "{name}");
        world.history.record(&id, rest).unwrap();
        // Whoever attaches again gets everything again.
        world.history.record(&id, &events).unwrap();
        let row = world.history.detail(&id).unwrap().row;
        assert_eq!((row.state, row.code.is_some()), (state, code), "{name}");
        assert_eq!(row.resumable, code, "{name}");
    }
}

#[test]
fn builds_are_found_newest_first() {
    let mut world = World::new();
    let old = world.build(1, "Aurora 100%", "");
    let new = world.build(2, "Borealis_", "");
    let ids = |rows: Vec<isosmith_studio::model::BuildRow>| -> Vec<String> {
        rows.into_iter().map(|row| row.id).collect()
    };
    let both = [new.to_string(), old.to_string()];
    assert_eq!(ids(world.history.rows().unwrap()), both);
    assert_eq!(ids(world.history.search("  ").unwrap()), both);
    assert_eq!(ids(world.history.search("MINIMAL").unwrap()), both);
    assert_eq!(
        ids(world.history.search("aurora mini").unwrap()),
        [both[1].clone()]
    );
    assert_eq!(
        ids(world.history.search("100%").unwrap()),
        [both[1].clone()]
    );
    assert_eq!(ids(world.history.search("s_").unwrap()), [both[0].clone()]);
    assert!(world.history.search("' OR 1 --").unwrap().is_empty());
    assert!(world.history.usual_seconds("minimal").unwrap().unwrap() >= 39);
    assert_eq!(world.history.usual_seconds("rescue").unwrap(), None);
}

#[test]
fn deleting_takes_the_files_that_the_build_made_and_no_others() {
    let mut world = World::new();
    let keep = world.build(1, "Keep", "a\t1\n");
    let gone = world.build(2, "Gone", "a\t1\n");
    let other = world.build(3, "Other", "a\t1\n");
    assert_eq!(
        world.history.delete(&keep, false).unwrap(),
        Vec::<String>::new()
    );
    assert!(world.out().join("1.iso").exists());
    assert_eq!(
        world.history.delete(&gone, true).unwrap(),
        Vec::<String>::new()
    );
    assert!(!world.out().join("2.iso").exists());
    assert!(!world.out().join("2.iso.manifest").exists());
    fs::write(world.out().join("3.iso"), "somebody else's").unwrap();
    assert_eq!(world.history.delete(&other, true).unwrap(), ["3.iso"]);
    assert!(world.out().join("3.iso").exists());

    assert_eq!(
        world.history.delete(&gone, true).unwrap_err().code(),
        Code::NoSuchBuild
    );
    world
        .history
        .reconcile(&[listed(&gone, State::Succeeded, 2)])
        .unwrap();
    assert!(
        world.history.rows().unwrap().is_empty(),
        "it does not come back"
    );

    let running = BuildId::compose(9, "x", 9);
    let draft = world.draft("minimal", "Runs");
    world.begin(&running, &draft, 9);
    assert_eq!(
        world.history.delete(&running, true).unwrap_err().code(),
        Code::WrongState
    );
}

#[test]
fn the_service_s_list_is_taken_in() {
    let mut world = World::new();
    let draft = world.draft("minimal", "Mine");
    let lost = BuildId::compose(1, "lost", 1);
    let ours = BuildId::compose(2, "ours", 2);
    let unseen = BuildId::compose(3, "unseen", 3);
    world.begin(&lost, &draft, 1);
    world.begin(&ours, &draft, 2);
    let list = [
        listed(&ours, State::Running, 2),
        listed(&unseen, State::Succeeded, 3),
    ];
    let ask = world.history.reconcile(&list).unwrap();
    assert_eq!(ask, [unseen.clone(), ours.clone()]);
    let result = BuildResult::Succeeded {
        iso: Output {
            path: "x.iso".into(),
            size: 77,
            checksums: [("md5".to_owned(), "0".repeat(32))].into(),
            enrolment: None,
        },
        files: Vec::new(),
    };
    world
        .history
        .describe(&description(&unseen, State::Succeeded, Some(result)))
        .unwrap();
    let row = world.history.detail(&unseen).unwrap().row;
    assert_eq!(
        (row.title.as_str(), row.size, row.iso),
        ("Aurora 2", Some(77), None)
    );
    assert_eq!(row.picture, None, "nobody knows what it looks like");
    let state = |id: &BuildId| world.history.detail(id).unwrap().row.state;
    assert_eq!(state(&lost), BuildState::Interrupted);
    assert_eq!(state(&ours), BuildState::Running);
    assert_eq!(world.history.detail(&ours).unwrap().row.title, "Mine 1.0");
    let again = world.history.reconcile(&list).unwrap();
    assert_eq!(again, Vec::<BuildId>::new(), "nothing is new");

    // The build's own ending comes before the ISO has arrived; the service has the last word.
    world.history.record(&ours, &recorded("good")).unwrap();
    world
        .history
        .describe(&description(&ours, State::Failed, None))
        .unwrap();
    assert_eq!(
        world.history.detail(&ours).unwrap().row.state,
        BuildState::Failed
    );
}

#[test]
fn two_builds_are_compared() {
    let mut world = World::new();
    let a = world.build(
        1,
        "Aurora",
        "apt\t3.0\tamd64\tx\t10\nnano\t8\tamd64\ty\t3\n",
    );
    // A list of an older version has no sizes.
    let old = world.build(3, "Old", "apt\t2.9\tamd64\tx\nnano\t8\tamd64\ty\n");
    let b = world.build(
        2,
        "Borealis",
        "apt\t3.1\tamd64\tx\t9\nvim\t9\tamd64\ty\t4\n",
    );
    let found = world.history.compare(&a, &b).unwrap();
    let name = found
        .spec
        .iter()
        .find(|field| field.path == "branding.name")
        .unwrap();
    assert_eq!(name.a.as_deref(), Some("\"Aurora\""));
    assert!(found.spec.iter().all(|field| field.path != "base.suite"));
    let packages: Vec<_> = found
        .packages
        .iter()
        .map(|one| {
            (
                one.name.as_str(),
                one.a.as_deref(),
                one.b.as_deref(),
                one.grows,
            )
        })
        .collect();
    let want = [
        ("apt", Some("3.0"), Some("3.1"), Some(-1024)),
        ("nano", Some("8"), None, Some(-3072)),
        ("vim", None, Some("9"), Some(4096)),
    ];
    assert_eq!(packages, want);
    assert_eq!((found.sizes[0].a, found.sizes[0].b), (9, 9));
    let installed = &found.sizes[1];
    assert_eq!(
        (installed.name.as_str(), installed.a, installed.b),
        ("installed", 13 * 1024, 13 * 1024)
    );
    assert_eq!(
        world.history.detail(&a).unwrap().packages[0].size,
        10 * 1024
    );
    let with_old = world.history.compare(&old, &a).unwrap();
    assert_eq!(with_old.packages[0].grows, None);
    assert!(with_old.sizes.iter().all(|size| size.name != "installed"));
    assert!(world.history.compare(&a, &a).unwrap().spec.is_empty());
    assert!(
        world
            .history
            .compare(&a, &BuildId::compose(5, "no", 5))
            .is_err()
    );
}
