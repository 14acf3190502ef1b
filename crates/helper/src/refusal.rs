//! Why a call is not answered with what was asked for.

use isosmith_engine::Failure;
use isosmith_protocol::Code;
use serde::Serialize as _;

/// Most of a failure's causes that travel in an error; a spec can have thousands.
const MOST_CAUSES: usize = 50;

/// The kinds of errors of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The right was refused, or could not be asked for.
    NotAuthorised,
    /// The person closed the question.
    Dismissed,
    /// No build of that id, or somebody else's.
    NoSuchBuild,
    /// The spec has errors.
    InvalidSpec,
    /// A file that was handed over cannot be used.
    InvalidFile,
    /// The output folder cannot be used.
    InvalidOutput,
    /// An argument has the wrong type, or a value that means nothing.
    InvalidArgument,
    /// As many builds wait as may.
    QueueFull,
    /// The build, or the service, is in no state for it.
    WrongState,
    /// Too much in too short a time, or too many at once.
    TooMany,
    /// Anything else.
    Failed,
}

impl Kind {
    /// The error's name on the bus.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotAuthorised => "org.isosmith.Error.NotAuthorised",
            Self::Dismissed => "org.isosmith.Error.Dismissed",
            Self::NoSuchBuild => "org.isosmith.Error.NoSuchBuild",
            Self::InvalidSpec => "org.isosmith.Error.InvalidSpec",
            Self::InvalidFile => "org.isosmith.Error.InvalidFile",
            Self::InvalidOutput => "org.isosmith.Error.InvalidOutput",
            Self::InvalidArgument => "org.isosmith.Error.InvalidArgument",
            Self::QueueFull => "org.isosmith.Error.QueueFull",
            Self::WrongState => "org.isosmith.Error.WrongState",
            Self::TooMany => "org.isosmith.Error.TooMany",
            Self::Failed => "org.isosmith.Error.Failed",
        }
    }

    /// The code of a refusal that has no better one.
    const fn code(self) -> Code {
        match self {
            Self::NotAuthorised => Code::NotAuthorised,
            Self::Dismissed => Code::PromptDismissed,
            Self::NoSuchBuild => Code::NoSuchBuild,
            Self::InvalidSpec | Self::InvalidArgument => Code::ProfileInvalid,
            Self::InvalidFile => Code::MaterialInvalid,
            Self::InvalidOutput => Code::AccessDenied,
            Self::QueueFull => Code::QueueFull,
            Self::WrongState => Code::WrongState,
            Self::TooMany => Code::TooManyRequests,
            Self::Failed => Code::Internal,
        }
    }
}

/// A call's error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What the bus calls it.
    pub kind: Kind,
    /// What it is about.
    pub failure: Box<Failure>,
}

impl Refusal {
    /// With the kind's own code and advice.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self::of(kind, Failure::plain(kind.code(), message))
    }

    /// With a failure's code and advice.
    pub fn of(kind: Kind, failure: Failure) -> Self {
        Self {
            kind,
            failure: Box::new(failure),
        }
    }

    /// An error's message: one JSON object.
    pub fn message(&self) -> String {
        let mut view = self.failure.view(None);
        let more = view.causes.len().saturating_sub(MOST_CAUSES);
        view.causes.truncate(MOST_CAUSES);
        if more > 0 {
            view.causes.push(format!("and {more} more"));
        }
        let mut text = Vec::new();
        // Strings and lists of them; writing those to memory cannot fail.
        let _ = view.serialize(&mut serde_json::Serializer::new(&mut text));
        String::from_utf8_lossy(&text).into_owned()
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::of(Kind::Failed, failure)
    }
}

impl From<isosmith_host::HostError> for Refusal {
    fn from(error: isosmith_host::HostError) -> Self {
        Failure::from(error).into()
    }
}

/// There is no such build, as far as the caller may know.
pub fn no_such_build() -> Refusal {
    Refusal::new(Kind::NoSuchBuild, "there is no build of yours with this id")
}

/// An argument that means nothing.
pub fn bad_argument(message: impl Into<String>) -> Refusal {
    Refusal::of(
        Kind::InvalidArgument,
        Failure::new(
            Code::ProfileInvalid,
            message,
            "Look at the interface's documentation.",
        ),
    )
}

#[cfg(test)]
mod tests {
    use isosmith_protocol::ErrorView;

    use super::*;

    #[test]
    fn a_message_is_one_object_of_a_bounded_size() {
        let mut failure = Failure::plain(Code::ProfileInvalid, "the profile has errors");
        failure.causes = vec!["x".repeat(10_000); 5000];
        let text = Refusal::of(Kind::InvalidSpec, failure).message();
        let view: ErrorView = serde_json::from_str(&text).expect("an ErrorView");
        assert_eq!(view.code, Code::ProfileInvalid);
        assert_eq!(view.causes.len(), MOST_CAUSES + 1);
        assert!(text.len() < 1 << 20);
    }
}
