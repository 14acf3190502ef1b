//! What can go wrong at the machine's border.

use std::{io, path::PathBuf};

/// A command that did not end well.
#[derive(Debug, thiserror::Error)]
pub enum CmdError {
    /// The program is not there.
    #[error("the program {program} was not found")]
    Missing {
        /// Its name.
        program: String,
        /// The whole command, to paste.
        command: String,
    },
    /// It ended with an error.
    #[error("{program} ended with {status}")]
    Failed {
        /// Its name.
        program: String,
        /// The whole command, to paste.
        command: String,
        /// `exit status N` or `signal N`.
        status: String,
        /// Its exit status, if it was not ended by a signal.
        code: Option<i32>,
        /// The last lines of standard error (of standard output if that had none).
        tail: Vec<String>,
    },
    /// The sandbox could not be made.
    #[error("the sandbox for {program} could not be made: {what}")]
    Sandbox {
        /// The program that was to run in it.
        program: String,
        /// The whole command, to paste.
        command: String,
        /// Which part failed and why.
        what: String,
    },
    /// Whoever takes the output failed.
    #[error("the output of {program} could not be written")]
    Output {
        /// Its name.
        program: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It could not be started or waited for.
    #[error("{program} could not be started")]
    Spawn {
        /// Its name.
        program: String,
        /// The whole command, to paste.
        command: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The build was cancelled.
    #[error("{program} was stopped")]
    Cancelled {
        /// What was running.
        program: String,
    },
}

/// Anything else at the machine's border.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// A mount that the kernel refused.
    #[error("{what} could not be mounted at {}", at.display())]
    Mount {
        /// What.
        what: String,
        /// Where.
        at: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A path that leads out of the folder it must stay in.
    #[error("{} is outside {}", path.display(), root.display())]
    Outside {
        /// The path.
        path: PathBuf,
        /// The folder.
        root: PathBuf,
    },
    /// A file operation.
    #[error("could not {doing}")]
    Io {
        /// What was being done, with the path.
        doing: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The machine does not let this user build.
    #[error("{message}")]
    NotAllowed {
        /// What is missing.
        message: String,
        /// What to do about it.
        advice: String,
    },
    /// A namespace that the kernel refused.
    #[error("the kernel refused {what}")]
    Namespace {
        /// Which, and for what.
        what: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl HostError {
    /// An I/O failure, with what was being done.
    pub fn io(doing: impl Into<String>, source: io::Error) -> Self {
        Self::Io {
            doing: doing.into(),
            source,
        }
    }
}
