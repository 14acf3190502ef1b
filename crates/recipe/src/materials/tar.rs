//! A folder that comes as a tar stream, unpacked as strictly as possible.
//!
//! Only folders, files and symbolic links; only relative names without `..`; nothing is
//! written through a link, twice, or outside. The formats are POSIX ustar and pax (POSIX.1-2017,
//! pax, "ustar Interchange Format") with GNU's long names (tar(5)), which is what writers make.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{self, BufReader, Read},
    os::{
        fd::OwnedFd,
        unix::{
            ffi::OsStrExt,
            fs::{FileExt, PermissionsExt},
        },
    },
    path::Path,
};

use nix::{
    errno::Errno,
    fcntl::{OFlag, openat},
    sys::stat::{Mode, mkdirat},
    unistd::symlinkat,
};

use super::Budget;

const BLOCK: usize = 512;

/// Longest path, as in `PATH_MAX` (limits.h) without its final NUL.
const LONGEST_PATH: usize = 4095;

/// Most folders in one another.
const DEEPEST: usize = 128;

/// Most bytes of one extended header; two paths and a few numbers are all that is wanted.
const LONGEST_EXTRA: u64 = 16 << 10;

/// Whether a file begins as a tar stream does. That of an empty folder begins with its end.
pub(super) fn is_one(file: &File) -> io::Result<bool> {
    let mut block = [0; BLOCK];
    match file.read_exact_at(&mut block, 0) {
        Ok(()) => Ok(&block[257..262] == b"ustar" || block.iter().all(|&byte| byte == 0)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// Unpacks `stream`, from its beginning, into the empty folder `into`. Files become 0644 or
/// 0755, folders 0755, whatever the stream says; owners and times are not looked at.
///
/// # Errors
///
/// When the stream is damaged or cut off, holds anything unusual, or breaks the budget. What
/// was unpacked until then is left to the caller.
pub(super) fn unpack(stream: &File, into: &Path, budget: &mut Budget) -> io::Result<()> {
    let from = At {
        file: stream,
        at: 0,
    };
    let mut from = BufReader::with_capacity(1 << 18, from);
    let root = File::open(into)?;
    let mut extra = Extra::default();
    while let Some(header) = Header::read(&mut from)? {
        match header.kind {
            b'x' => {
                extra.pax(&read_extra(&mut from, header.size)?)?;
                continue;
            }
            b'L' => {
                extra.path = Some(until_nul(&read_extra(&mut from, header.size)?).to_vec());
                continue;
            }
            b'K' => {
                extra.link = Some(until_nul(&read_extra(&mut from, header.size)?).to_vec());
                continue;
            }
            b'0' | 0 | b'2' | b'5' => {}
            b'1' => return Err(refused(&header.name, "is a hard link")),
            b'3' | b'4' => return Err(refused(&header.name, "is a device")),
            b'6' => return Err(refused(&header.name, "is a named pipe")),
            other => {
                let what = format!("is of the unknown kind {:?}", char::from(other));
                return Err(refused(&header.name, &what));
            }
        }
        let told = std::mem::take(&mut extra);
        let name = told.path.unwrap_or(header.name);
        let size = told.size.unwrap_or(header.size);
        let parts = parts(&name)?;
        budget.files = budget
            .files
            .checked_sub(1)
            .ok_or_else(|| io::Error::other("holds too many files"))?;
        let place = Place {
            root: &root,
            name: &name,
            parts: &parts,
        };
        match header.kind {
            b'5' => place.folder()?,
            b'2' => place.link(&told.link.unwrap_or(header.link))?,
            _ => {
                budget.bytes = budget
                    .bytes
                    .checked_sub(size)
                    .ok_or_else(|| io::Error::other("is too large when unpacked"))?;
                place.file(&mut from, size, header.mode)?;
                skip(&mut from, padding(size))?;
            }
        }
    }
    Ok(())
}

/// A file read by position, because its descriptor's own may be moved by others.
struct At<'a> {
    file: &'a File,
    at: u64,
}

impl Read for At<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(into, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

/// What extended headers say of the next entry.
#[derive(Default)]
struct Extra {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
}

impl Extra {
    /// Records of the form `LENGTH KEY=VALUE\n`.
    fn pax(&mut self, mut text: &[u8]) -> io::Result<()> {
        while !text.is_empty() {
            let record = pax_record(text).ok_or_else(damaged)?;
            text = &text[record.length..];
            match record.key {
                b"path" => self.path = Some(record.value.to_vec()),
                b"linkpath" => self.link = Some(record.value.to_vec()),
                b"size" => self.size = Some(decimal(record.value).ok_or_else(damaged)?),
                key if key.starts_with(b"GNU.sparse") => {
                    return Err(io::Error::other("holds a sparse file"));
                }
                // Times, owners, comments.
                _ => {}
            }
        }
        Ok(())
    }
}

struct Record<'a> {
    length: usize,
    key: &'a [u8],
    value: &'a [u8],
}

fn pax_record(text: &[u8]) -> Option<Record<'_>> {
    let space = text.iter().position(|&byte| byte == b' ')?;
    let length = usize::try_from(decimal(&text[..space])?).ok()?;
    let record = text.get(space + 1..length)?.strip_suffix(b"\n")?;
    let equals = record.iter().position(|&byte| byte == b'=')?;
    Some(Record {
        length,
        key: &record[..equals],
        value: &record[equals + 1..],
    })
}

fn decimal(digits: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(digits).ok()?;
    // `parse` would take a sign.
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
}

/// A header of 512 bytes.
struct Header {
    name: Vec<u8>,
    link: Vec<u8>,
    kind: u8,
    mode: u64,
    size: u64,
}

impl Header {
    /// The next header; `None` at the mark of the end.
    fn read(from: &mut impl Read) -> io::Result<Option<Self>> {
        let mut block = [0; BLOCK];
        from.read_exact(&mut block).map_err(cut_off)?;
        if block.iter().all(|&byte| byte == 0) {
            return Ok(None);
        }
        let sum: u64 = block
            .iter()
            .enumerate()
            .map(|(at, &byte)| {
                // The sum is taken as if its own field were spaces.
                u64::from(if (148..156).contains(&at) { b' ' } else { byte })
            })
            .sum();
        if number(&block[148..156]) != Some(sum) || &block[257..262] != b"ustar" {
            return Err(damaged());
        }
        let mut name = until_nul(&block[..100]).to_vec();
        let prefix = until_nul(&block[345..500]);
        // GNU's own format has other things in that place.
        if &block[257..263] == b"ustar\0" && !prefix.is_empty() {
            name = [prefix, b"/", &name].concat();
        }
        Ok(Some(Self {
            name,
            link: until_nul(&block[157..257]).to_vec(),
            kind: block[156],
            mode: number(&block[100..108]).ok_or_else(damaged)?,
            size: number(&block[124..136]).ok_or_else(damaged)?,
        }))
    }
}

/// A number of a header: octal, or binary with the highest bit set (GNU).
fn number(field: &[u8]) -> Option<u64> {
    if field[0] & 0x80 != 0 {
        let (first, rest) = field.split_at(field.len() - 8);
        // More than 64 bits, or negative.
        if first[0] != 0x80 || first[1..].iter().any(|&byte| byte != 0) {
            return None;
        }
        return rest.try_into().ok().map(u64::from_be_bytes);
    }
    let text = std::str::from_utf8(until_nul(field))
        .ok()?
        .trim_matches(' ');
    if text.is_empty() {
        return Some(0);
    }
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    u64::from_str_radix(text, 8).ok()
}

fn until_nul(field: &[u8]) -> &[u8] {
    field.split(|&byte| byte == 0).next().unwrap_or_default()
}

fn padding(size: u64) -> u64 {
    size.wrapping_neg() % BLOCK as u64
}

fn read_extra(from: &mut impl Read, size: u64) -> io::Result<Vec<u8>> {
    if size > LONGEST_EXTRA {
        return Err(io::Error::other("holds an overlong name"));
    }
    let mut bytes = vec![0; usize::try_from(size).map_err(io::Error::other)?];
    from.read_exact(&mut bytes).map_err(cut_off)?;
    skip(from, padding(size))?;
    Ok(bytes)
}

fn skip(from: &mut impl Read, count: u64) -> io::Result<()> {
    let skipped = io::copy(&mut from.take(count), &mut io::sink())?;
    if skipped < count {
        return Err(damaged());
    }
    Ok(())
}

/// The names on the way to an entry; none for the folder itself.
fn parts(name: &[u8]) -> io::Result<Vec<&OsStr>> {
    let refused = |what| Err(refused(name, what));
    if name.len() > LONGEST_PATH {
        return refused("has too long a name");
    }
    if name.is_empty() || name.starts_with(b"/") {
        return refused("is not below the folder");
    }
    if name.contains(&0) {
        return refused("has a name that no file can have");
    }
    let parts: Vec<&OsStr> = name
        .split(|&byte| byte == b'/')
        .filter(|part| !part.is_empty() && *part != b".")
        .map(OsStr::from_bytes)
        .collect();
    if parts.iter().any(|part| part.as_bytes() == b"..") {
        return refused("is not below the folder");
    }
    if parts.len() > DEEPEST {
        return refused("lies too deep");
    }
    Ok(parts)
}

/// Where an entry goes.
struct Place<'a> {
    root: &'a File,
    name: &'a [u8],
    parts: &'a [&'a OsStr],
}

