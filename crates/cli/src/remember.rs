//! Where the ISOs of builds in the service go: the service has the open folder, this program
//! its name.

use std::{
    fs,
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
};

use isosmith_protocol::BuildId;

use crate::places;

/// So many builds are remembered.
const MOST: usize = 100;

/// Of this person, root too: root's usual folder of builds is the service's.
fn folder() -> Option<PathBuf> {
    places::user_state().map(|state| state.join("handed-over"))
}

/// Remembers it. That it cannot be is no reason to refuse the build.
pub fn output(id: &BuildId, output: &Path) {
    if let Some(folder) = folder() {
        write(&folder, id, output);
    }
}

/// What is remembered.
pub fn output_of(id: &BuildId) -> Option<PathBuf> {
    read(&folder()?, id)
}

fn write(folder: &Path, id: &BuildId, output: &Path) {
    let written = fs::create_dir_all(folder)
        .and_then(|()| fs::write(folder.join(id.as_str()), output.as_os_str().as_bytes()));
    if let Err(error) = written {
        tracing::debug!(%error, "the output folder is not remembered");
    }
    forget_old(folder);
}

fn read(folder: &Path, id: &BuildId) -> Option<PathBuf> {
    let bytes = fs::read(folder.join(id.as_str())).ok()?;
    Some(PathBuf::from(std::ffi::OsString::from_vec(bytes)))
}

/// Ids sort by time.
fn forget_old(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name()).collect();
    names.sort();
    for name in names.iter().rev().skip(MOST) {
        let _ = fs::remove_file(folder.join(name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_remembered() {
        let state = tempfile::tempdir().expect("a folder");
        let id = |n: usize| BuildId::parse(&format!("2026-{n:04}")).expect("an id");
        for n in 0..MOST + 5 {
            write(state.path(), &id(n), Path::new("/out"));
        }
        assert_eq!(read(state.path(), &id(4)), None);
        let newest = read(state.path(), &id(MOST + 4));
        assert_eq!(newest.as_deref(), Some(Path::new("/out")));
    }
}
