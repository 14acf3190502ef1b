//! Downloads: many at once, each checked against the signed index, kept by content.

use std::{
    collections::VecDeque,
    fs::{self, File},
    io::{Read, Write},
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use isosmith_engine::{Failure, Reporter};
use isosmith_host::Cancel;
use isosmith_protocol::{Code, Unit};
use sha2::{Digest, Sha256};

use crate::{apt::Package, materials::hex, web::Web};

/// Downloaded packages, by content.
#[derive(Debug, Clone)]
pub struct Pool {
    root: PathBuf,
}

impl Pool {
    /// The pool at `root`, which exists.
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// Where a package lies, or would lie.
    pub fn path(&self, package: &Package) -> PathBuf {
        let (prefix, _) = package.sha256.split_at(package.sha256.len().min(2));
        self.root
            .join(prefix)
            .join(format!("{}.deb", package.sha256))
    }

    fn has(&self, package: &Package) -> bool {
        fs::metadata(self.path(package)).is_ok_and(|meta| meta.len() == package.size)
    }

    /// Bytes that are yet to be downloaded for `packages`.
    pub fn missing(&self, packages: &[Package]) -> u64 {
        packages
            .iter()
            .filter(|package| !self.has(package))
            .map(|package| package.size)
            .sum()
    }

    /// Makes sure that every package is here, `at_once` at the same time.
    ///
    /// `mirrors` are alternatives: where a URI begins with one of a group, the others of that
    /// group are tried after it.
    ///
    /// # Errors
    ///
    /// Network failures, [`Code::HashMismatch`] when every mirror sends something else than
    /// the index promises, [`Code::Cancelled`]. What is complete by then stays.
    pub fn fill(
        &self,
        web: &dyn Web,
        packages: &[Package],
        mirrors: &[Vec<String>],
        at_once: usize,
        cancel: &Cancel,
        report: &Reporter,
    ) -> Result<(), Failure> {
        let mut todo: Vec<&Package> = packages
            .iter()
            .filter(|package| !self.has(package))
            .collect();
        // Largest first: the last lane to finish then has a small one.
        todo.sort_by_key(|package| std::cmp::Reverse(package.size));
        let total = todo.iter().map(|package| package.size).sum();
        let queue = Mutex::new(VecDeque::from(todo));
        let done = AtomicU64::new(0);
        let failure = Mutex::new(None::<Failure>);
        thread::scope(|scope| {
            for _ in 0..at_once {
                scope.spawn(|| {
                    while let Some(package) = next(&queue, &failure) {
                        let progress = |bytes: u64| {
                            let so_far = done.fetch_add(bytes, Ordering::Relaxed) + bytes;
                            report.progress(so_far, Some(total), Unit::Bytes, Some(&package.name));
                        };
                        if let Err(error) = self.get(web, package, mirrors, cancel, &progress) {
                            failure
                                .lock()
                                .unwrap_or_else(std::sync::PoisonError::into_inner)
                                .get_or_insert(error);
                        }
                    }
                });
            }
        });
        match failure
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
        {
            Some(failure) => Err(failure),
            None => Ok(()),
        }
    }

    fn get(
        &self,
        web: &dyn Web,
        package: &Package,
        mirrors: &[Vec<String>],
        cancel: &Cancel,
        progress: &dyn Fn(u64),
    ) -> Result<(), Failure> {
        let mut last = None;
        for url in alternatives(&package.uri, mirrors) {
            match self.get_from(web, &url, package, cancel, progress) {
                Ok(()) => return Ok(()),
                Err(failure)
                    if failure.code == Code::Cancelled || failure.code == Code::DiskFull =>
                {
                    return Err(failure);
                }
                Err(failure) => last = Some(failure),
            }
        }
        Err(last.unwrap_or_else(|| Failure::plain(Code::Internal, "no mirror to download from")))
    }

    fn get_from(
        &self,
        web: &dyn Web,
        url: &str,
        package: &Package,
        cancel: &Cancel,
        progress: &dyn Fn(u64),
    ) -> Result<(), Failure> {
        let target = self.path(package);
        let folder = target.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder)
            .map_err(|error| Failure::io_at("make a folder for downloads", folder, error))?;
        let mut body = web.open(url)?;
        // Named by process and content: two builds may fetch the same package at once.
        let partial = folder.join(format!(".{}.{}", package.sha256, std::process::id()));
        let result = receive(&mut body, &partial, package, url, cancel, progress).and_then(|()| {
            fs::rename(&partial, &target)
                .map_err(|error| Failure::io_at("keep a download", &target, error))
        });
        if result.is_err() {
            let _ = fs::remove_file(&partial);
        }
        result
    }
}

fn next<'a>(
    queue: &Mutex<VecDeque<&'a Package>>,
    failure: &Mutex<Option<Failure>>,
) -> Option<&'a Package> {
    if failure
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .is_some()
    {
        return None;
    }
    queue
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .pop_front()
}

fn receive(
    body: &mut dyn Read,
    to: &Path,
    package: &Package,
    url: &str,
    cancel: &Cancel,
    progress: &dyn Fn(u64),
) -> Result<(), Failure> {
    let mut file =
        File::create(to).map_err(|error| Failure::io_at("write a download", to, error))?;
    let mut hash = Sha256::new();
    let mut size = 0;
    let mut buffer = vec![0; 128 * 1024];
    loop {
        if cancel.is_cancelled() {
            return Err(Failure::cancelled());
        }
        let count = body.read(&mut buffer).map_err(|error| {
            Failure::plain(
                Code::DownloadFailed,
                format!("the download of {url} broke off"),
            )
            .because(error)
        })?;
        if count == 0 {
            break;
        }
        size += count as u64;
        if size > package.size {
            break;
        }
        hash.update(&buffer[..count]);
        file.write_all(&buffer[..count])
            .map_err(|error| Failure::io_at("write a download", to, error))?;
        progress(count as u64);
    }
    if size < package.size {
        let message = format!(
            "the download of {url} ended after {size} of {} bytes",
            package.size
        );
        return Err(Failure::plain(Code::DownloadFailed, message));
    }
    if size > package.size || hex(&hash.finalize()) != package.sha256 {
        return Err(Failure::plain(
            Code::HashMismatch,
            format!("{url} is not what the signed index names"),
        ));
    }
    Ok(())
}

/// `uri` and the same file on the other mirrors of its group.
fn alternatives(uri: &str, mirrors: &[Vec<String>]) -> Vec<String> {
    let mut all = vec![uri.to_owned()];
    for group in mirrors {
        let below = |mirror: &String| {
            uri.strip_prefix(mirror.as_str())
                .filter(|rest| rest.starts_with('/'))
        };
        let Some(rest) = group.iter().find_map(below) else {
            continue;
        };
        all.extend(
            group
                .iter()
                .map(|mirror| format!("{mirror}{rest}"))
                .filter(|other| other != uri),
        );
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_looked_for_on_every_mirror_of_its_group() {
        let groups = [
            vec!["http://a/debian".to_owned(), "http://b/deb".to_owned()],
            vec!["http://s/sec".to_owned()],
        ];
        assert_eq!(
            alternatives("http://a/debian/pool/x.deb", &groups),
            ["http://a/debian/pool/x.deb", "http://b/deb/pool/x.deb"]
        );
        assert_eq!(
            alternatives("http://s/sec/x.deb", &groups),
            ["http://s/sec/x.deb"]
        );
        assert_eq!(alternatives("file:/x.deb", &groups), ["file:/x.deb"]);
    }
}
