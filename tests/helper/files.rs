//! What is handed over: hostile descriptors, files that change after the question, calls in
//! the wrong state, folders of others.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink},
    path::Path,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use isosmith_protocol::EventKind;
use isosmith_tests::{Kit, bus::folder_of, kit::set_mode};
use libtest_mimic::Trial;
use nix::fcntl::OFlag;

use super::trial;
use crate::{
    asks::{Arg, Ask, Source},
    caller::{NEVER_HANGS, call, done, is_one_of, refused},
    mock::Verdict,
    people::{ALICE, BOB},
    world::{Request, World, folder, succeeded},
};

pub fn trials(kit: &Kit) -> Vec<Trial> {
    vec![
        trial(kit, "files::hostile_descriptors", hostile_descriptors),
        trial(kit, "files::hostile_profiles", hostile_profiles),
        trial(kit, "files::changed_after_the_question", changed),
        trial(kit, "files::in_the_wrong_state", wrong_state),
        trial(kit, "files::folders_of_others", folders_of_others),
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

const SAYS_HONEST: &str = "#!/bin/sh\necho the honest script\n";
const SAYS_EVIL: &str = "#!/bin/sh\necho the evil script\n";

/// P6: what polkit was asked about is what is built, whatever happens to the files while the
/// person thinks.
fn changed(kit: &Kit) -> Result<()> {
    let world = World::mock(kit, "changed", Verdict::Silence)?;
    let small = world.small(kit, &[])?;
    let more = "[[scripts]]\npoint = \"before-image\"\nsource = \"say.sh\"\n";
    let profile = small.profile_with("changed", "", &[], more)?;
    let home = world.home(ALICE)?;
    let out = world.folder_in_home(ALICE, "out")?;
    let script = home.join("say.sh");
    fs::write(&script, SAYS_HONEST)?;
    chown(&script, Some(ALICE.id), Some(ALICE.id))?;
    let source = Source::Path(script.clone(), OFlag::O_RDONLY.bits());
    let request = Request::of(&small, &profile)?.file("say.sh", source);
    let alice = world.caller(ALICE)?;
    let polkit = world.polkit()?;

    let first = alice.begin(call("Start", request.args(folder(&out))))?;
    polkit.asked(1)?;
    // In place, so that the descriptor leads to the new bytes, and under the same name.
    fs::write(&script, SAYS_EVIL)?;
    fs::write(home.join("new"), SAYS_EVIL)?;
    fs::rename(home.join("new"), &script)?;
    // A second request of the same caller, while the first waits.
    let second = alice.begin(call("Start", request.args(folder(&out))))?;
    let questions = polkit.asked(2)?;
    let hash = |number: usize| &questions[number].details["spec-sha256"];
    ensure!(hash(0) != hash(1), "two scripts, one hash");
    ensure!(!first.is_answered(), "it did not wait for polkit");
    polkit.settle(&questions[1], Verdict::No)?;
    is_one_of(&refused(second.within(NEVER_HANGS)?)?, &["NotAuthorised"])?;
    ensure!(!first.is_answered(), "one's no was the other's answer");
    polkit.settle(&questions[0], Verdict::Yes)?;
    let id = done(first.within(NEVER_HANGS)?)?;
    let id = id.as_str().context("no id")?;

    let events = alice.events(id, 0)?;
    succeeded(&events)?;
    let about = alice.describe(id)?;
    ensure!(
        about["spec-sha256"] == hash(0).as_str(),
        "authorised {}, built {}",
        hash(0),
        about["spec-sha256"]
    );
    let said = |words: &str| {
        events
            .iter()
            .any(|event| matches!(&event.kind, EventKind::Log { line, .. } if line.contains(words)))
    };
    ensure!(said("the honest script"), "the script did not run");
    ensure!(!said("the evil script"), "another script ran");
    drop(alice);
    world.end()
}

/// P6: a build goes one way only.
fn wrong_state(kit: &Kit) -> Result<()> {
    let world = World::real(kit, "states")?;
    let slow = isosmith_tests::made::Made::new("slow", "1").file(
        "/usr/share/slow",
        &"slow\n".repeat(4000),
        0o644,
    );
    let small = world.small(kit, &[slow])?;
    small
        .server
        .fault("/pool/slow_", isosmith_tests::Fault::Stall(100));
    let request = Request::of(&small, &small.profile_with("states", "", &["slow"], "")?)?;
    let alice = world.caller(ALICE)?;
    let out = world.folder_in_home(ALICE, "out")?;
    let text = |text: &str| Arg::Text(text.to_owned());
    let id = request.start(&alice, &out)?;
    alice.await_state(&id, "running")?;
    let check = |method: &str, more: Vec<Arg>, names: &[&str]| -> Result<()> {
        let mut args = vec![text(&id)];
        args.extend(more);
        let refusal = alice.refused(method, args)?;
        is_one_of(&refusal, names).with_context(|| method.to_owned())
    };
    let output = || vec![Arg::Descriptor(folder(&out))];
    let answer = |number, choice: &str| vec![Arg::U32(number), text(choice)];
    check("Resume", output(), &["WrongState"]).context("while it runs")?;
    check("Answer", answer(1, "retry"), &["WrongState"]).context("without a question")?;
    check("Answer", answer(1, "explode"), &["InvalidArgument"])?;
    small.server.heal();
    succeeded(&alice.events(&id, 0)?)?;
    check("Resume", output(), &["WrongState"]).context("after success")?;
    check("Cancel", vec![], &["WrongState"]).context("after success")?;
    check("Answer", answer(1, "retry"), &["WrongState"]).context("after success")?;
    let clean = vec![text("the machine"), Arg::Bool(true)];
    is_one_of(
        &world
            .caller(crate::people::GRACE)?
            .refused("Clean", clean)?,
        &["InvalidArgument"],
    )?;
    drop(alice);
    world.end()
}

/// P10: nobody but root gets at the helper's folders, and the helper takes no folder that
/// somebody else has made.
fn folders_of_others(kit: &Kit) -> Result<()> {
    let mut world = World::mock(kit, "folders", Verdict::Yes)?;
    let small = world.small(kit, &[])?;
    let request = Request::of(&small, &small.profile("folders")?)?;
    let alice = world.caller(ALICE)?;
    request.build(&alice, &world.folder_in_home(ALICE, "out")?)?;
    for top in [&world.state, &world.cache] {
        let meta = fs::metadata(top)?;
        ensure!(
            meta.mode() & 0o077 == 0,
            "{} is {:o}",
            top.display(),
            meta.mode()
        );
    }
    ensure!(
        fs::metadata(&world.state)?.uid() == 0,
        "the state is not root's"
    );

    let folders = vec![
        world.state.clone(),
        world.state.join("builds"),
        world.state.join("incoming"),
        world.state.join("work"),
        world.cache.clone(),
        world.cache.join("work"),
    ];
    let bob = world.caller(BOB)?;
    for caller in [&alice, &bob] {
        let could = done(caller.ask(Ask::Trespass {
            folders: folders.clone(),
        })?)?;
        ensure!(could == serde_json::json!([]), "could {could}");
    }
    drop((alice, bob));
    world.stop()?;

    // Made before the helper came.
    let place = world.folder().join("elsewhere");
    fs::create_dir(&place)?;
    fs::set_permissions(&place, fs::Permissions::from_mode(0o1777))?;
    let theirs = folder_of(BOB, &place.join("theirs"))?;
    fs::write(theirs.join("planted"), "by Bob")?;
    let open = place.join("open");
    fs::create_dir(&open)?;
    set_mode(&open, 0o777)?;
    let link = place.join("link");
    symlink(&theirs, &link)?;
    let file = place.join("file");
    fs::write(&file, "")?;
    for (what, state) in [
        ("somebody else's folder", &theirs),
        ("a folder that anybody may write to", &open),
        ("a link to somebody else's folder", &link),
        ("a file", &file),
    ] {
        let mut service = world.spawn(state, &[])?;
        let status = service
            .end_within(Duration::from_secs(20))
            .with_context(|| format!("with {what} as its state, the service works"))?;
        ensure!(!status.success(), "{what} was fine");
    }
    let names: Vec<_> = fs::read_dir(&theirs)?
        .filter_map(Result::ok)
        .map(|entry| entry.file_name())
        .collect();
    ensure!(names == ["planted"], "something was written: {names:?}");
    world.end()
}
