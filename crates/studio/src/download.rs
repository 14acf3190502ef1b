//! Whether a file that was loaded is the one that was made.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use isosmith_protocol::Code;
use md5::Md5;
use sha2::{Digest, Sha256, Sha512};

use crate::{Error, Result, renderer::hex};

/// Whether the file's checksum is `sum`, which may be written in capitals and have a file's
/// name after it, as `sha256sum` prints it. `algorithm` is `sha256`, `sha512` or `md5`. The file
/// is read once, piece by piece.
///
/// # Errors
///
/// [`Code::MaterialInvalid`] for what is no checksum of that kind, [`Code::AccessDenied`] or
/// [`Code::Io`] when the file cannot be read.
pub fn check_download(path: &Path, algorithm: &str, sum: &str) -> Result<bool> {
    let wanted = sum
        .split_whitespace()
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let digits = match algorithm {
        "sha256" => 64,
        "sha512" => 128,
        "md5" => 32,
        _ => {
            return Err(Error::new(
                Code::MaterialInvalid,
                format!("checksums of the kind {algorithm} are not known"),
                "Choose SHA-256, SHA-512 or MD5.",
            ));
        }
    };
    if wanted.len() != digits || !wanted.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Error::new(
            Code::MaterialInvalid,
            format!("this is no checksum of the kind {algorithm}"),
            format!("Copy all of its {digits} digits."),
        ));
    }
    let failed = |error: io::Error| Error::io("read", path, &error);
    if !path.metadata().map_err(failed)?.is_file() {
        return Err(failed(io::Error::other("is not a file")));
    }
    let mut file = File::open(path).map_err(failed)?;
    let found = sum_of(&mut file, algorithm).map_err(failed)?;
    Ok(found == wanted)
}

/// The checksum of all that is left of a stream, in lower-case hexadecimal; of an algorithm
/// that is not known, nothing.
pub(crate) fn sum_of(from: &mut impl Read, algorithm: &str) -> io::Result<String> {
    match algorithm {
        "sha256" => digest::<Sha256>(from),
        "sha512" => digest::<Sha512>(from),
        "md5" => digest::<Md5>(from),
        _ => Ok(String::new()),
    }
}

fn digest<D: Digest>(from: &mut impl Read) -> io::Result<String> {
    let mut digest = D::new();
    let mut piece = vec![0; 1 << 20];
    loop {
        match from.read(&mut piece)? {
            0 => return Ok(hex(&digest.finalize())),
            length => digest.update(&piece[..length]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_compared_as_people_write_them() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("abc");
        std::fs::write(&file, "abc").unwrap();
        let check = |algorithm: &str, sum: &str| check_download(&file, algorithm, sum).ok();
        // FIPS 180-4 and RFC 1321 have these as examples.
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let sha512 = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";
        assert_eq!(check("sha256", sha256), Some(true));
        assert_eq!(
            check("sha256", &format!(" {}  abc.iso\n", sha256.to_uppercase())),
            Some(true)
        );
        assert_eq!(check("sha512", sha512), Some(true));
        assert_eq!(check("md5", "900150983cd24fb0d6963f7d28e17f72"), Some(true));
        assert_eq!(
            check("md5", "900150983cd24fb0d6963f7d28e17f73"),
            Some(false)
        );
        for (algorithm, sum) in [
            ("sha256", ""),
            ("sha256", &sha256[1..]),
            ("md5", sha256),
            ("md5", "zz0150983cd24fb0d6963f7d28e17f72"),
            ("crc32", "00000000"),
        ] {
            assert_eq!(check(algorithm, sum), None, "{algorithm} {sum}");
        }
        assert!(
            check_download(root.path(), "sha256", sha256).is_err(),
            "a folder"
        );
        assert!(check_download(&root.path().join("no"), "sha256", sha256).is_err());
    }
}
