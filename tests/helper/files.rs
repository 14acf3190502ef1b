//! What is handed over: hostile descriptors, files that change after the question, calls in
//! the wrong state, folders of others.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt, PermissionsExt, chown, symlink},
        process::CommandExt,
    },
    process::Command,
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
        trial(kit, "files::changed_after_the_question", changed),
        trial(kit, "files::in_the_wrong_state", wrong_state),
        trial(kit, "files::folders_of_others", folders_of_others),
        trial(
            kit,
            "files::more_than_a_bus_carries",
            more_than_a_bus_carries,
        ),
    ]
}

/// Scripts and a folder, more than a message bus carries descriptors in a message, by the command
/// line of somebody without rights.
fn more_than_a_bus_carries(kit: &Kit) -> Result<()> {
    const SCRIPTS: usize = 40;
    let world = World::real(kit, "many")?;
    let small = world.small(kit, &[])?;
    let home = world.home(ALICE)?;
    let out = world.folder_in_home(ALICE, "out")?;
    fs::create_dir_all(home.join("over"))?;
    fs::write(home.join("over/mark"), "of the folder\n")?;
    let mut more = "[[files]]\nsource = \"over\"\ntarget = \"/etc\"\n".to_owned();
    for number in 0..SCRIPTS {
        let name = format!("say-{number}.sh");
        fs::write(
            home.join(&name),
            format!("#!/bin/sh\necho {number} >>/etc/said\n"),
        )?;
        more += &format!("[[scripts]]\npoint = \"after-packages\"\nsource = \"{name}\"\n");
    }
    // Seen in the tree by the last script, as the image would hold it.
    let last = format!(
        "#!/bin/sh\nset -e\n[ $(wc -l </etc/said) = {SCRIPTS} ]\n[ \"$(cat /etc/mark)\" = 'of the folder' ]\necho all of them are here\n"
    );
    fs::write(home.join("last.sh"), last)?;
    more += "[[scripts]]\npoint = \"before-image\"\nsource = \"last.sh\"\n";
    let profile = home.join("many.toml");
    fs::copy(small.profile_with("many", "", &[], &more)?, &profile)?;
    fs::copy(small.archive.key(), home.join("archive.asc"))?;

    let built = Command::new(&kit.program)
        .args(["build", "--service", "--output"])
        .arg(&out)
        .arg(&profile)
        .env_clear()
        .env("HOME", &home)
        .env("PATH", "/usr/bin:/bin")
        .env("DBUS_SYSTEM_BUS_ADDRESS", world.bus.address())
        .current_dir(&home)
        .uid(ALICE.id)
        .gid(ALICE.id)
        .output()?;
    let said = String::from_utf8_lossy(&built.stderr);
    ensure!(built.status.success(), "{}: {said}", built.status);
    let alice = world.caller(ALICE)?;
    let builds = alice.list(false)?;
    let (id, _) = builds.first().context("no build")?;
    let heard = alice.events(id, 0)?;
    succeeded(&heard)?;
    let spoke = heard.iter().any(|event| {
        matches!(&event.kind, EventKind::Log { line, .. } if line.contains("all of them are here"))
    });
    ensure!(spoke, "the last script was not heard");
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
