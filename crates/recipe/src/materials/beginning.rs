//! What a file is, by its first bytes. Pictures are not decoded here: whoever receives them may
//! be root, and decoders are a large piece of code for hostile bytes.

use std::{fs::File, io, os::unix::fs::FileExt};

use isosmith_spec::{MaterialKind, Reason};

/// As much as is looked at: words may stand before an armoured key (RFC 9580, 6.2).
const MOST: usize = 64 << 10;

/// Refuses an open file that cannot be what it is for.
///
/// # Errors
///
/// A [`Reason`] inside of the error, or that the file cannot be read.
pub(super) fn check_open(file: &File, kind: MaterialKind) -> io::Result<()> {
    let mut bytes = vec![0; MOST];
    let mut length = 0;
    while length < MOST {
        match file.read_at(&mut bytes[length..], length as u64)? {
            0 => break,
            count => length += count,
        }
    }
    check(kind, &bytes[..length]).map_err(io::Error::other)
}

/// Whether a file that begins so can be a `kind`.
fn check(kind: MaterialKind, bytes: &[u8]) -> Result<(), Reason> {
    match kind {
        MaterialKind::Key => key(bytes),
        MaterialKind::Deb => deb(bytes),
        MaterialKind::Script => script(bytes),
        MaterialKind::Logo | MaterialKind::Wallpaper => picture(bytes),
        // Anything can be laid over a tree; a pair that signs is parsed, see `check_signing`.
        MaterialKind::Overlay | MaterialKind::SigningKey | MaterialKind::Certificate => Ok(()),
    }
}

/// Armour (RFC 9580, 6.2) or packets.
fn key(bytes: &[u8]) -> Result<(), Reason> {
    const EXPORT: &str = "export it with `gpg --export KEY-ID`, or take the file that the repository's owner publishes";
    let armour = bytes
        .split(|&byte| byte == b'\n')
        .find_map(|line| line.trim_ascii().strip_prefix(b"-----BEGIN PGP "));
    match (armour, packet(bytes)) {
        (Some(b"PUBLIC KEY BLOCK-----"), _) | (None, Some((PUBLIC_KEY, 2..=6))) => Ok(()),
        (Some(b"PRIVATE KEY BLOCK-----"), _) | (None, Some((SECRET_KEY, _))) => Err(Reason::new(
            "is a private key, which must not leave its owner's machine",
            "give the public key: export it with `gpg --export KEY-ID`",
        )),
        (Some(_), _) => Err(Reason::new(
            "is an OpenPGP message or signature, not a public key",
            EXPORT,
        )),
        // `kbx/keybox-blob.c` of GnuPG: the header's magic word.
        (None, _) if bytes.get(8..12) == Some(b"KBXf") => Err(Reason::new(
            "is a keybox, which only GnuPG itself reads",
            EXPORT,
        )),
        (None, _) => Err(Reason::new("is no OpenPGP public key", EXPORT)),
    }
}

/// Types of packets: RFC 9580, 5.
const SECRET_KEY: u8 = 5;
const PUBLIC_KEY: u8 = 6;

/// Type of the first packet and the first byte of its body, which is a key's version: RFC 9580,
/// 4.2 and 5.5.2.
fn packet(bytes: &[u8]) -> Option<(u8, u8)> {
    let (&head, rest) = bytes.split_first()?;
    let first = *rest.first()?;
    let (kind, length) = match head {
        0b1100_0000.. => {
            let length = match first {
                0..192 | 224..255 => 1,
                192..224 => 2,
                255 => 5,
            };
            (head & 0b11_1111, length)
        }
        0b1000_0000.. => {
            let length = [1, 2, 4, 0][usize::from(head & 0b11)];
            (head >> 2 & 0b1111, length)
        }
        _ => return None,
    };
    Some((kind, *rest.get(length)?))
}

/// An `ar` archive whose first member says that it is a package: deb(5).
fn deb(bytes: &[u8]) -> Result<(), Reason> {
    let member = bytes.strip_prefix(b"!<arch>\n").and_then(|rest| {
        let name = rest.get(..16)?.trim_ascii_end();
        Some(name.strip_suffix(b"/").unwrap_or(name))
    });
    match member {
        Some(b"debian-binary") => Ok(()),
        Some(_) => Err(Reason::new(
            "is an archive, but not a Debian package",
            "give a .deb, or lay the files over the image with `files`",
        )),
        None => Err(Reason::new(
            "is not a Debian package",
            "give a .deb; if it was downloaded, download it again",
        )),
    }
}

/// What the kernel starts: execve(2). A C library that hands other texts to a shell by itself is
/// not to be relied on: `run-parts`, which starts the scripts of the first start, uses none.
fn script(bytes: &[u8]) -> Result<(), Reason> {
    const FIRST_LINE: &str = "write `#!/bin/sh` as its first line";
    if bytes.is_empty() {
        return Err(Reason::new("is empty", FIRST_LINE));
    }
    if bytes.starts_with(b"\x7fELF") {
        return Ok(());
    }
    if bytes.starts_with(b"\xef\xbb\xbf#!") {
        return Err(Reason::new(
            "begins with a byte order mark, so that it cannot be started",
            "save it as UTF-8 without a byte order mark",
        ));
    }
    let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or(bytes);
    let interpreter = line.strip_prefix(b"#!").map(<[u8]>::trim_ascii_start);
    if !interpreter.is_some_and(|path| path.starts_with(b"/")) {
        return Err(Reason::new(
            "does not say which program runs it, so that it cannot be started",
            FIRST_LINE,
        ));
    }
    if line.contains(&b'\r') {
        return Err(Reason::new(
            "has the line ends of Windows, so that it cannot be started",
            "save it with line ends of Unix, for example with `sed -i 's/\\r$//'`",
        ));
    }
    Ok(())
}

