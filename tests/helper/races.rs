//! P9: names that change while they are used. The helper gets descriptors, so there is
//! nothing to win; these tests would see it if it ever opened a name again.

use std::{
    env, fs,
    os::unix::fs::{MetadataExt, chown, symlink},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use isosmith_protocol::BuildResult;
use isosmith_tests::{Kit, kit::set_mode};
use libtest_mimic::Trial;
use nix::{sys::stat::Mode, unistd::mkfifo};

use super::trial;
use crate::{
    asks::{Ask, Race, Raced},
    caller::{Caller, LONG, Pending, done},
    mock::Verdict,
    people::{ALICE, BOB, CAROL, DAVE, ERIN, PEOPLE},
    world::{Request, World, ending},
};

pub fn trials(kit: &Kit) -> Vec<Trial> {
    vec![
        trial(kit, "races::for_what_is_read", for_what_is_read),
        trial(kit, "races::for_what_is_written", for_what_is_written),
    ]
}

const SECRET: &str = "only for root: 0b5a8f";

/// Calls while files, folders, links, pipes and devices take each other's names.
fn for_what_is_read(kit: &Kit) -> Result<()> {
    let times: u32 = env::var("ISOSMITH_RACES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(if env::var_os("ISOSMITH_FULL").is_some() {
            10_000
        } else {
            2_000
        });
    let world = World::mock(kit, "races", Verdict::No)?;
    let small = world.small(kit, &[])?;
    let request = Request::of(&small, &small.profile("races")?)?;
    let key = fs::read_to_string(small.archive.key())?;
    let secret = world.folder().join("secret");
    fs::write(&secret, SECRET)?;
    set_mode(&secret, 0o600)?;

    // Several people at once: each may call twenty times a second.
    let racers = [ALICE, BOB, CAROL, DAVE, ERIN];
    let mut running: Vec<(Caller, Pending)> = Vec::new();
    for person in racers {
        let home = world.home(person)?;
        let own = |path: &Path| chown(path, Some(person.id), Some(person.id));
        let honest = home.join("archive.asc");
        fs::write(&honest, &key)?;
        let output = home.join("out");
        fs::create_dir(&output)?;
        let others = traps(&home, &secret)?;
        let steady = (home.join("steady"), home.join("steady-out"));
        fs::copy(&honest, &steady.0)?;
        fs::create_dir(&steady.1)?;
        for path in [&honest, &output, &steady.0, &steady.1] {
            own(path)?;
        }
        let caller = world.caller(person)?;
        let race = Race {
            times: times / u32::try_from(racers.len())?,
            spec: request.spec.clone(),
            name: "archive.asc".to_owned(),
            others,
            honest,
            output,
            steady,
        };
        let pending = caller.begin(Ask::Race(race))?;
        running.push((caller, pending));
    }
    let mut all = Raced::default();
    for (_, pending) in &running {
        let value = done(pending.within(LONG * 6)?)?;
        let raced: Raced = serde_json::from_value(value)?;
        all.honest += raced.honest;
        all.other += raced.other;
        all.exchanges += raced.exchanges;
        all.wrong.extend(raced.wrong);
    }
    eprintln!(
        "{} honest calls, {} others, {} exchanges",
        all.honest, all.other, all.exchanges
    );
    ensure!(
        all.wrong.is_empty(),
        "{} wrong: {}",
        all.wrong.len(),
        all.wrong[..all.wrong.len().min(5)].join("\n")
    );
    ensure!(all.honest + all.other >= times, "{all:?}");
    // The race was one: both sides had their turns.
    ensure!(all.honest > times / 50 && all.other > times / 50, "{all:?}");
    ensure!(all.exchanges > u64::from(times), "{all:?}");
    let asked = world.polkit()?.questions()?.len();
    ensure!(
        asked == usize::try_from(all.honest)?,
        "{asked} questions, {} honest calls",
        all.honest
    );
    drop(running);
    world.end()
}

