//! Which packages, their download, and the two layers that they become.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use isosmith_catalogue::wanted;
use isosmith_engine::{Done, Failure, StepCx, step};
use isosmith_host::fs::{Confined, Tree, free_bytes};
use isosmith_protocol::{Code, Level};
use isosmith_squash::Ahead;
use serde_json::{Value, json};

use super::{
    environment::{no_room, release_date, sources_list, tools_sandbox, write},
    in_tree,
    install::{self, Installation},
    pool, quiet, squashfs,
};
use crate::{
    apt::{self, INSIDE, Package},
    fetch::Pool,
    preseed,
    state::{Debian, Resolution},
    udebs,
};

/// What is asked of the solver.
pub(crate) fn resolve_inputs(state: &Debian) -> Value {
    let spec = &state.spec;
    let mut inputs = json!({
        "suite": spec.base.suite.as_str(),
        "wanted": state.wanted(),
        "boot": state.boot_packages(),
        "asked": state.asked(),
        "pool": state.pool_packages(),
        "excluded": texts(&spec.software.exclude),
        "recommends": spec.software.recommends,
        "kernel": kernel_request(state),
        "debs": deb_hashes(state),
    });
    if spec.installer.debian {
        inputs["installer"] = json!(udebs::named(spec));
    }
    inputs
}

fn deb_hashes(state: &Debian) -> Vec<&str> {
    let debs = state.spec.software.debs.iter();
    debs.map(|deb| state.materials.hash(deb)).collect()
}

