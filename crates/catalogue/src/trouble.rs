//! What can go wrong, in the form in which viewers read it.

use std::{io, path::Path};

use isosmith_protocol::{Code, ErrorView};

/// What something comes to, or why it does not.
pub(crate) type Outcome<T> = Result<T, Box<ErrorView>>;

const NETWORK: &str = "Check the network connection and the mirror's address in the profile.";
const MIRROR: &str = "Try again later, or choose another mirror in the profile.";

pub(crate) fn view(
    code: Code,
    message: String,
    advice: &str,
    causes: Vec<String>,
) -> Box<ErrorView> {
    Box::new(ErrorView {
        class: code.class(),
        code,
        step: None,
        message,
        advice: advice.to_owned(),
        causes,
        command: None,
        tail: Vec::new(),
        recovery: code.recovery(),
    })
}

/// No connection.
pub(crate) fn unreachable(url: &str, cause: impl ToString) -> Box<ErrorView> {
    let message = format!("no connection for {url}");
    view(
        Code::MirrorUnreachable,
        message,
        NETWORK,
        vec![cause.to_string()],
    )
}

/// A connection, but not what was asked for.
pub(crate) fn broken(url: &str, what: impl ToString) -> Box<ErrorView> {
    let message = format!("{url} could not be read");
    view(
        Code::DownloadFailed,
        message,
        MIRROR,
        vec![what.to_string()],
    )
}

/// What a mirror must have, it has not.
pub(crate) fn missing(url: &str) -> Box<ErrorView> {
    let message = format!("the mirror does not have {url}");
    view(Code::FileMissingOnMirror, message, MIRROR, Vec::new())
}

/// What came is not what the Release file promises.
pub(crate) fn mismatch(url: &str) -> Box<ErrorView> {
    let message = format!("{url} is not what its Release file promises");
    view(Code::HashMismatch, message, MIRROR, Vec::new())
}

/// The window is going away.
pub(crate) fn cancelled() -> Box<ErrorView> {
    let message = "the loading of package lists was stopped".to_owned();
    view(
        Code::Cancelled,
        message,
        "Open the profile again.",
        Vec::new(),
    )
}

/// The own folder cannot be used.
pub(crate) fn io(what: &str, path: &Path, error: &io::Error) -> Box<ErrorView> {
    let code = match error.raw_os_error() {
        // ENOSPC and EDQUOT, errno(3).
        Some(28 | 122) => Code::DiskFull,
        Some(1 | 13) => Code::AccessDenied,
        _ => Code::Io,
    };
    let message = format!("cannot {what} {}", path.display());
    let advice = "Free some room on the disk, or let yourself write to that folder.";
    view(code, message, advice, vec![error.to_string()])
}

/// A fault of ours.
pub(crate) fn internal(message: &str, cause: impl ToString) -> Box<ErrorView> {
    let advice = "Report this as a fault of Isosmith.";
    view(
        Code::Internal,
        message.to_owned(),
        advice,
        vec![cause.to_string()],
    )
}