/// PNG (ISO/IEC 15948, 5.2), JPEG (ITU-T T.81, B.1.1.3), WebP (RFC 9649, 2.4), or text that
/// begins as XML does. Compressed SVG is none of them.
fn picture(bytes: &[u8]) -> Result<(), Reason> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let webp = bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP");
    let known = webp
        || bytes.starts_with(b"\x89PNG\r\n\x1a\n")
        || bytes.starts_with(b"\xff\xd8\xff")
        || text.trim_ascii_start().starts_with(b"<");
    if known {
        return Ok(());
    }
    Err(Reason::new(
        "is neither SVG, PNG, JPEG nor WebP",
        "save the picture as SVG or PNG",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `want` is in the reason; empty if the bytes are taken.
    fn tell(kind: MaterialKind, cases: &[(&[u8], &str)]) {
        for (bytes, want) in cases {
            match check(kind, bytes) {
                Ok(()) => assert_eq!(*want, "", "{bytes:?} is taken"),
                Err(reason) => {
                    let right = !want.is_empty() && reason.message.contains(want);
                    assert!(right && !reason.fix.is_empty(), "{bytes:?}: {reason}");
                }
            }
        }
    }

    #[test]
    fn repository_keys_are_public_keys() {
        let cases: &[(&[u8], &str)] = &[
            (b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQ", ""),
            (
                b"Our key\r\n\r\n-----BEGIN PGP PUBLIC KEY BLOCK-----\r\n",
                "",
            ),
            // Packets as GnuPG (old heads) and others (new heads) write them.
            (b"\x98\x33\x04rest", ""),
            (b"\x99\x02\x0d\x04rest", ""),
            (b"\xc6\x33\x06rest", ""),
            (b"\xc6\xc1\x0d\x04rest", ""),
            (b"\xc6\xff\0\0\x02\x0d\x04rest", ""),
            (b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n", "private key"),
            (b"\x95\x03\x98\x04rest", "private key"),
            (b"\xc5\x58\x04rest", "private key"),
            (b"-----BEGIN PGP SIGNATURE-----\n", "signature"),
            (b"\x99\x02\x0d\x63rest", "no OpenPGP"),
            (b"\x99\x02", "no OpenPGP"),
            (b"\0\0\0\x20\x01\x01\0\x02KBXf", "keybox"),
            (b"<!DOCTYPE html>", "no OpenPGP"),
            (b"", "no OpenPGP"),
        ];
        tell(MaterialKind::Key, cases);
    }

    #[test]
    fn package_files_are_debian_packages() {
        let cases: &[(&[u8], &str)] = &[
            (b"!<arch>\ndebian-binary   1700000000  0", ""),
            (b"!<arch>\ndebian-binary/  1700000000  0", ""),
            (b"!<arch>\nobject.o/       1700000000  0", "an archive, but"),
            (b"!<arch>\n", "not a Debian package"),
            (b"\xed\xab\xee\xdb\x03\0", "not a Debian package"),
            (b"", "not a Debian package"),
        ];
        tell(MaterialKind::Deb, cases);
    }

    #[test]
    fn scripts_are_what_the_kernel_can_start() {
        let cases: &[(&[u8], &str)] = &[
            (b"#!/bin/sh\necho a\r\n", ""),
            (b"#! /usr/bin/env python3", ""),
            (b"\x7fELF\x02\x01\x01", ""),
            (b"#!/bin/sh\r\necho a\r\n", "Windows"),
            (b"\xef\xbb\xbf#!/bin/sh\n", "byte order mark"),
            (b"echo a\n", "which program"),
            (b"\n#!/bin/sh\n", "which program"),
            (b"#!sh\n", "which program"),
            (b"", "is empty"),
        ];
        tell(MaterialKind::Script, cases);
    }

    #[test]
    fn pictures_are_known_by_their_first_bytes() {
        let cases: &[(&[u8], &str)] = &[
            (b"\x89PNG\r\n\x1a\nrest", ""),
            (b"\xff\xd8\xff\xe0", ""),
            (b"RIFF\0\0\0\0WEBPVP8 ", ""),
            (b"\xef\xbb\xbf\n <svg/>", ""),
            (b"\x1f\x8b\x08", "neither"),
            (b"GIF89a", "neither"),
            (b"", "neither"),
        ];
        tell(MaterialKind::Logo, cases);
    }

    #[test]
    fn what_is_laid_over_the_tree_may_be_anything() {
        tell(MaterialKind::Overlay, &[(b"", ""), (b"\xff", "")]);
    }
}
