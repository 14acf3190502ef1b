//! Who owns what a build reads and writes, seen from outside.

use std::{
    fs::{self, Metadata},
    io,
    os::unix::fs::{MetadataExt, chown, lchown},
    path::Path,
};

use isosmith_engine::{Failure, Work};
use isosmith_host::{fs::Confined, worker::Ids};
use isosmith_protocol::Code;

use crate::{Job, LOCK};

/// Lets the ids inside the build write to its folders.
///
/// # Errors
///
/// [`Code::Internal`] when an earlier build has left a link where a folder or a file of ours
/// must be: root would give away what the link leads to.
pub(crate) fn give_away(job: &Job, work: &Work, ids: &Ids) -> Result<(), Failure> {
    let (uid, gid) = ids.root_outside();
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error| Failure::io_at("give away", &path, error)
    };
    // These two are chosen by whoever starts the build, and no build can replace them.
    for path in [&job.state, &job.cache] {
        let meta = fs::metadata(path).map_err(failed(path))?;
        if meta.uid() != uid {
            chown(path, Some(uid), Some(gid)).map_err(failed(path))?;
        }
    }
    for path in [
        work.builds(),
        work.layers(),
        work.artifacts(),
        work.partials(),
        work.partial(),
        work.pool(),
        work.cache_lock(),
        job.state.join(LOCK),
        job.cache.join(LOCK),
    ] {
        // A resumed build has no half-made things yet.
        let Some(meta) = plain(&path)? else { continue };
        if meta.uid() != uid {
            lchown(&path, Some(uid), Some(gid)).map_err(failed(&path))?;
        }
    }
    give_tree_away(&work.build(), uid, gid).map_err(failed(&work.build()))
}

/// A folder, or a file with one name; `None` if there is nothing.
fn plain(path: &Path) -> Result<Option<Metadata>, Failure> {
    let meta = match fs::symlink_metadata(path) {
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::io_at("look at", path, error)),
    };
    if meta.is_dir() || (meta.is_file() && meta.nlink() == 1) {
        return Ok(Some(meta));
    }
    Err(Failure::new(
        Code::Internal,
        format!("a build has put something odd at {}", path.display()),
        "Remove it, and look at what that build was made of.",
    ))
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
    fn what_a_build_left_is_not_followed() {
        use std::os::unix::fs::symlink;

        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("folder")).expect("made");
        fs::write(at("file"), "").expect("written");
        fs::write(at("twice"), "").expect("written");
        fs::hard_link(at("twice"), at("again")).expect("linked");
        symlink(at("folder"), at("link")).expect("linked");
        symlink("nowhere", at("dangling")).expect("linked");
        for (name, want) in [
            ("folder", Some(true)),
            ("file", Some(true)),
            ("nothing", Some(false)),
            ("twice", None),
            ("link", None),
            ("dangling", None),
        ] {
            let found = plain(&at(name)).map(|meta| meta.is_some()).ok();
            assert_eq!(found, want, "{name}");
        }
    }

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
