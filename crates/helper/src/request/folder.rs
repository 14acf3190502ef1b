//! Where a request is kept until it is allowed.

use std::{
    fs,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use isosmith_engine::Failure;
use isosmith_host::fs::Confined;
use isosmith_protocol::BuildId;

use crate::places::Places;

/// Tries at an id that nobody has.
const TRIES: usize = 100;

/// A folder of root's; removed with this value, unless it becomes a build's record.
#[derive(Debug)]
pub struct Incoming {
    path: PathBuf,
    root: PathBuf,
    kept: bool,
}

impl Incoming {
    /// Makes a folder for a build that has an id of its own.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn make(places: &Places, profile: &str) -> Result<(BuildId, Self), Failure> {
        let root = places.incoming();
        for _ in 0..TRIES {
            let id = isosmith_supervise::new_id(profile);
            let path = root.join(id.as_str());
            if places.record(&id).build().exists() {
                continue;
            }
            match fs::DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => {
                    let kept = false;
                    return Ok((id, Self { path, root, kept }));
                }
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(Failure::io_at("make", &path, error)),
            }
        }
        Err(Failure::io(
            "find a new name for the build",
            std::io::ErrorKind::AlreadyExists.into(),
        ))
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a folder in it.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn folder(&self, name: &str) -> Result<PathBuf, Failure> {
        let folder = self.path.join(name);
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&folder)
            .map_err(|error| Failure::io_at("make", &folder, error))?;
        Ok(folder)
    }

    /// Removes a folder in it.
    ///
    /// # Errors
    ///
    /// When it cannot be removed.
    pub fn remove(&self, folder: &Path) -> Result<(), Failure> {
        Confined::new(&self.path)
            .and_then(|within| within.remove_tree(folder))
            .map_err(Failure::from)
    }

    /// Makes it the record at `to`, which must not be there yet.
    ///
    /// # Errors
    ///
    /// When it cannot be moved.
    pub fn keep(mut self, to: &Path) -> Result<(), Failure> {
        fs::rename(&self.path, to).map_err(|error| Failure::io_at("make", to, error))?;
        self.kept = true;
        Ok(())
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        let removed = Confined::new(&self.root).and_then(|root| root.remove_tree(&self.path));
        if let Err(error) = removed {
            tracing::warn!(%error, "a request that was not allowed is left");
        }
    }
}
