//! The window's own settings, in a file that a person may edit.

use isosmith_protocol::{Code, ErrorMode, Manner, Pace};

use crate::{
    Error, Places, Result, disk,
    model::{Language, Settings, Theme},
};

/// No settings file is longer, in bytes.
const MOST_BYTES: u64 = 64 << 10;

impl Settings {
    /// What holds where nobody has chosen anything.
    pub fn usual(places: &Places) -> Self {
        Self {
            output: places.usual_output().to_string_lossy().into_owned(),
            mirror: None,
            proxy: None,
            error_mode: ErrorMode::Graceful,
            pace: Pace::Auto,
            cache_limit: None,
            notifications: true,
            language: Language::System,
            theme: Theme::System,
        }
    }

    /// How builds are to be done.
    pub const fn manner(&self) -> Manner {
        Manner {
            errors: self.error_mode,
            pace: self.pace,
            cache_limit: self.cache_limit,
        }
    }

    /// Reads the settings; what a file leaves out is as usual. A file that cannot be understood
    /// is put aside, so that it is not lost, and the second value says so.
    pub fn load(places: &Places) -> (Self, Option<Error>) {
        let path = places.window_settings();
        let usual = Self::usual(places);
        let text = match disk::read_text(&path, MOST_BYTES) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return (usual, None),
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                return (usual, Some(Error::io("read", &path, &error)));
            }
            Err(error) => return broken(usual, &path, &error.to_string()),
        };
        match usual.with(&text) {
            Ok(settings) => (settings, None),
            Err(why) => broken(usual, &path, &why),
        }
    }

    /// These settings with those of a file over them.
    fn with(&self, text: &str) -> std::result::Result<Self, String> {
        let written: toml::Table = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut whole = toml::Table::try_from(self).map_err(|error| error.to_string())?;
        whole.extend(written);
        whole
            .try_into()
            .map_err(|error: toml::de::Error| error.to_string())
    }

    /// Writes the settings.
    ///
    /// # Errors
    ///
    /// [`Code::ProfileInvalid`] for an output folder that is no whole path, and for addresses
    /// that a profile could not have. [`Code::AccessDenied`] and the like; the older file stays.
    pub fn save(&self, places: &Places) -> Result<()> {
        self.check()?;
        let path = places.window_settings();
        let text = toml::to_string_pretty(self).map_err(|error| {
            Error::new(
                Code::Internal,
                "the settings cannot be written as TOML",
                "This is a fault in Isosmith; please report it.",
            )
            .because(error.to_string())
        })?;
        disk::write_own(&path, text.as_bytes()).map_err(|error| Error::io("write", &path, &error))
    }

    fn check(&self) -> Result<()> {
        if !self.output.starts_with('/') {
            return Err(Error::new(
                Code::ProfileInvalid,
                "the output folder is not a whole path",
                "Choose a folder.",
            ));
        }
        for (what, address) in [("mirror", &self.mirror), ("proxy", &self.proxy)] {
            let Some(address) = address else { continue };
            if let Err(reason) = address.parse::<isosmith_spec::names::Uri>() {
                return Err(Error::new(
                    Code::ProfileInvalid,
                    format!("the {what} cannot be used: {}", reason.message),
                    format!("Please {}.", reason.fix),
                ));
            }
        }
        Ok(())
    }
}

fn broken(usual: Settings, path: &std::path::Path, why: &str) -> (Settings, Option<Error>) {
    let advice = match disk::aside(path) {
        Ok(aside) => format!(
            "The usual settings hold; the old file is {}.",
            aside.display()
        ),
        Err(_) => "The usual settings hold; correct or remove the file.".to_owned(),
    };
    let error = Error::new(
        Code::Io,
        format!("{} cannot be understood", path.display()),
        advice,
    );
    (usual, Some(error.because(why)))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn places() -> (tempfile::TempDir, Places) {
        let root = tempfile::tempdir().unwrap();
        let places = Places::below(root.path(), &[]);
        fs::create_dir(&places.config).unwrap();
        (root, places)
    }

    #[test]
    fn settings_come_back() {
        let (_root, places) = places();
        let (usual, warning) = Settings::load(&places);
        assert_eq!((usual.clone(), warning), (Settings::usual(&places), None));
        let changed = Settings {
            mirror: Some("http://mirror.example/debian".into()),
            theme: Theme::Dark,
            error_mode: ErrorMode::Permissive,
            pace: Pace::Conservative,
            cache_limit: "20".parse().ok(),
            ..usual
        };
        changed.save(&places).unwrap();
        assert_eq!(Settings::load(&places), (changed, None));
    }

    #[test]
    fn what_a_file_leaves_out_is_as_usual() {
        let (_root, places) = places();
        fs::write(places.window_settings(), "theme = 'light'\nof_later = 1\n").unwrap();
        let (settings, warning) = Settings::load(&places);
        assert_eq!(warning, None);
        assert_eq!(settings.theme, Theme::Light);
        assert!(settings.notifications);
    }

    #[test]
    fn a_broken_file_is_kept_aside_and_said() {
        for text in [
            "theme = 'pink'",
            "[[",
            "notifications = 3",
            "cacheLimit = 1",
            "\0\u{fffd}",
        ] {
            let (_root, places) = places();
            fs::write(places.window_settings(), text).unwrap();
            let (settings, warning) = Settings::load(&places);
            assert_eq!(settings, Settings::usual(&places), "{text}");
            let warning = warning.expect("it is said").to_string();
            assert!(warning.contains("window.toml"), "{warning}");
            let aside = places.config.join("window.toml.broken-1");
            assert_eq!(fs::read_to_string(aside).unwrap(), text);
            assert_eq!(Settings::load(&places).1, None, "said once");
        }
    }

    #[test]
    fn what_could_not_work_is_refused() {
        let (_root, places) = places();
        let usual = Settings::usual(&places);
        for bad in [
            Settings {
                output: "here".into(),
                ..usual.clone()
            },
            Settings {
                mirror: Some("ftp://x".into()),
                ..usual.clone()
            },
            Settings {
                proxy: Some("http://me:secret@x".into()),
                ..usual
            },
        ] {
            let error = bad.save(&places).expect_err("refused");
            assert_eq!(error.code(), Code::ProfileInvalid);
            assert!(!places.window_settings().exists());
        }
    }
}
