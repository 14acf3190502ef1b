//! Directory records (ECMA-119 9.1) and the Rock Ridge fields in them.

use serde::Serialize;

use super::SECTOR;
use crate::bytes::{slice, u8_at, u32_le};
use crate::error::{InspectError, Structure};
use crate::source::Run;

/// A chain of SUSP continuation areas longer than this is a loop.
const CONTINUATION_LIMIT: usize = 32;

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link and its target.
    Symlink(String),
    /// A device, socket or pipe.
    Special,
}

/// A name in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The Rock Ridge name, else the plain one without version number.
    pub name: String,
    /// Whether the name came from Rock Ridge.
    pub rock_ridge: bool,
    /// What it is.
    pub kind: Kind,
    /// POSIX mode, with Rock Ridge.
    pub mode: Option<u32>,
    /// Where its bytes are, several runs for files of 4 GiB and more.
    pub runs: Vec<Run>,
    /// Block of a relocated directory (Rock Ridge `CL`).
    pub(super) relocated: Option<u32>,
}

impl Entry {
    /// Length in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.runs
            .iter()
            .fold(0, |sum, run| sum.saturating_add(run.len))
    }

    /// First sector of the content.
    #[must_use]
    pub fn first_block(&self) -> Option<u64> {
        self.runs.first().map(|run| run.start / SECTOR)
    }

    pub(super) fn directory_run(&self) -> Option<Run> {
        match self.kind {
            Kind::Directory => self.runs.first().copied(),
            Kind::File | Kind::Symlink(_) | Kind::Special => None,
        }
    }
}

/// Reads a continuation area: block, offset, length.
pub(super) type Continuation<'a> = &'a dyn Fn(u32, u32, u32) -> Option<Vec<u8>>;

/// How many bytes SUSP wants skipped, from the `SP` field of the root's ".".
pub(super) fn susp_skip(root: &[u8]) -> Option<usize> {
    let len = usize::from(u8_at(root, 0)?);
    let record = slice(root, 0, len)?;
    let area = record.get(system_use_start(record)?..)?;
    let is_sp = slice(area, 0, 2)? == b"SP" && slice(area, 4, 2)? == [0xbe, 0xef];
    is_sp.then(|| u8_at(area, 6).map(usize::from)).flatten()
}

/// The length a directory's "." gives for it.
pub(super) fn own_length(first: &[u8]) -> Option<u64> {
    u32_le(first, 10).map(u64::from)
}

/// All entries but "." and "..", multi-extent files joined.
pub(super) fn parse(
    bytes: &[u8],
    skip: Option<usize>,
    more: Continuation<'_>,
) -> Result<Vec<Entry>, InspectError> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut unfinished = false;
    let mut at = 0;
    while let Some(len) = u8_at(bytes, at).map(usize::from) {
        if len == 0 {
            // Records never cross a sector; the rest of this one is padding.
            at = (at / SECTOR as usize + 1) * SECTOR as usize;
            continue;
        }
        let record = slice(bytes, at, len).filter(|record| record.len() >= 34);
        let record = record.ok_or_else(|| damaged("a directory record is cut off"))?;
        at += len;
        let Some(parsed) = parse_record(record, skip, more)? else {
            continue;
        };
        let (entry, continues) = parsed;
        match entries.last_mut() {
            Some(last) if unfinished && last.name == entry.name => last.runs.extend(entry.runs),
            Some(_) | None => entries.push(entry),
        }
        unfinished = continues;
    }
    Ok(entries)
}