fn texts<T: ToString>(values: &[T]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

/// The kernel's metapackage, with the pocket that it must come from.
fn kernel_request(state: &Debian) -> String {
    let package = wanted::kernel(state.spec.kernel.flavour);
    match state.spec.kernel.flavour {
        isosmith_spec::model::KernelFlavour::Backports => {
            format!("{package}/{}-backports", state.spec.base.suite)
        }
        isosmith_spec::model::KernelFlavour::Stable
        | isosmith_spec::model::KernelFlavour::Rt
        | isosmith_spec::model::KernelFlavour::Cloud => package.to_owned(),
    }
}

/// Solves once for everything: base, packages, loaders.
pub(crate) fn resolve(cx: &mut StepCx<'_>, state: &mut Debian) -> Result<Done, Failure> {
    let folder = apt_folder(cx, state, &cx.out().join("apt"))?;
    let tools = state.tools()?;
    let recommends = state.spec.software.recommends;

    let mut base_names = install::base_names(&folder)?;
    let excluded = texts(&state.spec.software.exclude);
    // What is merely required may be left out; dpkg refuses where it is essential.
    base_names.retain(|name| !excluded.contains(name));
    let base = install::solve(cx, tools, &folder, &base_names, false)?;

    let kernel = wanted::kernel(state.spec.kernel.flavour);
    let mut names = base_names;
    names.extend(state.wanted().into_iter().filter(|name| name != kernel));
    names.push(kernel_request(state));
    names.extend(offer_debs(state, &folder)?);
    let mut packages = install::solve(cx, tools, &folder, &names, recommends)?;
    packages.retain(|package| !base.contains(package));

    let boot_names = state.boot_packages();
    let boot = if boot_names.is_empty() {
        Vec::new()
    } else {
        loaders(cx, state, &folder, &boot_names)?
    };

    let have: Vec<&Package> = base.iter().chain(&packages).collect();
    let pool = pool::resolve(cx, state, &folder, &names, &have)?;

    let installer = if state.spec.installer.debian {
        components(state, &folder.join("lists"))?
    } else {
        Vec::new()
    };

    let mut installed = installed_sizes(&folder.join("lists"))?;
    installed.retain(|name, _| {
        base.iter()
            .chain(&packages)
            .any(|package| package.name == *name)
    });
    let resolution = Resolution {
        base,
        packages,
        boot,
        pool,
        installer,
        asked: state.asked().into_iter().collect(),
        released: release_date(&folder.join("lists"), state.spec.base.suite.as_str())?,
        installed,
    };
    let text = serde_json::to_vec_pretty(&resolution).map_err(|error| {
        Failure::plain(Code::Internal, "the package list cannot be written").because(error)
    })?;
    write(&cx.out().join("resolution.json"), &text)?;
    Confined::new(cx.out())?.remove_tree(&cx.out().join("apt"))?;
    let (count, bytes) = (
        resolution.base.len() + resolution.packages.len(),
        resolution.download(),
    );
    cx.log(
        Level::Info,
        format!("{count} packages, {} MiB to download at most", bytes >> 20),
    );
    state.resolution = Some(resolution);
    Ok(Done::Done)
}

/// Reads back what was solved before.
pub(crate) fn recall(cx: &mut StepCx<'_>, state: &mut Debian) -> Result<(), Failure> {
    let path = cx.out().join("resolution.json");
    let text = fs::read(&path).map_err(|error| Failure::io_at("read", &path, error))?;
    let resolution = serde_json::from_slice(&text).map_err(|error| {
        Failure::plain(Code::Internal, "a cached package list cannot be read").because(error)
    })?;
    state.resolution = Some(resolution);
    Ok(())
}

fn loaders(
    cx: &StepCx<'_>,
    state: &Debian,
    folder: &Path,
    names: &[&str],
) -> Result<Vec<Package>, Failure> {
    let cmd = apt::solver("apt-get", tools_sandbox(state.tools()?), folder)
        .args(["--print-uris", "--quiet=2", "download"])
        .args(names.iter().copied());
    let output = cx.run_for_output(&cmd).map_err(apt::explain)?;
    apt::parse_uris(&output)
}

/// Components of Debian's installer, from the suite's own index, which apt has checked.
fn components(state: &Debian, lists: &Path) -> Result<Vec<Package>, Failure> {
    let suite = state.spec.base.suite;
    let ending = udebs::index_ending(suite);
    let failed = |error| Failure::io_at("read the package lists in", lists, error);
    let archive = state.releases.iter().flatten().next();
    let archive = archive.map_or("", |release| release.uri.as_str());
    for entry in fs::read_dir(lists).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.to_string_lossy().ends_with(&ending) {
            let index = fs::read_to_string(&path).map_err(failed)?;
            return udebs::choose(&index, &udebs::named(&state.spec), archive);
        }
    }
    Err(Failure::new(
        Code::FileMissingOnMirror,
        format!("the mirror has no components of Debian's installer for {suite}"),
        "Write debian = false in [installer], or take another mirror.",
    ))
}

/// An apt folder of this step's own, with the lists of the index.
fn apt_folder(cx: &StepCx<'_>, state: &Debian, folder: &Path) -> Result<PathBuf, Failure> {
    let excluded = texts(&state.spec.software.exclude);
    install::prepare(
        folder,
        &sources_list(state)?,
        &excluded,
        &state.keys()?,
        state.spec.software.recommends,
        None,
    )?;
    // Hard links: the lists are large, and apt's own cache of them is not made twice.
    for name in ["lists", "cache"] {
        link_files(&cx.output_of(&crate::INDEX).join(name), &folder.join(name))?;
    }
    Ok(folder.to_owned())
}

fn link_files(from: &Path, to: &Path) -> Result<(), Failure> {
    let failed = |error| Failure::io_at("link the package lists in", from, error);
    for entry in fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_type().map_err(failed)?.is_file() {
            fs::hard_link(entry.path(), to.join(entry.file_name())).map_err(failed)?;
        }
    }
    Ok(())
}

/// Local packages, where a sandbox finds them; returns their paths inside.
fn offer_debs(state: &Debian, folder: &Path) -> Result<Vec<String>, Failure> {
    let mut inside = Vec::new();
    for (number, deb) in state.spec.software.debs.iter().enumerate() {
        let from = &state.materials.get(deb)?.path;
        let name = format!("debs/{number}.deb");
        fs::copy(from, folder.join(&name)).map_err(|error| Failure::io_at("copy", from, error))?;
        inside.push(format!("{INSIDE}/{name}"));
    }
    Ok(inside)
}

