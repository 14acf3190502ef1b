//! Finished results, each in a folder named after its step and its key.
//!
//! ```text
//! layers/STEP-KEY16/      layer.json fs/ data/ used
//! artifacts/STEP-KEY16/   key.json       data/ used
//! ```
//!
//! Nothing that fills a tree waits for the disk. So an entry is trusted only while the
//! machine has not restarted since it was made, or once a later `syncfs` has been noted in
//! it; after a power cut the rest is made anew.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use isosmith_host::fs::{Confined, LockGuard};
use isosmith_protocol::{Code, StepId};
use serde::{Deserialize, Serialize};

use crate::{
    failure::Failure,
    key::CacheKey,
    step::Kind,
    work::{Work, make, partials, read_json},
};

/// What an entry says about itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// What it was made from.
    pub key: CacheKey,
    /// [`CacheKey::hash`] of it.
    pub hash: String,
    /// Seconds since 1970 when it was finished.
    pub created: u64,
    /// The kernel's `random/boot_id` (`proc_sys_kernel(5)`) at that time.
    pub boot_id: String,
    /// Whether all of it is known to be on disk.
    pub synced: bool,
}

/// A finished result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry(PathBuf);

impl Entry {
    /// The whole entry.
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// What the step wrote to its folder.
    pub fn data(&self) -> PathBuf {
        self.0.join("data")
    }

    /// What a layer adds to the tree.
    pub fn fs(&self) -> PathBuf {
        self.0.join("fs")
    }

    /// What it says about itself; `None` when that cannot be read.
    pub fn record(&self) -> Option<Record> {
        read_json(&self.record_path()).ok().flatten()
    }

    fn record_path(&self) -> PathBuf {
        self.0.join(if self.fs().is_dir() {
            "layer.json"
        } else {
            "key.json"
        })
    }

    /// When it was last used.
    pub fn last_used(&self) -> SystemTime {
        fs::metadata(self.0.join("used"))
            .and_then(|meta| meta.modified())
            .unwrap_or(UNIX_EPOCH)
    }

    /// Notes in the entry that all of it is on disk.
    ///
    /// # Errors
    ///
    /// When the entry is gone or cannot be written.
    pub(crate) fn mark_synced(&self) -> Result<(), Failure> {
        let path = self.record_path();
        let Some(mut record) = read_json::<Record>(&path)? else {
            return Ok(());
        };
        record.synced = true;
        crate::work::write_json(&path, &record)
    }

    /// Only says when the entry was used: a failure costs an earlier clean, no more.
    pub(crate) fn touch(&self) {
        let touched =
            File::create(self.0.join("used")).and_then(|file| file.set_modified(SystemTime::now()));
        if let Err(error) = touched {
            tracing::debug!(%error, entry = %self.0.display(), "the use of an entry was not noted");
        }
    }
}

/// What the cache has for a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// A result to be trusted.
    Hit(Entry),
    /// A result that may not be whole.
    Distrusted(Entry),
    /// Nothing.
    Miss,
}

/// The finished results of all builds.
#[derive(Debug)]
pub struct Cache<'a> {
    work: &'a Work,
    /// `None` where the kernel does not tell.
    boot_id: Option<String>,
}

impl<'a> Cache<'a> {
    /// The cache that `work` points to.
    pub fn new(work: &'a Work) -> Self {
        let boot_id = fs::read_to_string("/proc/sys/kernel/random/boot_id")
            .ok()
            .map(|text| text.trim().to_owned());
        Self { work, boot_id }
    }

    /// Looks for a result; changes nothing.
    pub fn look(&self, kind: Kind, key: &CacheKey) -> Lookup {
        let hash = key.hash();
        let Some(entry) = self.place(kind, &key.step, &hash) else {
            return Lookup::Miss;
        };
        if !entry.folder().is_dir() {
            return Lookup::Miss;
        }
        match entry.record() {
            Some(record) if record.hash == hash && self.trusts(&record) => Lookup::Hit(entry),
            Some(_) | None => Lookup::Distrusted(entry),
        }
    }

    fn trusts(&self, record: &Record) -> bool {
        record.synced || self.boot_id.as_ref() == Some(&record.boot_id)
    }

    fn place(&self, kind: Kind, step: &StepId, hash: &str) -> Option<Entry> {
        Some(Entry(
            self.shelf(kind)?.join(format!("{step}-{}", &hash[..16])),
        ))
    }

    fn shelf(&self, kind: Kind) -> Option<PathBuf> {
        match kind {
            Kind::Always => None,
            Kind::Layer => Some(self.work.layers()),
            Kind::Artifact => Some(self.work.artifacts()),
        }
    }

