//! The process that becomes a sandboxed command.
//!
//! [`LinuxHost`](crate::LinuxHost) starts this program again under the name
//! [`ARG0`] with three descriptors: the [`Cmd`] as JSON, a pipe for what happened, and a
//! *life pipe* whose other end only the build holds. A process that is alone and has one
//! thread may unshare, fork and mount without surprises, which a build with many threads may
//! not.
//!
//! The first process of the PID namespace waits for the command and for the life pipe. When
//! either ends it leaves, and the kernel ends everything else in there: daemons that a script
//! left behind, and all mounts.
#![allow(unsafe_code)]

use std::{
    convert::Infallible,
    ffi::CString,
    fs::File,
    io::{self, Read, Write},
    os::fd::{AsFd, FromRawFd, RawFd},
    process,
};

use isosmith_protocol::Isolation;
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sched::CloneFlags,
    sys::signal::{SigSet, Signal},
    sys::signalfd::{SfdFlags, SignalFd},
    sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid},
    unistd::{ForkResult, Pid, chdir, execvpe, fork, sethostname, setsid},
};
use serde::{Deserialize, Serialize};

use super::{
    limits,
    setup::{self, SetupError, failed},
};
use crate::{cmd::Cmd, isolation};

/// What this program is called while it becomes a command.
pub(crate) const ARG0: &str = "isosmith-sandbox";

/// Descriptors that the build hands over, by number.
pub(crate) const CMD_FD: RawFd = 3;
pub(crate) const REPORT_FD: RawFd = 4;
pub(crate) const LIFE_FD: RawFd = 5;

/// What every command gets of its own, beside the network.
pub(crate) const NAMESPACES: CloneFlags = CloneFlags::CLONE_NEWNS
    .union(CloneFlags::CLONE_NEWPID)
    .union(CloneFlags::CLONE_NEWIPC)
    .union(CloneFlags::CLONE_NEWUTS)
    .union(CloneFlags::CLONE_NEWCGROUP);

/// A command, and how the build that runs it is kept in; JSON on [`CMD_FD`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) cmd: Cmd,
    pub(crate) isolation: Isolation,
}

/// How it went; one JSON line on the report pipe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Report {
    /// The command ended by itself.
    Exited(i32),
    /// A signal ended the command.
    Killed(i32),
    /// There is no such program in the sandbox.
    Missing,
    /// The sandbox could not be made.
    Failed(String),
}

/// Becomes the command that waits on [`CMD_FD`].
pub(crate) fn run() -> ! {
    // SAFETY: the build put these descriptors there for this process alone; see `run.rs`.
    let (mut command, report, life) = unsafe {
        (
            File::from_raw_fd(CMD_FD),
            File::from_raw_fd(REPORT_FD),
            File::from_raw_fd(LIFE_FD),
        )
    };
    let mut text = Vec::new();
    let parsed = command
        .read_to_end(&mut text)
        .map_err(failed("read the command"))
        .and_then(|_| serde_json::from_slice::<Order>(&text).map_err(failed("read the command")));
    drop(command);
    let Err(error) = parsed.and_then(|order| isolate(&order, &report, &life));
    tell(
        &report,
        &Report::Failed(format!("could not {}: {}", error.what, error.source)),
    );
    process::exit(125)
}

fn tell(report: &File, what: &Report) {
    if let Ok(mut line) = serde_json::to_vec(what) {
        line.push(b'\n');
        // The build that would read it may be gone; there is nobody left to tell.
        let _ = (&*report).write_all(&line);
    }
}

fn isolate(order: &Order, report: &File, life: &File) -> Result<Infallible, SetupError> {
    // Away from the build's terminal and process group: some tools signal their whole group.
    let _ = setsid();
    let cmd = &order.cmd;
    let offline = cmd.sandbox.as_ref().is_none_or(|sandbox| !sandbox.network);
    let wanted = if offline {
        NAMESPACES | CloneFlags::CLONE_NEWNET
    } else {
        NAMESPACES
    };
    let got = isolation::take(order.isolation, wanted).map_err(failed("make namespaces"))?;
    // SAFETY: this process has one thread.
    match unsafe { fork() }.map_err(failed("fork"))? {
        ForkResult::Parent { child } => {
            let status = waitpid(child, None);
            process::exit(match status {
                Ok(WaitStatus::Exited(_, code)) => code,
                _ => 125,
            })
        }
        ForkResult::Child => first_process(cmd, wanted - got, report, life),
    }
}

