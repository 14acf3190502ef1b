//! Where a person's files are, by the XDG base directory specification
//! (<https://specifications.freedesktop.org/basedir-spec/latest/>).

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

/// Profiles that the package brings.
const SYSTEM_PROFILES: &str = "/usr/share/isosmith/profiles";

/// Settings of the whole machine.
const SYSTEM_SETTINGS: &str = "/etc/isosmith/config.toml";

/// Folders and files of one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The home folder.
    pub home: PathBuf,
    /// `isosmith` below the folder for settings.
    pub config: PathBuf,
    /// `isosmith` below the folder for data: history, unsaved drafts.
    pub data: PathBuf,
    /// `isosmith` below the folder for what can be made again.
    pub cache: PathBuf,
    /// Folders that profiles are looked for in, first one first.
    pub profiles: Vec<PathBuf>,
    /// Settings of the whole machine, which need not exist.
    pub machine: PathBuf,
}

impl Places {
    /// Those of the person who runs this.
    ///
    /// # Errors
    ///
    /// When there is no home folder.
    pub fn of_person() -> io::Result<Self> {
        let home = env::var_os("HOME")
            .map(PathBuf::from)
            .filter(|home| home.is_absolute())
            .ok_or_else(|| io::Error::other("there is no home folder"))?;
        let base = |variable: &str, below: &str| {
            absolute(variable)
                .unwrap_or_else(|| home.join(below))
                .join("isosmith")
        };
        let mut places = Self {
            config: base("XDG_CONFIG_HOME", ".config"),
            data: base("XDG_DATA_HOME", ".local/share"),
            cache: base("XDG_CACHE_HOME", ".cache"),
            profiles: Vec::new(),
            machine: PathBuf::from(SYSTEM_SETTINGS),
            home,
        };
        places.profiles = places.profile_folders();
        Ok(places)
    }

    /// All below one folder, with these folders of profiles: for tests and for trying out.
    pub fn below(folder: &Path, profiles: &[&Path]) -> Self {
        Self {
            home: folder.to_owned(),
            config: folder.join("config"),
            data: folder.join("data"),
            cache: folder.join("cache"),
            profiles: profiles.iter().map(|path| path.to_path_buf()).collect(),
            machine: folder.join("machine.toml"),
        }
    }

    /// The same search order as the command line's.
    fn profile_folders(&self) -> Vec<PathBuf> {
        let mut folders = Vec::new();
        if let Some(path) = env::var_os("ISOSMITH_PROFILES") {
            folders.extend(env::split_paths(&path));
        }
        folders.extend(env::current_dir().map(|here| here.join("profiles")));
        folders.push(self.data.join("profiles"));
        folders.push(PathBuf::from(SYSTEM_PROFILES));
        folders
    }

    /// The file of the profile of this name.
    pub fn profile(&self, name: &str) -> Option<PathBuf> {
        if name.is_empty() || name.starts_with('.') || name.contains('/') {
            return None;
        }
        self.profiles
            .iter()
            .map(|folder| folder.join(name).join("profile.toml"))
            .find(|file| file.is_file())
    }

    /// Names and files of all profiles, sorted by name; a name that is found twice counts
    /// where it is found first.
    pub fn all_profiles(&self) -> Vec<(String, PathBuf)> {
        let mut found: Vec<(String, PathBuf)> = Vec::new();
        let entries = self
            .profiles
            .iter()
            .filter_map(|folder| fs::read_dir(folder).ok());
        for entry in entries.flatten().filter_map(io::Result::ok) {
            let file = entry.path().join("profile.toml");
            let name = entry.file_name().to_string_lossy().into_owned();
            if file.is_file() && !found.iter().any(|(known, _)| *known == name) {
                found.push((name, file));
            }
        }
        found.sort();
        found
    }

    /// Settings that the command line reads for this person, too.
    pub fn own_settings(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    /// The window's own settings.
    pub fn window_settings(&self) -> PathBuf {
        self.config.join("window.toml")
    }

    /// Where ISOs go before anybody has chosen: the folder for downloads, else documents, else
    /// home, as `user-dirs.dirs` of xdg-user-dirs names them.
    pub fn usual_output(&self) -> PathBuf {
        let config = self.config.parent().unwrap_or(&self.config);
        let text = fs::read_to_string(config.join("user-dirs.dirs")).unwrap_or_default();
        ["DOWNLOAD", "DOCUMENTS"]
            .into_iter()
            .filter_map(|kind| user_dir(&text, kind, &self.home))
            .chain([self.home.join("Downloads"), self.home.join("Documents")])
            .find(|folder| folder.is_dir())
            .unwrap_or_else(|| self.home.clone())
    }
}

fn absolute(variable: &str) -> Option<PathBuf> {
    env::var_os(variable)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
}

/// `XDG_KIND_DIR="$HOME/…"` of user-dirs.dirs(5).
fn user_dir(text: &str, kind: &str, home: &Path) -> Option<PathBuf> {
    let line = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("XDG_"))
        .find_map(|line| line.strip_prefix(kind)?.strip_prefix("_DIR="))?;
    let path = line.trim().trim_matches('"');
    match path.strip_prefix("$HOME") {
        Some(rest) => Some(home.join(rest.trim_start_matches('/'))),
        None => Some(PathBuf::from(path)).filter(|path| path.is_absolute()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_desktop_s_own_folder_is_found() {
        let root = tempfile::tempdir().unwrap();
        let places = Places {
            config: root.path().join(".config/isosmith"),
            ..Places::below(root.path(), &[])
        };
        assert_eq!(places.usual_output(), root.path(), "nothing else is there");
        fs::create_dir(root.path().join("Documents")).unwrap();
        assert_eq!(places.usual_output(), root.path().join("Documents"));
        fs::create_dir_all(root.path().join(".config")).unwrap();
        fs::create_dir(root.path().join("Geladen")).unwrap();
        let dirs = "# made\nXDG_DOWNLOAD_DIR=\"$HOME/Geladen\"\nXDG_DESKTOP_DIR=\"$HOME/x\"\n";
        fs::write(root.path().join(".config/user-dirs.dirs"), dirs).unwrap();
        assert_eq!(places.usual_output(), root.path().join("Geladen"));
    }

    #[test]
    fn a_profile_s_name_is_no_path() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("profiles/a")).unwrap();
        fs::write(root.path().join("profiles/a/profile.toml"), "").unwrap();
        let places = Places::below(root.path(), &[&root.path().join("profiles")]);
        assert!(places.profile("a").is_some());
        for name in ["", ".", "..", "../profiles/a", "/etc", "b"] {
            assert_eq!(places.profile(name), None, "{name:?}");
        }
        assert_eq!(places.all_profiles().len(), 1);
    }
}
