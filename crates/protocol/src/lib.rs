//! What a build says about itself, to whoever watches: events, errors, and the view folded
//! from them.
//!
//! A stream is one JSON object per line ([`mod@line`]). The first line is [`EventKind::Hello`]
//! with the version, the second [`EventKind::Planned`] with every step, the last
//! [`EventKind::Finished`], and there is exactly one of those. Progress is absolute and may
//! be thinned; nothing else may be lost.

pub mod control;
pub mod error;
pub mod event;
pub mod id;
pub mod line;
pub mod manner;
pub mod session;
pub mod view;

pub use control::Control;
pub use error::{Class, Code, ErrorView, Recovery};
pub use event::{
    BuildResult, Choice, Enrolment, Event, EventKind, Level, Outcome, Output, Phase, StepInfo,
    Stream, Unit,
};
pub use id::{BuildId, NotABuildId, StepId};
pub use manner::{CacheLimit, ErrorMode, Manner, NotAManner, Pace};
pub use session::{Isolation, Metrics, SessionChange, SessionKind, Watched, WatchedItem};
pub use view::{BuildView, Question, SessionView, StepState, StepView};

/// Changes when an old reader would misunderstand a new writer.
pub const EPOCH: u32 = 1;

/// Changes when something was added that an old reader can pass over.
pub const REVISION: u32 = 1;
