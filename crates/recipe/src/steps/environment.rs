//! Checks before the work, the tools, and what the mirrors have.

use std::{fs, path::Path};

use isosmith_engine::{Done, Failure, StepCx};
use isosmith_host::{
    Sandbox,
    fs::{free_bytes, free_inodes},
    sandbox::Op,
};
use isosmith_protocol::{Code, Level};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::install::{self, Installation};
use crate::{
    fetch::Pool,
    materials::hex,
    signing,
    sources::{self, Source},
    state::{Debian, Release, Tools, machine_files},
    udebs,
    web::Web,
};

/// What the tools tree holds, beside what every Debian has.
const TOOLS: &[&str] = &[
    "apt",
    "ca-certificates",
    "debian-archive-keyring",
    "dosfstools",
    "grub-common",
    "mtools",
    "squashfs-tools",
    "xorriso",
    "xz-utils",
    "zstd",
];

/// The suite that the tools come from, whatever is built.
const TOOLS_SUITE: &str = "trixie";

/// A build of the smallest system needs this much, in bytes; what the chosen packages need is
/// checked again once they are known.
const LEAST_SPACE: u64 = 3 << 30;

/// A build of the smallest system makes about this many files.
const LEAST_FILES: u64 = 60_000;

/// Looks at the machine before anything is done.
pub(crate) fn preflight(cx: &mut StepCx<'_>, state: &mut Debian) -> Result<Done, Failure> {
    for folder in [cx.work().state().to_owned(), cx.work().cache().to_owned()] {
        let free = free_bytes(&folder)?;
        if free < LEAST_SPACE {
            return Err(no_room(&folder, LEAST_SPACE, free));
        }
        if let Some(files) = free_inodes(&folder)?.filter(|&files| files < LEAST_FILES) {
            return Err(Failure::plain(
                Code::DiskFull,
                format!(
                    "the filesystem of {} has room for only {files} more files",
                    folder.display()
                ),
            ));
        }
    }
    for (folder, name) in [
        ("/proc/self/ns", "user"),
        ("/proc/self/ns", "pid"),
        ("/proc/self/ns", "net"),
    ] {
        if !Path::new(folder).join(name).exists() {
            return Err(Failure::plain(
                Code::SandboxFailed,
                format!("this kernel has no {name} namespaces"),
            ));
        }
    }
    signing::preflight(cx, state)?;
    let mirrors = state.mirrors.archive.join(", ");
    cx.log(Level::Info, format!("packages come from {mirrors}"));
    Ok(Done::Done)
}

pub(crate) fn no_room(folder: &Path, needed: u64, free: u64) -> Failure {
    let mib = |bytes: u64| bytes.div_ceil(1 << 20);
    Failure::new(
        Code::DiskFull,
        format!(
            "the filesystem of {} has {} MiB free, the build needs about {} MiB",
            folder.display(),
            mib(free),
            mib(needed)
        ),
        format!(
            "Free {} MiB there, or choose another folder with --cache-dir and --state-dir.",
            mib(needed - free)
        ),
    )
}

/// Programs that run outside the tree, with nothing of the machine's configuration.
pub(crate) fn tools_sandbox(tools: &Tools) -> Sandbox {
    match tools {
        Tools::Tree { root, .. } => Sandbox::read_only_tree("tools", root),
        Tools::Machine => {
            let mut sandbox = Sandbox::empty("the machine's programs")
                .with(Op::Proc)
                .with(Op::Dev)
                .with(Op::Tmpfs {
                    to: "/run".into(),
                    mode: 0o755,
                })
                .with(Op::Tmpfs {
                    to: "/tmp".into(),
                    mode: 0o1777,
                })
                .bind_ro(Path::new("/usr"), "/usr")
                .bind_ro(Path::new("/etc/passwd"), "/etc/passwd")
                .bind_ro(Path::new("/etc/group"), "/etc/group")
                .bind_ro(Path::new("/etc/nsswitch.conf"), "/etc/nsswitch.conf");
            for name in ["bin", "sbin", "lib", "lib32", "lib64", "libx32"] {
                let path = Path::new("/").join(name);
                match fs::read_link(&path) {
                    Ok(target) => sandbox = sandbox.with(Op::Symlink { target, to: path }),
                    Err(_) if path.is_dir() => sandbox = sandbox.bind_ro(&path, path.clone()),
                    Err(_) => {}
                }
            }
            for file in ["/etc/ld.so.cache", "/etc/alternatives"] {
                if Path::new(file).exists() {
                    sandbox = sandbox.bind_ro(Path::new(file), file);
                }
            }
            sandbox
        }
    }
}

/// The same with the network and what names are resolved with.
pub(crate) fn tools_online(tools: &Tools) -> Sandbox {
    machine_files().fold(tools_sandbox(tools).online(), |sandbox, file| {
        sandbox.bind_ro(file, file)
    })
}

