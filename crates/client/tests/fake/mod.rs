//! A service that builds nothing: it notes what it was asked, and tells a story for each build.
#![allow(
    clippy::unwrap_used,
    dead_code,
    reason = "a test that cannot go on stops with a message; not every test uses all of it"
)]

use std::{
    collections::{BTreeMap, HashMap},
    fs::{self, File},
    io::{Read, Write},
    os::fd::AsRawFd,
    sync::{Arc, Condvar, Mutex},
    thread,
};

use isosmith_protocol::{
    BuildId, BuildResult, Choice, Code, EPOCH, ErrorView, Event, EventKind, Isolation, Outcome,
    Output, Phase, REVISION, StepId, StepInfo, line,
};
use zbus::{
    interface,
    zvariant::{OwnedFd, OwnedValue, Value},
};

const STEP: StepId = StepId::new("work");

/// What was asked and what is told; shared between the fake and the test.
#[derive(Debug, Default)]
pub struct Told {
    pub calls: Mutex<Vec<String>>,
    builds: Mutex<BTreeMap<String, Story>>,
    more: Condvar,
    /// The next stream breaks in the middle of the line after so many events.
    pub tear: Mutex<Option<usize>>,
}

#[derive(Debug)]
struct Story {
    events: Vec<Event>,
    state: &'static str,
    profile: String,
    output: String,
}

impl Story {
    fn say(&mut self, kind: EventKind) {
        let seq = self.events.len() as u64;
        self.events.push(Event {
            seq,
            at_ms: seq * 10,
            kind,
        });
    }

    fn end(&mut self, state: &'static str, result: BuildResult) {
        self.state = state;
        self.say(EventKind::Finished { result });
    }

    fn succeed(&mut self) {
        self.say(EventKind::StepFinished {
            step: STEP,
            outcome: Outcome::Done,
            took_ms: 5,
        });
        fs::write(format!("{}/fake.iso", self.output), "an ISO").unwrap();
        let iso = Output {
            path: "/where/the/service/has/it/fake.iso".into(),
            size: 6,
            checksums: BTreeMap::new(),
            enrolment: None,
        };
        self.end("succeeded", BuildResult::Succeeded { iso, files: vec![] });
    }
}

#[derive(Debug, zbus::DBusError)]
#[zbus(prefix = "org.isosmith.Error")]
pub enum Refused {
    #[zbus(error)]
    Bus(zbus::Error),
    NotAuthorised(String),
    Dismissed(String),
    NoSuchBuild(String),
    InvalidArgument(String),
    WrongState(String),
}

pub struct Fake(pub Arc<Told>);

impl Fake {
    fn note(&self, call: String) {
        self.0.calls.lock().unwrap().push(call);
    }

    fn with<T>(
        &self,
        id: &str,
        act: impl FnOnce(&mut Story) -> Result<T, Refused>,
    ) -> Result<T, Refused> {
        let mut builds = self.0.builds.lock().unwrap();
        let story = builds.get_mut(id).ok_or_else(|| {
            Refused::NoSuchBuild(said(Code::NoSuchBuild, &format!("there is no build {id}")))
        })?;
        let done = act(story);
        self.0.more.notify_all();
        done
    }
}

/// An error as the service says it.
pub fn said(code: Code, message: &str) -> String {
    serde_json::to_string(&view(code, message)).unwrap()
}

fn view(code: Code, message: &str) -> ErrorView {
    ErrorView {
        class: code.class(),
        code,
        step: None,
        message: message.into(),
        advice: "Advice of the fake.".into(),
        causes: vec![],
        command: None,
        tail: vec![],
        recovery: code.recovery(),
    }
}

#[interface(name = "org.isosmith.Helper1")]
impl Fake {
    fn start(
        &self,
        spec: &str,
        files: Vec<(String, OwnedFd)>,
        output: OwnedFd,
        options: HashMap<String, OwnedValue>,
    ) -> Result<String, Refused> {
        let mut names: Vec<_> = options.keys().cloned().collect();
        names.sort();
        self.note(format!("start {} files {names:?}", files.len()));
        for (name, fd) in files {
            let mut bytes = Vec::new();
            File::from(std::os::fd::OwnedFd::from(fd))
                .read_to_end(&mut bytes)
                .unwrap();
            self.note(format!("file {name} {}", bytes.len()));
        }
        if spec.contains("refused") {
            return Err(Refused::NotAuthorised("no".into()));
        }
        if spec.contains("dismissed") {
            let text = said(Code::PromptDismissed, "the question was closed");
            return Err(Refused::Dismissed(text));
        }
        let folder = std::os::fd::OwnedFd::from(output);
        let output = fs::read_link(format!("/proc/self/fd/{}", folder.as_raw_fd())).unwrap();
        let number = self.0.builds.lock().unwrap().len();
        let id = format!("20260101-00000{number}-fake-0000");
        let mut story = Story {
            events: Vec::new(),
            state: "running",
            profile: "fake".into(),
            output: output.display().to_string(),
        };
        story.say(EventKind::Hello {
            epoch: EPOCH,
            revision: REVISION,
            version: "0".into(),
            build: BuildId::parse(&id).unwrap(),
            profile: "fake".into(),
            started: number as u64,
            isolation: Isolation::Namespace,
        });
        story.say(EventKind::Planned {
            steps: vec![StepInfo {
                id: STEP,
                title: "Fake work".into(),
                phase: Phase::Iso,
                weight: 1,
                cached: false,
            }],
        });
        story.say(EventKind::StepStarted {
            step: STEP,
            attempt: 1,
        });
        match () {
            () if spec.contains("asks") => story.say(EventKind::Asked {
                question: 1,
                error: view(Code::DiskFull, "the disk is full"),
                choices: vec![Choice::Retry, Choice::Stop],
            }),
            () if spec.contains("forever") => {}
            () => story.succeed(),
        }
        self.0.builds.lock().unwrap().insert(id.clone(), story);
        Ok(id)
    }

