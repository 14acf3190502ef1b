//! Events on their way to the page: in batches, so that a build that prints thousands of
//! lines a second does not wake the page for each.

use std::{
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use isosmith_protocol::Event;

use crate::builder::Events;

/// From one batch to the next, so that at most twenty come in a second.
const BETWEEN: Duration = Duration::from_millis(50);

/// Events that are read ahead; whoever writes faster waits.
const AHEAD: usize = 4096;

/// Reads `events` on threads of its own and gives them to `send` in batches, none left out;
/// at last [`None`], also when the events broke off. It ends early when `send` says that
/// nobody listens.
pub fn forward(events: Events, send: impl FnMut(Option<Vec<Event>>) -> bool + Send + 'static) {
    let (give, take) = mpsc::sync_channel(AHEAD);
    thread::spawn(move || {
        for event in events {
            let event = match event {
                Ok(event) => event,
                Err(fault) => {
                    tracing::warn!(error = ?fault, "the events of a build broke off");
                    return;
                }
            };
            // Nobody listens any more.
            if give.send(event).is_err() {
                return;
            }
        }
    });
    thread::spawn(move || batches(&take, send));
}

fn batches(events: &Receiver<Event>, mut send: impl FnMut(Option<Vec<Event>>) -> bool) {
    while let Ok(first) = events.recv() {
        let due = Instant::now() + BETWEEN;
        let (batch, open) = batch(events, first, due);
        if !send(Some(batch)) {
            return;
        }
        if !open {
            break;
        }
    }
    send(None);
}

/// All that comes until `due`, and whether more may come.
fn batch(events: &Receiver<Event>, first: Event, due: Instant) -> (Vec<Event>, bool) {
    let mut batch = vec![first];
    loop {
        match events.recv_timeout(due.saturating_duration_since(Instant::now())) {
            Ok(event) => batch.push(event),
            Err(RecvTimeoutError::Timeout) => return (batch, true),
            Err(RecvTimeoutError::Disconnected) => return (batch, false),
        }
    }
}

#[cfg(test)]
mod tests {
    use isosmith_protocol::{Code, EventKind, StepId};

    use super::*;
    use crate::fault::Fault;

    fn event(seq: u64) -> Event {
        Event {
            seq,
            at_ms: 0,
            kind: EventKind::Warned {
                step: StepId::new("x"),
                message: String::new(),
            },
        }
    }

    /// Forwards; the numbers in each batch, until so many batches came.
    fn forwarded(events: Events, most: usize) -> Vec<Option<Vec<u64>>> {
        let (tell, told) = mpsc::channel();
        let mut left = most;
        forward(events, move |batch| {
            let seqs = batch.map(|batch| batch.iter().map(|event| event.seq).collect());
            left -= 1;
            tell.send(seqs).is_ok() && left > 0
        });
        told.iter().collect()
    }

    #[test]
    fn every_event_comes_once_in_order_then_the_end() {
        let many = 50_000;
        let batches = forwarded(Box::new((0..many).map(|seq| Ok(event(seq)))), usize::MAX);
        assert_eq!(batches.last(), Some(&None));
        let seqs: Vec<u64> = batches.into_iter().flatten().flatten().collect();
        assert_eq!(seqs, (0..many).collect::<Vec<_>>());
    }

    #[test]
    fn what_comes_together_goes_together() {
        let batches = forwarded(Box::new((0..100).map(|seq| Ok(event(seq)))), usize::MAX);
        assert!(batches.len() < 10, "{} batches", batches.len());
    }

    #[test]
    fn events_that_break_off_end_it() {
        let fault = Fault::new(Code::ServiceUnavailable, "gone", "x");
        let batches = forwarded(Box::new([Ok(event(0)), Err(fault)].into_iter()), usize::MAX);
        assert_eq!(batches, [Some(vec![0]), None]);
        let nothing = forwarded(Box::new(std::iter::empty()), usize::MAX);
        assert_eq!(nothing, [None]);
    }

    #[test]
    fn nothing_is_read_for_nobody() {
        let endless = (0..).map(|seq| {
            thread::sleep(Duration::from_millis(1));
            Ok(event(seq))
        });
        assert_eq!(forwarded(Box::new(endless), 2).len(), 2);
    }
}
