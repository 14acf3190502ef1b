//! Packages and what they cost, from catalogues of the archives that the open drafts use.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use isosmith_catalogue::{Catalogue, Selection, Sources, State, mirrors::Machine};
use isosmith_protocol::Code;
use isosmith_spec::BuildSpec;
use isosmith_studio::model::{PackageCost, PackageHit, PackageHits, SearchState, Totals};
use nix::sys::statvfs::statvfs;

use super::{Controller, locked};
use crate::fault::{Answer, Fault};

/// Catalogues that stay open: of the draft at work and of the one before.
const MOST: usize = 2;

/// The catalogues of the archives that drafts take packages from.
pub(super) struct Catalogues {
    folder: PathBuf,
    machine: Machine,
    /// The one used last stands last.
    open: Mutex<Vec<Arc<Catalogue>>>,
    /// What was chosen last: typing a query asks for the same each time.
    chosen: Mutex<Option<Chosen>>,
}

struct Chosen {
    spec: BuildSpec,
    sources: String,
    generation: u64,
    selection: Arc<Selection>,
}

impl Catalogues {
    /// None yet; lists are kept below `cache`.
    pub(super) fn new(cache: &Path) -> Self {
        Self {
            folder: cache.join("catalogue"),
            machine: Machine::read(Path::new("/")),
            open: Mutex::default(),
            chosen: Mutex::default(),
        }
    }

    fn of(&self, spec: &BuildSpec) -> Arc<Catalogue> {
        let sources = Sources::of(spec, &self.machine);
        let id = sources.id();
        let mut open = locked(&self.open);
        let known = open
            .iter()
            .position(|catalogue| catalogue.sources().id() == id);
        let catalogue = match known {
            Some(index) => open.remove(index),
            None => Arc::new(Catalogue::open(&self.folder, sources)),
        };
        open.push(Arc::clone(&catalogue));
        if open.len() > MOST {
            open.remove(0);
        }
        catalogue
    }

    /// What a spec comes to, as far as its archives are known.
    fn select(&self, catalogue: &Catalogue, spec: &BuildSpec) -> Option<Arc<Selection>> {
        let generation = catalogue.status().generation;
        let sources = catalogue.sources().id();
        let mut chosen = locked(&self.chosen);
        if let Some(known) = &*chosen
            && (known.generation, &known.sources, &known.spec) == (generation, &sources, spec)
        {
            return Some(Arc::clone(&known.selection));
        }
        let selection = Arc::new(catalogue.select(spec)?);
        *chosen = Some(Chosen {
            spec: spec.clone(),
            sources,
            generation,
            selection: Arc::clone(&selection),
        });
        Some(selection)
    }
}

impl Controller {
    /// The spec of a draft, where its problems let one be made.
    fn spec(&self, id: &str) -> Answer<Option<BuildSpec>> {
        Ok(locked(&self.drafts).spec(id)?.cloned())
    }

    /// What a draft costs.
    ///
    /// # Errors
    ///
    /// When there is no such draft. What is not known is [`None`].
    pub fn totals(&self, id: &str) -> Answer<Totals> {
        let folder = self.settings().output;
        let free = free(Path::new(&folder));
        let unknown = Totals {
            folder,
            free,
            ..Totals::default()
        };
        let Some(spec) = self.spec(id)? else {
            return Ok(unknown);
        };
        let catalogue = self.catalogues.of(&spec);
        let known = self
            .catalogues
            .select(&catalogue, &spec)
            .map(|selection| selection.totals());
        let profile = spec.profile.name.as_str();
        // Without a history nothing is known.
        let seconds = locked(&self.history).usual_seconds(profile).unwrap_or(None);
        let Some(known) = known else {
            return Ok(Totals { seconds, ..unknown });
        };
        Ok(Totals {
            packages: Some(known.packages),
            download: Some(known.download),
            installed: Some(known.installed),
            iso: Some(known.iso),
            seconds,
            exact: known.exact && catalogue.state() == State::Ready,
            ..unknown
        })
    }

    /// Searches the archives of a draft.
    ///
    /// # Errors
    ///
    /// When there is no such draft.
    pub fn search(&self, id: &str, query: &str, limit: usize) -> Answer<PackageHits> {
        let Some(spec) = self.spec(id)? else {
            return Ok(PackageHits {
                hits: Vec::new(),
                total: 0,
                took: 0,
                state: SearchState::Loading,
            });
        };
        let catalogue = self.catalogues.of(&spec);
        let selection = self.catalogues.select(&catalogue, &spec);
        let found = catalogue.search(query, limit, selection.as_deref());
        let hits = found.hits.into_iter().map(|hit| PackageHit {
            name: hit.name,
            version: hit.version,
            section: hit.section,
            description: hit.description,
            size: hit.size,
            installed: hit.installed,
        });
        Ok(PackageHits {
            hits: hits.collect(),
            total: found.total as u64,
            took: u64::try_from(found.took.as_millis()).unwrap_or(u64::MAX),
            state: match catalogue.state() {
                State::Ready => SearchState::Ready,
                State::Loading => SearchState::Loading,
                State::Offline => SearchState::Offline,
            },
        })
    }

    /// What one more package would bring along.
    ///
    /// # Errors
    ///
    /// [`Code::PackageUnknown`] when the archives are not known yet, or have no such package.
    pub fn cost(&self, id: &str, name: &str) -> Answer<PackageCost> {
        let unknown = || {
            Fault::new(
                Code::PackageUnknown,
                format!("nothing is known about the package {name}"),
                "Look whether its name is right, and whether the mirror can be reached.",
            )
        };
        let spec = self.spec(id)?.ok_or_else(unknown)?;
        let catalogue = self.catalogues.of(&spec);
        let selection = self
            .catalogues
            .select(&catalogue, &spec)
            .ok_or_else(unknown)?;
        let cost = selection.cost(name);
        if cost.packages.is_empty() && !cost.missing.is_empty() {
            return Err(unknown());
        }
        Ok(PackageCost {
            packages: cost.packages,
            download: cost.download,
            installed: cost.installed,
        })
    }
}

/// What is free for this person on the disk of `folder`, which need not exist yet, in bytes.
fn free(folder: &Path) -> u64 {
    let there = folder.ancestors().find(|folder| folder.exists());
    there
        .and_then(|folder| statvfs(folder).ok())
        .map_or(0, |disk| disk.blocks_available() * disk.fragment_size())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_known_also_for_a_folder_that_is_yet_to_be_made() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(free(folder.path()) > 0);
        assert!(free(&folder.path().join("a/b")) > 0);
    }
}
