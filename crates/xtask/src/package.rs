//! The Debian packages: what a person installs.
//!
//! `isosmith` is the command line and the service, for servers too; `isosmith-gui` is the window.
//!
//! Made with dpkg's own tools from what cargo has built and from `packaging/`, without
//! debhelper: a package of three programs' worth of files can be read from top to bottom.
//! The same commit gives the same bytes.

mod contents;
mod control;
mod icon;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use clap::Args;
use xshell::Shell;

use crate::{cargo, packages, page};

use contents::{Stage, Tree};
use control::About;

/// How to package.
#[derive(Debug, Args)]
pub struct PackageArgs {
    /// Where the package goes.
    #[arg(long, default_value = "out")]
    output: PathBuf,
    /// Take this command line instead of building it.
    #[arg(long, value_name = "FILE", hide = true)]
    program: Option<PathBuf>,
    /// Take this service instead of building it.
    #[arg(long, value_name = "FILE", hide = true)]
    helper: Option<PathBuf>,
    /// Take this AI helper instead of building it.
    #[arg(long, value_name = "FILE", hide = true)]
    assistant: Option<PathBuf>,
    /// Take this window instead of building it.
    #[arg(long, value_name = "FILE", hide = true)]
    window: Option<PathBuf>,
}

impl PackageArgs {
    /// A package of what cargo builds, in the folder `output`.
    pub fn into(output: impl Into<PathBuf>) -> Self {
        Self {
            output: output.into(),
            program: None,
            helper: None,
            assistant: None,
            window: None,
        }
    }

    /// With these programs: those in a folder of cargo's, and the window.
    #[must_use]
    pub fn with(self, programs: &Path, window: PathBuf) -> Self {
        let there = |name: &str| Some(programs.join(name));
        Self {
            program: there("isosmith"),
            helper: there("isosmith-helper"),
            assistant: there("ai"),
            window: Some(window),
            ..self
        }
    }
}

/// The programs of a package.
#[derive(Debug)]
struct Programs {
    isosmith: PathBuf,
    helper: PathBuf,
    /// Goes into images; runs on no machine of ours.
    assistant: PathBuf,
    window: PathBuf,
}

/// Where the packages are.
#[derive(Debug)]
pub struct Packages {
    /// The command line and the service.
    pub service: PathBuf,
    /// The window.
    pub window: PathBuf,
}

/// What is written in many places of a package.
#[derive(Debug)]
struct Identity {
    /// As Debian has it: Isosmith's version, and which package of it this is.
    version: String,
    /// Seconds since 1970 of the last commit; no file is younger.
    epoch: u64,
}

impl Identity {
    fn read(shell: &Shell) -> Result<Self> {
        let metadata = cargo::metadata(shell, &["--no-deps"])?;
        let packages = metadata["packages"].as_array().context("no packages")?;
        let version = packages
            .iter()
            .find(|package| package["name"] == "isosmith-cli")
            .and_then(|package| package["version"].as_str())
            .context("cargo knows no isosmith-cli")?;
        let epoch = match env::var("SOURCE_DATE_EPOCH") {
            Ok(text) => text,
            Err(_) => shell
                .cmd("git")
                .args(["log", "-1", "--format=%ct"])
                .quiet()
                .read()
                .context("the date of the last commit is not known; set SOURCE_DATE_EPOCH")?,
        };
        Ok(Self {
            version: format!("{version}-1"),
            epoch: epoch.trim().parse().context("SOURCE_DATE_EPOCH")?,
        })
    }
}

/// Builds the programs, puts them into packages, and says where those are.
///
/// # Errors
///
/// When something does not compile, a tool is missing, or a file cannot be written.
pub fn package(shell: &Shell, args: &PackageArgs) -> Result<Packages> {
    ensure!(
        env::consts::ARCH == "x86_64",
        "packages are made on amd64 only"
    );
    packages::ensure(shell, &[packages::PACKAGING])?;
    let identity = Identity::read(shell)?;
    let programs = programs(shell, args)?;
    let scratch = tempfile::tempdir()?;
    let stage = Stage {
        shell,
        repository: shell.current_dir(),
        scratch: scratch.path().to_owned(),
        identity: &identity,
    };
    shell.create_dir(&args.output)?;
    let finish = |tree: &Tree, about: &About| {
        control::write(&stage, tree, about)?;
        let name = format!("{}_{}_amd64.deb", about.name(), identity.version);
        let deb = shell.current_dir().join(&args.output).join(name);
        seal(shell, tree, &identity, &deb)?;
        Ok::<_, anyhow::Error>(deb)
    };
    Ok(Packages {
        service: finish(&stage.service(&programs)?, &About::service())?,
        window: finish(
            &stage.window(&programs.window)?,
            &About::window(&identity.version),
        )?,
    })
}

/// What goes in: given, or built as it is shipped.
fn programs(shell: &Shell, args: &PackageArgs) -> Result<Programs> {
    let built = |given: &Option<PathBuf>, package: &str, binary: &str| -> Result<PathBuf> {
        let file = match given {
            Some(file) => shell.current_dir().join(file),
            None => cargo::build(shell, package, binary)?,
        };
        ensure!(file.is_file(), "there is no {}", file.display());
        Ok(file)
    };
    Ok(Programs {
        isosmith: built(&args.program, "isosmith-cli", "isosmith")?,
        helper: built(&args.helper, "isosmith-helper", "isosmith-helper")?,
        assistant: built(&args.assistant, "isosmith-ai-helper", "ai")?,
        window: {
            if args.window.is_none() {
                packages::ensure(shell, &[packages::WINDOW_BUILD])?;
                page::build(shell)?;
            }
            built(&args.window, "isosmith-gui", "isosmith-gui")?
        },
    })
}

/// Packs the tree. Owners are root whoever packs; dates are the commit's.
fn seal(shell: &Shell, tree: &Tree, identity: &Identity, deb: &Path) -> Result<()> {
    // A package that is half written must not have the name of a whole one.
    let partial = deb.with_extension("deb.partial");
    shell
        .cmd("dpkg-deb")
        .args(["--build", "--root-owner-group", "-Zxz"])
        .arg(tree.root())
        .arg(&partial)
        .env("SOURCE_DATE_EPOCH", identity.epoch.to_string())
        .quiet()
        .ignore_stdout()
        .run()?;
    fs::rename(&partial, deb).with_context(|| deb.display().to_string())
}
