//! Builds that are killed or stopped at any moment, and what is left of them.

use std::{
    env, fs,
    hash::{BuildHasher, RandomState},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use isosmith_protocol::{BuildResult, EventKind};
use isosmith_tests::{Isosmith, Kit, Small, Witness, run::Running, same_iso, witness::Traces};
use libtest_mimic::Trial;
use nix::sys::signal::Signal;

use super::trial;

/// How long after the end something may still be there.
const GONE: Duration = Duration::from_secs(3);

pub fn trials(kit: &Kit) -> Vec<Trial> {
    vec![
        trial(kit, "kills::at_random_moments", at_random_moments),
        trial(kit, "kills::cancel", cancel),
    ]
}

/// A build without any cache but the tools and the base system, and what it comes to when
/// nobody disturbs it.
struct Ground {
    small: Small,
    profile: PathBuf,
    isosmith: Isosmith,
    traces: Traces,
    undisturbed: PathBuf,
    took: Duration,
    scratch: tempfile::TempDir,
}

impl Ground {
    fn new(kit: &Kit, name: &str) -> Result<Self> {
        let scratch = kit.scratch(name)?;
        let small = Small::serve(kit, scratch.path(), &[])?;
        let profile = small.profile(name)?;
        // The base system comes from here in most rounds.
        kit.isosmith(scratch.path()).build(&profile)?.iso()?;
        let isosmith = kit
            .isosmith(scratch.path())
            .cache(&scratch.path().join("cache"));
        let traces = Traces::of(&kit.program, &[&isosmith.state, &isosmith.cache])?;
        let mut ground = Self {
            small,
            profile,
            isosmith,
            traces,
            undisturbed: PathBuf::new(),
            took: Duration::ZERO,
            scratch,
        };
        ground.fresh_cache(kit, true)?;
        let ended = ground.isosmith.build(&ground.profile)?;
        ground.undisturbed = ground.scratch.path().join("undisturbed.iso");
        fs::copy(ended.iso()?, &ground.undisturbed)?;
        ground.took = ended.took;
        Ok(ground)
    }

    /// A cache with the tools, and the base system or not.
    fn fresh_cache(&self, kit: &Kit, base: bool) -> Result<()> {
        let _ = fs::remove_dir_all(&self.isosmith.cache);
        let _ = fs::remove_dir_all(&self.isosmith.out);
        fs::create_dir_all(&self.isosmith.cache)?;
        kit.link_cache(&self.isosmith.cache, if base { &["base-"] } else { &[] })
    }

    /// Nothing is left, the machine is as it was, and the build goes on to the same ISO.
    fn recovers(&self, before: &Witness, id: Option<&str>) -> Result<Duration> {
        let gone = self.traces.gone_within(GONE)?;
        before.unchanged()?;
        if let Some(id) = id {
            let ended = self.isosmith.resume(id)?;
            same_iso("undisturbed and resumed", &self.undisturbed, &ended.iso()?)?;
        }
        Ok(gone)
    }
}

/// A number below `limit`; the seed is the start of the process.
fn chance(round: usize, limit: u64) -> u64 {
    RandomState::new().hash_one(round) % limit.max(1)
}

fn at_random_moments(kit: &Kit) -> Result<()> {
    let rounds: usize = env::var("ISOSMITH_KILL_ROUNDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(25);
    let ground = Ground::new(kit, "kills")?;
    let length = u64::try_from(ground.took.as_millis())?;
    let (mut resumed, mut longest) = (0, Duration::ZERO);
    for round in 0..rounds {
        // Every fifth round makes the base system too.
        ground.fresh_cache(kit, round % 5 != 0)?;
        let before = Witness::now();
        let mut running = ground.isosmith.start(&ground.profile)?;
        let moment = Duration::from_millis(chance(round, length));
        let told = || {
            format!(
                "round {round}: killed {} after {moment:?}",
                WHOM[round % WHOM.len()]
            )
        };
        running.listen(moment)?;
        let victim = victim(&ground.traces, &running, round % WHOM.len());
        let _ = running.signal(victim, Signal::SIGKILL);
        let id = running.id();
        let ended = running.end()?;
        if ended.status.success() {
            // It was over before.
            continue;
        }
        let id = id.or_else(|| ended.id()).filter(|id| {
            ground
                .isosmith
                .state
                .join("builds")
                .join(id)
                .join("journal.jsonl")
                .exists()
        });
        resumed += usize::from(id.is_some());
        longest = longest.max(ground.recovers(&before, id.as_deref()).with_context(told)?);
    }
    eprintln!(
        "{rounds} rounds over {length} ms, {resumed} resumed; the last trace was gone after at most {longest:?}"
    );
    ensure!(
        rounds < 10 || resumed > rounds / 2,
        "only {resumed} of {rounds} rounds hit a build"
    );
    Ok(())
}

/// Whom a round kills.
const WHOM: [&str; 4] = [
    "the program",
    "the worker",
    "the first process of the build",
    "the engine",
];

/// The process of that role, as far as there is one by now.
fn victim(traces: &Traces, running: &Running, role: usize) -> u32 {
    let mut pid = running.pid();
    for _ in 0..role {
        match child_of(pid, &traces.processes()) {
            Some(child) => pid = child,
            None => return pid,
        }
    }
    pid
}

/// The first child of a process among `candidates`.
fn child_of(parent: u32, candidates: &[(u32, String)]) -> Option<u32> {
    candidates.iter().map(|(pid, _)| *pid).find(|pid| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let fields = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
        fields.split(' ').nth(1).and_then(|text| text.parse().ok()) == Some(parent)
    })
}

/// Stops a build at five points, by signal and by command.
fn cancel(kit: &Kit) -> Result<()> {
    let ground = Ground::new(kit, "cancel")?;
    let mut wrong = Vec::new();
    let mut longest = Duration::ZERO;
    for (step, by_command) in [
        ("index", false),
        ("base", true),
        ("packages", false),
        ("squashfs", true),
        ("iso", false),
    ] {
        ground.fresh_cache(kit, step != "base")?;
        match cancel_at(&ground, step, by_command) {
            Ok(took) => longest = longest.max(took),
            Err(error) => wrong.push(format!("at {step}: {error:#}")),
        }
    }
    eprintln!("a build stops within {longest:?}");
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

fn cancel_at(ground: &Ground, step: &str, by_command: bool) -> Result<Duration> {
    let before = Witness::now();
    let mut running = ground.isosmith.start(&ground.profile)?;
    let reached = running.listen_until(
        |event| matches!(event, EventKind::StepStarted { step: at, .. } if at.as_str() == step),
    )?;
    ensure!(reached, "the step was not reached");
    // In the middle of it rather than at its door.
    running.listen(Duration::from_millis(60))?;
    let id = running.id().context("no id")?;
    let asked = Instant::now();
    if by_command {
        let status = ground.isosmith.command(&["cancel", &id]).status()?;
        ensure!(status.success(), "`isosmith cancel` ended with {status}");
    } else {
        running.signal(running.pid(), Signal::SIGINT)?;
    }
    let ended = running.end()?;
    let took = asked.elapsed();
    if ended.status.success() {
        // A short step can be the last one: it was done before the word came.
        ensure!(step == "iso", "it went on to the end");
        return Ok(took);
    }
    ensure!(
        ended.result() == Some(&BuildResult::Cancelled),
        "it ended with {:?}",
        ended.result()
    );
    ensure!(ended.status.code() == Some(130), "{}", ended.status);
    ensure!(took < Duration::from_secs(5), "it took {took:?} to stop");
    partial_is_empty(&ground.isosmith.cache, &id)?;
    ground.recovers(&before, Some(&id))?;
    let _ = (&ground.small, &ground.scratch);
    Ok(took)
}

/// A stopped build leaves nothing half-made.
fn partial_is_empty(cache: &Path, id: &str) -> Result<()> {
    let left = fs::read_dir(cache.join("partial").join(id)).map_or(0, Iterator::count);
    ensure!(left == 0, "half-made things are left");
    Ok(())
}
