//! The window's own settings.

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
    /// What a build does about failures that may pass.
    pub error_mode: ErrorMode,
    /// Whether the desktop is told when a build ends and the window is not in front.
    pub notifications: bool,
    /// Of the window.
    pub language: Language,
    /// Of the window.
    pub theme: Theme,
}

/// What a build does about failures that may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum ErrorMode {
    /// Tries again.
    Graceful,
    /// Stops at the first.
    Strict,
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