fn parse_record(
    record: &[u8],
    skip: Option<usize>,
    more: Continuation<'_>,
) -> Result<Option<(Entry, bool)>, InspectError> {
    let cut = || damaged("a directory record is cut off");
    let name_len = usize::from(u8_at(record, 32).ok_or_else(cut)?);
    let plain = slice(record, 33, name_len).ok_or_else(cut)?;
    if plain == [0] || plain == [1] {
        return Ok(None);
    }
    let flags = u8_at(record, 25).ok_or_else(cut)?;
    if u8_at(record, 26) != Some(0) {
        return Err(InspectError::unsupported(
            Structure::Iso9660,
            "interleaved files",
        ));
    }
    let start =
        u64::from(u32_le(record, 2).ok_or_else(cut)?) + u64::from(u8_at(record, 1).unwrap_or(0));
    let run = Run {
        start: start * SECTOR,
        len: u64::from(u32_le(record, 10).ok_or_else(cut)?),
    };

    let rock = match (skip, system_use_start(record)) {
        (Some(skip), Some(area)) => {
            RockRidge::parse(record.get(area + skip..).unwrap_or(&[]), more)
        }
        (Some(_) | None, _) => RockRidge::default(),
    };
    if rock.relocated_here {
        return Ok(None);
    }
    let kind = match (flags & 2 != 0, rock.mode.map(|mode| mode & 0o170_000)) {
        (_, Some(0o120_000)) => Kind::Symlink(rock.target),
        (_, Some(0o020_000 | 0o060_000 | 0o010_000 | 0o140_000)) => Kind::Special,
        (true, _) => Kind::Directory,
        (false, _) => Kind::File,
    };
    let rock_ridge = !rock.name.is_empty();
    let name = if rock_ridge {
        String::from_utf8_lossy(&rock.name).into_owned()
    } else {
        plain_name(plain)
    };
    let entry = Entry {
        name,
        rock_ridge,
        kind,
        mode: rock.mode,
        runs: vec![run],
        relocated: rock.child,
    };
    Ok(Some((entry, flags & 0x80 != 0)))
}

/// `FILE.TXT;1` is FILE.TXT, `NAME.;1` is NAME.
fn plain_name(raw: &[u8]) -> String {
    let text = String::from_utf8_lossy(raw);
    let stem = text.split(';').next().unwrap_or_default();
    stem.strip_suffix('.').unwrap_or(stem).to_owned()
}

fn system_use_start(record: &[u8]) -> Option<usize> {
    let name_len = usize::from(u8_at(record, 32)?);
    // A padding byte follows names of even length.
    Some(33 + name_len + usize::from(name_len.is_multiple_of(2)))
}

#[derive(Debug, Default)]
struct RockRidge {
    name: Vec<u8>,
    mode: Option<u32>,
    target: String,
    child: Option<u32>,
    relocated_here: bool,
}

impl RockRidge {
    fn parse(area: &[u8], more: Continuation<'_>) -> Self {
        let mut found = Self::default();
        let mut link = LinkTarget::default();
        let mut next = Some(area.to_vec());
        for _ in 0..CONTINUATION_LIMIT {
            let Some(area) = next.take() else { break };
            let mut rest = area.as_slice();
            while let Some(len) = u8_at(rest, 2).map(usize::from).filter(|&len| len >= 4) {
                let Some(field) = slice(rest, 0, len) else {
                    break;
                };
                match &field[..2] {
                    b"NM" => found.name.extend_from_slice(field.get(5..).unwrap_or(&[])),
                    b"PX" => found.mode = u32_le(field, 4),
                    b"SL" => link.add(field.get(5..).unwrap_or(&[])),
                    b"CL" => found.child = u32_le(field, 4),
                    b"RE" => found.relocated_here = true,
                    b"CE" => {
                        next = u32_le(field, 4)
                            .zip(u32_le(field, 12))
                            .zip(u32_le(field, 20))
                            .and_then(|((block, offset), len)| more(block, offset, len));
                    }
                    b"ST" => break,
                    _ => {}
                }
                rest = &rest[len..];
            }
        }
        found.target = link.text;
        found
    }
}

/// Components of a Rock Ridge `SL` field (P1282 4.1.3).
#[derive(Debug, Default)]
struct LinkTarget {
    text: String,
    /// The component at the end goes on in the next record.
    open: bool,
}

impl LinkTarget {
    fn add(&mut self, mut components: &[u8]) {
        while let (Some(flags), Some(len)) = (u8_at(components, 0), u8_at(components, 1)) {
            let Some(content) = slice(components, 2, usize::from(len)) else {
                return;
            };
            if !self.open && !self.text.is_empty() && !self.text.ends_with('/') {
                self.text.push('/');
            }
            match flags & 0x0e {
                2 => self.text.push('.'),
                4 => self.text.push_str(".."),
                8 => self.text.push('/'),
                _ => self.text.push_str(&String::from_utf8_lossy(content)),
            }
            self.open = flags & 1 != 0;
            components = &components[2 + usize::from(len)..];
        }
    }
}

