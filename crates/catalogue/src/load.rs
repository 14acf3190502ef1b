//! From sources to an index: what has changed is fetched, what has not is taken from the store.

use std::io::{self, BufRead, BufReader, Read};

use isosmith_protocol::{Code, ErrorView};

use crate::{
    fetch::{Answer, Validators, Web},
    index::Index,
    limits, pack,
    packages::{Builder, Standing},
    release::{Listed, Release},
    sources::{Archive, Sources},
    store::{KeptRelease, Store},
    text::sha256,
    trouble::{self, Outcome},
};

/// What came of loading.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// A new index; `None` when the one that was there still holds, or nothing better came.
    pub(crate) index: Option<Index>,
    /// Why it is not all that the sources have now.
    pub(crate) problems: Vec<ErrorView>,
}

/// How much was downloaded, of how much, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Came {
    pub(crate) done: u64,
    pub(crate) total: u64,
}

/// A list that the index is made of.
#[derive(Debug)]
struct Wanted<'a> {
    archive: &'a Archive,
    /// Its place at the archive's first mirror, without an ending: its name in the store.
    name: String,
    /// Its path below the folder of the Release file.
    path: String,
    /// Where it may come from, best first.
    urls: Vec<String>,
    listed: Listed,
    not_automatic: bool,
}

/// A list that is here.
#[derive(Debug)]
struct Here<'a> {
    wanted: Wanted<'a>,
    sha256: String,
    bytes: Vec<u8>,
}

/// One run.
pub(crate) struct Loader<'a> {
    pub(crate) sources: &'a Sources,
    pub(crate) store: &'a Store,
    pub(crate) web: &'a Web<'a>,
    pub(crate) came: &'a mut dyn FnMut(Came),
}

impl<'a> Loader<'a> {
    /// Brings the index up to date; `known` is what the one that is there was made of.
    ///
    /// # Errors
    ///
    /// Only when it was cancelled; everything else is a problem beside what could be had.
    pub(crate) fn run(mut self, known: Option<pack::Key>) -> Outcome<Loaded> {
        let mut problems = Vec::new();
        let mut wanted = Vec::new();
        let mut lacking = false;
        for archive in &self.sources.archives {
            match self.release(archive, &mut problems)? {
                None => lacking = true,
                Some((release, folder)) => {
                    lists(archive, &release, &folder, &mut wanted, &mut problems);
                }
            }
        }
        let promised = wanted
            .iter()
            .map(|list| (list, list.listed.sha256.as_str()));
        if known == Some(key_of(promised)) {
            return Ok(Loaded {
                index: None,
                problems,
            });
        }

        let mut here = Vec::new();
        let mut came = Came {
            done: 0,
            total: wanted
                .iter()
                .fold(0, |sum, list| sum.saturating_add(list.listed.size)),
        };
        for list in wanted {
            match self.list(list, &mut came, &mut problems)? {
                Some(list) => here.push(list),
                None => lacking = true,
            }
        }
        if (lacking && known.is_some()) || here.is_empty() {
            return Ok(Loaded {
                index: None,
                problems,
            });
        }
        let found = |here: &[Here<'_>]| {
            key_of(here.iter().map(|list| (&list.wanted, list.sha256.as_str())))
        };
        if known == Some(found(&here)) {
            return Ok(Loaded {
                index: None,
                problems,
            });
        }
        let complete = here.len();
        let index = build(&mut here, &mut problems);
        if here.is_empty() || (here.len() < complete && known.is_some()) {
            return Ok(Loaded {
                index: None,
                problems,
            });
        }
        let bytes = pack::write(&index, &found(&here));
        if let Err(problem) = self.store.keep_index(&self.sources.id(), &bytes) {
            problems.push(*problem);
        }
        Ok(Loaded {
            index: Some(index),
            problems,
        })
    }

