//! What happened, in order.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    error::{Code, ErrorView},
    id::{BuildId, StepId},
    session::{Isolation, Metrics, SessionChange, SessionKind, WatchedItem},
};

/// One of the six parts of a build, as people see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Checks, tools, package indexes.
    Environment,
    /// The base system.
    BaseSystem,
    /// Desktop and software.
    Desktop,
    /// AI helper, live user, customisation, scripts.
    Integration,
    /// The installer.
    Installer,
    /// Cleaning, packing, the ISO.
    Iso,
    /// What an older reader makes of a newer phase.
    #[serde(other)]
    Other,
}

impl Phase {
    /// The phase's name in English.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Environment => "Environment",
            Self::BaseSystem => "Base system",
            Self::Desktop => "Desktop and software",
            Self::Integration => "Integration",
            Self::Installer => "Installer",
            Self::Iso => "ISO",
            Self::Other => "Other",
        }
    }
}

/// A step as the plan lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepInfo {
    /// Its id.
    pub id: StepId,
    /// What it does, for people.
    pub title: String,
    /// Which part of the build it belongs to.
    pub phase: Phase,
    /// Its expected share of the whole, without unit; relative to the other steps'.
    pub weight: u32,
    /// Whether its result is expected to come from the cache.
    pub cached: bool,
}

/// One line on the wire.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Counts every event of the build from 0; a gap means that lossy ones were thinned.
    pub seq: u64,
    /// Milliseconds since the build began.
    pub at_ms: u64,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "snake_case",
    rename_all_fields = "camelCase"
)]
pub enum EventKind {
    /// Always first.
    Hello {
        /// [`crate::EPOCH`] of the writer.
        epoch: u32,
        /// [`crate::REVISION`] of the writer.
        revision: u32,
        /// Isosmith's version.
        version: String,
        /// Which build.
        build: BuildId,
        /// The profile's name.
        profile: String,
        /// Seconds since 1970 at the beginning.
        started: u64,
        /// In what the build is kept.
        #[serde(default)]
        isolation: Isolation,
    },
    /// Always second: every row that a viewer draws.
    Planned {
        /// In the order in which they run.
        steps: Vec<StepInfo>,
    },
    /// A step begins.
    StepStarted {
        /// Which.
        step: StepId,
        /// 1 for the first.
        attempt: u32,
    },
    /// How far a step is. May be dropped or merged; carries absolute numbers only.
    Progress {
        /// Which.
        step: StepId,
        /// In `unit`.
        done: u64,
        /// In `unit`, when known.
        total: Option<u64>,
        /// Of `done` and `total`.
        unit: Unit,
        /// The package or file at hand.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// A line that a command printed or the engine has to say.
    Log {
        /// Which step it belongs to.
        step: StepId,
        /// Where it came from.
        stream: Stream,
        /// How much it matters.
        level: Level,
        /// Without line end; control characters replaced.
        line: String,
    },
    /// Something that did not stop the build but that its owner should know.
    Warned {
        /// Which step found it.
        step: StepId,
        /// One or two sentences.
        message: String,
    },
    /// A step failed in a way that may pass, and will be tried again.
    StepRetried {
        /// Which.
        step: StepId,
        /// The attempt that failed.
        attempt: u32,
        /// Until the next one begins, in milliseconds.
        wait_ms: u64,
        /// Why.
        error: ErrorView,
    },
    /// A step failed for good, unless a person does something about the cause and says so.
    Asked {
        /// Counts the questions of a build from 1.
        question: u32,
        /// Why.
        error: ErrorView,
        /// What may be answered.
        choices: Vec<Choice>,
    },
    /// A question is settled.
    Answered {
        /// Which.
        question: u32,
        /// How; `Stop` if nobody answered in time.
        choice: Choice,
    },
    /// What must not change while the build runs.
    SessionWatched {
        /// Of whoever started the build.
        session: SessionKind,
        /// Each thing.
        items: Vec<WatchedItem>,
    },
    /// Something that must not change has changed.
    SessionChanged {
        /// What and why.
        change: SessionChange,
    },
    /// How the machine does. May be dropped.
    Metrics {
        /// Now.
        metrics: Metrics,
    },
    /// A step is over.
    StepFinished {
        /// Which.
        step: StepId,
        /// How.
        outcome: Outcome,
        /// Its time, in milliseconds, all attempts together.
        took_ms: u64,
    },
    /// Always last, and written exactly once.
    Finished {
        /// How it ended.
        result: BuildResult,
    },
    /// From a newer writer.
    #[serde(other)]
    Unknown,
}

impl EventKind {
    /// Whether it may be thinned out under load.
    pub const fn is_lossy(&self) -> bool {
        match self {
            Self::Progress { .. } | Self::Metrics { .. } => true,
            Self::Hello { .. }
            | Self::Planned { .. }
            | Self::StepStarted { .. }
            | Self::Log { .. }
            | Self::Warned { .. }
            | Self::StepRetried { .. }
            | Self::Asked { .. }
            | Self::Answered { .. }
            | Self::SessionWatched { .. }
            | Self::SessionChanged { .. }
            | Self::StepFinished { .. }
            | Self::Finished { .. }
            | Self::Unknown => false,
        }
    }
}

/// What a person may say when a build asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// The cause is gone: try the step again.
    Retry,
    /// End the build; it can be resumed later.
    Stop,
    /// What an older reader makes of a newer choice.
    #[serde(other)]
    Other,
}

