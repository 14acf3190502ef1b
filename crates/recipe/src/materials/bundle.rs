//! Many files in one: what is handed over where only few descriptors can be.
//!
//! A bundle is a tar stream. Its members are the materials of a profile, numbered from 0 in the
//! order of their paths (as bytes, each path once): `N` is a file, `N.tar` a folder for an
//! overlay as the stream that it would have been handed over as.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use isosmith_engine::Failure;
use isosmith_host::fs::Confined;
use isosmith_protocol::Code;
use isosmith_spec::Material as Wanted;

use super::{Budget, tar};

/// Takes a bundle apart: the files of `wanted` by the profile's paths, as
/// [`Materials::receive`](super::Materials::receive) wants them. `stream`'s position neither
/// matters nor changes; `into` must be empty and belong to nobody else, and holds the files
/// for as long as they are read. All of it together may take `most` bytes.
///
/// # Errors
///
/// [`Code::MaterialInvalid`] for a damaged stream, a member that is missing, is no file or
/// belongs to no material.
pub fn take_apart(
    stream: &File,
    wanted: &[Wanted],
    into: &Path,
    most: u64,
) -> Result<BTreeMap<String, File>, Failure> {
    let names: BTreeSet<&str> = wanted.iter().map(|want| want.path.as_str()).collect();
    let invalid = |why: String| {
        Failure::new(
            Code::MaterialInvalid,
            format!("the profile's files were handed over wrongly: {why}"),
            "This is a fault of the program that handed them over; please report it.",
        )
    };
    let mut budget = Budget {
        bytes: most,
        files: names.len(),
    };
    tar::unpack(stream, into, &mut budget).map_err(|error| invalid(error.to_string()))?;
    let mut files = BTreeMap::new();
    for (number, name) in names.iter().enumerate() {
        let member = open(into, &number.to_string());
        let file = member.map_err(|error| invalid(format!("{name}: {error}")))?;
        files.insert((*name).to_owned(), file);
    }
    // Each material has taken a member of its own, and no more could be unpacked than there are
    // materials.
    Ok(files)
}

fn open(into: &Path, number: &str) -> io::Result<File> {
    match plain(&into.join(number)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let path = into.join(format!("{number}.tar"));
            let packed = plain(&path)?;
            // A packed folder is known by having no name: see `Materials::receive`.
            let within = Confined::new(into).map_err(io::Error::other)?;
            within.remove_tree(&path).map_err(io::Error::other)?;
            Ok(packed)
        }
        file => file,
    }
}

fn plain(path: &Path) -> io::Result<File> {
    let file = File::options()
        .read(true)
        .custom_flags(nix::libc::O_NOFOLLOW)
        .open(path)?;
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(io::Error::other("is no file"))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use isosmith_spec::{MaterialKind, names::MaterialPath};

    use super::*;

    /// A ustar header (POSIX.1-2017, pax, "ustar Interchange Format") and a content.
    fn member(name: &str, kind: u8, content: &[u8]) -> Vec<u8> {
        let mut block = [0_u8; 512];
        block[..name.len()].copy_from_slice(name.as_bytes());
        block[100..108].copy_from_slice(b"0000644\0");
        block[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
        block[156] = kind;
        if kind == b'2' {
            block[157..168].copy_from_slice(b"/etc/passwd");
        }
        block[257..263].copy_from_slice(b"ustar\0");
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        let mut bytes = block.to_vec();
        bytes.extend(content);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
        bytes
    }

    fn wanted() -> Vec<Wanted> {
        // Not in the order of their paths, and one of them twice.
        ["b", "a", "over", "a"]
            .into_iter()
            .map(|path| Wanted {
                path: MaterialPath::parse(path).expect("a path"),
                kind: MaterialKind::Overlay,
                field: "files".to_owned(),
            })
            .collect()
    }

    fn take(members: &[Vec<u8>]) -> Result<BTreeMap<String, File>, Failure> {
        let mut stream = tempfile::tempfile().expect("a file");
        for member in members {
            stream.write_all(member).expect("written");
        }
        stream.write_all(&[0; 1024]).expect("written");
        let into = tempfile::tempdir().expect("a folder");
        take_apart(&stream, &wanted(), into.path(), 1 << 20)
    }

    #[test]
    fn files_come_in_the_order_of_their_paths() {
        use std::os::unix::fs::MetadataExt;

        let mut files = take(&[
            member("2.tar", b'0', b"packed"),
            member("0", b'0', b"of a"),
            member("1", b'0', b"of b"),
        ])
        .expect("taken apart");
        for (name, want) in [("a", "of a"), ("b", "of b"), ("over", "packed")] {
            let mut text = String::new();
            let file = files.get_mut(name).expect(name);
            file.read_to_string(&mut text).expect("read");
            assert_eq!(text, want);
        }
        assert_eq!(files["over"].metadata().expect("known").nlink(), 0);
    }

    #[test]
    fn what_is_not_exactly_the_wanted_files_is_refused() {
        let good = |name: &str| member(name, b'0', b"x");
        let (a, b, over) = (good("0"), good("1"), good("2"));
        for (name, members) in [
            ("nothing", vec![]),
            ("one is missing", vec![a.clone(), b.clone()]),
            (
                "one too many",
                vec![a.clone(), b.clone(), over.clone(), good("3")],
            ),
            ("one twice", vec![a.clone(), b.clone(), over, good("2.tar")]),
            ("a link", vec![a.clone(), b.clone(), member("2", b'2', b"")]),
            (
                "a folder",
                vec![a.clone(), b.clone(), member("2", b'5', b"")],
            ),
            ("outside", vec![a.clone(), b.clone(), good("../2")]),
            (
                "too large",
                vec![a, b, member("2", b'0', &vec![0; (1 << 20) + 1])],
            ),
        ] {
            let failure = take(&members).expect_err(name);
            assert_eq!(failure.code, Code::MaterialInvalid, "{name}");
        }
    }
}
