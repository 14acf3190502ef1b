//! A folder as a stream of bytes: one descriptor instead of a tree of them.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufWriter, Read, Seek, Write},
    os::{
        fd::AsRawFd,
        unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt},
    },
    path::Path,
};

use nix::libc;
use tar::{Builder, EntryType, Header};

/// The most that one folder may hold, as the service has it.
const MOST_FILES: usize = 100_000;
const MOST_BYTES: u64 = 4 << 30;

/// The most that all files together may hold, as the service has it.
const MOST_BUNDLED: u64 = 8 << 30;

/// Packs `folder` into a nameless file and returns that, open for reading from its beginning.
///
/// The stream is GNU tar without an entry for the folder itself. Names are sorted; owners,
/// times and all permissions but "may be executed" are left out, so that the same tree gives
/// the same bytes.
///
/// # Errors
///
/// When something cannot be read, is neither file, folder nor symbolic link, or is too much;
/// the message names it.
pub(crate) fn pack(folder: &Path) -> io::Result<File> {
    let mut file = nameless()?;
    let itself = format!("/proc/self/fd/{}", file.as_raw_fd());
    let mut packing = Packing {
        tar: Builder::new(BufWriter::new(&mut file)),
        files: MOST_FILES,
        bytes: MOST_BYTES,
    };
    packing.folder(folder, Path::new(""))?;
    packing.tar.into_inner()?.flush()?;
    // The service gets no way to write, and nobody moves its place in the file.
    File::open(itself)
}

/// Packs `files` into one nameless file, as the service takes many files: a tar stream of
/// members that are numbered in the order of their paths, `N` for a file and `N.tar` for a
/// packed folder, which has no name of its own.
///
/// # Errors
///
/// When something cannot be read or is too much; the message names it.
pub(crate) fn bundle(files: &BTreeMap<String, File>) -> io::Result<File> {
    let mut bundle = nameless()?;
    let itself = format!("/proc/self/fd/{}", bundle.as_raw_fd());
    let mut packing = Packing {
        tar: Builder::new(BufWriter::new(&mut bundle)),
        files: MOST_FILES,
        bytes: MOST_BUNDLED,
    };
    for (number, (name, file)) in files.iter().enumerate() {
        let path = Path::new(name);
        let mut again = file.try_clone().map_err(|error| named(path, &error))?;
        let rewound = again.rewind().and_then(|()| again.metadata());
        let member = match rewound.map_err(|error| named(path, &error))?.nlink() {
            0 => format!("{number}.tar"),
            _ => number.to_string(),
        };
        packing
            .append(again, Path::new(&member))
            .map_err(|error| named(path, &error))?;
    }
    packing.tar.into_inner()?.flush()?;
    File::open(itself)
}

/// A file that is gone when the last descriptor is. Not in memory, where `/tmp` often is: a
/// folder may have gigabytes.
fn nameless() -> io::Result<File> {
    tempfile::tempfile_in("/var/tmp").or_else(|_| tempfile::tempfile())
}

struct Packing<'a> {
    tar: Builder<BufWriter<&'a mut File>>,
    files: usize,
    bytes: u64,
}

impl Packing<'_> {
    fn folder(&mut self, from: &Path, below: &Path) -> io::Result<()> {
        let mut names: Vec<_> = fs::read_dir(from)
            .and_then(|entries| {
                entries
                    .map(|entry| entry.map(|entry| entry.file_name()))
                    .collect()
            })
            .map_err(|error| named(from, &error))?;
        names.sort();
        for name in names {
            let (inner, within) = (from.join(&name), below.join(&name));
            self.files = self
                .files
                .checked_sub(1)
                .ok_or_else(|| io::Error::other(format!("holds more than {MOST_FILES} files")))?;
            let kind = fs::symlink_metadata(&inner).map_err(|error| named(&inner, &error))?;
            if kind.is_dir() {
                self.tar
                    .append_data(
                        &mut header(EntryType::Directory, 0o755, 0),
                        &within,
                        io::empty(),
                    )
                    .map_err(|error| named(&inner, &error))?;
                self.folder(&inner, &within)?;
                continue;
            }
            let packed = if kind.is_symlink() {
                self.link(&inner, &within)
            } else {
                self.file(&inner, &within)
            };
            packed.map_err(|error| named(&inner, &error))?;
        }
        Ok(())
    }

    fn link(&mut self, from: &Path, within: &Path) -> io::Result<()> {
        let target = fs::read_link(from)?;
        self.tar
            .append_link(&mut header(EntryType::Symlink, 0o777, 0), within, target)
    }

    fn file(&mut self, from: &Path, within: &Path) -> io::Result<()> {
        self.append(open_file(from)?, within)
    }

    fn append(&mut self, file: File, within: &Path) -> io::Result<()> {
        let meta = file.metadata()?;
        self.bytes = self
            .bytes
            .checked_sub(meta.len())
            .ok_or_else(|| io::Error::other("is over the limit for all files together"))?;
        let mode = match meta.permissions().mode() & 0o111 {
            0 => 0o644,
            _ => 0o755,
        };
        let content = Exactly {
            file,
            left: meta.len(),
        };
        self.tar.append_data(
            &mut header(EntryType::Regular, mode, meta.len()),
            within,
            content,
        )
    }
}

fn header(kind: EntryType, mode: u32, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header
}

