//! Files that a profile names: copied into the build's own folder before anything runs, so
//! that the build sees exactly what was checked.

mod beginning;
mod bundle;
mod find;
mod receive;
mod secret;
mod tar;

pub use bundle::take_apart;
pub use find::find_problems;

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::{FileExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use isosmith_engine::Failure;
use isosmith_protocol::Code;
use isosmith_spec::{Material as Wanted, MaterialKind, names::MaterialPath};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The most files that one overlay folder may hold.
const MAX_FILES: usize = 100_000;

/// A file or folder of a profile, in the build's own folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Material {
    /// Where it lies now.
    pub path: PathBuf,
    /// SHA-256 of the file; of a folder, over names, kinds, executable bits and contents.
    pub sha256: String,
    /// Whether it is a folder.
    pub is_dir: bool,
    /// Whether only its owner may read it, and nobody once the build has succeeded.
    #[serde(default)]
    pub secret: bool,
}

impl Material {
    /// The same, once it has been copied to `folder` under the name that it has now.
    #[must_use]
    pub fn moved_to(&self, folder: &Path) -> Self {
        Self {
            path: folder.join(self.path.file_name().unwrap_or_default()),
            ..self.clone()
        }
    }
}

/// Every material of a build, by the path that its profile has for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Materials(BTreeMap<String, Material>);

impl Materials {
    /// Copies what `wanted` names into `into`, or only reads and hashes it when `into` is
    /// `None`. Relative paths start at `base`.
    ///
    /// # Errors
    ///
    /// [`Code::MaterialInvalid`] for something that is missing, too big, neither file nor
    /// folder, or by its beginning not what it is for, every one of them in one message; for a copy of a private key.
    pub fn collect(wanted: &[Wanted], base: &Path, into: Option<&Path>) -> Result<Self, Failure> {
        let mut found = BTreeMap::new();
        let mut problems = Vec::new();
        for (number, want) in wanted.iter().enumerate() {
            let from = base.join(want.path.as_str());
            let to = into.map(|into| into.join(number.to_string()));
            match take(&from, to.as_deref(), want.kind) {
                Ok(material) => {
                    found.insert(want.path.as_str().to_owned(), material);
                }
                Err(error) => problems.push(format!("{}: {}: {error}", want.field, from.display())),
            }
        }
        if problems.is_empty() {
            let found = Self(found);
            found.check_secrets()?;
            return Ok(found);
        }
        let mut failure = Failure::new(
            Code::MaterialInvalid,
            problems.join("; "),
            "Correct the path in the profile; it starts at the profile's own folder.",
        );
        failure.causes = problems;
        Err(failure)
    }

    /// The same materials, once they have been copied to `folder` under the names that they
    /// have now.
    #[must_use]
    pub fn moved_to(&self, folder: &Path) -> Self {
        Self(
            self.0
                .iter()
                .map(|(name, material)| (name.clone(), material.moved_to(folder)))
                .collect(),
        )
    }

    /// Every material with the path that the profile has for it, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Material)> {
        self.0
            .iter()
            .map(|(name, material)| (name.as_str(), material))
    }

    /// The material that the profile calls `path`.
    ///
    /// # Errors
    ///
    /// [`Code::Internal`] when it was not collected.
    pub fn get(&self, path: &MaterialPath) -> Result<&Material, Failure> {
        self.0.get(path.as_str()).ok_or_else(|| {
            Failure::plain(
                Code::Internal,
                format!("{path} was not copied into the build"),
            )
        })
    }

    /// Where those lie that must not outlast a build that needs them no more.
    pub fn secrets(&self) -> impl Iterator<Item = &Path> {
        let secret = self.0.values().filter(|material| material.secret);
        secret.map(|material| material.path.as_path())
    }

    /// Whether the profile calls a material so.
    pub fn has(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    /// SHA-256 of the material that the profile calls `path`, for keys.
    pub fn hash(&self, path: &MaterialPath) -> &str {
        self.0
            .get(path.as_str())
            .map_or("", |material| &material.sha256)
    }
}

/// Whether only a build's own owner may read it.
const fn is_secret(kind: MaterialKind) -> bool {
    match kind {
        MaterialKind::SigningKey => true,
        MaterialKind::Key
        | MaterialKind::Deb
        | MaterialKind::Overlay
        | MaterialKind::Script
        | MaterialKind::Logo
        | MaterialKind::Wallpaper
        | MaterialKind::Certificate => false,
    }
}

/// In bytes.
const fn limit(kind: MaterialKind) -> u64 {
    match kind {
        MaterialKind::Key
        | MaterialKind::Script
        | MaterialKind::SigningKey
        | MaterialKind::Certificate => 1 << 20,
        MaterialKind::Logo | MaterialKind::Wallpaper => 20 << 20,
        MaterialKind::Deb | MaterialKind::Overlay => 4 << 30,
    }
}

