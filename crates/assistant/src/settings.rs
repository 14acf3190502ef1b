//! Which server is asked: what the system's owner has written, and the person over it.

use std::{
    env, fs, io,
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    endpoint::Endpoint,
    failure::{Exit, Failure},
    secrets::Hidden,
};

/// What the image's owner has written.
pub const SYSTEM: &str = "/etc/isosmith-ai/config.toml";

/// Where a key may come from instead of a file.
pub const KEY_VARIABLE: &str = "ISOSMITH_AI_KEY";

/// Which HTTP interface the server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interface {
    /// Ollama's own.
    Ollama,
    /// OpenAI's, which many servers speak.
    OpenAi,
}

impl Interface {
    /// As people call it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Ollama => "Ollama",
            Self::OpenAi => "OpenAI-compatible",
        }
    }
}

/// A file of settings. The person's goes over the system's, field by field.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Which interface the server has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface: Option<Interface>,
    /// Its base address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// The model's name there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The key for the endpoint beside it; only in the person's own file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key: Option<String>,
    /// See [`Hidden::addresses`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hide_addresses: Option<bool>,
    /// See [`Hidden::mail`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hide_mail: Option<bool>,
}

/// A key, which no debug output shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    /// For the header.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

/// What is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Which interface the server has.
    pub interface: Interface,
    /// Its base address.
    pub endpoint: Endpoint,
    /// The model's name there.
    pub model: String,
    /// What the server knows the person by.
    pub key: Option<Key>,
    /// What is cut beyond what is always cut.
    pub hidden: Hidden,
}

/// Where the person's own files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// Settings.
    pub config: PathBuf,
    /// What the person has agreed to.
    pub consent: PathBuf,
}

impl Places {
    /// As the XDG Base Directory Specification has them.
    ///
    /// # Errors
    ///
    /// When the person has no home.
    pub fn of_the_person() -> Result<Self, Failure> {
        let folder = |variable: &str, below_home: &str| {
            let named = env::var_os(variable)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute());
            let home = || env::var_os("HOME").filter(|home| !home.is_empty());
            named.or_else(|| Some(PathBuf::from(home()?).join(below_home)))
        };
        let homeless = || {
            Failure::new(
                Exit::Usage,
                "the variable HOME is not set",
                "Set it to your home folder.",
            )
        };
        let config = folder("XDG_CONFIG_HOME", ".config").ok_or_else(homeless)?;
        let state = folder("XDG_STATE_HOME", ".local/state").ok_or_else(homeless)?;
        Ok(Self {
            config: config.join("isosmith-ai/config.toml"),
            consent: state.join("isosmith-ai/agreed.toml"),
        })
    }
}

/// Reads both files.
///
/// # Errors
///
/// When one cannot be read, or others may read a key.
pub fn read(system: &Path, own: &Path) -> Result<(File, File), Failure> {
    let system_file = read_one(system)?;
    if system_file.api_key.is_some() {
        return Err(Failure::new(
            Exit::Usage,
            format!(
                "{} has a key in it, and everybody may read that file",
                system.display()
            ),
            format!("Move api_key, with the endpoint, to {}.", own.display()),
        ));
    }
    let own_file = read_one(own)?;
    if own_file.api_key.is_some() {
        check_private(own)?;
        if own_file.endpoint.is_none() {
            return Err(Failure::new(
                Exit::Usage,
                format!(
                    "{} has a key and does not say for which endpoint",
                    own.display()
                ),
                "Write the endpoint beside it, or run `ai setup`.",
            ));
        }
    }
    Ok((system_file, own_file))
}

fn read_one(path: &Path) -> Result<File, Failure> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(File::default()),
        Err(error) => {
            return Err(Failure::new(
                Exit::Usage,
                format!("{} cannot be read: {error}", path.display()),
                "Correct the file's permissions, or remove it.",
            ));
        }
    };
    toml::from_str(&text).map_err(|error| {
        // Not the whole of it: it quotes the line, and the line may be the key.
        Failure::new(
            Exit::Usage,
            format!("{}: {}", path.display(), error.message()),
            "Correct the file, or run `ai setup`.",
        )
    })
}

fn check_private(path: &Path) -> Result<(), Failure> {
    let mode = fs::metadata(path).map_or(0, |meta| meta.permissions().mode());
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Usage,
        format!("{} has a key in it, and others may read it", path.display()),
        format!("Run: chmod 600 {}", path.display()),
    ))
}

