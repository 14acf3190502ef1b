//! What a finished build left in its folder: looked at, and removed on request.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read, Seek},
    os::{fd::AsFd, unix::fs::MetadataExt},
    path::Path,
};

use isosmith_inspect::{
    iso9660::{Iso, Kind},
    source::Disk,
};
use isosmith_protocol::Output;
use nix::{
    fcntl::{AtFlags, OFlag, open, openat},
    sys::stat::{Mode, fstatat},
    unistd::{UnlinkatFlags, unlinkat},
};
use serde::{Deserialize, Serialize};

use crate::{download::sum_of, model::PackageLine};

/// What lies beside an ISO is never longer, in bytes.
const MOST_BESIDE: u64 = 64 << 20;

/// A file that a build delivered, as it was then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Delivered {
    /// Its name in the folder of the build.
    pub(super) name: String,
    pub(super) algorithm: String,
    /// In lower-case hexadecimal.
    pub(super) sum: String,
}

/// The file name at the end of a path from elsewhere; `None` for none that is one.
pub(super) fn name_of(path: &str) -> Option<String> {
    let name = Path::new(path).file_name()?.to_str()?;
    (!name.chars().any(char::is_control)).then(|| name.to_owned())
}

/// The files of a finished build with their checksums. The ISO's are those that the build
/// itself took; the small files beside it are read.
pub(super) fn delivered(folder: &Path, iso: &Output, beside: &[String]) -> Vec<Delivered> {
    let strongest = ["sha512", "sha256", "md5"]
        .into_iter()
        .find_map(|algorithm| {
            let sum = iso.checksums.get(algorithm)?;
            Some((algorithm.to_owned(), sum.to_ascii_lowercase()))
        });
    let mut files = Vec::new();
    if let (Some(name), Some((algorithm, sum))) = (name_of(&iso.path), strongest) {
        files.push(Delivered {
            name,
            algorithm,
            sum,
        });
    }
    for name in beside.iter().filter_map(|path| name_of(path)) {
        if let Ok((_, sum)) = read_beside(folder, &name) {
            files.push(Delivered {
                name,
                algorithm: "sha256".to_owned(),
                sum,
            });
        }
    }
    files
}

fn read_beside(folder: &Path, name: &str) -> io::Result<(Vec<u8>, String)> {
    let folder = open_folder(folder)?;
    let mut file = open_in(&folder, name)?;
    let mut bytes = Vec::new();
    file.by_ref().take(MOST_BESIDE).read_to_end(&mut bytes)?;
    let sum = sum_of(&mut bytes.as_slice(), "sha256")?;
    Ok((bytes, sum))
}

/// Packages of the manifest beside the ISO: name, version, architecture, checksum and installed
/// size in KiB in each line, with tabs between; older ones have no size. A manifest that is not there gives none.
pub(super) fn packages(folder: &Path, beside: &[String]) -> Vec<PackageLine> {
    let manifest = beside
        .iter()
        .filter_map(|path| name_of(path))
        .find(|name| name.ends_with(".manifest"));
    let bytes = manifest.and_then(|name| read_beside(folder, &name).ok());
    let text = String::from_utf8(bytes.unwrap_or_default().0).unwrap_or_default();
    let line = |line: &str| {
        let mut words = line.split('\t');
        Some(PackageLine {
            name: words.next().filter(|name| !name.is_empty())?.to_owned(),
            version: words.next()?.to_owned(),
            size: words
                .nth(2)
                .and_then(|kib| kib.parse().ok())
                .map_or(0, |kib: u64| kib.saturating_mul(1024)),
        })
    };
    text.lines().filter_map(line).collect()
}

/// Where the room in an ISO goes: its large files by name, all others together.
pub(super) fn sizes(iso: &Path) -> BTreeMap<String, u64> {
    const OTHERS: &str = "boot files";
    let mut sizes = BTreeMap::new();
    let Ok(disk) = Disk::open(iso) else {
        return sizes;
    };
    let Ok(image) = Iso::open(&disk) else {
        return sizes;
    };
    let walked = image.walk(&mut |path, entry| {
        if entry.kind == Kind::File {
            let name = match path.contains("/live/") {
                true => entry.name.as_str(),
                false => OTHERS,
            };
            *sizes.entry(name.to_owned()).or_insert(0) += entry.size();
        }
        true
    });
    match walked {
        Ok(()) => sizes,
        Err(_) => BTreeMap::new(),
    }
}

