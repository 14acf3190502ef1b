//! The program under test, a cache that all suites share, and scratch folders.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::run::Isosmith;

/// Where the tests work, and with what.
#[derive(Debug, Clone)]
pub struct Kit {
    /// The program under test.
    pub program: PathBuf,
    /// Everything that the tests write lies below it; kept between runs, so that downloads
    /// and the tools tree are made once.
    pub root: PathBuf,
}

impl Kit {
    /// Finds the program: `ISOSMITH_BIN`, else what the workspace has built last.
    ///
    /// # Errors
    ///
    /// When there is none, or nothing can be written to.
    pub fn new() -> Result<Self> {
        let workspace = workspace();
        let built = |profile: &str| workspace.join("target").join(profile).join("isosmith");
        let program = match env::var_os("ISOSMITH_BIN") {
            Some(path) => PathBuf::from(path),
            None => [built("release"), built("debug")]
                .into_iter()
                .find(|path| path.is_file())
                .context(
                    "there is no isosmith to test; run `cargo build --release -p isosmith-cli`",
                )?,
        };
        let program = program
            .canonicalize()
            .with_context(|| format!("{} cannot be tested", program.display()))?;
        let root = match env::var_os("ISOSMITH_TEST_DIR") {
            Some(path) => PathBuf::from(path),
            None => workspace.join("target/isosmith-tests"),
        };
        fs::create_dir_all(&root)?;
        Ok(Self {
            program,
            root: root.canonicalize()?,
        })
    }

    /// Stops with a message where a suite needs root and is not.
    ///
    /// # Errors
    ///
    /// When this is not root.
    pub fn need_root(&self) -> Result<()> {
        if nix::unistd::Uid::effective().is_root() {
            return Ok(());
        }
        bail!("this suite makes namespaces and mounts: run it as root")
    }

    /// The cache that every suite shares.
    pub fn cache(&self) -> PathBuf {
        self.root.join("cache")
    }

    /// A scratch folder that goes when the value goes.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn scratch(&self, name: &str) -> Result<tempfile::TempDir> {
        let folder = tempfile::Builder::new()
            .prefix(&format!("{name}-"))
            .tempdir_in(&self.root)?;
        // Others than root must be able to reach what is below.
        set_mode(folder.path(), 0o755)?;
        Ok(folder)
    }

    /// The program with folders of its own in `scratch`, and the shared cache.
    pub fn isosmith(&self, scratch: &Path) -> Isosmith {
        Isosmith::new(
            &self.program,
            scratch.join("state"),
            self.cache(),
            scratch.join("out"),
        )
    }

    /// The `minimal` profile built from the real mirror, once: its ISO lies in the returned
    /// folder, its packages in the shared cache.
    ///
    /// # Errors
    ///
    /// When it cannot be built.
    pub fn minimal(&self) -> Result<PathBuf> {
        let folder = self.root.join("minimal");
        let isosmith = self.isosmith(&folder);
        let profile = workspace().join("profiles/minimal/profile.toml");
        let ended = isosmith.build(&profile)?;
        ended
            .iso()
            .context("the minimal profile is the ground that other tests stand on")?;
        Ok(folder)
    }

    /// Makes `to` a cache that has nothing but the tools, which every build needs and no test
    /// is about, and optionally the layers and artifacts whose names begin with one of `also`.
    /// Costs no room: files are linked, and no build writes into a finished entry.
    ///
    /// # Errors
    ///
    /// When the shared cache has no tools, or linking fails.
    pub fn link_cache(&self, to: &Path, also: &[&str]) -> Result<()> {
        for kind in ["artifacts", "layers"] {
            let target = to.join(kind);
            fs::create_dir_all(&target)?;
            for entry in fs::read_dir(self.cache().join(kind))? {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy().into_owned();
                let wanted = name.starts_with("tools-")
                    || also.iter().any(|prefix| name.starts_with(prefix));
                if wanted {
                    link(&entry.path(), &target)?;
                }
            }
        }
        link(&self.cache().join("pool"), to)
    }
}

/// `cp -al`: the same files under a second name.
fn link(from: &Path, into: &Path) -> Result<()> {
    let status = Command::new("cp").arg("-al").arg(from).arg(into).status()?;
    if !status.success() {
        bail!(
            "{} cannot be linked into {}",
            from.display(),
            into.display()
        );
    }
    Ok(())
}

/// The workspace's own folder.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .unwrap_or_else(|_| PathBuf::from(".."))
}

/// Sets permission bits.
///
/// # Errors
///
/// When they cannot be set.
pub fn set_mode(path: &Path, mode: u32) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;

    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .with_context(|| format!("the permissions of {} cannot be set", path.display()))
}

/// SHA-256 of a file, in lower-case hexadecimal.
///
/// # Errors
///
/// When it cannot be read.
pub fn sha256(path: &Path) -> Result<String> {
    use sha2::{Digest, Sha256};
    use std::io::Read;

    let mut file = fs::File::open(path).with_context(|| path.display().to_string())?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            count => hash.update(&buffer[..count]),
        }
    }
    Ok(hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

/// Runs a command and gives its standard output.
///
/// # Errors
///
/// When it fails; its standard error is in the message.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    if !output.status.success() {
        bail!(
            "{command:?} failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
