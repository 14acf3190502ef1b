//! Names of builds and steps.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Serialize};

/// Names one build for good; sorts by time. `YYYYMMDD-hhmmss-profile-xxxx`.
///
/// What is no such name is refused when read, too: an id from another process becomes a
/// folder's name here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct BuildId(String);

/// A text that cannot be a [`BuildId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a build's id is 1 to 96 characters of a-z, 0-9 and -, and does not begin with -")]
pub struct NotABuildId;

impl TryFrom<String> for BuildId {
    type Error = NotABuildId;

    fn try_from(text: String) -> Result<Self, NotABuildId> {
        Self::parse(&text).ok_or(NotABuildId)
    }
}

impl From<BuildId> for String {
    fn from(id: BuildId) -> Self {
        id.0
    }
}

impl BuildId {
    /// Takes `text` as an id if it can safely be one folder's name: 1 to 96 characters of
    /// a-z, 0-9 and `-`, not beginning with `-`.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=96).contains(&text.len());
        let clean = text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        (fits && clean && !text.starts_with('-')).then(|| Self(text.to_owned()))
    }

    /// The id of a build that begins `seconds` after 1970 (UTC). What a profile's name must
    /// not have becomes `-`; `tail` tells builds of the same second apart.
    pub fn compose(seconds: u64, profile: &str, tail: u16) -> Self {
        let plain: String = profile
            .to_ascii_lowercase()
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .collect();
        let short: String = plain.trim_matches('-').chars().take(48).collect();
        let name = if short.is_empty() { "build" } else { &short };
        Self(format!("{}-{name}-{tail:04x}", stamp(seconds)))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `YYYYMMDD-hhmmss` in UTC. The calendar arithmetic is Howard Hinnant's
/// `civil_from_days` (<https://howardhinnant.github.io/date_algorithms.html>).
fn stamp(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}{month:02}{day:02}-{hour:02}{minute:02}{second:02}")
}

impl fmt::Display for BuildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names one step of a recipe, such as `squashfs`.
///
/// This crate knows no recipe: titles arrive in [`EventKind::Planned`](crate::EventKind::Planned).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StepId(Cow<'static, str>);

impl StepId {
    /// A step's id as a constant of a recipe's table.
    pub const fn new(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }

    /// A step's id that came as text.
    pub fn owned(name: impl Into<String>) -> Self {
        Self(Cow::Owned(name.into()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
