//! The same inputs give the same bytes, wherever and by whomever they are built.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use isosmith_tests::{
    Dates, Isosmith, Kit, Signing, Small,
    kit::{output, set_mode, sha256},
    made::DATE,
    same_iso,
};
use libtest_mimic::Trial;

use super::trial;

pub fn trials(kit: &Kit) -> Vec<Trial> {
    vec![
        trial(kit, "same::elsewhere_and_by_somebody_else", elsewhere),
        trial(kit, "same::from_older_layers", older_layers),
        trial(kit, "same::nothing_to_do", nothing_to_do),
    ]
}

/// A user of the machine that exists in one mount namespace only.
const USER: u32 = 4242;

fn elsewhere(kit: &Kit) -> Result<()> {
    let scratch = kit.scratch("same")?;
    let small = Small::serve(kit, scratch.path(), &[])?;
    let profile = small.profile("same")?;
    let fresh = |name: &str, profile: &Path| -> Result<(Isosmith, PathBuf)> {
        let folder = scratch.path().join(name);
        fs::create_dir_all(folder.join("cache"))?;
        kit.link_cache(&folder.join("cache"), &[])?;
        let copy = folder.join(profile.file_name().context("no name")?);
        fs::copy(profile, &copy)?;
        fs::copy(
            profile.with_file_name("archive.asc"),
            folder.join("archive.asc"),
        )?;
        Ok((kit.isosmith(&folder).cache(&folder.join("cache")), copy))
    };

    let (isosmith, first) = fresh("here", &profile)?;
    let want = isosmith
        .env("LC_ALL", "C")
        .env("TZ", "UTC")
        .build(&first)?
        .iso()?;

    let (isosmith, second) = fresh("a-much-longer-name/and deeper", &profile)?;
    let other = isosmith
        .env("LC_ALL", "de_DE.UTF-8")
        .env("LANG", "de_DE.UTF-8")
        .env("TZ", "Asia/Kolkata")
        .env("SOURCE_DATE_EPOCH", "1")
        .under(&["sh", "-c", "umask 077; exec \"$@\"", "sh"]);
    let ended = other.build(&second)?;
    same_iso(
        "another folder, locale, time zone and umask",
        &want,
        &ended.iso()?,
    )?;

    let (isosmith, third) = rootless(kit, scratch.path(), &profile)?;
    let ended = isosmith.build(&third)?;
    same_iso("an ordinary user", &want, &ended.iso()?)
}

/// The program as an ordinary user with subordinate ids, and a profile that it may read.
fn rootless(kit: &Kit, scratch: &Path, profile: &Path) -> Result<(Isosmith, PathBuf)> {
    let folder = scratch.join("somebody");
    let cache = folder.join("cache");
    fs::create_dir_all(&cache)?;
    output(
        Command::new("cp")
            .arg("-r")
            .arg(kit.cache().join("pool"))
            .arg(&cache),
    )?;
    let own = folder.join(profile.file_name().context("no name")?);
    fs::copy(profile, &own)?;
    fs::copy(
        profile.with_file_name("archive.asc"),
        folder.join("archive.asc"),
    )?;
    output(
        Command::new("chown")
            .args(["-R", &format!("{USER}:{USER}")])
            .arg(&folder),
    )?;
    output(Command::new("chmod").args(["-R", "u+rwX"]).arg(&folder))?;

    // Tables of users that only the mount namespace below sees.
    let tables = scratch.join("tables");
    fs::create_dir_all(&tables)?;
    let passwd = fs::read_to_string("/etc/passwd")?;
    let entry = format!(
        "{passwd}somebody:x:{USER}:{USER}::{}:/bin/sh\n",
        folder.display()
    );
    for (name, text) in [
        ("passwd", entry),
        ("subuid", "somebody:200000:65536\n".into()),
        ("subgid", "somebody:200000:65536\n".into()),
    ] {
        fs::write(tables.join(name), text)?;
        set_mode(&tables.join(name), 0o644)?;
    }
    let script = format!(
        "set -e; for name in passwd subuid subgid; do mount --bind '{}'/$name /etc/$name; done; \
         exec setpriv --reuid {USER} --regid {USER} --clear-groups -- \"$@\"",
        tables.display()
    );
    for name in ["subuid", "subgid"] {
        // A file can only be bound over one that is there.
        ensure!(
            Path::new("/etc").join(name).exists(),
            "/etc/{name} is missing; install the package uidmap"
        );
    }
    let isosmith = kit
        .isosmith(&folder)
        .cache(&cache)
        .env("HOME", &folder.display().to_string())
        .under(&[
            "unshare",
            "--mount",
            "--propagation",
            "slave",
            "sh",
            "-c",
            &script,
            "sh",
        ]);
    Ok((isosmith, own))
}

/// The archive is signed anew with the same packages: the image must not tell whether its
/// layers were made before or after that.
fn older_layers(kit: &Kit) -> Result<()> {
    let scratch = kit.scratch("older")?;
    let small = Small::serve(kit, scratch.path(), &[])?;
    let profile = small.profile("older")?;
    let build = |name: &str, cache: &Path| -> Result<PathBuf> {
        kit.isosmith(&scratch.path().join(name))
            .cache(cache)
            .build(&profile)?
            .iso()
    };
    let (old, new) = (scratch.path().join("old"), scratch.path().join("new"));
    for cache in [&old, &new] {
        kit.link_cache(cache, &[])?;
    }
    build("first", &old)?;
    small.archive.publish(
        Dates {
            date: DATE + 86_400,
            until: None,
        },
        Signing::Own,
    )?;
    let reused = build("second", &old)?;
    let made = build("third", &new)?;
    same_iso(
        "layers from before the archive was signed anew, and fresh ones",
        &reused,
        &made,
    )
}

/// A second build of an unchanged profile makes nothing, and the ISO stays as it is.
fn nothing_to_do(kit: &Kit) -> Result<()> {
    let scratch = kit.scratch("again")?;
    let small = Small::serve(kit, scratch.path(), &[])?;
    let profile = small.profile("again")?;
    let isosmith = kit.isosmith(scratch.path());
    let first = sha256(&isosmith.build(&profile)?.iso()?)?;
    let again = isosmith.build(&profile)?;
    ensure!(
        sha256(&again.iso()?)? == first,
        "the second build changed the ISO"
    );
    let made: Vec<_> = again
        .made()
        .into_iter()
        .filter(|step| !["preflight", "mirrors"].contains(step))
        .collect();
    ensure!(made.is_empty(), "the second build made {made:?} again");
    eprintln!("a build with nothing to do took {:?}", again.took);

    // A touched ISO is not taken for the one that was delivered.
    fs::write(
        isosmith
            .out
            .join(again.iso()?.file_name().context("no name")?),
        "changed",
    )?;
    ensure!(
        sha256(&isosmith.build(&profile)?.iso()?)? == first,
        "a changed ISO was left as it was"
    );
    Ok(())
}