    /// The archive's Release file and the folder that it came from: as it is now, else as it was.
    fn release(
        &self,
        archive: &Archive,
        problems: &mut Vec<ErrorView>,
    ) -> Outcome<Option<(Release, String)>> {
        let folders: Vec<String> = archive.uris.iter().map(|uri| archive.folder(uri)).collect();
        let Some(first) = folders.first() else {
            return Ok(None);
        };
        let kept = self
            .store
            .release(first)
            .and_then(|kept| Some((Release::parse(&kept.text)?, kept.validators)));
        let unknown = Validators::default();
        let known = kept.as_ref().map_or(&unknown, |(_, validators)| validators);
        let mut problem = None;
        for folder in &folders {
            match self.fetch_release(folder, known) {
                Ok(Answer::Unchanged) => {
                    if let Some((release, _)) = kept {
                        return Ok(Some((release, folder.clone())));
                    }
                }
                Ok(Answer::Missing) => {
                    let url = format!("{folder}InRelease");
                    problem.get_or_insert_with(|| trouble::missing(&url));
                }
                Ok(Answer::File(bytes, validators)) => {
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    let Some(release) = Release::parse(&text) else {
                        let url = format!("{folder}InRelease");
                        let why = "it is no Release file with SHA-256 checksums";
                        problem.get_or_insert_with(|| trouble::broken(&url, why));
                        continue;
                    };
                    let fresh = KeptRelease { validators, text };
                    if let Err(problem) = self.store.keep_release(first, &fresh) {
                        problems.push(*problem);
                    }
                    return Ok(Some((release, folder.clone())));
                }
                Err(error) if error.code == Code::Cancelled => return Err(error),
                Err(error) => {
                    problem.get_or_insert(error);
                }
            }
        }
        problems.extend(problem.map(|problem| *problem));
        Ok(kept.map(|(release, _)| (release, first.clone())))
    }

    /// `InRelease`, or `Release` of an archive that has its signature apart.
    fn fetch_release(&self, folder: &str, known: &Validators) -> Outcome<Answer> {
        let mut ignore = |_| {};
        let url = format!("{folder}InRelease");
        match self.web.get(&url, known, limits::RELEASE, &mut ignore)? {
            Answer::Missing => {
                let url = format!("{folder}Release");
                self.web.get(&url, known, limits::RELEASE, &mut ignore)
            }
            answer @ (Answer::Unchanged | Answer::File(..)) => Ok(answer),
        }
    }

    /// The list as promised, else an older one, else none; all but the first with a problem.
    fn list<'b>(
        &mut self,
        wanted: Wanted<'b>,
        came: &mut Came,
        problems: &mut Vec<ErrorView>,
    ) -> Outcome<Option<Here<'b>>> {
        let stored = self.store.list(&wanted.name);
        let stored = stored.map(|bytes| (sha256(&bytes), bytes));
        let promised = &wanted.listed.sha256;
        if stored.as_ref().is_some_and(|(found, _)| found == promised) {
            came.total = came.total.saturating_sub(wanted.listed.size);
        } else {
            match self.download(&wanted, came) {
                Ok(bytes) => {
                    if let Err(problem) = self.store.keep_list(&wanted.name, &bytes) {
                        problems.push(*problem);
                    }
                    return Ok(Some(Here {
                        sha256: promised.clone(),
                        wanted,
                        bytes,
                    }));
                }
                Err(problem) if problem.code == Code::Cancelled => return Err(problem),
                Err(problem) => problems.push(*problem),
            }
        }
        Ok(stored.map(|(sha256, bytes)| Here {
            wanted,
            sha256,
            bytes,
        }))
    }

    fn download(&mut self, wanted: &Wanted<'_>, came: &mut Came) -> Outcome<Vec<u8>> {
        let limit = limits::LIST.min(wanted.listed.size);
        if wanted.listed.size > limits::LIST {
            let why = format!("it is larger than {} MiB", limits::LIST >> 20);
            return Err(trouble::broken(&wanted.path, why));
        }
        let mut problem = None;
        let before = came.done;
        for url in &wanted.urls {
            came.done = before;
            let mut piece = |bytes| {
                came.done += bytes;
                (self.came)(*came);
            };
            match self.web.get(url, &Validators::default(), limit, &mut piece) {
                Ok(Answer::File(bytes, _)) if sha256(&bytes) == wanted.listed.sha256 => {
                    return Ok(bytes);
                }
                Ok(Answer::File(..)) => problem = Some(trouble::mismatch(url)),
                Ok(Answer::Missing | Answer::Unchanged) => {
                    problem.get_or_insert_with(|| trouble::missing(url));
                }
                Err(error) if error.code == Code::Cancelled => return Err(error),
                Err(error) => {
                    problem.get_or_insert(error);
                }
            }
        }
        came.done = before;
        Err(problem.unwrap_or_else(|| trouble::missing(&wanted.path)))
    }
}

