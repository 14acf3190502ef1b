//! A small recipe with one of everything.

use std::{
    collections::{BTreeMap, VecDeque},
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use isosmith_engine::{
    Done, Failure, Kind, Recipe, StepCx, StepDef,
    step::{nothing, unknown},
};
use isosmith_host::Cmd;
use isosmith_protocol::{Code, Output, Phase, StepId, Unit};
use serde_json::json;

pub const RESOLVE: StepId = StepId::new("resolve");
pub const BASE: StepId = StepId::new("base");
pub const PACKAGES: StepId = StepId::new("packages");
pub const WALLPAPER: StepId = StepId::new("wallpaper");
pub const SQUASH: StepId = StepId::new("squash");
pub const ISO: StepId = StepId::new("iso");

/// What a step does instead of its work, once.
#[derive(Debug, Clone, Copy)]
pub enum Trouble {
    Fail(Code),
    Full,
    Panic,
    /// The build is cancelled while the step is at work, and the step notices.
    Cancel,
    /// The build is cancelled while the step is at work, and the step fails from it.
    CancelThenFail,
    /// The step waits until somebody cancels the build from outside.
    WaitForCancel,
    Command(&'static str),
}

/// What the steps hand to each other: the wishes, what was found, and what happened.
#[derive(Debug, Clone)]
pub struct Toy {
    pub suite: &'static str,
    pub wanted: Vec<&'static str>,
    pub wallpaper: &'static str,
    pub level: u32,
    pub resolves: bool,
    pub delivers: bool,
    pub packages: Option<Vec<&'static str>>,
    pub trouble: BTreeMap<&'static str, VecDeque<Trouble>>,
    pub recall_trouble: Option<Code>,
    pub ran: Vec<String>,
    pub layers_seen: Vec<PathBuf>,
    pub image: String,
    pub expected_of_packages: Option<bool>,
    pub remembered: Option<String>,
}

impl Default for Toy {
    fn default() -> Self {
        Self {
            suite: "trixie",
            wanted: vec!["git 1", "vim 9.1-1"],
            wallpaper: "waves",
            level: 3,
            resolves: true,
            delivers: true,
            packages: None,
            trouble: BTreeMap::new(),
            recall_trouble: None,
            ran: Vec::new(),
            layers_seen: Vec::new(),
            image: String::new(),
            expected_of_packages: None,
            remembered: None,
        }
    }
}

impl Toy {
    pub fn with_trouble(step: &'static str, trouble: &[Trouble]) -> Self {
        let trouble = trouble.iter().copied().collect();
        Self {
            trouble: [(step, trouble)].into(),
            ..Self::default()
        }
    }

    fn enter(&mut self, cx: &StepCx<'_>) -> Result<(), Failure> {
        let step = cx.step().as_str();
        self.ran.push(step.to_owned());
        match self.trouble.get_mut(step).and_then(VecDeque::pop_front) {
            None => Ok(()),
            Some(Trouble::Fail(code)) => Err(Failure::plain(code, "as told")),
            Some(Trouble::Full) => {
                // ENOSPC of errno(3).
                Err(Failure::io(
                    "write x",
                    std::io::Error::from_raw_os_error(28),
                ))
            }
            Some(Trouble::Panic) => panic!("as told"),
            Some(Trouble::Cancel) => {
                cx.cancel().cancel();
                cx.run(&Cmd::new("true"))
            }
            Some(Trouble::CancelThenFail) => {
                cx.cancel().cancel();
                Err(Failure::plain(Code::CommandFailed, "stopped somehow"))
            }
            Some(Trouble::WaitForCancel) => {
                let cancelled = !cx.cancel().sleep(Duration::from_secs(20));
                assert!(cancelled, "nobody cancelled the build");
                Err(Failure::cancelled())
            }
            Some(Trouble::Command(program)) => cx.run(&Cmd::new(program).arg("--flag")),
        }
    }
}

fn step(id: StepId, kind: Kind) -> StepDef<Toy> {
    StepDef {
        id,
        title: "a step",
        phase: Phase::BaseSystem,
        weight: 1,
        version: 1,
        kind,
        after: &[],
        optional: false,
        inputs: |_| json!({}),
        run: |cx, toy| toy.enter(cx).map(|()| Done::Done),
        recall: nothing,
    }
}

pub fn recipe() -> Recipe<Toy> {
    let steps = vec![
        StepDef {
            inputs: |toy: &Toy| json!({ "wanted": toy.wanted }),
            run: resolve,
            ..step(RESOLVE, Kind::Always)
        },
        StepDef {
            inputs: |toy: &Toy| json!({ "suite": toy.suite }),
            run: |cx, toy| write_layer(cx, toy, "base"),
            ..step(BASE, Kind::Layer)
        },
        StepDef {
            inputs: |toy: &Toy| {
                toy.packages
                    .as_ref()
                    .map_or_else(unknown, |packages| json!({ "packages": packages }))
            },
            run: |cx, toy| write_layer(cx, toy, "packages"),
            ..step(PACKAGES, Kind::Layer)
        },
        StepDef {
            inputs: |toy: &Toy| json!({ "wallpaper": toy.wallpaper }),
            run: wallpaper,
            optional: true,
            ..step(WALLPAPER, Kind::Layer)
        },
        StepDef {
            after: const { &[WALLPAPER] },
            inputs: |toy: &Toy| json!({ "level": toy.level }),
            run: squash,
            recall: read_image,
            ..step(SQUASH, Kind::Artifact)
        },
        StepDef {
            run: deliver,
            ..step(ISO, Kind::Always)
        },
    ];
    Recipe { steps, seal }
}

fn resolve(cx: &mut StepCx<'_>, toy: &mut Toy) -> Result<Done, Failure> {
    toy.remembered = cx.recall("pinned")?;
    toy.enter(cx)?;
    if toy.resolves {
        toy.packages = Some(toy.wanted.clone());
    }
    cx.remember("pinned", &toy.wanted.join(","))?;
    Ok(Done::Done)
}

fn write_layer(cx: &mut StepCx<'_>, toy: &mut Toy, name: &str) -> Result<Done, Failure> {
    if name == "base" {
        toy.expected_of_packages = Some(cx.is_cached(&PACKAGES));
    }
    // Half-made things must be gone in the next attempt.
    let half = cx.upper().join("half");
    assert!(!half.exists(), "the upper folder is not fresh");
    write(&half, "");
    toy.enter(cx)?;
    fs::remove_file(&half).expect("it was just written");
    write(&cx.upper().join(name), name);
    Ok(Done::Done)
}

fn wallpaper(cx: &mut StepCx<'_>, toy: &mut Toy) -> Result<Done, Failure> {
    if toy.wallpaper.is_empty() {
        return Ok(Done::Skipped("no wallpaper was chosen".to_owned()));
    }
    write_layer(cx, toy, "wallpaper")
}

fn squash(cx: &mut StepCx<'_>, toy: &mut Toy) -> Result<Done, Failure> {
    toy.enter(cx)?;
    toy.layers_seen = cx.layers();
    let mounted = cx.mount_root()?;
    for done in 1..=1000 {
        cx.progress(done, Some(1000), Unit::Files, None);
    }
    drop(mounted);
    write(
        &cx.out().join("image"),
        &format!("image of level {}", toy.level),
    );
    read_image(cx, toy)?;
    Ok(Done::Done)
}

fn read_image(cx: &mut StepCx<'_>, toy: &mut Toy) -> Result<(), Failure> {
    if let Some(code) = toy.recall_trouble.take() {
        return Err(Failure::plain(code, "as told"));
    }
    toy.image = fs::read_to_string(cx.out().join("image"))
        .map_err(|error| Failure::io("read the image", error))?;
    Ok(())
}

fn deliver(cx: &mut StepCx<'_>, toy: &mut Toy) -> Result<Done, Failure> {
    toy.enter(cx)?;
    let image = cx.output_of(&SQUASH).join("image");
    let size = image
        .metadata()
        .map_err(|error| Failure::io("look at the image", error))?
        .len();
    if toy.delivers {
        let path = image.display().to_string();
        cx.deliver(
            Output {
                path,
                size,
                checksums: BTreeMap::new(),
                enrolment: None,
            },
            vec!["report".to_owned()],
        );
    }
    Ok(Done::Done)
}

fn seal(upper: &Path, toy: &Toy) -> Result<(), Failure> {
    write(&upper.join("sealed"), toy.suite);
    Ok(())
}

pub fn write(path: &Path, text: &str) {
    fs::write(path, text).expect("the folder can be written");
}