/// What both files and the variable come to.
///
/// # Errors
///
/// When the endpoint or the model is missing or cannot be one.
pub fn settle(system: File, own: File, variable: Option<String>) -> Result<Settings, Failure> {
    let missing = |field: &str| {
        Failure::new(
            Exit::Usage,
            format!("no {field} is set"),
            "Run `ai setup` to choose the server and the model.",
        )
    };
    let endpoint = own
        .endpoint
        .or(system.endpoint)
        .ok_or_else(|| missing("endpoint"))?;
    let endpoint: Endpoint = endpoint.parse().map_err(|problem| {
        Failure::new(
            Exit::Usage,
            format!("the endpoint {problem}"),
            "Run `ai setup` to choose another.",
        )
    })?;
    let model = own
        .model
        .or(system.model)
        .filter(|model| !model.trim().is_empty())
        .ok_or_else(|| missing("model"))?;
    let key = variable.or(own.api_key).filter(|key| !key.is_empty());
    if key.as_ref().is_some_and(|key| {
        key.chars()
            .any(|char| char.is_control() || !char.is_ascii())
    }) {
        return Err(Failure::new(
            Exit::Usage,
            "the key has characters that no key has",
            "Set it again with `ai setup`.",
        ));
    }
    Ok(Settings {
        interface: own
            .interface
            .or(system.interface)
            .unwrap_or(Interface::Ollama),
        endpoint,
        model,
        key: key.map(Key),
        hidden: Hidden {
            addresses: own
                .hide_addresses
                .or(system.hide_addresses)
                .unwrap_or(false),
            mail: own.hide_mail.or(system.hide_mail).unwrap_or(false),
        },
    })
}

/// Writes a file that nobody else may read, at once or not at all.
///
/// # Errors
///
/// When it cannot be written.
pub fn write_private(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error: io::Error| {
        Failure::new(
            Exit::Failed,
            format!("{} cannot be written: {error}", path.display()),
            "Look at the permissions of its folder and at the room on the disk.",
        )
    };
    let folder = path.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(folder).map_err(failed)?;
    let partial = path.with_extension("partial");
    match fs::remove_file(&partial) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    let mut file = fs::File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&partial)
        .map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    fs::rename(&partial, path).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(system: &str, own: &str, mode: u32) -> Result<Settings, Failure> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let place = |name: &str, text: &str, mode| {
            let path = folder.path().join(name);
            fs::write(&path, text).expect("written");
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("permissions");
            path
        };
        let (system, own) = (place("system", system, 0o644), place("own", own, mode));
        let (system, own) = read(&system, &own)?;
        settle(system, own, None)
    }

    const SYSTEM_TEXT: &str =
        "interface = \"ollama\"\nendpoint = \"http://127.0.0.1:1\"\nmodel = \"m\"\n";

    #[test]
    fn the_persons_file_goes_over_the_systems() {
        let settings =
            files(SYSTEM_TEXT, "model = \"other\"\nhide_mail = true\n", 0o644).expect("settings");
        assert_eq!(settings.endpoint.to_string(), "http://127.0.0.1:1");
        assert_eq!(settings.interface, Interface::Ollama);
        assert_eq!(settings.model, "other");
        assert!(settings.hidden.mail && !settings.hidden.addresses);
        assert_eq!(settings.key, None);
    }

    #[test]
    fn a_key_stays_private_and_with_its_endpoint() {
        let own = "endpoint = \"https://h\"\ninterface = \"openai\"\napi_key = \"k\"\n";
        let settings = files(SYSTEM_TEXT, own, 0o600).expect("settings");
        assert_eq!(settings.key.as_ref().map(Key::reveal), Some("k"));
        assert!(!format!("{settings:?}").contains("\"k\""));
        for (system, own, mode, words) in [
            (SYSTEM_TEXT, own, 0o640, "others may read it"),
            (SYSTEM_TEXT, "api_key = \"k\"", 0o600, "for which endpoint"),
            ("api_key = \"k\"", "", 0o600, "everybody may read"),
        ] {
            let failure = files(system, own, mode).expect_err(words);
            assert!(failure.message.contains(words), "{failure}");
            assert_eq!(failure.exit, Exit::Usage);
        }
    }

    #[test]
    fn wrong_files_are_refused_without_showing_them() {
        for (own, words) in [
            ("", "no endpoint is set"),
            ("endpoint = \"http://h\"", "no model is set"),
            ("endpoint = \"h\"\nmodel = \"m\"", "the endpoint"),
            ("interface = \"telepathy\"", "telepathy"),
            ("unknown = 1", "unknown"),
            ("api_key = \"hunter2", ""),
            (
                "endpoint = \"http://h\"\nmodel = \"m\"\napi_key = \"a\\nb\"",
                "no key has",
            ),
        ] {
            let failure = files("", own, 0o600).expect_err(own);
            assert!(failure.message.contains(words), "{failure}");
            assert!(!failure.to_string().contains("hunter2"), "{failure}");
        }
    }

    #[test]
    fn what_is_written_is_private_and_reads_the_same() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a/b.toml");
        let file = File {
            interface: Some(Interface::OpenAi),
            endpoint: Some("https://h/v1".into()),
            model: Some("a \"b\"".into()),
            api_key: Some("k".into()),
            ..File::default()
        };
        let text = toml::to_string(&file).expect("TOML");
        write_private(&path, &text).expect("written");
        write_private(&path, &text).expect("written again");
        let mode = fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(read_one(&path).expect("read"), file);
    }
}
