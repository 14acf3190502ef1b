//! What the service knows of a build, on disk, where no build can reach.

use std::{fs, io, path::Path};

use isosmith_engine::{Failure, Work};
use isosmith_protocol::{BuildId, BuildResult, Code, Isolation, SessionChange};
use isosmith_supervise::Job;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Who asked for what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Owner {
    /// Whose build it is.
    pub uid: u32,
    /// The profile's name.
    pub profile: String,
    /// Name and version of what is made.
    pub product: String,
    /// What it is in a few words, such as "Debian trixie, 2 scripts".
    pub what: String,
    /// How many packages are asked for by name.
    pub packages: usize,
    /// SHA-256, in lower-case hexadecimal, of everything that was asked for.
    pub spec_sha256: String,
    /// File name of the ISO.
    pub iso: String,
    /// In what it is kept.
    pub isolation: Isolation,
    /// Seconds since 1970 when it was asked for.
    pub started: u64,
}

/// The record of one build.
#[derive(Debug, Clone)]
pub struct Record(Work);

impl Record {
    /// The record that `work`, of the service's own state folder, stands for.
    pub fn at(work: Work) -> Self {
        Self(work)
    }

    /// Its folder.
    pub fn folder(&self) -> std::path::PathBuf {
        self.0.build()
    }

    /// The events of the present run, as viewers get them.
    pub fn journal(&self) -> std::path::PathBuf {
        self.0.journal()
    }

    /// The sealed files of the profile.
    pub fn inputs(&self) -> std::path::PathBuf {
        self.0.inputs()
    }

    /// Held while a run waits or works.
    ///
    /// # Errors
    ///
    /// When somebody else holds it.
    pub fn lock(&self) -> Result<isosmith_host::fs::LockGuard, Failure> {
        self.0.lock_build()
    }

    /// Writes who asked, and the job.
    ///
    /// # Errors
    ///
    /// When the disk is full or broken.
    pub fn write(folder: &Path, owner: &Owner, job: &Job) -> Result<(), Failure> {
        write(&folder.join("owner.json"), owner)?;
        write(&folder.join("job.json"), job)
    }

    /// Who asked.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn owner(&self) -> Result<Owner, Failure> {
        read(&self.folder().join("owner.json"))
    }

    /// What was asked for.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn job(&self) -> Result<Job, Failure> {
        read(&self.0.job())
    }

    /// Remembers what became of the session.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn write_session(&self, changes: &[SessionChange]) -> Result<(), Failure> {
        write(&self.folder().join("session.json"), &changes)
    }

    /// What became of the session during the last run; nothing if that is not known.
    pub fn session(&self) -> Vec<SessionChange> {
        read(&self.folder().join("session.json")).unwrap_or_default()
    }

    /// Remembers that the build itself is done, and only the delivery is not.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn write_built(&self, result: &BuildResult) -> Result<(), Failure> {
        write(&self.folder().join("built.json"), result)
    }

    /// What was built but not delivered.
    pub fn built(&self) -> Option<BuildResult> {
        read(&self.folder().join("built.json")).ok()
    }

    /// Every id of which there is a record below `builds`.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read.
    pub fn all(builds: &Path) -> Result<Vec<BuildId>, Failure> {
        let entries =
            fs::read_dir(builds).map_err(|error| Failure::io_at("read", builds, error))?;
        Ok(entries
            .flatten()
            .filter_map(|entry| BuildId::parse(entry.file_name().to_str()?))
            .collect())
    }
}

fn write(path: &Path, value: &impl Serialize) -> Result<(), Failure> {
    let bytes = serde_json::to_vec_pretty(value).map_err(|error| {
        Failure::plain(Code::Internal, format!("{} cannot be JSON", path.display())).because(error)
    })?;
    Ok(isosmith_host::fs::write_atomic(path, &bytes)?)
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    let bytes = fs::read(path).map_err(|error| Failure::io_at("read", path, error))?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Failure::io_at("read", path, io::Error::other(error)))
}
