//! The service, a build's worker and viewers, killed at random moments.

use std::{
    env, fs,
    hash::{BuildHasher, RandomState},
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use isosmith_protocol::BuildResult;
use isosmith_tests::{Kit, Small, same_iso};
use libtest_mimic::Trial;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::trial;
use crate::{
    asks::Ask,
    builds::{resumed, with_slow_package},
    caller::{Caller, LONG, done},
    people::ALICE,
    world::{Request, World, ending, succeeded},
};

pub fn trials(kit: &Kit) -> Vec<Trial> {
    vec![
        trial(kit, "kills::the_service", the_service),
        trial(kit, "kills::the_worker", the_worker),
        trial(kit, "kills::viewers", viewers),
    ]
}

/// Twenty take a quarter of an hour; every run has some, and a whole run all.
fn rounds() -> usize {
    let usual = match env::var_os("ISOSMITH_FULL") {
        Some(_) => 20,
        None => 6,
    };
    env::var("ISOSMITH_KILL_ROUNDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(usual)
}

/// A number below `limit`; the seed is the start of the process.
fn chance(round: usize, limit: u64) -> u64 {
    RandomState::new().hash_one(round) % limit.max(1)
}

/// A world in which a build has been done undisturbed.
struct Ground {
    alice: Caller,
    request: Request,
    reference: PathBuf,
    length: u64,
    // Serves the packages.
    _small: Small,
    world: World,
}

impl Ground {
    fn new(kit: &Kit, name: &str) -> Result<Self> {
        let world = World::real(kit, name)?;
        let small = world.small(kit, &[])?;
        let request = Request::of(&small, &small.profile(name)?)?;
        let alice = world.caller(ALICE)?;
        let out = world.folder_in_home(ALICE, "undisturbed")?;
        let begun = Instant::now();
        let (_, events) = request.build(&alice, &out)?;
        let length = u64::try_from(begun.elapsed().as_millis())?;
        let (iso, _) = succeeded(&events)?;
        Ok(Self {
            alice,
            request,
            reference: out.join(iso),
            length,
            _small: small,
            world,
        })
    }

    /// A cache with the base system only, and the service on it.
    fn fresh(&mut self, kit: &Kit) -> Result<()> {
        self.world.stop()?;
        self.world.nothing_left()?;
        self.world.fresh_cache(kit)?;
        self.world.start(&[])
    }

    fn end(self) -> Result<()> {
        drop(self.alice);
        self.world.end()
    }
}

/// Nothing is left of it; the next service knows what became of the build, and goes on with it
/// to the same ISO.
fn the_service(kit: &Kit) -> Result<()> {
    let mut ground = Ground::new(kit, "kill-service")?;
    let (rounds, mut went_on) = (rounds(), 0);
    for round in 0..rounds {
        ground.fresh(kit)?;
        let moment = Duration::from_millis(chance(round, ground.length));
        let out = ground
            .world
            .folder_in_home(ALICE, &format!("killed-{round}"))?;
        let id = ground.request.start(&ground.alice, &out)?;
        let told = || format!("round {round}: killed after {moment:?}");
        thread::sleep(moment);
        ground.world.kill()?;
        ground.world.nothing_left().with_context(told)?;
        for entry in fs::read_dir(&out)? {
            let path = entry?.path();
            // A half-written ISO never bears the name of a whole one.
            if path.extension().is_some_and(|end| end == "iso") {
                same_iso("a delivered ISO", &ground.reference, &path).with_context(told)?;
            }
        }
        ground.world.start(&[])?;
        let state = ground.alice.state(&id).with_context(told)?;
        if state == "succeeded" {
            let name = ground.reference.file_name().context("no name")?;
            same_iso("a finished ISO", &ground.reference, &out.join(name)).with_context(told)?;
            continue;
        }
        ensure!(state == "interrupted", "{}: it is {state}", told());
        ensure!(
            ground.alice.describe(&id)?["resumable"] == true,
            "{}: it cannot be resumed",
            told()
        );
        let what = format!("service-{round}");
        resumed(&ground.world, &ground.alice, &id, &what, &ground.reference).with_context(told)?;
        went_on += 1;
    }
    eprintln!(
        "{rounds} rounds over {} ms, {went_on} resumed",
        ground.length
    );
    ensure!(
        rounds < 10 || went_on > rounds / 2,
        "only {went_on} of {rounds} rounds hit a build"
    );
    ground.end()
}

/// The service lives, says that the build was interrupted, and goes on with it.
fn the_worker(kit: &Kit) -> Result<()> {
    let mut ground = Ground::new(kit, "kill-worker")?;
    let (rounds, mut went_on) = (rounds(), 0);
    for round in 0..rounds {
        ground.fresh(kit)?;
        let moment = Duration::from_millis(chance(round, ground.length));
        let out = ground
            .world
            .folder_in_home(ALICE, &format!("killed-{round}"))?;
        let told = || format!("round {round}: killed after {moment:?}");
        let id = ground.request.start(&ground.alice, &out)?;
        let viewer = ground.alice.attach(&id, 0)?;
        thread::sleep(moment);
        let service = ground.world.service()?.id();
        // The worker, the first process inside, or the engine.
        let mut victim = service;
        for _ in 0..=round % 3 {
            victim = child_of(victim).unwrap_or(victim);
        }
        if victim != service {
            let _ = kill(Pid::from_raw(i32::try_from(victim)?), Signal::SIGKILL);
        }
        let (events, over) = ground.alice.hear(viewer, LONG)?;
        ensure!(over, "{}: its stream goes on", told());
        ensure!(
            ground.world.service()?.ended()?.is_none(),
            "{}: the service died too:\n{}",
            told(),
            ground.world.log()
        );
        match ending(&events).with_context(told)? {
            // It was over before, or what was killed was the child that hands the ISO over.
            BuildResult::Succeeded { .. } => {
                let name = ground.reference.file_name().context("no name")?;
                same_iso("a finished ISO", &ground.reference, &out.join(name))
                    .with_context(told)?;
                continue;
            }
            BuildResult::Interrupted | BuildResult::Failed { .. } => {}
            other @ (BuildResult::Cancelled | BuildResult::Unknown) => {
                anyhow::bail!("{}: it ended with {other:?}", told())
            }
        }
        ensure!(
            ground.alice.describe(&id)?["resumable"] == true,
            "{}",
            told()
        );
        let what = format!("worker-{round}");
        resumed(&ground.world, &ground.alice, &id, &what, &ground.reference).with_context(told)?;
        went_on += 1;
    }
    eprintln!(
        "{rounds} rounds over {} ms, {went_on} resumed",
        ground.length
    );
    ensure!(
        rounds < 10 || went_on > rounds / 2,
        "only {went_on} of {rounds} rounds hit a build"
    );
    ground.end()
}

/// The first child of a process.
pub fn child_of(parent: u32) -> Option<u32> {
    for task in fs::read_dir(format!("/proc/{parent}/task")).ok()?.flatten() {
        let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        if let Some(child) = children.split(' ').find_map(|word| word.parse().ok()) {
            return Some(child);
        }
    }
    None
}

/// Viewers that are killed while they read: the build and the others do not notice.
fn viewers(kit: &Kit) -> Result<()> {
    let world = World::real(kit, "kill-viewers")?;
    let small = with_slow_package(&world, kit)?;
    let request = Request::of(&small, &small.profile_with("viewers", "", &["slow"], "")?)?;
    let alice = world.caller(ALICE)?;
    let id = request.start(&alice, &world.folder_in_home(ALICE, "out")?)?;
    let steady = alice.attach(&id, 0)?;
    let rounds = rounds();
    for round in 0..rounds {
        let viewer = world.caller(ALICE)?;
        let number = viewer.attach(&id, 0)?;
        let _reading = viewer.begin(Ask::Hear {
            viewer: number,
            limit_ms: 60_000,
        })?;
        thread::sleep(Duration::from_millis(chance(round, 100)));
        viewer.kill();
        if round == rounds / 2 {
            small.server.heal();
        }
    }
    let (events, over) = alice.hear(steady, LONG)?;
    ensure!(over, "its stream goes on");
    succeeded(&events)?;
    ensure!(done(alice.ask(Ask::Leave { viewer: steady })?)? == true);
    drop(alice);
    world.end()
}
