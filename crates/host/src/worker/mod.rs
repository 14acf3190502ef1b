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
//!
//! Where the kernel makes no user namespaces, root can still build, with less between the
//! build and the machine; see [`Ids::Same`].
#![allow(unsafe_code)]

mod ids;
mod introduction;
mod modest;
mod process;
mod world;

use std::{
    fs::File,
    io::{self, Write},
    os::{
        fd::{AsRawFd, FromRawFd, OwnedFd},
        unix::{net::UnixStream, process::CommandExt},
    },
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError, Weak},
};

use isosmith_protocol::Isolation;
use nix::{
    fcntl::{FcntlArg, OFlag, fcntl},
    sys::memfd::{MFdFlags, memfd_create},
    unistd::pipe2,
};
use serde::{Deserialize, Serialize};

use crate::{
    HostError,
    sandbox::{
        Sandbox,
        setup::{SetupError, failed},
    },
};

pub use ids::{Ids, Weaker};
pub use modest::step_far_back;
pub use process::entry;

const ARG0: &str = "isosmith-worker";
const PLAN_FD: i32 = 3;
const SYNC_FD: i32 = 4;
const LIFE_FD: i32 = 5;

#[derive(Debug, Serialize, Deserialize)]
struct Plan {
    world: Sandbox,
    isolation: Isolation,
    /// Whether the user namespace comes before the mounts: an ordinary user may not mount
    /// without one, while root can bind folders that the ids inside may not even search.
    user_namespace_first: bool,
    /// `None` only finds out whether a build could be started.
    job: Option<String>,
}

/// A build that has begun.
#[derive(Debug)]
pub struct Started {
    /// Its life: dropping this ends it.
    pub worker: Worker,
    /// What it says.
    pub events: File,
    /// What it is told.
    pub control: File,
}

/// What a build talks through.
#[derive(Debug)]
pub struct Channels {
    /// What it is told.
    pub control: File,
    /// What it says.
    pub events: File,
}

/// A build at work.
#[derive(Debug)]
pub struct Worker {
    child: Child,
    life: Life,
}

/// The worker's life: it ends when this pipe is closed.
type Life = Arc<Mutex<Option<OwnedFd>>>;

/// Ends a worker from elsewhere, whatever it is doing. Holding it keeps no worker alive.
#[derive(Debug, Clone)]
pub struct Ender(Weak<Mutex<Option<OwnedFd>>>);

impl Ender {
    /// Ends the build at once. [`Worker::wait`] then returns.
    pub fn end(&self) {
        if let Some(life) = self.0.upgrade() {
            drop(life.lock().unwrap_or_else(PoisonError::into_inner).take());
        }
    }
}

impl Worker {
    /// Starts a build in a world that holds the machine's programs read-only, and `folders`
    /// for it to change, each at the path that it has outside.
    ///
    /// `job` is handed to the function given to [`entry`]; whatever that function writes to
    /// its `events` can be read from [`Started::events`], and what is written to
    /// [`Started::control`] can be read there.
    ///
    /// # Errors
    ///
    /// [`HostError::Namespace`] when the kernel refuses a namespace.
    pub fn start(ids: &Ids, folders: &[PathBuf], job: String) -> Result<Started, HostError> {
        Self::spawn(ids, folders, Some(job)).map_err(no_namespaces)
    }

    /// Makes everything that a build with these ids needs, and lets it go again.
    pub(crate) fn try_out(ids: &Ids) -> Result<(), HostError> {
        Self::spawn(ids, &[], None).map(drop).map_err(no_namespaces)
    }

    fn spawn(ids: &Ids, folders: &[PathBuf], job: Option<String>) -> Result<Started, SetupError> {
        let plan = serde_json::to_vec(&Plan {
            world: world::world(folders),
            isolation: ids.isolation(),
            user_namespace_first: matches!(ids, Ids::Subordinate { .. }),
            job,
        })
        .map_err(failed("write the plan"))?;
        let memory =
            memfd_create(c"plan", MFdFlags::MFD_CLOEXEC).map_err(failed("hold the plan"))?;
        let mut memory = File::from(memory);
        memory
            .write_all(&plan)
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
            .stdin(Stdio::piped())
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
        let control = child.stdin.take().map(OwnedFd::from).map(File::from);
        let mut worker = Self {
            child,
            life: Arc::new(Mutex::new(Some(life))),
        };
        worker.introduce(ids, &mut sync)?;
        let (Some(events), Some(control)) = (events, control) else {
            return Err(SetupError {
                what: "reach the worker".to_owned(),
                source: io::ErrorKind::BrokenPipe.into(),
            });
        };
        Ok(Started {
            worker,
            events,
            control,
        })
    }

    /// Its process id outside; for tests that kill it.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The way to end it from another thread.
    pub fn ender(&self) -> Ender {
        Ender(Arc::downgrade(&self.life))
    }

    /// Ends the build at once: every process of it is gone when this returns.
    ///
    /// # Errors
    ///
    /// When it cannot be waited for.
    pub fn end(&mut self) -> io::Result<ExitStatus> {
        self.ender().end();
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

fn no_namespaces(error: SetupError) -> HostError {
    HostError::Namespace {
        what: format!("the build's namespaces ({})", error.what),
        source: error.source,
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