/// Removes those files that still are what the build delivered; returns the names of those that
/// are something else, or could not be removed. A file that is gone is as good as removed.
pub(super) fn remove(folder: &Path, files: &[Delivered]) -> Vec<String> {
    let Ok(folder) = open_folder(folder) else {
        let there = |file: &&Delivered| folder.join(&file.name).symlink_metadata().is_ok();
        return files
            .iter()
            .filter(there)
            .map(|file| file.name.clone())
            .collect();
    };
    let stays = |file: &&Delivered| match remove_one(&folder, file) {
        Ok(()) => false,
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    };
    files
        .iter()
        .filter(stays)
        .map(|file| file.name.clone())
        .collect()
}

/// The path was made free of links when the build began; one that has any now is another
/// folder.
fn open_folder(folder: &Path) -> io::Result<File> {
    if folder.canonicalize()? != folder {
        return Err(io::Error::other("the folder was replaced by a link"));
    }
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    Ok(File::from(open(folder, flags, Mode::empty())?))
}

fn open_in(folder: impl AsFd, name: &str) -> io::Result<File> {
    // Without waiting: somebody may have put a pipe there.
    let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    let file = File::from(openat(folder, name, flags, Mode::empty())?);
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::other("is not a file")),
    }
}

fn remove_one(folder: &File, file: &Delivered) -> io::Result<()> {
    let mut opened = open_in(folder, &file.name)?;
    opened.rewind()?;
    if file.sum.is_empty() || sum_of(&mut opened, &file.algorithm)? != file.sum {
        return Err(io::Error::other("is not what the build delivered"));
    }
    let meta = opened.metadata()?;
    let now = fstatat(folder, file.name.as_str(), AtFlags::AT_SYMLINK_NOFOLLOW)?;
    if (now.st_dev, now.st_ino) != (meta.dev(), meta.ino()) {
        return Err(io::Error::other("was replaced meanwhile"));
    }
    unlinkat(folder, file.name.as_str(), UnlinkatFlags::NoRemoveDir)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;

    fn file(name: &str, content: &str) -> Delivered {
        Delivered {
            name: name.to_owned(),
            algorithm: "sha256".to_owned(),
            sum: sum_of(&mut content.as_bytes(), "sha256").unwrap(),
        }
    }

    #[test]
    fn only_what_was_delivered_is_removed() {
        let root = tempfile::tempdir().unwrap();
        let out = root.path().canonicalize().unwrap().join("out");
        fs::create_dir(&out).unwrap();
        fs::write(root.path().join("precious"), "iso").unwrap();
        fs::write(out.join("a.iso"), "iso").unwrap();
        fs::write(out.join("changed.iso"), "of somebody else").unwrap();
        symlink(root.path().join("precious"), out.join("link.iso")).unwrap();
        fs::create_dir(out.join("folder.iso")).unwrap();
        let files = ["a.iso", "changed.iso", "link.iso", "folder.iso", "gone.iso"]
            .map(|name| file(name, "iso"));
        let left = remove(&out, &files);
        assert_eq!(left, ["changed.iso", "link.iso", "folder.iso"]);
        assert!(!out.join("a.iso").exists());
        assert!(root.path().join("precious").exists());
        assert!(out.join("link.iso").symlink_metadata().is_ok());

        let other = root.path().canonicalize().unwrap().join("other");
        symlink(&out, &other).unwrap();
        fs::write(out.join("a.iso"), "iso").unwrap();
        assert_eq!(
            remove(&other, &files[..1]),
            ["a.iso"],
            "a link is another folder"
        );
        assert!(out.join("a.iso").exists());
    }

    #[test]
    fn names_from_elsewhere_lead_nowhere_else() {
        assert_eq!(name_of("/srv/out/a.iso").as_deref(), Some("a.iso"));
        for path in ["", "/", "..", "a/..", "a\nb"] {
            assert_eq!(name_of(path), None, "{path:?}");
        }
        assert_eq!(name_of("../../etc/passwd").as_deref(), Some("passwd"));
    }
}