/// Installed size in KiB by package name, from every list.
fn installed_sizes(lists: &Path) -> Result<BTreeMap<String, u64>, Failure> {
    let failed = |error| Failure::io_at("read the package lists in", lists, error);
    let mut sizes = BTreeMap::new();
    for entry in fs::read_dir(lists).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.to_string_lossy();
        // Components of the installer have names of packages, and other sizes.
        if !name.ends_with("_Packages") || name.contains("_debian-installer_") {
            continue;
        }
        let text = fs::read_to_string(&path).map_err(failed)?;
        let mut name = "";
        for line in text.lines() {
            if let Some(found) = line.strip_prefix("Package: ") {
                name = found;
            } else if let Some(size) = line
                .strip_prefix("Installed-Size: ")
                .and_then(|size| size.parse().ok())
            {
                sizes.insert(name.to_owned(), size);
            }
        }
    }
    Ok(sizes)
}

/// Downloads what is not here yet, unless the layers that need it are.
pub(crate) fn fetch(cx: &mut StepCx<'_>, state: &mut Debian) -> Result<Done, Failure> {
    let resolution = state.resolution()?;
    let mut needed: Vec<Package> = Vec::new();
    if !cx.is_cached(&crate::BASE) {
        needed.extend(resolution.base.iter().cloned());
    }
    if !cx.is_cached(&crate::PACKAGES) {
        needed.extend(resolution.packages.iter().cloned());
    }
    if !cx.is_cached(&crate::BOOT_FILES) {
        needed.extend(resolution.boot.iter().cloned());
        needed.extend(resolution.installer.iter().cloned());
    }
    if !cx.is_cached(&crate::POOL) {
        needed.extend(resolution.pool.iter().cloned());
    }
    needed.retain(|package| !package.uri.starts_with("file:"));
    // The installed system may have packages whose files are on the medium, too.
    needed.sort_by(|left, right| left.sha256.cmp(&right.sha256));
    needed.dedup_by(|left, right| left.sha256 == right.sha256);
    let pool = Pool::new(cx.work().pool());
    let missing = pool.missing(&needed);
    check_room(cx, resolution, missing)?;
    if missing == 0 {
        return Ok(Done::Skipped(
            "every package that is needed is already here".to_owned(),
        ));
    }
    pool.fill(
        state.web.as_ref(),
        &needed,
        &state.mirror_groups(),
        state.strength.downloads,
        cx.cancel(),
        &cx.reporter(),
    )?;
    Ok(Done::Done)
}

/// Refuses to begin what cannot be finished: the unpacked tree, a squashfs of at most that
/// size, and the ISO around it.
fn check_room(cx: &StepCx<'_>, resolution: &Resolution, missing: u64) -> Result<(), Failure> {
    let unpacked = resolution.unpacked();
    let tree = if cx.is_cached(&crate::PACKAGES) {
        0
    } else {
        unpacked
    };
    let needed = missing + tree + unpacked / 2;
    let cache = cx.work().cache();
    let free = free_bytes(cache)?;
    if free < needed {
        Err(no_room(cache, needed, free))
    } else {
        Ok(())
    }
}

fn versions(packages: &[Package]) -> Vec<String> {
    packages
        .iter()
        .map(|package| {
            format!(
                "{} {} {} {}",
                package.name, package.version, package.arch, package.sha256
            )
        })
        .collect()
}

/// The base layer depends on nothing but its packages.
pub(crate) fn base_inputs(state: &Debian) -> Value {
    match &state.resolution {
        // The date too: it is what the layer's newer times are set back to.
        Some(resolution) => json!({
            "packages": versions(&resolution.base),
            "sourceDate": state.source_date(),
        }),
        None => step::unknown(),
    }
}

