//! A build's events, from wherever they can be had, without a gap.

use std::{
    io::{BufReader, Read},
    thread,
    time::Duration,
};

use isosmith_protocol::{Code, EPOCH, Event, EventKind, line};

use crate::{Error, Result};

/// Where the events of one build come from.
pub trait Source {
    /// What they are read from.
    type Stream: Read;

    /// Opens the events from the number `from` on.
    ///
    /// # Errors
    ///
    /// When they cannot be had. With [`Code::ServiceUnavailable`] or
    /// [`Code::TooManyRequests`] it is tried again.
    fn open(&mut self, from: u64) -> Result<Self::Stream>;

    /// Waits before the try that follows the `tries`th fruitless one.
    fn pause(&mut self, tries: u32) {
        thread::sleep(Duration::from_millis(100 << tries.min(5)));
    }
}

/// The events of a build up to its ending.
///
/// When the stream breaks before the ending, because the service was started anew or killed,
/// it is opened again after the last whole event. `next` waits for events: a program with a
/// reactor reads them on a thread of its own.
#[derive(Debug)]
pub struct Events<S: Source> {
    source: S,
    stream: Option<BufReader<S::Stream>>,
    /// The number of the first event that was not yet seen.
    next: u64,
    /// Tries since the last event.
    tries: u32,
    over: bool,
}

/// After so many tries without a single event it is given up, after about 20 seconds.
const MOST_TRIES: u32 = 10;

impl<S: Source> Events<S> {
    /// The events of `source` from the number `from` on.
    pub fn new(source: S, from: u64) -> Self {
        Self {
            source,
            stream: None,
            next: from,
            tries: 0,
            over: false,
        }
    }

    /// The next event, or why there is none; never called again after the ending.
    fn step(&mut self) -> Result<Event> {
        loop {
            let Some(stream) = &mut self.stream else {
                self.open()?;
                continue;
            };
            match line::read::<Event>(stream) {
                Ok(Some(event)) if event.seq < self.next => {}
                Ok(Some(event)) => {
                    self.next = event.seq + 1;
                    self.tries = 0;
                    return understood(event);
                }
                Ok(None) => self.broken("the stream ended before the build")?,
                // Also the line that a killed service did not finish.
                Err(error) => self.broken(&error.to_string())?,
            }
        }
    }

