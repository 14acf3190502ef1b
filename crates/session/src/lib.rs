//! Watches what a build must not change about the machine it runs on, and how that machine
//! does.
//!
//! A [`Guard`] looks at the session of whoever started a build, at what keeps that session
//! alive (display manager, network, message buses, login manager, the person's own service
//! manager), and at the machine's mounts. It notes who they are before a build, and says during
//! and after it what has become of them. It knows no causes beyond what it sees: a stick that
//! somebody plugs in is a change like any other, told in neutral words.
//!
//! A [`Meter`] reads processors, memory, disks and network.
//!
//! Both only read files of [`Roots`] and of sysfs. They talk to no bus, start no command and
//! need no rights.
//!
//! ```
//! use isosmith_session::{Guard, Roots};
//!
//! let (mut guard, event) = Guard::begin(&Roots::default(), 1000);
//! // … every two seconds:
//! for change in guard.check() {
//!     assert!(!change.cause.is_empty());
//! }
//! # let _ = event;
//! ```

mod guard;
mod login;
mod meter;
mod mounts;
mod processes;
mod roles;

use std::path::PathBuf;

pub use guard::Guard;
pub use meter::Meter;

/// The folders that are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roots {
    /// Where the kernel shows processes: `/proc`.
    pub proc: PathBuf,
    /// Where the login manager keeps its records: `/run`.
    pub run: PathBuf,
}

impl Default for Roots {
    fn default() -> Self {
        Self {
            proc: "/proc".into(),
            run: "/run".into(),
        }
    }
}
