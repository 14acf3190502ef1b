//! A whole build in namespaces of its own.
//!
//! ```text
//! caller (root, or anybody with subordinate ids)
//!  └─ worker: new root folder, no paths of the machine but its programs (read-only) and our
//!     two folders; user namespace whose root is nobody outside
//!      └─ process 1: waits for the build and for the life pipe; leaves when either ends
//!          └─ the build, with as many threads as it likes
//!              └─ one sandbox per command
//! ```
//!
//! The caller holds the only writing end of the life pipe. When the caller dies, by whatever
//! cause, the pipe closes, process 1 leaves, and the kernel ends every process and every
//! mount of the build. A death signal set with `prctl` would not do: it follows threads, and
//! a change of credentials clears it.
#![allow(unsafe_code)]

use std::{
    convert::Infallible,
    fs::{self, File},
    io::{self, Read, Write},
    os::{
        fd::{AsRawFd, FromRawFd, OwnedFd},
        unix::{net::UnixStream, process::CommandExt},
    },
    path::{Path, PathBuf},
    process::{self, Child, Command, ExitStatus, Stdio},
};

use nix::{
    fcntl::{FcntlArg, OFlag, fcntl},
    mount::{MsFlags, mount},
    sched::{CloneFlags, unshare},
    sys::{
        memfd::{MFdFlags, memfd_create},
        wait::{WaitStatus, waitpid},
    },
    unistd::{ForkResult, Gid, Uid, fork, pipe2, sethostname, setresgid, setresuid, setsid},
};
use serde::{Deserialize, Serialize};

use crate::{
    HostError,
    sandbox::{
        Op, Sandbox,
        enter::{self, Report, attend, child_signals},
        setup::{self, SetupError, failed},
    },
};

const ARG0: &str = "isosmith-worker";
const PLAN_FD: i32 = 3;
const SYNC_FD: i32 = 4;
const LIFE_FD: i32 = 5;

/// First outside id of builds that root starts: inside the range that systemd sets apart for
/// containers (`systemd.io/UIDS-GIDS`), away from its beginning, where others pick first.
const ROOT_RANGE: u32 = 1_845_493_760;

/// Ids inside a build: 0 to 65535, as Debian's policy has them.
const ID_COUNT: u32 = 65_536;

/// Who the ids inside a build are outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ids {
    /// Started by root: everybody inside is an id that nobody has outside.
    Range {
        /// What id 0 inside is outside.
        first: u32,
    },
    /// Started by an ordinary user: root inside is that user, the others are its subordinate
    /// ids (subuid(5)).
    Subordinate {
        /// The user.
        uid: u32,
        /// The user's group.
        gid: u32,
        /// First and count of its subordinate user ids.
        uids: (u32, u32),
        /// First and count of its subordinate group ids.
        gids: (u32, u32),
    },
}

