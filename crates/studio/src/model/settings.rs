//! The window's own settings.

use isosmith_protocol::{CacheLimit, ErrorMode, Pace};
use serde::{Deserialize, Serialize};

/// The window's own settings: only what has an effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Settings {
    /// Folder for ISOs.
    pub output: String,
    /// Where packages come from, instead of what the machine uses.
    pub mirror: Option<String>,
    /// HTTP proxy for downloads.
    pub proxy: Option<String>,
    /// What a build does about failures.
    #[cfg_attr(feature = "ts", ts(type = "ErrorMode"))]
    pub error_mode: ErrorMode,
    /// How much of the machine a build takes.
    #[cfg_attr(feature = "ts", ts(type = "Pace"))]
    pub pace: Pace,
    /// The most that the cache takes after a build, in gigabytes.
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub cache_limit: Option<CacheLimit>,
    /// Whether the desktop is told when a build ends and the window is not in front.
    pub notifications: bool,
    /// Of the window.
    pub language: Language,
    /// Of the window.
    pub theme: Theme,
}

/// The window's language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(rename = "LanguageName"))]
pub enum Language {
    /// The desktop's.
    System,
    /// English.
    En,
    /// German.
    De,
}

/// The window's colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(rename = "ThemeName"))]
pub enum Theme {
    /// The desktop's.
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}
