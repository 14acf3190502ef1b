//! What an earlier life of the service has left: builds that have ended, builds that have
//! died, requests that nobody has allowed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::BufReader,
    path::Path,
    sync::{Arc, Condvar, Mutex},
};

use isosmith_engine::{Failure, history, journal::Journal};
use isosmith_host::fs::Confined;
use isosmith_protocol::{BuildId, BuildResult, Event, EventKind, line};

use super::{
    Announce, Builds, Inner, REMEMBERED,
    known::{Known, greeting},
};
use crate::{live::Live, places::Places, record::Record, stage::Stage};

impl Builds {
    /// Reads what there is below `places`: builds that died get their ending, and what they
    /// have left is swept away.
    ///
    /// # Errors
    ///
    /// When the folders cannot be read.
    pub fn recover(places: Places, announce: Box<dyn Announce>) -> Result<Arc<Self>, Failure> {
        empty(&places.incoming());
        for id in Record::all(&places.builds())? {
            if let Err(failure) = give_an_ending(&places, &id) {
                tracing::warn!(%failure, %id, "a dead build's journal could not be ended");
            }
        }
        let builds = Arc::new(Self {
            inner: Mutex::new(Inner {
                known: known(&places)?,
                ..Inner::default()
            }),
            places,
            announce,
            more: Condvar::new(),
            floor: Mutex::new(()),
        });
        builds.forget_old();
        Ok(builds)
    }

    /// Forgets the oldest builds, and removes the folders of those that nothing can come of.
    pub fn forget_old(&self) {
        let gone = history::prune(self.places.state(), REMEMBERED).unwrap_or_else(|failure| {
            tracing::warn!(%failure, "old builds could not be forgotten");
            Vec::new()
        });
        let mut inner = self.inner();
        for id in gone {
            inner.known.remove(&id);
        }
        let useful: BTreeSet<BuildId> = inner
            .known
            .iter()
            .filter(|(_, known)| known.run.stage() != Stage::Succeeded)
            .map(|(id, _)| id.clone())
            .collect();
        drop(inner);
        let work = self.places.own_states();
        for entry in fs::read_dir(&work).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let id = name.to_str().and_then(BuildId::parse);
            if id.is_none_or(|id| !useful.contains(&id)) {
                remove(&work, &entry.path());
            }
        }
    }
}

/// A build that waited or ran when the service died is interrupted.
fn give_an_ending(places: &Places, id: &BuildId) -> Result<(), Failure> {
    let record = Record::at(places.record(id));
    let folder = record.folder();
    if has_a_beginning(&record.journal()) {
        return Journal::interrupted(&folder).map(drop);
    }
    let owner = record.owner()?;
    let live = Live::waiting(&record.journal());
    live.begin()?;
    live.end(&greeting(id, &owner), &BuildResult::Interrupted)
        .map_err(|error| Failure::io_at("end", &record.journal(), error))
}

/// Whether a journal got as far as its first event.
fn has_a_beginning(journal: &Path) -> bool {
    let first = File::open(journal)
        .ok()
        .and_then(|file| line::read::<Event>(&mut BufReader::new(file)).ok()?);
    first.is_some_and(|event| matches!(event.kind, EventKind::Hello { .. }))
}

fn known(places: &Places) -> Result<BTreeMap<BuildId, Known>, Failure> {
    let mut known = BTreeMap::new();
    for build in history::list(places.state())? {
        let record = Record::at(places.record(&build.id));
        let owner = match record.owner() {
            Ok(owner) => owner,
            Err(failure) => {
                tracing::warn!(%failure, id = %build.id, "a build cannot be read");
                continue;
            }
        };
        // One that still has no ending is somebody else's to end.
        let Some(result) = build.result else { continue };
        known.insert(build.id, Known::over_before(owner, &record, result));
    }
    Ok(known)
}

/// Removes everything in a folder of ours.
fn empty(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        remove(folder, &entry.path());
    }
}

pub(crate) fn remove(root: &Path, path: &Path) {
    let removed = Confined::new(root).and_then(|root| root.remove_tree(path));
    if let Err(error) = removed {
        tracing::warn!(%error, path = %path.display(), "something is left");
    }
}
