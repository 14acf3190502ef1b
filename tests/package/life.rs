//! Installing, upgrading, removing, purging.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Result, ensure};
use isosmith_tests::kit::output;

use crate::{Named, Subject};

pub const TRIALS: &[Named] = &[
    ("installed_it_works_and_its_folders_are_closed", install),
    ("an_upgrade_leaves_a_running_build_alone", upgrade),
    ("a_removal_keeps_builds_and_waits_for_a_running_one", remove),
    ("a_purge_leaves_nothing_and_takes_nothing_else", purge),
    ("a_purge_stops_before_what_is_mounted", mounted),
];

fn install(subject: &Subject) -> Result<()> {
    let room = subject.system.room(&subject.kit)?;
    room.install(&subject.deb)?;
    let modes = room.run("stat -c '%A %U:%G' /var/lib/isosmith /var/cache/isosmith")?;
    ensure!(
        modes == "drwx------ root:root\ndrwx------ root:root",
        "{modes}"
    );
    let said = room.run("isosmith --version; cd /; isosmith profiles; dpkg --audit")?;
    for word in ["isosmith ", "minimal", "rescue"] {
        ensure!(said.contains(word), "{word}: {said}");
    }
    let said = room.run("dpkg --verify isosmith")?;
    ensure!(said.is_empty(), "{said}");
    Ok(())
}

/// The same package under the next version, and a different service in it.
fn next(subject: &Subject) -> Result<(tempfile::TempDir, PathBuf)> {
    let scratch = subject.kit.scratch("next")?;
    let tree = scratch.path().join("tree");
    output(
        Command::new("dpkg-deb")
            .arg("-R")
            .arg(&subject.deb)
            .arg(&tree),
    )?;
    let control = tree.join("DEBIAN/control");
    let text = fs::read_to_string(&control)?;
    let newer = text.replace("\nVersion: ", "\nVersion: 1:");
    fs::write(&control, newer)?;
    let helper = tree.join("usr/libexec/isosmith-helper");
    let mut bytes = fs::read(&helper)?;
    bytes.extend(b"\n");
    fs::write(&helper, bytes)?;
    let deb = scratch.path().join("next.deb");
    let mut build = Command::new("dpkg-deb");
    build.args(["--root-owner-group", "-Znone", "-b"]);
    output(build.arg(&tree).arg(&deb))?;
    Ok((scratch, deb))
}

/// Somebody builds: the service runs, the lock is held, what builds share belongs to the ids
/// inside.
const BUILDING: &str = "
    mkdir -p /var/lib/isosmith/builds /var/cache/isosmith/work
    echo kept >/var/lib/isosmith/builds/one
    chown 1845493760:1845493760 /var/cache/isosmith/work
    cp /usr/bin/sleep /usr/libexec/isosmith-helper
    /usr/libexec/isosmith-helper 1000 & service=$!
    flock /var/cache/isosmith/work/build.lock sleep 1000 & sleep 1
    ";

fn upgrade(subject: &Subject) -> Result<()> {
    let room = subject.system.room(&subject.kit)?;
    room.install(&subject.deb)?;
    let (_scratch, deb) = next(subject)?;
    room.bring(&deb, "next")?;
    let said = room.run(&format!(
        "{BUILDING}
        dpkg --install /next >/log 2>&1
        kill -0 $service && echo runs
        flock --nonblock /var/cache/isosmith/work/build.lock true || echo locked
        cat /var/lib/isosmith/builds/one
        stat -c '%a %u:%g' /var/lib/isosmith /var/cache/isosmith /var/cache/isosmith/work
        dpkg-query -W -f '${{Version}}\\n' isosmith | cut -c1-2
        cmp -s /usr/bin/sleep /usr/libexec/isosmith-helper || echo new"
    ))?;
    ensure!(
        said == "runs\nlocked\nkept\n700 0:0\n700 0:0\n755 1845493760:1845493760\n1:\nnew",
        "{said}"
    );
    Ok(())
}

fn remove(subject: &Subject) -> Result<()> {
    let room = subject.system.room(&subject.kit)?;
    room.install(&subject.deb)?;
    // Where there is no service manager to end the build, the removal waits for it.
    let said = room.run(&format!(
        "{BUILDING} ! dpkg --remove isosmith 2>&1; test -e /usr/bin/isosmith && echo still there"
    ))?;
    ensure!(said.contains("A build is running"), "{said}");
    ensure!(said.ends_with("still there"), "{said}");
    let said = room.run(
        "dpkg --remove isosmith >/log 2>&1
        cat /var/lib/isosmith/builds/one
        find /usr /etc -xdev -name '*isosmith*'",
    )?;
    ensure!(said == "kept", "{said}");
    Ok(())
}

fn purge(subject: &Subject) -> Result<()> {
    let room = subject.system.room(&subject.kit)?;
    // What dpkg and man-db keep for themselves is not the package's.
    let look = "find / -xdev ! -path '/var/lib/dpkg/*' ! -path '/var/log/*' ! -path '/proc/*' \
        ! -path '/run/*' ! -path '/var/cache/ldconfig/*' ! -path '/var/cache/man/*' -printf '%M %u:%g %s %p\\n' |
        grep -v '^d.* /\\(var/lib/dpkg\\|var/log\\|tmp\\|var/cache/ldconfig\\|var/cache/man\\)*$' |
        sed -E 's/^(d[^ ]* [^ ]*) [0-9]+/\\1/' | sort";
    room.run("mkdir /var/lib/isosmithery; echo other >/var/lib/isosmithery/file")?;
    let before = room.run(look)?;
    room.install(&subject.deb)?;
    room.run(
        "mkdir -p /var/lib/isosmith/builds/one /var/cache/isosmith/pool
        echo deep >/var/lib/isosmith/builds/one/file
        ln -s /etc /var/cache/isosmith/pool/link
        dpkg --purge isosmith >/dev/null 2>&1",
    )?;
    let after = room.run(look)?;
    let gone: Vec<_> = before
        .lines()
        .filter(|line| !after.contains(line))
        .collect();
    let left: Vec<_> = after
        .lines()
        .filter(|line| !before.contains(line))
        .collect();
    ensure!(
        gone.is_empty() && left.is_empty(),
        "gone: {gone:#?} left: {left:#?}"
    );
    Ok(())
}

fn mounted(subject: &Subject) -> Result<()> {
    let room = subject.system.room(&subject.kit)?;
    room.install(&subject.deb)?;
    let said = room.run(
        "mkdir /var/cache/isosmith/root
        mount -t tmpfs tmpfs /var/cache/isosmith/root
        echo precious >/var/cache/isosmith/root/file
        dpkg --purge isosmith 2>&1
        cat /var/cache/isosmith/root/file
        ls /var/lib | grep '^isosmith$' || echo state is gone",
    )?;
    ensure!(said.contains("/var/cache/isosmith is left"), "{said}");
    ensure!(said.ends_with("precious\nstate is gone"), "{said}");
    Ok(())
}
