//! What was built.

use isosmith_engine::history;
use isosmith_protocol::BuildResult;
use serde_json::json;

use super::{print, print_json};
use crate::{Command, Ended, places::Places};

/// Lists builds, newest first.
pub fn builds(places: &Places, as_json: bool) -> Command {
    let builds = history::list(&places.state)?;
    if as_json {
        let list: Vec<_> = builds
            .iter()
            .map(|build| {
                json!({
                    "id": build.id,
                    "profile": build.profile,
                    "started": build.started,
                    "tookMs": u64::try_from(build.took.as_millis()).unwrap_or(u64::MAX),
                    "result": build.result,
                    "resumable": build.resumable,
                })
            })
            .collect();
        return print_json(&list);
    }
    for build in builds {
        let result = match &build.result {
            None => "running".to_owned(),
            Some(BuildResult::Succeeded { .. }) => "done".to_owned(),
            Some(BuildResult::Failed { error }) => format!("failed: {}", error.message),
            Some(BuildResult::Cancelled) => "stopped; can be resumed".to_owned(),
            Some(BuildResult::Interrupted) => "killed; can be resumed".to_owned(),
            Some(BuildResult::Unknown) => "of a newer version".to_owned(),
        };
        print(&format!(
            "{:<40} {:>7.1} s  {result}",
            build.id.as_str(),
            build.took.as_secs_f64()
        ))?;
    }
    Ok(Ended::Well)
}
