//! An answer with one key, while a build asks.

use std::{
    io::{self, IsTerminal},
    os::fd::AsFd,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use isosmith_protocol::{Choice, EventKind};
use nix::{
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr},
    unistd::read,
};

/// Whether a person can be asked, and sees it.
pub fn are_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Listens for `r` and `s` as long as the value lives or until one of them is pressed. The
/// terminal is as before afterwards.
#[derive(Debug)]
pub struct Keys {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Keys {
    /// Hands the choice to `answer`, at most once. `None` without a terminal.
    pub fn listen(answer: impl FnOnce(Choice) + Send + 'static) -> Option<Self> {
        if !are_there() {
            return None;
        }
        let single = Single::set()
            .inspect_err(|error| tracing::debug!(%error, "keys cannot be read"))
            .ok()?;
        let over = Arc::new(AtomicBool::new(false));
        let stop = over.clone();
        let thread = thread::spawn(move || {
            let pressed = wait(&stop);
            drop(single);
            if let Some(choice) = pressed {
                answer(choice);
            }
        });
        Some(Self {
            over,
            thread: Some(thread),
        })
    }

    /// Keeps `keys` as long as a question is open: `listen` gets its number.
    pub fn follow(
        keys: &mut Option<Self>,
        event: &EventKind,
        listen: impl FnOnce(u32) -> Option<Self>,
    ) {
        if let EventKind::Answered { .. } = event {
            *keys = None;
        }
        if let EventKind::Asked { question, .. } = event {
            // The terminal goes back to what it was before it is changed again.
            *keys = None;
            *keys = listen(*question);
        }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn wait(over: &AtomicBool) -> Option<Choice> {
    let stdin = io::stdin();
    while !over.load(Ordering::Relaxed) {
        let mut wanted = [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
        // Short enough to notice that the question is settled.
        let ready = poll(&mut wanted, PollTimeout::from(100u16)).is_ok_and(|count| count > 0);
        if !ready {
            continue;
        }
        let mut key = [0];
        // Past the buffer: what lies in it, `poll` does not see.
        if read(&stdin, &mut key).ok()? == 0 {
            return None;
        }
        if let Some(choice) = meant(key[0]) {
            return Some(choice);
        }
    }
    None
}

const fn meant(key: u8) -> Option<Choice> {
    match key {
        b'r' | b'R' => Some(Choice::Retry),
        b's' | b'S' => Some(Choice::Stop),
        _ => None,
    }
}

/// A terminal that gives each key at once and does not show it; Ctrl-C works as ever.
struct Single(Termios);

impl Single {
    fn set() -> nix::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut single = before.clone();
        single
            .local_flags
            .remove(LocalFlags::ICANON | LocalFlags::ECHO);
        tcsetattr(io::stdin(), SetArg::TCSAFLUSH, &single)?;
        Ok(Self(before))
    }
}

impl Drop for Single {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), SetArg::TCSAFLUSH, &self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_keys_mean_something() {
        for (key, want) in [
            (b'r', Some(Choice::Retry)),
            (b'R', Some(Choice::Retry)),
            (b's', Some(Choice::Stop)),
            (b'\n', None),
            (b'q', None),
            (0x1b, None),
        ] {
            assert_eq!(meant(key), want, "{key}");
        }
    }
}