/// What the tools depend on: deliberately not the day's package versions, so that tools are
/// made once and stay until they are cleaned away.
pub(crate) fn tools_inputs(state: &Debian) -> Value {
    json!({ "suite": TOOLS_SUITE, "packages": tools(state) })
}

/// Packages of the tools tree: [`TOOLS`], and those that sign where there is something to sign.
fn tools(state: &Debian) -> Vec<&'static str> {
    let signs = state.spec.security.signing.is_some();
    let more = signing::TOOLS.iter().filter(|_| signs);
    TOOLS.iter().chain(more).copied().collect()
}

/// Makes the tools tree with the machine's own apt.
pub(crate) fn make_tools(cx: &mut StepCx<'_>, state: &mut Debian) -> Result<Done, Failure> {
    for program in [
        "/usr/bin/apt-get",
        "/usr/bin/dpkg-deb",
        sources::DEBIAN_KEYRING,
    ] {
        if !Path::new(program).exists() {
            return Err(Failure::new(
                Code::CommandMissing,
                format!("{program} is missing"),
                "Install the packages apt, dpkg and debian-archive-keyring.",
            ));
        }
    }
    let main = |suite: String, uris: &[String]| Source {
        uris: uris.to_vec(),
        suite,
        components: vec!["main".to_owned()],
        signed_by: sources::DEBIAN_KEYRING.to_owned(),
        may_be_old: true,
        installer: false,
    };
    // The tools always come from Debian itself, whatever archive the profile is built from.
    let debian = &state.tool_mirrors;
    let wanted = [
        main(TOOLS_SUITE.to_owned(), &debian.archive),
        main(format!("{TOOLS_SUITE}-updates"), &debian.archive),
        main(format!("{TOOLS_SUITE}-security"), &debian.security),
    ];
    let releases = ask(state.web.as_ref(), &wanted)?;
    let list = chosen(wanted.to_vec(), &releases);
    let folder = cx.out().join("apt");
    install::prepare(
        &folder,
        &sources::list(&list),
        &[],
        &[],
        false,
        state.mirrors.proxy.as_deref(),
    )?;
    install::update(cx, &Tools::Machine, &folder)?;

    let machine = Tools::Machine;
    let base_names = install::base_names(&folder)?;
    let base = install::solve(cx, &machine, &folder, &base_names, false)?;
    let names: Vec<String> = base_names
        .iter()
        .cloned()
        .chain(tools(state).into_iter().map(str::to_owned))
        .collect();
    let mut rest = install::solve(cx, &machine, &folder, &names, false)?;
    rest.retain(|package| !base.contains(package));

    let pool = Pool::new(cx.work().pool());
    let all: Vec<_> = base.iter().chain(&rest).cloned().collect();
    let groups = [debian.archive.clone(), debian.security.clone()];
    pool.fill(
        state.web.as_ref(),
        &all,
        &groups,
        state.strength.downloads,
        cx.cancel(),
        &cx.reporter(),
    )?;

    let root = cx.out().join("root");
    fs::create_dir(&root).map_err(|error| Failure::io_at("make the tools tree", &root, error))?;
    let installation = Installation {
        at_once: state.strength.threads,
        tools: &machine,
        folder: &folder,
        root: &root,
        pool: &pool,
    };
    installation.bootstrap(cx, &base)?;
    installation.install(cx, &rest, &[])?;

    // Mount points for the machine's own files; the tree is read-only from now on.
    let tree = isosmith_host::fs::Tree::open(&root)?;
    for file in ["/etc/resolv.conf", "/etc/hosts"] {
        tree.write(file, b"", 0o644)?;
    }
    let versions: String = all
        .iter()
        .map(|package| format!("{} {}\n", package.name, package.version))
        .collect();
    let id = hex(&Sha256::digest(versions.as_bytes()));
    write(&cx.out().join("versions"), versions.as_bytes())?;
    write(&cx.out().join("id"), id.as_bytes())?;
    isosmith_host::fs::Confined::new(cx.out())?.remove_tree(&cx.out().join("apt"))?;
    Ok(Done::Done)
}

/// Finds the finished tools.
fn find_tools(cx: &StepCx<'_>) -> Result<Tools, Failure> {
    let folder = cx.output_of(&crate::TOOLS);
    let path = folder.join("id");
    let id = fs::read_to_string(&path).map_err(|error| Failure::io_at("read", &path, error))?;
    Ok(Tools::Tree {
        root: folder.join("root"),
        id,
    })
}

pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    fs::write(path, bytes).map_err(|error| Failure::io_at("write", path, error))
}

