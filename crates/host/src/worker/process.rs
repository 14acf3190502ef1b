//! The worker itself: from the first instruction of its process to the build.
#![allow(unsafe_code)]

use std::{
    convert::Infallible,
    fs::{self, File},
    io::{Read, Write},
    os::{
        fd::{AsRawFd, FromRawFd},
        unix::net::UnixStream,
    },
    path::{Path, PathBuf},
    process,
};

use isosmith_protocol::Isolation;
use nix::{
    mount::{MsFlags, mount},
    sched::{CloneFlags, unshare},
    sys::wait::{WaitStatus, waitpid},
    unistd::{ForkResult, Gid, Uid, fork, sethostname, setresgid, setresuid, setsid},
};

use super::{ARG0, Channels, LIFE_FD, PLAN_FD, Plan, SYNC_FD, modest};
use crate::{
    caps, isolation,
    sandbox::{
        enter::{self, Report, attend, child_signals},
        limits, proc,
        setup::{self, SetupError, failed},
    },
};

/// `CAP_SYS_ADMIN` of `linux/capability.h`: mounts and namespaces.
const SYS_ADMIN: libc::c_ulong = 21;

/// Must be the first call of `main` in every program that starts builds: this program starts
/// itself again, and in those processes this function does not return.
///
/// `build` gets the job and the streams to the starter; what it returns becomes the
/// exit status.
pub fn entry(build: fn(job: String, channels: Channels) -> i32) {
    let name = std::env::args_os().next().unwrap_or_default();
    if name == enter::ARG0 {
        enter::run();
    }
    if name != ARG0 {
        return;
    }
    // SAFETY: the starter put these descriptors there for this process alone; see `spawn`.
    let (plan, mut sync, life) = unsafe {
        (
            File::from_raw_fd(PLAN_FD),
            UnixStream::from_raw_fd(SYNC_FD),
            File::from_raw_fd(LIFE_FD),
        )
    };
    let Err(error) = become_worker(plan, &mut sync, life, build);
    let _ = write!(sync, "xcould not {}: {}", error.what, error.source);
    process::exit(125)
}

fn become_worker(
    mut plan: File,
    sync: &mut UnixStream,
    life: File,
    build: fn(String, Channels) -> i32,
) -> Result<Infallible, SetupError> {
    let mut text = Vec::new();
    plan.read_to_end(&mut text)
        .map_err(failed("read the plan"))?;
    drop(plan);
    let plan: Plan = serde_json::from_slice(&text).map_err(failed("read the plan"))?;
    for fd in [&life as &dyn AsRawFd, sync] {
        // SAFETY: sets a flag on a descriptor of ours.
        unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFD, libc::FD_CLOEXEC) };
    }
    close_from(LIFE_FD + 1)?;
    let _ = setsid();
    modest::step_back();
    let own_users = match plan.isolation {
        Isolation::Namespace | Isolation::Other => true,
        Isolation::Hybrid | Isolation::Traditional => false,
    };
    if own_users && plan.user_namespace_first {
        enter_user_namespace(sync)?;
    }
    unshare(CloneFlags::CLONE_NEWNS).map_err(failed("make a mount namespace"))?;
    setup::new_root(&plan.world.ordered())?;
    if own_users && !plan.user_namespace_first {
        enter_user_namespace(sync)?;
    }
    let wanted = CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWUTS
        | CloneFlags::CLONE_NEWCGROUP;
    let got = isolation::take(plan.isolation, wanted).map_err(failed("make namespaces"))?;
    if !own_users {
        keep_few_rights().map_err(failed("take rights away"))?;
    }
    // SAFETY: this process has one thread.
    match unsafe { fork() }.map_err(failed("fork"))? {
        ForkResult::Parent { child } => {
            drop(life);
            process::exit(match waitpid(child, None) {
                Ok(WaitStatus::Exited(_, code)) => code,
                _ => 125,
            })
        }
        ForkResult::Child => first_process(plan, got, sync, &life, build),
    }
}

/// Closes what the starter's program may have left open for it.
fn close_from(lowest: i32) -> Result<(), SetupError> {
    // SAFETY: no object of this process stands for any of these numbers.
    match unsafe { libc::syscall(libc::SYS_close_range, lowest, i32::MAX, 0) } {
        0 => Ok(()),
        _ => Err(failed("close descriptors")(std::io::Error::last_os_error())),
    }
}

