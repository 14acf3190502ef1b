//! Everything that polkit can do but say yes.

use std::{thread, time::Duration};

use anyhow::{Context, Result, ensure};
use isosmith_tests::{
    Kit,
    bus::{POLKIT, Person},
};
use libtest_mimic::Trial;

use super::trial;
use crate::{
    asks::{Arg, Ask},
    caller::{Caller, NEVER_HANGS, call, done, is_one_of, refused},
    mock::{Mock, Verdict},
    people::{ALICE, BOB, ERIN, GRACE},
    world::{Polkit, Request, World, folder},
};

pub fn trials(kit: &Kit) -> Vec<Trial> {
    vec![
        trial(kit, "refusals::dismissed", dismissed),
        trial(kit, "refusals::anything_but_yes_is_no", anything_but_yes),
    ]
}

/// A prompt that was closed is told apart from a right that is missing.
fn dismissed(kit: &Kit) -> Result<()> {
    let world = World::mock(kit, "dismissed", Verdict::Dismissed)?;
    let small = world.small(kit, &[])?;
    let request = Request::of(&small, &small.profile("dismissed")?)?;
    let alice = world.caller(ALICE)?;
    let out = world.folder_in_home(ALICE, "out")?;
    let refusal = alice.refused("Start", request.args(folder(&out)))?;
    is_one_of(&refusal, &["Dismissed"])?;
    ensure!(alice.list(false)?.is_empty(), "there is a build");
    world.polkit()?.says(Verdict::No);
    let refusal = alice.refused("Start", request.args(folder(&out)))?;
    is_one_of(&refusal, &["NotAuthorised"])?;
    drop(alice);
    world.end()
}

/// P4: polkit absent, at a loss, crashing, talking nonsense or silent until the caller is
/// gone: refused, 200 times of 200.
fn anything_but_yes(kit: &Kit) -> Result<()> {
    let mut world = World::mock(kit, "refusals", Verdict::No)?;
    let small = world.small(kit, &[])?;
    let request = Request::of(&small, &small.profile("refusals")?)?;
    let start = |world: &World, person: Person| -> Result<Ask> {
        let out = world.folder_in_home(person, "out")?;
        Ok(call("Start", request.args(folder(&out))))
    };
    let mut tries = 0;
    let callers: Vec<Caller> = [ALICE, BOB, ERIN]
        .into_iter()
        .map(|person| world.caller(person))
        .collect::<Result<_>>()?;
    let turn = |tries: usize| &callers[tries % callers.len()];
    for (verdict, times) in [
        (Verdict::No, 20),
        (Verdict::Challenge, 20),
        (Verdict::Failure, 30),
        (Verdict::Nonsense, 30),
        (Verdict::Crash, 30),
    ] {
        for _ in 0..times {
            if verdict == Verdict::Crash {
                world.polkit = Polkit::Nobody;
                let mock = Mock::start(&world.bus, verdict)?;
                world.polkit = Polkit::Mock(mock);
            }
            world.polkit()?.says(verdict);
            let caller = turn(tries);
            let reply = caller.ask(start(&world, caller.person)?)?;
            let refusal = refused(reply).with_context(|| format!("{verdict:?}"))?;
            is_one_of(&refusal, &["NotAuthorised"]).with_context(|| format!("{verdict:?}"))?;
            tries += 1;
        }
    }
    world.polkit = Polkit::Nobody;
    world.bus.await_name(POLKIT, false)?;
    for _ in 0..30 {
        let caller = turn(tries);
        let refusal = refused(caller.ask(start(&world, caller.person)?)?).context("absent")?;
        is_one_of(&refusal, &["NotAuthorised"]).context("absent")?;
        tries += 1;
    }
    let mock = Mock::start(&world.bus, Verdict::Silence)?;
    world.polkit = Polkit::Mock(mock);
    let polkit = world.polkit()?;
    for number in 0..40 {
        let person = [ALICE, BOB, ERIN][number % 3];
        let caller = world.caller(person)?;
        let pending = caller.begin(start(&world, person)?)?;
        let questions = polkit.asked(number + 1)?;
        // While one waits, others are served.
        turn(tries).done("Version", vec![])?;
        ensure!(!pending.is_answered(), "it was answered without polkit");
        caller.kill();
        // The yes is for somebody whom the bus no longer knows.
        // The prompt of somebody who is gone goes too; polkit would show it for ever.
        for _ in 0..600 {
            if polkit.is_withdrawn(&questions[number]) {
                break;
            }
            thread::sleep(Duration::from_millis(100));
        }
        ensure!(
            polkit.is_withdrawn(&questions[number]),
            "the prompt of a caller that is gone stays"
        );
        polkit.settle(&questions[number], Verdict::Yes)?;
        tries += 1;
    }
    ensure!(tries == 200, "{tries} tries");
    polkit.says(Verdict::Yes);
    let grace = world.caller(GRACE)?;
    let builds = grace.list(true)?;
    ensure!(
        builds.is_empty(),
        "builds of callers that were refused or had vanished: {builds:?}"
    );
    // And a yes is a yes again.
    let alice = &callers[0];
    let id = done(alice.begin(start(&world, ALICE)?)?.within(NEVER_HANGS)?)?;
    let id = id.as_str().context("no id")?.to_owned();
    alice.done("Cancel", vec![Arg::Text(id)])?;
    drop((callers, grace));
    world.end()
}
