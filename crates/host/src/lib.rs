//! How to touch the machine. The only crate that spawns processes, mounts, or has `unsafe`.
//!
//! - [`Cmd`] is a command as a value; [`Sandbox`] is the world it runs in, also a value.
//! - [`Host`] runs commands: [`LinuxHost`] for real, [`FakeHost`] records them for tests,
//!   [`DryHost`] prints them.
//! - [`worker`] puts a whole build into namespaces of its own, which vanish with it.
//! - [`user`] does a piece of work as somebody who is not root.
//! - [`Cancel`] is asked everywhere and answers within moments.
//!
//! **Invariant:** nothing here mounts in the machine's own mount namespace, signals a process
//! by name or by a stored number, or deletes outside a [`fs::Confined`] folder.

pub mod cancel;
mod caps;
pub mod cmd;
pub mod error;
pub mod fake;
pub mod fs;
mod isolation;
pub mod mount;
pub mod run;
pub mod sandbox;
pub mod user;
pub mod worker;

pub use cancel::Cancel;
pub use cmd::Cmd;
pub use error::{CmdError, HostError};
pub use fake::{DryHost, FakeHost};
pub use run::LinuxHost;
pub use sandbox::Sandbox;

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

/// Which output a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Follows a command while it runs.
pub trait Watch {
    /// A line, without its end; invalid UTF-8 is replaced. A carriage return ends a line too.
    fn line(&mut self, stream: Stream, line: &str);

    /// A piece of standard output of a command with [`Cmd::binary_output`].
    ///
    /// # Errors
    ///
    /// An error ends the command and becomes [`CmdError::Output`].
    fn bytes(&mut self, chunk: &[u8]) -> io::Result<()> {
        let _ = chunk;
        Ok(())
    }
}

/// Follows a command by doing nothing.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Watch for Silent {
    fn line(&mut self, _stream: Stream, _line: &str) {}
}

/// The machine, as far as a build may touch it through programs and mounts.
pub trait Host: fmt::Debug + Send + Sync {
    /// Runs `cmd` to its end, telling `watch` what it says.
    ///
    /// # Errors
    ///
    /// When the program is missing, ends with an error, or the build is cancelled; see
    /// [`CmdError`]. When this returns, no process of the command is left.
    fn run(&self, cmd: &Cmd, watch: &mut dyn Watch) -> Result<(), CmdError>;

    /// Mounts an overlay at `at` in the build's own mount namespace; it goes with the guard,
    /// or with the build, whatever comes first. `lower` is topmost first and not empty.
    ///
    /// # Errors
    ///
    /// [`HostError::Mount`] when the kernel refuses.
    fn overlay(
        &self,
        lower: &[PathBuf],
        upper: &Path,
        work: &Path,
        at: &Path,
    ) -> Result<mount::MountGuard, HostError>;

    /// The token that ends this build.
    fn cancel(&self) -> &Cancel;
}
