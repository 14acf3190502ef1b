//! The ways to make the image.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use super::measure::{Measured, measure};

/// What all ways build.
const SUITE: &str = "trixie";

/// Wraps whoever is not ours: mounts stay in a namespace of their own, a signal to the whole
/// process group stays in a session of its own, and nobody outlives the bench.
const SEALED: &[&str] = &[
    "--pdeathsig",
    "KILL",
    "unshare",
    "--mount",
    "--propagation",
    "slave",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
    "setsid",
    "--wait",
    "bash",
];

/// A built image.
#[derive(Debug)]
pub struct Image {
    /// How long it took.
    pub took: Duration,
    /// Peak memory of one process of the engine, in KiB; only of Isosmith.
    pub peak_kib: Option<u64>,
    /// Of the whole ISO, in bytes.
    pub iso_bytes: u64,
    /// Of the squashfs in it, in bytes.
    pub squashfs_bytes: u64,
    /// Names of the packages in it.
    pub packages: BTreeSet<String>,
}

/// What differs from the profile.
#[derive(Debug, Clone, Copy)]
pub enum Change {
    /// Nothing.
    None,
    /// The product's name, a new one for each number.
    Name(u32),
    /// The wallpaper, a new one for each number.
    Wallpaper(u32),
}

/// Everything that the ways share.
#[derive(Debug)]
pub struct Ways<'a> {
    shell: &'a Shell,
    repository: PathBuf,
    isosmith: PathBuf,
    scratch: &'a Path,
    mirror: &'a str,
    packages: Vec<String>,
}

impl<'a> Ways<'a> {
    /// Ways that work below `scratch`.
    ///
    /// # Errors
    ///
    /// When the list of packages cannot be read.
    pub fn new(
        shell: &'a Shell,
        isosmith: PathBuf,
        scratch: &'a Path,
        mirror: &'a str,
    ) -> Result<Self> {
        let text = shell.read_file("bench/packages.txt")?;
        let packages = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        Ok(Self {
            shell,
            repository: shell.current_dir().canonicalize()?,
            isosmith,
            scratch,
            mirror,
            packages: packages.map(str::to_owned).collect(),
        })
    }

    /// What is asked for in every image.
    pub fn packages(&self) -> &[String] {
        &self.packages
    }

    fn cache(&self) -> PathBuf {
        self.scratch.join("cache")
    }

    /// Builds with Isosmith, with whatever its cache holds.
    ///
    /// # Errors
    ///
    /// When the build fails.
    pub fn isosmith(&self, change: Change) -> Result<Image> {
        let set = match change {
            Change::None => None,
            Change::Name(number) => Some(format!("branding.name=Bench {number}")),
            Change::Wallpaper(number) => {
                let path = self.scratch.join(format!("wallpaper-{number}.svg"));
                fs::write(&path, wallpaper(number))?;
                Some(format!("branding.wallpaper={}", path.display()))
            }
        };
        let home = self.scratch.join("home");
        fs::create_dir_all(&home)?;
        let mut command = Command::new(&self.isosmith);
        command
            .arg("--quiet")
            .arg("--state-dir")
            .arg(self.scratch.join("state"))
            .arg("--cache-dir")
            .arg(self.cache())
            .arg("build")
            .arg(self.repository.join("bench/profile.toml"))
            .arg("--output")
            .arg(self.scratch.join("isosmith"))
            .args([
                "--set".to_owned(),
                format!("base.mirrors=[\"{}\"]", self.mirror),
            ])
            .args(set.iter().flat_map(|set| ["--set", set]))
            // The settings of whoever measures are no part of the measurement.
            .env("HOME", home)
            .env_remove("XDG_CONFIG_HOME");
        let measured = measure(
            &mut command,
            Some(&self.isosmith),
            &self.scratch.join("isosmith.log"),
        )?;
        let iso = PathBuf::from(measured.printed.trim());
        let manifest = PathBuf::from(format!("{}.manifest", iso.display()));
        self.image(measured, &iso, &first_words(&fs::read_to_string(manifest)?))
    }

    /// Empties the cache, but leaves the tools: they are made once on a machine, as the
    /// programs of the other ways are installed once.
    ///
    /// # Errors
    ///
    /// When something cannot be removed.
    pub fn forget_all_but_tools(&self) -> Result<()> {
        for folder in ["layers", "pool", "partial"] {
            remove(&self.cache().join(folder), |_| true)?;
        }
        remove(&self.cache().join("artifacts"), |name| {
            !name.starts_with("tools-")
        })?;
        remove(&self.scratch.join("state"), |_| true)?;
        remove(&self.scratch.join("isosmith"), |_| true)?;
        Ok(())
    }

