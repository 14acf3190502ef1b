//! Why a machine did not do what was hoped.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use crate::firmware::Firmware;
use crate::watch::Shot;

/// What was seen until the end, for a person to look at.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// How long the machine ran.
    pub elapsed: Duration,
    /// The last lines of the serial console, escapes removed.
    pub serial_tail: Vec<String>,
    /// The last lines of QEMU's own messages.
    pub qemu_tail: Vec<String>,
    /// Pictures of the screen.
    pub shots: Vec<Shot>,
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "after {:.1} s", self.elapsed.as_secs_f32())?;
        let last = self
            .qemu_tail
            .iter()
            .chain(&self.serial_tail)
            .rfind(|line| !line.trim().is_empty());
        last.map_or(Ok(()), |line| write!(f, "; last line: {}", line.trim()))
    }
}

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// A program is not installed.
    #[error("{0} is not installed")]
    ProgramMissing(&'static str),
    /// No firmware image for this kind of boot.
    #[error("no firmware for {firmware} was found, for example {example}")]
    FirmwareMissing {
        /// The kind of boot.
        firmware: Firmware,
        /// Where Debian has it.
        example: &'static str,
    },
    /// QEMU has nothing to draw a window with, or no screen to show one on.
    #[error("QEMU cannot open a window here")]
    NoWindow,
    /// The image or a private file cannot be used.
    #[error("cannot use {path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// QEMU does not start or does not answer.
    #[error("QEMU does not run: {detail}")]
    Qemu {
        /// What happened.
        detail: String,
    },
    /// QEMU ended, or the guest reset itself, before a success marker.
    #[error("the machine ended too early ({status}) {evidence}")]
    Ended {
        /// QEMU's exit status; 0 after a reset of the guest.
        status: ExitStatus,
        /// What was seen.
        evidence: Box<Evidence>,
    },
    /// A failure marker appeared.
    #[error("the machine printed {marker:?} {evidence}")]
    Failed {
        /// Which.
        marker: String,
        /// What was seen.
        evidence: Box<Evidence>,
    },
    /// No marker in time.
    #[error("the machine printed no expected text {evidence}")]
    TimedOut {
        /// What was seen.
        evidence: Box<Evidence>,
    },
    /// The caller asked to stop.
    #[error("stopped {evidence}")]
    Cancelled {
        /// What was seen.
        evidence: Box<Evidence>,
    },
}

impl BootError {
    /// A stable name for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::ProgramMissing(_) => "vm_program_missing",
            Self::FirmwareMissing { .. } => "vm_firmware_missing",
            Self::File { .. } => "vm_file",
            Self::Qemu { .. } => "vm_qemu",
            Self::Ended { .. } => "vm_ended",
            Self::Failed { .. } => "vm_failed",
            Self::TimedOut { .. } => "vm_timed_out",
            Self::NoWindow => "vm_no_window",
            Self::Cancelled { .. } => "vm_cancelled",
        }
    }

    /// What a person can do about it.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::ProgramMissing(_) => {
                "Install qemu-system-x86 (Fedora: qemu-system-x86-core, Arch: qemu-base)."
            }
            Self::FirmwareMissing { .. } => {
                "Install ovmf (Fedora: edk2-ovmf), or test another kind of boot."
            }
            Self::NoWindow => {
                "Start it in a graphical session. If it is one, install qemu-system-gui (Fedora, Arch: qemu-ui-gtk)."
            }
            Self::File { .. } => {
                "Check that the file exists, is readable, and that the disk has space."
            }
            Self::Qemu { .. } => {
                "Run the same command by hand; its messages say what this machine lacks."
            }
            Self::Ended { .. } => {
                "The guest reset or QEMU crashed: look at the picture and the serial log."
            }
            Self::Failed { .. } => {
                "The system found a fault while it started: look at the serial log above it."
            }
            Self::TimedOut { .. } => {
                "Look at the picture. Without KVM a boot takes minutes: allow more time; a system that is silent \
                 needs console=ttyS0 on its kernel command line."
            }
            Self::Cancelled { .. } => "Start it again.",
        }
    }

    /// What was seen, if the machine ran at all.
    #[must_use]
    pub fn evidence(&self) -> Option<&Evidence> {
        match self {
            Self::Ended { evidence, .. }
            | Self::Failed { evidence, .. }
            | Self::TimedOut { evidence }
            | Self::Cancelled { evidence } => Some(evidence),
            Self::ProgramMissing(_)
            | Self::FirmwareMissing { .. }
            | Self::NoWindow
            | Self::File { .. }
            | Self::Qemu { .. } => None,
        }
    }

    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |source| Self::File { path, source }
    }

    pub(crate) fn qemu(detail: impl Into<String>) -> Self {
        Self::Qemu {
            detail: detail.into(),
        }
    }
}
