//! The profile's files, put where the build finds them.

use std::{fs, io, os::unix::fs::DirBuilderExt, path::Path};

use isosmith_engine::{Failure, Work};
use isosmith_host::fs::Confined;

/// Copies the sealed files at `sealed` into the build's folder. Each run gets fresh ones: what
/// the last one had was its own to change.
///
/// # Errors
///
/// When the disk is full or broken.
pub fn renew(sealed: &Path, work: &Work) -> Result<(), Failure> {
    let to = work.inputs();
    Confined::new(work.state())?.remove_tree(&to)?;
    copy_folder(sealed, &to).map_err(|error| Failure::io_at("copy files to", &to, error))
}

/// Both sides belong to root alone: nobody can put a link in the way.
fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    let meta = fs::metadata(from)?;
    fs::DirBuilder::new().mode(0o700).create(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (inner, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type()?;
        if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(&inner)?, &target)?;
        } else if kind.is_dir() {
            copy_folder(&inner, &target)?;
        } else {
            // Shares the blocks where the filesystem can.
            fs::copy(&inner, &target)?;
        }
    }
    fs::set_permissions(to, meta.permissions())
}