    /// Builds with `bench/hand-script.sh`.
    ///
    /// # Errors
    ///
    /// When it fails.
    pub fn hand_script(&self) -> Result<Image> {
        let folder = self.fresh("hand")?;
        let mut command = self.sealed("bench/hand-script.sh", &folder);
        let measured = measure(
            command.args(&self.packages),
            None,
            &self.scratch.join("hand.log"),
        )?;
        let status = folder.join("root/var/lib/dpkg");
        let packages = cmd!(self.shell, "dpkg-query --admindir={status} --show")
            .quiet()
            .read()?;
        let image = self.image(measured, &folder.join("image.iso"), &first_words(&packages))?;
        fs::remove_dir_all(&folder)?;
        Ok(image)
    }

    /// Builds with live-build, as `bench/live-build.sh` calls it.
    ///
    /// # Errors
    ///
    /// When it fails.
    pub fn live_build(&self) -> Result<Image> {
        let folder = self.fresh("live-build")?;
        let mut command = self.sealed("bench/live-build.sh", &folder);
        let measured = measure(
            command.args(&self.packages),
            None,
            &self.scratch.join("live-build.log"),
        )?;
        let packages = fs::read_to_string(folder.join("chroot.packages.live"))?;
        let image = self.image(
            measured,
            &folder.join("live-image-amd64.hybrid.iso"),
            &first_words(&packages),
        )?;
        fs::remove_dir_all(&folder)?;
        Ok(image)
    }

    fn sealed(&self, script: &str, folder: &Path) -> Command {
        let mut command = Command::new("setpriv");
        command
            .args(SEALED)
            .arg(self.repository.join(script))
            .arg(folder)
            .args([self.mirror, SUITE])
            .env_clear()
            .envs([
                (
                    "PATH",
                    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                ),
                ("HOME", "/root"),
            ])
            .envs(
                ["http_proxy", "https_proxy"]
                    .iter()
                    .filter_map(|name| Some((name, std::env::var_os(name)?))),
            );
        command
    }

    fn fresh(&self, name: &str) -> Result<PathBuf> {
        let folder = self.scratch.join(name);
        fs::create_dir(&folder)?;
        Ok(folder)
    }

    fn image(&self, measured: Measured, iso: &Path, packages: &BTreeSet<String>) -> Result<Image> {
        let listing = cmd!(
            self.shell,
            "xorriso -indev {iso} -lsl /live/filesystem.squashfs"
        );
        let listing = listing.quiet().ignore_stderr().read()?;
        Ok(Image {
            took: measured.took,
            peak_kib: measured.peak_kib,
            iso_bytes: fs::metadata(iso)
                .with_context(|| format!("no {}", iso.display()))?
                .len(),
            squashfs_bytes: listed_size(&listing).context("the ISO has no squashfs")?,
            packages: packages.clone(),
        })
    }
}

/// Package names at the start of each line, without an architecture.
fn first_words(text: &str) -> BTreeSet<String> {
    let words = text
        .lines()
        .filter_map(|line| line.split_whitespace().next());
    words
        .map(|word| word.split(':').next().unwrap_or(word).to_owned())
        .collect()
}

/// The fifth field of a line like that of `ls -l`, as xorriso(1) prints it.
fn listed_size(listing: &str) -> Option<u64> {
    let line = listing.lines().find(|line| line.starts_with('-'))?;
    line.split_whitespace().nth(4)?.parse().ok()
}

/// Removes what is in a folder, if its name is to go.
fn remove(folder: &Path, goes: impl Fn(&str) -> bool) -> io::Result<()> {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let entry = entry?;
        if !goes(&entry.file_name().to_string_lossy()) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?
        } else {
            fs::remove_file(entry.path())?
        }
    }
    Ok(())
}

/// A picture that differs for each number.
fn wallpaper(number: u32) -> String {
    let hue = number * 47 % 360;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1920\" height=\"1080\">\
         <rect width=\"1920\" height=\"1080\" fill=\"hsl({hue}, 40%, 25%)\"/>\
         <circle cx=\"1400\" cy=\"300\" r=\"500\" fill=\"hsl({hue}, 50%, 35%)\"/></svg>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_without_version_and_architecture() {
        let names = first_words("adduser\t3.152\nlibc6:amd64\t2.41\n\n");
        assert_eq!(
            names,
            BTreeSet::from(["adduser".to_owned(), "libc6".to_owned()])
        );
    }

    #[test]
    fn the_size_is_read_from_a_listing() {
        let line = "-rw-r--r--    1 0        0        287309824 Nov 21 12:00 '/live/filesystem.squashfs'\n";
        assert_eq!(listed_size(line), Some(287_309_824));
        assert_eq!(listed_size("xorriso : nothing\n"), None);
    }

    #[test]
    fn the_tools_stay() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["tools-1/data", "index-1/data", "squashfs-1"] {
            fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        fs::write(folder.path().join("note"), "").unwrap();
        remove(folder.path(), |name| !name.starts_with("tools-")).unwrap();
        let left: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(left, ["tools-1"]);
        remove(&folder.path().join("nowhere"), |_| true).unwrap();
    }
}
