//! The files of a request: one by one, or all of them in a bundle.

use std::{
    collections::HashMap,
    fs::File,
    os::{fd::OwnedFd, unix::fs::MetadataExt},
    path::Path,
};

use isosmith_engine::Failure;
use isosmith_protocol::Code;
use isosmith_recipe::{Materials, take_apart};
use isosmith_spec::BuildSpec;
use nix::sys::statfs::{self, FsType};

use super::{folder::Incoming, summary::shown};
use crate::refusal::{Kind, Refusal};

/// Most files of one request.
const MOST_FILES: usize = 512;

/// Most bytes of all files of one request; nobody has been asked yet when they are copied.
const MOST_BYTES: u64 = 8 << 30;

/// Room that a request must leave on the disk, in bytes.
const ROOM_LEFT: u64 = 2 << 30;

/// What was handed over.
#[derive(Debug)]
pub enum Handed {
    /// By the paths that the profile has for them.
    Each(HashMap<String, File>),
    /// All of them in one: a message bus carries only few descriptors in a message.
    Bundle(File),
}

impl Handed {
    /// What the descriptors are, without a look at them. One without a path is a bundle.
    ///
    /// # Errors
    ///
    /// [`Kind::InvalidFile`] for too many files, one that comes twice, or a bundle beside others.
    pub fn read(files: Vec<(String, OwnedFd)>) -> Result<Self, Refusal> {
        if files.len() > MOST_FILES {
            return Err(invalid(format!("there are more than {MOST_FILES} files")));
        }
        let mut named = HashMap::new();
        for (name, fd) in files {
            if named.insert(name.clone(), File::from(fd)).is_some() {
                return Err(invalid(format!("{} comes twice", shown(&name, 200))));
            }
        }
        match named.remove("") {
            None => Ok(Self::Each(named)),
            Some(bundle) if named.is_empty() => Ok(Self::Bundle(bundle)),
            Some(_) => Err(invalid("a bundle of files comes alone")),
        }
    }

    /// Whether these are exactly the files that the spec names, nothing but regular files, not too
    /// large, and find room. Looks at descriptors only; what is in a bundle is seen when it is
    /// copied.
    ///
    /// # Errors
    ///
    /// [`Kind::InvalidFile`]; [`Kind::Failed`] when there is no room.
    pub fn check(&self, spec: &BuildSpec, state: &Path) -> Result<(), Refusal> {
        let bytes = self.check_files(spec)?;
        let copies = match self {
            Self::Each(_) => 1,
            // It is taken apart, and each part is copied.
            Self::Bundle(_) => 2,
        };
        check_room(bytes, copies, state)
    }

    /// As [`Handed::check`], whatever room there is. Returns the bytes of all files.
    fn check_files(&self, spec: &BuildSpec) -> Result<u64, Refusal> {
        match self {
            Self::Each(files) => {
                check_names(spec, files)?;
                for (name, file) in files {
                    check_regular(name, file)?;
                }
                check_size(files.values())
            }
            Self::Bundle(file) => {
                check_regular("the bundle of files", file)?;
                check_size([file])
            }
        }
    }

    /// Copies them into the folder of the request.
    ///
    /// # Errors
    ///
    /// [`Kind::InvalidFile`]; [`Kind::Failed`] when they cannot be written.
    pub fn copy(self, spec: &BuildSpec, incoming: &Incoming) -> Result<Materials, Refusal> {
        let refused = |failure| Refusal::of(Kind::InvalidFile, failure);
        let wanted = spec.materials();
        let inputs = incoming.folder("inputs")?;
        match self {
            Self::Each(files) => {
                let mut open = |name: &str| files.get(name)?.try_clone().ok();
                Materials::receive(&wanted, &mut open, &inputs, MOST_BYTES).map_err(refused)
            }
            Self::Bundle(bundle) => {
                let parts = incoming.folder("bundle")?;
                let files = take_apart(&bundle, &wanted, &parts, MOST_BYTES).map_err(refused)?;
                let mut open = |name: &str| files.get(name)?.try_clone().ok();
                let received = Materials::receive(&wanted, &mut open, &inputs, MOST_BYTES);
                incoming.remove(&parts)?;
                received.map_err(refused)
            }
        }
    }
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(Kind::InvalidFile, message)
}

fn check_names(spec: &BuildSpec, files: &HashMap<String, File>) -> Result<(), Refusal> {
    let wanted = spec.materials();
    let missing = wanted
        .iter()
        .find(|want| !files.contains_key(want.path.as_str()));
    if let Some(want) = missing {
        let (field, path) = (&want.field, &want.path);
        return Err(invalid(format!("{field}: {path} was not handed over")));
    }
    let unknown = files
        .keys()
        .find(|name| !wanted.iter().any(|want| want.path.as_str() == *name));
    match unknown {
        None => Ok(()),
        Some(name) => {
            let name = shown(name, 200);
            Err(invalid(format!("the profile names no file {name}")))
        }
    }
}

fn check_regular(name: &str, file: &File) -> Result<(), Refusal> {
    let is_file = file.metadata().is_ok_and(|meta| meta.is_file());
    if is_file && !is_of_the_kernel(file) {
        return Ok(());
    }
    Err(invalid(format!("{} is no regular file", shown(name, 200))))
}

/// Whether a file is a window into the kernel: what stands in such a file can depend on who
/// reads it, and we are root.
fn is_of_the_kernel(file: &File) -> bool {
    const WINDOWS: [FsType; 10] = [
        statfs::PROC_SUPER_MAGIC,
        statfs::SYSFS_MAGIC,
        statfs::DEBUGFS_MAGIC,
        statfs::TRACEFS_MAGIC,
        statfs::SECURITYFS_MAGIC,
        statfs::SELINUX_MAGIC,
        statfs::SMACK_MAGIC,
        statfs::CGROUP_SUPER_MAGIC,
        statfs::CGROUP2_SUPER_MAGIC,
        statfs::BPF_FS_MAGIC,
    ];
    statfs::fstatfs(file).is_ok_and(|stat| WINDOWS.contains(&stat.filesystem_type()))
}

/// The bytes of all files, which are not too many.
fn check_size<'a>(files: impl IntoIterator<Item = &'a File>) -> Result<u64, Refusal> {
    let size = |file: &File| file.metadata().map_or(0, |meta| meta.size());
    let all = files.into_iter().map(size).fold(0_u64, u64::saturating_add);
    if all <= MOST_BYTES {
        return Ok(all);
    }
    let most = MOST_BYTES >> 20;
    Err(invalid(format!(
        "all files together are larger than {most} MiB"
    )))
}

/// Whether `copies` of files of `bytes` find room.
fn check_room(bytes: u64, copies: u64, state: &Path) -> Result<(), Refusal> {
    if has_room(isosmith_host::fs::free_bytes(state)?, bytes * copies) {
        return Ok(());
    }
    let message = format!(
        "there is no room for {} MiB of files",
        bytes.div_ceil(1 << 20)
    );
    Err(Failure::plain(Code::DiskFull, message)
        .with_room(state)
        .into())
}

/// Whether `free` bytes take `wanted` more and still leave [`ROOM_LEFT`].
const fn has_room(free: u64, wanted: u64) -> bool {
    free >= wanted.saturating_add(ROOM_LEFT)
}

#[cfg(test)]
mod tests;
