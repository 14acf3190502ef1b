//! What the first page shows.

use serde::{Deserialize, Serialize};

use super::Draft;

/// What the first page shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct StartPage {
    /// Profiles to begin with.
    pub profiles: Vec<ProfileCard>,
    /// Paths of spec files, newest first.
    pub recent: Vec<String>,
    /// What was open when the window went away unasked.
    pub unsaved: Option<Draft>,
    /// Isosmith's version.
    pub version: String,
    /// Whether builds can be started.
    pub service: ServiceState,
}

/// A profile to begin with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct ProfileCard {
    /// What `extends` calls it.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// One or two sentences.
    pub description: String,
    /// Path of the profile.
    pub source: String,
    /// What to ask the `picture` command for; `null` where nothing can be drawn.
    pub picture: Option<String>,
}

/// The system service that builds with the rights that the window has not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct ServiceState {
    /// Whether it can be asked to build.
    pub state: ServiceWord,
    /// Its version, where it says one.
    pub version: Option<String>,
}

/// Whether the service can be asked to build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum ServiceWord {
    /// It can.
    Ready,
    /// It is not installed.
    Missing,
    /// It speaks another version of the protocol.
    OtherVersion,
    /// It is there, but nothing on this desktop can ask for a password.
    NoAgent,
}
