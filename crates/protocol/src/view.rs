//! Events folded into what a viewer shows.

use crate::{
    error::ErrorView,
    event::{BuildResult, Choice, Event, EventKind, Outcome, StepInfo, Unit},
    id::{BuildId, StepId},
    session::{Isolation, Metrics, SessionChange, SessionKind, WatchedItem},
};

/// How far one step is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepState {
    /// Not begun.
    Waiting,
    /// At work.
    Running {
        /// 1 for the first.
        attempt: u32,
    },
    /// Over.
    Over(Outcome),
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepView {
    /// As planned.
    pub info: StepInfo,
    /// How far.
    pub state: StepState,
    /// Last known progress: done, total, unit.
    pub progress: Option<(u64, Option<u64>, Unit)>,
    /// The package or file at hand.
    pub note: Option<String>,
    /// Milliseconds, once over.
    pub took_ms: Option<u64>,
}

/// A question that waits for an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Its number, to answer with.
    pub number: u32,
    /// What went wrong.
    pub error: ErrorView,
    /// What may be answered.
    pub choices: Vec<Choice>,
}

/// The session guard's light.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionView {
    /// Of whoever started the build.
    pub kind: SessionKind,
    /// What is watched.
    pub items: Vec<WatchedItem>,
    /// What has changed; empty is safe.
    pub changes: Vec<SessionChange>,
}

/// All that a viewer needs to draw a build.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BuildView {
    /// Which build, once said.
    pub build: Option<BuildId>,
    /// The profile's name.
    pub profile: String,
    /// Seconds since 1970 at the beginning.
    pub started: u64,
    /// Milliseconds since the beginning, of the last event.
    pub at_ms: u64,
    /// Every row in order.
    pub steps: Vec<StepView>,
    /// What the owner should know.
    pub warnings: Vec<String>,
    /// Attempts that failed and were tried again.
    pub retries: Vec<ErrorView>,
    /// In what the build is kept, once said.
    pub isolation: Option<Isolation>,
    /// The question that waits for an answer.
    pub question: Option<Question>,
    /// The session guard's light, once it shines.
    pub session: Option<SessionView>,
    /// How the machine did last.
    pub metrics: Option<Metrics>,
    /// The end, once there.
    pub result: Option<BuildResult>,
    /// Overall progress so far, in thousandths; never goes back.
    permille: u32,
}

impl BuildView {
    /// Takes in one event. Events of steps that were not planned are passed over, as is all
    /// after the end.
    pub fn apply(&mut self, event: &Event) {
        if self.result.is_some() {
            return;
        }
        self.at_ms = self.at_ms.max(event.at_ms);
        match &event.kind {
            EventKind::Hello {
                build,
                profile,
                started,
                isolation,
                ..
            } => {
                self.isolation = Some(*isolation);
                self.build = Some(build.clone());
                self.profile.clone_from(profile);
                self.started = *started;
            }
            EventKind::Planned { steps } => {
                self.steps = steps.iter().cloned().map(StepView::waiting).collect();
            }
            EventKind::StepStarted { step, attempt } => self.with(step, |row| {
                row.state = StepState::Running { attempt: *attempt };
                row.progress = None;
                row.note = None;
            }),
            EventKind::Progress {
                step,
                done,
                total,
                unit,
                note,
            } => self.with(step, |row| {
                row.progress = Some((*done, *total, *unit));
                row.note.clone_from(note);
            }),
            EventKind::Warned { message, .. } => self.warnings.push(message.clone()),
            EventKind::StepRetried { error, .. } => self.retries.push(error.clone()),
            EventKind::StepFinished {
                step,
                outcome,
                took_ms,
            } => self.with(step, |row| {
                row.state = StepState::Over(outcome.clone());
                row.took_ms = Some(*took_ms);
                row.note = None;
            }),
            EventKind::Asked {
                question,
                error,
                choices,
            } => {
                self.question = Some(Question {
                    number: *question,
                    error: error.clone(),
                    choices: choices.clone(),
                });
            }
            EventKind::Answered { .. } => self.question = None,
            EventKind::SessionWatched { session, items } => {
                self.session = Some(SessionView {
                    kind: *session,
                    items: items.clone(),
                    changes: Vec::new(),
                });
            }
            EventKind::SessionChanged { change } => {
                if let Some(session) = &mut self.session {
                    session.changes.push(change.clone());
                }
            }
            EventKind::Metrics { metrics } => self.metrics = Some(*metrics),
            EventKind::Finished { result } => {
                self.question = None;
                self.result = Some(result.clone());
            }
            EventKind::Log { .. } | EventKind::Unknown => {}
        }
        self.permille = self.permille.max(self.permille_now());
    }

    /// Overall progress from 0 to 1, by the weights of finished steps and the running step's
    /// own share. Never goes back.
    pub fn fraction(&self) -> f64 {
        f64::from(self.permille) / 1000.0
    }

    /// The step at work, if one is.
    pub fn running(&self) -> Option<&StepView> {
        self.steps
            .iter()
            .find(|row| matches!(row.state, StepState::Running { .. }))
    }

    /// Estimated milliseconds left, once a tenth of the work is done; `None` before, because
    /// an estimate that jumps is worse than none.
    pub fn left_ms(&self) -> Option<u64> {
        if self.result.is_some() || self.permille < 100 {
            return None;
        }
        let left = u64::from(1000 - self.permille.min(1000));
        Some(self.at_ms * left / u64::from(self.permille))
    }

    fn with(&mut self, step: &StepId, change: impl FnOnce(&mut StepView)) {
        if let Some(row) = self.steps.iter_mut().find(|row| row.info.id == *step) {
            change(row);
        }
    }

    fn permille_now(&self) -> u32 {
        if matches!(self.result, Some(BuildResult::Succeeded { .. })) {
            return 1000;
        }
        // A cached step costs next to nothing, whatever it would weigh otherwise.
        let weight = |row: &StepView| {
            if row.info.cached {
                1
            } else {
                u64::from(row.info.weight)
            }
        };
        let total: u64 = self.steps.iter().map(weight).sum();
        let done: u64 = self
            .steps
            .iter()
            .map(|row| weight(row) * row.permille() / 1000)
            .sum();
        match total {
            0 => 0,
            total => u32::try_from(done * 1000 / total).unwrap_or(1000).min(999),
        }
    }
}

impl StepView {
    fn waiting(info: StepInfo) -> Self {
        Self {
            info,
            state: StepState::Waiting,
            progress: None,
            note: None,
            took_ms: None,
        }
    }

    fn permille(&self) -> u64 {
        match (&self.state, self.progress) {
            (StepState::Waiting, _) | (StepState::Running { .. }, None) => 0,
            (StepState::Over(_), _) => 1000,
            (StepState::Running { .. }, Some((done, Some(total), _))) if total > 0 => {
                (done.min(total) * 1000).checked_div(total).unwrap_or(0)
            }
            (StepState::Running { .. }, Some(_)) => 0,
        }
    }
}
