//! What a profile is and what would become of it.

use isosmith_engine::{Failure, PlannedStep, Work};
use isosmith_protocol::{BuildId, Code};
use isosmith_recipe::Debian;
use isosmith_spec::Problem;
use serde_json::json;

use super::{print, print_json};
use crate::{
    Command, Ended,
    args::ProfileArgs,
    findings::{self, Notice},
    order::{self, Delivered},
    places::{self, Places},
    profile::{self, LoadError, Loaded},
};

/// Says every problem of a profile, and of the files that it names.
pub fn check(args: &ProfileArgs, as_json: bool) -> Command {
    let found = match findings::find(args) {
        Ok(found) => found,
        Err(failure) => {
            if as_json {
                print_findings(&[findings::as_problem(&failure)], &[])?;
            }
            return Err(failure);
        }
    };
    let failure = found.failure();
    if as_json {
        let missing = found.missing.iter().map(findings::as_problem);
        let problems: Vec<Problem> = found.problems.iter().cloned().chain(missing).collect();
        print_findings(&problems, &found.warnings)?;
        return match failure {
            None => Ok(Ended::Well),
            Some(failure) if found.is_spec() => Err(failure),
            Some(_) => Ok(Ended::Badly),
        };
    }
    for warning in &found.warnings {
        tracing::warn!("{warning}");
    }
    if let Some(failure) = failure {
        return Err(failure);
    }
    print(&format!("{}: no problems", found.name.unwrap_or_default()))?;
    Ok(Ended::Well)
}

fn print_findings(problems: &[Problem], warnings: &[Notice]) -> Result<(), Failure> {
    let problems: Vec<_> = problems
        .iter()
        .map(|problem| {
            json!({
                "path": problem.path,
                "message": problem.message,
                "fix": problem.fix,
                "origin": problem.origin.as_ref().map(ToString::to_string),
            })
        })
        .collect();
    print_json(&json!({ "problems": problems, "warnings": warnings })).map(drop)
}

fn nowhere() -> Delivered {
    Delivered::at("/nonexistent".as_ref(), "/nonexistent".into())
}

/// Shows what would be done.
pub fn plan(
    args: &ProfileArgs,
    as_json: bool,
    explain: bool,
    dry_run: bool,
    places: &Places,
) -> Command {
    let loaded = profile::load(args).map_err(LoadError::into_failure)?;
    if explain {
        return explain_values(&loaded, as_json);
    }
    let order = order::gather(&loaded, None, &nowhere())?;
    let state = Debian::new(order)?;
    if dry_run {
        let scratch =
            tempfile::tempdir().map_err(|error| Failure::io("make a temporary folder", error))?;
        for line in isosmith_recipe::rehearse(state, scratch.path())? {
            print(&line)?;
        }
        return Ok(Ended::Well);
    }
    let id =
        BuildId::parse("plan").ok_or_else(|| Failure::plain(Code::Internal, "no id for a plan"))?;
    let work = Work::new(&places.state, &places.cache, &id);
    let recipe = isosmith_recipe::recipe(&state.spec);
    let steps = isosmith_engine::plan(&recipe, &state, &work);
    if as_json {
        let list: Vec<_> = steps
            .iter()
            .map(|step| json!({ "step": step.info, "key": step.key, "cached": step.cached }))
            .collect();
        return print_json(&list);
    }
    let mut phase = None;
    for step in &steps {
        if phase != Some(step.info.phase) {
            phase = Some(step.info.phase);
            print(step.info.phase.title())?;
        }
        print(&line(step))?;
    }
    Ok(Ended::Well)
}

fn line(step: &PlannedStep) -> String {
    let cached = match step.cached {
        Some(true) => "from the cache",
        Some(false) => "",
        None => "depends on the mirrors",
    };
    format!(
        "  {:<16} {:<42} {cached}",
        step.info.id.as_str(),
        step.info.title
    )
    .trim_end()
    .to_owned()
}

fn explain_values(loaded: &Loaded, as_json: bool) -> Command {
    let values = loaded.merged.explain();
    if as_json {
        let list: Vec<_> = values
            .iter()
            .map(|(path, value, origin)| json!({ "path": path, "value": value, "origin": origin.to_string() }))
            .collect();
        return print_json(&list);
    }
    for (path, value, origin) in values {
        print(&format!("{path} = {value}  # {origin}"))?;
    }
    Ok(Ended::Well)
}

/// Lists profiles by name.
pub fn profiles(as_json: bool) -> Command {
    let mut list = Vec::new();
    for (name, file) in places::all_profiles() {
        let args = ProfileArgs {
            profile: name.clone(),
            set: Vec::new(),
        };
        let description = match profile::load(&args) {
            Ok(loaded) => loaded.spec.profile.description,
            Err(_) => "has problems; see `isosmith check`".to_owned(),
        };
        list.push((name, description, file));
    }
    if as_json {
        let list: Vec<_> = list
            .iter()
            .map(|(name, description, file)| json!({ "name": name, "description": description, "file": file }))
            .collect();
        return print_json(&list);
    }
    for (name, description, _) in list {
        print(&format!("{name:<16} {description}"))?;
    }
    Ok(Ended::Well)
}
