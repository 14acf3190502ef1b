//! Whatever goes wrong between a program and the service, as the protocol says it.

use std::{fmt, io, path::Path};

use isosmith_protocol::{Code, ErrorView, line};

/// A refusal or a failure, with code, sentence and next action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(Box<ErrorView>);

/// What the names of the service's own errors begin with.
const OURS: &str = "org.isosmith.Error.";

/// What the bus's own errors begin with
/// (<https://dbus.freedesktop.org/doc/dbus-specification.html>).
const OF_THE_BUS: &str = "org.freedesktop.DBus.Error.";

const WITHOUT: &str = "See what `systemctl status isosmith-helper` says, or build without it: `isosmith build --direct`.";

const DENIED: (Code, &str) = (
    Code::AccessDenied,
    "Choose a place that you may read and write.",
);

const FULL: (Code, &str) = (Code::DiskFull, "Free some room or choose another folder.");

impl Error {
    /// A failure that is found here.
    pub(crate) fn new(code: Code, message: impl Into<String>, advice: impl Into<String>) -> Self {
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
    pub(crate) fn io(doing: &str, path: &Path, error: &io::Error) -> Self {
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

    /// The service cannot be asked.
    pub(crate) fn unavailable(why: impl Into<String>) -> Self {
        Self::new(
            Code::ServiceUnavailable,
            "the system service of Isosmith cannot be reached",
            WITHOUT,
        )
        .because(why)
    }

    #[must_use]
    pub(crate) fn because(mut self, cause: impl Into<String>) -> Self {
        self.0.causes.push(line::clean(&cause.into()));
        self
    }

    /// What the bus answered.
    fn from_bus(name: &str, text: &str) -> Self {
        if let Some(short) = name.strip_prefix(OURS) {
            return Self::from_service(short, text);
        }
        match name.strip_prefix(OF_THE_BUS) {
            Some("LimitsExceeded") => Self::new(
                Code::TooManyRequests,
                "the message bus takes no more at once",
                "Name fewer files in the profile (put them into one folder), or build without the service: `isosmith build --direct`.",
            )
            .because(text),
            Some(_) | None => Self::unavailable(format!("{name}: {text}")),
        }
    }

    /// What the service answered: one JSON object, or, from one that is older or newer than
    /// this, a sentence.
    fn from_service(short: &str, text: &str) -> Self {
        if let Ok(view) = serde_json::from_str::<ErrorView>(text) {
            return Self(Box::new(cleaned(view)));
        }
        let (code, advice) = match short {
            "NotAuthorised" => (
                Code::NotAuthorised,
                "Ask an administrator of this machine, or build without the service: `isosmith build --direct`.",
            ),
            "Dismissed" => (
                Code::PromptDismissed,
                "Ask again and answer the question that appears.",
            ),
            "NoSuchBuild" => (Code::NoSuchBuild, "`isosmith builds` lists all there are."),
            "InvalidSpec" => (
                Code::ProfileInvalid,
                "Correct the profile; `isosmith check` lists everything that is wrong with it.",
            ),
            "InvalidFile" => (
                Code::MaterialInvalid,
                "Put a usable file where the profile says, or change the profile.",
            ),
            "InvalidOutput" => (
                Code::AccessDenied,
                "Choose another folder for the ISO with --output.",
            ),
            "QueueFull" => (
                Code::QueueFull,
                "Wait until one of the waiting builds has ended, or cancel one.",
            ),
            "WrongState" => (
                Code::WrongState,
                "`isosmith builds` says how far the build is.",
            ),
            "TooMany" => (Code::TooManyRequests, "Wait a moment, then ask again."),
            _ => (
                Code::Internal,
                "This is a fault in Isosmith; please report it with the service's log.",
            ),
        };
        let message = if text.trim().is_empty() {
            format!("the service refused: {short}")
        } else {
            text.to_owned()
        };
        Self::new(code, message, advice)
    }

    /// What exactly.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// As it crosses process borders.
    pub fn view(&self) -> &ErrorView {
        &self.0
    }

    /// As it crosses process borders.
    pub fn into_view(self) -> ErrorView {
        *self.0
    }

    /// Whether asking again in a moment may help, without anybody doing anything.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(
            self.code(),
            Code::ServiceUnavailable | Code::TooManyRequests
        )
    }
}

