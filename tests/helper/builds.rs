//! Builds through the service: queue, cancel, resume, questions, idle time.

use std::{
    collections::BTreeSet,
    env, fs, thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use isosmith_protocol::{BuildResult, EventKind};
use isosmith_tests::{
    Fault, Kit, Small,
    kit::{sha256, workspace},
    made::Made,
    same_iso,
};
use libtest_mimic::Trial;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::trial;
use crate::{
    asks::{Arg, Ask},
    caller::{Caller, LONG, NEVER_HANGS, done, is_one_of},
    client::HELPER,
    kills::child_of,
    people::{ALICE, BOB, GRACE},
    world::{Request, World, ending, folder, succeeded},
};

pub fn trials(kit: &Kit) -> Vec<Trial> {
    vec![
        trial(kit, "builds::queue", queue),
        trial(kit, "builds::cancelled_and_resumed", cancelled_and_resumed),
        trial(kit, "builds::that_does_not_listen", does_not_listen),
        trial(kit, "builds::asks", asks),
        trial(
            kit,
            "builds::a_delivery_that_stands_still",
            delivery_that_stands_still,
        ),
        trial(
            kit,
            "builds::a_delivery_can_be_cancelled",
            delivery_can_be_cancelled,
        ),
        trial(kit, "builds::too_many_calls", too_many_calls),
        trial(kit, "builds::leaves_when_idle", leaves_when_idle),
        trial(kit, "builds::minimal_from_the_real_mirror", minimal)
            .with_ignored_flag(env::var_os("ISOSMITH_FULL").is_none()),
    ]
}

fn id_of(id: &str) -> Vec<Arg> {
    vec![Arg::Text(id.to_owned())]
}

/// A system with a package that comes only when the test lets it.
pub fn with_slow_package(world: &World, kit: &Kit) -> Result<Small> {
    let slow = Made::new("slow", "1").file("/usr/share/slow", &"slow\n".repeat(4000), 0o644);
    let small = world.small(kit, &[slow])?;
    small.server.fault("/pool/slow_", Fault::Stall(100));
    Ok(small)
}

/// One build runs; eight of a person wait, and no ninth; others may wait too; each gets its
/// turn, and whoever is stopped while waiting never begins.
fn queue(kit: &Kit) -> Result<()> {
    let world = World::real(kit, "queue")?;
    let small = with_slow_package(&world, kit)?;
    let request = Request::of(&small, &small.profile_with("queue", "", &["slow"], "")?)?;
    let (alice, bob) = (world.caller(ALICE)?, world.caller(BOB)?);
    let out = world.folder_in_home(ALICE, "out")?;
    let running = request.start(&alice, &out)?;
    alice.await_state(&running, "running")?;
    let waiting: Vec<String> = (0..8)
        .map(|_| request.start(&alice, &out))
        .collect::<Result<_>>()?;
    let distinct: BTreeSet<_> = waiting.iter().chain([&running]).collect();
    ensure!(distinct.len() == 9, "two builds share an id: {waiting:?}");
    let ninth = alice.refused("Start", request.args(folder(&out)))?;
    is_one_of(&ninth, &["QueueFull"])?;
    for id in &waiting {
        ensure!(alice.state(id)? == "queued");
    }
    let bobs = request.start(&bob, &world.folder_in_home(BOB, "out")?)?;
    ensure!(bob.state(&bobs)? == "queued");

    // Attached before it begins.
    let viewer = alice.attach(&waiting[0], 0)?;
    let (events, over) = alice.hear(viewer, Duration::from_millis(500))?;
    ensure!(
        events.is_empty() && !over,
        "a waiting build says {events:?}"
    );
    for id in &waiting[1..] {
        alice.done("Cancel", id_of(id))?;
        ensure!(alice.state(id)? == "cancelled", "{id} is not");
        let events = alice.events(id, 0)?;
        ensure!(ending(&events)? == &BuildResult::Cancelled, "{events:?}");
    }
    let freed = request.start(&alice, &out)?;
    alice.done("Cancel", id_of(&freed))?;

    small.server.heal();
    succeeded(&alice.events(&running, 0)?)?;
    let (events, over) = alice.hear(viewer, LONG)?;
    ensure!(over, "the second build did not end");
    succeeded(&events)?;
    succeeded(&bob.events(&bobs, 0)?)?;
    drop((alice, bob));
    world.end()
}

/// Stopped in the middle, gone on with into another folder, the same ISO.
fn cancelled_and_resumed(kit: &Kit) -> Result<()> {
    let mut world = World::real(kit, "cancelled")?;
    let small = world.small(kit, &[])?;
    let request = Request::of(&small, &small.profile("cancelled")?)?;
    let alice = world.caller(ALICE)?;
    let reference = world.folder_in_home(ALICE, "undisturbed")?;
    let (_, events) = request.build(&alice, &reference)?;
    let (name, _) = succeeded(&events)?;
    for step in ["base", "packages", "squashfs"] {
        // With nothing to fall back on.
        world.stop()?;
        world.fresh_cache(kit)?;
        world.start(&[])?;
        let out = world.folder_in_home(ALICE, step)?;
        let id = request.start(&alice, &out)?;
        let viewer = alice.attach(&id, 0)?;
        alice.hear_until(
            viewer,
            step,
            |event| matches!(event, EventKind::StepStarted { step: at, .. } if at.as_str() == step),
        )?;
        alice.done("Cancel", id_of(&id))?;
        let (rest, over) = alice.hear(viewer, LONG)?;
        ensure!(over, "at {step}, its stream goes on");
        ensure!(
            ending(&rest)? == &BuildResult::Cancelled,
            "at {step}: {:?}",
            rest.last()
        );
        ensure!(alice.state(&id)? == "cancelled");
        ensure!(alice.describe(&id)?["resumable"] == true);
        ensure!(fs::read_dir(&out)?.next().is_none(), "something came");
        resumed(&world, &alice, &id, step, &reference.join(&name))?;
    }
    drop(alice);
    world.end()
}

/// Goes on with a build in a folder of its own; the ISO is that of `reference`.
pub fn resumed(
    world: &World,
    alice: &Caller,
    id: &str,
    what: &str,
    reference: &std::path::Path,
) -> Result<()> {
    let out = world.folder_in_home(ALICE, &format!("resumed-{what}"))?;
    let mut args = id_of(id);
    args.push(Arg::Descriptor(folder(&out)));
    alice.done("Resume", args)?;
    alice.await_state(id, "succeeded").with_context(|| {
        let events = alice.events(id, 0).unwrap_or_default();
        format!("{what}: {:?}", events.last())
    })?;
    let name = reference.file_name().context("no name")?;
    same_iso(what, reference, &out.join(name))
}

/// A build that does not do as it is told is ended, with everything that it has started.
fn does_not_listen(kit: &Kit) -> Result<()> {
    let mut world = World::real(kit, "deaf")?;
    let small = with_slow_package(&world, kit)?;
    let request = Request::of(&small, &small.profile_with("deaf", "", &["slow"], "")?)?;
    let alice = world.caller(ALICE)?;
    let id = request.start(&alice, &world.folder_in_home(ALICE, "out")?)?;
    let viewer = alice.attach(&id, 0)?;
    alice.hear_until(viewer, "a step", |event| {
        matches!(event, EventKind::StepStarted { .. })
    })?;
    // The engine: below the worker and the first process inside.
    let mut engine = world.service()?.id();
    for _ in 0..3 {
        engine = child_of(engine).context("no engine")?;
    }
    kill(Pid::from_raw(i32::try_from(engine)?), Signal::SIGSTOP)?;
    alice.done("Cancel", id_of(&id))?;
    let (rest, over) = alice.hear(viewer, LONG)?;
    ensure!(over, "its stream goes on");
    ensure!(
        ending(&rest)? == &BuildResult::Cancelled,
        "{:?}",
        rest.last()
    );
    ensure!(alice.state(&id)? == "cancelled");
    ensure!(
        !std::path::Path::new(&format!("/proc/{engine}")).exists(),
        "it is still there"
    );
    drop(alice);
    world.end()
}

/// A build that needs somebody says so, and goes on when it is told to.
fn asks(kit: &Kit) -> Result<()> {
    let world = World::real(kit, "asks")?;
    let small = with_slow_package(&world, kit)?;
    small.server.heal();
    small.server.fault("/pool/slow_", Fault::Status(404));
    let request = Request::of(&small, &small.profile_with("asks", "", &["slow"], "")?)?;
    let (alice, bob) = (world.caller(ALICE)?, world.caller(BOB)?);
    for choice in ["stop", "retry"] {
        let out = world.folder_in_home(ALICE, choice)?;
        let id = request.start(&alice, &out)?;
        let viewer = alice.attach(&id, 0)?;
        let seen = alice.hear_until(viewer, "a question", |event| {
            matches!(event, EventKind::Asked { .. })
        })?;
        let number = seen
            .iter()
            .find_map(|event| {
                if let EventKind::Asked { question, .. } = &event.kind {
                    Some(*question)
                } else {
                    None
                }
            })
            .context("no question")?;
        let answer = |number: u32, choice: &str| {
            let mut args = id_of(&id);
            args.extend([Arg::U32(number), Arg::Text(choice.to_owned())]);
            args
        };
        is_one_of(
            &bob.refused("Answer", answer(number, choice))?,
            &["NoSuchBuild"],
        )?;
        is_one_of(
            &alice.refused("Answer", answer(number + 1, choice))?,
            &["WrongState", "InvalidArgument"],
        )?;
        if choice == "retry" {
            small.server.heal();
        }
        alice.done("Answer", answer(number, choice))?;
        let (rest, over) = alice.hear(viewer, LONG)?;
        ensure!(over, "it goes on");
        let answered = rest.iter().any(
            |event| matches!(&event.kind, EventKind::Answered { question, .. } if *question == number),
        );
        ensure!(answered, "the answer is not among the events");
        let failed = matches!(ending(&rest)?, BuildResult::Failed { .. });
        ensure!(failed == (choice == "stop"), "{choice}: {:?}", rest.last());
    }
    drop((alice, bob));
    world.end()
}

/// Whoever writes into somebody's folder has become that person, who may therefore make it
/// stand still, as a filesystem may that never answers: others do not wait for that.
fn delivery_that_stands_still(kit: &Kit) -> Result<()> {
    let world = World::real(kit, "still")?;
    let small = with_slow_package(&world, kit)?;
    let request = Request::of(&small, &small.profile_with("still", "", &["slow"], "")?)?;
    let (alice, bob) = (world.caller(ALICE)?, world.caller(BOB)?);
    let out = world.folder_in_home(ALICE, "out")?;
    let id = request.start(&alice, &out)?;
    alice.await_state(&id, "running")?;
    let bobs = request.start(&bob, &world.folder_in_home(BOB, "out")?)?;
    small.server.heal();
    let stopped = stopped_delivery(&world)?;
    let viewer = bob.attach(&bobs, 0)?;
    let (events, over) = bob.hear(viewer, LONG)?;
    let state = alice.state(&id)?;
    kill(stopped, Signal::SIGCONT)?;
    ensure!(over, "Alice's delivery stands still, and Bob waits");
    succeeded(&events)?;
    ensure!(state == "running", "a delivery stands still: {state}");
    let (name, sum) = succeeded(&alice.events(&id, 0)?)?;
    ensure!(sha256(&out.join(name))? == sum, "another ISO came");
    drop((alice, bob));
    world.end()
}

/// A delivery that stands still can be ended, by its owner and by whoever looks after builds.
fn delivery_can_be_cancelled(kit: &Kit) -> Result<()> {
    let world = World::real(kit, "undelivered")?;
    let small = world.small(kit, &[])?;
    let request = Request::of(&small, &small.profile("undelivered")?)?;
    let alice = world.caller(ALICE)?;
    let undisturbed = world.folder_in_home(ALICE, "undisturbed")?;
    let (_, events) = request.build(&alice, &undisturbed)?;
    let reference = undisturbed.join(succeeded(&events)?.0);
    for person in [ALICE, GRACE] {
        let out = world.folder_in_home(ALICE, person.name)?;
        let id = request.start(&alice, &out)?;
        let stopped = stopped_delivery(&world)?;
        world.caller(person)?.done("Cancel", id_of(&id))?;
        let viewer = alice.attach(&id, 0)?;
        let (events, over) = alice.hear(viewer, NEVER_HANGS)?;
        let _ = kill(stopped, Signal::SIGCONT);
        ensure!(over, "{} cannot end a delivery", person.name);
        ensure!(
            ending(&events)? == &BuildResult::Cancelled,
            "{:?}",
            events.last()
        );
        for entry in fs::read_dir(&out)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            ensure!(!name.ends_with(".iso"), "the ISO came");
            ensure!(!name.starts_with('.'), "half a file is left: {name}");
        }
        resumed(&world, &alice, &id, person.name, &reference)?;
    }
    drop(alice);
    world.end()
}

