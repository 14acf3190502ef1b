//! The child: from the first instruction of its process to the work.

use std::{
    convert::Infallible,
    fs::File,
    io::{self, Read, Write},
    os::fd::{FromRawFd, OwnedFd, RawFd},
    process, thread,
};

use nix::{
    errno::Errno,
    fcntl::{FcntlArg, fcntl},
    sys::stat::{Mode, umask},
    unistd::{Gid, Uid, setgroups, setresgid, setresuid, setsid},
};

use super::{ARG0, Plan, READY};
use crate::{
    caps,
    sandbox::setup::{SetupError, failed},
};

/// A descriptor that was handed over at `number`, for the function given to [`entry`]. It is a
/// duplicate: the number stays open.
///
/// # Errors
///
/// When there is none.
pub fn descriptor(number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: plain integers; a number that is not open is an error, and one that is open is
    // only duplicated.
    let made = unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 3) };
    if made < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: fcntl has just made this descriptor and nobody else knows of it.
    Ok(unsafe { OwnedFd::from_raw_fd(made) })
}

/// Must be called before anything else in every program that uses [`run_as_user`](super::run_as_user): this
/// program starts itself again, and in that process this function does not return.
///
/// `work` gets the task and finds the descriptors at their numbers; what it writes to standard
/// output is the answer, what it returns the exit status.
pub fn entry(work: fn(task: &str) -> i32) {
    let mut args = std::env::args_os();
    if args.next().is_none_or(|name| name != ARG0) {
        return;
    }
    let number = args
        .next()
        .and_then(|number| number.to_str()?.parse::<RawFd>().ok());
    let become_and_work = || -> Result<Infallible, SetupError> {
        let number = number.ok_or_else(|| failed("find the plan")(Errno::EBADF))?;
        // SAFETY: the starter put the plan there for this process alone; see `super::start`.
        let mut file = unsafe { File::from_raw_fd(number) };
        let mut text = Vec::new();
        file.read_to_end(&mut text)
            .map_err(failed("read the plan"))?;
        drop(file);
        let plan: Plan = serde_json::from_slice(&text).map_err(failed("read the plan"))?;
        let life = arrange(&plan)?;
        give_up(&plan).map_err(failed("become the user"))?;
        thread::spawn(move || {
            // Nobody writes: this returns when the starter is gone.
            let _ = File::from(life).read(&mut [0]);
            process::exit(125)
        });
        io::stdout()
            .write_all(format!("{READY}\n").as_bytes())
            .map_err(failed("answer"))?;
        process::exit(work(&plan.task))
    };
    let Err(error) = become_and_work();
    let _ = writeln!(
        io::stdout(),
        "could not {}: {}",
        error.what,
        error.source.to_string().replace('\n', " ")
    );
    process::exit(125)
}

/// Moves the descriptors to their numbers and closes every other one; the life pipe gets the
/// next number.
fn arrange(plan: &Plan) -> Result<OwnedFd, SetupError> {
    let highest = plan.moves.iter().map(|(_, to)| *to).max().unwrap_or(2);
    let life_number = highest + 1;
    const DOING: &str = "arrange descriptors";
    let mut moves = plan.moves.clone();
    // The lowest source may be where the life pipe goes: its own move comes last, and every
    // source is above every target.
    moves.push((plan.life, life_number));
    let mut wanted: Vec<RawFd> = Vec::new();
    for (from, to) in moves {
        wanted.push(to);
        if from == to {
            continue;
        }
        // SAFETY: plain integers; this process has one thread and no object for these numbers.
        if unsafe { libc::dup2(from, to) } < 0 {
            return Err(failed(DOING)(io::Error::last_os_error()));
        }
    }
    wanted.sort_unstable();
    let mut next = 3;
    for end in wanted.iter().copied().chain([RawFd::MAX]) {
        if end > next {
            // SAFETY: no object of this process stands for any of these numbers.
            let closed = unsafe { libc::syscall(libc::SYS_close_range, next, end - 1, 0) };
            if closed != 0 {
                return Err(failed(DOING)(io::Error::last_os_error()));
            }
        }
        next = end.saturating_add(1);
    }
    // SAFETY: dup2 has just put it there and nobody else knows of it.
    let life = unsafe { OwnedFd::from_raw_fd(life_number) };
    fcntl(&life, FcntlArg::F_SETFD(nix::fcntl::FdFlag::FD_CLOEXEC)).map_err(failed(DOING))?;
    Ok(life)
}

/// Becomes the user, for good.
fn give_up(plan: &Plan) -> io::Result<()> {
    let _ = setsid();
    umask(Mode::from_bits_truncate(0o022));
    nix::sys::prctl::set_no_new_privs()?;
    caps::bound(&[])?;
    let groups: Vec<Gid> = plan.groups.iter().copied().map(Gid::from_raw).collect();
    setgroups(&groups)?;
    let (uid, gid) = (Uid::from_raw(plan.uid), Gid::from_raw(plan.gid));
    setresgid(gid, gid, gid)?;
    setresuid(uid, uid, uid)?;
    caps::keep(&[])?;
    nix::sys::prctl::set_dumpable(false)?;
    // Believed only when seen: a kernel that says yes and does nothing would leave root.
    if (Uid::current(), Gid::current()) != (uid, gid) || !nix::sys::prctl::get_no_new_privs()? {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    Ok(())
}
