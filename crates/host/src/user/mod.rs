//! A piece of work that is done as somebody else.
//!
//! Root must not write where another user could put a link in its way, nor read what that
//! user may not. So the work is done by a child that has become the user: this program starts
//! itself again, gives everything up, and gets the files that it needs as descriptors.
//!
//! The child becomes the user *after* it has been started, not before. A process that changes
//! its ids is undumpable (prctl(2), `PR_SET_DUMPABLE`), and stays so: the user can neither
//! trace it nor take its descriptors.
#![allow(unsafe_code)]

mod child;
mod task;

use std::{
    ffi::CString,
    fs::File,
    io::{self, Seek, Write},
    os::{
        fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd},
        unix::process::CommandExt,
    },
    process::{Command, Stdio},
};

use nix::{
    fcntl::{FcntlArg, OFlag, fcntl},
    sys::memfd::{MFdFlags, memfd_create},
    unistd::{Gid, Uid, getgrouplist, pipe2},
};
use serde::{Deserialize, Serialize};

use crate::HostError;

pub use child::{descriptor, entry};
pub use task::{UserAnswer, UserTask};

/// What this program is called while it works as a user.
const ARG0: &str = "isosmith-as-user";

/// First line of a child that has become the user; nothing else comes before it.
const READY: &str = "ready";

/// Somebody in the user database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The user's id.
    pub uid: u32,
    /// The id of the user's own group.
    pub gid: u32,
    /// The name that the user logs in with.
    pub name: String,
}

impl User {
    /// Looks somebody up by number.
    ///
    /// # Errors
    ///
    /// [`HostError::NotAllowed`] when the user database has nobody with this id,
    /// [`HostError::Io`] when it cannot be read.
    pub fn of(uid: u32) -> Result<Self, HostError> {
        let found = nix::unistd::User::from_uid(Uid::from_raw(uid))
            .map_err(|error| HostError::io(format!("look up the user {uid}"), error.into()))?;
        let user = found.ok_or_else(|| HostError::NotAllowed {
            message: format!("nobody on this machine has the user id {uid}"),
            advice: "Start the build as a user that the machine knows.".to_owned(),
        })?;
        Ok(Self {
            uid,
            gid: user.gid.as_raw(),
            name: user.name,
        })
    }

    /// Every group that the user is in.
    fn groups(&self) -> io::Result<Vec<u32>> {
        let name = CString::new(self.name.as_str())?;
        let groups = getgrouplist(&name, Gid::from_raw(self.gid))?;
        Ok(groups.into_iter().map(Gid::as_raw).collect())
    }
}

/// What a child is told; it reads this before it gives anything up.
#[derive(Debug, Serialize, Deserialize)]
struct Plan {
    uid: u32,
    gid: u32,
    groups: Vec<u32>,
    task: String,
    /// Read end of a pipe that closes when the starter is gone.
    life: RawFd,
    /// Where each descriptor is, and where it goes.
    moves: Vec<(RawFd, RawFd)>,
}

/// Starts `task` as `user`: with the groups that the user database gives it, no capability and
/// no way to gain one, an empty environment, a session of its own, `/` as its folder, standard
/// input closed, and of all descriptors only standard output (the answer), standard error and
/// `descriptors`, each at the number beside it (3 or more). Ends with the caller.
///
/// The function given to [`entry`] does the work. Needs root.
///
/// # Errors
///
/// [`HostError::Io`] when the child cannot be started; whether it could become the user is
/// said by [`UserTask::finish`].
pub fn run_as_user(
    user: &User,
    task: &str,
    descriptors: Vec<(OwnedFd, i32)>,
) -> Result<UserTask, HostError> {
    let what = format!("work as the user {}", user.name);
    let doing = what.clone();
    start(user, task, descriptors, what).map_err(|source| HostError::io(doing, source))
}

fn start(
    user: &User,
    task: &str,
    descriptors: Vec<(OwnedFd, i32)>,
    what: String,
) -> io::Result<UserTask> {
    let mut numbers: Vec<RawFd> = descriptors.iter().map(|(_, number)| *number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    if numbers.len() < descriptors.len() || numbers.first().is_some_and(|lowest| *lowest < 3) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // Above every number that is asked for, so that moving one never covers another.
    let floor = numbers.last().map_or(3, |highest| highest + 1);
    let plan = File::from(memfd_create(c"plan", MFdFlags::MFD_CLOEXEC)?);
    let (life_end, life) = pipe2(OFlag::O_CLOEXEC)?;
    let plan_end = above(&plan, floor)?;
    let life_end = above(&life_end, floor)?;
    let mut handed = Vec::new();
    for (fd, number) in &descriptors {
        handed.push((above(fd, floor)?, *number));
    }
    let text = serde_json::to_vec(&Plan {
        uid: user.uid,
        gid: user.gid,
        groups: user.groups()?,
        task: task.to_owned(),
        life: life_end.as_raw_fd(),
        moves: handed
            .iter()
            .map(|(fd, number)| (fd.as_raw_fd(), *number))
            .collect(),
    })?;
    (&plan).write_all(&text)?;
    (&plan).rewind()?;

    let mut kept: Vec<RawFd> = handed.iter().map(|(fd, _)| fd.as_raw_fd()).collect();
    kept.extend([plan_end.as_raw_fd(), life_end.as_raw_fd()]);
    let mut command = Command::new("/proc/self/exe");
    command
        .arg0(ARG0)
        .arg(plan_end.as_raw_fd().to_string())
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    // SAFETY: between fork and exec only close_range and fcntl are called, which are
    // async-signal-safe; the descriptors live until after the spawn. No number is covered, so
    // the pipe by which the standard library learns of a failed exec stays whole.
    unsafe {
        command.pre_exec(move || {
            if libc::syscall(
                libc::SYS_close_range,
                3_u32,
                u32::MAX,
                libc::CLOSE_RANGE_CLOEXEC,
            ) != 0
            {
                return Err(io::Error::last_os_error());
            }
            for fd in &kept {
                if libc::fcntl(*fd, libc::F_SETFD, 0) != 0 {
                    return Err(io::Error::last_os_error());
                }
            }
            Ok(())
        });
    }
    let child = command.spawn()?;
    Ok(UserTask::new(child, life, what))
}

/// A duplicate whose number is at least `floor`.
fn above(fd: &impl AsFd, floor: RawFd) -> io::Result<OwnedFd> {
    let number = fcntl(fd, FcntlArg::F_DUPFD_CLOEXEC(floor))?;
    // SAFETY: fcntl has just made this descriptor and nobody else knows of it.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}
