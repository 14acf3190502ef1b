//! What a draft is made from, read with limits.

use std::path::{Path, PathBuf};

use isosmith_inspect::{InspectError, iso9660::Iso, source::Disk};
use isosmith_protocol::Code;

use super::layers::Around;
use crate::{Error, Result, disk, model::DraftSource};

/// Where an ISO of Isosmith's carries its profile.
const IN_ISO: &str = "/.isosmith/profile.toml";

/// A text that was opened.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) text: String,
    /// Its file, if it is to be written there again.
    pub(crate) path: Option<PathBuf>,
    /// Where its relative paths start.
    pub(crate) folder: PathBuf,
}

/// Reads a source.
///
/// # Errors
///
/// [`Code::ProfileInvalid`] for what holds no profile text, with the reason.
pub(crate) fn open(from: &DraftSource, around: &Around) -> Result<Opened> {
    match from {
        DraftSource::Profile(name) => fresh(name, around),
        DraftSource::Path(path) => of_file(Path::new(path)),
        DraftSource::Iso(path) => of_iso(Path::new(path)),
        DraftSource::Text(text) => Ok(Opened {
            text: whole(text.clone())?,
            path: None,
            folder: around.places.home.clone(),
        }),
    }
}

/// A draft that stands on a profile and changes nothing yet.
fn fresh(name: &str, around: &Around) -> Result<Opened> {
    if around.places.profile(name).is_none() {
        return Err(unusable(
            format!("there is no profile `{name}`"),
            "Choose one from the list.",
        ));
    }
    let text = format!("format = 1\nextends = \"{name}\"\n\n[profile]\nname = \"{name}\"\n");
    Ok(Opened {
        text,
        path: None,
        folder: around.places.home.clone(),
    })
}

fn of_file(path: &Path) -> Result<Opened> {
    let path = match path.is_dir() {
        true => path.join("profile.toml"),
        false => path.to_owned(),
    };
    let path = std::path::absolute(&path).map_err(|error| Error::io("find", &path, &error))?;
    let text = disk::read_text(&path, isosmith_spec::MOST_BYTES as u64)
        .map_err(|error| unreadable(&path, &error.to_string()))?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    Ok(Opened {
        text: whole(text)?,
        folder: folder.canonicalize().unwrap_or_else(|_| folder.to_owned()),
        path: Some(path),
    })
}

fn of_iso(path: &Path) -> Result<Opened> {
    let none = |error: InspectError| {
        let refusal = match &error {
            InspectError::Missing { .. } => unusable(
                format!("{} carries no profile", path.display()),
                "Choose an ISO that Isosmith has made.",
            ),
            InspectError::Read { .. }
            | InspectError::NotIso(_)
            | InspectError::Damaged { .. }
            | InspectError::Unsupported { .. }
            | InspectError::TooLarge { .. }
            | InspectError::Cancelled => unusable(
                format!("{} cannot be read as an ISO", path.display()),
                error.advice(),
            ),
        };
        refusal.because(error.to_string())
    };
    if !path.is_file() {
        return Err(unreadable(path, "is not a file"));
    }
    let disk = Disk::open(path).map_err(|error| unreadable(path, &error.to_string()))?;
    let iso = Iso::open(&disk).map_err(none)?;
    let bytes = iso
        .read(IN_ISO, isosmith_spec::MOST_BYTES as u64)
        .map_err(none)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| unreadable(path, "the profile in it is not text in UTF-8"))?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    Ok(Opened {
        text: whole(text)?,
        path: None,
        folder: folder.canonicalize().unwrap_or_else(|_| folder.to_owned()),
    })
}

/// A text that is not too long to work with, and no binary file.
///
/// # Errors
///
/// [`Code::ProfileInvalid`]
pub(crate) fn whole(text: String) -> Result<String> {
    if text.len() > isosmith_spec::MOST_BYTES {
        return Err(unusable(
            "the profile's text is longer than 1 MiB",
            "Move long texts into files beside the profile.",
        ));
    }
    if text.contains('\0') {
        return Err(unusable(
            "this is not a text file",
            "Choose a profile, a file that ends in .toml.",
        ));
    }
    Ok(text)
}

fn unusable(message: impl Into<String>, advice: &str) -> Error {
    Error::new(Code::ProfileInvalid, message, advice)
}

fn unreadable(path: &Path, why: &str) -> Error {
    unusable(
        format!("{} cannot be opened", path.display()),
        "Choose another file.",
    )
    .because(why)
}
