//! A place to build the toy recipe, and what came of it.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use isosmith_engine::{Options, Recipe, Work, run};
use isosmith_host::{FakeHost, Host};
use isosmith_protocol::{BuildId, BuildResult, Code, ErrorMode, Event, EventKind, Outcome, Unit};
use serde_json::Value;
use tempfile::TempDir;

use crate::toy::{Toy, recipe, write};

/// A state and a cache folder of their own.
pub struct Bench {
    folder: TempDir,
}

/// What came of a build.
pub struct Ran {
    pub events: Vec<Event>,
    pub result: BuildResult,
    pub host: FakeHost,
}

impl Bench {
    pub fn new() -> Self {
        Self {
            folder: TempDir::new().expect("there is a folder for temporary files"),
        }
    }

    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    pub fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    pub fn outside(&self) -> PathBuf {
        let folder = self.folder.path().join("outside");
        fs::create_dir_all(&folder).expect("the folder can be made");
        folder
    }

    pub fn work(&self, id: &str) -> Work {
        Work::new(&self.state(), &self.cache(), &build_id(id))
    }

    pub fn build(&self, id: &str, toy: &mut Toy) -> Ran {
        self.build_with(id, toy, &recipe(), FakeHost::default(), |_| {})
    }

    pub fn build_with(
        &self,
        id: &str,
        toy: &mut Toy,
        recipe: &Recipe<Toy>,
        host: FakeHost,
        set: impl FnOnce(&mut Options),
    ) -> Ran {
        let mut options = Options::new(build_id(id), "toy", "1.2.3");
        options.retry_wait = Duration::from_millis(1);
        set(&mut options);
        let mut events = Vec::new();
        let mut sink = |event: &Event| events.push(event.clone());
        let result = run(
            recipe,
            toy,
            &host,
            &self.work(id),
            &options,
            None,
            &mut sink,
        );
        Ran {
            events,
            result,
            host,
        }
    }
}

pub fn build_id(id: &str) -> BuildId {
    BuildId::parse(id).expect("a good id")
}

pub fn permissive(options: &mut Options) {
    options.error_mode = ErrorMode::Permissive;
}

pub fn strict(options: &mut Options) {
    options.error_mode = ErrorMode::Strict;
}

impl Ran {
    fn pick<'a, T>(&'a self, pick: impl Fn(&'a EventKind) -> Option<T>) -> Vec<T> {
        let kinds = self.events.iter().map(|event| &event.kind);
        kinds.filter_map(pick).collect()
    }

    /// Every step that ended, with how: `base:done packages:cached`.
    pub fn outcomes(&self) -> String {
        let ended = self.pick(|kind| {
            let EventKind::StepFinished { step, outcome, .. } = kind else {
                return None;
            };
            Some(format!("{step}:{}", word(outcome)))
        });
        ended.join(" ")
    }

    pub fn skip_reasons(&self) -> Vec<&str> {
        self.pick(|kind| {
            let EventKind::StepFinished {
                outcome: Outcome::Skipped { why },
                ..
            } = kind
            else {
                return None;
            };
            Some(why.as_str())
        })
    }

    pub fn logged(&self) -> Vec<&str> {
        self.pick(|kind| {
            let EventKind::Log { line, .. } = kind else {
                return None;
            };
            Some(line.as_str())
        })
    }

    pub fn warnings(&self) -> Vec<&str> {
        self.pick(|kind| {
            let EventKind::Warned { message, .. } = kind else {
                return None;
            };
            Some(message.as_str())
        })
    }

    pub fn retries(&self) -> Vec<u32> {
        self.pick(|kind| {
            let EventKind::StepRetried { attempt, .. } = kind else {
                return None;
            };
            Some(*attempt)
        })
    }

    /// How many files each progress event has counted.
    pub fn files_counted(&self) -> Vec<u64> {
        self.pick(|kind| {
            let EventKind::Progress {
                done,
                unit: Unit::Files,
                ..
            } = kind
            else {
                return None;
            };
            Some(*done)
        })
    }

    pub fn code(&self) -> Option<Code> {
        self.result.code()
    }
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Done => "done",
        Outcome::Cached => "cached",
        Outcome::Skipped { .. } => "skipped",
        Outcome::Failed { .. } => "failed",
        Outcome::Unknown => "unknown",
    }
}

/// The promise of every stream: a beginning, a plan, one ending, nothing after it.
#[track_caller]
pub fn assert_well_formed(events: &[Event]) {
    assert!(
        matches!(events[0].kind, EventKind::Hello { .. }),
        "{:?}",
        events[0]
    );
    assert!(
        matches!(events[1].kind, EventKind::Planned { .. }),
        "{:?}",
        events[1]
    );
    let endings = events
        .iter()
        .filter(|event| matches!(event.kind, EventKind::Finished { .. }));
    assert_eq!(endings.count(), 1);
    assert!(matches!(
        events[events.len() - 1].kind,
        EventKind::Finished { .. }
    ));
    assert!(events.is_sorted_by_key(|event| event.seq));
    assert!(events.is_sorted_by_key(|event| event.at_ms));
}

/// Reads a JSON file, changes it, writes it back.
pub fn edit_json(path: &Path, change: impl FnOnce(&mut Value)) {
    let text = fs::read_to_string(path).expect("the file is there");
    let mut value = serde_json::from_str(&text).expect("it is JSON");
    change(&mut value);
    write(path, &value.to_string());
}

/// The one entry of a step in `layers` or `artifacts`.
pub fn entry_of(shelf: &Path, step: &str) -> PathBuf {
    let entries: Vec<_> = fs::read_dir(shelf)
        .expect("the shelf is there")
        .map(|item| item.expect("it can be read").path())
        .filter(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with(&format!("{step}-")))
        })
        .collect();
    assert_eq!(entries.len(), 1, "{entries:?}");
    entries[0].clone()
}

pub fn cancel_of(host: &FakeHost) -> isosmith_host::Cancel {
    host.cancel().clone()
}
