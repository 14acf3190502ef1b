//! The controller with a recording that builds, a desktop that only notes, and a page that
//! only listens.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use isosmith_protocol::{BuildResult, Code, Event, EventKind};
use isosmith_studio::{
    Places,
    model::{BuildState, DraftSource, Firmware, PickKind},
};
use serde_json::json;
use tempfile::TempDir;

use super::{Controller, Say, locked};
use crate::{
    builder::Player,
    desktop::{Desktop, Notice},
    fault::Answer,
};

/// What the desktop and the page were told, in words.
#[derive(Debug, Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>, Arc<Mutex<Vec<Option<u8>>>>);

impl Seen {
    fn note(&self, words: impl Into<String>) {
        locked(&self.0).push(words.into());
    }

    fn all(&self) -> Vec<String> {
        locked(&self.0).clone()
    }

    /// Waits until so much was seen.
    fn count(&self, want: usize) -> Vec<String> {
        for _ in 0..500 {
            if self.all().len() >= want {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        self.all()
    }
}

impl Desktop for Seen {
    fn pick(&self, kind: PickKind, from: Option<&Path>) -> Option<PathBuf> {
        self.note(format!("pick {kind:?} {from:?}"));
        None
    }

    fn save(&self, name: &str) -> Option<PathBuf> {
        self.note(format!("save {name}"));
        None
    }

    fn notify(&self, notice: Notice) {
        self.note(format!("notify {}", notice.title));
    }

    fn progress(&self, percent: Option<u8>) {
        locked(&self.1).push(percent);
    }

    fn show(&self, path: &Path) -> Answer<()> {
        self.note(format!("show {}", path.display()));
        Ok(())
    }

    fn try_iso(&self, iso: &Path, firmware: Firmware) -> Answer<()> {
        self.note(format!("try {} {}", iso.display(), firmware.as_str()));
        Ok(())
    }
}

impl Say for Seen {
    fn closing(&self) {
        self.note("closing");
    }

    fn dropped(&self, paths: &[String]) {
        self.note(format!("dropped {paths:?}"));
    }

    fn open(&self, path: &str) {
        self.note(format!("open {path}"));
    }
}

struct Ground {
    folder: TempDir,
    controller: Arc<Controller>,
    seen: Seen,
}

impl Ground {
    /// A window whose builds are `speed` times as fast as the recording.
    fn new(speed: f64) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let profiles = Path::new(env!("CARGO_MANIFEST_DIR")).join("../profiles");
        let places = Places::below(folder.path(), &[&profiles]);
        let seen = Seen::default();
        let player = Player::new(None, speed).expect("the recording");
        let controller = Controller::new(
            places,
            Arc::new(player),
            Box::new(seen.clone()),
            Box::new(seen.clone()),
        );
        let ground = Self {
            folder,
            controller,
            seen,
        };
        let mut settings = ground.controller.settings();
        settings.output = ground.output().display().to_string();
        settings.language = isosmith_studio::model::Language::En;
        // Nobody is there, so that no test loads package lists.
        settings.mirror = Some("http://127.0.0.1:9/debian".to_owned());
        ground.controller.set_settings(settings).expect("settings");
        ground
    }

    fn output(&self) -> PathBuf {
        self.folder.path().join("ISOs")
    }

    /// A draft with a name of its own.
    fn draft(&self) -> String {
        let from = DraftSource::Profile("minimal".to_owned());
        let draft = self.controller.open_draft(&from).expect("opened");
        let draft = self
            .controller
            .edit_draft(&draft.id, "branding.name", &json!("Aurora"))
            .expect("edited");
        assert_eq!(draft.problems, []);
        draft.id
    }

    fn start(&self) -> isosmith_protocol::BuildId {
        let draft = self.draft();
        self.controller
            .start_build(&draft, &self.output())
            .expect("started")
    }

    /// What the page hears of a build until its stream ends.
    fn hear(&self, build: &isosmith_protocol::BuildId, from: u64) -> Vec<Event> {
        let (give, take) = mpsc::channel();
        self.controller
            .attach(build, from, move |batch| give.send(batch).is_ok())
            .expect("attached");
        take.iter().map_while(|batch| batch).flatten().collect()
    }
}

#[test]
fn a_draft_becomes_a_build_with_a_history() {
    let ground = Ground::new(1e9);
    let build = ground.start();
    let events = ground.hear(&build, 0);
    let Some(EventKind::Finished {
        result: BuildResult::Succeeded { iso, .. },
    }) = events.last().map(|event| &event.kind)
    else {
        panic!("{:?}", events.last());
    };
    assert!(Path::new(&iso.path).starts_with(ground.output()), "{iso:?}");
    // The page asks at once.
    let detail = ground.controller.build(build.as_str()).expect("known");
    assert_eq!(detail.row.state, BuildState::Succeeded);
    assert!(
        detail.row.title.starts_with("Aurora"),
        "{}",
        detail.row.title
    );
    assert!(detail.toml.contains("Aurora"), "{}", detail.toml);
    assert_eq!(ground.seen.count(1), ["notify Aurora 1.0 is ready"]);
    // Docks were told of it, ever more, and in the end that there is nothing to show.
    let told = locked(&ground.seen.1).clone();
    let (last, running) = told.split_last().expect("docks are told");
    assert_eq!(*last, None);
    assert_eq!(running.first(), Some(&Some(0)), "{told:?}");
    assert_eq!(running.last(), Some(&Some(100)), "{told:?}");
    assert!(running.is_sorted() && running.len() > 5, "{told:?}");
    let rest = ground.hear(&build, events[events.len() / 2].seq);
    assert_eq!(rest, events[events.len() / 2..]);
}

#[test]
fn who_sees_the_window_or_wants_no_notification_gets_none() {
    for (focused, wanted) in [(true, true), (false, false)] {
        let ground = Ground::new(1e9);
        ground.controller.focused(focused);
        let mut settings = ground.controller.settings();
        settings.notifications = wanted;
        ground.controller.set_settings(settings).expect("settings");
        let build = ground.start();
        ground.hear(&build, 0);
        std::thread::sleep(Duration::from_millis(100));
        assert!(ground.seen.all().is_empty(), "{:?}", ground.seen.all());
    }
}

#[test]
fn a_draft_with_problems_is_not_built() {
    let ground = Ground::new(1e9);
    let id = ground.draft();
    let draft = ground
        .controller
        .edit_draft(&id, "users.live.name", &json!("root"))
        .expect("kept");
    assert!(!draft.problems.is_empty());
    let fault = ground
        .controller
        .start_build(&id, &ground.output())
        .expect_err("refused");
    assert_eq!(fault.code(), Code::ProfileInvalid);
    assert!(ground.controller.builds().expect("rows").is_empty());
}

#[test]
fn a_password_that_nobody_can_be_asked_for_is_refused_before_anything_begins() {
    let ground = Ground::new(1e9);
    let id = ground.draft();
    let edited = ground
        .controller
        .edit_draft(&id, "users.root.password", &json!("prompt"));
    edited.expect("kept");
    let fault = ground
        .controller
        .start_build(&id, &ground.output())
        .expect_err("refused");
    assert!(
        fault.view().message.contains("users.root.password"),
        "{fault}"
    );
}

#[test]
fn closing_is_asked_about_once_while_a_build_runs() {
    let ground = Ground::new(1.0);
    assert!(!ground.controller.asks_before_closing());
    let build = ground.start();
    assert!(ground.controller.asks_before_closing());
    assert!(!ground.controller.asks_before_closing(), "twice is meant");
    ground.controller.stays();
    assert!(ground.controller.asks_before_closing(), "asked anew");
    assert_eq!(ground.seen.all(), ["closing", "closing"]);
    ground.controller.cancel_build(&build).expect("stopped");
    ground.hear(&build, 0);
    assert!(!ground.controller.asks_before_closing());
    let row = &ground.controller.builds().expect("rows")[0];
    assert_eq!(row.state, BuildState::Cancelled);
}

#[test]
fn a_stopped_build_is_gone_on_with() {
    let ground = Ground::new(1.0);
    let build = ground.start();
    ground.controller.cancel_build(&build).expect("stopped");
    ground.hear(&build, 0);
    ground.controller.resume_build(&build).expect("resumed");
    let row = &ground.controller.builds().expect("rows")[0];
    assert_eq!(
        (row.id.as_str(), row.state),
        (build.as_str(), BuildState::Running)
    );
}

#[test]
fn only_the_newest_stream_goes_on() {
    let ground = Ground::new(1.0);
    let build = ground.start();
    let (give, old) = mpsc::channel();
    let attach = |give: mpsc::Sender<Option<Vec<Event>>>| {
        let send = move |batch| give.send(batch).is_ok();
        ground.controller.attach(&build, 0, send).expect("attached");
    };
    attach(give);
    old.recv().expect("something");
    let (give, new) = mpsc::channel();
    attach(give);
    new.recv().expect("something");
    ground.controller.cancel_build(&build).expect("stopped");
    let batches: Vec<_> = new.iter().collect();
    assert_eq!(batches.last(), Some(&None));
    let heard: Vec<_> = old.iter().flatten().flatten().collect();
    let over = |event: &Event| matches!(event.kind, EventKind::Finished { .. });
    assert!(!heard.iter().any(over), "the old stream goes on");
}

#[test]
fn a_file_waits_for_the_page() {
    let ground = Ground::new(1.0);
    ground.controller.open(Path::new("/a.toml"));
    assert!(ground.seen.all().is_empty());
    ground.controller.page_listens();
    ground.controller.open(Path::new("/b.toml"));
    ground.controller.page_listens();
    ground.controller.dropped(&["/c.png".into()]);
    assert_eq!(
        ground.seen.all(),
        ["open /a.toml", "open /b.toml", "dropped [\"/c.png\"]"]
    );
}

#[test]
fn a_draft_without_a_file_is_saved_where_the_person_says() {
    let ground = Ground::new(1.0);
    let id = ground.draft();
    let saved = ground.controller.save_draft(&id, None).expect("no failure");
    assert_eq!(saved, None, "the dialog was closed");
    assert_eq!(ground.seen.all(), ["save aurora-1.0.toml"]);
    let path = ground.folder.path().join("mine.toml");
    let saved = ground
        .controller
        .save_draft(&id, Some(path.clone()))
        .expect("saved")
        .expect("a draft");
    assert_eq!(saved.path.as_deref(), path.to_str());
    let page = ground.controller.start_page().expect("a page");
    assert_eq!(page.recent, [path.display().to_string()]);
}

#[test]
fn totals_have_what_can_be_known() {
    let ground = Ground::new(1e9);
    let id = ground.draft();
    let totals = ground.controller.totals(&id).expect("totals");
    assert!(totals.free > 0 && !totals.exact);
    assert_eq!(totals.folder, ground.output().display().to_string());
    assert_eq!((totals.packages, totals.seconds), (None, None));
    let build = ground.start();
    ground.hear(&build, 0);
    // The recording's time, whatever the speed.
    let seconds = ground.controller.totals(&id).expect("totals").seconds;
    assert!(seconds.is_some_and(|seconds| seconds > 10), "{seconds:?}");
}

#[test]
fn what_is_asked_of_the_desktop_reaches_it() {
    let ground = Ground::new(1.0);
    ground.controller.pick(PickKind::Output);
    let iso = Path::new("/x.iso");
    ground
        .controller
        .try_iso(iso, Firmware::Uefi)
        .expect("tried");
    ground.controller.show(iso).expect("shown");
    let output = ground.output();
    assert_eq!(
        ground.seen.all(),
        [
            format!("pick Output {:?}", Some(&output)),
            "try /x.iso uefi".to_owned(),
            "show /x.iso".to_owned()
        ]
    );
}
