//! Everything that is wrong with the files of a profile, before a build.

use std::{collections::BTreeMap, fs, path::Path};

use isosmith_engine::Failure;
use isosmith_spec::{
    Material as Wanted, MaterialKind, Problem, Reason, model::SigningKey, names::MaterialPath,
};

use super::{Material, Materials, take};
use crate::{brand, signing};

/// Looks at every file that a profile names as a build does, and goes on in spite of problems.
/// Relative paths start at `base`; fields are those of `wanted`, origins are not known.
pub fn find_problems(wanted: &[Wanted], base: &Path) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut found = BTreeMap::new();
    for want in wanted {
        match look(want, base) {
            Ok(material) => {
                found.insert(want.path.as_str().to_owned(), material);
            }
            Err(reason) => problems.push(problem(&want.field, reason)),
        }
    }
    let materials = Materials(found);
    problems.extend(copies(wanted, &materials));
    problems.extend(pair(wanted, &materials));
    problems
}

fn look(want: &Wanted, base: &Path) -> Result<Material, Reason> {
    const CORRECT: &str = "correct the path in the profile; it starts at the profile's own folder";
    let from = base.join(want.path.as_str());
    let said = |why: &str| format!("{}: {why}", from.display());
    let material = take(&from, None, want.kind).map_err(|error| {
        let reason = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<Reason>());
        match reason {
            Some(reason) => Reason::new(said(&reason.message), &reason.fix),
            None => Reason::new(said(&error.to_string()), CORRECT),
        }
    })?;
    if want.kind.is_picture() {
        let bytes =
            fs::read(&from).map_err(|error| Reason::new(said(&error.to_string()), CORRECT))?;
        brand::decode(&bytes)
            .map_err(|error| Reason::new(said(&error.to_string()), fix_of(error.advice())))?;
    }
    Ok(material)
}

fn copies(wanted: &[Wanted], materials: &Materials) -> Vec<Problem> {
    let field = |path: &str| {
        let want = wanted.iter().find(|want| want.path.as_str() == path);
        want.map_or("", |want| want.field.as_str())
    };
    match materials.copies() {
        Ok(found) => found
            .into_iter()
            .map(|(path, reason)| problem(field(&path), reason))
            .collect(),
        Err(failure) => vec![of_failure("files", &failure)],
    }
}

/// The key and the certificate together, once both can be read.
fn pair(wanted: &[Wanted], materials: &Materials) -> Option<Problem> {
    let of = |kind| {
        let path = &wanted.iter().find(|want| want.kind == kind)?.path;
        Some((path.clone(), materials.0.get(path.as_str())?))
    };
    let (key, private) = of(MaterialKind::SigningKey)?;
    let (certificate, public): (MaterialPath, _) = of(MaterialKind::Certificate)?;
    let signing = SigningKey { key, certificate };
    signing::pair(&signing, &private.path, &public.path).err()
}

fn problem(field: &str, reason: Reason) -> Problem {
    Problem {
        path: field.to_owned(),
        message: reason.message,
        fix: reason.fix,
        origin: None,
    }
}

fn of_failure(field: &str, failure: &Failure) -> Problem {
    let words = std::iter::once(&failure.message).chain(&failure.causes);
    let words: Vec<&str> = words.map(String::as_str).collect();
    problem(
        field,
        Reason::new(words.join(": "), fix_of(&failure.advice)),
    )
}

/// A failure's advice as a problem's fix, which stands after other words.
fn fix_of(advice: &str) -> String {
    let mut letters = advice.trim_end_matches('.').chars();
    let first = letters.next().map(char::to_lowercase);
    first.into_iter().flatten().chain(letters).collect()
}
