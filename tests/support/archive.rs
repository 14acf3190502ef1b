//! A signed Debian archive in a folder: real packages from the shared cache's pool, and made
//! ones.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use anyhow::{Context, Result};

use crate::{
    kit::{output, set_mode, sha256},
    made::DATE,
};

/// Which dates a Release file bears, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dates {
    /// `Date`.
    pub date: i64,
    /// `Valid-Until`.
    pub until: Option<i64>,
}

impl Default for Dates {
    /// An old date, so that the same packages give the same image on every day; no end.
    fn default() -> Self {
        Self {
            date: DATE,
            until: None,
        }
    }
}

/// Who signs a Release file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signing {
    /// The key that profiles name.
    Own,
    /// A key that nobody has.
    Stranger,
    /// Nobody.
    Nobody,
}

/// An archive below a folder: `dists/`, `pool/`.
#[derive(Debug)]
pub struct Archive {
    root: PathBuf,
    suite: String,
    keys: PathBuf,
    /// Its packages: the stanza of the index, and where the file lies.
    packages: BTreeMap<String, (String, PathBuf)>,
}

impl Archive {
    /// An empty archive at `root`; keys are kept in `keys`, which all archives of a run can
    /// share.
    ///
    /// # Errors
    ///
    /// When folders or keys cannot be made.
    pub fn new(root: &Path, suite: &str, keys: &Path) -> Result<Self> {
        fs::create_dir_all(root.join("pool"))?;
        make_keys(keys)?;
        Ok(Self {
            root: root.to_owned(),
            suite: suite.to_owned(),
            keys: keys.to_owned(),
            packages: BTreeMap::new(),
        })
    }

    /// Below which it is served.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The public key that [`Signing::Own`] is made with, armoured.
    pub fn key(&self) -> PathBuf {
        self.keys.join("own.asc")
    }

    /// Takes in every package of a pool of builds, but those with names in `without`.
    /// Reading hundreds of packages takes seconds, so what they say is kept in `keys`.
    ///
    /// # Errors
    ///
    /// When a package cannot be read.
    pub fn from_pool(&mut self, pool: &Path, without: &BTreeSet<&str>) -> Result<()> {
        let kept = self.keys.join("control");
        fs::create_dir_all(&kept)?;
        let mut debs = Vec::new();
        for folder in fs::read_dir(pool)? {
            for entry in fs::read_dir(folder?.path())? {
                let path = entry?.path();
                if path.extension().is_some_and(|ending| ending == "deb") {
                    debs.push(path);
                }
            }
        }
        debs.sort();
        let half = debs.len().div_ceil(2).max(1);
        thread::scope(|scope| {
            let threads: Vec<_> = debs
                .chunks(half)
                .map(|part| scope.spawn(|| read_controls(part, &kept)))
                .collect();
            threads.into_iter().try_for_each(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|_| anyhow::bail!("a reader stopped"))
            })
        })?;
        for deb in debs {
            let hash = deb
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let control = fs::read_to_string(kept.join(&hash))?;
            let name = field(&control, "Package").unwrap_or_default();
            if !without.contains(name) {
                self.take(&deb, &control, &hash)?;
            }
        }
        Ok(())
    }

    /// Adds a package file.
    ///
    /// # Errors
    ///
    /// When it is no package.
    pub fn add(&mut self, deb: &Path) -> Result<()> {
        let control = control_of(deb)?;
        self.take(deb, &control, &sha256(deb)?)
    }

    fn take(&mut self, deb: &Path, control: &str, hash: &str) -> Result<()> {
        let part =
            |name| field(control, name).with_context(|| format!("{} has no {name}", deb.display()));
        let (name, version, arch) = (part("Package")?, part("Version")?, part("Architecture")?);
        let plain = version.replace(':', "%3a");
        let file = format!("pool/{name}_{plain}_{arch}.deb").replace("%3a", ".");
        let stanza = format!(
            "{}\nFilename: {file}\nSize: {}\nSHA256: {hash}\n",
            control.trim_end(),
            fs::metadata(deb)?.len()
        );
        self.packages.insert(file, (stanza, deb.to_owned()));
        Ok(())
    }

    /// Writes the indexes and signs them.
    ///
    /// # Errors
    ///
    /// When something cannot be written or signed.
    pub fn publish(&self, dates: Dates, signing: Signing) -> Result<()> {
        let mut index = String::new();
        for (file, (stanza, from)) in &self.packages {
            index.push_str(stanza);
            index.push('\n');
            let to = self.root.join(file);
            if !to.exists() {
                std::os::unix::fs::symlink(from.canonicalize()?, &to)?;
            }
        }
        let dist = self.root.join("dists").join(&self.suite);
        let binary = dist.join("main/binary-amd64");
        fs::create_dir_all(&binary)?;
        fs::write(binary.join("Packages"), index)?;
        output(
            Command::new("gzip")
                .args(["-9nkf"])
                .arg(binary.join("Packages")),
        )?;
        output(
            Command::new("xz")
                .args(["-1kf"])
                .arg(binary.join("Packages")),
        )?;
        let mut release = format!(
            "Origin: Test\nLabel: Test\nSuite: {0}\nCodename: {0}\nDate: {1}\n",
            self.suite,
            rfc2822(dates.date)?
        );
        if let Some(until) = dates.until {
            release.push_str(&format!("Valid-Until: {}\n", rfc2822(until)?));
        }
        release.push_str("Architectures: amd64 all\nComponents: main\nSHA256:\n");
        for name in ["Packages", "Packages.gz", "Packages.xz"] {
            let path = binary.join(name);
            let size = fs::metadata(&path)?.len();
            release.push_str(&format!(
                " {} {size} main/binary-amd64/{name}\n",
                sha256(&path)?
            ));
        }
        let (plain, inline) = (dist.join("Release"), dist.join("InRelease"));
        for old in [&inline, &dist.join("Release.gpg")] {
            let _ = fs::remove_file(old);
        }
        fs::write(&plain, release)?;
        let signer = match signing {
            Signing::Own => "own",
            Signing::Stranger => "stranger",
            Signing::Nobody => return Ok(()),
        };
        let user = format!("{signer}@example.org");
        output(
            gpg(&self.keys)
                .args(["--local-user", &user, "--clearsign", "--output"])
                .arg(&inline)
                .arg(&plain),
        )?;
        stop_agent(&self.keys)
    }

    /// Path of a package's file below the root.
    ///
    /// # Errors
    ///
    /// When there is no such package.
    pub fn file(&self, name: &str) -> Result<&str> {
        let prefix = format!("pool/{name}_");
        self.packages
            .keys()
            .find(|file| file.starts_with(&prefix))
            .map(String::as_str)
            .with_context(|| format!("the archive has no {name}"))
    }
}

