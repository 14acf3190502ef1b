//! What somebody wants built: checked, copied and hashed before anybody is asked about it.
//!
//! From here on the caller can change nothing: the text is a copy, the files are copies in a
//! folder of root's, and the hash that the person sees is over exactly these bytes.

mod folder;
mod handed;
mod options;
mod summary;

use std::{
    collections::HashMap,
    os::fd::OwnedFd,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use isosmith_engine::Failure;
use isosmith_host::user::User;
use isosmith_protocol::{BuildId, Code, Isolation};
use isosmith_recipe::{Machine, Materials, Mirrors, Order};
use isosmith_spec::{BuildSpec, Layer, Origin, model::Login};
use isosmith_supervise::Job;
use sha2::{Digest, Sha256};
use zbus::zvariant::OwnedValue;

use crate::{
    output::Folder,
    places::Places,
    record::{Owner, Record},
    refusal::{Kind, Refusal},
};

use handed::Handed;

pub use folder::Incoming;
pub use options::Options;
pub use summary::{details, shown};

/// Most bytes of a spec's text.
const MOST_TEXT: usize = 1 << 20;

/// What arrives.
#[derive(Debug)]
pub struct Asked {
    /// The merged profile.
    pub spec: String,
    /// Its files, by the paths that the profile has for them; or one without a path, a bundle of
    /// them all.
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
    let files = Handed::read(files)?;
    files.check(&spec, places.state())?;
    let output = Folder::take(output, user, places)?;

    let (id, incoming) = Incoming::make(places, &spec.profile.name)?;
    let materials = files.copy(&spec, &incoming)?;
    let inputs = incoming.path().join("inputs");
    let assistant = isosmith_recipe::assistant::collect(&spec, Some(&inputs))?;
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
            assistant: assistant.map(|program| program.moved_to(&places.work(&id).inputs())),
            mirrors: Mirrors::of(&spec, &machine),
            tool_mirrors: Mirrors::of_debian(&spec, &machine),
            squashfs_writer: options.writer,
            manner: options.manner,
            previous: None,
        },
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
    if spec.users.logins().any(|login| *login == Login::Prompt) {
        return Err(invalid(Failure::new(
            Code::ProfileInvalid,
            "a password is to be asked for, and nobody can be asked here",
            "Put the password's hash into the profile before it is handed over.",
        )));
    }
    Ok(spec)
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
