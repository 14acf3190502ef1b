//! One viewer: a thread that reads the journal and writes into a pipe.
//!
//! It waits for its own reader only. A viewer that never reads fills its pipe and then costs
//! nothing; the build does not notice.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Write},
    os::fd::{AsFd, OwnedFd},
    thread,
};

use isosmith_protocol::line;
use nix::{
    fcntl::OFlag,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    unistd::pipe2,
};
use serde::Deserialize;

use crate::live::Bell;

/// Enough for what a viewer does; there may be many.
const STACK: usize = 256 << 10;

/// Starts a viewer that gets events from number `from` on, and returns the end that it is read
/// from. `moved` is called whenever the reader has taken something.
///
/// # Errors
///
/// When there are no more descriptors or threads.
pub fn start(bell: Bell, from: u64, moved: impl Fn() + Send + 'static) -> io::Result<OwnedFd> {
    let (read_end, write_end) = pipe2(OFlag::O_CLOEXEC)?;
    // Only our end: whoever reads waits as usual.
    nix::fcntl::fcntl(&write_end, nix::fcntl::FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    let mut viewer = Viewer {
        bell,
        to: File::from(write_end),
        from,
        read: None,
        sent: None,
        moved: Box::new(moved),
    };
    thread::Builder::new()
        .name("viewer".to_owned())
        .stack_size(STACK)
        .spawn(move || {
            // A reader that has gone is the usual end of a viewer.
            if let Err(error) = viewer.run() {
                tracing::debug!(%error, "a viewer has ended");
            }
        })?;
    Ok(read_end)
}

/// As much of an event as is needed to pass it on.
#[derive(Deserialize)]
struct Numbered {
    seq: u64,
}

struct Viewer {
    bell: Bell,
    to: File,
    from: u64,
    /// Number of the last event that was read off the journal.
    read: Option<u64>,
    /// Number of the last event that was passed on.
    sent: Option<u64>,
    moved: Box<dyn Fn() + Send>,
}

impl Viewer {
    fn run(&mut self) -> io::Result<()> {
        while !self.bell.live().glance().begun {
            self.wait()?;
        }
        let mut journal = BufReader::new(File::open(self.bell.live().journal())?);
        loop {
            // First silence, then look: what comes in between rings again.
            self.bell.silence();
            self.pass_on(&mut journal)?;
            let glance = self.bell.live().glance();
            if glance.written > self.read {
                continue;
            }
            if glance.over {
                // It may have ended since the last line was read.
                return self.pass_on(&mut journal);
            }
            for event in glance.lossy {
                if self.is_news(event.seq) {
                    let mut text = Vec::new();
                    line::write(&mut text, &event)?;
                    self.send(event.seq, &text)?;
                }
            }
            self.wait()?;
        }
    }

    /// Passes on every whole line that there is.
    fn pass_on(&mut self, journal: &mut BufReader<File>) -> io::Result<()> {
        let mut text = Vec::new();
        loop {
            text.clear();
            journal.read_until(b'\n', &mut text)?;
            if !text.ends_with(b"\n") {
                // Lines are written in one piece, but not always read so.
                let torn = i64::try_from(text.len()).map_err(io::Error::other)?;
                return journal.seek_relative(-torn);
            }
            let Ok(Numbered { seq }) = serde_json::from_slice(&text) else {
                continue;
            };
            self.read = Some(seq);
            if self.is_news(seq) {
                self.send(seq, &text)?;
            }
        }
    }

    fn is_news(&self, seq: u64) -> bool {
        seq >= self.from && self.sent.is_none_or(|sent| seq > sent)
    }

    fn send(&mut self, seq: u64, mut text: &[u8]) -> io::Result<()> {
        while !text.is_empty() {
            match self.to.write(text) {
                Ok(count) => {
                    text = &text[count..];
                    (self.moved)();
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let mut fds = [PollFd::new(self.to.as_fd(), PollFlags::POLLOUT)];
                    poll_again(&mut fds)?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.sent = Some(seq);
        Ok(())
    }

    /// Until the bell rings.
    ///
    /// # Errors
    ///
    /// When the reader has gone.
    fn wait(&self) -> io::Result<()> {
        let mut fds = [
            PollFd::new(self.bell.sound().as_fd(), PollFlags::POLLIN),
            PollFd::new(self.to.as_fd(), PollFlags::empty()),
        ];
        poll_again(&mut fds)?;
        if fds[1].any() == Some(true) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        if fds[0].any() == Some(true) {
            self.bell.silence();
        }
        Ok(())
    }
}

fn poll_again(fds: &mut [PollFd<'_>]) -> io::Result<()> {
    loop {
        match poll(fds, PollTimeout::NONE) {
            Err(nix::Error::EINTR) => {}
            other => return Ok(other.map(drop)?),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use isosmith_protocol::{
        BuildId, BuildResult, Event, EventKind, Isolation, Level, Metrics, StepId, Stream, Unit,
    };

    use super::*;
    use crate::live::{Greeting, Live, MOST_VIEWERS};

    fn log(seq: u64, text: &str) -> Event {
        Event {
            seq,
            at_ms: seq,
            kind: EventKind::Log {
                step: StepId::new("x"),
                stream: Stream::Engine,
                level: Level::Info,
                line: text.to_owned(),
            },
        }
    }

    fn progress(seq: u64) -> Event {
        Event {
            seq,
            at_ms: seq,
            kind: EventKind::Progress {
                step: StepId::new("x"),
                done: seq,
                total: None,
                unit: Unit::Files,
                note: None,
            },
        }
    }

    fn greeting() -> Greeting {
        Greeting {
            build: BuildId::parse("x").expect("an id"),
            profile: "x".to_owned(),
            started: 0,
            isolation: Isolation::Namespace,
        }
    }

    fn view(live: &Arc<Live>, from: u64) -> BufReader<File> {
        let bell = live
            .watch(1000)
            .expect("descriptors")
            .expect("not too many");
        BufReader::new(File::from(start(bell, from, || {}).expect("started")))
    }

    fn rest(mut reader: BufReader<File>) -> Vec<u64> {
        let mut seqs = Vec::new();
        while let Some(event) = line::read::<Event>(&mut reader).expect("an event") {
            seqs.push(event.seq);
        }
        seqs
    }

    fn next(reader: &mut BufReader<File>) -> Event {
        line::read(reader).expect("an event").expect("not the end")
    }

    fn live() -> (tempfile::TempDir, Arc<Live>) {
        let root = tempfile::tempdir().expect("a temporary folder");
        let live = Live::waiting(&root.path().join("journal.jsonl"));
        (root, live)
    }

    #[test]
    fn a_viewer_begins_anywhere_and_gets_all_to_the_end() {
        let (_root, live) = live();
        // Before anything has begun.
        let early = view(&live, 0);
        live.begin().expect("begun");
        for seq in 0..5 {
            live.tell(&log(seq, "line")).expect("written");
        }
        let middle = view(&live, 3);
        live.tell(&log(5, "line")).expect("written");
        live.end(&greeting(), &BuildResult::Cancelled)
            .expect("ended");
        let late = view(&live, 6);
        let after = view(&live, 99);
        assert_eq!(rest(early), [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(rest(middle), [3, 4, 5, 6]);
        assert_eq!(rest(late), [6]);
        assert_eq!(rest(after), [0; 0]);
    }

    #[test]
    fn a_run_that_never_began_has_a_beginning_and_an_end() {
        let (_root, live) = live();
        live.begin().expect("begun");
        live.end(&greeting(), &BuildResult::Interrupted)
            .expect("ended");
        let mut reader = view(&live, 0);
        assert!(matches!(next(&mut reader).kind, EventKind::Hello { .. }));
        assert!(matches!(next(&mut reader).kind, EventKind::Finished { .. }));
        assert_eq!(rest(reader), [0; 0]);
    }

    #[test]
    fn what_may_be_lost_comes_to_whoever_has_caught_up() {
        let (_root, live) = live();
        live.begin().expect("begun");
        live.tell(&log(0, "first")).expect("written");
        for seq in 1..50 {
            live.tell(&progress(seq)).expect("kept");
        }
        let mut reader = view(&live, 0);
        assert_eq!(next(&mut reader), log(0, "first"));
        assert_eq!(next(&mut reader), progress(49), "only the last word");
        let metrics = Event {
            seq: 50,
            at_ms: 50,
            kind: EventKind::Metrics {
                metrics: Metrics::default(),
            },
        };
        live.tell(&metrics).expect("kept");
        assert_eq!(next(&mut reader), metrics);
        live.tell(&log(51, "last")).expect("written");
        live.end(&greeting(), &BuildResult::Cancelled)
            .expect("ended");
        assert_eq!(rest(reader), [51, 52]);
    }

    #[test]
    fn a_viewer_that_never_reads_holds_nobody_up() {
        let (_root, live) = live();
        live.begin().expect("begun");
        let lazy = view(&live, 0);
        let reader = view(&live, 0);
        let long = "x".repeat(4000);
        for seq in 0..200 {
            live.tell(&log(seq, &long)).expect("written");
        }
        live.end(&greeting(), &BuildResult::Cancelled)
            .expect("ended");
        assert_eq!(rest(reader).len(), 201);
        // It was only slow; it has lost nothing.
        assert_eq!(rest(lazy).len(), 201);
    }

    #[test]
    fn viewers_are_counted_and_a_closed_one_is_gone() {
        let (_root, live) = live();
        live.begin().expect("begun");
        let readers: Vec<_> = (0..MOST_VIEWERS).map(|_| view(&live, 0)).collect();
        assert!(live.watch(1000).expect("descriptors").is_none());
        assert_eq!(live.viewers_of(1000), MOST_VIEWERS);
        assert!(live.watch(1001).expect("descriptors").is_some());
        drop(readers);
        let gone = (0..1000).any(|_| {
            thread::sleep(Duration::from_millis(10));
            live.watch(1000).expect("descriptors").is_some()
        });
        assert!(gone, "closed viewers make room");
    }
}
