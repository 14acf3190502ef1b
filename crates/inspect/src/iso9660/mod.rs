//! ISO 9660 with Rock Ridge, read-only.
//!
//! Sources: ECMA-119 (ISO 9660), IEEE P1281 (SUSP) and P1282 (Rock Ridge).
//! Joliet is noticed but not read: Rock Ridge carries the same tree with the
//! true names.

mod descriptor;
mod directory;

pub use descriptor::{Volume, VolumeDate};
pub use directory::{Entry, Kind};

use std::collections::HashSet;

use crate::error::{InspectError, Structure};
use crate::source::{Extents, ReadAt, Run};

/// Bytes per sector; ECMA-119 6.1.2 allows others, media do not use them.
pub const SECTOR: u64 = 2048;

/// The largest directory that is read. A medium has a few thousand names in
/// one directory at most (an offline package pool); 16 MiB hold over 100 000.
const DIRECTORY_LIMIT: u64 = 16 << 20;
/// ECMA-119 allows 8 levels, Rock Ridge relocates deeper ones.
const DEPTH_LIMIT: usize = 64;

/// An ISO 9660 file system.
#[derive(Debug)]
pub struct Iso<'a> {
    source: &'a dyn ReadAt,
    volume: Volume,
    root: Run,
    /// Bytes to skip in each system use area; `None` without SUSP.
    susp_skip: Option<usize>,
    joliet: bool,
    boot_catalogue: Option<u32>,
}

impl<'a> Iso<'a> {
    /// Reads the volume descriptors and finds out whether names are Rock
    /// Ridge names.
    ///
    /// # Errors
    /// [`InspectError::NotIso`] without a primary volume descriptor.
    pub fn open(source: &'a dyn ReadAt) -> Result<Self, InspectError> {
        let set = descriptor::read_set(source)?;
        let mut iso = Self {
            source,
            volume: set.volume,
            root: set.root,
            susp_skip: None,
            joliet: set.joliet,
            boot_catalogue: set.boot_catalogue,
        };
        iso.susp_skip = directory::susp_skip(&iso.directory_bytes(iso.root)?);
        Ok(iso)
    }

    /// What the primary volume descriptor says.
    #[must_use]
    pub fn volume(&self) -> &Volume {
        &self.volume
    }

    /// Whether names and modes come from Rock Ridge.
    #[must_use]
    pub fn rock_ridge(&self) -> bool {
        self.susp_skip.is_some()
    }

    /// Whether a Joliet tree exists beside the main one.
    #[must_use]
    pub fn joliet(&self) -> bool {
        self.joliet
    }

    /// Sector of the El Torito boot catalogue.
    #[must_use]
    pub fn boot_catalogue(&self) -> Option<u32> {
        self.boot_catalogue
    }

    /// Names in the directory at `path` (`""` or `/` for the root).
    ///
    /// # Errors
    /// [`InspectError::Missing`], or damage on the way.
    pub fn list(&self, path: &str) -> Result<Vec<Entry>, InspectError> {
        let mut run = self.root;
        for part in parts(path) {
            run = self
                .child(run, part, path)?
                .directory_run()
                .ok_or_else(|| missing(path))?;
        }
        self.entries(run)
    }

    /// The entry at `path`. Names are matched exactly first; without Rock
    /// Ridge also without regard to case.
    ///
    /// # Errors
    /// As [`Iso::list`].
    pub fn entry(&self, path: &str) -> Result<Entry, InspectError> {
        let (parent, name) = path
            .trim_end_matches('/')
            .rsplit_once('/')
            .unwrap_or(("", path));
        find(self.list(parent)?, name).ok_or_else(|| missing(path))
    }

