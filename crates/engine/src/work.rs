//! Every path of a build, joined in this one place.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use isosmith_host::fs::{Confined, LockGuard};
use isosmith_protocol::{BuildId, Code, StepId};
use serde::{Serialize, de::DeserializeOwned};

use crate::failure::Failure;

/// Where one build keeps its things.
///
/// ```text
/// STATE/builds/ID/   job.json journal.jsonl lock cancel inputs/ root/ outputs/ report.json
/// CACHE/             layers/ artifacts/ partial/ID/ pool/ lock
/// ```
///
/// **Invariant:** no other code of the engine or of a recipe joins these paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    state: PathBuf,
    cache: PathBuf,
    id: BuildId,
}

impl Work {
    /// The paths of build `id`; touches nothing.
    pub fn new(state: &Path, cache: &Path, id: &BuildId) -> Self {
        Self {
            state: state.to_owned(),
            cache: cache.to_owned(),
            id: id.clone(),
        }
    }

    /// Which build.
    pub fn id(&self) -> &BuildId {
        &self.id
    }

    /// What all builds share and must not lose.
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// What all builds share and can make again.
    pub fn cache(&self) -> &Path {
        &self.cache
    }

    /// The folders of all builds.
    pub fn builds(&self) -> PathBuf {
        builds(&self.state)
    }

    /// The folder of this build.
    pub fn build(&self) -> PathBuf {
        self.builds().join(self.id.as_str())
    }

    /// What was asked for; written by whoever starts the build.
    pub fn job(&self) -> PathBuf {
        self.build().join("job.json")
    }

    /// The events.
    pub fn journal(&self) -> PathBuf {
        journal_of(&self.build())
    }

    /// Locked as long as the build runs.
    pub fn lock(&self) -> PathBuf {
        lock_of(&self.build())
    }

    /// There when somebody wants the build to stop.
    pub fn cancel_flag(&self) -> PathBuf {
        cancel_flag_of(&self.build())
    }

    /// Copies of the files that the profile names.
    pub fn inputs(&self) -> PathBuf {
        self.build().join("inputs")
    }

    /// Where the root tree is mounted.
    pub fn root(&self) -> PathBuf {
        self.build().join("root")
    }

    /// What the build has to say about itself when it is over.
    pub fn report(&self) -> PathBuf {
        self.build().join("report.json")
    }

    /// What the build remembers, and small files that it delivers.
    pub fn outputs(&self) -> PathBuf {
        self.build().join("outputs")
    }

    /// Finished overlay layers.
    pub fn layers(&self) -> PathBuf {
        layers(&self.cache)
    }

    /// Finished folders.
    pub fn artifacts(&self) -> PathBuf {
        artifacts(&self.cache)
    }

    /// Half-made things of all builds.
    pub fn partials(&self) -> PathBuf {
        partials(&self.cache)
    }

    /// Half-made things of this build.
    pub fn partial(&self) -> PathBuf {
        self.partials().join(self.id.as_str())
    }

    /// What `step` is making, in the shape that it will have in the cache.
    pub fn partial_of(&self, step: &StepId) -> PathBuf {
        self.partial().join(step.as_str())
    }

    /// What the overlays of `step` need beside their layers. A step's id has no dot, so this
    /// is nobody's [`Work::partial_of`].
    pub fn scratch_of(&self, step: &StepId) -> PathBuf {
        self.partial().join(format!("{step}.scratch"))
    }

    /// Downloads by content; the recipe's own.
    pub fn pool(&self) -> PathBuf {
        pool(&self.cache)
    }

    /// Shared by builds, exclusive for cleaning.
    pub fn cache_lock(&self) -> PathBuf {
        cache_lock(&self.cache)
    }

    /// Makes the folders, for this user only.
    ///
    /// # Errors
    ///
    /// When a folder cannot be made.
    pub fn create(&self) -> Result<(), Failure> {
        [
            self.inputs(),
            self.root(),
            self.outputs(),
            self.layers(),
            self.artifacts(),
            self.partial(),
            self.pool(),
        ]
        .iter()
        .try_for_each(|folder| make(folder))
    }

    /// Takes the build for this process.
    ///
    /// # Errors
    ///
    /// [`Code::Locked`] when it runs already.
    pub fn lock_build(&self) -> Result<LockGuard, Failure> {
        // Whoever lists or sweeps builds holds the lock of a dead one for a moment.
        for _ in 0..10 {
            if let Some(guard) = isosmith_host::fs::lock_exclusive(&self.lock())? {
                return Ok(guard);
            }
            thread::sleep(Duration::from_millis(50));
        }
        Err(Failure::plain(
            Code::Locked,
            format!("the build {} is running", self.id),
        ))
    }

