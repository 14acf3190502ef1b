//! What the steps of one build know: what was asked, and what earlier steps found out.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use isosmith_catalogue::wanted;
use isosmith_engine::Failure;
use isosmith_protocol::{Code, Manner};
use isosmith_spec::model::BuildSpec;
use isosmith_spec::{Layer, Origin, Problem};
use serde::{Deserialize, Serialize};

use crate::{
    apt::Package,
    materials::{Material, Materials},
    mirrors::Mirrors,
    sources::{self, Source},
    strength::Strength,
    web::{Network, Web},
};

/// Everything that a build is started with, as it crosses into its namespaces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The merged profile; the build checks it again.
    pub profile: String,
    /// Files that the profile names.
    pub materials: Materials,
    /// The AI helper's program, when the profile asks for it.
    pub assistant: Option<Material>,
    /// Where to download from.
    pub mirrors: Mirrors,
    /// Where the tools come from: always Debian's own archive.
    pub tool_mirrors: Mirrors,
    /// Who packs the tree.
    pub squashfs_writer: SquashfsWriter,
    /// How it is to be done; nothing of it is part of a key.
    #[serde(default)]
    pub manner: Manner,
    /// What was built at the place where the ISO goes, if it is still there untouched.
    pub previous: Option<Previous>,
}

/// Who packs the tree.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SquashfsWriter {
    /// Ours, which keeps compressed blocks for the next image; falls back to the other for
    /// compressors that it has not got.
    #[default]
    Isosmith,
    /// mksquashfs of squashfs-tools.
    Mksquashfs,
}

/// An ISO that an earlier build delivered and that nobody has touched since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Previous {
    /// The key of its contents.
    pub key: String,
    /// File name without folder.
    pub name: String,
    /// In bytes.
    pub size: u64,
    /// Lower-case hexadecimal by algorithm.
    pub checksums: BTreeMap<String, String>,
}

/// Which packages a build needs, in which versions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// The essential packages and apt, with all they need.
    pub base: Vec<Package>,
    /// Everything else.
    pub packages: Vec<Package>,
    /// Packages whose files go onto the medium beside the tree: loaders.
    pub boot: Vec<Package>,
    /// Packages on the medium for systems that are installed from it, beyond the above.
    #[serde(default)]
    pub pool: Vec<Package>,
    /// Components of Debian's installer in its initramfs.
    #[serde(default)]
    pub installer: Vec<Package>,
    /// Names that were asked for, not pulled in, and not for the installer's sake.
    pub asked: BTreeSet<String>,
    /// Date of the suite's Release file, in seconds since 1970.
    pub released: i64,
    /// Installed size in KiB by package name.
    pub installed: BTreeMap<String, u64>,
}

impl Resolution {
    /// Bytes of all packages.
    pub fn download(&self) -> u64 {
        self.base
            .iter()
            .chain(&self.packages)
            .chain(&self.boot)
            .chain(&self.pool)
            .chain(&self.installer)
            .map(|package| package.size)
            .sum()
    }

    /// Bytes of the unpacked tree, as the packages estimate it.
    pub fn unpacked(&self) -> u64 {
        let all = self.base.iter().chain(&self.packages);
        all.filter_map(|package| self.installed.get(&package.name))
            .sum::<u64>()
            * 1024
    }
}

/// A machine's worth of tools: what runs apt, mksquashfs and xorriso.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tools {
    /// The machine's own programs; only used to make the tree.
    Machine,
    /// The tools tree.
    Tree {
        /// Its root.
        root: PathBuf,
        /// Changes with every version of every package in it.
        id: String,
    },
}

/// What the steps share.
#[derive(Debug)]
pub struct Debian {
    /// What is to be built.
    pub spec: BuildSpec,
    /// The merged profile as text; it travels on the medium.
    pub profile: String,
    /// Files of the profile.
    pub materials: Materials,
    /// See [`Order::assistant`].
    pub assistant: Option<Material>,
    /// Where to download from.
    pub mirrors: Mirrors,
    /// See [`Order::tool_mirrors`].
    pub tool_mirrors: Mirrors,
    /// See [`Order::squashfs_writer`].
    pub squashfs_writer: SquashfsWriter,
    /// See [`Order::manner`].
    pub manner: Manner,
    /// How much of the machine the build takes.
    pub strength: Strength,
    /// See [`Order::previous`].
    pub previous: Option<Previous>,
    /// The way to the mirrors.
    pub web: Arc<dyn Web>,
    /// Once made.
    pub tools: Option<Tools>,
    /// SHA-256 of each source's Release file and the mirror that had it, once asked.
    pub releases: Option<Vec<Release>>,
    /// Once solved.
    pub resolution: Option<Resolution>,
    /// The key of what was written, and the ISO, once there.
    pub iso: Option<(String, isosmith_protocol::Output)>,
}

/// A Release file that a mirror has now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Its suite.
    pub suite: String,
    /// The mirror that has it.
    pub uri: String,
    /// SHA-256 of it.
    pub sha256: String,
}