    /// Makes the half-made folder `partial` an entry, by one rename. If another build was
    /// faster, its entry is the one.
    ///
    /// # Errors
    ///
    /// When the disk is full or the folder cannot be moved.
    pub fn commit(&self, kind: Kind, key: &CacheKey, partial: &Path) -> Result<Entry, Failure> {
        let hash = key.hash();
        let Some(entry) = self.place(kind, &key.step, &hash) else {
            return Err(Failure::plain(
                Code::Internal,
                format!("{} is not to be kept", key.step),
            ));
        };
        let record = Record {
            key: key.clone(),
            hash,
            created: seconds_since_1970(),
            boot_id: self.boot_id.clone().unwrap_or_default(),
            synced: false,
        };
        let path = Entry(partial.to_owned()).record_path();
        let text = serde_json::to_vec_pretty(&record).map_err(|error| {
            Failure::plain(
                Code::Internal,
                format!("the key of {} cannot be JSON", key.step),
            )
            .because(error)
        })?;
        // Not synced to disk, on purpose; see the head of this file.
        fs::write(&path, text).map_err(|error| Failure::io_at("write", &path, error))?;
        Entry(partial.to_owned()).touch();

        let _changing = self.changing()?;
        if let Lookup::Hit(theirs) = self.look(kind, key) {
            return Ok(theirs);
        }
        self.discard_unlocked(&entry)?;
        fs::rename(partial, entry.folder())
            .map_err(|error| Failure::io_at("keep", entry.folder(), error))?;
        Ok(entry)
    }

    /// Removes an entry. It is out of the way at once, so that a kill in the middle leaves
    /// no half entry.
    ///
    /// # Errors
    ///
    /// When it cannot be removed.
    pub fn discard(&self, entry: &Entry) -> Result<(), Failure> {
        let _changing = self.changing()?;
        self.discard_unlocked(entry)
    }

    fn discard_unlocked(&self, entry: &Entry) -> Result<(), Failure> {
        remove(self.work.cache(), entry.folder())
    }

    /// Two builds that find the same entry wanting must not take away each other's new one.
    fn changing(&self) -> Result<LockGuard, Failure> {
        let path = self.work.cache().join("change.lock");
        for _ in 0..200 {
            if let Some(guard) = isosmith_host::fs::lock_exclusive(&path)? {
                return Ok(guard);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Err(Failure::plain(
            Code::Locked,
            "another build keeps the cache busy",
        ))
    }

    /// Why the cache has nothing for `key`, a reason a line.
    pub fn explain(&self, kind: Kind, key: &CacheKey) -> Vec<String> {
        if let Lookup::Distrusted(_) = self.look(kind, key) {
            return vec!["the machine restarted before it was safely on disk".to_owned()];
        }
        let newest = self
            .entries(kind)
            .into_iter()
            .filter_map(|entry| entry.record())
            .filter(|record| record.key.step == key.step)
            .max_by_key(|record| record.created);
        match newest {
            None => vec!["never built".to_owned()],
            Some(record) => key.differences(&record.key),
        }
    }

    fn entries(&self, kind: Kind) -> Vec<Entry> {
        self.shelf(kind)
            .map(|shelf| entries(&shelf))
            .unwrap_or_default()
    }
}

/// Every entry in `layers/` or `artifacts/`.
pub(crate) fn entries(shelf: &Path) -> Vec<Entry> {
    let Ok(folder) = fs::read_dir(shelf) else {
        return Vec::new();
    };
    folder
        .flatten()
        .filter(|item| item.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|item| Entry(item.path()))
        .collect()
}

/// Removes something from a cache: first out of the way by a rename, so that a kill in the
/// middle leaves no half result under its name, then for good.
///
/// # Errors
///
/// [`Code::Internal`] when `path` leads out of `cache`.
pub(crate) fn remove(cache: &Path, path: &Path) -> Result<(), Failure> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(outside(path));
    };
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    let confined = Confined::new(cache)?;
    let real = parent
        .canonicalize()
        .map_err(|error| Failure::io(format!("open {}", parent.display()), error))?;
    if !real.starts_with(confined.path()) {
        return Err(outside(path));
    }
    let partials = partials(cache);
    make(&partials)?;
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    // Process ids repeat in namespaces and after restarts; the time tells the rest apart.
    let unique = format!(
        "{TRASH}{}-{count}-{}",
        std::process::id(),
        seconds_since_1970()
    );
    let trash = partials.join(unique);
    fs::rename(real.join(name), &trash)
        .map_err(|error| Failure::io(format!("move {} away", path.display()), error))?;
    Ok(confined.remove_tree(&trash)?)
}

fn outside(path: &Path) -> Failure {
    Failure::plain(
        Code::Internal,
        format!("{} is not in the cache", path.display()),
    )
}

/// Begins the names of folders that are being removed; no build's id begins so.
pub(crate) const TRASH: &str = ".trash-";

/// Now.
pub(crate) fn seconds_since_1970() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_secs())
}
