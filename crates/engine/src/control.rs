//! Words from whoever supervises the build.

use std::{
    collections::BTreeMap,
    io::{BufReader, Read},
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use isosmith_host::Cancel;
use isosmith_protocol::{Choice, Control, EventKind, line};

use crate::report::Voice;

/// What a person has answered, by question.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answers(Arc<Said>);

#[derive(Debug, Default)]
struct Said {
    by_question: Mutex<BTreeMap<u32, Choice>>,
    more: Condvar,
}

impl Answers {
    fn give(&self, question: u32, choice: Choice) {
        let mut said = self
            .0
            .by_question
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        said.entry(question).or_insert(choice);
        self.0.more.notify_all();
    }

    /// Waits for an answer; `None` after `patience`, or when the build is cancelled.
    pub(crate) fn wait(
        &self,
        question: u32,
        patience: Duration,
        cancel: &Cancel,
    ) -> Option<Choice> {
        let end = Instant::now() + patience;
        let mut said = self
            .0
            .by_question
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(choice) = said.get(&question) {
                return Some(*choice);
            }
            if cancel.is_cancelled() || Instant::now() >= end {
                return None;
            }
            // Short enough to notice a cancel.
            (said, _) = self
                .0
                .more
                .wait_timeout(said, Duration::from_millis(100))
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Listens until the other end is closed. The thread is not waited for: it ends with that, or
/// with the process.
pub(crate) fn listen(from: Box<dyn Read + Send>, voice: &Voice, cancel: &Cancel) -> Answers {
    let answers = Answers::default();
    let (voice, cancel, told) = (voice.clone(), cancel.clone(), answers.clone());
    thread::spawn(move || {
        let mut from = BufReader::new(from);
        while let Ok(Some(control)) = line::read::<Control>(&mut from) {
            match control {
                Control::Cancel => cancel.cancel(),
                Control::Answer { question, choice } => told.give(question, choice),
                Control::Note { event } if may_be_noted(&event) => voice.say(event),
                Control::Note { event } => tracing::warn!(?event, "this is not for others to say"),
            }
        }
    });
    answers
}

const fn may_be_noted(event: &EventKind) -> bool {
    match event {
        EventKind::SessionWatched { .. }
        | EventKind::SessionChanged { .. }
        | EventKind::Metrics { .. } => true,
        EventKind::Hello { .. }
        | EventKind::Planned { .. }
        | EventKind::StepStarted { .. }
        | EventKind::Progress { .. }
        | EventKind::Log { .. }
        | EventKind::Warned { .. }
        | EventKind::StepRetried { .. }
        | EventKind::Asked { .. }
        | EventKind::Answered { .. }
        | EventKind::StepFinished { .. }
        | EventKind::Finished { .. }
        | EventKind::Unknown => false,
    }
}
