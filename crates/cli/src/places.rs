//! Where things are: profiles, settings, builds, cache.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use nix::unistd::Uid;

use crate::args::Common;

/// Settings of the whole machine.
pub const SYSTEM_SETTINGS: &str = "/etc/isosmith/config.toml";

/// Profiles that the package brings.
const SYSTEM_PROFILES: &str = "/usr/share/isosmith/profiles";

/// Folders of root's own builds. What is above them is the system service's.
const SYSTEM_STATE: &str = "/var/lib/isosmith/direct";
const SYSTEM_CACHE: &str = "/var/cache/isosmith/direct";

/// Folders of this user's builds.
#[derive(Debug, Clone)]
pub struct Places {
    /// Builds and their history.
    pub state: PathBuf,
    /// Downloads and finished layers.
    pub cache: PathBuf,
}

impl Places {
    /// What the command line says, else what is usual.
    ///
    /// # Errors
    ///
    /// When there is no home folder to put them in.
    pub fn of(common: &Common) -> io::Result<Self> {
        let root = Uid::effective().is_root();
        let usual = |system: &str, variable: &str, below: &str| -> io::Result<PathBuf> {
            if root {
                return Ok(PathBuf::from(system));
            }
            Ok(base_dir(variable, below)?.join("isosmith"))
        };
        Ok(Self {
            state: real(&match &common.state_dir {
                Some(path) => path.clone(),
                None => usual(SYSTEM_STATE, "XDG_STATE_HOME", ".local/state")?,
            })?,
            cache: real(&match &common.cache_dir {
                Some(path) => path.clone(),
                None => usual(SYSTEM_CACHE, "XDG_CACHE_HOME", ".cache")?,
            })?,
        })
    }
}

/// The path without links, as far as it exists: a link, such as of `~/.cache` to a larger disk,
/// leads nowhere inside the build's own mount namespace.
fn real(path: &Path) -> io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    let known = path.ancestors().find_map(|known| {
        let rest = path.strip_prefix(known).ok()?;
        Some(known.canonicalize().ok()?.join(rest).components().collect())
    });
    Ok(known.unwrap_or(path))
}

/// A folder of the XDG base directory specification.
fn base_dir(variable: &str, below: &str) -> io::Result<PathBuf> {
    if let Some(path) = env::var_os(variable)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
    {
        return Ok(path);
    }
    env::var_os("HOME")
        .map(|home| PathBuf::from(home).join(below))
        .ok_or_else(|| {
            io::Error::other("there is no home folder; give --state-dir and --cache-dir")
        })
}

/// The user's own settings, which need not exist.
pub fn user_settings() -> Option<PathBuf> {
    base_dir("XDG_CONFIG_HOME", ".config")
        .ok()
        .map(|base| base.join("isosmith/config.toml"))
}

/// Where this person's own small things are kept.
pub fn user_state() -> Option<PathBuf> {
    base_dir("XDG_STATE_HOME", ".local/state")
        .ok()
        .map(|base| base.join("isosmith"))
}

/// Folders that profiles are looked for in, first one first.
fn profile_folders() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if let Some(path) = env::var_os("ISOSMITH_PROFILES") {
        folders.extend(env::split_paths(&path));
    }
    folders.push(PathBuf::from("profiles"));
    folders.extend(
        base_dir("XDG_DATA_HOME", ".local/share")
            .ok()
            .map(|base| base.join("isosmith/profiles")),
    );
    folders.push(PathBuf::from(SYSTEM_PROFILES));
    folders
}

/// The file of a profile: `named` is a file, a folder with a `profile.toml`, or a name.
pub fn find_profile(named: &str) -> Option<PathBuf> {
    let direct = Path::new(named);
    if direct.is_file() {
        return Some(direct.to_owned());
    }
    if named.contains('/') || named.starts_with('.') {
        return Some(direct.join("profile.toml")).filter(|path| path.is_file());
    }
    let named_so = |folder: PathBuf| folder.join(named).join("profile.toml");
    profile_folders()
        .into_iter()
        .map(named_so)
        .find(|path| path.is_file())
}

/// Names and files of all profiles that can be found by name; a name that is found twice
/// counts where it is found first.
pub fn all_profiles() -> Vec<(String, PathBuf)> {
    let mut found: Vec<(String, PathBuf)> = Vec::new();
    for folder in profile_folders() {
        let entries = fs::read_dir(folder)
            .into_iter()
            .flatten()
            .filter_map(Result::ok);
        for entry in entries {
            let file = entry.path().join("profile.toml");
            let name = entry.file_name().to_string_lossy().into_owned();
            if file.is_file() && !found.iter().any(|(known, _)| *known == name) {
                found.push((name, file));
            }
        }
    }
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_followed_as_far_as_there_is_something() {
        let folder = tempfile::tempdir().expect("a folder");
        let top = folder.path().canonicalize().expect("it is there");
        let disk = top.join("disk");
        fs::create_dir(&disk).expect("a folder");
        std::os::unix::fs::symlink(&disk, top.join("cache")).expect("a link");
        for (given, meant) in [
            ("cache", "disk"),
            ("cache/a/b", "disk/a/b"),
            ("none/at/all", "none/at/all"),
        ] {
            let found = real(&top.join(given)).expect("a path");
            assert_eq!(found, top.join(meant));
        }
    }
}
