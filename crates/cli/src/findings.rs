//! Everything that can be said about a profile and its files before a build.

use std::{fmt, path::PathBuf};

use isosmith_engine::Failure;
use isosmith_protocol::Code;
use isosmith_spec::{Looked, Problem, model::BuildSpec, names::MaterialPath};
use serde::Serialize;
use serde_json::Value;

use crate::{
    args::ProfileArgs,
    named,
    profile::{self, LoadError},
};

/// What was found.
#[derive(Debug)]
pub struct Findings {
    /// What the profile calls itself, once all its fields are right.
    pub name: Option<String>,
    /// What keeps it from being built: fields first, then files.
    pub problems: Vec<Problem>,
    /// What will not be as it was meant.
    pub warnings: Vec<Notice>,
    /// Something that is missing on this machine and not in the profile.
    pub missing: Option<Failure>,
}

/// Something that does not keep a profile from being built.
#[derive(Debug, Serialize)]
pub struct Notice {
    /// The field, or the section that it is about.
    pub path: String,
    /// The drawn surface that it shows on; null for what is not drawn.
    pub surface: Value,
    /// Stable name for machines.
    pub code: Value,
    /// What a person will see, in one sentence.
    pub message: String,
    /// What to do about it, in one sentence; empty where the message says it.
    pub fix: String,
}

/// Looks at a profile and at every file that it names, and goes on in spite of problems.
///
/// # Errors
///
/// When the profile's text cannot be read at all.
pub fn find(args: &ProfileArgs) -> Result<Findings, Failure> {
    let Looked {
        spec,
        merged,
        mut problems,
    } = profile::look(args)?;
    let wanted = match (&spec, &merged) {
        (Some(spec), _) => spec.materials(),
        (None, Some(merged)) => named::materials(&merged.to_toml()),
        (None, None) => Vec::new(),
    };
    let mut found = isosmith_recipe::find_problems(&wanted, &profile::base());
    if let Some(spec) = &spec {
        found.extend(isosmith_recipe::mirrors::folders(&spec.base));
        found.extend(isosmith_recipe::needed_but_excluded(spec));
    }
    for problem in &mut found {
        let merged = merged.as_ref().filter(|_| !problem.path.is_empty());
        let origin = problem.origin.take();
        problem.origin = origin.or_else(|| Some(merged?.origin(&problem.path).clone()));
    }
    problems.extend(found);
    let (mut warnings, mut missing) = (Vec::new(), None);
    if let Some(spec) = spec.as_ref().filter(|_| problems.is_empty()) {
        warnings = notices(spec)?;
        missing = isosmith_recipe::assistant::collect(spec, None).err();
    }
    Ok(Findings {
        name: spec.map(|spec| spec.profile.name),
        problems,
        warnings,
        missing,
    })
}

fn notices(spec: &BuildSpec) -> Result<Vec<Notice>, Failure> {
    let place = |path: &MaterialPath| Ok::<PathBuf, Failure>(profile::base().join(path.as_str()));
    let signer = isosmith_recipe::check_signing(spec, &place)?;
    let odd = signer.as_ref().and_then(isosmith_recipe::odd_dates);
    let odd = odd.map(|message| Notice {
        path: "security.signing.certificate".to_owned(),
        surface: Value::Null,
        code: "certificate_dates".into(),
        message,
        fix: String::new(),
    });
    let drawn = isosmith_recipe::brand_warnings(spec, &place)?;
    let drawn = drawn.into_iter().map(|warning| {
        Ok(Notice {
            path: "branding".to_owned(),
            surface: word(warning.surface)?,
            code: word(warning.code)?,
            message: warning.message,
            fix: warning.fix,
        })
    });
    let unlikely = isosmith_spec::warnings(spec)
        .into_iter()
        .map(|warning| Notice {
            path: warning.path,
            surface: Value::Null,
            code: "probably_not_meant".into(),
            message: format!("{}.", warning.message),
            fix: format!("Better {}.", warning.fix),
        });
    odd.into_iter()
        .chain(unlikely)
        .map(Ok)
        .chain(drawn)
        .collect()
}

fn word(word: impl Serialize) -> Result<Value, Failure> {
    serde_json::to_value(word).map_err(|error| {
        Failure::plain(Code::Internal, "a warning cannot be written").because(error)
    })
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A surface says more than the section that all of them belong to.
        let place = self.surface.as_str().unwrap_or(&self.path);
        write!(f, "{place}: ")?;
        f.write_str(format!("{} {}", self.message, self.fix).trim_end())
    }
}

impl Findings {
    /// The problems as one failure; `None` when there are none.
    pub fn failure(&self) -> Option<Failure> {
        let problems = Some(&self.problems).filter(|problems| !problems.is_empty());
        problems
            .map(|problems| LoadError::Problems(problems.clone()).into_failure())
            .or_else(|| self.missing.clone())
    }

    /// Whether every field is right, whatever is the matter with the files.
    pub const fn is_spec(&self) -> bool {
        self.name.is_some()
    }
}

/// A failure in the form of a problem, for lists.
pub fn as_problem(failure: &Failure) -> Problem {
    Problem {
        path: String::new(),
        message: failure.message.clone(),
        fix: failure.advice.to_string(),
        origin: None,
    }
}