/// Process 1 of the sandbox. `missing` are the namespaces that it has to do without.
fn first_process(
    cmd: &Cmd,
    missing: CloneFlags,
    report: &File,
    life: &File,
) -> Result<Infallible, SetupError> {
    if let Some(sandbox) = &cmd.sandbox {
        setup::new_root(&sandbox.ordered())?;
        chdir(&sandbox.folder).map_err(failed(format!("enter {}", sandbox.folder.display())))?;
    }
    // Without a namespace for it, this would be the machine's own name.
    if !missing.contains(CloneFlags::CLONE_NEWUTS) {
        sethostname("localhost").map_err(failed("set the host name"))?;
    }
    let children = child_signals().map_err(failed("watch children"))?;
    // SAFETY: this process has one thread.
    match unsafe { fork() }.map_err(failed("fork"))? {
        ForkResult::Parent { child } => {
            let outcome = attend(child, life, &children);
            tell(report, &outcome);
            process::exit(match outcome {
                Report::Exited(code) => code,
                Report::Killed(_) | Report::Missing | Report::Failed(_) => 125,
            })
        }
        ForkResult::Child => become_command(cmd, missing, report),
    }
}

/// Makes the ends of children readable; must be called before the first fork.
pub(crate) fn child_signals() -> nix::Result<SignalFd> {
    let mut mask = SigSet::empty();
    mask.add(Signal::SIGCHLD);
    mask.thread_block()?;
    SignalFd::with_flags(&mask, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
}

/// Waits for the command, collecting orphans, until it ends or the build does.
pub(crate) fn attend(command: Pid, life: &File, children: &SignalFd) -> Report {
    loop {
        // Which child it was is asked without collecting it, so that the command's own status
        // is never lost among the orphans'.
        loop {
            let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG;
            match waitid(Id::All, flags) {
                Ok(WaitStatus::Exited(pid, code)) if pid == command => return Report::Exited(code),
                Ok(WaitStatus::Signaled(pid, signal, _)) if pid == command => {
                    return Report::Killed(signal as i32);
                }
                Ok(WaitStatus::StillAlive) => break,
                Err(Errno::ECHILD) => return Report::Failed("the command vanished".to_owned()),
                Err(Errno::EINTR) | Ok(_) => {}
                Err(other) => return Report::Failed(other.to_string()),
            }
        }
        let mut watched = [
            PollFd::new(life.as_fd(), PollFlags::POLLIN),
            PollFd::new(children.as_fd(), PollFlags::POLLIN),
        ];
        let woken = poll(&mut watched, PollTimeout::NONE);
        let build_is_gone = watched[0].any().unwrap_or(false);
        match woken {
            Ok(_) if build_is_gone => process::exit(125),
            Ok(_) => drop(children.read_signal()),
            Err(Errno::EINTR) => {}
            Err(_) => process::exit(125),
        }
    }
}

fn become_command(cmd: &Cmd, missing: CloneFlags, report: &File) -> Result<Infallible, SetupError> {
    let text = |what: &str| {
        CString::new(what).map_err(|_| SetupError {
            what: format!("pass {what:?} to the command"),
            source: io::ErrorKind::InvalidInput.into(),
        })
    };
    let program = text(&cmd.program)?;
    let mut args = vec![program.clone()];
    for arg in &cmd.args {
        args.push(text(arg)?);
    }
    let mut env = Vec::new();
    for (name, value) in cmd.full_env() {
        env.push(text(&format!("{name}={value}"))?);
    }
    // execvpe searches its own environment's PATH, not the one it passes on.
    let path = cmd.full_env().remove("PATH").unwrap_or_default();
    // SAFETY: this process has one thread.
    unsafe { std::env::set_var("PATH", path) };

    let syncs = cmd.sandbox.as_ref().is_none_or(|sandbox| sandbox.syncs);
    let network_filter = missing.contains(CloneFlags::CLONE_NEWNET);
    limits::apply(syncs, network_filter).map_err(failed("take rights away"))?;
    close_descriptors()?;
    match execvpe(&program, &args, &env) {
        Err(Errno::ENOENT) => {
            tell(report, &Report::Missing);
            process::exit(127)
        }
        Err(other) => Err(failed(format!("start {}", cmd.program))(other)),
    }
}

/// Every descriptor above standard error closes when the command starts.
fn close_descriptors() -> Result<(), SetupError> {
    // SAFETY: only sets a flag on descriptors, in a process that is about to be replaced.
    let result = unsafe {
        libc::syscall(
            libc::SYS_close_range,
            3u32,
            u32::MAX,
            libc::CLOSE_RANGE_CLOEXEC,
        )
    };
    match result {
        0 => Ok(()),
        _ => Err(failed("close descriptors")(io::Error::last_os_error())),
    }
}
