//! Polkit's question on a terminal, where no desktop shows it.

use std::{
    fs,
    io::{self, IsTerminal, PipeReader, Read},
    os::fd::{AsFd, AsRawFd},
    path::Path,
    process::{Child, Command, Stdio},
};

use nix::{
    fcntl::{FcntlArg, FdFlag, fcntl},
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::signal::{Signal, kill},
    unistd::{Pid, Uid},
};

/// Where polkit installs it; never looked up, so that `PATH` cannot put another in its place.
const PROGRAM: &str = "/usr/bin/pkttyagent";

/// An authentication agent of polkit for this process, as long as the value lives.
#[derive(Debug)]
pub struct Agent(Child);

impl Agent {
    /// Starts one if a person is at a terminal, and waits until polkit knows it. Where an agent
    /// of the session is there, that one asks. Without any, a question is a refusal, and that
    /// says what to do.
    pub fn on_terminal() -> Option<Self> {
        if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
            return None;
        }
        match Self::start(PROGRAM, in_a_session()) {
            Ok(agent) => Some(agent),
            Err(error) => {
                tracing::debug!(%error, "no agent of polkit on this terminal");
                None
            }
        }
    }

    /// With `fallback`, an agent of the session goes first.
    fn start(program: &str, fallback: bool) -> io::Result<Self> {
        let (known, notify) = io::pipe()?;
        // Inherited, and closed by the agent once it is registered.
        fcntl(&notify, FcntlArg::F_SETFD(FdFlag::empty()))?;
        let child = Command::new(program)
            .arg("--process")
            .arg(std::process::id().to_string())
            .arg("--notify-fd")
            .arg(notify.as_raw_fd().to_string())
            .args(fallback.then_some("--fallback"))
            // Standard output is for where the ISO is.
            .stdout(Stdio::null())
            .spawn()?;
        drop(notify);
        let agent = Self(child);
        wait_for_close(known)?;
        Ok(agent)
    }
}

/// Whether polkit will find a session for this process, by what logind says of it: its
/// control group, or a session of its user (sd_pid_get_session(3), sd_uid_get_display(3)).
/// Without a session polkit passes over agents that are a fallback, and there is nothing to
/// fall back from.
fn in_a_session() -> bool {
    let group = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let user = format!("/run/systemd/users/{}", Uid::current());
    is_of_a_session(&group) || Path::new(&user).exists()
}

fn is_of_a_session(group: &str) -> bool {
    group
        .split(['/', '\n'])
        .any(|part| part.starts_with("session-") && part.ends_with(".scope"))
}

/// Waits until the other end is closed, at most ten seconds.
fn wait_for_close(mut pipe: PipeReader) -> io::Result<()> {
    let mut wanted = [PollFd::new(pipe.as_fd(), PollFlags::POLLIN)];
    if poll(&mut wanted, PollTimeout::from(10_000u16))? == 0 {
        return Err(io::Error::other("the agent is not ready after ten seconds"));
    }
    pipe.read(&mut [0]).map(drop)
}

impl Drop for Agent {
    fn drop(&mut self) {
        // Not killed: it gives the terminal back as it was.
        let asked = i32::try_from(self.0.id())
            .map(|id| kill(Pid::from_raw(id), Signal::SIGTERM))
            .is_ok();
        if !asked {
            let _ = self.0.kill();
        }
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An agent that does `words` with the descriptor `$fd`.
    fn agent(words: &str) -> (tempfile::TempDir, io::Result<Agent>) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("agent");
        let text = format!(
            "#!/bin/bash\n[ \"$1 $3 $5\" = '--process --notify-fd --fallback' ] || exit 3\n\
             echo $2 > {}/asked\nfd=$4\n{words}\n",
            folder.path().display()
        );
        // Written by another process: a file that this one has open for writing while another
        // test starts a program cannot be run (execve(2), ETXTBSY).
        let written = Command::new("sh")
            .args(["-c", "printf %s \"$2\" > \"$1\" && chmod 755 \"$1\"", "sh"])
            .args([path.as_os_str(), text.as_ref()])
            .status();
        assert!(written.expect("a shell").success());
        let started = Agent::start(path.to_str().expect("text"), true);
        (folder, started)
    }

    #[test]
    fn it_is_waited_for_and_ended() {
        let (folder, started) = agent("eval \"exec $fd>&-\"; exec sleep 600");
        let started = started.expect("started");
        let asked = std::fs::read_to_string(folder.path().join("asked")).expect("written");
        assert_eq!(asked.trim(), std::process::id().to_string());
        let id = started.0.id();
        drop(started);
        assert!(!std::path::Path::new(&format!("/proc/{id}")).exists());
    }

    #[test]
    fn a_session_is_seen_in_the_control_group() {
        for (group, want) in [
            ("0::/user.slice/user-1000.slice/session-3.scope\n", true),
            ("0::/user.slice/user-1000.slice/session-c1.scope/x\n", true),
            (
                "0::/user.slice/user-1000.slice/user@1000.service/app.slice/x\n",
                false,
            ),
            ("0::/system.slice/session-cleanup.service\n", false),
            ("", false),
        ] {
            assert_eq!(is_of_a_session(group), want, "{group}");
        }
    }

    #[test]
    fn one_that_ends_at_once_is_no_obstacle() {
        let (_folder, started) = agent("exit 1");
        assert!(started.is_ok());
        assert!(Agent::start("/nonexistent/agent", false).is_err());
    }
}