impl Ids {
    /// Finds out how the current user may build.
    ///
    /// # Errors
    ///
    /// [`HostError::NotAllowed`] says exactly what is missing and how to get it.
    pub fn of_this_user() -> Result<Self, HostError> {
        let limit = fs::read_to_string("/proc/sys/user/max_user_namespaces").unwrap_or_default();
        if limit.trim() == "0" {
            return Err(HostError::NotAllowed {
                message: "this machine allows no user namespaces".to_owned(),
                advice: "Set user.max_user_namespaces to at least 1000 with sysctl.".to_owned(),
            });
        }
        let uid = Uid::effective();
        if uid.is_root() {
            return Ok(Self::Range { first: ROOT_RANGE });
        }
        let restricted =
            fs::read_to_string("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
                .unwrap_or_default();
        if restricted.trim() == "1" {
            return Err(HostError::NotAllowed {
                message: "AppArmor on this machine lets no ordinary user make user namespaces".to_owned(),
                advice: "Run isosmith with sudo, or install the Isosmith package, whose AppArmor profile allows it."
                    .to_owned(),
            });
        }
        let name = nix::unistd::User::from_uid(uid)
            .ok()
            .flatten()
            .map_or_else(|| uid.to_string(), |user| user.name);
        let range = |path: &str| {
            let table = fs::read_to_string(path).unwrap_or_default();
            subordinate_range(&table, &name, uid.as_raw())
        };
        let (Some(uids), Some(gids)) = (range("/etc/subuid"), range("/etc/subgid")) else {
            return Err(HostError::NotAllowed {
                message: format!("the user {name} has no {ID_COUNT} subordinate ids"),
                advice: format!(
                    "Run isosmith with sudo, or let root run: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {name}"
                ),
            });
        };
        for tool in ["newuidmap", "newgidmap"] {
            if !Path::new("/usr/bin").join(tool).exists() {
                return Err(HostError::NotAllowed {
                    message: format!("the program {tool} is missing"),
                    advice: "Run isosmith with sudo, or install the package uidmap.".to_owned(),
                });
            }
        }
        Ok(Self::Subordinate {
            uid: uid.as_raw(),
            gid: Gid::effective().as_raw(),
            uids,
            gids,
        })
    }

    /// Owner (uid, gid) outside of what root inside makes.
    pub fn root_outside(&self) -> (u32, u32) {
        match self {
            Self::Range { first } => (*first, *first),
            Self::Subordinate { uid, gid, .. } => (*uid, *gid),
        }
    }
}

/// First and count of a big enough range of `name` (or of the same user by number) in a table
/// of subuid(5).
fn subordinate_range(table: &str, name: &str, uid: u32) -> Option<(u32, u32)> {
    table.lines().find_map(|line| {
        let mut fields = line.trim().split(':');
        let owner = fields.next()?;
        let first = fields.next()?.parse().ok()?;
        let count: u32 = fields.next()?.parse().ok()?;
        let ours = owner == name || owner == uid.to_string();
        (ours && count >= ID_COUNT - 1).then_some((first, ID_COUNT - 1))
    })
}

#[derive(Debug, Serialize, Deserialize)]
struct Plan {
    world: Sandbox,
    /// Whether the user namespace comes before the mounts: an ordinary user may not mount
    /// without one, while root can bind folders that the ids inside may not even search.
    user_namespace_first: bool,
    job: String,
}

/// A build at work.
#[derive(Debug)]
pub struct Worker {
    child: Child,
    life: Option<OwnedFd>,
}

impl Worker {
    /// Starts a build in a world that holds the machine's programs read-only, and `folders`
    /// for it to change, each at the path that it has outside.
    ///
    /// `job` is handed to the function given to [`entry`]; whatever that function writes to
    /// the stream it gets can be read from the returned one.
    ///
    /// # Errors
    ///
    /// [`HostError::Namespace`] when the kernel refuses a namespace.
    pub fn start(ids: &Ids, folders: &[PathBuf], job: String) -> Result<(Self, File), HostError> {
        let plan = Plan {
            world: world(folders),
            user_namespace_first: matches!(ids, Ids::Subordinate { .. }),
            job,
        };
        let text = serde_json::to_vec(&plan)
            .map_err(|error| HostError::io("write the worker's plan", io::Error::other(error)))?;
        Self::spawn(ids, &text).map_err(|error| HostError::Namespace {
            what: format!("the build's namespaces ({})", error.what),
            source: error.source,
        })
    }

    fn spawn(ids: &Ids, plan: &[u8]) -> Result<(Self, File), SetupError> {
        let memory =
            memfd_create(c"plan", MFdFlags::MFD_CLOEXEC).map_err(failed("hold the plan"))?;
        let mut memory = File::from(memory);
        memory
            .write_all(plan)
            .and_then(|()| io::Seek::rewind(&mut memory))
            .map_err(failed("hold the plan"))?;
        let (mut sync, sync_end) = UnixStream::pair().map_err(failed("make a socket"))?;
        let (life_end, life) = pipe2(OFlag::O_CLOEXEC).map_err(failed("make a pipe"))?;
        let numbers = [
            (duplicate(memory.as_raw_fd())?, PLAN_FD),
            (duplicate(sync_end.as_raw_fd())?, SYNC_FD),
            (duplicate(life_end.as_raw_fd())?, LIFE_FD),
        ];
        let raw = numbers
            .each_ref()
            .map(|(fd, number)| (fd.as_raw_fd(), *number));

        let mut command = Command::new("/proc/self/exe");
        command
            .arg0(ARG0)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        for name in ["RUST_LOG", "RUST_BACKTRACE"] {
            if let Ok(value) = std::env::var(name) {
                command.env(name, value);
            }
        }
        // SAFETY: between fork and exec only dup2 is called, which is async-signal-safe; the
        // descriptors live until after the spawn.
        unsafe {
            command.pre_exec(move || {
                for (fd, number) in raw {
                    if libc::dup2(fd, number) < 0 {
                        return Err(io::Error::last_os_error());
                    }
                }
                Ok(())
            });
        }
        let mut child = command.spawn().map_err(failed("start the worker"))?;
        drop((numbers, sync_end, life_end));
        let events = child.stdout.take().map(OwnedFd::from).map(File::from);
        let mut worker = Self {
            child,
            life: Some(life),
        };
        worker.introduce(ids, &mut sync)?;
        let events = events.ok_or_else(|| SetupError {
            what: "read the worker's events".to_owned(),
            source: io::ErrorKind::BrokenPipe.into(),
        })?;
        Ok((worker, events))
    }