fn damaged(detail: &str) -> InspectError {
    InspectError::damaged(Structure::Iso9660, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory record with `susp` after its name.
    fn record(name: &[u8], block: u32, len: u32, flags: u8, susp: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; 33];
        bytes[2..6].copy_from_slice(&block.to_le_bytes());
        bytes[10..14].copy_from_slice(&len.to_le_bytes());
        bytes[25] = flags;
        bytes[32] = name.len() as u8;
        bytes.extend_from_slice(name);
        if name.len().is_multiple_of(2) {
            bytes.push(0);
        }
        bytes.extend_from_slice(susp);
        bytes[0] = bytes.len() as u8;
        bytes
    }

    fn field(tag: &[u8; 2], content: &[u8]) -> Vec<u8> {
        let mut bytes = vec![tag[0], tag[1], content.len() as u8 + 4, 1];
        bytes.extend_from_slice(content);
        bytes
    }

    fn check(bytes: &[u8], skip: Option<usize>, expected: &[(&str, Kind, u64)]) {
        let nothing = |_: u32, _: u32, _: u32| None;
        let entries = parse(bytes, skip, &nothing).unwrap();
        let found: Vec<_> = entries
            .iter()
            .map(|e| (e.name.as_str(), e.kind.clone(), e.size()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn plain_names_lose_their_version() {
        let mut bytes = record(&[0], 20, 2048, 2, &[]);
        bytes.extend(record(&[1], 20, 2048, 2, &[]));
        bytes.extend(record(b"README.TXT;1", 30, 5, 0, &[]));
        bytes.extend(record(b"VMLINUZ.;1", 31, 6, 0, &[]));
        bytes.extend(record(b"LIVE", 32, 2048, 2, &[]));
        check(
            &bytes,
            None,
            &[
                ("README.TXT", Kind::File, 5),
                ("VMLINUZ", Kind::File, 6),
                ("LIVE", Kind::Directory, 2048),
            ],
        );
    }

    #[test]
    fn rock_ridge_gives_names_links_and_joined_extents() {
        let named = |name: &[u8]| field(b"NM", &[&[0], name].concat());
        let mode = |mode: u32| field(b"PX", &[mode.to_le_bytes(), mode.to_be_bytes()].concat());
        let target = field(
            b"SL",
            &[
                0, 4, 0, 0, 3, b'u', b's', b'r', 1, 2, b'l', b'i', 0, 1, b'b',
            ],
        );
        let mut bytes = record(
            b"A;1",
            10,
            0xffff_f800,
            0x80,
            &named(b"filesystem.squashfs"),
        );
        bytes.extend(record(b"A;1", 99, 10, 0, &named(b"filesystem.squashfs")));
        bytes.extend(record(
            b"B;1",
            0,
            0,
            0,
            &[named(b"lib"), mode(0o120_777), target].concat(),
        ));
        bytes.extend(record(
            b"C",
            0,
            9,
            2,
            &[named(b"gone"), field(b"RE", &[])].concat(),
        ));
        check(
            &bytes,
            Some(0),
            &[
                ("filesystem.squashfs", Kind::File, 0xffff_f80a),
                ("lib", Kind::Symlink("../usr/lib".to_owned()), 0),
            ],
        );
    }

    #[test]
    fn a_continuation_that_points_to_itself_ends() {
        let again = field(b"CE", &[0; 24]);
        let bytes = record(b"A;1", 1, 1, 0, &again);
        let forever = |_: u32, _: u32, _: u32| Some(again.clone());
        assert_eq!(parse(&bytes, Some(0), &forever).unwrap().len(), 1);
    }

    #[test]
    fn cut_records_are_damage_and_no_bytes_panic() {
        let whole = record(b"README.TXT;1", 30, 5, 0, &field(b"NM", b"\0readme"));
        let nothing = |_: u32, _: u32, _: u32| None;
        for end in 1..whole.len() {
            assert!(parse(&whole[..end], Some(0), &nothing).is_err(), "{end}");
        }
        for byte in 0..whole.len() {
            for value in [0, 1, 33, 34, 0x7f, 0xff] {
                let mut bytes = whole.clone();
                bytes[byte] = value;
                let _ = parse(&bytes, Some(0), &nothing);
            }
        }
    }
}