/// Asks every source for its Release file: which mirror has it, and what it is today.
fn ask(web: &dyn Web, sources: &[Source]) -> Result<Vec<Release>, Failure> {
    let ask_one = |source: &Source| {
        let (uri, bytes) = first_that_has(web, source)?;
        Ok(Release {
            suite: source.suite.clone(),
            uri,
            sha256: hex(&Sha256::digest(&bytes)),
        })
    };
    sources.iter().map(ask_one).collect()
}

/// Each source with the mirror that answered for it.
fn chosen(sources: Vec<Source>, releases: &[Release]) -> Vec<(Source, String)> {
    sources
        .into_iter()
        .zip(releases)
        .map(|(source, release)| (source, release.uri.clone()))
        .collect()
}

fn first_that_has(web: &dyn Web, source: &Source) -> Result<(String, Vec<u8>), Failure> {
    let mut last = None;
    for uri in &source.uris {
        for name in ["InRelease", "Release"] {
            match web.get(&source.release_url(uri, name)) {
                Ok(Some(bytes)) => return Ok((uri.clone(), bytes)),
                Ok(None) => {
                    last.get_or_insert_with(|| {
                        let url = source.release_url(uri, name);
                        Failure::plain(
                            Code::FileMissingOnMirror,
                            format!("the mirror does not have {url}"),
                        )
                    });
                }
                Err(failure) => {
                    last = Some(failure);
                    break;
                }
            }
        }
    }
    Err(last.unwrap_or_else(|| Failure::plain(Code::Internal, "a source without a mirror")))
}

/// Asks the mirrors what they have; the answer decides whether anything below must be done
/// anew. A resumed build goes on with what it was told the first time.
pub(crate) fn look_at_mirrors(cx: &mut StepCx<'_>, state: &mut Debian) -> Result<Done, Failure> {
    state.tools = Some(find_tools(cx)?);
    if let Some(releases) = cx.recall::<Vec<Release>>("releases")? {
        let index_is_here = {
            state.releases = Some(releases);
            cx.is_cached(&crate::INDEX)
        };
        if index_is_here {
            return Ok(Done::Skipped(
                "the build goes on with the package lists that it began with".to_owned(),
            ));
        }
    }
    let releases = ask(state.web.as_ref(), &state.sources())?;
    cx.remember("releases", &releases)?;
    state.releases = Some(releases);
    Ok(Done::Done)
}

/// The package lists depend on what each mirror's Release file says today, and on the keys.
pub(crate) fn index_inputs(state: &Debian) -> Value {
    let Some(releases) = &state.releases else {
        return isosmith_engine::step::unknown();
    };
    let mut inputs = json!({ "releases": releases, "keys": state.key_hashes(), "components": state.spec.base.components.iter().map(ToString::to_string).collect::<Vec<_>>() });
    if state.spec.installer.debian {
        inputs["installer"] = json!(udebs::apt_target());
    }
    inputs
}

/// Downloads and verifies the package lists.
pub(crate) fn make_index(cx: &mut StepCx<'_>, state: &mut Debian) -> Result<Done, Failure> {
    let folder = cx.out().to_owned();
    install::prepare(
        &folder,
        &sources_list(state)?,
        &[],
        &state.keys()?,
        state.spec.software.recommends,
        state.mirrors.proxy.as_deref(),
    )?;
    if state.spec.installer.debian {
        let path = folder.join("apt.conf");
        let settings =
            fs::read_to_string(&path).map_err(|error| Failure::io_at("read", &path, error))?;
        write(&path, (settings + &udebs::apt_target()).as_bytes())?;
    }
    install::update(cx, state.tools()?, &folder)?;
    Ok(Done::Done)
}

/// `sources.list` with the mirrors that answered.
pub(crate) fn sources_list(state: &Debian) -> Result<String, Failure> {
    let releases = state
        .releases
        .as_ref()
        .ok_or_else(|| Failure::plain(Code::Internal, "the mirrors were not asked"))?;
    Ok(sources::list(&chosen(state.sources(), releases)))
}

/// `Date:` of the suite's Release file, as apt keeps it.
pub(crate) fn release_date(lists: &Path, suite: &str) -> Result<i64, Failure> {
    let failed = |error| Failure::io_at("read", lists, error);
    for entry in fs::read_dir(lists).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let ours = [
            format!("_dists_{suite}_InRelease"),
            format!("_dists_{suite}_Release"),
        ];
        if !ours.iter().any(|ending| name.ends_with(ending)) {
            continue;
        }
        let text = fs::read_to_string(&path).map_err(failed)?;
        if let Some(date) = text
            .lines()
            .find_map(|line| crate::date::parse(line.strip_prefix("Date: ")?))
        {
            return Ok(date);
        }
    }
    Err(Failure::plain(
        Code::Internal,
        format!("the Release file of {suite} has no date"),
    ))
}