/// Makes the base system.
pub(crate) fn base(cx: &mut StepCx<'_>, state: &mut Debian) -> Result<Done, Failure> {
    let folder = apt_folder(cx, state, &cx.work().scratch_of(cx.step()).join("apt"))?;
    let pool = Pool::new(cx.work().pool());
    let installation = Installation {
        at_once: state.strength.threads,
        tools: state.tools()?,
        folder: &folder,
        root: cx.root(),
        pool: &pool,
    };
    installation.bootstrap(cx, &state.resolution()?.base)?;
    Ok(Done::Done)
}

/// The software layer depends on its packages and on what they are told.
pub(crate) fn packages_inputs(state: &Debian) -> Value {
    match &state.resolution {
        Some(resolution) => json!({
            "packages": versions(&resolution.packages),
            "asked": resolution.asked,
            "debconf": answers(state),
            "debs": deb_hashes(state),
        }),
        None => step::unknown(),
    }
}

/// Lines for debconf-set-selections.
fn answers(state: &Debian) -> Vec<String> {
    // A search index of manual pages takes longer than all of the rest and is made again on
    // the running system's first day anyway.
    let quiet = "man-db man-db/auto-update boolean false".to_owned();
    let own = state.spec.software.debconf.iter();
    // Those of Debian's installer are for its own questions.
    let own = own.filter(|answer| answer.package.as_str() != preseed::OWNER);
    std::iter::once(quiet)
        .chain(own.map(|answer| {
            format!(
                "{} {} {} {}",
                answer.package, answer.question, answer.kind, answer.value
            )
        }))
        .collect()
}

/// Installs everything else.
pub(crate) fn packages(cx: &mut StepCx<'_>, state: &mut Debian) -> Result<Done, Failure> {
    let folder = apt_folder(cx, state, &cx.work().scratch_of(cx.step()).join("apt"))?;
    let debs = offer_debs(state, &folder)?;
    let pool = Pool::new(cx.work().pool());
    let root = cx.root().to_owned();
    let tree = Tree::open(&root)?;

    let preseed = in_tree("debconf-set-selections", &root).input(answers(state).join("\n") + "\n");
    cx.run(&quiet(preseed))?;

    let resolution = state.resolution()?;
    let installation = Installation {
        at_once: state.strength.threads,
        tools: state.tools()?,
        folder: &folder,
        root: &root,
        pool: &pool,
    };
    let install = || installation.install(cx, &resolution.packages, &debs);
    match cx.layers().last() {
        // dpkg keeps one processor busy.
        Some(base) => squashfs::meanwhile(cx, state, base, Ahead::BigFiles, install)?,
        None => install()?,
    }

    tree.write(
        "/var/lib/apt/extended_states",
        marked_automatic(resolution).as_bytes(),
        0o644,
    )?;
    if tree.exists("/var/lib/man-db") {
        // As a fresh installation has it; the flag file is what man-db itself reads.
        let restore = in_tree("debconf-set-selections", &root)
            .input("man-db man-db/auto-update boolean true\n");
        cx.run(&restore)?;
        tree.write("/var/lib/man-db/auto-update", b"", 0o644)?;
    }
    Ok(Done::Done)
}

/// apt's record of what was pulled in rather than asked for, so that `apt autoremove` works
/// in the finished system. Every package was named when it was installed, which marks it as
/// asked for.
fn marked_automatic(resolution: &Resolution) -> String {
    resolution
        .packages
        .iter()
        .filter(|package| {
            !resolution.asked.contains(&package.name) && !package.uri.starts_with("file:")
        })
        .map(|package| {
            let arch = if package.arch == "all" {
                "amd64"
            } else {
                &package.arch
            };
            format!(
                "Package: {}\nArchitecture: {arch}\nAuto-Installed: 1\n\n",
                package.name
            )
        })
        .collect()
}
