//! What the window asks of the desktop around it.

mod launcher;
mod real;

use std::path::{Path, PathBuf};

use isosmith_studio::model::{Firmware, PickKind};

use crate::fault::Answer;

pub use real::Real;

/// What the window asks of the desktop around it.
pub trait Desktop: Send + Sync {
    /// Lets the person choose something that is there. [`None`]: they closed the dialog.
    fn pick(&self, kind: PickKind, from: Option<&Path>) -> Option<PathBuf>;

    /// Lets the person choose where a profile is saved.
    fn save(&self, name: &str) -> Option<PathBuf>;

    /// Tells the person something wherever they are. Returns at once.
    fn notify(&self, notice: Notice);

    /// Tells docks how many hundredths of a build are done; [`None`]: nothing is being built.
    fn progress(&self, percent: Option<u8>);

    /// Shows a file in its folder, or a folder.
    ///
    /// # Errors
    ///
    /// When the desktop cannot.
    fn show(&self, path: &Path) -> Answer<()>;

    /// Starts an ISO in a virtual machine.
    ///
    /// # Errors
    ///
    /// When it does not start.
    fn try_iso(&self, iso: &Path, firmware: Firmware) -> Answer<()>;
}

/// What the person is told about a build that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// In a few words.
    pub title: String,
    /// In a sentence.
    pub text: String,
    /// The ISO, where there is one: it can be shown and tried from the notification.
    pub iso: Option<PathBuf>,
    /// The words of the two buttons: "Open folder", "Try it".
    pub buttons: [&'static str; 2],
}