/// The lists of an archive, as its Release file has them.
fn lists<'a>(
    archive: &'a Archive,
    release: &Release,
    folder: &str,
    wanted: &mut Vec<Wanted<'a>>,
    problems: &mut Vec<ErrorView>,
) {
    let needed: Vec<String> = if archive.is_flat() {
        vec!["Packages".to_owned()]
    } else {
        let components = archive.components.iter();
        components
            .map(|name| format!("{name}/binary-amd64/Packages"))
            .collect()
    };
    let apart = archive
        .components
        .iter()
        .filter(|_| release.all_apart && !archive.is_flat())
        .map(|name| format!("{name}/binary-all/Packages"));
    // Where there are no lists for all architectures after all, the others have everything.
    let apart = apart.filter(|path| release.best(path).is_some());
    let first = archive
        .uris
        .first()
        .map(|uri| archive.folder(uri))
        .unwrap_or_default();
    for path in needed.iter().cloned().chain(apart) {
        let Some((best, listed)) = release.best(&path) else {
            problems.push(*trouble::missing(&format!("{folder}{path}")));
            continue;
        };
        // The mirror whose Release file it is comes first.
        let others = archive.uris.iter().map(|uri| archive.folder(uri));
        let folders = std::iter::once(folder.to_owned()).chain(others.filter(|url| url != folder));
        let by_hash = match best.rsplit_once('/') {
            Some((parent, _)) => format!("{parent}/by-hash/SHA256/{}", listed.sha256),
            None => format!("by-hash/SHA256/{}", listed.sha256),
        };
        wanted.push(Wanted {
            archive,
            name: format!("{first}{path}"),
            urls: folders
                .flat_map(|folder| {
                    let hashed = release.by_hash.then(|| format!("{folder}{by_hash}"));
                    hashed.into_iter().chain([format!("{folder}{best}")])
                })
                .collect(),
            path,
            listed: listed.clone(),
            not_automatic: release.not_automatic,
        });
    }
}

fn key_of<'a>(lists: impl Iterator<Item = (&'a Wanted<'a>, &'a str)>) -> pack::Key {
    let inputs: Vec<String> = lists
        .map(|(list, sha256)| {
            let Standing {
                base,
                automatic,
                preferred,
            } = list.standing();
            format!("{} {sha256} {base} {automatic} {preferred:?}", list.name)
        })
        .collect();
    pack::key(&inputs.join("\n"))
}

impl Wanted<'_> {
    fn standing(&self) -> Standing<'_> {
        Standing {
            base: self.archive.distribution && self.path.starts_with("main/"),
            automatic: !self.not_automatic,
            preferred: &self.archive.preferred,
        }
    }
}

/// Reads all lists. One that cannot be read is left out, and nothing of it stays.
fn build(here: &mut Vec<Here<'_>>, problems: &mut Vec<ErrorView>) -> Index {
    loop {
        let mut builder = Builder::default();
        let failed = here.iter().enumerate().find_map(|(number, list)| {
            let read = unpacked(&list.bytes)
                .and_then(|reader| builder.add(reader, list.wanted.standing()));
            Some((number, read.err()?))
        });
        match failed {
            None => return builder.finish(),
            Some((number, error)) => {
                problems.push(*trouble::broken(&here[number].wanted.name, error));
                here.remove(number);
            }
        }
    }
}

/// What a list says, whatever it is packed with.
fn unpacked(bytes: &[u8]) -> io::Result<impl BufRead> {
    let reader: Box<dyn Read + '_> = match bytes {
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Box::new(lzma_rust2::XzReader::new_mem_limit(
            bytes,
            true,
            limits::UNPACKING_KIB,
        )),
        [0x1f, 0x8b, ..] => Box::new(flate2::read::MultiGzDecoder::new(bytes)),
        _ => Box::new(bytes),
    };
    Ok(BufReader::with_capacity(
        1 << 16,
        Limited {
            reader,
            left: limits::UNPACKED,
        },
    ))
}

/// Reads no more than it may.
struct Limited<R> {
    reader: R,
    left: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, piece: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(piece)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| {
            let why = format!("it is larger than {} MiB unpacked", limits::UNPACKED >> 20);
            io::Error::new(io::ErrorKind::FileTooLarge, why)
        })?;
        Ok(read)
    }
}
