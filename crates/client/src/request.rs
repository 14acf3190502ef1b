//! What is handed over for a build.

use std::{collections::BTreeMap, fs, fs::File, io, path::Path};

use isosmith_protocol::{Code, Manner};
use isosmith_spec::{Material, MaterialKind};

use crate::{Error, Result, pack};

/// The service takes no longer profile, in bytes.
const LONGEST_PROFILE: usize = 1 << 20;

/// The service takes no more files.
const MOST_FILES: usize = 512;

/// A profile and its files, opened by whoever asks.
#[derive(Debug)]
pub struct Request {
    pub(crate) profile: String,
    /// By the path that the profile has for each.
    pub(crate) files: BTreeMap<String, File>,
    pub(crate) options: Options,
}

/// How to build.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// What to do about failures, and how much to take of the machine and of its disk.
    pub manner: Manner,
    /// Say for each step why its result does not come from the cache.
    pub explain_cache: bool,
    /// Who packs the tree.
    pub squashfs_writer: SquashfsWriter,
}

/// Who packs the tree.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SquashfsWriter {
    /// Isosmith's own.
    #[default]
    Isosmith,
    /// mksquashfs of squashfs-tools.
    Mksquashfs,
}

impl SquashfsWriter {
    /// The service's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Isosmith => "isosmith",
            Self::Mksquashfs => "mksquashfs",
        }
    }
}

impl Request {
    /// Opens what `wanted` names, with this person's rights; relative paths start at `base`.
    /// Folders are packed. `profile` is the merged profile as TOML, with answers in the place
    /// of passwords that are to be asked for.
    ///
    /// # Errors
    ///
    /// [`Code::ProfileInvalid`] for a profile over 1 MiB, [`Code::MaterialInvalid`] for files
    /// that are missing, cannot be read, are neither file nor folder, or too many; every one
    /// of them in one message.
    pub fn gather(
        profile: String,
        wanted: &[Material],
        base: &Path,
        options: Options,
    ) -> Result<Self> {
        if profile.len() > LONGEST_PROFILE {
            return Err(Error::new(
                Code::ProfileInvalid,
                format!("the profile is longer than {} KiB", LONGEST_PROFILE >> 10),
                "Shorten it; long texts can be files that it names.",
            ));
        }
        let mut files = BTreeMap::new();
        let mut problems = Vec::new();
        for want in wanted {
            let name = want.path.as_str();
            if files.contains_key(name) {
                continue;
            }
            let from = base.join(name);
            match open(&from, want.kind) {
                Ok(file) => drop(files.insert(name.to_owned(), file)),
                Err(error) => problems.push(format!("{}: {}: {error}", want.field, from.display())),
            }
        }
        if files.len() > MOST_FILES {
            problems.push(format!(
                "the profile names {} files, and the service takes {MOST_FILES}",
                files.len()
            ));
        }
        if problems.is_empty() {
            return Ok(Self {
                profile,
                files,
                options,
            });
        }
        let error = Error::new(
            Code::MaterialInvalid,
            problems.join("; "),
            "Correct the path in the profile, or give yourself the right to read the file.",
        );
        Err(problems.into_iter().fold(error, Error::because))
    }
}

fn open(from: &Path, kind: MaterialKind) -> io::Result<File> {
    if !fs::metadata(from)?.is_dir() {
        return pack::open_file(from);
    }
    match kind {
        MaterialKind::Overlay => pack::pack(from),
        MaterialKind::Key
        | MaterialKind::Deb
        | MaterialKind::Script
        | MaterialKind::Logo
        | MaterialKind::Wallpaper
        | MaterialKind::SigningKey
        | MaterialKind::Certificate => Err(io::Error::other("is a folder, a file is wanted")),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use isosmith_spec::{Layer, Origin};

    use super::*;

    fn materials(profile: &str) -> Vec<Material> {
        let text = format!("format = 1\n[profile]\nname = \"x\"\n{profile}");
        let layer = Layer::new(Origin::Profile("x".into()), "", text);
        let (spec, _) = isosmith_spec::load(vec![layer], &|_| None).expect("a good profile");
        spec.materials()
    }

    fn gather(profile: &str, base: &Path) -> Result<Request> {
        Request::gather("text".into(), &materials(profile), base, Options::default())
    }

    const TWO: &str = "[[files]]\nsource = \"over\"\ntarget = \"/opt\"\n\
        [[files]]\nsource = \"over\"\ntarget = \"/srv\"\n\
        [[scripts]]\nsource = \"script\"\npoint = \"after-packages\"\n";

    #[test]
    fn files_have_the_profile_s_names_and_come_once() {
        let root = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(root.path().join("over")).expect("made");
        fs::write(root.path().join("over/file"), "in it").expect("written");
        fs::write(root.path().join("script"), "#!/bin/sh\n").expect("written");
        let mut request = gather(TWO, root.path()).expect("gathered");
        let names: Vec<_> = request.files.keys().cloned().collect();
        assert_eq!(names, ["over", "script"]);
        let mut text = String::new();
        let script = request.files.get_mut("script").expect("there");
        script.read_to_string(&mut text).expect("read");
        assert_eq!(text, "#!/bin/sh\n");
        let over = request.files.remove("over").expect("there");
        let mut archive = tar::Archive::new(over);
        assert_eq!(archive.entries().expect("a tar stream").count(), 1);
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let root = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(root.path().join("script")).expect("made");
        let error = gather(TWO, root.path()).expect_err("refused");
        assert_eq!(error.code(), Code::MaterialInvalid);
        for words in [
            "files[0].source",
            "files[1].source",
            "scripts[0].source",
            "folder",
        ] {
            assert!(error.to_string().contains(words), "{words}: {error}");
        }
        let long = Request::gather(
            "#".repeat(LONGEST_PROFILE + 1),
            &[],
            root.path(),
            Options::default(),
        );
        assert_eq!(long.expect_err("refused").code(), Code::ProfileInvalid);
    }
}
