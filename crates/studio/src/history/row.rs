//! Between rows of the database and what the page shows.

use std::path::Path;

use isosmith_client::State;
use isosmith_protocol::{BuildId, BuildResult, Code, EventKind};
use rusqlite::Row;
use serde::{Serialize, de::DeserializeOwned};

use super::{files, report};
use crate::{
    Error,
    model::{BuildRow, BuildState},
    pictures,
};

/// Whether the row changes with it; logs, progress and figures come by the thousand.
pub(super) fn is_worth(kind: &EventKind) -> bool {
    match kind {
        EventKind::Hello { .. }
        | EventKind::Planned { .. }
        | EventKind::Warned { .. }
        | EventKind::SessionChanged { .. }
        | EventKind::StepFinished { .. }
        | EventKind::Finished { .. } => true,
        EventKind::StepStarted { .. }
        | EventKind::Progress { .. }
        | EventKind::Log { .. }
        | EventKind::StepRetried { .. }
        | EventKind::Asked { .. }
        | EventKind::Answered { .. }
        | EventKind::SessionWatched { .. }
        | EventKind::Metrics { .. }
        | EventKind::Unknown => false,
    }
}

pub(super) fn row(from: &Row<'_>) -> rusqlite::Result<BuildRow> {
    let id: String = from.get(0)?;
    let state: String = from.get(3)?;
    let folder: Option<String> = from.get(8)?;
    let iso: Option<String> = from.get(9)?;
    let has_picture: bool = from.get(12)?;
    let iso = match (folder, iso.as_deref().and_then(files::name_of)) {
        (Some(folder), Some(name)) => Some(Path::new(&folder).join(name)),
        (_, _) => None,
    };
    let picture = BuildId::parse(&id).filter(|_| has_picture);
    Ok(BuildRow {
        title: from.get(1)?,
        profile: from.get(2)?,
        state: report::state(&state),
        started: positive(from, 4)?.unwrap_or(0),
        took_ms: positive(from, 5)?,
        size: positive(from, 6)?,
        code: from.get(7)?,
        iso: iso
            .filter(|path| path.is_file())
            .map(|path| path.to_string_lossy().into_owned()),
        resumable: from.get(10)?,
        warnings: positive(from, 11)?.unwrap_or(0),
        picture: picture.as_ref().map(pictures::of_build),
        id,
    })
}

/// SQLite's numbers have a sign.
pub(super) fn positive(from: &Row<'_>, column: usize) -> rusqlite::Result<Option<u64>> {
    let value: Option<i64> = from.get(column)?;
    Ok(value.and_then(|value| u64::try_from(value).ok()))
}

pub(super) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A column of JSON; what cannot be read is as good as nothing.
pub(super) fn read<T: DeserializeOwned + Default>(
    from: &Row<'_>,
    column: usize,
) -> rusqlite::Result<T> {
    let text: String = from.get(column)?;
    Ok(serde_json::from_str(&text).unwrap_or_default())
}

pub(super) fn json(value: &impl Serialize) -> String {
    // All of these are plain data with text keys.
    serde_json::to_string(value).unwrap_or_default()
}

pub(super) fn state_of(result: &BuildResult) -> BuildState {
    match result {
        BuildResult::Succeeded { .. } => BuildState::Succeeded,
        BuildResult::Failed { .. } | BuildResult::Unknown => BuildState::Failed,
        BuildResult::Cancelled => BuildState::Cancelled,
        BuildResult::Interrupted => BuildState::Interrupted,
    }
}

pub(super) fn state_of_service(state: State) -> BuildState {
    match state {
        State::Queued => BuildState::Queued,
        State::Running => BuildState::Running,
        State::Succeeded => BuildState::Succeeded,
        State::Failed => BuildState::Failed,
        State::Cancelled => BuildState::Cancelled,
        // A state of a newer service: at least nobody is told that it succeeded.
        State::Interrupted | State::Other => BuildState::Interrupted,
    }
}

pub(super) fn is_resumable(state: BuildState) -> bool {
    match state {
        BuildState::Failed | BuildState::Cancelled | BuildState::Interrupted => true,
        BuildState::Queued | BuildState::Running | BuildState::Succeeded => false,
    }
}

pub(super) fn no_such(id: &BuildId) -> Error {
    Error::new(
        Code::NoSuchBuild,
        format!("the history has no build {id}"),
        "Go back to the history.",
    )
}

pub(super) fn failed(error: rusqlite::Error) -> Error {
    Error::new(
        Code::Io,
        "the history of builds cannot be read or written",
        "Check the disk; builds go on without it.",
    )
    .because(error.to_string())
}
