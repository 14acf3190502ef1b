//! How it can go wrong.

use std::fmt;

/// The exit status, which scripts may go by; the manual page has the same list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Anything that has no number of its own.
    Failed = 1,
    /// The command line or the settings are wrong.
    Usage = 2,
    /// Nobody has agreed to sending anything.
    NotAgreed = 3,
    /// The server does not answer.
    Unreachable = 4,
    /// The server has answered, and said no.
    Refused = 5,
    /// The answer broke off or cannot be read.
    Broken = 6,
    /// Whoever reads the answer has had enough; as shells number a broken pipe.
    Unheard = 141,
    /// Stopped from the keyboard; as shells number it.
    Interrupted = 130,
}

/// What went wrong, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// For scripts.
    pub exit: Exit,
    /// For people; one sentence without a full stop.
    pub message: String,
    /// What to do next, in whole sentences; may be empty.
    pub advice: String,
}

impl Failure {
    /// A failure with something to do about it.
    pub fn new(exit: Exit, message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            advice: advice.into(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ai: {}", self.message)?;
        if self.advice.is_empty() {
            return Ok(());
        }
        write!(f, "\n{}", self.advice)
    }
}
