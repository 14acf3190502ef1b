//! Whoever watches: from anywhere in the stream, in any number, at any speed, and none of them
//! is felt by the build or by the others.

use std::{fs, time::Duration};

use anyhow::{Context, Result, ensure};
use isosmith_protocol::Event;
use isosmith_tests::Kit;
use libtest_mimic::Trial;

use super::trial;
use crate::{
    asks::Ask,
    builds::with_slow_package,
    caller::{LONG, done},
    people::ALICE,
    world::{Request, World, succeeded},
};

pub fn trials(kit: &Kit) -> Vec<Trial> {
    vec![
        trial(kit, "viewers::from_any_number", from_any_number),
        trial(kit, "viewers::a_thousand", a_thousand),
    ]
}

/// Numbers go up, and nothing but what may be thinned is missing.
fn sound(events: &[Event]) -> Result<()> {
    for pair in events.windows(2) {
        ensure!(
            pair[0].seq < pair[1].seq,
            "{} comes after {}",
            pair[1].seq,
            pair[0].seq
        );
    }
    Ok(())
}

/// The events that may not be lost.
fn kept(events: &[Event]) -> Vec<&Event> {
    let kept = events.iter().filter(|event| !event.kind.is_lossy());
    kept.collect()
}

fn from_any_number(kit: &Kit) -> Result<()> {
    let world = World::real(kit, "numbers")?;
    let small = world.small(kit, &[])?;
    let request = Request::of(&small, &small.profile("numbers")?)?;
    let alice = world.caller(ALICE)?;
    let out = world.folder_in_home(ALICE, "out")?;
    // One that is there from the beginning, and what is written afterwards.
    let (id, live) = request.build(&alice, &out)?;
    let all = alice.events(&id, 0)?;
    sound(&live)?;
    sound(&all)?;
    ensure!(all.first().is_some_and(|event| event.seq == 0));
    // Whatever all viewers miss alike is in the journal.
    let journal = world.state.join("builds").join(&id).join("journal.jsonl");
    let written: Vec<Event> = fs::read_to_string(journal)?
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    ensure!(
        kept(&all) == kept(&written),
        "{} events were told, {} are in the journal",
        kept(&all).len(),
        kept(&written).len()
    );
    ensure!(
        kept(&live) == kept(&all),
        "what was told while it ran is not what was written"
    );
    let last = all.last().context("no events")?.seq;
    let steps = usize::try_from(last / 40 + 1)?;
    for from in (0..=last).step_by(steps).chain([last, last + 1, u64::MAX]) {
        let seen = alice.events(&id, from)?;
        let want: Vec<Event> = all
            .iter()
            .filter(|event| event.seq >= from)
            .cloned()
            .collect();
        ensure!(
            kept(&seen) == kept(&want),
            "from {from}: {} events",
            seen.len()
        );
    }
    drop(alice);
    world.end()
}

fn a_thousand(kit: &Kit) -> Result<()> {
    let mut world = World::real(kit, "thousand")?;
    let small = with_slow_package(&world, kit)?;
    // Far more lines than a pipe holds.
    let more = "[[scripts]]\npoint = \"before-image\"\nsource = \"talk.sh\"\n";
    let talk = "#!/bin/sh\nfor i in $(seq 20000); do echo \"line $i of very many\"; done\n";
    let profile = small.profile_with("thousand", "", &["slow"], more)?;
    let request =
        Request::of(&small, &profile)?.file("talk.sh", crate::asks::Source::Text(talk.to_owned()));
    let alice = world.caller(ALICE)?;
    let id = request.start(&alice, &world.folder_in_home(ALICE, "out")?)?;
    alice.await_state(&id, "running")?;

    let attentive = alice.attach(&id, 0)?;
    let deaf = alice.attach(&id, 0)?;
    let service = world.service()?.id();
    let open = || -> Result<(usize, usize)> {
        let count =
            |what: &str| fs::read_dir(format!("/proc/{service}/{what}")).map(Iterator::count);
        Ok((count("fd")?, count("task")?))
    };
    let before = open()?;
    let churn = alice.begin(Ask::Churn {
        id: id.clone(),
        times: 1_000,
    })?;
    ensure!(done(churn.within(LONG)?)? == 1_000);
    // Those that left are noticed when there is something to tell them.
    small.server.heal();
    let (events, over) = alice.hear(attentive, LONG)?;
    ensure!(over, "its stream did not end");
    succeeded(&events)?;
    sound(&events)?;
    let all = alice.events(&id, 0)?;
    ensure!(
        kept(&events) == kept(&all),
        "{} events were told, {} written",
        kept(&events).len(),
        kept(&all).len()
    );
    ensure!(all.len() > 20_000, "the script did not talk");

    // The deaf one is still there, and gets everything once it listens.
    let (late, over) = alice.hear(deaf, LONG)?;
    ensure!(over, "the late listener's stream did not end");
    ensure!(
        kept(&late) == kept(&all),
        "the late listener lost something"
    );
    alice.ask(Ask::Leave { viewer: attentive })?;
    alice.ask(Ask::Leave { viewer: deaf })?;
    let mut after = open()?;
    for _ in 0..100 {
        if after.0 <= before.0 && after.1 <= before.1 {
            break;
        }
        std::thread::sleep(Duration::from_millis(200));
        after = open()?;
    }
    ensure!(
        after.0 <= before.0 && after.1 <= before.1,
        "descriptors and threads: {before:?} before, {after:?} after a thousand viewers"
    );
    drop(alice);
    world.end()
}
