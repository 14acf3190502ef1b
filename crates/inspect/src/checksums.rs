//! Checksum lists beside an image and on the medium.

use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use md5::Md5;
use serde::Serialize;
use sha2::{Digest, Sha256, Sha512};

use crate::bytes::hex;
use crate::checksum_list::{Line, parse};
use crate::error::{InspectError, Structure};
use crate::iso9660::{Entry, Iso, Kind};
use crate::source::{Disk, ReadAt};

/// A medium has some hundred files; an offline pool a few thousand.
const LIST_LIMIT: u64 = 8 << 20;
const CHUNK: usize = 1 << 20;

/// A digest algorithm that lists use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
    /// MD5; shows accidents, not attacks.
    Md5,
}

impl Algorithm {
    const ALL: [Self; 3] = [Self::Sha256, Self::Sha512, Self::Md5];

    /// The ending of a list beside an image.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
            Self::Md5 => "md5",
        }
    }

    /// Length of a digest in bytes.
    #[must_use]
    pub fn bytes(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha512 => 64,
            Self::Md5 => 16,
        }
    }
}

/// How a file compares with its list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum ChecksumOutcome {
    /// The digest is the listed one.
    Match,
    /// It is another.
    Mismatch {
        /// The digest of the file as it is.
        found: String,
    },
    /// The list names a file that does not exist.
    Missing,
    /// The line is not a digest and a name.
    Malformed,
}

/// One line of one list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChecksumResult {
    /// The list: a file name beside the image, or `/PATH` on the medium.
    pub list: String,
    /// The file the line names; the line itself when it is malformed.
    pub file: String,
    /// The algorithm.
    pub algorithm: Algorithm,
    /// How they compare.
    #[serde(flatten)]
    pub outcome: ChecksumOutcome,
}

impl ChecksumResult {
    /// Whether the line holds.
    #[must_use]
    pub fn is_match(&self) -> bool {
        self.outcome == ChecksumOutcome::Match
    }
}

/// Checks every list that exists: `NAME.iso.sha256`, `.sha512` and `.md5`
/// beside the image, and `sha256sum.txt`, `sha512sum.txt` and `md5sum.txt`
/// on the medium, file by file. No list at all gives an empty answer.
///
/// # Errors
/// When image or lists cannot be read. A wrong digest is a result.
pub fn verify_checksums(iso_path: &Path) -> Result<Vec<ChecksumResult>, InspectError> {
    verify_checksums_watched(iso_path, &mut |_| ControlFlow::Continue(()))
}

