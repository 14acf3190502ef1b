//! What went wrong and what to do now. Viewers read the code, never the words.

use serde::{Deserialize, Serialize};

use crate::id::StepId;

/// The kind of thing that went wrong; decides how a build recovers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// A right is missing.
    Permission,
    /// No room left.
    DiskSpace,
    /// A mirror cannot be reached or answers badly.
    Network,
    /// Packages cannot be found, solved or configured.
    Package,
    /// Something is not signed, or not as signed.
    Signature,
    /// A namespace or mount cannot be made.
    Mount,
    /// Memory, processes or another machine resource.
    Resource,
    /// Stopped from outside.
    Interrupted,
    /// The profile asks for something impossible.
    Config,
    /// A fault in Isosmith.
    Internal,
    /// What an older reader makes of a newer class.
    #[serde(other)]
    Other,
}

macro_rules! codes {
    ($($(#[$doc:meta])+ $name:ident => $class:ident, $recovery:ident;)+) => {
        /// Exactly what went wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Code {
            $($(#[$doc])+ $name,)+
            /// What an older reader makes of a newer code.
            #[serde(other)]
            Other,
        }

        impl Code {
            /// Every code that this version knows, for tables that must be complete.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The kind of thing it is.
            pub const fn class(self) -> Class {
                match self {
                    $(Self::$name => Class::$class,)+
                    Self::Other => Class::Other,
                }
            }

            /// What may help.
            pub const fn recovery(self) -> Recovery {
                match self {
                    $(Self::$name => Recovery::$recovery,)+
                    Self::Other => Recovery::Report,
                }
            }
        }
    };
}

codes! {
    /// Neither root nor a machine where an ordinary user may build.
    NotAllowed => Permission, FixAndResume;
    /// Whoever asked has not got the right, or did not show it.
    NotAuthorised => Permission, FixAndResume;
    /// The question for the right was closed without an answer.
    PromptDismissed => Permission, Retry;
    /// A file or folder may not be read or written.
    AccessDenied => Permission, FixAndResume;
    /// A filesystem is full or would become so.
    DiskFull => DiskSpace, FixAndResume;
    /// No connection, or a name that does not resolve.
    MirrorUnreachable => Network, Retry;
    /// The mirror answered with an error or broke off.
    DownloadFailed => Network, Retry;
    /// The mirror has not got what its index promises.
    FileMissingOnMirror => Network, Retry;
    /// What came is not what the signed index names.
    HashMismatch => Signature, Retry;
    /// A Release file is not signed by the key that it must be signed by.
    BadSignature => Signature, EditSpec;
    /// A Release file is past its Valid-Until.
    ReleaseExpired => Signature, FixAndResume;
    /// A Release file is from the future: this machine's clock is wrong.
    ClockWrong => Signature, FixAndResume;
    /// No such package in the repositories of the profile.
    PackageUnknown => Package, EditSpec;
    /// The packages asked for cannot be installed together.
    PackageConflict => Package, EditSpec;
    /// A package could not be unpacked or configured.
    PackageFailed => Package, Report;
    /// A script of the profile ended with an error.
    ScriptFailed => Config, EditSpec;
    /// The profile has errors.
    ProfileInvalid => Config, EditSpec;
    /// A file that the profile names is missing or unusable.
    MaterialInvalid => Config, EditSpec;
    /// A name in the profile (group, unit, time zone…) does not exist in the image.
    NotInImage => Config, EditSpec;
    /// A namespace, mount or overlay could not be made.
    SandboxFailed => Mount, FixAndResume;
    /// Memory ran out.
    OutOfMemory => Resource, FixAndResume;
    /// Another build works in the same folder.
    Locked => Resource, FixAndResume;
    /// The system service is not there, or broke off.
    ServiceUnavailable => Resource, Retry;
    /// As many builds wait as may.
    QueueFull => Resource, Retry;
    /// The system service was asked too much in too short a time.
    TooManyRequests => Resource, Retry;
    /// No build of that id, or none that this person may know of.
    NoSuchBuild => Config, Report;
    /// The build is in no state for that: it is over, or has not begun.
    WrongState => Config, Report;
    /// A person stopped the build.
    Cancelled => Interrupted, Resume;
    /// The build was killed or the machine went down.
    Interrupted => Interrupted, Resume;
    /// A program is not there.
    CommandMissing => Internal, Report;
    /// A program ended with an error that has no better code.
    CommandFailed => Internal, Report;
    /// A finished image does not hold what it must.
    ImageInvalid => Internal, Report;
    /// Reading or writing failed.
    Io => Internal, Report;
    /// A fault in Isosmith.
    Internal => Internal, Report;
}

/// What may be offered after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recovery {
    /// The same step may work if tried again.
    Retry,
    /// Nothing is wrong; go on where it stopped.
    Resume,
    /// Something on the machine must change first.
    FixAndResume,
    /// The profile must change.
    EditSpec,
    /// Nothing but the log. Also what an older reader makes of a newer kind.
    #[serde(other)]
    Report,
}

/// A failure as it crosses a process border.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorView {
    /// What kind.
    pub class: Class,
    /// What exactly.
    pub code: Code,
    /// In which step, if in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<StepId>,
    /// What happened, in one sentence.
    pub message: String,
    /// What to do now, in one sentence.
    pub advice: String,
    /// Deeper causes, nearest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
    /// The command that failed, in a form to paste.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The last lines that the command printed on standard error.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tail: Vec<String>,
    /// What may be offered.
    pub recovery: Recovery,
}
