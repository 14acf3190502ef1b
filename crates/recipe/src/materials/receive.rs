//! Files of a profile that somebody else has opened, for a builder that must not open what
//! others name.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
};

use isosmith_engine::Failure;
use isosmith_protocol::Code;
use isosmith_spec::{Material as Wanted, MaterialKind};
use sha2::{Digest, Sha256};

use super::{
    Budget, MAX_FILES, Material, Materials, beginning, hex, is_secret, limit, take_folder,
    take_open, tar,
};

impl Materials {
    /// Copies what `wanted` names out of open files into `into`, which must be empty and
    /// belong to nobody else. `open` is given a path of the profile, more than once if it
    /// serves more than one purpose, and gives a file that can be read; the file's position
    /// neither matters nor changes.
    ///
    /// A folder for an overlay comes as a tar stream in a file without a name: a memfd or an
    /// unlinked file. A file with a name is laid over the tree as it is, so that an archive
    /// can be. All of it together may take `most` bytes.
    ///
    /// # Errors
    ///
    /// [`Code::MaterialInvalid`] for something that is missing, not a regular file, too big,
    /// not what it is for (a picture, a key, a package, a script), or a tar stream with anything but folders, files
    /// and symbolic links under clean names, every one of them in one message; for a copy of a private
    /// key.
    pub fn receive(
        wanted: &[Wanted],
        open: &mut dyn FnMut(&str) -> Option<File>,
        into: &Path,
        most: u64,
    ) -> Result<Self, Failure> {
        let mut left = most;
        let mut found: BTreeMap<String, (Material, MaterialKind)> = BTreeMap::new();
        let mut problems = Vec::new();
        for (number, want) in wanted.iter().enumerate() {
            let name = want.path.as_str();
            if let Some((_, kind)) = found.get(name)
                && *kind == want.kind
            {
                continue;
            }
            let to = into.join(number.to_string());
            let taken = open(name)
                .ok_or_else(|| io::Error::other("was not handed over"))
                .and_then(|file| take_received(&file, &to, want.kind, &mut left));
            match taken {
                Ok(material) => {
                    found.insert(name.to_owned(), (material, want.kind));
                }
                Err(error) => problems.push(format!("{}: {name}: {error}", want.field)),
            }
        }
        if problems.is_empty() {
            let plain = found
                .into_iter()
                .map(|(name, (material, _))| (name, material));
            let found = Self(plain.collect());
            found.check_secrets()?;
            return Ok(found);
        }
        let mut failure = Failure::new(
            Code::MaterialInvalid,
            problems.join("; "),
            "Correct the file, or the path in the profile.",
        );
        failure.causes = problems;
        Err(failure)
    }
}

