//! Drafts with unsaved changes, kept in the data folder across a crash.

use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use serde::{Deserialize, Serialize};

use crate::{Error, Result, disk};

/// No kept draft is longer, in bytes: the text is at most 1 MiB, JSON may double it and more.
const MOST_BYTES: u64 = 8 << 20;

/// A draft as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Kept {
    pub(crate) id: String,
    /// Its file.
    pub(crate) path: Option<PathBuf>,
    /// Where its relative paths start.
    pub(crate) folder: PathBuf,
    pub(crate) text: String,
}

/// The folder of unsaved drafts.
#[derive(Debug, Clone)]
pub(crate) struct Shelf {
    folder: PathBuf,
}

impl Shelf {
    pub(crate) fn new(data: &Path) -> Self {
        Self {
            folder: data.join("drafts"),
        }
    }

    fn file(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }

    /// Keeps a draft.
    ///
    /// # Errors
    ///
    /// When it cannot be written; an older state of it stays.
    pub(crate) fn keep(&self, kept: &Kept) -> Result<()> {
        let path = self.file(&kept.id);
        let failed = |error: std::io::Error| Error::io("keep the draft in", &path, &error);
        let bytes = serde_json::to_vec(kept).map_err(|error| failed(error.into()))?;
        disk::write_own(&path, &bytes).map_err(failed)
    }

    /// Forgets a draft; one that is not there is as good as forgotten.
    pub(crate) fn forget(&self, id: &str) {
        // What stays is offered once more, which harms nobody.
        let _ = fs::remove_file(self.file(id));
    }

    /// The draft that was kept last. Files that are no drafts are passed over.
    pub(crate) fn newest(&self) -> Option<Kept> {
        let mut files: Vec<(SystemTime, PathBuf)> = fs::read_dir(&self.folder)
            .ok()?
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let path = entry.path();
                let json = path.extension().is_some_and(|end| end == "json");
                let time = entry.metadata().ok()?.modified().ok()?;
                json.then_some((time, path))
            })
            .collect();
        files.sort();
        files.into_iter().rev().find_map(|(_, path)| {
            let bytes = disk::read(&path, MOST_BYTES).ok()?;
            let kept: Kept = serde_json::from_slice(&bytes).ok()?;
            (self.file(&kept.id) == path).then_some(kept)
        })
    }
}
