//! Frees the room that builds have taken: first a list, then, if it is wanted, the deed.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use isosmith_protocol::{BuildId, Code};

use crate::{
    cache::{entries, remove},
    failure::Failure,
    history,
    journal::Journal,
    tree::bytes_on_disk,
    work::{self, Work},
};

/// What is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Only what dead builds left half-made.
    Leftovers,
    /// Also finished results that were not used for so long.
    Unused(Duration),
    /// Also the results used longest ago, until the rest takes no more than so many bytes.
    ShrinkTo(u64),
    /// Everything in the cache, downloads too.
    Everything,
}

/// Why something is on the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// A dead build left it half-made.
    Leftover,
    /// A finished layer.
    Layer,
    /// A finished folder.
    Artifact,
    /// A download.
    Download,
}

/// Something that would be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CleanItem {
    /// Where.
    pub path: PathBuf,
    /// On disk.
    pub bytes: u64,
    /// Why it may go.
    pub why: Why,
}

/// What would be removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CleanPlan {
    /// In the order in which it would go.
    pub items: Vec<CleanItem>,
}

impl CleanPlan {
    /// The room that it would free, in bytes.
    pub fn bytes(&self) -> u64 {
        self.items.iter().map(|item| item.bytes).sum()
    }
}

/// Lists what would go. Changes nothing.
pub fn plan(state: &Path, cache: &Path, wanted: Wanted) -> CleanPlan {
    let mut items = leftovers(state, cache, None);
    match wanted {
        Wanted::Leftovers => {}
        Wanted::Unused(age) => {
            let now = SystemTime::now();
            let old = |result: &Finished| {
                now.duration_since(result.last_used)
                    .is_ok_and(|unused| unused >= age)
            };
            items.extend(
                finished(cache)
                    .into_iter()
                    .filter(old)
                    .map(|result| result.item),
            );
        }
        Wanted::ShrinkTo(limit) => {
            let results = finished(cache);
            let mut left: u64 = results.iter().map(|result| result.item.bytes).sum();
            for result in results {
                if left <= limit {
                    break;
                }
                left -= result.item.bytes;
                items.push(result.item);
            }
        }
        Wanted::Everything => {
            items.extend(finished(cache).into_iter().map(|result| result.item));
            items.extend(
                content(&work::pool(cache))
                    .into_iter()
                    .map(|path| item(path, Why::Download)),
            );
        }
    }
    CleanPlan { items }
}

/// Removes what is on the list and returns the bytes freed. What is gone already does not
/// matter.
///
/// # Errors
///
/// [`Code::Locked`] while a build uses the cache; when something on the list is outside
/// `cache` or cannot be removed.
pub fn clean(cache: &Path, plan: &CleanPlan) -> Result<u64, Failure> {
    if !cache.exists() {
        return Ok(0);
    }
    let Some(_lock) = isosmith_host::fs::lock_exclusive(&work::cache_lock(cache))? else {
        return Err(Failure::plain(Code::Locked, "a build is using the cache"));
    };
    let mut freed = 0;
    for item in &plan.items {
        if item.path.symlink_metadata().is_ok() {
            remove(cache, &item.path)?;
            freed += item.bytes;
        }
    }
    Ok(freed)
}

/// What a build with a limit does last: removes what was used or downloaded longest ago until
/// results and downloads take no more than `limit` bytes; results in `keep` stay. What a recipe
/// keeps otherwise in the pool counts, and stays. Returns the bytes freed.
///
/// The caller holds a share of the cache.
///
/// # Errors
///
/// When something cannot be removed.
pub(crate) fn shrink(cache: &Path, limit: u64, keep: &BTreeSet<PathBuf>) -> Result<u64, Failure> {
    let results = finished(cache);
    let of_results: u64 = results.iter().map(|result| result.item.bytes).sum();
    let mut left = of_results + bytes_on_disk(&work::pool(cache));
    if left <= limit {
        return Ok(0);
    }
    let mut old: Vec<_> = results
        .into_iter()
        .filter(|result| !keep.contains(&result.item.path))
        .chain(downloads(cache))
        .collect();
    old.sort_by_key(|one| one.last_used);
    let mut freed = 0;
    for Finished { item, .. } in old {
        if left <= limit {
            break;
        }
        remove(cache, &item.path)?;
        left = left.saturating_sub(item.bytes);
        freed += item.bytes;
    }
    Ok(freed)
}

/// Downloads by content: files in folders whose names are the first two digits of a hash.
fn downloads(cache: &Path) -> Vec<Finished> {
    let is_digits = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| {
            name.len() == 2 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
        })
    };
    content(&work::pool(cache))
        .into_iter()
        .filter(is_digits)
        .flat_map(|folder| content(&folder))
        .map(|path| Finished {
            last_used: fs::symlink_metadata(&path)
                .and_then(|meta| meta.modified())
                .unwrap_or(SystemTime::UNIX_EPOCH),
            item: item(path, Why::Download),
        })
        .collect()
}

/// What every build does first: gives dead builds their ending and removes what they left
/// half-made. Failures here are not the new build's.
pub(crate) fn sweep(work: &Work) {
    for (id, folder) in history::folders(work.state()).unwrap_or_default() {
        if let Err(failure) = Journal::interrupted(&folder) {
            tracing::debug!(%failure, %id, "a dead build's journal could not be ended");
        }
    }
    for leftover in leftovers(work.state(), work.cache(), Some(work.id())) {
        if let Err(failure) = remove(work.cache(), &leftover.path) {
            tracing::debug!(%failure, path = %leftover.path.display(), "a leftover stays");
        }
    }
}

/// What is half-made or half-removed, and not by a running build. What `own` has made, whose
/// lock the caller holds, is left over from an earlier run.
fn leftovers(state: &Path, cache: &Path, own: Option<&BuildId>) -> Vec<CleanItem> {
    content(&work::partials(cache))
        .into_iter()
        .filter(|path| !belongs_to_a_running_build(state, path, own))
        .map(|path| item(path, Why::Leftover))
        .collect()
}

fn belongs_to_a_running_build(state: &Path, partial: &Path, own: Option<&BuildId>) -> bool {
    let name = partial.file_name().and_then(|name| name.to_str());
    let Some(id) = name.and_then(BuildId::parse) else {
        return false;
    };
    let build = work::builds(state).join(id.as_str());
    if Some(&id) == own || !build.is_dir() {
        return false;
    }
    // A lock that cannot be looked at is as good as held.
    !matches!(
        isosmith_host::fs::lock_exclusive(&work::lock_of(&build)),
        Ok(Some(_))
    )
}

struct Finished {
    item: CleanItem,
    last_used: SystemTime,
}

/// Finished results, used longest ago first.
fn finished(cache: &Path) -> Vec<Finished> {
    let shelf = |shelf: PathBuf, why| {
        entries(&shelf).into_iter().map(move |entry| Finished {
            last_used: entry.last_used(),
            item: item(entry.folder().to_owned(), why),
        })
    };
    let mut results: Vec<_> = shelf(work::layers(cache), Why::Layer)
        .chain(shelf(work::artifacts(cache), Why::Artifact))
        .collect();
    results.sort_by_key(|result| result.last_used);
    results
}

fn item(path: PathBuf, why: Why) -> CleanItem {
    CleanItem {
        bytes: bytes_on_disk(&path),
        path,
        why,
    }
}

fn content(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|item| item.path())
        .collect()
}