    /// Answers what the worker asks while it makes its namespaces.
    fn introduce(&mut self, ids: &Ids, sync: &mut UnixStream) -> Result<(), SetupError> {
        loop {
            let mut word = [0];
            match sync.read(&mut word) {
                Ok(1) if word == *b"m" => {
                    write_maps(ids, self.child.id())?;
                    sync.write_all(b"k").map_err(failed("answer the worker"))?;
                }
                Ok(1) if word == *b"r" => return Ok(()),
                Ok(_) => {
                    let mut text = String::new();
                    let _ = sync.read_to_string(&mut text);
                    let _ = self.child.wait();
                    return Err(SetupError {
                        what: if text.is_empty() {
                            "the worker ended early".to_owned()
                        } else {
                            text
                        },
                        source: io::ErrorKind::Other.into(),
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed("hear the worker")(error)),
            }
        }
    }

    /// Its process id outside; for tests that kill it.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends the build at once: every process of it is gone when this returns.
    ///
    /// # Errors
    ///
    /// When it cannot be waited for.
    pub fn end(&mut self) -> io::Result<ExitStatus> {
        self.life = None;
        self.child.wait()
    }

    /// Waits until the build has ended by itself.
    ///
    /// # Errors
    ///
    /// When it cannot be waited for.
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

fn duplicate(fd: i32) -> Result<OwnedFd, SetupError> {
    // SAFETY: the caller's descriptor is open for the length of this call.
    let borrowed = unsafe { std::os::fd::BorrowedFd::borrow_raw(fd) };
    let number =
        fcntl(borrowed, FcntlArg::F_DUPFD_CLOEXEC(64)).map_err(failed("duplicate a descriptor"))?;
    // SAFETY: fcntl has just made this descriptor and nobody else knows of it.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

fn write_maps(ids: &Ids, pid: u32) -> Result<(), SetupError> {
    match ids {
        Ids::Range { first } => {
            let map = format!("0 {first} {ID_COUNT}\n");
            for name in ["uid_map", "gid_map"] {
                fs::write(format!("/proc/{pid}/{name}"), &map)
                    .map_err(failed(format!("write the {name}")))?;
            }
            Ok(())
        }
        Ids::Subordinate {
            uid,
            gid,
            uids,
            gids,
        } => {
            for (tool, own, (first, count)) in [("newuidmap", uid, uids), ("newgidmap", gid, gids)]
            {
                let output = Command::new(Path::new("/usr/bin").join(tool))
                    .env_clear()
                    .stdin(Stdio::null())
                    .args([pid.to_string(), "0".into(), own.to_string(), "1".into()])
                    .args(["1".into(), first.to_string(), count.to_string()])
                    .output()
                    .map_err(failed(format!("run {tool}")))?;
                if !output.status.success() {
                    return Err(SetupError {
                        what: format!("{tool}: {}", String::from_utf8_lossy(&output.stderr).trim()),
                        source: io::ErrorKind::PermissionDenied.into(),
                    });
                }
            }
            Ok(())
        }
    }
}

/// What a worker sees: programs, name resolution, certificates, devices, and our folders.
fn world(folders: &[PathBuf]) -> Sandbox {
    let mut world = Sandbox::empty("worker")
        .with(Op::Bind { from: "/proc".into(), to: "/proc".into(), read_only: false })
        .with(Op::Dev)
        .with(Op::Sys)
        .with(Op::Tmpfs { to: "/run".into(), mode: 0o1777 })
        .with(Op::Tmpfs { to: "/tmp".into(), mode: 0o1777 })
        .bind_ro(Path::new("/usr"), "/usr")
        .file("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n_apt:x:42:65534::/nonexistent:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n", 0o644)
        .file("/etc/group", "root:x:0:\nnogroup:x:65534:\n", 0o644)
        .file("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n", 0o644);
    for name in ["bin", "sbin", "lib", "lib32", "lib64", "libx32"] {
        let path = Path::new("/").join(name);
        match fs::read_link(&path) {
            Ok(target) => world = world.with(Op::Symlink { target, to: path }),
            Err(_) if path.is_dir() => world = world.bind_ro(&path, path.clone()),
            Err(_) => {}
        }
    }
    for name in [
        "/etc/resolv.conf",
        "/etc/hosts",
        "/etc/ssl/certs",
        "/etc/ld.so.cache",
        "/etc/alternatives",
    ] {
        // Resolved outside: resolv.conf is often a link into /run.
        if let Ok(real) = fs::canonicalize(name) {
            world = world.bind_ro(&real, name);
        }
    }
    folders
        .iter()
        .fold(world, |world, folder| world.bind(folder, folder.clone()))
}

/// Must be the first call of `main` in every program that starts builds: this program starts
/// itself again, and in those processes this function does not return.
///
/// `build` gets the job and the stream that the starter reads; what it returns becomes the
/// exit status.
pub fn entry(build: fn(job: String, events: File) -> i32) {
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
    build: fn(String, File) -> i32,
) -> Result<Infallible, SetupError> {
    let mut text = Vec::new();
    plan.read_to_end(&mut text)
        .map_err(failed("read the plan"))?;
    let plan: Plan = serde_json::from_slice(&text).map_err(failed("read the plan"))?;
    for fd in [&life as &dyn AsRawFd, sync] {
        // SAFETY: sets a flag on a descriptor of ours.
        unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFD, libc::FD_CLOEXEC) };
    }
    let _ = setsid();
    if plan.user_namespace_first {
        enter_user_namespace(sync)?;
    }
    unshare(CloneFlags::CLONE_NEWNS).map_err(failed("make a mount namespace"))?;
    setup::new_root(&plan.world.ordered())?;
    if !plan.user_namespace_first {
        enter_user_namespace(sync)?;
    }
    unshare(
        CloneFlags::CLONE_NEWNS
            | CloneFlags::CLONE_NEWPID
            | CloneFlags::CLONE_NEWIPC
            | CloneFlags::CLONE_NEWUTS
            | CloneFlags::CLONE_NEWCGROUP,
    )
    .map_err(failed("make namespaces"))?;
    // SAFETY: this process has one thread.
    match unsafe { fork() }.map_err(failed("fork"))? {
        ForkResult::Parent { child } => {
            drop(life);
            process::exit(match waitpid(child, None) {
                Ok(WaitStatus::Exited(_, code)) => code,
                _ => 125,
            })
        }
        ForkResult::Child => first_process(plan.job, sync, &life, build),
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

fn first_process(
    job: String,
    sync: &mut UnixStream,
    life: &File,
    build: fn(String, File) -> i32,
) -> Result<Infallible, SetupError> {
    mount(
        Some("proc"),
        "/proc",
        Some("proc"),
        MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC,
        None::<&str>,
    )
    .map_err(failed("mount /proc"))?;
    sethostname("isosmith").map_err(failed("set the host name"))?;
    let children = child_signals().map_err(failed("watch children"))?;
    // SAFETY: this process has one thread.
    match unsafe { fork() }.map_err(failed("fork"))? {
        ForkResult::Parent { child } => process::exit(match attend(child, life, &children) {
            Report::Exited(code) => code,
            Report::Killed(_) | Report::Missing | Report::Failed(_) => 125,
        }),
        ForkResult::Child => {
            let _ = nix::sys::signal::SigSet::empty().thread_set_mask();
            sync.write_all(b"r").map_err(failed("report"))?;
            let _ = sync.shutdown(std::net::Shutdown::Both);
            // SAFETY: standard output is the pipe that the starter reads, and nothing else
            // here uses it.
            let events = unsafe { File::from_raw_fd(1) };
            process::exit(build(job, events))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subordinate_range_must_be_big_enough_and_ours() {
        let table = "other:100000:65536\nada:165536:65536\n1001:300000:65535\nsmall:1:100\n";
        for (name, uid, want) in [
            ("ada", 1000, Some((165_536, 65_535))),
            ("eve", 1001, Some((300_000, 65_535))),
            ("small", 1002, None),
            ("nobody", 1003, None),
        ] {
            assert_eq!(subordinate_range(table, name, uid), want, "{name}");
        }
    }
}
