//! Builds: what will happen, what happens, what happened.

use std::collections::BTreeMap;

use isosmith_protocol::{BuildResult, SessionChange, StepInfo};
use serde::{Deserialize, Serialize};

/// What a build of a draft will do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Plan {
    /// In plain words.
    pub lines: Vec<String>,
    /// The same build on the command line.
    pub command: String,
    /// The parts of the build, as far as they are known before it begins.
    #[cfg_attr(feature = "ts", ts(type = "StepInfo[]"))]
    pub steps: Vec<StepInfo>,
}

/// How far a build is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum BuildState {
    /// Waits for its turn.
    Queued,
    /// At work.
    Running,
    /// Its ISO was delivered.
    Succeeded,
    /// Ended with an error.
    Failed,
    /// A person stopped it.
    Cancelled,
    /// It was killed.
    Interrupted,
}

/// A build in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct BuildRow {
    /// Which.
    pub id: String,
    /// The product's name and version.
    pub title: String,
    /// The profile's name.
    pub profile: String,
    /// How far.
    pub state: BuildState,
    /// Seconds since 1970.
    pub started: u64,
    /// Its time, in milliseconds, once over.
    pub took_ms: Option<u64>,
    /// Of the ISO, in bytes.
    pub size: Option<u64>,
    /// Why it did not succeed: a [`Code`](isosmith_protocol::Code) as on the wire.
    pub code: Option<String>,
    /// Path of the ISO, while it is still there.
    pub iso: Option<String>,
    /// How many warnings.
    pub warnings: u64,
    /// Whether it can be gone on with.
    pub resumable: bool,
    /// What to ask the `picture` command for.
    pub picture: Option<String>,
}

/// A build with everything that is known about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct BuildDetail {
    /// As in a list.
    #[serde(flatten)]
    pub row: BuildRow,
    /// The profile that was built.
    pub toml: String,
    /// What is in the image.
    pub packages: Vec<PackageLine>,
    /// Where the room in the image goes: name to bytes.
    #[cfg_attr(feature = "ts", ts(type = "Record<string, number>"))]
    pub sizes: BTreeMap<String, u64>,
    /// How it ended.
    #[cfg_attr(feature = "ts", ts(type = "BuildResult | null"))]
    pub result: Option<BuildResult>,
    /// What changed in the person's session meanwhile.
    #[cfg_attr(feature = "ts", ts(type = "SessionChange[]"))]
    pub session: Vec<SessionChange>,
    /// What its owner should know.
    pub warned: Vec<String>,
    /// The whole report as text.
    pub report: String,
}

/// A package of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct PackageLine {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Installed, in bytes; 0 where the list does not say.
    pub size: u64,
}

/// In what two builds differ.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Comparison {
    /// Fields of the spec that differ.
    pub spec: Vec<FieldDifference>,
    /// Packages whose version differs.
    pub packages: Vec<PackageDifference>,
    /// Where the room goes, in both.
    pub sizes: Vec<SizeDifference>,
}

/// A field that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct FieldDifference {
    /// Which.
    pub path: String,
    /// Its value in the first build; `null` where it has none.
    pub a: Option<String>,
    /// Its value in the second.
    pub b: Option<String>,
}

/// A package that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct PackageDifference {
    /// Which.
    pub name: String,
    /// Its version in the first build; `null` where it is not.
    pub a: Option<String>,
    /// Its version in the second.
    pub b: Option<String>,
    /// By how many bytes more it takes in the second, installed; less than 0 for less. `null`
    /// where a list does not say.
    pub grows: Option<i64>,
}

/// A size in both builds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct SizeDifference {
    /// Of what.
    pub name: String,
    /// In the first build, in bytes; 0 where it has none.
    pub a: u64,
    /// In the second.
    pub b: u64,
}

/// With which firmware an ISO is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum Firmware {
    /// As old machines start.
    Bios,
    /// As new machines start.
    Uefi,
    /// UEFI that starts only what is signed.
    SecureBoot,
}

impl Firmware {
    /// Its word on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bios => "bios",
            Self::Uefi => "uefi",
            Self::SecureBoot => "secure-boot",
        }
    }
}
