//! From packages to a tree: one way for the tools tree and for the system that is built.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use isosmith_engine::{Failure, LineUse, StepCx};
use isosmith_host::{Cmd, Sandbox, fs::Tree};
use isosmith_protocol::{Code, Unit};

use super::{
    environment::{tools_online, tools_sandbox, write},
    in_tree, quiet, without_services,
};
use crate::{
    apt::{self, INSIDE, Package},
    fetch::Pool,
    state::Tools,
};

/// Fills an apt folder with settings; `keys` are file names and where they come from.
pub(crate) fn prepare(
    folder: &Path,
    sources: &str,
    excluded: &[String],
    keys: &[(String, PathBuf)],
    recommends: bool,
    proxy: Option<&str>,
) -> Result<(), Failure> {
    for name in [
        "lists/partial",
        "archives/partial",
        "state",
        "cache",
        "keys",
        "none.d",
        "debs",
    ] {
        let path = folder.join(name);
        fs::create_dir_all(&path).map_err(|error| Failure::io_at("make", &path, error))?;
    }
    write(
        &folder.join("apt.conf"),
        apt::settings(recommends, proxy).as_bytes(),
    )?;
    write(&folder.join("sources.list"), sources.as_bytes())?;
    write(
        &folder.join("preferences"),
        apt::preferences(excluded).as_bytes(),
    )?;
    write(&folder.join("state/status"), b"")?;
    for (name, from) in keys {
        fs::copy(from, folder.join("keys").join(name))
            .map_err(|error| Failure::io_at("copy a key from", from, error))?;
    }
    Ok(())
}

/// Downloads the package lists into an apt folder; apt checks every signature.
pub(crate) fn update(cx: &StepCx<'_>, tools: &Tools, folder: &Path) -> Result<(), Failure> {
    let cmd = apt::solver("apt-get", tools_online(tools), folder).arg("update");
    cx.run(&cmd).map_err(apt::explain)
}

/// What every system begins with: essential and required packages, and apt.
pub(crate) fn base_names(folder: &Path) -> Result<Vec<String>, Failure> {
    let lists = folder.join("lists");
    let failed = |error| Failure::io_at("read the package lists in", &lists, error);
    let mut names = BTreeSet::from(["apt".to_owned()]);
    for entry in fs::read_dir(&lists).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        // The distribution's own main component says what is essential, not a repository
        // beside it.
        if path
            .to_string_lossy()
            .ends_with("_main_binary-amd64_Packages")
        {
            let text = fs::read_to_string(&path).map_err(failed)?;
            names.extend(apt::essential(&text).map(str::to_owned));
            names.extend(apt::required(&text).map(str::to_owned));
        }
    }
    Ok(names.into_iter().collect())
}

/// Which packages `names` come to on a system with nothing installed.
pub(crate) fn solve(
    cx: &StepCx<'_>,
    tools: &Tools,
    folder: &Path,
    names: &[String],
    recommends: bool,
) -> Result<Vec<Package>, Failure> {
    let cmd = apt::solver("apt-get", tools_sandbox(tools), folder)
        .args([
            "-o".to_owned(),
            format!("APT::Install-Recommends={recommends}"),
        ])
        .args(["--print-uris", "--quiet=2", "install"])
        .args(names.iter().cloned());
    let output = cx.run_for_output(&cmd).map_err(apt::explain)?;
    apt::parse_uris(&output)
}

/// A tree that is being filled.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Installation<'a> {
    pub(crate) tools: &'a Tools,
    /// The apt folder; its `archives` become links into the pool.
    pub(crate) folder: &'a Path,
    pub(crate) root: &'a Path,
    pub(crate) pool: &'a Pool,
    /// How many packages are unpacked at the same time.
    pub(crate) at_once: usize,
}

