//! The folder that the ISO goes to.

use std::{
    fs,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::{Path, PathBuf},
};

use nix::{
    fcntl::{OFlag, open},
    sys::stat::Mode,
};

use crate::{Error, Result};

/// An open folder that can be written to. The service gets the folder itself, not its name, so
/// nobody can put another one in its place.
#[derive(Debug)]
pub struct OutputFolder {
    path: PathBuf,
    folder: OwnedFd,
}

impl OutputFolder {
    /// Opens `path` and makes it if it is not there.
    ///
    /// # Errors
    ///
    /// When it cannot be made, is no folder, or this person may not write to it: better now
    /// than after the whole build.
    pub fn open(path: &Path) -> Result<Self> {
        fs::create_dir_all(path).map_err(|error| Error::io("make", path, &error))?;
        let path = path
            .canonicalize()
            .map_err(|error| Error::io("open", path, &error))?;
        tempfile::Builder::new()
            .prefix(".isosmith-")
            .tempfile_in(&path)
            .map_err(|error| Error::io("write to", &path, &error))?;
        let folder = OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        // A folder may be for writing only.
        let folder = open(&path, OFlag::O_RDONLY | folder, Mode::empty())
            .or_else(|_| open(&path, OFlag::O_PATH | folder, Mode::empty()))
            .map_err(|error| Error::io("open", &path, &error.into()))?;
        Ok(Self { path, folder })
    }

    /// Where it was when it was opened; absolute, without symbolic links.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl AsFd for OutputFolder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.folder.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use isosmith_protocol::Code;

    use super::*;

    #[test]
    fn a_folder_is_made_and_left_empty() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let wanted = root.path().join("a/b");
        let opened = OutputFolder::open(&wanted).expect("made");
        assert_eq!(opened.path(), wanted.canonicalize().expect("there"));
        let left = fs::read_dir(&wanted).expect("there").count();
        assert_eq!(left, 0, "the trial is taken away again");
    }

    #[test]
    fn what_is_no_folder_is_refused_by_name() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let file = root.path().join("file");
        fs::write(&file, "").expect("written");
        for wanted in [file.clone(), file.join("below"), "/proc/1/nothing".into()] {
            let error = OutputFolder::open(&wanted).expect_err("refused");
            assert!(error.to_string().contains(wanted.to_str().expect("text")));
            assert!([Code::Io, Code::AccessDenied].contains(&error.code()));
        }
    }
}
