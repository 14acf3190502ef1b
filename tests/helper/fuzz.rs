//! P11: whatever comes over the bus, the service lives, stays small and serves others.

use std::{
    env, fs,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use isosmith_tests::Kit;
use libtest_mimic::Trial;

use super::trial;
use crate::{
    asks::Ask,
    caller::{Caller, LONG, Pending, done},
    client::{HELPER, OBJECT},
    mock::Verdict,
    people::{ALICE, BOB, CAROL, GRACE},
    world::World,
};

/// In KiB.
const MEMORY_LIMIT: u64 = 64 * 1024;

pub fn trials(kit: &Kit) -> Vec<Trial> {
    let missing = !Path::new(DFUZZER).exists();
    vec![
        trial(kit, "fuzz::by_type", by_type),
        // Not every release has it.
        trial(kit, "fuzz::dfuzzer", dfuzzer).with_ignored_flag(missing),
    ]
}

const DFUZZER: &str = "/usr/bin/dfuzzer";

fn seconds() -> u64 {
    env::var("ISOSMITH_FUZZ_SECONDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(if env::var_os("ISOSMITH_FULL").is_some() {
            600
        } else {
            30
        })
}

/// Memory of a process that is its own, without its program's pages, and the most that all of it
/// ever was, in KiB (proc(5)).
fn memory(pid: u32) -> Result<(u64, u64)> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let field = |name: &str| -> Result<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let number = line.context("no such field")?.split_whitespace().nth(1);
        Ok(number.context("no number")?.parse()?)
    };
    Ok((field("RssAnon")?, field("VmHWM")?))
}

/// The service is the same process as before, and small.
fn is_well(world: &mut World, most: &mut u64) -> Result<()> {
    let ended = world.service()?.ended()?;
    ensure!(ended.is_none(), "it died with {ended:?}:\n{}", world.log());
    let (now, peak) = memory(world.service()?.id())?;
    *most = (*most).max(peak);
    ensure!(now < MEMORY_LIMIT, "it takes {now} KiB");
    Ok(())
}

fn by_type(kit: &Kit) -> Result<()> {
    let mut world = World::mock(kit, "fuzz", Verdict::No)?;
    let time = Duration::from_secs(seconds());
    let bystander = world.caller(GRACE)?;
    let attackers = [ALICE, BOB, CAROL];
    let mut running: Vec<(Caller, Pending)> = Vec::new();
    for person in attackers {
        let caller = world.caller(person)?;
        let pending = caller.begin(Ask::Fuzz {
            seed: 0,
            seconds: time.as_secs(),
        })?;
        running.push((caller, pending));
    }
    let (begun, mut most) = (Instant::now(), 0);
    while begun.elapsed() < time {
        bystander.done("Version", vec![]).context("a bystander")?;
        is_well(&mut world, &mut most)?;
        thread::sleep(Duration::from_millis(500));
    }
    let mut calls = 0;
    for (_, pending) in &running {
        let count = done(pending.within(LONG)?)?;
        calls += count.as_u64().unwrap_or(0);
    }
    // Ten thousand at once.
    let bursts: Vec<Pending> = running
        .iter()
        .map(|(caller, _)| caller.begin(Ask::Burst { times: 3_334 }))
        .collect::<Result<_>>()?;
    for burst in bursts {
        done(burst.within(LONG)?)?;
    }
    bystander.done("Version", vec![])?;
    is_well(&mut world, &mut most)?;
    ensure!(bystander.list(false)?.is_empty());
    eprintln!("{calls} calls; at most {most} KiB");
    ensure!(calls > 10 * time.as_secs(), "only {calls} calls were made");
    drop((running, bystander));
    world.end()
}

/// The Debian package of that name, as root, whose calls nothing on the bus stops.
fn dfuzzer(kit: &Kit) -> Result<()> {
    let mut world = World::mock(kit, "dfuzzer", Verdict::No)?;
    let (begun, mut most) = (Instant::now(), 0);
    let time = Duration::from_secs(seconds());
    while begun.elapsed() < time {
        let status = Command::new("timeout")
            .arg(seconds().to_string())
            .arg(DFUZZER)
            .args(["-v", "-n", HELPER, "-o", OBJECT, "-i", HELPER])
            .env("DBUS_SYSTEM_BUS_ADDRESS", world.bus.address())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status()?;
        // 124 is timeout's own; everything else but 0 is a finding.
        ensure!(
            matches!(status.code(), Some(0 | 124)),
            "dfuzzer ended with {status}:\n{}",
            world.log()
        );
        is_well(&mut world, &mut most)?;
    }
    eprintln!("at most {most} KiB");
    world.end()
}
