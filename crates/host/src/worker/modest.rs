//! A build must not be felt by whoever works at the machine.
//!
//! What a service manager or a user asks for wins: nothing here is raised above what the
//! process already has.
#![allow(unsafe_code)]

use std::{fs, io};

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Niceness of a build; a desktop's programs have 0.
const NICE: libc::c_int = 10;

/// The kernel knows nothing nicer (setpriority(2)).
const MOST_NICE: libc::c_int = 19;

/// Where a build stands when the machine runs out of memory: -1000 is never ended, 1000 is
/// ended first (proc_pid_oom_score_adj(5)).
const OOM_SCORE: i32 = 800;

/// Most processes and threads of a build. In a user namespace they count by themselves;
/// root of the machine is not bound by this, and only by a limit of its service.
const MOST_PROCESSES: u64 = 4096;

/// `IOPRIO_CLASS_IDLE`: the disk is a build's when nobody else wants it (ioprio_set(2)).
const IO_IDLE: libc::c_long = 3 << 13;

/// `IOPRIO_WHO_PROCESS` (ioprio_set(2)).
const IO_OF_PROCESS: libc::c_long = 1;

/// Steps back behind everybody else on the machine. Whatever cannot be had is done without:
/// a build that is felt is better than none.
///
/// Must be called before the process gives up what it has outside: then a limit that root has
/// set cannot be lifted from inside.
pub(super) fn step_back() {
    let done = |what: &str, result: io::Result<()>| {
        if let Err(error) = result {
            tracing::debug!(%error, "a build could not {what}");
        }
    };
    done("become nice", nicer_than(NICE));
    done("give way on the disk", idle_io());
    done("offer itself when memory is short", oom());
    done("limit its processes", limit_processes());
}

/// Steps back as far as there is. To be called before threads are made, which inherit it.
pub fn step_far_back() {
    if let Err(error) = nicer_than(MOST_NICE) {
        tracing::debug!(%error, "a build could not become nicer");
    }
}

fn nicer_than(wanted: libc::c_int) -> io::Result<()> {
    // SAFETY: both calls take and give plain integers.
    let now = unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) };
    if now >= wanted {
        return Ok(());
    }
    // SAFETY: as above.
    match unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, wanted) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

fn idle_io() -> io::Result<()> {
    // SAFETY: plain integers; 0 is this process.
    match unsafe { libc::syscall(libc::SYS_ioprio_set, IO_OF_PROCESS, 0, IO_IDLE) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

fn oom() -> io::Result<()> {
    const FILE: &str = "/proc/self/oom_score_adj";
    let now: i32 = fs::read_to_string(FILE)?
        .trim()
        .parse()
        .map_err(io::Error::other)?;
    if now >= OOM_SCORE {
        return Ok(());
    }
    fs::write(FILE, OOM_SCORE.to_string())
}

fn limit_processes() -> io::Result<()> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NPROC)?;
    let hard = hard.min(MOST_PROCESSES);
    Ok(setrlimit(Resource::RLIMIT_NPROC, soft.min(hard), hard)?)
}
