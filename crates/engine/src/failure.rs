//! Why a step could not do its work.

use std::{error::Error, fmt, io, path::Path};

use isosmith_host::{CmdError, HostError};
use isosmith_protocol::{Code, ErrorView, StepId, line};

use crate::advice::advice;

/// What went wrong, with all that a person needs to act on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What exactly.
    pub code: Code,
    /// What happened, in one sentence.
    pub message: String,
    /// What to do now, in one sentence.
    pub advice: Box<str>,
    /// Deeper causes, nearest first.
    pub causes: Vec<String>,
    /// The command that failed, in a form to paste.
    pub command: Option<String>,
    /// The last lines that it printed.
    pub tail: Vec<String>,
}

impl Failure {
    /// A failure with advice of its own.
    pub fn new(code: Code, message: impl Into<String>, advice: impl Into<Box<str>>) -> Self {
        Self {
            code,
            message: message.into(),
            advice: advice.into(),
            causes: Vec::new(),
            command: None,
            tail: Vec::new(),
        }
    }

    /// A failure with the code's usual [`advice`].
    pub fn plain(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, message, advice(code))
    }

    /// A failed file operation: "could not {doing}". A full disk and a missing right get
    /// codes of their own.
    pub fn io(doing: impl fmt::Display, error: io::Error) -> Self {
        Self::plain(io_code(&error), format!("could not {doing}")).because(error)
    }

    /// Like [`Failure::io`] for `path`, "could not {doing} {path}", and says how much room is
    /// left there if that ran out.
    pub fn io_at(doing: impl fmt::Display, path: &Path, error: io::Error) -> Self {
        Self::io(format!("{doing} {}", path.display()), error).with_room(path)
    }

    /// The build was stopped.
    pub fn cancelled() -> Self {
        Self::plain(Code::Cancelled, "the build was cancelled")
    }

    /// Adds `error` and everything behind it to the causes.
    #[must_use]
    pub fn because(mut self, error: impl Error) -> Self {
        self.causes.push(error.to_string());
        let mut next = error.source();
        while let Some(cause) = next {
            self.causes.push(cause.to_string());
            next = cause.source();
        }
        self
    }

    /// If the failure is a full disk, adds how much room is left on the filesystem of `path`.
    #[must_use]
    pub fn with_room(mut self, path: &Path) -> Self {
        if self.code != Code::DiskFull {
            return self;
        }
        if let Ok(free) = isosmith_host::fs::free_bytes(path) {
            let mib = free / (1 << 20);
            let room = format!("the filesystem of {} has {mib} MiB left", path.display());
            if !self.causes.contains(&room) {
                self.causes.push(room);
            }
        }
        self
    }

    /// The failure as it crosses a process border; control characters and excess length are
    /// taken away.
    pub fn view(&self, step: Option<StepId>) -> ErrorView {
        let all = |lines: &[String]| lines.iter().map(|text| line::clean(text)).collect();
        ErrorView {
            class: self.code.class(),
            code: self.code,
            step,
            message: line::clean(&self.message),
            advice: line::clean(&self.advice),
            causes: all(&self.causes),
            command: self.command.as_deref().map(line::clean),
            tail: all(&self.tail),
            recovery: self.code.recovery(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Failure {}

impl From<HostError> for Failure {
    fn from(error: HostError) -> Self {
        let message = error.to_string();
        match error {
            HostError::Io { doing, source } => Self::io(doing, source),
            HostError::NotAllowed { message, advice } => {
                Self::new(Code::NotAllowed, message, advice)
            }
            HostError::Outside { .. } => Self::plain(Code::Internal, message),
            HostError::Mount { source, .. } | HostError::Namespace { source, .. } => {
                let full = io_code(&source) == Code::DiskFull;
                let code = if full {
                    Code::DiskFull
                } else {
                    Code::SandboxFailed
                };
                Self::plain(code, message).because(source)
            }
        }
    }
}

impl From<CmdError> for Failure {
    fn from(error: CmdError) -> Self {
        let message = error.to_string();
        match error {
            CmdError::Cancelled { .. } => Self::plain(Code::Cancelled, message),
            CmdError::Missing { command, .. } => Self {
                command: Some(command),
                ..Self::plain(Code::CommandMissing, message)
            },
            CmdError::Sandbox { command, what, .. } => {
                let code = if what.contains(NO_SPACE) {
                    Code::DiskFull
                } else {
                    Code::SandboxFailed
                };
                Self {
                    command: Some(command),
                    ..Self::plain(code, message)
                }
            }
            CmdError::Failed {
                command,
                status,
                code,
                tail,
                ..
            } => {
                let code = failed_code(&status, code, &tail);
                let message = if code == Code::DiskFull {
                    format!("the disk became full: {message}")
                } else if code == Code::OutOfMemory {
                    format!("memory ran out: {message}")
                } else {
                    message
                };
                Self {
                    command: Some(command),
                    tail,
                    ..Self::plain(code, message)
                }
            }
            CmdError::Output { source, .. } => {
                Self::plain(io_code(&source), message).because(source)
            }
            CmdError::Spawn {
                command, source, ..
            } => {
                let plain = Self::plain(io_code(&source), message);
                Self {
                    command: Some(command),
                    ..plain
                }
                .because(source)
            }
        }
    }
}

/// What `strerror` says for `ENOSPC` and `ENOMEM`; commands run with `LC_ALL=C.UTF-8`.
const NO_SPACE: &str = "No space left on device";
const NO_MEMORY: &str = "Cannot allocate memory";

fn failed_code(status: &str, code: Option<i32>, tail: &[String]) -> Code {
    let says = |text: &str| tail.iter().any(|line| line.contains(text));
    // Nobody but the kernel's out-of-memory killer sends SIGKILL to a build's commands; a
    // shell in between reports it as 128 + 9.
    let killed = status.starts_with("signal 9") || code == Some(137);
    if says(NO_SPACE) {
        return Code::DiskFull;
    }
    if killed || says(NO_MEMORY) {
        return Code::OutOfMemory;
    }
    Code::CommandFailed
}

fn io_code(error: &io::Error) -> Code {
    use io::ErrorKind;
    let kinds = [
        (ErrorKind::StorageFull, Code::DiskFull),
        (ErrorKind::QuotaExceeded, Code::DiskFull),
        (ErrorKind::PermissionDenied, Code::AccessDenied),
        (ErrorKind::ReadOnlyFilesystem, Code::AccessDenied),
        (ErrorKind::OutOfMemory, Code::OutOfMemory),
    ];
    let known = kinds.iter().find(|(kind, _)| *kind == error.kind());
    known.map_or(Code::Io, |&(_, code)| code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(status: &str, code: Option<i32>, tail: &[&str]) -> CmdError {
        CmdError::Failed {
            program: "dpkg".to_owned(),
            command: "dpkg --configure -a".to_owned(),
            status: status.to_owned(),
            code,
            tail: tail.iter().map(|&line| line.to_owned()).collect(),
        }
    }

    #[test]
    fn a_command_s_end_becomes_a_code() {
        let program = || "dpkg".to_owned();
        for (error, want) in [
            (
                failed("exit status 1", Some(1), &["dpkg: error"]),
                Code::CommandFailed,
            ),
            (
                failed(
                    "exit status 1",
                    Some(1),
                    &["tar: a: No space left on device", "x"],
                ),
                Code::DiskFull,
            ),
            (
                failed("exit status 2", Some(2), &["fork: Cannot allocate memory"]),
                Code::OutOfMemory,
            ),
            (failed("signal 9", None, &[]), Code::OutOfMemory),
            (failed("exit status 137", Some(137), &[]), Code::OutOfMemory),
            (failed("signal 15", None, &[]), Code::CommandFailed),
            (CmdError::Cancelled { program: program() }, Code::Cancelled),
            (
                CmdError::Missing {
                    program: program(),
                    command: program(),
                },
                Code::CommandMissing,
            ),
            (
                CmdError::Sandbox {
                    program: program(),
                    command: program(),
                    what: "no overlay".to_owned(),
                },
                Code::SandboxFailed,
            ),
            (
                CmdError::Output {
                    program: program(),
                    source: io::Error::from_raw_os_error(nix::libc::ENOSPC),
                },
                Code::DiskFull,
            ),
        ] {
            let text = format!("{error:?}");
            assert_eq!(Failure::from(error).code, want, "{text}");
        }
    }

    #[test]
    fn an_errno_becomes_a_code() {
        for (errno, want) in [
            (nix::libc::ENOSPC, Code::DiskFull),
            (nix::libc::EDQUOT, Code::DiskFull),
            (nix::libc::EACCES, Code::AccessDenied),
            (nix::libc::EPERM, Code::AccessDenied),
            (nix::libc::ENOMEM, Code::OutOfMemory),
            (nix::libc::EIO, Code::Io),
        ] {
            let failure = Failure::io("write x", io::Error::from_raw_os_error(errno));
            assert_eq!(failure.code, want, "errno {errno}");
            assert_eq!(failure.message, "could not write x");
        }
    }

    #[test]
    fn a_full_disk_says_how_much_room_is_left_and_where() {
        let full = io::Error::from_raw_os_error(nix::libc::ENOSPC);
        let failure = Failure::io_at("write to", Path::new("/"), full);
        let room = failure.causes.last().expect("two causes");
        assert!(
            room.starts_with("the filesystem of / has ") && room.ends_with(" MiB left"),
            "{room}"
        );
    }

    #[test]
    fn a_failed_command_keeps_its_last_lines_and_can_be_pasted() {
        let view = Failure::from(failed("exit status 1", Some(1), &["bad\u{1b}[31m"])).view(None);
        assert_eq!(view.command.as_deref(), Some("dpkg --configure -a"));
        assert_eq!(view.tail, ["bad\u{fffd}[31m"]);
    }

    #[test]
    fn causes_are_kept_nearest_first() {
        let inner = HostError::io("open /x", io::Error::other("deep"));
        let failure = Failure::plain(Code::Internal, "top").because(inner);
        assert_eq!(failure.causes, ["could not open /x", "deep"]);
    }
}