impl Place<'_> {
    fn failed(&self) -> impl Fn(Errno) -> io::Error + '_ {
        |error| {
            let known = [
                (Errno::EEXIST, "is there twice"),
                (Errno::ELOOP, "lies below a link"),
                (Errno::ENOTDIR, "lies below a link or a file"),
            ];
            match known.iter().find(|(errno, _)| *errno == error) {
                Some((_, what)) => refused(self.name, what),
                None => io::Error::other(format!("{}: {error}", self.name.escape_ascii())),
            }
        }
    }

    /// Opens a folder on the way, and makes it if it is not there. One name at a time, and
    /// never through a link, so that it cannot lead out.
    fn descend(&self, parts: &[&OsStr]) -> io::Result<OwnedFd> {
        let mut here: OwnedFd = self.root.try_clone()?.into();
        for part in parts {
            let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
            here = match openat(&here, *part, flags, Mode::empty()) {
                Err(Errno::ENOENT) => {
                    mkdirat(&here, *part, Mode::from_bits_truncate(0o755))
                        .map_err(self.failed())?;
                    let made = openat(&here, *part, flags, Mode::empty()).map_err(self.failed())?;
                    let made = File::from(made);
                    // The umask does not count here.
                    made.set_permissions(fs::Permissions::from_mode(0o755))?;
                    made.into()
                }
                other => other.map_err(self.failed())?,
            };
        }
        Ok(here)
    }

    fn parent(&self) -> io::Result<(OwnedFd, &OsStr)> {
        let (last, above) = self
            .parts
            .split_last()
            .ok_or_else(|| refused(self.name, "is no folder"))?;
        Ok((self.descend(above)?, last))
    }

    fn folder(&self) -> io::Result<()> {
        self.descend(self.parts).map(drop)
    }

    fn link(&self, target: &[u8]) -> io::Result<()> {
        if target.is_empty() || target.len() > LONGEST_PATH || target.contains(&0) {
            return Err(refused(self.name, "is a link to nowhere"));
        }
        let (parent, name) = self.parent()?;
        symlinkat(OsStr::from_bytes(target), &parent, name).map_err(self.failed())
    }

    fn file(&self, from: &mut impl Read, size: u64, mode: u64) -> io::Result<()> {
        let (parent, name) = self.parent()?;
        let flags =
            OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let fd =
            openat(&parent, name, flags, Mode::from_bits_truncate(0o600)).map_err(self.failed())?;
        let mut file = File::from(fd);
        if io::copy(&mut from.take(size), &mut file)? < size {
            return Err(damaged());
        }
        let mode = if mode & 0o111 == 0 { 0o644 } else { 0o755 };
        file.set_permissions(fs::Permissions::from_mode(mode))
    }
}

fn refused(name: &[u8], what: &str) -> io::Error {
    io::Error::other(format!("{} {what}", name.escape_ascii()))
}

fn damaged() -> io::Error {
    io::Error::other("is a damaged tar stream")
}

fn cut_off(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return damaged();
    }
    error
}

#[cfg(test)]
mod tests;