impl Debian {
    /// Checks the order's profile again and begins with it.
    ///
    /// # Errors
    ///
    /// [`Code::ProfileInvalid`] with every problem in it.
    pub fn new(order: Order) -> Result<Self, Failure> {
        let layer = Layer::new(
            Origin::Profile("profile".to_owned()),
            "",
            order.profile.clone(),
        );
        let (spec, _) = isosmith_spec::load(vec![layer], &|_| None).map_err(refused)?;
        let contradictions = wanted::needed_but_excluded(&spec);
        if !contradictions.is_empty() {
            return Err(refused(contradictions));
        }
        crate::mirrors::refuse_files(&spec.base)?;
        let proxy = order.mirrors.proxy.clone();
        Ok(Self {
            spec,
            profile: order.profile,
            materials: order.materials,
            assistant: order.assistant,
            mirrors: order.mirrors,
            tool_mirrors: order.tool_mirrors,
            squashfs_writer: order.squashfs_writer,
            manner: order.manner,
            strength: Strength::here(order.manner.pace),
            previous: order.previous,
            web: Arc::new(Network::new(proxy.as_deref())?),
            tools: None,
            releases: None,
            resolution: None,
            iso: None,
        })
    }

    /// The tools, once made.
    ///
    /// # Errors
    ///
    /// [`Code::Internal`] before.
    pub fn tools(&self) -> Result<&Tools, Failure> {
        self.tools.as_ref().ok_or_else(|| too_early("tools"))
    }

    /// The packages, once solved.
    ///
    /// # Errors
    ///
    /// [`Code::Internal`] before.
    pub fn resolution(&self) -> Result<&Resolution, Failure> {
        self.resolution
            .as_ref()
            .ok_or_else(|| too_early("package list"))
    }

    /// Every source of packages.
    pub fn sources(&self) -> Vec<Source> {
        let archive_key = match &self.spec.base.key {
            Some(key) => inside_key("archive", key.as_str()),
            None => sources::DEBIAN_KEYRING.to_owned(),
        };
        sources::of_build(&self.spec, &self.mirrors, &archive_key, |repository| {
            inside_key(&repository.name, repository.key.as_str())
        })
    }

    /// What the keys of all sources are, for keys of the cache.
    pub fn key_hashes(&self) -> Vec<&str> {
        let further = self
            .spec
            .base
            .repositories
            .iter()
            .map(|repository| &repository.key);
        self.spec
            .base
            .key
            .iter()
            .chain(further)
            .map(|key| self.materials.hash(key))
            .collect()
    }

    /// Keys that the apt folder must hold: file name and where it comes from.
    ///
    /// # Errors
    ///
    /// [`Code::Internal`] when a key was not collected.
    pub fn keys(&self) -> Result<Vec<(String, PathBuf)>, Failure> {
        let archive = self.spec.base.key.iter().map(|key| ("archive", key));
        let further = self
            .spec
            .base
            .repositories
            .iter()
            .map(|repository| (repository.name.as_str(), &repository.key));
        archive
            .chain(further)
            .map(|(name, key)| {
                Ok((
                    key_file(name, key.as_str()),
                    self.materials.get(key)?.path.clone(),
                ))
            })
            .collect()
    }

    /// `SOURCE_DATE_EPOCH`: what the profile says, else the suite's own date.
    pub fn source_date(&self) -> i64 {
        match (&self.spec.image.source_date, &self.resolution) {
            (Some(date), _) => date.seconds(),
            (None, Some(resolution)) => resolution.released,
            (None, None) => 0,
        }
    }

    /// Packages that the profile asks for, directly or by a choice that needs them.
    pub fn wanted(&self) -> Vec<String> {
        wanted::installed(&self.spec)
    }

    /// Packages whose files go onto the medium.
    pub fn boot_packages(&self) -> Vec<&'static str> {
        wanted::on_the_medium(&self.spec)
    }

    /// Names of [`Self::wanted`] that stay when the installer goes.
    pub fn asked(&self) -> Vec<String> {
        wanted::asked(&self.spec)
    }

    /// Packages of which an installed system gets one, from the medium.
    pub fn pool_packages(&self) -> Vec<&'static str> {
        wanted::in_the_pool(&self.spec)
    }

    /// Where downloads of a source may come from, best first, for each source.
    pub fn mirror_groups(&self) -> Vec<Vec<String>> {
        self.sources()
            .into_iter()
            .map(|source| source.uris)
            .collect()
    }
}

fn refused(problems: Vec<Problem>) -> Failure {
    let mut failure = Failure::plain(Code::ProfileInvalid, "the profile has errors");
    failure.causes = problems.iter().map(ToString::to_string).collect();
    failure
}

fn too_early(what: &str) -> Failure {
    Failure::plain(
        Code::Internal,
        format!("a step asked for the {what} before it was there"),
    )
}

fn key_file(name: &str, path: &str) -> String {
    let ending = if path.ends_with(".asc") { "asc" } else { "gpg" };
    format!("{name}.{ending}")
}

fn inside_key(name: &str, path: &str) -> String {
    format!("{}/keys/{}", crate::apt::INSIDE, key_file(name, path))
}

/// A file of the machine, inside every build, that names resolution needs.
pub fn machine_files() -> impl Iterator<Item = &'static Path> {
    ["/etc/resolv.conf", "/etc/hosts", "/etc/ssl/certs"]
        .into_iter()
        .map(Path::new)
        .filter(|path| path.exists())
}
