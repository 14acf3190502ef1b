//! What was built.

use isosmith_client::{Listed, State, blocking::Client};
use isosmith_engine::{
    Failure,
    history::{self, BuildSummary},
};
use isosmith_protocol::{BuildId, BuildResult, Code};
use serde_json::{Value, json};

use super::{print, print_json};
use crate::{
    Command, Ended,
    agent::Agent,
    args::Common,
    places::Places,
    way::{self, Way, failed},
};

/// One build, wherever it is kept.
struct Row {
    started: u64,
    id: BuildId,
    line: String,
    json: Value,
}

/// Lists builds, newest first: this user's own and those in the service.
pub fn builds(common: &Common, places: &Places, as_json: bool, everybody: bool) -> Command {
    let mut rows = Vec::new();
    if !common.service {
        rows.extend(history::list(&places.state)?.into_iter().map(own));
    }
    if let Some(client) = service_for(common, everybody)? {
        let _agent = everybody.then(Agent::on_terminal);
        let listed = client.list(everybody).map_err(failed)?;
        rows.extend(listed.into_iter().map(|build| in_service(build, everybody)));
    }
    rows.sort_by(|a, b| (b.started, &b.id).cmp(&(a.started, &a.id)));
    if as_json {
        let list: Vec<_> = rows.iter().map(|row| &row.json).collect();
        return print_json(&list);
    }
    for row in rows {
        print(&row.line)?;
    }
    Ok(Ended::Well)
}

/// Root does not need the service for its own builds, but for everybody's.
fn service_for(common: &Common, everybody: bool) -> Result<Option<Client>, Failure> {
    if !everybody {
        return Way::of(common).map(Way::into_service);
    }
    let client = way::service(common)?;
    client.map(Some).ok_or_else(|| {
        Failure::plain(
            Code::ServiceUnavailable,
            "other people's builds are in the system service, and there is none here",
        )
    })
}

fn own(build: BuildSummary) -> Row {
    let (state, result) = match &build.result {
        None => (State::Running, "running".to_owned()),
        Some(BuildResult::Succeeded { .. }) => (State::Succeeded, words(State::Succeeded).into()),
        Some(BuildResult::Failed { error }) => {
            (State::Failed, format!("failed: {}", error.message))
        }
        Some(BuildResult::Cancelled) => (State::Cancelled, words(State::Cancelled).into()),
        Some(BuildResult::Interrupted) => (State::Interrupted, words(State::Interrupted).into()),
        Some(BuildResult::Unknown) => (State::Other, words(State::Other).into()),
    };
    Row {
        line: format!(
            "{:<40} {:>7.1} s  {result}",
            build.id.as_str(),
            build.took.as_secs_f64()
        ),
        json: json!({
            "id": build.id,
            "profile": build.profile,
            "started": build.started,
            "tookMs": u64::try_from(build.took.as_millis()).unwrap_or(u64::MAX),
            "result": build.result,
            "resumable": build.resumable,
            "state": state.as_str(),
            "service": false,
        }),
        started: build.started,
        id: build.id,
    }
}

fn in_service(build: Listed, everybody: bool) -> Row {
    let whose = if everybody {
        format!("  user {}", build.uid)
    } else {
        String::new()
    };
    Row {
        line: format!(
            "{:<40} {:>9}  {}{whose}",
            build.id.as_str(),
            "service",
            words(build.state)
        ),
        json: json!({
            "id": build.id,
            "profile": build.profile,
            "started": build.started,
            "resumable": build.state.is_resumable(),
            "state": build.state.as_str(),
            "uid": build.uid,
            "service": true,
        }),
        started: build.started,
        id: build.id,
    }
}

const fn words(state: State) -> &'static str {
    match state {
        State::Queued => "waits for its turn",
        State::Running => "running",
        State::Succeeded => "done",
        State::Failed => "failed; can be resumed",
        State::Cancelled => "stopped; can be resumed",
        State::Interrupted => "killed; can be resumed",
        State::Other => "of a newer version",
    }
}
