//! Files of the finished system as values: generators make them out of a spec, one step writes
//! them, and what they say is the step's key.

use isosmith_engine::Failure;
use isosmith_host::fs::Tree;
use serde_json::{Value, json};

/// A text file that root owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TreeFile {
    /// Absolute, in the tree.
    pub path: String,
    /// All of it.
    pub text: String,
    /// Permission bits.
    pub mode: u32,
}

impl TreeFile {
    /// One that everybody may read.
    pub(crate) fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            text: text.into(),
            mode: 0o644,
        }
    }

    /// One that everybody may run.
    pub(crate) fn program(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            mode: 0o755,
            ..Self::new(path, text)
        }
    }
}

/// Writes `files` over what is there.
pub(crate) fn write(tree: &Tree, files: &[TreeFile]) -> Result<(), Failure> {
    files
        .iter()
        .try_for_each(|file| Ok(tree.write(&file.path, file.text.as_bytes(), file.mode)?))
}

/// Files as a part of a step's key.
pub(crate) fn inputs(files: &[TreeFile]) -> Value {
    files
        .iter()
        .map(|file| json!({ "path": file.path, "text": file.text, "mode": file.mode }))
        .collect()
}

/// A list for `systemctl preset` (systemd.preset(5)), so that units which the image switches on
/// stay on when presets are applied anew.
pub(crate) fn preset(subject: &str, units: &[&str]) -> TreeFile {
    let lines: String = units
        .iter()
        .map(|unit| format!("enable {unit}\n"))
        .collect();
    TreeFile::new(
        format!("/etc/systemd/system-preset/20-isosmith-{subject}.preset"),
        lines,
    )
}
