//! The service's own folders, and that nobody else can change them.
//!
//! ```text
//! STATE/            root's, 0700
//!   builds/ID/      owner.json job.json journal.jsonl session.json inputs/ — never seen by a build
//!   incoming/N/     a request until it is allowed
//!   work/ID/        the build's own; belongs to the ids inside
//! CACHE/            root's, 0700
//!   work/           the builds' own; belongs to the ids inside
//! ```

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use isosmith_engine::{Failure, Work};
use isosmith_protocol::{BuildId, Code};

/// See the module.
#[derive(Debug, Clone)]
pub struct Places {
    state: PathBuf,
    cache: PathBuf,
}

impl Places {
    /// Makes the folders that are missing, and takes those that are there if they are ours
    /// alone.
    ///
    /// # Errors
    ///
    /// When one of them is a link, belongs to somebody else, or may be written by others.
    pub fn open(state: &Path, cache: &Path) -> Result<Self, Failure> {
        for top in [state, cache] {
            ours(top)?;
        }
        let real = |path: &Path| {
            path.canonicalize()
                .map_err(|error| Failure::io_at("open", path, error))
        };
        let places = Self {
            state: real(state)?,
            cache: real(cache)?,
        };
        for folder in [places.builds(), places.incoming(), places.own_states()] {
            ours(&folder)?;
        }
        Ok(places)
    }

    /// What all builds share and must not lose.
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// The top of the cache.
    pub fn cache(&self) -> &Path {
        &self.cache
    }

    /// Requests that are not yet allowed.
    pub fn incoming(&self) -> PathBuf {
        self.state.join("incoming")
    }

    /// What is known of the builds.
    pub fn builds(&self) -> PathBuf {
        self.state.join("builds")
    }

    /// What is known of one build; not the build's own folder.
    pub fn record(&self, id: &BuildId) -> Work {
        Work::new(&self.state, &self.cache, id)
    }

    /// The folders that builds are given for themselves.
    pub fn own_states(&self) -> PathBuf {
        self.state.join("work")
    }

    /// The state folder that a build is given for itself.
    pub fn own_state(&self, id: &BuildId) -> PathBuf {
        self.own_states().join(id.as_str())
    }

    /// The cache that builds are given.
    pub fn own_cache(&self) -> PathBuf {
        self.cache.join("work")
    }

    /// The folders that a build works in.
    pub fn work(&self, id: &BuildId) -> Work {
        Work::new(&self.own_state(id), &self.own_cache(), id)
    }

    /// Looks whether a dead build has left links where root is about to walk: to its own
    /// folders, and to what every build shares. No build may run, or it could put one there
    /// after the look.
    ///
    /// # Errors
    ///
    /// [`Code::Internal`] with what was found.
    pub fn look_for_traps(&self, id: &BuildId) -> Result<(), Failure> {
        let work = self.work(id);
        let paths = [
            work.state().to_owned(),
            work.state().join("build.lock"),
            work.builds(),
            work.build(),
            work.journal(),
            work.lock(),
            work.cancel_flag(),
            work.inputs(),
            work.root(),
            work.outputs(),
            work.report(),
            work.partial(),
        ];
        self.look_for_traps_in_cache()?;
        no_links(&paths)
    }

    /// Like [`Places::look_for_traps`], for what every build shares alone.
    ///
    /// # Errors
    ///
    /// [`Code::Internal`] with what was found.
    pub fn look_for_traps_in_cache(&self) -> Result<(), Failure> {
        let cache = self.own_cache();
        let inner = [
            "build.lock",
            "lock",
            "layers",
            "artifacts",
            "partial",
            "pool",
        ]
        .map(|name| cache.join(name));
        no_links(&[cache])?;
        no_links(&inner)
    }
}

/// Folders and ordinary files with one name each, or nothing.
fn no_links(paths: &[PathBuf]) -> Result<(), Failure> {
    for path in paths {
        let meta = match fs::symlink_metadata(path) {
            Ok(meta) => meta,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(Failure::io_at("look at", path, error)),
        };
        let plain = meta.is_dir() || (meta.is_file() && meta.nlink() == 1);
        if !plain {
            return Err(Failure::new(
                Code::Internal,
                format!("a build has put something odd at {}", path.display()),
                "Remove it, and look at what that build was made of.",
            ));
        }
    }
    Ok(())
}