    fn open(&mut self) -> Result<()> {
        match self.source.open(self.next) {
            Ok(stream) => self.stream = Some(BufReader::new(stream)),
            Err(error) if error.may_pass() && self.tries < MOST_TRIES => self.wait(),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn broken(&mut self, why: &str) -> Result<()> {
        tracing::debug!(why, next = self.next, "the events are opened again");
        self.stream = None;
        if self.tries >= MOST_TRIES {
            return Err(Error::unavailable(why));
        }
        self.wait();
        Ok(())
    }

    fn wait(&mut self) {
        self.tries += 1;
        self.source.pause(self.tries);
    }
}

fn understood(event: Event) -> Result<Event> {
    let EventKind::Hello { epoch, version, .. } = &event.kind else {
        return Ok(event);
    };
    if *epoch == EPOCH {
        return Ok(event);
    }
    Err(Error::new(
        Code::ServiceUnavailable,
        format!("the build runs in Isosmith {version}, whose events are not for this version"),
        "Use the version of Isosmith that the service has.",
    ))
}

impl<S: Source> Iterator for Events<S> {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let event = self.step();
        self.over = match &event {
            Ok(event) => matches!(event.kind, EventKind::Finished { .. }),
            Err(_) => true,
        };
        Some(event)
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::VecDeque, io::Cursor};

    use isosmith_protocol::{BuildResult, StepId};

    use super::*;

    /// Opens what it was given in order, and notes from where it was asked to.
    struct Fake {
        streams: VecDeque<Result<Vec<u8>>>,
        asked: Vec<u64>,
    }

    impl Source for &mut Fake {
        type Stream = Cursor<Vec<u8>>;

        fn open(&mut self, from: u64) -> Result<Self::Stream> {
            self.asked.push(from);
            let next = self.streams.pop_front();
            next.unwrap_or_else(|| Err(gone())).map(Cursor::new)
        }

        fn pause(&mut self, _tries: u32) {}
    }

    fn gone() -> Error {
        Error::unavailable("gone")
    }

    fn event(seq: u64) -> Event {
        let kind = match seq {
            9 => EventKind::Finished {
                result: BuildResult::Cancelled,
            },
            _ => EventKind::Warned {
                step: StepId::new("x"),
                message: seq.to_string(),
            },
        };
        Event {
            seq,
            at_ms: 0,
            kind,
        }
    }

    fn lines(seqs: &[u64]) -> Vec<u8> {
        let mut text = Vec::new();
        for &seq in seqs {
            line::write(&mut text, &event(seq)).expect("memory");
        }
        text
    }

    /// Reads all of `streams` from the number `from`: the events, the last error's code, and
    /// from where it was opened.
    fn read(streams: Vec<Result<Vec<u8>>>, from: u64) -> (Vec<u64>, Option<Code>, Vec<u64>) {
        let mut fake = Fake {
            streams: streams.into(),
            asked: Vec::new(),
        };
        let (mut seen, mut code) = (Vec::new(), None);
        for event in Events::new(&mut fake, from) {
            match event {
                Ok(event) => seen.push(event.seq),
                Err(error) => code = Some(error.code()),
            }
        }
        (seen, code, fake.asked)
    }

    #[test]
    fn a_stream_is_read_to_its_ending_and_not_further() {
        let (seen, code, asked) = read(vec![Ok(lines(&[0, 1, 9, 10]))], 0);
        assert_eq!((seen, code, asked), (vec![0, 1, 9], None, vec![0]));
    }

    #[test]
    fn a_broken_stream_is_opened_again_after_the_last_whole_event() {
        let mut torn = lines(&[0, 1, 2]);
        torn.truncate(torn.len() - 5);
        let (seen, code, asked) = read(
            vec![
                Ok(torn),
                Err(gone()),
                Ok(Vec::new()),
                Ok(lines(&[2, 5])),
                Ok(lines(&[6, 9])),
            ],
            0,
        );
        assert_eq!(seen, [0, 1, 2, 5, 6, 9]);
        assert_eq!(code, None);
        assert_eq!(asked, [0, 2, 2, 2, 6]);
    }

    #[test]
    fn what_was_seen_does_not_come_again() {
        let (seen, _, asked) = read(vec![Ok(lines(&[0, 1])), Ok(lines(&[0, 1, 2, 9]))], 0);
        assert_eq!(seen, [0, 1, 2, 9]);
        assert_eq!(asked, [0, 2]);
        let (seen, _, asked) = read(vec![Ok(lines(&[0, 3, 4, 9]))], 4);
        assert_eq!((seen, asked), (vec![4, 9], vec![4]));
    }

    #[test]
    fn it_is_given_up_when_nothing_comes_and_at_once_when_it_makes_no_sense() {
        let (seen, code, asked) = read(vec![Ok(lines(&[0]))], 0);
        assert_eq!((seen, code), (vec![0], Some(Code::ServiceUnavailable)));
        assert!(asked.len() as u32 > MOST_TRIES);

        let empty = (0..50).map(|_| Ok(Vec::new())).collect();
        let (seen, code, asked) = read(empty, 0);
        assert_eq!((seen, code), (vec![], Some(Code::ServiceUnavailable)));
        assert_eq!(asked.len() as u32, MOST_TRIES + 1);

        let no_such = Error::new(Code::NoSuchBuild, "none", "None.");
        let (seen, code, asked) = read(vec![Err(no_such), Ok(lines(&[0, 9]))], 0);
        assert_eq!((seen, code), (vec![], Some(Code::NoSuchBuild)));
        assert_eq!(asked, [0]);
    }

    #[test]
    fn a_build_of_another_epoch_is_not_shown_wrongly() {
        let hello = br#"{"seq":0,"atMs":0,"type":"hello","epoch":99,"revision":0,"version":"9","build":"x","profile":"x","started":0}"#;
        let mut text = hello.to_vec();
        text.push(b'\n');
        let (seen, code, _) = read(vec![Ok(text)], 0);
        assert_eq!((seen, code), (vec![], Some(Code::ServiceUnavailable)));
    }
}