/// Waits for the program that delivers as Alice, and stops it as she could.
fn stopped_delivery(world: &World) -> Result<Pid> {
    let begun = Instant::now();
    loop {
        let processes = world.processes()?;
        let mut delivers = processes
            .into_iter()
            .filter(|pid| uid_of(*pid) == Some(ALICE.id));
        if let Some(pid) = delivers.next() {
            let pid = Pid::from_raw(i32::try_from(pid)?);
            kill(pid, Signal::SIGSTOP)?;
            return Ok(pid);
        }
        ensure!(begun.elapsed() < LONG, "nobody delivers as Alice");
        thread::sleep(Duration::from_millis(1));
    }
}

/// The real user id of a process (proc(5)).
fn uid_of(pid: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Who calls without pause is told to, and nobody else feels it.
fn too_many_calls(kit: &Kit) -> Result<()> {
    let world = World::real(kit, "calls")?;
    let (alice, bob) = (world.caller(ALICE)?, world.caller(BOB)?);
    let burst = alice.begin(Ask::Burst { times: 2_000 })?;
    for _ in 0..5 {
        bob.done("Version", vec![])?;
    }
    let counts = done(burst.within(LONG)?)?;
    let count = |name: &str| counts[name].as_u64().unwrap_or(0);
    ensure!(count("done") >= 20, "{counts}");
    ensure!(count("org.isosmith.Error.TooMany") > 0, "{counts}");
    ensure!(
        count("done") + count("org.isosmith.Error.TooMany") == 2_000,
        "{counts}"
    );
    alice.done("Version", vec![])?;
    drop((alice, bob));
    world.end()
}

/// Started by the bus when it is called, gone when there is nothing to do, there as long as a
/// build is.
fn leaves_when_idle(kit: &Kit) -> Result<()> {
    let mut world = World::real(kit, "idle")?;
    world.stop()?;
    world.start(&["--idle", "2"])?;
    let status = world.service()?.end_within(Duration::from_secs(120))?;
    ensure!(status.success(), "it left with {status}: {}", world.log());
    // All of it before, so that the service is not left alone for longer than it waits.
    let small = with_slow_package(&world, kit)?;
    let request = Request::of(&small, &small.profile_with("idle", "", &["slow"], "")?)?;
    let alice = world.caller(ALICE)?;
    let out = world.folder_in_home(ALICE, "out")?;
    world.start(&["--idle", "2"])?;
    let id = request.start(&alice, &out)?;
    let viewer = alice.attach(&id, 0)?;
    // Longer than its patience, without a call.
    let (_, over) = alice.hear(viewer, Duration::from_secs(7))?;
    ensure!(!over && world.service()?.ended()?.is_none(), "it left");
    small.server.heal();
    let (_, over) = alice.hear(viewer, LONG)?;
    ensure!(over);
    let status = world.service()?.end_within(Duration::from_secs(120))?;
    ensure!(status.success(), "it left with {status}: {}", world.log());
    ensure!(world.processes()?.is_empty(), "something stayed");

    // The bus starts it again for whoever calls, and it still knows.
    let command = world.command(&world.state);
    let mut line = world.program.display().to_string();
    for word in command.get_args() {
        line.push(' ');
        line.push_str(&word.to_string_lossy());
    }
    fs::write(
        world.folder().join(format!("services/{HELPER}.service")),
        format!("[D-BUS Service]\nName={HELPER}\nExec={line} --idle 2\nUser=root\n"),
    )?;
    world
        .bus
        .connect()?
        .call_method(
            Some("org.freedesktop.DBus"),
            "/org/freedesktop/DBus",
            Some("org.freedesktop.DBus"),
            "ReloadConfig",
            &(),
        )
        .context("the bus reads its folders again")?;
    ensure!(alice.state(&id)? == "succeeded");
    ensure!(!world.processes()?.is_empty(), "nothing was started");
    for _ in 0..600 {
        if world.processes()?.is_empty() {
            break;
        }
        thread::sleep(Duration::from_millis(200));
    }
    drop(alice);
    world.nothing_left()
}

/// What a user does: the `minimal` profile, from the real mirror, through the service.
fn minimal(kit: &Kit) -> Result<()> {
    let world = World::real(kit, "minimal")?;
    let alice = world.caller(ALICE)?;
    let out = world.folder_in_home(ALICE, "out")?;
    let request = Request {
        spec: fs::read_to_string(workspace().join("profiles/minimal/profile.toml"))?,
        files: Vec::new(),
        options: Vec::new(),
    };
    let id = request.start(&alice, &out)?;
    let viewer = alice.attach(&id, 0)?;
    let (events, over) = alice.hear(viewer, LONG * 6)?;
    ensure!(over, "it did not end");
    let (name, sum) = succeeded(&events)?;
    ensure!(sha256(&out.join(name))? == sum);
    drop(alice);
    world.end()
}
