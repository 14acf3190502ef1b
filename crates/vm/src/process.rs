//! Starting QEMU so that it cannot be left behind.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The program of this name in `PATH`.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|dir| dir.join(name))
        .find(|path| path.is_file())
}

/// A child that is killed and reaped when this value goes.
#[derive(Debug)]
pub(crate) struct Guard {
    child: Child,
}

impl Guard {
    /// Starts `program` with all three streams as pipes, to be killed by the
    /// kernel when the calling thread ends: through util-linux's setpriv,
    /// because setting that here would take code between fork and exec. Where
    /// setpriv is missing, only this value ends the program.
    pub(crate) fn spawn(program: &Path, args: &[OsString]) -> io::Result<Self> {
        let mut command = match find_program("setpriv") {
            Some(setpriv) => {
                let mut command = Command::new(setpriv);
                command.args(["--pdeathsig", "KILL", "--"]).arg(program);
                command
            }
            None => Command::new(program),
        };
        command
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.spawn().map(|child| Self { child })
    }

    pub(crate) fn take_stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    pub(crate) fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    pub(crate) fn take_stderr(&mut self) -> Option<ChildStderr> {
        self.child.stderr.take()
    }

    /// The exit status, if it has ended.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Waits for its end, at most `patience`.
    pub(crate) fn wait_for(&mut self, patience: Duration) -> Option<ExitStatus> {
        let end = Instant::now() + patience;
        while Instant::now() < end {
            if let Some(status) = self.ended() {
                return Some(status);
            }
            thread::sleep(Duration::from_millis(20));
        }
        self.ended()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_alive(pid: u32) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // A zombie is dead.
        !stat.is_empty() && !stat.contains(") Z ")
    }

    #[test]
    fn a_dropped_guard_leaves_no_process() {
        let guard = Guard::spawn(Path::new("/bin/sleep"), &["1000".into()]).unwrap();
        let pid = guard.child.id();
        assert!(is_alive(pid));
        drop(guard);
        assert!(!is_alive(pid));
    }

    #[test]
    fn a_forgotten_guard_dies_with_its_thread() {
        let run = || {
            let guard = Guard::spawn(Path::new("/bin/sleep"), &["1000".into()]).unwrap();
            let pid = guard.child.id();
            // Long enough for setpriv to have become sleep.
            let program = format!("/proc/{pid}/comm");
            while std::fs::read_to_string(&program).is_ok_and(|name| name.trim() != "sleep") {
                thread::sleep(Duration::from_millis(5));
            }
            std::mem::forget(guard);
            pid
        };
        let pid = thread::spawn(run).join().unwrap();
        for _ in 0..200 {
            if !is_alive(pid) {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("{pid} lives on");
    }
}
