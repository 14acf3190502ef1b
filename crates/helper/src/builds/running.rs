//! What a running build has to say to whoever looks after it, and how it is told things.

use std::sync::mpsc::SyncSender;

use isosmith_protocol::{BuildId, Control, Event, EventKind, SessionChange};

use super::Builds;

/// Most questions of one build that are remembered.
const MOST_QUESTIONS: usize = 1000;

impl Builds {
    /// The running build has said something.
    pub fn heard(&self, id: &BuildId, event: &Event) {
        let (question, open) = match &event.kind {
            EventKind::Asked { question, .. } => (*question, true),
            EventKind::Answered { question, .. } => (*question, false),
            EventKind::Hello { .. }
            | EventKind::Planned { .. }
            | EventKind::StepStarted { .. }
            | EventKind::Progress { .. }
            | EventKind::Log { .. }
            | EventKind::Warned { .. }
            | EventKind::StepRetried { .. }
            | EventKind::SessionWatched { .. }
            | EventKind::SessionChanged { .. }
            | EventKind::Metrics { .. }
            | EventKind::StepFinished { .. }
            | EventKind::Finished { .. }
            | EventKind::Unknown => return,
        };
        let mut inner = self.inner();
        let Some(known) = inner.known.get_mut(id) else {
            return;
        };
        if open {
            // A build that asks without end is not worth more.
            if known.open.len() < MOST_QUESTIONS {
                known.open.insert(question);
            }
        } else {
            known.open.remove(&question);
        }
    }

    /// The running build is made, and only has to be delivered.
    pub fn delivers(&self, id: &BuildId) {
        if let Some(known) = self.inner().known.get_mut(id) {
            known.delivered_now = true;
        }
    }

    /// Something in the session is not as it was.
    pub fn session_changed(&self, id: &BuildId, change: SessionChange) {
        if let Some(known) = self.inner().known.get_mut(id) {
            known.session.push(change);
        }
    }

    /// What has become of the session so far.
    pub fn session(&self, id: &BuildId) -> Vec<SessionChange> {
        let inner = self.inner();
        let known = inner.known.get(id);
        known.map(|known| known.session.clone()).unwrap_or_default()
    }

    /// The running build `id` can be told things from now on.
    pub fn can_be_told(&self, id: &BuildId, tell: SyncSender<Control>) {
        let mut inner = self.inner();
        if let Some(known) = inner.known.get_mut(id) {
            if known.cancelled {
                let _ = tell.try_send(Control::Cancel);
            }
            known.tell = Some(tell);
        }
    }

    /// Whether somebody wants the running build to stop.
    pub fn is_cancelled(&self, id: &BuildId) -> bool {
        self.inner()
            .known
            .get(id)
            .is_some_and(|known| known.cancelled)
    }
}