pub(crate) fn take(from: &Path, to: Option<&Path>, kind: MaterialKind) -> io::Result<Material> {
    let meta = fs::metadata(from)?;
    let mut budget = Budget {
        bytes: limit(kind),
        files: MAX_FILES,
    };
    let mut hash = Sha256::new();
    if meta.is_dir() {
        if kind != MaterialKind::Overlay {
            return Err(io::Error::other("is a folder, a file is wanted"));
        }
        take_folder(from, to, &mut hash, &mut budget)?;
    } else {
        let file = take_file(from, to, is_secret(kind), &mut hash, &mut budget)?;
        beginning::check_open(&file, kind)?;
    }
    Ok(Material {
        path: to.unwrap_or(from).to_owned(),
        sha256: hex(&hash.finalize()),
        is_dir: meta.is_dir(),
        secret: is_secret(kind),
    })
}

struct Budget {
    bytes: u64,
    files: usize,
}

fn take_file(
    from: &Path,
    to: Option<&Path>,
    secret: bool,
    hash: &mut Sha256,
    budget: &mut Budget,
) -> io::Result<File> {
    // Not to hang on a named pipe that somebody put there.
    let file = File::options()
        .read(true)
        .custom_flags(nix::libc::O_NONBLOCK)
        .open(from)?;
    take_open(&file, to, secret, hash, budget)?;
    Ok(file)
}

fn take_open(
    file: &File,
    to: Option<&Path>,
    secret: bool,
    hash: &mut Sha256,
    budget: &mut Budget,
) -> io::Result<()> {
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(io::Error::other("is neither a file nor a folder"));
    }
    if meta.len() > budget.bytes {
        return Err(io::Error::other(format!(
            "is larger than {} MiB",
            budget.bytes >> 20
        )));
    }
    budget.bytes -= meta.len();
    // From the beginning, not only once it is there.
    let mode = if secret { 0o600 } else { 0o666 };
    let mut options = File::options();
    options.write(true).create(true).truncate(true).mode(mode);
    let mut out = to.map(|to| options.open(to)).transpose()?;
    let mut buffer = vec![0; 1 << 18];
    let mut at = 0;
    while at < meta.len() {
        // Not from where the descriptor stands: whoever has another copy of it could move that.
        let most = (meta.len() - at).min(buffer.len() as u64) as usize;
        let count = file.read_at(&mut buffer[..most], at)?;
        if count == 0 {
            return Err(io::Error::other("changed while it was read"));
        }
        at += count as u64;
        hash.update(&buffer[..count]);
        if let Some(out) = &mut out {
            out.write_all(&buffer[..count])?;
        }
    }
    if let Some(out) = &out {
        let mode = match (secret, meta.permissions().mode() & 0o111) {
            (true, _) => 0o600,
            (false, 0) => 0o644,
            (false, _) => 0o755,
        };
        out.set_permissions(fs::Permissions::from_mode(mode))?;
    }
    Ok(())
}

fn take_folder(
    from: &Path,
    to: Option<&Path>,
    hash: &mut Sha256,
    budget: &mut Budget,
) -> io::Result<()> {
    if let Some(to) = to {
        fs::create_dir(to)?;
        fs::set_permissions(to, fs::Permissions::from_mode(0o755))?;
    }
    let mut names: Vec<_> = fs::read_dir(from)?
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect::<io::Result<_>>()?;
    names.sort();
    for name in names {
        budget.files = budget
            .files
            .checked_sub(1)
            .ok_or_else(|| io::Error::other(format!("holds more than {MAX_FILES} files")))?;
        let inner = from.join(&name);
        let target = to.map(|to| to.join(&name));
        let meta = fs::symlink_metadata(&inner)?;
        let kind = if meta.is_symlink() {
            'l'
        } else if meta.is_dir() {
            'd'
        } else if meta.permissions().mode() & 0o111 != 0 {
            'x'
        } else {
            'f'
        };
        hash.update(format!(
            "{kind}{}\0{}\0",
            name.to_string_lossy(),
            meta.len()
        ));
        match kind {
            'l' => {
                let link = fs::read_link(&inner)?;
                hash.update(link.to_string_lossy().as_bytes());
                if let Some(target) = target {
                    std::os::unix::fs::symlink(link, target)?;
                }
            }
            'd' => take_folder(&inner, target.as_deref(), hash, budget)?,
            _ => take_file(&inner, target.as_deref(), false, hash, budget)
                .map(drop)
                .map_err(|error| io::Error::other(format!("{}: {error}", inner.display())))?,
        }
    }
    hash.update(b"\0end\0");
    Ok(())
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;

    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}
