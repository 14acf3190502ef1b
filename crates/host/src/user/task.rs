//! A piece of work, seen by whoever has started it.

use std::{
    io::{self, Read},
    os::fd::{AsFd, OwnedFd},
    process::Child,
    thread,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
};

use super::READY;
use crate::HostError;

/// Most bytes that a task's answer may have.
const LONGEST_ANSWER: usize = 1 << 20;

/// How long a killed child is waited for. It cannot end while it waits for a filesystem that
/// does not answer.
const DIES: Duration = Duration::from_secs(2);

/// Says when, and why, a child is waited for no longer.
type GiveUp<'a> = Option<&'a dyn Fn() -> Option<io::ErrorKind>>;

/// A piece of work that has begun. Dropping it ends the work.
#[derive(Debug)]
#[must_use = "the work ends when this is dropped"]
pub struct UserTask {
    child: Child,
    life: Option<OwnedFd>,
    what: String,
    /// Whether nobody waits for it any more.
    left_behind: bool,
}

/// How a piece of work ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserAnswer {
    /// Whether its exit status was 0.
    pub success: bool,
    /// What it wrote to its standard output, without the last line end; one line of JSON by
    /// agreement with the task.
    pub text: String,
}

impl UserTask {
    pub(super) fn new(child: Child, life: OwnedFd, what: String) -> Self {
        Self {
            child,
            life: Some(life),
            what,
            left_behind: false,
        }
    }

    /// Its process id; for tests that look at it.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the end, and takes the answer, of which everything beyond a mebibyte is cut
    /// off.
    ///
    /// # Errors
    ///
    /// [`HostError::Io`] when the child could not become the user, and then it has done
    /// nothing; or when it cannot be waited for.
    pub fn finish(mut self) -> Result<UserAnswer, HostError> {
        self.hear(None)
            .map_err(|source| HostError::io(self.what.clone(), source))
    }

    /// Like [`UserTask::finish`], but ends the work as soon as nobody wants it any more. The
    /// user may have made it stand still (kill(2)), so it is killed, and what it was about is
    /// half done.
    ///
    /// # Errors
    ///
    /// Those of [`UserTask::finish`], and [`HostError::Io`] of kind
    /// [`Interrupted`](io::ErrorKind::Interrupted).
    pub fn finish_while(mut self, wanted: &dyn Fn() -> bool) -> Result<UserAnswer, HostError> {
        let give_up = || (!wanted()).then_some(io::ErrorKind::Interrupted);
        self.hear(Some(&give_up))
            .map_err(|source| HostError::io(self.what.clone(), source))
    }

    /// Like [`UserTask::finish`], but gives up after `most`. A folder of the user's may be
    /// served by a program of the user's (fuse(4)) that never answers, so the child is killed;
    /// what waits for such a program cannot always be ended, and is left behind then, with the
    /// user's rights and nothing else.
    ///
    /// # Errors
    ///
    /// Those of [`UserTask::finish`], and [`HostError::Io`] of kind
    /// [`TimedOut`](io::ErrorKind::TimedOut).
    pub fn finish_within(mut self, most: Duration) -> Result<UserAnswer, HostError> {
        let until = Instant::now() + most;
        let give_up = || (Instant::now() >= until).then_some(io::ErrorKind::TimedOut);
        self.hear(Some(&give_up))
            .map_err(|source| HostError::io(self.what.clone(), source))
    }

    fn hear(&mut self, give_up: GiveUp<'_>) -> io::Result<UserAnswer> {
        let mut text = Vec::new();
        if let Some(mut output) = self.child.stdout.take() {
            let mut chunk = [0; 4096];
            while text.len() < LONGEST_ANSWER {
                self.wait_for(&output, give_up)?;
                match output.read(&mut chunk)? {
                    0 => break,
                    count => text.extend_from_slice(&chunk[..count]),
                }
            }
        }
        text.truncate(LONGEST_ANSWER);
        let status = loop {
            if give_up.is_none() {
                break self.child.wait()?;
            }
            if let Some(status) = self.child.try_wait()? {
                break status;
            }
            self.goes_on(give_up)?;
            thread::sleep(Duration::from_millis(5));
        };
        let text = String::from_utf8_lossy(&text);
        let (first, answer) = text.split_once('\n').unwrap_or((&text, ""));
        if first != READY {
            let why = if first.is_empty() {
                format!("the child ended with {status} before it became the user")
            } else {
                first.to_owned()
            };
            return Err(io::Error::other(why));
        }
        Ok(UserAnswer {
            success: status.success(),
            text: answer.strip_suffix('\n').unwrap_or(answer).to_owned(),
        })
    }

    /// Waits until there is something to read.
    fn wait_for(&mut self, output: &impl AsFd, give_up: GiveUp<'_>) -> io::Result<()> {
        loop {
            let mut fds = [PollFd::new(output.as_fd(), PollFlags::POLLIN)];
            match poll(&mut fds, PollTimeout::from(200_u8)) {
                Ok(0) | Err(Errno::EINTR) => self.goes_on(give_up)?,
                Ok(_) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Ends the child when nobody waits for it any more; leaves it to itself if it does not
    /// even end then.
    fn goes_on(&mut self, give_up: GiveUp<'_>) -> io::Result<()> {
        let Some(why) = give_up.and_then(|why| why()) else {
            return Ok(());
        };
        let _ = self.child.kill();
        let until = Instant::now() + DIES;
        while self.child.try_wait()?.is_none() {
            if Instant::now() >= until {
                self.left_behind = true;
                break;
            }
            thread::sleep(Duration::from_millis(5));
        }
        Err(why.into())
    }
}

impl Drop for UserTask {
    fn drop(&mut self) {
        self.life = None;
        // Its output may be full; nobody reads it any more.
        self.child.stdout = None;
        if !self.left_behind {
            let _ = self.child.wait();
        }
    }
}
