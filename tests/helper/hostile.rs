//! Everything that arrives over the bus is hostile: descriptors, files, profiles, options, ids.

use std::{fs, os::unix::fs::chown, path::Path};

use anyhow::{Result, ensure};
use isosmith_tests::{Kit, kit::set_mode};
use libtest_mimic::Trial;
use nix::fcntl::OFlag;

use super::trial;
use crate::{
    asks::{Arg, Source},
    caller::{is_one_of, refused},
    mock::Verdict,
    people::ALICE,
    world::{Request, World, folder},
};

pub fn trials(kit: &Kit) -> Vec<Trial> {
    vec![
        trial(kit, "hostile::descriptors", hostile_descriptors),
        trial(kit, "hostile::profiles", hostile_profiles),
    ]
}

/// What the helper says about each kind of descriptor. `NotAuthorised` means that it was good
/// enough to ask polkit about, which says no here.
fn hostile_descriptors(kit: &Kit) -> Result<()> {
    let world = World::mock(kit, "descriptors", Verdict::No)?;
    let small = world.small(kit, &[])?;
    let request = Request::of(&small, &small.profile("descriptors")?)?;
    let key = fs::read_to_string(small.archive.key())?;
    let alice = world.caller(ALICE)?;
    let home = world.home(ALICE)?;
    let out = world.folder_in_home(ALICE, "out")?;
    let plain = home.join("plain");
    fs::write(&plain, &key)?;
    chown(&plain, Some(ALICE.id), Some(ALICE.id))?;
    let fifo = home.join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::from_bits_truncate(0o666))?;
    set_mode(&fifo, 0o666)?;
    let secret = world.folder().join("secret");
    fs::write(&secret, "root's own")?;
    set_mode(&secret, 0o600)?;

    let read = OFlag::O_RDONLY.bits();
    let calm = OFlag::O_NONBLOCK.bits();
    let path_only = OFlag::O_PATH.bits();
    let at = |path: &Path, flags: i32| Source::Path(path.to_owned(), flags);
    let memory = |sealed| Source::Memory {
        text: key.clone(),
        sealed,
    };
    let (good, bad) = (&["NotAuthorised"][..], &["InvalidFile"][..]);
    let either = &["NotAuthorised", "InvalidFile"][..];
    let files = [
        ("a plain file", at(&plain, read), good),
        (
            "a file read to its end",
            Source::ReadToEnd(plain.clone()),
            good,
        ),
        ("memory", memory(false), good),
        ("sealed memory", memory(true), good),
        (
            "a file that can be written too",
            at(&plain, OFlag::O_RDWR.bits()),
            either,
        ),
        (
            "a file that cannot be read",
            at(&plain, OFlag::O_WRONLY.bits()),
            bad,
        ),
        ("the mere path of a file", at(&plain, path_only), bad),
        ("the mere path of root's file", at(&secret, path_only), bad),
        ("a pipe", Source::Pipe, bad),
        ("a pipe with a name", at(&fifo, read | calm), bad),
        (
            "a pipe with a name, both ends",
            at(&fifo, OFlag::O_RDWR.bits()),
            bad,
        ),
        ("a socket", Source::Socket, bad),
        ("a folder", at(&out, read), bad),
        (
            "a device without end",
            at(Path::new("/dev/zero"), read),
            bad,
        ),
        (
            "a device without anything",
            at(Path::new("/dev/null"), read),
            bad,
        ),
        (
            "a terminal device",
            at(Path::new("/dev/ptmx"), OFlag::O_RDWR.bits() | calm),
            bad,
        ),
        ("1 TiB of nothing", Source::Sparse(1 << 40), bad),
        ("1 GiB of nothing", Source::Sparse(1 << 30), bad),
        // It says that it is empty, and may be taken at its word.
        (
            "a process's memory",
            at(Path::new("/proc/self/mem"), read),
            either,
        ),
        (
            "a file of the kernel",
            at(Path::new("/proc/self/pagemap"), read),
            either,
        ),
    ];
    let mut wrong = Vec::new();
    for (what, source, names) in files {
        let mut hostile = request.clone();
        hostile.files = vec![("archive.asc".to_owned(), source)];
        let judged = refused(alice.call("Start", hostile.args(folder(&out)))?)
            .and_then(|refusal| is_one_of(&refusal, names));
        if let Err(error) = judged {
            wrong.push(format!("{what}: {error:#}"));
        }
    }
    // The same bytes are the same request, wherever the descriptor stands.
    let hashes: Vec<_> = world.polkit()?.questions()?[..4]
        .iter()
        .map(|question| question.details["spec-sha256"].clone())
        .collect();
    if hashes.iter().any(|hash| *hash != hashes[0]) {
        wrong.push(format!("the same bytes as four descriptors: {hashes:?}"));
    }

    let bad = &["InvalidOutput"][..];
    let outputs = [
        ("a folder", folder(&out), good),
        (
            "the mere path of a folder",
            at(&out, path_only | OFlag::O_DIRECTORY.bits()),
            good,
        ),
        ("a file", at(&plain, read), bad),
        ("the mere path of a file", at(&plain, path_only), bad),
        ("a pipe", Source::Pipe, bad),
        ("a socket", Source::Socket, bad),
        ("a device", at(Path::new("/dev/zero"), read), bad),
        ("memory", memory(false), bad),
        (
            "a folder of root's",
            folder(Path::new("/etc")),
            &["InvalidOutput", "NotAuthorised"],
        ),
        (
            "a folder of the kernel's",
            folder(Path::new("/proc/self")),
            &["InvalidOutput", "NotAuthorised"],
        ),
        (
            "a folder that is gone",
            Source::RemovedFolder(home.join("gone")),
            &["InvalidOutput", "NotAuthorised"],
        ),
    ];
    for (what, source, names) in outputs {
        let judged = refused(alice.call("Start", request.args(source))?)
            .and_then(|refusal| is_one_of(&refusal, names));
        if let Err(error) = judged {
            wrong.push(format!("as output, {what}: {error:#}"));
        }
    }

    let text = |text: &str| Source::Text(text.to_owned());
    /// What it is, the files, and what the refusal may be called.
    type Hostile<'a> = (&'a str, Vec<(String, Source)>, &'a [&'a str]);
    let table: [Hostile<'_>; 7] = [
        ("no file", vec![], &["InvalidFile", "InvalidSpec"]),
        (
            "another file",
            vec![("other".into(), text(&key))],
            &["InvalidFile", "InvalidSpec"],
        ),
        (
            "twice the same",
            vec![
                ("archive.asc".into(), text(&key)),
                ("archive.asc".into(), text(&key)),
            ],
            &["InvalidFile", "InvalidArgument"],
        ),
        (
            "one too many",
            vec![
                ("archive.asc".into(), text(&key)),
                ("../../etc/passwd".into(), text("x")),
            ],
            &["InvalidFile", "InvalidArgument"],
        ),
        (
            "an empty one",
            vec![("archive.asc".into(), text(""))],
            &["InvalidFile", "InvalidSpec", "NotAuthorised"],
        ),
        (
            "a huge one",
            vec![("archive.asc".into(), text(&"x".repeat(3 << 20)))],
            &["InvalidFile"],
        ),
        (
            "names with everything",
            vec![("archive.asc\n\u{202e}".into(), text(&key))],
            &["InvalidFile", "InvalidArgument", "InvalidSpec"],
        ),
    ];
    for (what, files, names) in table {
        let mut hostile = request.clone();
        hostile.files = files;
        let judged = refused(alice.call("Start", hostile.args(folder(&out)))?)
            .and_then(|refusal| is_one_of(&refusal, names));
        if let Err(error) = judged {
            wrong.push(format!("files, {what}: {error:#}"));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    ensure!(alice.list(false)?.is_empty(), "there is a build");
    drop(alice);
    world.end()
}

/// Profiles and arguments that no person would write.
fn hostile_profiles(kit: &Kit) -> Result<()> {
    let world = World::mock(kit, "profiles", Verdict::No)?;
    let small = world.small(kit, &[])?;
    let request = Request::of(&small, &small.profile("profiles")?)?;
    let alice = world.caller(ALICE)?;
    let out = world.folder_in_home(ALICE, "out")?;
    let honest = &request.spec;
    let of_size = |size: usize| {
        let comment = "#".repeat(size - honest.len() - 1);
        format!("{honest}\n{comment}")
    };
    let mib = 1 << 20;
    let specs = [
        ("nothing", String::new(), "InvalidSpec"),
        ("no TOML", "<html>".to_owned(), "InvalidSpec"),
        ("1 MiB", of_size(mib), "NotAuthorised"),
        ("1 MiB and a byte", of_size(mib + 1), "InvalidSpec"),
        ("8 MiB", of_size(8 * mib), "InvalidSpec"),
        (
            "10,000 arrays in each other",
            format!("x = {}{}", "[".repeat(10_000), "]".repeat(10_000)),
            "InvalidSpec",
        ),
        (
            "10,000 tables in each other",
            format!("{}y = 1", "x.".repeat(10_000)),
            "InvalidSpec",
        ),
        (
            "an unknown field",
            format!("{honest}\n[evil]\nyes = true\n"),
            "InvalidSpec",
        ),
        (
            "an option for apt",
            honest.replace("packages = [", "packages = [\"-oDebug=1\", "),
            "InvalidSpec",
        ),
        (
            "a password that would be asked for",
            honest.replace("[users.live]", "[users.live]\npassword = \"prompt\""),
            "InvalidSpec",
        ),
    ];
    let mut wrong = Vec::new();
    for (what, spec, name) in specs {
        let hostile = Request {
            spec,
            ..request.clone()
        };
        let judged = refused(alice.call("Start", hostile.args(folder(&out)))?)
            .and_then(|refusal| is_one_of(&refusal, &[name]));
        if let Err(error) = judged {
            wrong.push(format!("{what}: {error:#}"));
        }
    }
    let option = |name: &str, value: Arg| vec![(name.to_owned(), value)];
    let text = |text: &str| Arg::Text(text.to_owned());
    let options = [
        (
            "unknown",
            option("root", Arg::Bool(true)),
            "InvalidArgument",
        ),
        (
            "of another type",
            option("strict", text("yes")),
            "InvalidArgument",
        ),
        (
            "another writer",
            option("squashfs-writer", text("/bin/sh")),
            "InvalidArgument",
        ),
        (
            "a descriptor",
            option("strict", Arg::Descriptor(folder(&out))),
            "InvalidArgument",
        ),
        ("strict", option("strict", Arg::Bool(true)), "NotAuthorised"),
        (
            "the other writer",
            option("squashfs-writer", text("mksquashfs")),
            "NotAuthorised",
        ),
        (
            "explained",
            option("explain-cache", Arg::Bool(true)),
            "NotAuthorised",
        ),
    ];
    for (what, options, name) in options {
        let hostile = Request {
            options,
            ..request.clone()
        };
        let judged = refused(alice.call("Start", hostile.args(folder(&out)))?)
            .and_then(|refusal| is_one_of(&refusal, &[name]));
        if let Err(error) = judged {
            wrong.push(format!("option, {what}: {error:#}"));
        }
    }
    for id in [
        "",
        "..",
        "../../etc",
        "a/b",
        "-",
        "x\ny",
        &"x".repeat(70_000),
        "\u{202e}",
    ] {
        let judged = refused(alice.call("Describe", vec![text(id)])?)
            .and_then(|refusal| is_one_of(&refusal, &["NoSuchBuild", "InvalidArgument"]));
        if let Err(error) = judged {
            wrong.push(format!("id {:?}: {error:#}", id.get(..20).unwrap_or(id)));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    drop(alice);
    world.end()
}