    /// Keeps others from cleaning the cache.
    ///
    /// # Errors
    ///
    /// [`Code::Locked`] while somebody cleans it.
    pub fn share_cache(&self) -> Result<LockGuard, Failure> {
        isosmith_host::fs::lock_shared(&self.cache_lock())?
            .ok_or_else(|| Failure::plain(Code::Locked, "the cache is being cleaned"))
    }

    /// Whether somebody wants the build to stop.
    pub fn cancel_requested(&self) -> bool {
        self.cancel_flag().exists()
    }

    /// Writes what was asked for, safely on disk.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn write_job(&self, job: &impl Serialize) -> Result<(), Failure> {
        make(&self.build())?;
        write_json(&self.job(), job)
    }

    /// Reads what was asked for.
    ///
    /// # Errors
    ///
    /// When it is not there or not readable.
    pub fn read_job<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        read_json(&self.job())?.ok_or_else(|| {
            Failure::plain(
                Code::Io,
                format!("the build {} has no {}", self.id, self.job().display()),
            )
        })
    }

    /// Where [`crate::StepCx::remember`] keeps `name`.
    ///
    /// # Errors
    ///
    /// [`Code::Internal`] when `name` is not a plain word.
    pub fn memory(&self, name: &str) -> Result<PathBuf, Failure> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if name.is_empty() || !name.bytes().all(plain) {
            return Err(Failure::plain(
                Code::Internal,
                format!("{name:?} is no name to remember by"),
            ));
        }
        Ok(self.outputs().join(format!("{name}.json")))
    }

    /// Empties what `step` was making and makes room to begin again: `data/`, and `fs/` if
    /// it is to be a layer. Returns the folder.
    pub(crate) fn begin(&self, step: &StepId, layer: bool) -> Result<PathBuf, Failure> {
        self.drop_partial(step)?;
        let place = self.partial_of(step);
        make(&place.join("data"))?;
        if layer {
            let fs = place.join("fs");
            make(&fs)?;
            // An overlay shows its topmost layer's mode at the root, and the umask is not ours.
            fs::set_permissions(&fs, fs::Permissions::from_mode(0o755))
                .map_err(|error| Failure::io_at("open up", &fs, error))?;
        }
        Ok(place)
    }

    /// Removes what `step` was making.
    pub(crate) fn drop_partial(&self, step: &StepId) -> Result<(), Failure> {
        let confined = Confined::new(&self.cache)?;
        for place in [self.partial_of(step), self.scratch_of(step)] {
            if place.symlink_metadata().is_ok() {
                confined.remove_tree(&place)?;
            }
        }
        Ok(())
    }

    /// Removes all that this build left half-made.
    pub(crate) fn drop_partials(&self) -> Result<(), Failure> {
        if self.partial().symlink_metadata().is_err() {
            return Ok(());
        }
        Ok(Confined::new(&self.cache)?.remove_tree(&self.partial())?)
    }
}

/// The folders of all builds below a state folder.
pub(crate) fn builds(state: &Path) -> PathBuf {
    state.join("builds")
}

/// The lock in a build's folder.
pub(crate) fn lock_of(build: &Path) -> PathBuf {
    build.join("lock")
}

/// The journal in a build's folder.
pub(crate) fn journal_of(build: &Path) -> PathBuf {
    build.join("journal.jsonl")
}

/// The wish to stop in a build's folder.
pub(crate) fn cancel_flag_of(build: &Path) -> PathBuf {
    build.join("cancel")
}

/// [`Work::layers`] of a cache.
pub(crate) fn layers(cache: &Path) -> PathBuf {
    cache.join("layers")
}

/// [`Work::artifacts`] of a cache.
pub(crate) fn artifacts(cache: &Path) -> PathBuf {
    cache.join("artifacts")
}

/// [`Work::partials`] of a cache.
pub(crate) fn partials(cache: &Path) -> PathBuf {
    cache.join("partial")
}

/// [`Work::pool`] of a cache.
pub(crate) fn pool(cache: &Path) -> PathBuf {
    cache.join("pool")
}

/// [`Work::cache_lock`] of a cache.
pub(crate) fn cache_lock(cache: &Path) -> PathBuf {
    cache.join("lock")
}

/// Makes a folder and its parents for this user only; one that is there stays as it is.
pub(crate) fn make(folder: &Path) -> Result<(), Failure> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| Failure::io_at("make the folder", folder, error))
}

/// Writes JSON that people can read, safely on disk.
pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), Failure> {
    let bytes = serde_json::to_vec_pretty(value).map_err(|error| {
        Failure::plain(Code::Internal, format!("{} cannot be JSON", path.display())).because(error)
    })?;
    Ok(isosmith_host::fs::write_atomic(path, &bytes)?)
}

/// Reads JSON; `None` when there is no such file.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Failure> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::io(format!("read {}", path.display()), error)),
    };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| {
        Failure::plain(Code::Io, format!("{} is damaged", path.display())).because(error)
    })
}