/// What the honest file and folder change places with.
fn traps(home: &Path, secret: &Path) -> Result<Vec<PathBuf>> {
    let at = |name: &str| home.join(name);
    symlink(secret, at("link"))?;
    fs::hard_link(secret, at("hard-link"))?;
    mkfifo(&at("fifo"), Mode::from_bits_truncate(0o666))?;
    set_mode(&at("fifo"), 0o666)?;
    symlink("/dev/zero", at("device"))?;
    fs::create_dir(at("folder"))?;
    symlink("/etc", at("link-to-folder"))?;
    let names = [
        "link",
        "hard-link",
        "fifo",
        "device",
        "folder",
        "link-to-folder",
    ];
    Ok(names.iter().map(|name| at(name)).collect())
}

/// An ISO on its way into a folder whose name, and whose own name in it, change places with
/// traps all the time: nothing is written anywhere else, and nobody hangs.
fn for_what_is_written(kit: &Kit) -> Result<()> {
    let world = World::real(kit, "delivery")?;
    let small = world.small(kit, &[])?;
    let request = Request::of(&small, &small.profile("delivery")?)?;
    let alice = world.caller(ALICE)?;
    let home = world.home(ALICE)?;
    let vault = world.folder().join("vault");
    fs::create_dir(&vault)?;
    let victim = vault.join("victim");
    fs::write(&victim, SECRET)?;
    set_mode(&victim, 0o644)?;
    let untouched = fs::metadata(&victim)?;
    let own = |path: &Path| chown(path, Some(ALICE.id), Some(ALICE.id));

    // The first build, undisturbed, tells the names that will come.
    let first = world.folder_in_home(ALICE, "first")?;
    request.build(&alice, &first)?;
    let names: Vec<_> = fs::read_dir(&first)?
        .filter_map(Result::ok)
        .map(|entry| entry.file_name())
        .collect();
    ensure!(!names.is_empty(), "nothing came");

    let mut exchanges = 0;
    let plants: [fn(&Path, &Path) -> std::io::Result<()>; 4] = [
        |victim, at| symlink(victim, at),
        |victim, at| fs::hard_link(victim, at),
        |_, at| mkfifo(at, Mode::from_bits_truncate(0o666)).map_err(std::io::Error::from),
        |_, at| fs::create_dir(at),
    ];
    for (round, plant) in plants.iter().enumerate() {
        let out = world.folder_in_home(ALICE, &format!("out-{round}"))?;
        let trap = home.join(format!("trap-{round}"));
        symlink(&vault, &trap)?;
        for name in &names {
            plant(&victim, &out.join(name))?;
        }
        own(&home)?;
        let racer = world.caller(ALICE)?;
        done(racer.ask(Ask::Exchange {
            one: out.clone(),
            other: trap.clone(),
        })?)?;
        // The name leads to either; whichever it was, the descriptor is one folder.
        let id = loop {
            if let Ok(id) = request.start(&alice, &out) {
                break id;
            }
        };
        let events = alice.events(&id, 0)?;
        let count = done(racer.ask(Ask::StopExchanging)?)?;
        exchanges += count.as_u64().context("no count")?;
        let result = ending(&events)?;
        ensure!(
            matches!(
                result,
                BuildResult::Succeeded { .. } | BuildResult::Failed { .. }
            ),
            "round {round}: {result:?}"
        );
        let inside: Vec<_> = fs::read_dir(&vault)?
            .filter_map(Result::ok)
            .map(|entry| entry.file_name())
            .collect();
        ensure!(inside == ["victim"], "round {round}: written: {inside:?}");
        let now = fs::metadata(&victim)?;
        ensure!(
            fs::read_to_string(&victim)? == SECRET
                && (now.uid(), now.gid(), now.mode(), now.ino())
                    == (
                        untouched.uid(),
                        untouched.gid(),
                        untouched.mode(),
                        untouched.ino()
                    ),
            "round {round}: root's file was changed"
        );
    }
    eprintln!("{exchanges} exchanges during {} deliveries", plants.len());
    ensure!(exchanges > 2_000, "only {exchanges} exchanges");
    for person in PEOPLE {
        ensure!(
            *person == ALICE || !world.folder().join("home").join(person.name).exists(),
            "something came to {}",
            person.name
        );
    }
    drop(alice);
    world.end()
}