impl Installation<'_> {
    /// Puts `packages` where apt looks for downloads; costs no space.
    fn offer(&self, packages: &[Package]) -> Result<(), Failure> {
        // A local package lies beside, under a name of its own.
        let downloads = packages
            .iter()
            .filter(|package| !package.uri.starts_with("file:"));
        for package in downloads {
            let from = self.pool.path(package);
            let to = self.folder.join("archives").join(&package.file);
            match fs::hard_link(&from, &to) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(Failure::io_at("link a package to", &to, error)),
            }
        }
        Ok(())
    }

    /// Makes a system that can install packages out of nothing: unpacks the base packages
    /// with the tools, then lets the tree's own dpkg install them properly.
    pub(crate) fn bootstrap(&self, cx: &StepCx<'_>, base: &[Package]) -> Result<(), Failure> {
        self.offer(base)?;
        skeleton(self.root)?;

        // Each package on its own core: unpacking is mostly xz, one thread a package.
        let files = base
            .iter()
            .map(|package| format!("{INSIDE}/archives/{}\n", package.file));
        let unpack = Cmd::new("xargs")
            .args(["-P", &self.at_once.to_string(), "-n", "1"])
            .args(["bash", "-c", r#"set -eo pipefail; dpkg-deb --fsys-tarfile "$0" | tar --extract --preserve-permissions --keep-directory-symlink --file=- --directory=/run/target"#])
            .input(files.collect::<String>())
            .inside(tools_sandbox(self.tools).bind(self.folder, INSIDE).bind(self.root, "/run/target"));
        cx.run(&unpack)?;

        let tree = Tree::open(self.root)?;
        without_services(&tree, || {
            let install = quiet(Cmd::new("dpkg"))
                .args([
                    "--force-depends",
                    "--force-unsafe-io",
                    "--force-confold",
                    "--install",
                ])
                .args(
                    base.iter()
                        .map(|package| format!("{INSIDE}/archives/{}", package.file)),
                )
                .inside(Sandbox::tree("tree", self.root).bind_ro(self.folder, INSIDE));
            self.watch(cx, &install, 2 * base.len())
                .map_err(|failure| package_failed(failure, base))
        })
    }

    /// Installs `packages` in one go, from what was downloaded. `debs` are local packages,
    /// by their path inside.
    pub(crate) fn install(
        &self,
        cx: &StepCx<'_>,
        packages: &[Package],
        debs: &[String],
    ) -> Result<(), Failure> {
        if packages.is_empty() && debs.is_empty() {
            return Ok(());
        }
        self.offer(packages)?;
        let tree = Tree::open(self.root)?;
        without_services(&tree, || {
            // Every version is named, so that the tree's own apt cannot choose differently
            // from the one that solved.
            let exact = packages
                .iter()
                .filter(|package| !package.uri.starts_with("file:"))
                .map(|package| {
                    format!(
                        "{}:{}={}",
                        package.name,
                        architecture(package),
                        package.version
                    )
                });
            let sandbox = Sandbox::tree("tree", self.root);
            let install = quiet(apt::command("apt-get", sandbox, self.folder))
                .args([
                    "-o",
                    "Dir::Cache::pkgcache=",
                    "-o",
                    "Dir::Cache::srcpkgcache=",
                ])
                .args(["-o", "Debug::NoLocking=true"])
                .args(["-o", "APT::Install-Recommends=false", "install"])
                .args(exact)
                .args(debs.iter().cloned());
            // Everything is here. With local packages the option makes apt forget where they are.
            let install = if debs.is_empty() {
                install.arg("--no-download")
            } else {
                install
            };
            self.watch(cx, &install, 2 * packages.len())
                .map_err(|failure| package_failed(apt::explain(failure), packages))
        })
    }

    /// Runs dpkg, or apt with it; each package is unpacked and set up, which makes two of
    /// `halves`.
    fn watch(&self, cx: &StepCx<'_>, cmd: &Cmd, halves: usize) -> Result<(), Failure> {
        let total = halves as u64;
        let mut done = 0;
        cx.run_watching(cmd, &mut |_, line| {
            if let Some(name) = apt::parse_dpkg(line) {
                done += 1;
                cx.progress(
                    (done / 2).min(total / 2),
                    Some(total / 2),
                    Unit::Packages,
                    Some(name),
                );
            }
            LineUse::Log
        })
    }

    /// Runs `dpkg-divert` in the tree for `path`, so that what a package puts there lands
    /// beside it and stays out of the way.
    pub(crate) fn divert(
        cx: &StepCx<'_>,
        root: &Path,
        action: &str,
        path: &str,
    ) -> Result<(), Failure> {
        cx.run(&in_tree("dpkg-divert", root).args(["--local", "--rename", action, path]))
    }
}

/// `all` packages are installed for the system's own architecture.
fn architecture(package: &Package) -> &str {
    if package.arch == "all" {
        "all"
    } else {
        "amd64"
    }
}

/// Names the package whose script failed, which dpkg says in the middle of much else.
fn package_failed(mut failure: Failure, packages: &[Package]) -> Failure {
    if !matches!(failure.code, Code::CommandFailed | Code::PackageFailed) {
        return failure;
    }
    let guilty = failure.tail.iter().find_map(|line| {
        let rest = line.split_once("error processing package ")?.1;
        Some(rest.split(' ').next()?.trim_end_matches(':').to_owned())
    });
    if let Some(name) = guilty {
        let version = packages
            .iter()
            .find(|package| package.name == name)
            .map_or("", |package| &package.version);
        failure.code = Code::PackageFailed;
        failure.message = format!("the package {name} {version} could not be configured");
        failure.advice =
            format!("Read the lines above; if the package is at fault, leave it out with software.exclude = [\"{name}\"].").into();
    }
    failure
}

/// What must be there before the first package is unpacked: the merged `/usr` that Debian has
/// had since 12, and dpkg's own files.
fn skeleton(root: &Path) -> Result<(), Failure> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error| Failure::io_at("make", &path, error)
    };
    for folder in [
        "usr/bin",
        "usr/sbin",
        "usr/lib",
        "usr/lib64",
        "var/lib/dpkg/info",
        "var/lib/dpkg/updates",
    ] {
        let path = root.join(folder);
        fs::create_dir_all(&path).map_err(failed(&path))?;
    }
    for name in ["bin", "sbin", "lib", "lib64"] {
        let path = root.join(name);
        symlink(format!("usr/{name}"), &path).map_err(failed(&path))?;
    }
    for file in ["var/lib/dpkg/status", "var/lib/dpkg/available"] {
        write(&root.join(file), b"")?;
    }
    Ok(())
}
