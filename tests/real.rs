//! The `minimal` profile from the real mirror: compared with a tree that mmdebstrap makes of
//! the same packages, built again, built elsewhere.
//!
//! Touches: folders below `ISOSMITH_TEST_DIR`, the network. Needs root and mmdebstrap. With
//! `ISOSMITH_FULL=1` it is built a second time from nothing.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on stops with a message"
)]

#[path = "real/compare.rs"]
mod compare;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context, Result, ensure};
use isosmith_tests::{
    Kit,
    kit::{output, sha256, workspace},
};
use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // The first builds what the others look at.
    arguments.test_threads = Some(1);
    let kit = match Kit::new().and_then(|kit| kit.need_root().map(|()| kit)) {
        Ok(kit) => kit,
        Err(error) => {
            eprintln!("{error:#}");
            return ExitCode::FAILURE;
        }
    };
    let trial = |name: &str, test: fn(&Kit) -> Result<()>| {
        let kit = kit.clone();
        Trial::test(name, move || {
            test(&kit).map_err(|error| Failed::from(format!("{error:#}")))
        })
    };
    let full = std::env::var_os("ISOSMITH_FULL").is_some();
    let trials = vec![
        trial("minimal_is_whole", whole),
        trial("again_is_nothing_to_do", again),
        trial("the_tree_is_what_mmdebstrap_makes", tree),
        trial("from_nothing_it_is_the_same", from_nothing).with_ignored_flag(!full),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The finished ISO.
fn minimal(kit: &Kit) -> Result<PathBuf> {
    let out = kit.minimal()?.join("out");
    fs::read_dir(&out)?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|ending| ending == "iso"))
        .with_context(|| format!("no ISO in {}", out.display()))
}

/// The program's own judgement of its ISO, with everything that the profile promises.
fn whole(kit: &Kit) -> Result<()> {
    let iso = minimal(kit)?;
    let said = output(Command::new(&kit.program).arg("verify").arg(&iso).args([
        "--json",
        "--bios",
        "--uefi",
        "--secure-boot",
    ]))?;
    let said: serde_json::Value = serde_json::from_str(&said)?;
    ensure!(said["good"] == true, "{}", said["problems"]);
    ensure!(
        said["checksums"]
            .as_array()
            .is_some_and(|sums| sums.len() >= 2),
        "{}",
        said["checksums"]
    );
    Ok(())
}

/// Built again without a change: nothing is made, and the ISO is left alone.
fn again(kit: &Kit) -> Result<()> {
    let iso = minimal(kit)?;
    let before = (sha256(&iso)?, fs::metadata(&iso)?.modified()?);
    let isosmith = kit.isosmith(&kit.root.join("minimal"));
    let ended = isosmith.build(&workspace().join("profiles/minimal/profile.toml"))?;
    ended.iso()?;
    let made: Vec<_> = ended
        .made()
        .into_iter()
        .filter(|step| !["preflight", "mirrors"].contains(step))
        .collect();
    ensure!(made.is_empty(), "the second build made {made:?} again");
    ensure!(
        before == (sha256(&iso)?, fs::metadata(&iso)?.modified()?),
        "the ISO was written again"
    );
    eprintln!("a build with nothing to do took {:?}", ended.took);
    Ok(())
}

/// Another cache, another folder, another day's work: the same bytes.
fn from_nothing(kit: &Kit) -> Result<()> {
    let iso = minimal(kit)?;
    let scratch = kit.scratch("nothing")?;
    let isosmith = kit
        .isosmith(scratch.path())
        .cache(&scratch.path().join("cache"))
        .env("TZ", "Asia/Tokyo");
    let ended = isosmith.build(&workspace().join("profiles/minimal/profile.toml"))?;
    ensure!(
        sha256(&ended.iso()?)? == sha256(&iso)?,
        "a build from nothing gives another ISO"
    );
    Ok(())
}

/// Same packages, same files, modes, owners, capabilities; differences are listed with their
/// reasons.
fn tree(kit: &Kit) -> Result<()> {
    let iso = minimal(kit)?;
    let scratch = kit.scratch("tree")?;
    let ours = unpack(&iso, scratch.path())?;
    let plain = scratch.path().join("plain");
    mmdebstrap(&iso.with_extension("iso.manifest"), &plain)?;
    let listed = compare::Listed::read(&workspace().join("tests/tree-differences.toml"))?;
    let judged = listed.judge(&compare::Tree::read(&ours)?, &compare::Tree::read(&plain)?);
    fs::write(
        kit.root.join("tree-differences.txt"),
        judged.every.join("\n"),
    )?;
    ensure!(
        judged.unlisted.is_empty(),
        "differences that are not listed:\n{}",
        judged.unlisted.join("\n")
    );
    ensure!(
        judged.unused.is_empty(),
        "listed, but there is no such difference: {}",
        judged.unused.join(", ")
    );
    Ok(())
}

fn unpack(iso: &Path, folder: &Path) -> Result<PathBuf> {
    let squashfs = folder.join("filesystem.squashfs");
    output(
        Command::new("xorriso")
            .args(["-no_rc", "-osirrox", "on", "-indev"])
            .arg(iso)
            .args(["-extract", "/live/filesystem.squashfs"])
            .arg(&squashfs),
    )?;
    let tree = folder.join("ours");
    output(
        Command::new("unsquashfs")
            .args(["-quiet", "-no-progress", "-dest"])
            .arg(&tree)
            .arg(&squashfs),
    )?;
    Ok(tree)
}

/// A tree of the packages that a manifest names, made by mmdebstrap in namespaces of its own.
fn mmdebstrap(manifest: &Path, to: &Path) -> Result<()> {
    let mirror = std::env::var("ISOSMITH_TEST_MIRROR")
        .unwrap_or_else(|_| "http://deb.debian.org".to_owned());
    let names: Vec<String> = fs::read_to_string(manifest)?
        .lines()
        .filter_map(|line| {
            let mut fields = line.split('\t');
            Some(format!("{}={}", fields.next()?, fields.next()?))
        })
        .collect();
    let sources = [
        ("debian", "trixie"),
        ("debian", "trixie-updates"),
        ("debian-security", "trixie-security"),
    ]
    .map(|(archive, suite)| format!("deb {mirror}/{archive} {suite} main non-free-firmware"));
    output(
        Command::new("unshare")
            .args([
                "--mount",
                "--pid",
                "--fork",
                "--kill-child",
                "--mount-proc",
                "--propagation",
                "private",
                "mmdebstrap",
            ])
            .args([
                "--quiet",
                "--mode=root",
                "--variant=essential",
                "--format=directory",
            ])
            .args([
                "--aptopt=APT::Install-Recommends \"false\"",
                &format!("--include={}", names.join(",")),
            ])
            .arg("trixie")
            .arg(to)
            .args(sources),
    )?;
    Ok(())
}