/// Makes a folder for us alone, or checks that the one there is.
fn ours(folder: &Path) -> Result<(), Failure> {
    let made = fs::DirBuilder::new().mode(0o700).create(folder);
    match made {
        Ok(()) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(Failure::io_at("make", folder, error)),
    }
    let meta =
        fs::symlink_metadata(folder).map_err(|error| Failure::io_at("look at", folder, error))?;
    let me = nix::unistd::Uid::effective().as_raw();
    if !meta.is_dir() || meta.uid() != me || meta.mode() & 0o022 != 0 {
        return Err(Failure::new(
            Code::AccessDenied,
            format!(
                "{} is not a folder that belongs to the service alone",
                folder.display()
            ),
            "Move it away; the service makes a new one.",
        ));
    }
    if meta.mode() & 0o077 != 0 {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
            .map_err(|error| Failure::io_at("close", folder, error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn folders_that_others_could_change_are_refused() {
        type Prepare = fn(&Path);
        let cases: [(&str, Prepare, bool); 6] = [
            ("nothing there", |_| {}, true),
            (
                "an open folder of ours",
                |path| {
                    fs::create_dir(path).expect("made");
                    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("set");
                },
                true,
            ),
            (
                "a folder that everybody may write",
                |path| {
                    fs::create_dir(path).expect("made");
                    fs::set_permissions(path, fs::Permissions::from_mode(0o777)).expect("set");
                },
                false,
            ),
            (
                "a folder of somebody else",
                |path| {
                    fs::create_dir(path).expect("made");
                    let given = std::os::unix::fs::chown(path, Some(65_534), None);
                    // An ordinary user cannot give it away; then it is not there.
                    if given.is_err() {
                        fs::remove_dir(path).expect("removed");
                        symlink("/", path).expect("linked");
                    }
                },
                false,
            ),
            (
                "a link",
                |path| symlink("/tmp", path).expect("linked"),
                false,
            ),
            (
                "a file",
                |path| fs::write(path, "").expect("written"),
                false,
            ),
        ];
        for (name, prepare, want) in cases {
            let root = tempfile::tempdir().expect("a temporary folder");
            let (state, cache) = (root.path().join("state"), root.path().join("cache"));
            prepare(&state);
            let opened = Places::open(&state, &cache);
            assert_eq!(opened.is_ok(), want, "{name}");
            if want {
                let mode = fs::metadata(&state).expect("there").mode();
                assert_eq!(mode & 0o7777, 0o700, "{name}");
            }
        }
    }

    #[test]
    fn what_a_build_leaves_is_looked_at_before_root_walks_there() {
        let id = BuildId::parse("20260101-000000-x-0001").expect("an id");
        type Lay = fn(&Work, &Path);
        let cases: [(&str, Lay, bool); 6] = [
            ("plain", |_, _| {}, true),
            (
                "the folder of builds",
                |work, target| {
                    fs::remove_dir_all(work.builds()).expect("removed");
                    symlink(target, work.builds()).expect("linked");
                },
                false,
            ),
            (
                "the journal",
                |work, target| symlink(target, work.journal()).expect("linked"),
                false,
            ),
            (
                "a hard link",
                |work, target| fs::hard_link(target.join("file"), work.lock()).expect("linked"),
                false,
            ),
            (
                "the pool",
                |work, target| {
                    fs::remove_dir(work.pool()).expect("removed");
                    symlink(target, work.pool()).expect("linked");
                },
                false,
            ),
            (
                "the lock of the cache",
                |work, target| symlink(target, work.cache_lock()).expect("linked"),
                false,
            ),
        ];
        for (name, lay, want) in cases {
            let root = tempfile::tempdir().expect("a temporary folder");
            let target = root.path().join("target");
            fs::create_dir(&target).expect("made");
            fs::write(target.join("file"), "").expect("written");
            let places = Places::open(&root.path().join("state"), &root.path().join("cache"))
                .expect("opened");
            let work = places.work(&id);
            work.create().expect("made");
            lay(&work, &target);
            assert_eq!(places.look_for_traps(&id).is_ok(), want, "{name}");
        }
    }
}
