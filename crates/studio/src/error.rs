//! What goes wrong, as the page reads it.

use std::{fmt, io, path::Path};

use isosmith_protocol::{Code, ErrorView, line};
use serde::{Serialize, Serializer};

/// A refusal or a failure with code, sentence and next action; serialises as its [`ErrorView`].
#[derive(Clone, PartialEq, Eq)]
pub struct Error(Box<ErrorView>);

/// What this crate answers.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// A failure that is found here. Both texts are one sentence.
    pub fn new(code: Code, message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self(Box::new(ErrorView {
            class: code.class(),
            code,
            step: None,
            message: line::clean(&message.into()),
            advice: line::clean(&advice.into()),
            causes: Vec::new(),
            command: None,
            tail: Vec::new(),
            recovery: code.recovery(),
        }))
    }

    /// A failed file operation: "could not {doing} {path}".
    pub fn io(doing: &str, path: &Path, error: &io::Error) -> Self {
        const DENIED: (Code, &str) = (
            Code::AccessDenied,
            "Choose a place that you may read and write.",
        );
        const FULL: (Code, &str) = (Code::DiskFull, "Free some room or choose another folder.");
        let kinds = [
            (io::ErrorKind::PermissionDenied, DENIED),
            (io::ErrorKind::ReadOnlyFilesystem, DENIED),
            (io::ErrorKind::StorageFull, FULL),
            (io::ErrorKind::QuotaExceeded, FULL),
        ];
        let known = kinds.iter().find(|(kind, _)| *kind == error.kind());
        let other = (Code::Io, "Check the path and the disk.");
        let (code, advice) = known.map_or(other, |&(_, known)| known);
        Self::new(
            code,
            format!("could not {doing} {}", path.display()),
            advice,
        )
        .because(error.to_string())
    }

    /// The same with a deeper cause.
    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.0.causes.push(line::clean(&cause.into()));
        self
    }

    /// What exactly went wrong.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// All of it.
    pub fn view(&self) -> &ErrorView {
        &self.0
    }
}

impl From<ErrorView> for Error {
    fn from(view: ErrorView) -> Self {
        Self(Box::new(view))
    }
}

impl From<isosmith_client::Error> for Error {
    fn from(error: isosmith_client::Error) -> Self {
        Self(Box::new(error.view().clone()))
    }
}

impl Serialize for Error {
    fn serialize<S: Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        self.0.serialize(to)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.message)?;
        self.0
            .causes
            .iter()
            .try_for_each(|cause| write!(f, ": {cause}"))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Error {}
