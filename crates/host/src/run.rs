//! The one place that starts processes.
#![allow(unsafe_code)]

use std::{
    collections::VecDeque,
    io::{self, Read, Write},
    os::{
        fd::{AsFd, AsRawFd, OwnedFd, RawFd},
        unix::process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use isosmith_protocol::Isolation;
use nix::{
    errno::Errno,
    fcntl::{FcntlArg, FdFlag, OFlag, fcntl},
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::memfd::{MFdFlags, memfd_create},
    unistd::pipe2,
};

use crate::{
    Cancel, Cmd, CmdError, Host, HostError, Stream, Watch,
    mount::{self, MountGuard},
    sandbox::enter::{ARG0, CMD_FD, LIFE_FD, Order, REPORT_FD, Report},
};

/// How many last lines of standard error go into a failure.
const TAIL: usize = 40;

/// How soon a cancel is noticed.
const WAKE: Duration = Duration::from_millis(50);

/// The real machine.
#[derive(Debug, Clone)]
pub struct LinuxHost {
    cancel: Cancel,
    program: PathBuf,
    isolation: Isolation,
}

impl LinuxHost {
    /// A machine whose commands end when `cancel` says so.
    ///
    /// Sandboxes are made by this very program, which must call
    /// [`worker::entry`](crate::worker::entry) first of all.
    pub fn new(cancel: Cancel) -> Self {
        Self {
            cancel,
            program: "/proc/self/exe".into(),
            isolation: Isolation::Namespace,
        }
    }

    /// Says how the build is kept in that this runs the commands of.
    #[must_use]
    pub fn in_isolation(mut self, isolation: Isolation) -> Self {
        self.isolation = isolation;
        self
    }

    /// Takes another program of ours to make sandboxes; for tests, whose own program cannot.
    #[must_use]
    pub fn with_program(mut self, program: impl Into<PathBuf>) -> Self {
        self.program = program.into();
        self
    }
}

impl Host for LinuxHost {
    fn run(&self, cmd: &Cmd, watch: &mut dyn Watch) -> Result<(), CmdError> {
        tracing::debug!(command = %cmd, "run");
        if self.cancel.is_cancelled() {
            return Err(CmdError::Cancelled {
                program: cmd.program.clone(),
            });
        }
        let running = Running::start(cmd, self.isolation, &self.program).map_err(|source| {
            CmdError::Spawn {
                program: cmd.program.clone(),
                command: cmd.to_string(),
                source,
            }
        })?;
        running.attend(cmd, watch, &self.cancel)
    }

    fn overlay(
        &self,
        lower: &[PathBuf],
        upper: &Path,
        work: &Path,
        at: &Path,
    ) -> Result<MountGuard, HostError> {
        mount::overlay(lower, upper, work, at).map_err(|source| HostError::Mount {
            what: "an overlay".to_owned(),
            at: at.to_owned(),
            source,
        })
    }

    fn cancel(&self) -> &Cancel {
        &self.cancel
    }
}

/// A command at work.
struct Running {
    child: Child,
    /// Closing it ends everything in the sandbox.
    life: Option<OwnedFd>,
    report: OwnedFd,
}

impl Running {
    fn start(cmd: &Cmd, isolation: Isolation, program: &Path) -> io::Result<Self> {
        let order = Order {
            cmd: cmd.clone(),
            isolation,
        };
        let command = memfd_create(c"command", MFdFlags::MFD_CLOEXEC)?;
        let mut command = std::fs::File::from(command);
        command.write_all(&serde_json::to_vec(&order)?)?;
        io::Seek::rewind(&mut command)?;
        let (report, report_end) = pipe2(OFlag::O_CLOEXEC)?;
        let (life_end, life) = pipe2(OFlag::O_CLOEXEC)?;
        let handed = [
            (high(&command)?, CMD_FD),
            (high(&report_end)?, REPORT_FD),
            (high(&life_end)?, LIFE_FD),
        ];

        let mut spawn = Command::new(program);
        spawn
            .arg0(ARG0)
            .env_clear()
            .stdin(if cmd.input.is_empty() {
                Stdio::null()
            } else {
                Stdio::piped()
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let numbers = handed
            .each_ref()
            .map(|(fd, number)| (fd.as_raw_fd(), *number));
        // SAFETY: between fork and exec only dup2 is called, which is async-signal-safe; the
        // descriptors live until after the spawn.
        unsafe {
            spawn.pre_exec(move || {
                for (fd, number) in numbers {
                    if libc::dup2(fd, number) < 0 {
                        return Err(io::Error::last_os_error());
                    }
                }
                Ok(())
            });
        }
        let mut child = spawn.spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            let input = cmd.input.clone();
            // A command that does not read all of its input is not an error of ours.
            thread::spawn(move || drop(stdin.write_all(&input)));
        }
        Ok(Self {
            child,
            life: Some(life),
            report,
        })
    }

    fn attend(mut self, cmd: &Cmd, watch: &mut dyn Watch, cancel: &Cancel) -> Result<(), CmdError> {
        let result = self.follow(cmd, watch, cancel);
        // Whatever happened: nothing of the command is left when this returns.
        self.life = None;
        let _ = self.child.wait();
        let tails = result?;
        self.verdict(cmd, tails, cancel)
    }

    /// Reads both outputs to their end.
    fn follow(
        &mut self,
        cmd: &Cmd,
        watch: &mut dyn Watch,
        cancel: &Cancel,
    ) -> Result<Tails, CmdError> {
        let spawn_error = |source: io::Error| CmdError::Spawn {
            program: cmd.program.clone(),
            command: cmd.to_string(),
            source,
        };
        let stdout = self
            .child
            .stdout
            .take()
            .ok_or_else(|| spawn_error(io::ErrorKind::BrokenPipe.into()))?;
        let stderr = self
            .child
            .stderr
            .take()
            .ok_or_else(|| spawn_error(io::ErrorKind::BrokenPipe.into()))?;
        let mut sources = [
            Some(Source::new(Stream::Stdout, OwnedFd::from(stdout))),
            Some(Source::new(Stream::Stderr, OwnedFd::from(stderr))),
        ];
        let mut tails = Tails::default();
        let mut buffer = vec![0; 256 * 1024];
        while sources.iter().any(Option::is_some) {
            if cancel.is_cancelled() {
                return Err(CmdError::Cancelled {
                    program: cmd.program.clone(),
                });
            }
            let ready = wait_for(&sources).map_err(spawn_error)?;
            for (slot, ready) in sources.iter_mut().zip(ready) {
                let Some(source) = slot.as_mut().filter(|_| ready) else {
                    continue;
                };
                let count = source.file.read(&mut buffer).map_err(spawn_error)?;
                let chunk = &buffer[..count];
                if source.stream == Stream::Stdout && cmd.binary_output {
                    watch.bytes(chunk).map_err(|source| CmdError::Output {
                        program: cmd.program.clone(),
                        source,
                    })?;
                } else {
                    source.take(chunk, &mut |stream, line| {
                        tails.push(stream, line);
                        watch.line(stream, line);
                    });
                }
                if count == 0 {
                    *slot = None;
                }
            }
        }
        Ok(tails)
    }

    fn verdict(self, cmd: &Cmd, tails: Tails, cancel: &Cancel) -> Result<(), CmdError> {
        let mut text = String::new();
        // The pipe's other ends are closed by now: all of them belonged to the sandbox.
        let _ = std::fs::File::from(self.report).read_to_string(&mut text);
        let reports: Vec<Report> = text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        let program = cmd.program.clone();
        let command = cmd.to_string();
        let failure = |status: String, code| CmdError::Failed {
            program: program.clone(),
            command: command.clone(),
            status,
            code,
            tail: tails.chosen(),
        };
        match reports.first() {
            Some(Report::Missing) => Err(CmdError::Missing { program, command }),
            Some(Report::Failed(what)) => Err(CmdError::Sandbox {
                program,
                command,
                what: what.clone(),
            }),
            Some(Report::Exited(0)) => Ok(()),
            Some(Report::Exited(code)) => Err(failure(format!("exit status {code}"), Some(*code))),
            Some(Report::Killed(signal)) => Err(failure(format!("signal {signal}"), None)),
            None if cancel.is_cancelled() => Err(CmdError::Cancelled { program }),
            // Nobody in the sandbox lived to say how it ended.
            None => Err(failure("signal 9".to_owned(), None)),
        }
    }
}

/// A duplicate whose number cannot collide with the fixed ones.
fn high(fd: &impl AsFd) -> io::Result<OwnedFd> {
    let number = fcntl(fd, FcntlArg::F_DUPFD_CLOEXEC(64))?;
    // SAFETY: fcntl has just made this descriptor and nobody else knows of it.
    let owned = unsafe { <OwnedFd as std::os::fd::FromRawFd>::from_raw_fd(number as RawFd) };
    fcntl(&owned, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    Ok(owned)
}

fn wait_for(sources: &[Option<Source>; 2]) -> io::Result<[bool; 2]> {
    let open: Vec<(usize, &Source)> = sources
        .iter()
        .enumerate()
        .filter_map(|(index, source)| Some((index, source.as_ref()?)))
        .collect();
    let mut fds: Vec<PollFd<'_>> = open
        .iter()
        .map(|(_, source)| PollFd::new(source.file.as_fd(), PollFlags::POLLIN))
        .collect();
    let timeout = PollTimeout::try_from(WAKE).unwrap_or(PollTimeout::ZERO);
    match poll(&mut fds, timeout) {
        Ok(_) | Err(Errno::EINTR) => {}
        Err(error) => return Err(error.into()),
    }
    let mut ready = [false; 2];
    for ((index, _), fd) in open.iter().zip(&fds) {
        ready[*index] = fd.any().unwrap_or(false);
    }
    Ok(ready)
}

/// One output, cut into lines.
struct Source {
    stream: Stream,
    file: std::fs::File,
    partial: Vec<u8>,
}

impl Source {
    fn new(stream: Stream, fd: OwnedFd) -> Self {
        Self {
            stream,
            file: fd.into(),
            partial: Vec::new(),
        }
    }

    /// Takes in `chunk`; an empty one is the end and gives out a last line without line end.
    fn take(&mut self, chunk: &[u8], give: &mut dyn FnMut(Stream, &str)) {
        let mut give_line = |bytes: &[u8]| {
            if !bytes.is_empty() {
                give(self.stream, &String::from_utf8_lossy(bytes));
            }
        };
        if chunk.is_empty() {
            give_line(&std::mem::take(&mut self.partial));
            return;
        }
        for &byte in chunk {
            match byte {
                b'\n' | b'\r' => {
                    give_line(&self.partial);
                    self.partial.clear();
                }
                // No honest line is this long; memory stays bounded.
                _ if self.partial.len() >= 64 * 1024 => {
                    give_line(&self.partial);
                    self.partial.clear();
                    self.partial.push(byte);
                }
                _ => self.partial.push(byte),
            }
        }
    }
}

/// The last lines of each output.
#[derive(Default)]
struct Tails {
    stdout: VecDeque<String>,
    stderr: VecDeque<String>,
}

impl Tails {
    fn push(&mut self, stream: Stream, line: &str) {
        let tail = match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        };
        if tail.len() == TAIL {
            tail.pop_front();
        }
        tail.push_back(line.to_owned());
    }

    /// Standard error, or standard output of a program that writes its errors there.
    fn chosen(&self) -> Vec<String> {
        let tail = if self.stderr.is_empty() {
            &self.stdout
        } else {
            &self.stderr
        };
        tail.iter().cloned().collect()
    }
}