fn read_controls(debs: &[PathBuf], kept: &Path) -> Result<()> {
    for deb in debs {
        let to = kept.join(deb.file_stem().unwrap_or_default());
        if !to.exists() {
            fs::write(to, control_of(deb)?)?;
        }
    }
    Ok(())
}

fn control_of(deb: &Path) -> Result<String> {
    output(Command::new("dpkg-deb").arg("--field").arg(deb))
}

fn field<'a>(control: &'a str, name: &str) -> Option<&'a str> {
    control
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

fn rfc2822(seconds: i64) -> Result<String> {
    let date = output(Command::new("date").env("LC_ALL", "C").args([
        "-u",
        "-d",
        &format!("@{seconds}"),
        "+%a, %d %b %Y %H:%M:%S UTC",
    ]))?;
    Ok(date.trim().to_owned())
}

fn gpg(keys: &Path) -> Command {
    let mut command = Command::new("gpg");
    command
        .arg("--homedir")
        .arg(keys.join("gnupg"))
        .args(["--batch", "--yes", "--quiet", "--armor"]);
    command
}

/// Two keys that are good for nothing but these tests.
fn make_keys(keys: &Path) -> Result<()> {
    let home = keys.join("gnupg");
    if keys.join("stranger.asc").exists() {
        return Ok(());
    }
    fs::create_dir_all(&home)?;
    set_mode(&home, 0o700)?;
    for name in ["own", "stranger"] {
        let user = format!("{name}@example.org");
        output(gpg(keys).args([
            "--passphrase",
            "",
            "--quick-gen-key",
            &user,
            "rsa2048",
            "sign",
            "never",
        ]))?;
        let key = output(gpg(keys).args(["--export", &user]))?;
        fs::write(keys.join(format!("{name}.asc")), key)?;
    }
    stop_agent(keys)
}

/// Ends gpg's agent, which would outlive the tests.
fn stop_agent(keys: &Path) -> Result<()> {
    let home = keys.join("gnupg");
    output(
        Command::new("gpgconf")
            .arg("--homedir")
            .arg(home)
            .args(["--kill", "all"]),
    )
    .map(drop)
}
