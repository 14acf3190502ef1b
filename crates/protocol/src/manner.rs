//! How a build is to be done, as whoever asks for it says. Nothing of it changes what is built,
//! except that [`ErrorMode::Permissive`] may leave a part out, and says so.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// How to build.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Manner {
    /// What to do about failures.
    pub errors: ErrorMode,
    /// How much of the machine to take.
    pub pace: Pace,
    /// The most that the cache takes once the build has succeeded; `None` for no limit.
    pub cache_limit: Option<CacheLimit>,
}

/// What to do about a failure.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorMode {
    /// Try again where it may pass, then ask where somebody can answer.
    #[default]
    Graceful,
    /// End at the first failure, without another try and without a question.
    Strict,
    /// As graceful; and what the system can do without is left out, with a warning.
    Permissive,
}

/// How much of the machine a build takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pace {
    /// As much as memory allows, behind everybody else.
    #[default]
    Auto,
    /// Half of the processors and few downloads at once, as far behind as possible.
    Conservative,
    /// Every processor whatever memory there is, and many downloads at once.
    Aggressive,
}

impl Pace {
    /// Every pace.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Conservative, Self::Aggressive];

    /// Its word in settings, on the command line and on the bus.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Conservative => "conservative",
            Self::Aggressive => "aggressive",
        }
    }
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Pace {
    type Err = NotAManner;

    fn from_str(text: &str) -> Result<Self, NotAManner> {
        let known = Self::ALL.into_iter().find(|pace| pace.as_str() == text);
        known.ok_or(NotAManner("a pace is auto, conservative or aggressive"))
    }
}

/// The most that a cache may take: whole gigabytes of a thousand million bytes, at least
/// [`CacheLimit::LEAST`], which one build of a desktop needs for what it makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct CacheLimit(u32);

impl CacheLimit {
    /// The least limit, in gigabytes.
    pub const LEAST: u32 = 4;

    /// In gigabytes.
    pub const fn gigabytes(self) -> u32 {
        self.0
    }

    /// In bytes.
    pub const fn bytes(self) -> u64 {
        self.0 as u64 * 1_000_000_000
    }
}

impl TryFrom<u32> for CacheLimit {
    type Error = NotAManner;

    fn try_from(gigabytes: u32) -> Result<Self, NotAManner> {
        if gigabytes < Self::LEAST {
            return Err(NotAManner("a cache needs at least 4 GB"));
        }
        Ok(Self(gigabytes))
    }
}

impl From<CacheLimit> for u32 {
    fn from(limit: CacheLimit) -> Self {
        limit.0
    }
}

impl FromStr for CacheLimit {
    type Err = NotAManner;

    fn from_str(text: &str) -> Result<Self, NotAManner> {
        let whole = text.parse::<u32>();
        Self::try_from(whole.map_err(|_| NotAManner("a limit is a whole number of gigabytes"))?)
    }
}

/// A word that says nothing about how to build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAManner(&'static str);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers_become_a_manner_or_a_reason() {
        for pace in Pace::ALL {
            assert_eq!(pace.as_str().parse(), Ok(pace));
        }
        assert!("fast".parse::<Pace>().is_err());
        for (text, bytes) in [
            ("4", Some(4_000_000_000)),
            ("20", Some(20_000_000_000)),
            ("3", None),
            ("-1", None),
            ("4.5", None),
            ("4G", None),
        ] {
            let limit = text.parse::<CacheLimit>().ok();
            assert_eq!(limit.map(CacheLimit::bytes), bytes, "{text}");
        }
    }

    #[test]
    fn what_is_left_out_is_as_usual_and_bad_limits_are_no_limits() {
        let read = |text: &str| serde_json::from_str::<Manner>(text);
        assert_eq!(read("{}").ok(), Some(Manner::default()));
        let all = r#"{"errors":"permissive","pace":"conservative","cache_limit":9}"#;
        let manner = read(all).expect("a manner");
        assert_eq!(serde_json::to_string(&manner).ok().as_deref(), Some(all));
        assert!(read(r#"{"cache_limit":1}"#).is_err());
    }
}