fn enter_user_namespace(sync: &mut UnixStream) -> Result<(), SetupError> {
    unshare(CloneFlags::CLONE_NEWUSER).map_err(failed("make a user namespace"))?;
    let mut answer = [0];
    sync.write_all(b"m")
        .and_then(|()| sync.read_exact(&mut answer))
        .map_err(failed("get ids for the user namespace"))?;
    let root = (Uid::from_raw(0), Gid::from_raw(0));
    setresgid(root.1, root.1, root.1)
        .and_then(|()| setresuid(root.0, root.0, root.0))
        .and_then(|()| nix::unistd::setgroups(&[]))
        .map_err(failed("become root of the user namespace"))?;
    // A change of ids makes a process undumpable, and its files in /proc somebody else's.
    nix::sys::prctl::set_dumpable(true).map_err(failed("become root of the user namespace"))
}

/// Where root inside is root outside, the worker keeps what its commands need, and the right
/// to mount for itself. Making device nodes is not among it.
fn keep_few_rights() -> std::io::Result<()> {
    let mut kept = limits::KEPT_CAPABILITIES.to_vec();
    kept.push(SYS_ADMIN);
    nix::unistd::setgroups(&[])?;
    caps::bound(&kept)?;
    caps::keep(&kept)
}

fn first_process(
    plan: Plan,
    got: CloneFlags,
    sync: &mut UnixStream,
    life: &File,
    build: fn(String, Channels) -> i32,
) -> Result<Infallible, SetupError> {
    mount(
        Some("proc"),
        "/proc",
        Some("proc"),
        MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC,
        None::<&str>,
    )
    .map_err(failed("mount /proc"))?;
    match plan.isolation {
        // The kernel itself refuses what is root's alone; and it mounts /proc in a sandbox
        // only where a whole one can be seen (`mount_too_revealing` in fs/namespace.c).
        Isolation::Namespace | Isolation::Other => {}
        Isolation::Hybrid | Isolation::Traditional => proc::cover_own()?,
    }
    if got.contains(CloneFlags::CLONE_NEWUTS) {
        sethostname("isosmith").map_err(failed("set the host name"))?;
    }
    let children = child_signals().map_err(failed("watch children"))?;
    // SAFETY: this process has one thread.
    match unsafe { fork() }.map_err(failed("fork"))? {
        ForkResult::Parent { child } => process::exit(match attend(child, life, &children) {
            Report::Exited(code) => code,
            Report::Killed(_) | Report::Missing | Report::Failed(_) => 125,
        }),
        ForkResult::Child => {
            let _ = nix::sys::signal::SigSet::empty().thread_set_mask();
            let Some(job) = plan.job else {
                try_out(plan.isolation)?;
                sync.write_all(b"r").map_err(failed("report"))?;
                process::exit(0)
            };
            sync.write_all(b"r").map_err(failed("report"))?;
            let _ = sync.shutdown(std::net::Shutdown::Both);
            // SAFETY: standard input and output are the starter's pipes, and nothing else here
            // uses them.
            let channels = unsafe {
                Channels {
                    control: File::from_raw_fd(0),
                    events: File::from_raw_fd(1),
                }
            };
            process::exit(build(job, channels))
        }
    }
}

/// Does for a try what a build does later: an overlay, and the namespaces of a sandbox.
fn try_out(mode: Isolation) -> Result<(), SetupError> {
    let folder = Path::new("/tmp/try");
    let [lower, upper, work, at]: [PathBuf; 4] =
        ["lower", "upper", "work", "at"].map(|name| folder.join(name));
    for path in [&lower, &upper, &work, &at] {
        fs::create_dir_all(path).map_err(failed("try an overlay"))?;
    }
    crate::mount::overlay(&[lower], &upper, &work, &at)
        .map(drop)
        .map_err(failed("mount an overlay"))?;
    isolation::take(mode, enter::NAMESPACES | CloneFlags::CLONE_NEWNET)
        .map(drop)
        .map_err(failed("make the namespaces of a sandbox"))
}