/// Texts from elsewhere go to terminals.
fn cleaned(mut view: ErrorView) -> ErrorView {
    let clean = |text: &mut String| *text = line::clean(text);
    clean(&mut view.message);
    clean(&mut view.advice);
    view.causes.iter_mut().for_each(clean);
    view.tail.iter_mut().for_each(clean);
    view.command.iter_mut().for_each(clean);
    view
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {}

impl From<zbus::Error> for Error {
    fn from(error: zbus::Error) -> Self {
        if let zbus::Error::MethodError(name, text, _) = &error {
            return Self::from_bus(name.as_str(), text.as_deref().unwrap_or_default());
        }
        Self::unavailable(error.to_string())
    }
}

impl From<zbus::fdo::Error> for Error {
    fn from(error: zbus::fdo::Error) -> Self {
        Self::unavailable(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, text: &str, code: Code, says: &str) {
        let error = Error::from_bus(name, text);
        assert_eq!(error.code(), code, "{name} {text}");
        let view = error.view();
        let all = format!("{} {:?} {}", view.message, view.causes, view.advice);
        assert!(all.contains(says), "{name} {text}: {all}");
        assert!(!view.advice.is_empty() && !view.message.is_empty());
        assert_eq!(view.class, code.class());
    }

    #[test]
    fn names_of_errors_become_codes() {
        for (name, code) in [
            ("NotAuthorised", Code::NotAuthorised),
            ("Dismissed", Code::PromptDismissed),
            ("NoSuchBuild", Code::NoSuchBuild),
            ("InvalidSpec", Code::ProfileInvalid),
            ("InvalidFile", Code::MaterialInvalid),
            ("InvalidOutput", Code::AccessDenied),
            ("InvalidArgument", Code::Internal),
            ("QueueFull", Code::QueueFull),
            ("WrongState", Code::WrongState),
            ("TooMany", Code::TooManyRequests),
            ("Failed", Code::Internal),
            ("OfALaterVersion", Code::Internal),
        ] {
            check(&format!("{OURS}{name}"), "a sentence", code, "a sentence");
            check(&format!("{OURS}{name}"), "", code, name);
        }
        for (name, code) in [
            ("ServiceUnknown", Code::ServiceUnavailable),
            ("NoReply", Code::ServiceUnavailable),
            ("AccessDenied", Code::ServiceUnavailable),
            ("UnknownMethod", Code::ServiceUnavailable),
            ("LimitsExceeded", Code::TooManyRequests),
        ] {
            check(&format!("{OF_THE_BUS}{name}"), "why", code, "why");
        }
        check("com.example.Odd", "why", Code::ServiceUnavailable, "why");
    }

    #[test]
    fn what_the_service_says_in_full_is_kept_and_fit_for_a_terminal() {
        let said = Error::new(Code::DiskFull, "no room", "Make some.").because("because");
        let json = serde_json::to_string(said.view()).expect("JSON");
        let read = Error::from_bus("org.isosmith.Error.Failed", &json);
        assert_eq!(read, said, "the object counts, not the name");
        let hostile = json.replace("no room", "no\\u001b[2J room");
        let read = Error::from_bus("org.isosmith.Error.Failed", &hostile);
        assert_eq!(read.view().message, "no\u{fffd}[2J room");
    }

    #[test]
    fn only_what_may_pass_is_asked_again() {
        for (name, passes) in [
            ("org.isosmith.Error.TooMany", true),
            ("org.freedesktop.DBus.Error.NoReply", true),
            ("org.isosmith.Error.NoSuchBuild", false),
            ("org.isosmith.Error.NotAuthorised", false),
        ] {
            assert_eq!(Error::from_bus(name, "").may_pass(), passes, "{name}");
        }
    }
}