/// As [`verify_checksums`], telling `watch` after each block how many bytes
/// were read since the last call; it may stop the work.
///
/// # Errors
/// As [`verify_checksums`], and [`InspectError::Cancelled`].
pub fn verify_checksums_watched(
    iso_path: &Path,
    watch: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<Vec<ChecksumResult>, InspectError> {
    let disk = Disk::open(iso_path).map_err(InspectError::read(iso_path.display().to_string()))?;
    let mut results = beside(iso_path, &disk, watch)?;
    results.extend(on_medium(&disk, watch)?);
    Ok(results)
}

/// Paths of the lists on a medium.
pub(crate) fn lists_on(iso: &Iso<'_>) -> Result<Vec<String>, InspectError> {
    let root = iso.list("")?;
    let lists = root
        .into_iter()
        .filter(|entry| entry.kind == Kind::File && list_algorithm(&entry.name).is_some());
    Ok(lists.map(|entry| entry.name).collect())
}

/// The names that live-boot's `verify-checksums` knows, and their usual
/// upper-case spelling.
fn list_algorithm(name: &str) -> Option<Algorithm> {
    match name.to_ascii_lowercase().as_str() {
        "sha256sum.txt" | "sha256sums" => Some(Algorithm::Sha256),
        "sha512sum.txt" | "sha512sums" => Some(Algorithm::Sha512),
        "md5sum.txt" | "md5sums" => Some(Algorithm::Md5),
        _ => None,
    }
}

fn beside(
    iso_path: &Path,
    disk: &Disk,
    watch: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<Vec<ChecksumResult>, InspectError> {
    let own_name = iso_path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let mut lists = Vec::new();
    for algorithm in Algorithm::ALL {
        let name = format!("{own_name}.{}", algorithm.extension());
        let text = match Disk::open(&iso_path.with_file_name(&name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            opened => opened.map_err(InspectError::read(&name))?,
        };
        lists.push((name, algorithm, read_list(&text)?));
    }
    if lists.is_empty() {
        return Ok(Vec::new());
    }
    // One pass over a large file for all lists.
    let wanted: Vec<Algorithm> = lists.iter().map(|(_, algorithm, _)| *algorithm).collect();
    let digests = digest(disk, &own_name, &wanted, watch)?;
    let mut results = Vec::new();
    for (list, algorithm, text) in lists {
        for line in parse(&text, algorithm) {
            let outcome = match &line {
                // The list may name a directory before the file, or have
                // been made before it got its final place.
                Line::Entry { file, digest } if base_name(file) == own_name => {
                    compare(digest, digests.get(&algorithm))
                }
                Line::Entry { .. } => ChecksumOutcome::Missing,
                Line::Malformed(_) => ChecksumOutcome::Malformed,
            };
            results.push(ChecksumResult {
                list: list.clone(),
                file: line.into_name(),
                algorithm,
                outcome,
            });
        }
    }
    Ok(results)
}

fn on_medium(
    disk: &Disk,
    watch: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<Vec<ChecksumResult>, InspectError> {
    let iso = Iso::open(disk)?;
    let mut results = Vec::new();
    for list in lists_on(&iso)? {
        let Some(algorithm) = list_algorithm(&list) else {
            continue;
        };
        let text = read_list(&iso.open_file(&list)?)?;
        // Files are looked up in one walk: a list may name thousands.
        let mut files: BTreeMap<String, Entry> = BTreeMap::new();
        iso.walk(&mut |path, entry| {
            files.insert(path.to_owned(), entry.clone());
            true
        })?;
        for line in parse(&text, algorithm) {
            let outcome = match &line {
                Line::Entry {
                    file,
                    digest: listed,
                } => {
                    let path = file.trim_start_matches("./").trim_start_matches('/');
                    match files.get(path).and_then(|entry| iso.open_entry(entry)) {
                        Some(source) => compare(
                            listed,
                            digest(&source, path, &[algorithm], watch)?.get(&algorithm),
                        ),
                        None => ChecksumOutcome::Missing,
                    }
                }
                Line::Malformed(_) => ChecksumOutcome::Malformed,
            };
            results.push(ChecksumResult {
                list: format!("/{list}"),
                file: line.into_name(),
                algorithm,
                outcome,
            });
        }
    }
    Ok(results)
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn compare(listed: &str, found: Option<&String>) -> ChecksumOutcome {
    match found {
        Some(found) if found.eq_ignore_ascii_case(listed) => ChecksumOutcome::Match,
        Some(found) => ChecksumOutcome::Mismatch {
            found: found.clone(),
        },
        None => ChecksumOutcome::Missing,
    }
}

fn read_list(source: &dyn ReadAt) -> Result<String, InspectError> {
    if source.size() > LIST_LIMIT {
        return Err(InspectError::TooLarge {
            what: "the checksum list".to_owned(),
            limit: LIST_LIMIT,
        });
    }
    let bytes = source
        .read_vec(0, source.size() as usize)
        .map_err(InspectError::inside(Structure::ChecksumList))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

enum Hasher {
    Sha256(Sha256),
    Sha512(Sha512),
    Md5(Md5),
}

impl Hasher {
    fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Sha256 => Self::Sha256(Sha256::new()),
            Algorithm::Sha512 => Self::Sha512(Sha512::new()),
            Algorithm::Md5 => Self::Md5(Md5::new()),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hash) => hash.update(bytes),
            Self::Sha512(hash) => hash.update(bytes),
            Self::Md5(hash) => hash.update(bytes),
        }
    }

    fn finish(self) -> String {
        match self {
            Self::Sha256(hash) => hex(&hash.finalize()),
            Self::Sha512(hash) => hex(&hash.finalize()),
            Self::Md5(hash) => hex(&hash.finalize()),
        }
    }
}

fn digest(
    source: &dyn ReadAt,
    name: &str,
    algorithms: &[Algorithm],
    watch: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<BTreeMap<Algorithm, String>, InspectError> {
    let mut hashers: Vec<_> = algorithms
        .iter()
        .map(|&algorithm| (algorithm, Hasher::new(algorithm)))
        .collect();
    let mut buffer = vec![0; CHUNK];
    let mut at = 0;
    while at < source.size() {
        let here = (source.size() - at).min(CHUNK as u64) as usize;
        source
            .read_exact_at(&mut buffer[..here], at)
            .map_err(InspectError::read(name))?;
        for (_, hasher) in &mut hashers {
            hasher.update(&buffer[..here]);
        }
        at += here as u64;
        if watch(here as u64).is_break() {
            return Err(InspectError::Cancelled);
        }
    }
    Ok(hashers
        .into_iter()
        .map(|(algorithm, hasher)| (algorithm, hasher.finish()))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC_MD5: &str = "900150983cd24fb0d6963f7d28e17f72";

    #[test]
    fn digests_are_the_published_ones() {
        let mut bytes = 0;
        let mut watch = |read| {
            bytes += read;
            ControlFlow::Continue(())
        };
        let found = digest(&b"abc".to_vec(), "abc", &Algorithm::ALL, &mut watch).unwrap();
        assert_eq!(found[&Algorithm::Md5], ABC_MD5);
        assert!(found[&Algorithm::Sha256].starts_with("ba7816bf8f01cfea"));
        assert!(found[&Algorithm::Sha512].starts_with("ddaf35a193617aba"));
        assert_eq!(bytes, 3);
        let stopped = digest(&b"abc".to_vec(), "abc", &[Algorithm::Md5], &mut |_| {
            ControlFlow::Break(())
        });
        assert!(matches!(stopped, Err(InspectError::Cancelled)));
    }
}
