//! Finished files, moved to where the person wants them.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::Path,
};

use isosmith_engine::Failure;

/// Moves the ISO and its companions from the build's folder into `to`: each appears under its
/// final name only when it is whole and on the disk, the ISO last.
///
/// # Errors
///
/// When something cannot be written; what was there before then still is.
pub fn deliver(from: &Path, to: &Path, iso: &str, files: &[String]) -> Result<(), Failure> {
    let owner = fs::metadata(to).map_err(|error| Failure::io_at("open", to, error))?;
    for name in files.iter().map(String::as_str).chain([iso]) {
        // Whoever owns the folder owns what is put into it; an ISO of root's in a person's
        // own folder would only be in the way.
        place(&from.join(name), to, name, (owner.uid(), owner.gid()))
            .map_err(|error| Failure::io_at("write", &to.join(name), error))?;
    }
    File::open(to)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| Failure::io_at("write", to, error))
}

fn place(from: &Path, to: &Path, name: &str, owner: (u32, u32)) -> io::Result<()> {
    let own = |file: &Path| -> io::Result<()> {
        let meta = fs::metadata(file)?;
        if (meta.uid(), meta.gid()) != owner {
            chown(file, Some(owner.0), Some(owner.1))?;
        }
        fs::set_permissions(file, fs::Permissions::from_mode(0o644))
    };
    // On one filesystem nothing is copied; the build has written the file to the disk.
    if fs::metadata(from)?.dev() == fs::metadata(to)?.dev() {
        own(from)?;
        File::open(from)?.sync_all()?;
        return fs::rename(from, to.join(name));
    }
    let temporary = to.join(format!(".{name}.{}.part", std::process::id()));
    let copy = || -> io::Result<()> {
        fs::copy(from, &temporary)?;
        own(&temporary)?;
        File::open(&temporary)?.sync_all()?;
        fs::rename(&temporary, to.join(name))
    };
    copy().inspect_err(|_| drop(fs::remove_file(&temporary)))?;
    fs::remove_file(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_arrive_whole_and_an_old_one_is_replaced() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let (from, to) = (root.path().join("from"), root.path().join("to"));
        fs::create_dir_all(&from).expect("made");
        fs::create_dir_all(&to).expect("made");
        fs::write(from.join("x.iso"), "new").expect("written");
        fs::write(from.join("x.iso.sha256"), "sum").expect("written");
        fs::write(to.join("x.iso"), "old and longer").expect("written");
        deliver(&from, &to, "x.iso", &["x.iso.sha256".to_owned()]).expect("delivered");
        assert_eq!(fs::read_to_string(to.join("x.iso")).expect("there"), "new");
        assert_eq!(
            fs::read_dir(&to).expect("there").count(),
            2,
            "nothing half-made is left"
        );
        assert!(
            fs::read_dir(&from).expect("there").next().is_none(),
            "moved, not copied"
        );
    }
}