fn take_received(
    file: &File,
    to: &Path,
    kind: MaterialKind,
    left: &mut u64,
) -> io::Result<Material> {
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(io::Error::other("is no regular file"));
    }
    let most = limit(kind).min(*left);
    let mut budget = Budget {
        bytes: most,
        files: MAX_FILES,
    };
    let mut hash = Sha256::new();
    let is_dir = kind == MaterialKind::Overlay && meta.nlink() == 0 && tar::is_one(file)?;
    if is_dir {
        fs::create_dir(to)?;
        fs::set_permissions(to, fs::Permissions::from_mode(0o755))?;
        tar::unpack(file, to, &mut budget)?;
        let mut again = Budget {
            bytes: most,
            files: MAX_FILES,
        };
        // The same hash as that of a folder that is copied: the cache must not care which way
        // it came.
        take_folder(to, None, &mut hash, &mut again)?;
    } else {
        take_open(file, Some(to), is_secret(kind), &mut hash, &mut budget)?;
        beginning::check_open(file, kind)?;
    }
    *left -= most - budget.bytes;
    Ok(Material {
        path: to.to_owned(),
        sha256: hex(&hash.finalize()),
        is_dir,
        secret: is_secret(kind),
    })
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Seek, SeekFrom, Write},
        os::fd::OwnedFd,
    };

    use isosmith_spec::names::MaterialPath;
    use nix::sys::memfd::{MFdFlags, memfd_create};

    use super::*;

    fn want(path: &str, kind: MaterialKind) -> Wanted {
        Wanted {
            path: MaterialPath::parse(path).expect("a path"),
            kind,
            field: format!("field of {path}"),
        }
    }

    fn in_memory(bytes: &[u8]) -> File {
        let fd: OwnedFd = memfd_create(c"test", MFdFlags::MFD_CLOEXEC).expect("a memfd");
        let mut file = File::from(fd);
        file.write_all(bytes).expect("written");
        file
    }

    fn receive(kind: MaterialKind, file: File, into: &Path) -> Result<Materials, Failure> {
        let mut file = Some(file);
        Materials::receive(&[want("x", kind)], &mut |_| file.take(), into, 8 << 30)
    }

    #[test]
    fn only_regular_files_of_a_sane_size_are_taken() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let huge = File::create_new(root.path().join("huge")).expect("made");
        huge.set_len(1 << 40).expect("sparse");
        let (pipe, _other) = std::io::pipe().expect("a pipe");
        let cases: [(&str, MaterialKind, File, &str); 10] = [
            (
                "pipe",
                MaterialKind::Script,
                File::from(OwnedFd::from(pipe)),
                "no regular file",
            ),
            (
                "device",
                MaterialKind::Script,
                File::open("/dev/zero").expect("there"),
                "no regular file",
            ),
            (
                "folder",
                MaterialKind::Overlay,
                File::open(root.path()).expect("there"),
                "no regular file",
            ),
            ("sparse", MaterialKind::Deb, huge, "larger than 4096 MiB"),
            (
                "big script",
                MaterialKind::Script,
                in_memory(&vec![b'#'; (1 << 20) + 1]),
                "larger than 1 MiB",
            ),
            (
                "compressed SVG",
                MaterialKind::Logo,
                in_memory(b"\x1f\x8b\x08\0"),
                "neither SVG",
            ),
            (
                "private key",
                MaterialKind::Key,
                in_memory(b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n"),
                "is a private key",
            ),
            (
                "no package",
                MaterialKind::Deb,
                in_memory(b"<html>"),
                "not a Debian package; give a .deb",
            ),
            (
                "script of Windows",
                MaterialKind::Script,
                in_memory(b"#!/bin/sh\r\n"),
                "line ends of Windows",
            ),
            (
                "write-only",
                MaterialKind::Script,
                File::create(root.path().join("w")).expect("made"),
                "",
            ),
        ];
        for (name, kind, file, why) in cases {
            if name == "write-only" {
                (&file).write_all(b"x").expect("written");
            }
            let into = root.path().join(format!("into {name}"));
            fs::create_dir(&into).expect("made");
            let failure = receive(kind, file, &into).expect_err(name);
            assert_eq!(failure.code, Code::MaterialInvalid, "{name}");
            assert!(failure.message.contains(why), "{name}: {failure}");
        }
    }

    #[test]
    fn what_is_received_is_what_would_have_been_copied() {
        let root = tempfile::tempdir().expect("a temporary folder");
        fs::write(root.path().join("script"), "#!/bin/sh\n").expect("written");
        let wanted = [want("script", MaterialKind::Script)];
        let copied = Materials::collect(&wanted, root.path(), None).expect("copied");
        let into = root.path().join("into");
        fs::create_dir(&into).expect("made");
        let mut file = File::open(root.path().join("script")).expect("there");
        // Somebody else's position must not matter.
        file.seek(SeekFrom::End(0)).expect("moved");
        let mut file = Some(file);
        let received =
            Materials::receive(&wanted, &mut |_| file.take(), &into, 10).expect("received");
        let path = &wanted[0].path;
        assert_eq!(received.hash(path), copied.hash(path));
        let material = received.get(path).expect("there");
        assert_eq!(material.path, into.join("0"));
        assert_eq!(fs::read(&material.path).expect("there"), b"#!/bin/sh\n");
        let moved = received.moved_to(Path::new("/elsewhere"));
        assert_eq!(
            moved.get(path).expect("there").path,
            Path::new("/elsewhere/0")
        );
    }

    #[test]
    fn all_together_have_a_limit_too() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let wanted = ["a", "b"].map(|path| want(path, MaterialKind::Certificate));
        let mut open = |_: &str| Some(in_memory(b"12345678"));
        for (most, want) in [(16, true), (15, false)] {
            let into = root.path().join(most.to_string());
            fs::create_dir(&into).expect("made");
            let received = Materials::receive(&wanted, &mut open, &into, most);
            assert_eq!(received.is_ok(), want, "{most}");
        }
    }

    #[test]
    fn a_missing_file_is_named() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let wanted = [want("a", MaterialKind::Key), want("b", MaterialKind::Key)];
        let failure =
            Materials::receive(&wanted, &mut |_| None, root.path(), 0).expect_err("missing");
        assert_eq!(failure.causes.len(), 2);
        assert!(
            failure
                .message
                .contains("field of b: b: was not handed over")
        );
    }
}