/// What progress counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Packages.
    Packages,
    /// Files.
    Files,
    /// Hundredths.
    Percent,
    /// What an older reader makes of a newer unit.
    #[serde(other)]
    Other,
}

/// Where a log line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    /// A command's standard output.
    Stdout,
    /// A command's standard error.
    Stderr,
    /// Isosmith itself.
    Engine,
    /// What an older reader makes of a newer stream.
    #[serde(other)]
    Other,
}

/// How much a log line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Every line of every command.
    Debug,
    /// What is being done.
    Info,
    /// Something odd.
    Warn,
    /// Something wrong.
    Error,
    /// What an older reader makes of a newer level.
    #[serde(other)]
    Other,
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Outcome {
    /// It did its work.
    Done,
    /// Its result came from the cache.
    Cached,
    /// There was nothing to do.
    Skipped {
        /// In one sentence.
        why: String,
    },
    /// It failed for good.
    Failed {
        /// Why.
        error: ErrorView,
    },
    /// What an older reader makes of a newer outcome.
    #[serde(other)]
    Unknown,
}

/// A file that the build delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// Where it is.
    pub path: String,
    /// In bytes.
    pub size: u64,
    /// Lower-case hexadecimal by algorithm (`sha256`, `sha512`, `md5`).
    pub checksums: BTreeMap<String, String>,
    /// What its owner enrols, where an owner's key has signed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enrolment: Option<Enrolment>,
}

/// The certificate that a machine has to know before it starts what its key has signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Enrolment {
    /// Whose it is: the subject's common name.
    pub name: String,
    /// SHA-1 of the certificate in DER, lower-case hexadecimal: MokManager shows no other.
    pub sha1: String,
    /// SHA-256 of the same.
    pub sha256: String,
    /// Where it lies on the medium and on its EFI partition, without a slash at the beginning.
    pub path: String,
}

impl Enrolment {
    /// The fingerprint as MokManager writes it: `D3 D1 2F`.
    fn shown(&self) -> String {
        let bytes: Vec<&str> = (0..self.sha1.len())
            .step_by(2)
            .filter_map(|at| self.sha1.get(at..at + 2))
            .collect();
        bytes.join(" ").to_uppercase()
    }

    /// What the owner does at a machine, in order; after it the machine knows the key. Words of
    /// the medium's boot menu and of shim's MokManager stand in quotation marks.
    pub fn steps(&self) -> [String; 4] {
        [
            "Start the medium there with UEFI, choose \"Enroll the owner's key\" in its boot menu, and press a key: MokManager opens.".to_owned(),
            format!(
                "Choose \"Enroll key from disk\", the medium's volume, ESP, and {}.",
                self.path
            ),
            format!(
                "Choose \"View key 0\" and compare: {}, fingerprint {}. Then \"Continue\" and \"Yes\".",
                self.name,
                self.shown()
            ),
            "Choose \"Reboot\". The machine keeps the key, for the installed system too.".to_owned(),
        ]
    }
}

/// How a build ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum BuildResult {
    /// The ISO is there.
    Succeeded {
        /// The ISO.
        iso: Output,
        /// What lies beside it: checksums, manifest, report.
        files: Vec<String>,
    },
    /// It stopped with an error.
    Failed {
        /// Why.
        error: ErrorView,
    },
    /// A person stopped it.
    Cancelled,
    /// It died: killed, crashed, power lost. Written by whoever finds it.
    Interrupted,
    /// What an older reader makes of a newer result.
    #[serde(other)]
    Unknown,
}

impl BuildResult {
    /// The code of an unsuccessful result.
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Succeeded { .. } | Self::Unknown => None,
            Self::Failed { error } => Some(error.code),
            Self::Cancelled => Some(Code::Cancelled),
            Self::Interrupted => Some(Code::Interrupted),
        }
    }
}
