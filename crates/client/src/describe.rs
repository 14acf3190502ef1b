//! Builds as the service knows them.

use std::collections::HashMap;

use isosmith_protocol::{BuildId, BuildResult, Code, Isolation, SessionChange};
use serde_json::Value as Json;
use zbus::zvariant::OwnedValue;

use crate::{Error, Result};

/// How far a build is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
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
    /// Of a service newer than this.
    Other,
}

impl State {
    /// The state that the service calls `word`.
    pub fn of(word: &str) -> Self {
        match word {
            "queued" => Self::Queued,
            "running" => Self::Running,
            "succeeded" => Self::Succeeded,
            "failed" => Self::Failed,
            "cancelled" => Self::Cancelled,
            "interrupted" => Self::Interrupted,
            _ => Self::Other,
        }
    }

    /// The service's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
            Self::Other => "other",
        }
    }

    /// Whether there is something yet to come.
    pub const fn is_open(self) -> bool {
        match self {
            Self::Queued | Self::Running => true,
            Self::Succeeded | Self::Failed | Self::Cancelled | Self::Interrupted | Self::Other => {
                false
            }
        }
    }

    /// Whether it makes sense to go on with it.
    pub const fn is_resumable(self) -> bool {
        match self {
            Self::Failed | Self::Cancelled | Self::Interrupted => true,
            Self::Queued | Self::Running | Self::Succeeded | Self::Other => false,
        }
    }
}

/// One build as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Which.
    pub id: BuildId,
    /// The profile's name.
    pub profile: String,
    /// How far.
    pub state: State,
    /// Seconds since 1970 when it was asked for.
    pub started: u64,
    /// Whose it is.
    pub uid: u32,
}

impl Listed {
    /// A row of the service's list; `None` if its id cannot be one.
    pub(crate) fn read(
        (id, profile, state, started, uid): (String, String, String, u64, u32),
    ) -> Option<Self> {
        Some(Self {
            id: BuildId::parse(&id)?,
            profile: isosmith_protocol::line::clean(&profile),
            state: State::of(&state),
            started,
            uid,
        })
    }
}

/// All that the service tells about one build. What it does not tell is empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    /// Which.
    pub id: BuildId,
    /// The profile's name.
    pub profile: String,
    /// The name and version of what is made.
    pub product: String,
    /// How far.
    pub state: State,
    /// Seconds since 1970 when it was asked for.
    pub started: u64,
    /// Whose it is.
    pub uid: u32,
    /// SHA-256 over the profile, its files and options, as authorised.
    pub spec_sha256: String,
    /// In what it is kept.
    pub isolation: Isolation,
    /// Whether it can be gone on with.
    pub resumable: bool,
    /// The file name of the delivered ISO.
    pub iso: Option<String>,
    /// How it ended.
    pub result: Option<BuildResult>,
    /// What changed in the person's session meanwhile; empty is as it must be.
    pub session: Vec<SessionChange>,
}

impl Description {
    /// Reads the service's answer. Keys of a newer service are passed over.
    ///
    /// # Errors
    ///
    /// [`Code::Internal`] when what must be there is not.
    pub(crate) fn read(mut fields: HashMap<String, OwnedValue>) -> Result<Self> {
        let id = text(&mut fields, "id");
        let id = BuildId::parse(&id).ok_or_else(|| {
            Error::new(
                Code::Internal,
                "the service describes a build without a usable id",
                "This is a fault in Isosmith; please report it with the service's log.",
            )
        })?;
        let json = |text: String| serde_json::from_str::<Json>(&text).unwrap_or_default();
        let result = json(text(&mut fields, "result"));
        let session = json(text(&mut fields, "session"));
        let isolation = Json::from(text(&mut fields, "isolation"));
        Ok(Self {
            id,
            profile: text(&mut fields, "profile"),
            product: text(&mut fields, "product"),
            state: State::of(&text(&mut fields, "state")),
            started: value(&mut fields, "started").unwrap_or_default(),
            uid: value(&mut fields, "uid").unwrap_or(u32::MAX),
            spec_sha256: text(&mut fields, "spec-sha256"),
            isolation: serde_json::from_value(isolation).unwrap_or(Isolation::Other),
            resumable: value(&mut fields, "resumable").unwrap_or_default(),
            iso: Some(text(&mut fields, "iso")).filter(|name| !name.is_empty()),
            result: serde_json::from_value(result).ok(),
            session: serde_json::from_value(session).unwrap_or_default(),
        })
    }
}

fn value<T: TryFrom<OwnedValue>>(fields: &mut HashMap<String, OwnedValue>, key: &str) -> Option<T> {
    T::try_from(fields.remove(key)?).ok()
}

fn text(fields: &mut HashMap<String, OwnedValue>, key: &str) -> String {
    value(fields, key).unwrap_or_default()
}

/// What to free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// What dead builds left half-made.
    Leftovers,
    /// Also finished results that nobody has used for long.
    Unused,
    /// Everything in the cache.
    Everything,
}

impl What {
    /// The service's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Leftovers => "leftovers",
            Self::Unused => "unused",
            Self::Everything => "everything",
        }
    }
}

/// What the service speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Speaks {
    /// [`isosmith_protocol::EPOCH`] of the service.
    pub epoch: u32,
    /// [`isosmith_protocol::REVISION`] of the service.
    pub revision: u32,
    /// Isosmith's version.
    pub version: String,
}

#[cfg(test)]
mod tests {
    use zbus::zvariant::Value;

    use super::*;

    #[test]
    fn states_have_one_word_each() {
        for state in [
            State::Queued,
            State::Running,
            State::Succeeded,
            State::Failed,
            State::Cancelled,
            State::Interrupted,
            State::Other,
        ] {
            assert_eq!(State::of(state.as_str()), state);
            assert!(!(state.is_open() && state.is_resumable()), "{state:?}");
        }
    }

    fn described(fields: &[(&str, Value<'_>)]) -> Result<Description> {
        Description::read(
            fields
                .iter()
                .map(|(key, value)| {
                    let value = value.try_to_owned().expect("no descriptors");
                    ((*key).to_owned(), value)
                })
                .collect(),
        )
    }

    #[test]
    fn a_description_is_read_whatever_is_missing_or_new() {
        let least = described(&[("id", "x".into())]).expect("enough");
        assert_eq!(least.state, State::Other);
        assert_eq!((least.iso, least.result), (None, None));

        let full = described(&[
            ("id", "20260101-000000-x-0000".into()),
            ("state", "failed".into()),
            ("started", 7u64.into()),
            ("uid", 1000u32.into()),
            ("resumable", true.into()),
            ("isolation", "hybrid".into()),
            ("iso", "x.iso".into()),
            ("result", r#"{"is":"cancelled"}"#.into()),
            ("session", "[]".into()),
            ("of-a-later-version", 1u8.into()),
        ])
        .expect("whole");
        assert_eq!((full.started, full.uid), (7, 1000));
        assert_eq!(full.isolation, Isolation::Hybrid);
        assert_eq!(full.iso.as_deref(), Some("x.iso"));
        assert_eq!(full.result, Some(BuildResult::Cancelled));
        assert!(full.resumable);

        let odd = described(&[("id", "x".into()), ("started", "soon".into())]).expect("enough");
        assert_eq!(odd.started, 0, "a wrong type is as good as nothing");
        for id in ["", "../x", "X"] {
            assert!(described(&[("id", id.into())]).is_err(), "{id:?}");
        }
    }
}
