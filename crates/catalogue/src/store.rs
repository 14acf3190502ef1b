//! The own folder below the user's cache: what was downloaded, and indexes made of it.
//!
//! Every file has the name of what it was made from, so a new version takes the place of the old
//! one and nothing heaps up.

use std::{
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    fetch::Validators,
    limits,
    text::name_of,
    trouble::{self, Outcome},
};

/// The folder.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    folder: PathBuf,
}

/// A Release file as it was fetched.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeptRelease {
    pub(crate) validators: Validators,
    pub(crate) text: String,
}

impl Store {
    pub(crate) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    /// The Release file that came from the archive at `url`.
    pub(crate) fn release(&self, url: &str) -> Option<KeptRelease> {
        // Texts may take six bytes for one in JSON.
        let bytes = self.read("release", url, 6 * limits::RELEASE)?;
        serde_json::from_slice(&bytes).ok()
    }

    pub(crate) fn keep_release(&self, url: &str, release: &KeptRelease) -> Outcome<()> {
        let bytes = serde_json::to_vec(release)
            .map_err(|error| trouble::internal("a Release file cannot be kept", error))?;
        self.write("release", url, &bytes)
    }

    /// The list that came from `url`, in whatever version.
    pub(crate) fn list(&self, url: &str) -> Option<Vec<u8>> {
        self.read("list", url, limits::LIST)
    }

    pub(crate) fn keep_list(&self, url: &str, bytes: &[u8]) -> Outcome<()> {
        self.write("list", url, bytes)
    }

    /// The index of the sources with this id.
    pub(crate) fn index(&self, id: &str) -> Option<Vec<u8>> {
        self.read("index", id, u64::MAX)
    }

    pub(crate) fn keep_index(&self, id: &str, bytes: &[u8]) -> Outcome<()> {
        self.write("index", id, bytes)
    }

    fn path(&self, kind: &str, of: &str) -> PathBuf {
        self.folder.join(format!("{kind}-{}", name_of(of)))
    }

    /// What cannot be read is as if it were not there, and is fetched again.
    fn read(&self, kind: &str, of: &str, limit: u64) -> Option<Vec<u8>> {
        let file = fs::File::open(self.path(kind, of)).ok()?;
        let size = file.metadata().ok()?.len();
        if size > limit {
            return None;
        }
        let mut bytes = Vec::with_capacity(usize::try_from(size).ok()?);
        file.take(limit).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    fn write(&self, kind: &str, of: &str, bytes: &[u8]) -> Outcome<()> {
        let path = self.path(kind, of);
        self.put(&path, bytes)
            .map_err(|error| trouble::io("write", &path, &error))
    }

    fn put(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let mut file = tempfile::Builder::new()
            .prefix(".new-")
            .tempfile_in(&self.folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    }
}