/// Opens a regular file, and does not hang on a named pipe that lies there instead.
///
/// # Errors
///
/// When it cannot be read or is something else.
pub(crate) fn open_file(path: &Path) -> io::Result<File> {
    let file = File::options()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("is neither a file nor a folder"));
    }
    Ok(file)
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// As many bytes as the header has promised, or an error.
struct Exactly {
    file: File,
    left: u64,
}

impl Read for Exactly {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = usize::try_from(self.left).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(room);
        let count = self.file.read(&mut buffer[..wanted])?;
        if count == 0 && wanted > 0 {
            return Err(io::Error::other("changed while it was read"));
        }
        self.left -= count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A tree with everything that a folder may hold.
    fn tree() -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a temporary folder");
        let at = |path: &str| root.path().join(path);
        fs::create_dir_all(at("etc/empty")).expect("made");
        fs::write(at("etc/plain"), "plain\n").expect("written");
        fs::write(at("etc/none"), "").expect("written");
        fs::write(at("run"), "#!/bin/sh\n").expect("written");
        fs::set_permissions(at("run"), fs::Permissions::from_mode(0o700)).expect("set");
        fs::set_permissions(at("etc/plain"), fs::Permissions::from_mode(0o600)).expect("set");
        symlink("../../outside", at("etc/link")).expect("linked");
        fs::write(at(&format!("etc/{}", "n".repeat(200))), "long").expect("written");
        symlink("t".repeat(300), at("far")).expect("linked");
        root
    }

    fn bytes(folder: &Path) -> Vec<u8> {
        let mut bytes = Vec::new();
        pack(folder)
            .expect("packed")
            .read_to_end(&mut bytes)
            .expect("read");
        bytes
    }

    #[test]
    fn a_tree_is_packed_sorted_and_without_what_is_only_its_owner_s() {
        let packed = bytes(tree().path());
        let mut archive = tar::Archive::new(&packed[..]);
        let mut seen = Vec::new();
        for entry in archive.entries().expect("entries") {
            let mut entry = entry.expect("an entry");
            let header = entry.header().clone();
            assert_eq!((header.uid().ok(), header.gid().ok()), (Some(0), Some(0)));
            assert_eq!(header.mtime().ok(), Some(0));
            assert_eq!(header.username().ok().flatten().unwrap_or(""), "");
            let mut text = String::new();
            entry.read_to_string(&mut text).expect("text");
            let link = entry.link_name().expect("fits");
            seen.push(format!(
                "{:?} {:o} {} {}{}",
                header.entry_type(),
                header.mode().expect("a mode"),
                entry.path().expect("a path").display(),
                link.map_or(String::new(), |link| link.display().to_string()),
                text.trim(),
            ));
        }
        assert_eq!(
            seen,
            [
                "Directory 755 etc ".to_owned(),
                "Directory 755 etc/empty ".to_owned(),
                "Symlink 777 etc/link ../../outside".to_owned(),
                format!("Regular 644 etc/{} long", "n".repeat(200)),
                "Regular 644 etc/none ".to_owned(),
                "Regular 644 etc/plain plain".to_owned(),
                format!("Symlink 777 far {}", "t".repeat(300)),
                "Regular 755 run #!/bin/sh".to_owned(),
            ]
        );
    }

    #[test]
    fn the_same_tree_gives_the_same_bytes() {
        assert_eq!(bytes(tree().path()), bytes(tree().path()));
    }

    #[test]
    fn a_bundle_has_a_member_for_each_file() {
        let root = tree();
        let open = |path: &str| open_file(&root.path().join(path)).expect("opened");
        let mut read_before = open("run");
        read_before.read_exact(&mut [0; 3]).expect("read");
        let files = BTreeMap::from([
            ("b/folder".to_owned(), pack(root.path()).expect("packed")),
            ("a".to_owned(), open("etc/plain")),
            ("c".to_owned(), read_before),
        ]);
        for _again in 0..2 {
            let mut archive = tar::Archive::new(bundle(&files).expect("bundled"));
            let members: Vec<_> = archive
                .entries()
                .expect("entries")
                .map(|entry| {
                    let mut entry = entry.expect("an entry");
                    let path = entry.path().expect("a path").display().to_string();
                    let mut content = Vec::new();
                    entry.read_to_end(&mut content).expect("read");
                    (path, entry.header().mode().expect("a mode"), content)
                })
                .collect();
            let want = [
                ("0".to_owned(), 0o644, b"plain\n".to_vec()),
                ("1.tar".to_owned(), 0o644, bytes(root.path())),
                ("2".to_owned(), 0o755, b"#!/bin/sh\n".to_vec()),
            ];
            assert_eq!(members, want);
        }
    }

    #[test]
    fn the_service_can_only_read_it() {
        let file = pack(tree().path()).expect("packed");
        assert!((&file).write_all(b"x").is_err());
        let meta = file.metadata().expect("known");
        assert!(meta.is_file());
    }

    #[test]
    fn what_cannot_be_packed_is_named() {
        let root = tree();
        let pipe = root.path().join("etc/pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("made");
        let error = pack(root.path()).expect_err("refused").to_string();
        assert!(error.contains("etc/pipe"), "{error}");
        let gone = root.path().join("gone");
        let error = pack(&gone).expect_err("refused").to_string();
        assert!(error.contains("gone"), "{error}");
    }

    #[test]
    fn a_file_that_shrinks_meanwhile_is_noticed() {
        let root = tree();
        let file = open_file(&root.path().join("etc/plain")).expect("opened");
        let mut content = Exactly { file, left: 100 };
        let error = io::copy(&mut content, &mut io::sink()).expect_err("noticed");
        assert!(error.to_string().contains("changed"), "{error}");
    }
}
