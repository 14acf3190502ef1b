//! What whoever supervises a build tells it, one JSON object per line.

use serde::{Deserialize, Serialize};

use crate::event::{Choice, EventKind};

/// A word to a running build.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Control {
    /// Stop.
    Cancel,
    /// Put this among the events: what only the supervisor can see.
    Note {
        /// [`EventKind::SessionWatched`], [`EventKind::SessionChanged`],
        /// [`EventKind::Metrics`]; others are passed over.
        event: EventKind,
    },
    /// Settles a question.
    Answer {
        /// Which.
        question: u32,
        /// How.
        choice: Choice,
    },
}
