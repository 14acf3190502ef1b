//! The texts that a spec is made from, and where each came from.

use std::fmt;

use crate::problem::{Problem, Reason, nearest, quote};
use crate::raw;

/// Where a value was written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The defaults inside this crate, or derived from other values by a documented rule.
    BuiltIn,
    /// The settings of the whole machine, in this file.
    System(String),
    /// The profile of this name.
    Profile(String),
    /// The person's own settings, in this file.
    User(String),
    /// `--set`.
    CommandLine,
}

impl Origin {
    /// Whether it is a settings file, which may hold only what does not change what the
    /// product is.
    pub(crate) fn is_settings(&self) -> bool {
        match self {
            Self::System(_) | Self::User(_) => true,
            Self::BuiltIn | Self::Profile(_) | Self::CommandLine => false,
        }
    }

    /// Whether it is a profile.
    pub(crate) fn is_profile(&self) -> bool {
        match self {
            Self::Profile(_) => true,
            Self::BuiltIn | Self::System(_) | Self::User(_) | Self::CommandLine => false,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("built-in default"),
            Self::System(path) => write!(f, "system settings {path}"),
            Self::Profile(name) => write!(f, "profile {name}"),
            Self::User(path) => write!(f, "user settings {path}"),
            Self::CommandLine => f.write_str("command line"),
        }
    }
}

/// One text of a profile, of settings, or of the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Where it comes from.
    pub origin: Origin,
    /// TOML.
    pub text: String,
    /// Folder that its relative paths start from, without `..`; empty leaves them as they are.
    pub folder: String,
}

impl Layer {
    /// A layer from its parts.
    pub fn new(origin: Origin, folder: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            origin,
            text: text.into(),
            folder: folder.into(),
        }
    }
}

/// The layer for `--set PATH=VALUE`, such as `set("image.compression", "zstd:19")`.
///
/// The value is TOML where it is TOML and the field takes more than texts; everything else
/// is a text as it stands, so that `branding.version=1.0` needs no quotes. A quoted text
/// is unquoted. What the value means is checked later, with all others.
///
/// # Errors
/// No field has this path; the problem suggests one.
pub fn set(path: &str, value: &str) -> Result<Layer, Problem> {
    let refuse = |message: String, fix: String| {
        Err(Problem::new(
            path,
            Reason::new(message, fix),
            Some(Origin::CommandLine),
        ))
    };
    let Some(field) = raw::find(path) else {
        let leaves = raw::leaves();
        let near = nearest(path, leaves.iter().map(|(path, _)| path.as_str())).or_else(|| {
            let last = path.rsplit('.').next().unwrap_or(path);
            leaves
                .iter()
                .map(|(path, _)| path.as_str())
                .find(|known| known.rsplit('.').next() == Some(last))
        });
        return match near {
            Some(near) => refuse(
                format!("unknown field {}; did you mean `{near}`?", quote(path)),
                format!("write `--set {near}=…`"),
            ),
            None => refuse(
                format!("unknown field {}", quote(path)),
                "write SECTION.FIELD=VALUE, such as `--set image.compression=zstd:19`".to_owned(),
            ),
        };
    };
    if path == "extends" || path == "format" {
        return refuse(
            format!("`{path}` belongs to a profile and cannot be set from outside"),
            "write it into the profile".to_owned(),
        );
    }
    let as_toml = toml::from_str::<toml::Table>(&format!("v = {value}"))
        .ok()
        .filter(|table| table.len() == 1)
        .and_then(|mut table| table.remove("v"))
        .filter(|value| value.is_str() || !field.kind.is_textual());
    let mut value = as_toml.unwrap_or_else(|| toml::Value::String(value.to_owned()));
    for key in path.rsplit('.') {
        value = toml::Value::Table(toml::Table::from_iter([(key.to_owned(), value)]));
    }
    let toml::Value::Table(table) = value else {
        return refuse(
            "the path is empty".to_owned(),
            "write SECTION.FIELD".to_owned(),
        );
    };
    match toml::to_string(&table) {
        Ok(text) => Ok(Layer::new(Origin::CommandLine, "", text)),
        Err(error) => refuse(
            format!("the value cannot be written as TOML: {error}"),
            "write a plain value".to_owned(),
        ),
    }
}
