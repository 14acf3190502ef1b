//! The builds that were, read from their journals.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use isosmith_host::fs::Confined;
use isosmith_protocol::{BuildId, BuildResult, EventKind};

use crate::{
    failure::Failure,
    journal::{self, Journal},
    work::{builds, journal_of, lock_of},
};

/// One build as a list shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct BuildSummary {
    /// Which.
    pub id: BuildId,
    /// The profile's name.
    pub profile: String,
    /// Seconds since 1970 when it (or its last resumption) began.
    pub started: u64,
    /// From its beginning to its end, or to the last thing that it said.
    pub took: Duration,
    /// How it ended; `None` while it runs.
    pub result: Option<BuildResult>,
    /// Where the image is, if it was made.
    pub iso: Option<PathBuf>,
    /// Whether [`crate::resume()`] makes sense.
    pub resumable: bool,
}

/// Every build that has begun, newest first. Builds that died get their ending on the way.
///
/// # Errors
///
/// When the folder of the builds cannot be read. A build that cannot be read is left out.
pub fn list(state: &Path) -> Result<Vec<BuildSummary>, Failure> {
    let mut summaries: Vec<_> = folders(state)?
        .iter()
        .filter_map(|(id, folder)| summary(id, folder))
        .collect();
    summaries.sort_by(|a, b| (b.started, &b.id).cmp(&(a.started, &a.id)));
    Ok(summaries)
}

fn summary(id: &BuildId, folder: &Path) -> Option<BuildSummary> {
    if let Err(failure) = Journal::interrupted(folder) {
        tracing::debug!(%failure, %id, "a dead build's journal could not be ended");
    }
    let path = journal_of(folder);
    let EventKind::Hello {
        profile, started, ..
    } = journal::first(&path)?.kind
    else {
        return None;
    };
    let result = journal::ending(&path);
    let iso = match &result {
        Some(BuildResult::Succeeded { iso, .. }) => Some(PathBuf::from(&iso.path)),
        Some(
            BuildResult::Failed { .. }
            | BuildResult::Cancelled
            | BuildResult::Interrupted
            | BuildResult::Unknown,
        )
        | None => None,
    };
    Some(BuildSummary {
        id: id.clone(),
        profile,
        started,
        took: Duration::from_millis(journal::last(&path)?.at_ms),
        resumable: result.as_ref().is_some_and(is_resumable),
        result,
        iso,
    })
}

const fn is_resumable(result: &BuildResult) -> bool {
    match result {
        BuildResult::Failed { .. } | BuildResult::Cancelled | BuildResult::Interrupted => true,
        BuildResult::Succeeded { .. } | BuildResult::Unknown => false,
    }
}

/// The folders of all builds with the ids that they are named after.
pub(crate) fn folders(state: &Path) -> Result<Vec<(BuildId, PathBuf)>, Failure> {
    let builds = builds(state);
    let items = match fs::read_dir(&builds) {
        Ok(items) => items,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Failure::io(format!("read {}", builds.display()), error)),
    };
    Ok(items
        .flatten()
        .filter(|item| item.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter_map(|item| Some((BuildId::parse(item.file_name().to_str()?)?, item.path())))
        .collect())
}

/// However few builds are to be kept, so many of the newest that can be resumed stay.
const RESUMABLE_KEPT: usize = 3;

/// Removes the folders of all finished builds but the newest `keep`, and but the newest
/// three that can be resumed. Running builds stay. Images are not touched: they are
/// elsewhere. Returns the ids of what was removed.
///
/// # Errors
///
/// When a folder cannot be removed.
pub fn prune(state: &Path, keep: usize) -> Result<Vec<BuildId>, Failure> {
    let finished: Vec<_> = list(state)?
        .into_iter()
        .filter(|build| build.result.is_some())
        .collect();
    let mut resumable_seen = 0;
    let mut removed = Vec::new();
    for (index, build) in finished.into_iter().enumerate() {
        resumable_seen += usize::from(build.resumable);
        let stays = index < keep || (build.resumable && resumable_seen <= RESUMABLE_KEPT);
        if !stays && remove(state, &build.id)? {
            removed.push(build.id);
        }
    }
    for id in never_begun(state)? {
        if remove(state, &id)? {
            removed.push(id);
        }
    }
    Ok(removed)
}

/// Builds that still have no readable journal a day after they were asked for.
fn never_begun(state: &Path) -> Result<Vec<BuildId>, Failure> {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let old = |folder: &Path| {
        let changed = folder.metadata().and_then(|meta| meta.modified());
        changed.is_ok_and(|time| time.elapsed().is_ok_and(|age| age > DAY))
    };
    let lost = |folder: &Path| journal::first(&journal_of(folder)).is_none() && old(folder);
    Ok(folders(state)?
        .into_iter()
        .filter(|(_, folder)| lost(folder))
        .map(|(id, _)| id)
        .collect())
}

/// Removes a build's folder unless the build runs.
pub(crate) fn remove(state: &Path, id: &BuildId) -> Result<bool, Failure> {
    let root = builds(state);
    let folder = root.join(id.as_str());
    let Some(_lock) = isosmith_host::fs::lock_exclusive(&lock_of(&folder))? else {
        return Ok(false);
    };
    Confined::new(&root)?.remove_tree(&folder)?;
    Ok(true)
}
