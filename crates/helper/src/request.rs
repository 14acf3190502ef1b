//! What somebody wants built: checked, copied and hashed before anybody is asked about it.
//!
//! From here on the caller can change nothing: the text is a copy, the files are copies in a
//! folder of root's, and the hash that the person sees is over exactly these bytes.

mod folder;
mod options;
mod summary;

use std::{
    collections::HashMap,
    fs::File,
    os::{fd::OwnedFd, unix::fs::MetadataExt},
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use isosmith_engine::Failure;
use isosmith_host::user::User;
use isosmith_protocol::{BuildId, Code, Isolation};
use isosmith_recipe::{Machine, Materials, Mirrors, Order};
use isosmith_spec::{BuildSpec, Layer, Origin, model::Login};
use isosmith_supervise::Job;
use nix::sys::statfs::{self, FsType};
use sha2::{Digest, Sha256};
use zbus::zvariant::OwnedValue;

use crate::{
    output::Folder,
    places::Places,
    record::{Owner, Record},
    refusal::{Kind, Refusal},
};

pub use folder::Incoming;
pub use options::Options;
pub use summary::{details, shown};

/// Most bytes of a spec's text.
const MOST_TEXT: usize = 1 << 20;

/// Most files of one request.
const MOST_FILES: usize = 512;

/// Most bytes of all files of one request; nobody has been asked yet when they are copied.
const MOST_BYTES: u64 = 8 << 30;

/// Room that a request must leave on the disk, in bytes.
const ROOM_LEFT: u64 = 2 << 30;

/// What arrives.
#[derive(Debug)]
pub struct Asked {
    /// The merged profile.
    pub spec: String,
    /// Its files, by the paths that the profile has for them.
    pub files: Vec<(String, OwnedFd)>,
    /// Where the ISO goes.
    pub output: OwnedFd,
    /// How to build.
    pub options: HashMap<String, OwnedValue>,
}

/// What nobody can change any more.
#[derive(Debug)]
pub struct Sealed {
    /// Which build it becomes.
    pub id: BuildId,
    /// Who asks for what.
    pub owner: Owner,
    /// Where the ISO goes.
    pub output: Folder,
    /// Everything else, on disk; gone with this value unless it is kept.
    pub incoming: Incoming,
}

/// Checks a request and takes copies of everything in it.
///
/// # Errors
///
/// The kinds that begin with `Invalid`, and [`Kind::Failed`] when there is no room.
pub fn seal(
    asked: Asked,
    user: &User,
    isolation: Isolation,
    places: &Places,
) -> Result<Sealed, Refusal> {
    let Asked {
        spec: text,
        files,
        output,
        options,
    } = asked;
    let options = Options::read(options)?;
    let spec = check_spec(&text)?;
    let files = by_name(files)?;
    check_files(&spec, &files)?;
    check_room(&files, places.state())?;
    let output = Folder::take(output, user, places)?;

    let (id, incoming) = Incoming::make(places, &spec.profile.name)?;
    let materials = copy_files(&spec, &files, &incoming.inputs()?)?;
    drop(files);
    let spec_sha256 = fingerprint(&text, &options, &materials);
    let machine = Machine::read(Path::new("/"));
    let job = Job {
        id: id.clone(),
        state: places.own_state(&id),
        cache: places.own_cache(),
        profile: spec.profile.name.clone(),
        order: Order {
            profile: text,
            materials: materials.moved_to(&places.work(&id).inputs()),
            mirrors: Mirrors::of(&spec, &machine),
            tool_mirrors: Mirrors::of_debian(&spec, &machine),
            squashfs_writer: options.writer,
            previous: None,
        },
        strict: options.strict,
        explain_cache: options.explain_cache,
        attended: true,
        output: None,
    };
    let started = SystemTime::now().duration_since(UNIX_EPOCH);
    let owner = Owner {
        uid: user.uid,
        profile: spec.profile.name.clone(),
        product: summary::product(&spec),
        what: summary::what(&spec),
        packages: spec.software.packages.len(),
        spec_sha256,
        iso: spec.image.file_name.clone(),
        isolation,
        started: started.unwrap_or_default().as_secs(),
    };
    Record::write(incoming.path(), &owner, &job)?;
    Ok(Sealed {
        id,
        owner,
        output,
        incoming,
    })
}

/// The same check that the build makes again.
fn check_spec(text: &str) -> Result<BuildSpec, Refusal> {
    let invalid = |failure| Refusal::of(Kind::InvalidSpec, failure);
    if text.len() > MOST_TEXT {
        return Err(invalid(Failure::plain(
            Code::ProfileInvalid,
            format!("the profile is longer than {MOST_TEXT} bytes"),
        )));
    }
    let layer = Layer::new(Origin::Profile("profile".to_owned()), "", text);
    let (spec, _) = isosmith_spec::load(vec![layer], &|_| None).map_err(|problems| {
        let mut failure = Failure::plain(Code::ProfileInvalid, "the profile has errors");
        failure.causes = problems.iter().map(ToString::to_string).collect();
        invalid(failure)
    })?;
    isosmith_recipe::mirrors::refuse_files(&spec.base).map_err(invalid)?;
    let live = spec.users.live.as_ref().map(|user| &user.password);
    if live
        .into_iter()
        .chain([&spec.users.root])
        .any(|login| *login == Login::Prompt)
    {
        return Err(invalid(Failure::new(
            Code::ProfileInvalid,
            "a password is to be asked for, and nobody can be asked here",
            "Put the password's hash into the profile before it is handed over.",
        )));
    }
    Ok(spec)
}

fn invalid_file(message: impl Into<String>) -> Refusal {
    Refusal::new(Kind::InvalidFile, message)
}

fn by_name(files: Vec<(String, OwnedFd)>) -> Result<HashMap<String, File>, Refusal> {
    if files.len() > MOST_FILES {
        return Err(invalid_file(format!(
            "there are more than {MOST_FILES} files"
        )));
    }
    let mut named = HashMap::new();
    for (name, fd) in files {
        if named.insert(name.clone(), File::from(fd)).is_some() {
            return Err(invalid_file(format!("{} comes twice", shown(&name, 200))));
        }
    }
    Ok(named)
}

/// Exactly what the spec names, and nothing but regular files. Looks at descriptors only.
fn check_files(spec: &BuildSpec, files: &HashMap<String, File>) -> Result<(), Refusal> {
    let wanted = spec.materials();
    let missing = wanted
        .iter()
        .find(|want| !files.contains_key(want.path.as_str()));
    if let Some(want) = missing {
        return Err(invalid_file(format!(
            "{}: {} was not handed over",
            want.field, want.path
        )));
    }
    for (name, file) in files {
        if !wanted.iter().any(|want| want.path.as_str() == name) {
            return Err(invalid_file(format!(
                "the profile names no file {}",
                shown(name, 200)
            )));
        }
        let is_file = file.metadata().is_ok_and(|meta| meta.is_file());
        if !is_file || is_of_the_kernel(file) {
            return Err(invalid_file(format!(
                "{} is no regular file",
                shown(name, 200)
            )));
        }
    }
    Ok(())
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

fn check_room(files: &HashMap<String, File>, state: &Path) -> Result<(), Refusal> {
    let size = |file: &File| file.metadata().map_or(0, |meta| meta.size());
    let all = files.values().map(size).fold(0_u64, u64::saturating_add);
    if all > MOST_BYTES {
        return Err(invalid_file(format!(
            "all files together are larger than {} MiB",
            MOST_BYTES >> 20
        )));
    }
    let free = isosmith_host::fs::free_bytes(state)?;
    if free < all.saturating_add(ROOM_LEFT) {
        let message = format!(
            "there is no room for {} MiB of files",
            all.div_ceil(1 << 20)
        );
        return Err(Failure::plain(Code::DiskFull, message)
            .with_room(state)
            .into());
    }
    Ok(())
}

fn copy_files(
    spec: &BuildSpec,
    files: &HashMap<String, File>,
    into: &Path,
) -> Result<Materials, Refusal> {
    let mut open = |name: &str| files.get(name)?.try_clone().ok();
    Materials::receive(&spec.materials(), &mut open, into, MOST_BYTES)
        .map_err(|failure| Refusal::of(Kind::InvalidFile, failure))
}

/// SHA-256 over everything that was asked for, in lower-case hexadecimal.
fn fingerprint(text: &str, options: &Options, materials: &Materials) -> String {
    let mut hash = Sha256::new();
    // Lengths come first, so that nothing can be moved from one part into the next.
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    part(b"isosmith request 1");
    part(text.as_bytes());
    part(format!("{options:?}").as_bytes());
    for (name, material) in materials.iter() {
        part(name.as_bytes());
        part(material.sha256.as_bytes());
        part(&[u8::from(material.is_dir)]);
    }
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests;
