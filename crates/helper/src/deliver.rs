//! What is done in an output folder, by a child that has become the folder's user.
//!
//! The child has the folder and the finished files as descriptors, and nothing of root's. It
//! opens by name only in that folder, never through a link.

use std::{
    fs::{self, File},
    io::{self, Write},
    os::{fd::OwnedFd, unix::fs::PermissionsExt},
};

use isosmith_host::user::descriptor;
use nix::{
    errno::Errno,
    fcntl::{AtFlags, OFlag, openat, renameat},
    sys::stat::Mode,
    unistd::{AccessFlags, UnlinkatFlags, faccessat, unlinkat},
};
use serde::{Deserialize, Serialize};

/// The folder's descriptor in the child; the files follow.
pub const FOLDER: i32 = 3;

/// What the child is to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Task {
    /// See whether files can be made there.
    Look,
    /// Copy the files there.
    Place {
        /// Under these names, in this order.
        names: Vec<String>,
    },
    /// Remove what a killed child has left of its work.
    Tidy {
        /// What it was to copy.
        names: Vec<String>,
        /// Its process id.
        number: u32,
    },
}

/// What the child has to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Answer {
    /// It is done.
    Done,
    /// It could not be done.
    Failed {
        /// What could not, after "could not".
        doing: String,
        /// `errno`, or 0.
        code: i32,
        /// In words.
        cause: String,
    },
}

/// The child's work; see [`isosmith_host::user::entry`]. Returns the exit status.
pub fn as_user(task: &str) -> i32 {
    let answer = match work(task) {
        Ok(()) => Answer::Done,
        Err((doing, error)) => Answer::Failed {
            doing,
            code: error.raw_os_error().unwrap_or(0),
            cause: error.to_string(),
        },
    };
    let told = serde_json::to_string(&answer)
        .map_err(io::Error::other)
        .and_then(|text| writeln!(io::stdout(), "{text}"));
    i32::from(told.is_err() || answer != Answer::Done)
}

type Failed = (String, io::Error);

fn work(task: &str) -> Result<(), Failed> {
    let failed = |doing: &str| {
        let doing = doing.to_owned();
        move |error| (doing, error)
    };
    let task: Task = serde_json::from_str(task)
        .map_err(io::Error::other)
        .map_err(failed("read the task"))?;
    let given = descriptor(FOLDER).map_err(failed("find the output folder"))?;
    // A folder that was opened as a mere place cannot be synced.
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let folder = openat(&given, ".", flags, Mode::empty())
        .map_err(io::Error::from)
        .map_err(failed("open the output folder"))?;
    match task {
        Task::Look => look(&folder).map_err(failed("write into the output folder")),
        Task::Tidy { names, number } => {
            for name in &names {
                match unlinkat(
                    &folder,
                    hidden(name, number).as_str(),
                    UnlinkatFlags::NoRemoveDir,
                ) {
                    Ok(()) | Err(Errno::ENOENT) => {}
                    Err(error) => return Err(error.into()).map_err(failed("tidy up")),
                }
            }
            Ok(())
        }
        Task::Place { names } => {
            for (name, number) in names.iter().zip(FOLDER + 1..) {
                descriptor(number)
                    .and_then(|source| place(&folder, &File::from(source), name))
                    .map_err(failed(&format!("write {name} into the output folder")))?;
            }
            File::from(folder)
                .sync_all()
                .map_err(failed("finish writing into the output folder"))
        }
    }
}

fn look(folder: &OwnedFd) -> io::Result<()> {
    let rights = AccessFlags::W_OK | AccessFlags::X_OK;
    Ok(faccessat(folder, ".", rights, AtFlags::AT_EACCESS)?)
}

/// The name of a file on its way.
fn hidden(name: &str, number: u32) -> String {
    format!(".{name}.{number}.part")
}

fn place(folder: &OwnedFd, source: &File, name: &str) -> io::Result<()> {
    if name.is_empty() || name.starts_with('.') || name.contains('/') {
        return Err(io::ErrorKind::InvalidFilename.into());
    }
    let hidden = hidden(name, std::process::id());
    let flags =
        OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let fd = match openat(
        folder,
        hidden.as_str(),
        flags,
        Mode::from_bits_truncate(0o644),
    ) {
        // Of a run of the same number that was killed; ours to remove, and a link only as itself.
        Err(Errno::EEXIST) => {
            unlinkat(folder, hidden.as_str(), UnlinkatFlags::NoRemoveDir)?;
            openat(
                folder,
                hidden.as_str(),
                flags,
                Mode::from_bits_truncate(0o644),
            )?
        }
        other => other?,
    };
    let copy = || -> io::Result<()> {
        let mut file = File::from(fd);
        io::copy(&mut &*source, &mut file)?;
        file.set_permissions(fs::Permissions::from_mode(0o644))?;
        file.sync_all()?;
        Ok(renameat(folder, hidden.as_str(), folder, name)?)
    };
    copy().inspect_err(|_| {
        let _ = unlinkat(folder, hidden.as_str(), UnlinkatFlags::NoRemoveDir);
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, symlink};

    use super::*;

    fn folder(root: &std::path::Path) -> OwnedFd {
        File::open(root).expect("opened").into()
    }

    #[test]
    fn a_file_arrives_whole_and_replaces_a_link_not_its_target() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let to = root.path().join("to");
        fs::create_dir(&to).expect("made");
        let target = root.path().join("target");
        fs::write(&target, "untouched").expect("written");
        symlink(&target, to.join("x.iso")).expect("linked");
        let source = root.path().join("source");
        fs::write(&source, "an image").expect("written");
        let source = File::open(source).expect("opened");
        place(&folder(&to), &source, "x.iso").expect("placed");
        assert_eq!(fs::read_to_string(&target).expect("there"), "untouched");
        let placed = fs::symlink_metadata(to.join("x.iso")).expect("there");
        assert!(placed.is_file());
        assert_eq!(placed.mode() & 0o7777, 0o644);
        assert_eq!(fs::read_dir(&to).expect("there").count(), 1);
    }

    #[test]
    fn a_name_stays_in_the_folder() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let to = root.path().join("to");
        fs::create_dir(&to).expect("made");
        let source = File::open("/dev/null").expect("opened");
        for name in ["", ".", "..", ".bashrc", "../x.iso", "/x.iso", "a/x.iso"] {
            assert!(place(&folder(&to), &source, name).is_err(), "{name}");
        }
        assert_eq!(fs::read_dir(&to).expect("there").count(), 0);
        assert_eq!(fs::read_dir(root.path()).expect("there").count(), 1);
    }

    #[test]
    fn a_failed_copy_leaves_what_was_there() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let to = root.path().join("to");
        fs::create_dir(&to).expect("made");
        fs::write(to.join("x.iso"), "old").expect("written");
        // A folder can be opened, not read.
        let source = File::open(root.path()).expect("opened");
        place(&folder(&to), &source, "x.iso").expect_err("cannot be read");
        assert_eq!(fs::read_to_string(to.join("x.iso")).expect("there"), "old");
        assert_eq!(fs::read_dir(&to).expect("there").count(), 1);
    }
}