    /// The file at `path` as a source of its own.
    ///
    /// # Errors
    /// As [`Iso::list`]; a directory or link is reported as missing.
    pub fn open_file(&self, path: &str) -> Result<Extents<'a>, InspectError> {
        self.open_entry(&self.entry(path)?)
            .ok_or_else(|| missing(path))
    }

    /// The content of a regular file's entry.
    #[must_use]
    pub fn open_entry(&self, entry: &Entry) -> Option<Extents<'a>> {
        match &entry.kind {
            Kind::File => Some(Extents::new(self.source, entry.runs.clone())),
            Kind::Directory | Kind::Symlink(_) | Kind::Special => None,
        }
    }

    /// The whole file at `path`, at most `limit` bytes.
    ///
    /// # Errors
    /// As [`Iso::open_file`], and [`InspectError::TooLarge`].
    pub fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, InspectError> {
        let file = self.open_file(path)?;
        if file.size() > limit {
            return Err(InspectError::TooLarge {
                what: path.to_owned(),
                limit,
            });
        }
        // The limit is far below what a usize holds.
        file.read_vec(0, file.size() as usize)
            .map_err(InspectError::inside(Structure::Iso9660))
    }

    /// Every entry below the root with its path, parents first, without a
    /// leading slash. `visit` may stop the walk by returning `false`.
    ///
    /// # Errors
    /// Damage in any directory.
    pub fn walk(&self, visit: &mut dyn FnMut(&str, &Entry) -> bool) -> Result<(), InspectError> {
        let mut seen = HashSet::from([self.root.start]);
        let mut stack = vec![(String::new(), self.root, 0)];
        while let Some((prefix, run, depth)) = stack.pop() {
            for entry in self.entries(run)? {
                let path = if prefix.is_empty() {
                    entry.name.clone()
                } else {
                    format!("{prefix}/{}", entry.name)
                };
                if !visit(&path, &entry) {
                    return Ok(());
                }
                let Some(child) = entry.directory_run() else {
                    continue;
                };
                if depth >= DEPTH_LIMIT || !seen.insert(child.start) {
                    return Err(InspectError::damaged(
                        Structure::Iso9660,
                        format!("directory loop at {path:?}"),
                    ));
                }
                stack.push((path, child, depth + 1));
            }
        }
        Ok(())
    }

    fn child(&self, run: Run, name: &str, path: &str) -> Result<Entry, InspectError> {
        find(self.entries(run)?, name).ok_or_else(|| missing(path))
    }

    fn entries(&self, run: Run) -> Result<Vec<Entry>, InspectError> {
        let bytes = self.directory_bytes(run)?;
        let continuation = |block: u32, offset: u32, len: u32| {
            let at = u64::from(block) * SECTOR + u64::from(offset);
            (u64::from(len) <= SECTOR)
                .then(|| self.source.read_vec(at, len as usize).ok())
                .flatten()
        };
        let mut entries = directory::parse(&bytes, self.susp_skip, &continuation)?;
        for entry in &mut entries {
            let Some(block) = entry.relocated else {
                continue;
            };
            // Rock Ridge moved a deep directory; its own "." knows its length.
            let start = u64::from(block) * SECTOR;
            let first = self
                .source
                .read_vec(start, SECTOR as usize)
                .map_err(InspectError::inside(Structure::Iso9660))?;
            entry.kind = Kind::Directory;
            entry.runs = vec![Run {
                start,
                len: directory::own_length(&first).unwrap_or(SECTOR),
            }];
        }
        Ok(entries)
    }

    fn directory_bytes(&self, run: Run) -> Result<Vec<u8>, InspectError> {
        if run.len > DIRECTORY_LIMIT {
            return Err(InspectError::TooLarge {
                what: "a directory of the ISO".to_owned(),
                limit: DIRECTORY_LIMIT,
            });
        }
        self.source
            .read_vec(run.start, run.len as usize)
            .map_err(InspectError::inside(Structure::Iso9660))
    }
}

fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty())
}

fn find(entries: Vec<Entry>, name: &str) -> Option<Entry> {
    let position = entries
        .iter()
        .position(|entry| entry.name == name)
        .or_else(|| {
            entries
                .iter()
                .position(|entry| !entry.rock_ridge && entry.name.eq_ignore_ascii_case(name))
        })?;
    entries.into_iter().nth(position)
}

fn missing(path: &str) -> InspectError {
    InspectError::Missing {
        structure: Structure::Iso9660,
        path: path.to_owned(),
    }
}
