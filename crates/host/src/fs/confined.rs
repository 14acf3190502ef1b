//! The only recursive removal.

use std::{
    fs, io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Component, Path, PathBuf},
};

use crate::HostError;

/// A folder that belongs to Isosmith, and the only way to remove anything.
#[derive(Debug, Clone)]
pub struct Confined {
    root: PathBuf,
}

impl Confined {
    /// Takes `root` as a folder of ours. It must exist, be a folder, and lie deeper than two
    /// levels below `/`, so that no slip can name a part of the system.
    ///
    /// # Errors
    ///
    /// [`HostError::Outside`] for a root that cannot be ours, [`HostError::Io`] when it does
    /// not exist.
    pub fn new(root: &Path) -> Result<Self, HostError> {
        let real = root
            .canonicalize()
            .map_err(|source| HostError::io(format!("open {}", root.display()), source))?;
        if !real.is_dir() || real.components().count() < 3 {
            return Err(HostError::Outside {
                path: real,
                root: "a folder of ours".into(),
            });
        }
        Ok(Self { root: real })
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// A path below the folder.
    ///
    /// # Errors
    ///
    /// [`HostError::Outside`] for an absolute path or one with `..`.
    pub fn join(&self, relative: impl AsRef<Path>) -> Result<PathBuf, HostError> {
        let relative = relative.as_ref();
        let plain = relative
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        if !plain || relative.as_os_str().is_empty() {
            return Err(HostError::Outside {
                path: relative.to_owned(),
                root: self.root.clone(),
            });
        }
        Ok(self.root.join(relative))
    }

    /// Removes `path`, which must lie below the folder, with all that is in it. Links are
    /// removed, not followed. Nothing is removed if anything is mounted at or below it, and
    /// another filesystem is never entered. A path that does not exist is no error.
    ///
    /// # Errors
    ///
    /// [`HostError::Outside`] when `path` leads out, [`HostError::Io`] when something could
    /// not be removed.
    pub fn remove_tree(&self, path: &Path) -> Result<(), HostError> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(HostError::Outside {
                path: path.to_owned(),
                root: self.root.clone(),
            });
        };
        let parent = match parent.canonicalize() {
            Ok(parent) => parent,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(source) => return Err(HostError::io(format!("open {}", parent.display()), source)),
        };
        let real = parent.join(name);
        if !real.starts_with(&self.root) || real == self.root {
            return Err(HostError::Outside {
                path: real,
                root: self.root.clone(),
            });
        }
        let meta = match fs::symlink_metadata(&real) {
            Ok(meta) => meta,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(source) => {
                return Err(HostError::io(format!("look at {}", real.display()), source));
            }
        };
        if let Some(mount) = mounts_below(&real)? {
            return Err(HostError::Outside {
                path: mount,
                root: real,
            });
        }
        let removed = if meta.is_dir() {
            remove_dir(&real, meta.dev())
        } else {
            fs::remove_file(&real)
        };
        removed.map_err(|source| HostError::io(format!("remove {}", real.display()), source))
    }
}

/// Removes a folder without leaving its filesystem. A folder that its owner may not search is
/// opened first: packages make such folders.
fn remove_dir(dir: &Path, device: u64) -> io::Result<()> {
    let mut entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            fs::set_permissions(dir, fs::Permissions::from_mode(0o700))?;
            fs::read_dir(dir)?
        }
        other => other?,
    };
    entries.try_for_each(|entry| {
        let entry = entry?;
        let meta = entry.metadata()?;
        if meta.dev() != device {
            return Err(io::ErrorKind::CrossesDevices.into());
        }
        if !meta.is_dir() {
            return fs::remove_file(entry.path());
        }
        remove_dir(&entry.path(), device)
    })?;
    fs::remove_dir(dir)
}

fn mounts_below(path: &Path) -> Result<Option<PathBuf>, HostError> {
    let table = fs::read_to_string("/proc/self/mountinfo")
        .map_err(|source| HostError::io("read the mount table", source))?;
    Ok(mount_points(&table)
        .into_iter()
        .find(|point| point.starts_with(path)))
}

/// Mount points of a mountinfo table (proc_pid_mountinfo(5)), octal escapes undone.
pub fn mount_points(table: &str) -> Vec<PathBuf> {
    table
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .map(|point| {
            let mut text = point.to_owned();
            for (escape, plain) in [
                ("\\040", " "),
                ("\\011", "\t"),
                ("\\012", "\n"),
                ("\\134", "\\"),
            ] {
                text = text.replace(escape, plain);
            }
            PathBuf::from(text)
        })
        .collect()
}
