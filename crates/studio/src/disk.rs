//! Reading with a limit, writing whole or not at all.

use std::{
    fs::{self, File, Permissions},
    io::{self, Read, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
};

/// Reads at most `most` bytes of a regular file.
///
/// # Errors
///
/// Also when it is longer, or is no regular file (a pipe would never end).
pub(crate) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    // Looked at before it is opened: opening a pipe waits for its other end.
    let plain = |meta: &fs::Metadata| match meta.is_file() {
        true => Ok(()),
        false => Err(io::Error::other("is not a file")),
    };
    plain(&fs::metadata(path)?)?;
    let file = File::open(path)?;
    plain(&file.metadata()?)?;
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("is larger than {} KiB", most >> 10),
        ));
    }
    Ok(bytes)
}

/// [`read()`] as text.
///
/// # Errors
///
/// Also when it is not UTF-8.
pub(crate) fn read_text(path: &Path, most: u64) -> io::Result<String> {
    String::from_utf8(read(path, most)?)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "is not text in UTF-8"))
}

/// Puts a file in its place when it is whole and on the disk; an older one keeps its
/// permissions. A symbolic link stays one: its target is replaced.
///
/// # Errors
///
/// Then the older file is as it was.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let older = fs::metadata(&real).map(|meta| meta.permissions());
    let mode = older.unwrap_or_else(|_| Permissions::from_mode(0o644));
    replace(&real, bytes, mode)
}

/// [`write()`] for what is nobody else's business: folder 0700, file 0600.
///
/// # Errors
///
/// As there.
pub(crate) fn write_own(path: &Path, bytes: &[u8]) -> io::Result<()> {
    own_folder(path.parent().unwrap_or(Path::new("/")))?;
    replace(path, bytes, Permissions::from_mode(0o600))
}

/// Makes a folder for one person's own data.
///
/// # Errors
///
/// When it cannot be made.
pub(crate) fn own_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
}

fn replace(path: &Path, bytes: &[u8], mode: Permissions) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut file = tempfile::Builder::new()
        .prefix(".isosmith-")
        .tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().set_permissions(mode)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}

/// Puts what cannot be read out of the way, under a name that is free, for a person to look at.
///
/// # Errors
///
/// When it cannot be renamed.
pub(crate) fn aside(path: &Path) -> io::Result<std::path::PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let free = (1..1000)
        .map(|number| path.with_file_name(format!("{name}.broken-{number}")))
        .find(|other| other.symlink_metadata().is_err())
        .ok_or_else(|| io::Error::other("too many broken ones are there"))?;
    fs::rename(path, &free)?;
    Ok(free)
}