    fn resume(&self, id: &str, output: OwnedFd) -> Result<(), Refused> {
        self.note(format!("resume {id}"));
        let folder = std::os::fd::OwnedFd::from(output);
        let output = fs::read_link(format!("/proc/self/fd/{}", folder.as_raw_fd())).unwrap();
        self.with(id, |story| {
            story.output = output.display().to_string();
            story.events.truncate(3);
            story.succeed();
            Ok(())
        })
    }

    fn attach(&self, id: &str, from: u64) -> Result<OwnedFd, Refused> {
        self.note(format!("attach {id} {from}"));
        self.with(id, |_| Ok(()))?;
        let (reader, mut writer) = std::io::pipe().unwrap();
        let (told, id) = (self.0.clone(), id.to_owned());
        let tear = told.tear.lock().unwrap().take();
        thread::spawn(move || {
            for (count, next) in (usize::try_from(from).unwrap()..).enumerate() {
                let mut builds = told.builds.lock().unwrap();
                while builds[&id].events.len() <= next {
                    builds = told.more.wait(builds).unwrap();
                }
                let event = builds[&id].events[next].clone();
                drop(builds);
                let mut text = Vec::new();
                line::write(&mut text, &event).unwrap();
                if tear == Some(count) {
                    let _ = writer.write_all(&text[..text.len() / 2]);
                    return;
                }
                let over = matches!(event.kind, EventKind::Finished { .. });
                if writer.write_all(&text).is_err() || over {
                    return;
                }
            }
        });
        Ok(std::os::fd::OwnedFd::from(reader).into())
    }

    fn cancel(&self, id: &str) -> Result<(), Refused> {
        self.note(format!("cancel {id}"));
        self.with(id, |story| {
            if story.state != "running" {
                return Err(Refused::WrongState(said(Code::WrongState, "it is over")));
            }
            story.end("cancelled", BuildResult::Cancelled);
            Ok(())
        })
    }

    fn answer(&self, id: &str, question: u32, choice: &str) -> Result<(), Refused> {
        self.note(format!("answer {id} {question} {choice}"));
        let choice = match choice {
            "retry" => Choice::Retry,
            "stop" => Choice::Stop,
            _ => return Err(Refused::InvalidArgument("no choice".into())),
        };
        self.with(id, |story| {
            story.say(EventKind::Answered { question, choice });
            match choice {
                Choice::Retry => story.succeed(),
                Choice::Stop | Choice::Other => {
                    let error = view(Code::DiskFull, "the disk is full");
                    story.end("failed", BuildResult::Failed { error });
                }
            }
            Ok(())
        })
    }

    fn list(&self, everybody: bool) -> Vec<(String, String, String, u64, u32)> {
        self.note(format!("list {everybody}"));
        let builds = self.0.builds.lock().unwrap();
        builds
            .iter()
            .zip(1..)
            .map(|((id, story), started)| {
                (
                    id.clone(),
                    story.profile.clone(),
                    story.state.to_owned(),
                    started,
                    1000,
                )
            })
            .collect()
    }

    fn describe(&self, id: &str) -> Result<HashMap<String, OwnedValue>, Refused> {
        self.note(format!("describe {id}"));
        self.with(id, |story| {
            let mut result = None;
            if let Some(EventKind::Finished { result: end }) =
                story.events.last().map(|event| &event.kind)
            {
                result = serde_json::to_string(end).ok();
            }
            Ok([
                ("id", Value::from(id)),
                ("profile", Value::from(story.profile.as_str())),
                ("state", Value::from(story.state)),
                ("iso", Value::from("fake.iso")),
                ("result", Value::from(result.unwrap_or_default())),
            ]
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.try_to_owned().unwrap()))
            .collect())
        })
    }

    fn clean(&self, what: &str, dry_run: bool) -> u64 {
        self.note(format!("clean {what} {dry_run}"));
        4096
    }

    #[zbus(name = "Version")]
    fn speaks(&self) -> (u32, u32, String) {
        (EPOCH, REVISION, "0.fake".into())
    }

    #[zbus(signal)]
    pub async fn changed(
        emitter: &zbus::object_server::SignalEmitter<'_>,
        id: &str,
        state: &str,
    ) -> zbus::Result<()>;
}
