//! From what the command line names to a checked spec.

use std::{
    fs,
    path::{Path, PathBuf},
};

use isosmith_engine::Failure;
use isosmith_protocol::Code;
use isosmith_spec::{Layer, Looked, Merged, Origin, Problem, model::BuildSpec};

use crate::{args::ProfileArgs, places};

/// No profile is longer; the checker says so with better words, this only bounds memory.
const MOST_BYTES: u64 = 4 << 20;

/// A profile with everything that goes into it.
#[derive(Debug)]
pub struct Loaded {
    /// Checked.
    pub spec: BuildSpec,
    /// Where each value came from.
    pub merged: Merged,
}

/// Why a profile could not be loaded.
#[derive(Debug)]
pub enum LoadError {
    /// It has problems.
    Problems(Vec<Problem>),
    /// It could not be read.
    Failure(Failure),
}

impl From<Failure> for LoadError {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl LoadError {
    /// As one failure with every problem among its causes.
    pub fn into_failure(self) -> Failure {
        match self {
            Self::Failure(failure) => failure,
            Self::Problems(problems) => {
                let count = problems.len();
                let message = if count == 1 {
                    "the profile has a problem".to_owned()
                } else {
                    format!("the profile has {count} problems")
                };
                let mut failure = Failure::plain(Code::ProfileInvalid, message);
                failure.causes = problems.iter().map(ToString::to_string).collect();
                failure
            }
        }
    }
}

/// Loads the profile in the documented order: built-in defaults, the machine's settings, the
/// profile and what it extends, the user's settings, the command line.
///
/// # Errors
///
/// Every problem at once.
pub fn load(args: &ProfileArgs) -> Result<Loaded, LoadError> {
    let (layers, mut problems) = layers(args)?;
    match isosmith_spec::load(layers, &find) {
        Ok((spec, merged)) if problems.is_empty() => Ok(Loaded { spec, merged }),
        Ok(_) => Err(LoadError::Problems(problems)),
        Err(found) => {
            problems.extend(found);
            Err(LoadError::Problems(problems))
        }
    }
}

/// Like [`load`], with as much of the profile as there is in spite of its problems.
///
/// # Errors
///
/// When a text cannot be read at all.
pub fn look(args: &ProfileArgs) -> Result<Looked, Failure> {
    let (layers, mut problems) = layers(args)?;
    let mut looked = isosmith_spec::look(layers, &find);
    problems.append(&mut looked.problems);
    looked.problems = problems;
    Ok(looked)
}

fn find(name: &str) -> Option<Layer> {
    let file = places::find_profile(name)?;
    profile_layer(name, &file).ok()
}

/// Every text, lowest first, and what is wrong with assignments of the command line.
fn layers(args: &ProfileArgs) -> Result<(Vec<Layer>, Vec<Problem>), Failure> {
    let file = places::find_profile(&args.profile).ok_or_else(|| unknown(&args.profile))?;
    let mut layers = Vec::new();
    layers.extend(settings(
        Path::new(places::SYSTEM_SETTINGS),
        Origin::System,
    )?);
    layers.push(profile_layer(&args.profile, &file)?);
    if let Some(path) = places::user_settings() {
        layers.extend(settings(&path, Origin::User)?);
    }
    let mut problems = Vec::new();
    for assignment in &args.set {
        let (path, value) = assignment.split_once('=').unwrap_or((assignment, ""));
        match isosmith_spec::set(path.trim(), value.trim()) {
            Ok(layer) => layers.push(layer),
            Err(problem) => problems.push(problem),
        }
    }
    Ok((layers, problems))
}

fn settings(path: &Path, origin: fn(String) -> Origin) -> Result<Option<Layer>, Failure> {
    if !path.exists() {
        return Ok(None);
    }
    let text = read(path)?;
    Ok(Some(Layer::new(
        origin(path.display().to_string()),
        "",
        text,
    )))
}

fn profile_layer(name: &str, file: &Path) -> Result<Layer, Failure> {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let folder = folder
        .canonicalize()
        .map_err(|error| Failure::io_at("open", folder, error))?;
    Ok(Layer::new(
        Origin::Profile(name.to_owned()),
        folder.display().to_string(),
        read(file)?,
    ))
}

fn read(path: &Path) -> Result<String, Failure> {
    let unusable = |why: String| {
        Failure::new(
            Code::ProfileInvalid,
            format!("{} cannot be read: {why}", path.display()),
            "Give another file.",
        )
    };
    let size = fs::metadata(path)
        .map_err(|error| unusable(error.to_string()))?
        .len();
    if size > MOST_BYTES {
        return Err(unusable(format!(
            "it is larger than {} MiB",
            MOST_BYTES >> 20
        )));
    }
    fs::read_to_string(path).map_err(|error| unusable(error.to_string()))
}

fn unknown(named: &str) -> Failure {
    let known: Vec<String> = places::all_profiles()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    let advice = if known.is_empty() {
        "Give the path of a profile.toml.".to_owned()
    } else {
        format!("Give a path, or one of: {}.", known.join(", "))
    };
    Failure::new(
        Code::ProfileInvalid,
        format!("there is no profile {named}"),
        advice,
    )
}

/// Where relative paths of the merged profile start: they were made absolute when read.
pub fn base() -> PathBuf {
    PathBuf::from("/")
}
