//! Who owns what a build reads and writes, seen from outside.

use std::{
    fs, io,
    os::unix::fs::{MetadataExt, chown, lchown},
    path::Path,
};

use isosmith_engine::{Failure, Work};
use isosmith_host::{fs::Confined, worker::Ids};

use crate::{Job, LOCK};

/// Lets the ids inside the build write to its folders.
pub(crate) fn give_away(job: &Job, work: &Work, ids: &Ids) -> Result<(), Failure> {
    let (uid, gid) = ids.root_outside();
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error| Failure::io_at("give away", &path, error)
    };
    for path in [
        &job.state,
        &job.cache,
        &work.builds(),
        &work.layers(),
        &work.artifacts(),
        &work.partials(),
        &work.partial(),
        &work.pool(),
    ] {
        // A resumed build has no half-made things yet.
        if !path.exists() {
            continue;
        }
        let meta = fs::metadata(path).map_err(failed(path))?;
        if meta.uid() != uid {
            chown(path, Some(uid), Some(gid)).map_err(failed(path))?;
        }
    }
    for file in [
        work.cache_lock(),
        job.state.join(LOCK),
        job.cache.join(LOCK),
    ] {
        if file.exists() {
            chown(&file, Some(uid), Some(gid)).map_err(failed(&file))?;
        }
    }
    give_tree_away(&work.build(), uid, gid).map_err(failed(&work.build()))
}

fn give_tree_away(path: &Path, uid: u32, gid: u32) -> io::Result<()> {
    let meta = fs::symlink_metadata(path)?;
    if meta.uid() != uid {
        lchown(path, Some(uid), Some(gid))?;
    }
    if meta.is_dir() {
        for entry in fs::read_dir(path)? {
            give_tree_away(&entry?.path(), uid, gid)?;
        }
    }
    Ok(())
}

/// Removes layers and artifacts that were made with other ids, as before a kernel lost its
/// user namespaces: the files in them would have owners in the image that nobody meant.
pub(crate) fn drop_strange_entries(work: &Work, ids: &Ids) -> Result<(), Failure> {
    let (uid, _) = ids.root_outside();
    for folder in [work.layers(), work.artifacts()] {
        // No folder, no entries.
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let entry = entry.map_err(|error| Failure::io_at("list", &folder, error))?;
            let meta = entry
                .metadata()
                .map_err(|error| Failure::io_at("look at", &entry.path(), error))?;
            if meta.uid() == uid {
                continue;
            }
            tracing::warn!(entry = %entry.path().display(), "made with other ids, and made anew");
            Confined::new(work.cache())?.remove_tree(&entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use isosmith_host::worker::Weaker;
    use isosmith_protocol::BuildId;

    use super::*;

    #[test]
    fn only_entries_of_other_ids_are_dropped() {
        let folder = tempfile::tempdir().expect("a folder");
        let work = Work::new(
            &folder.path().join("state"),
            &folder.path().join("cache"),
            &BuildId::compose(1, "test", 1),
        );
        let ours = fs::metadata(folder.path()).expect("made above").uid();
        let entry = work.layers().join("base-1");
        let make = || fs::create_dir_all(entry.join("fs")).expect("a folder of ours");
        let ids = |first| Ids::Range { first };

        make();
        drop_strange_entries(&work, &ids(ours)).expect("nothing to do");
        assert!(entry.exists(), "an entry of the same ids is gone");
        drop_strange_entries(&work, &ids(ours + 1)).expect("it is ours to remove");
        assert!(!entry.exists(), "an entry of other ids is left");
        if ours == 0 {
            make();
            drop_strange_entries(&work, &Ids::Same(Weaker::Hybrid)).expect("nothing to do");
            assert!(entry.exists(), "root's own entry is gone");
        }
    }
}
