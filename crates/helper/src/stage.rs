//! How far a run of a build is. It only ever goes forward.

use isosmith_protocol::BuildResult;

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Waits for its turn.
    Queued,
    /// At work.
    Running,
    /// Its ISO was delivered.
    Succeeded,
    /// Ended with an error.
    Failed,
    /// A person stopped it.
    Cancelled,
    /// It died.
    Interrupted,
}

impl Stage {
    /// The word on the bus.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
        }
    }

    /// Where a run with this result has ended.
    pub const fn of(result: &BuildResult) -> Self {
        match result {
            BuildResult::Succeeded { .. } => Self::Succeeded,
            BuildResult::Failed { .. } => Self::Failed,
            BuildResult::Cancelled => Self::Cancelled,
            BuildResult::Interrupted | BuildResult::Unknown => Self::Interrupted,
        }
    }

    /// Whether the run is over.
    pub const fn is_over(self) -> bool {
        match self {
            Self::Queued | Self::Running => false,
            Self::Succeeded | Self::Failed | Self::Cancelled | Self::Interrupted => true,
        }
    }

    /// Whether another run may follow.
    pub const fn is_resumable(self) -> bool {
        match self {
            Self::Queued | Self::Running | Self::Succeeded => false,
            Self::Failed | Self::Cancelled | Self::Interrupted => true,
        }
    }

    const fn leads_to(self, next: Self) -> bool {
        match self {
            Self::Queued => !matches!(next, Self::Queued | Self::Succeeded),
            Self::Running => next.is_over(),
            Self::Succeeded | Self::Failed | Self::Cancelled | Self::Interrupted => false,
        }
    }
}

/// One run of a build.
#[derive(Debug)]
pub struct Run(Stage);

impl Run {
    /// A run that waits.
    pub const fn queued() -> Self {
        Self(Stage::Queued)
    }

    /// A run of an earlier life of this service.
    pub const fn over(result: &BuildResult) -> Self {
        Self(Stage::of(result))
    }

    /// Where it stands.
    pub const fn stage(&self) -> Stage {
        self.0
    }

    /// Goes on to `next`; whether that is a way forward. If not, nothing changes.
    pub fn advance(&mut self, next: Stage) -> bool {
        let forward = self.0.leads_to(next);
        if forward {
            self.0 = next;
        }
        forward
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Stage; 6] = [
        Stage::Queued,
        Stage::Running,
        Stage::Succeeded,
        Stage::Failed,
        Stage::Cancelled,
        Stage::Interrupted,
    ];

    #[test]
    fn a_run_only_goes_forward() {
        for from in ALL {
            for to in ALL {
                let mut run = Run(from);
                let went = run.advance(to);
                let forward = match (from, to) {
                    (Stage::Queued, Stage::Queued | Stage::Succeeded) => false,
                    (Stage::Queued, _) => true,
                    (Stage::Running, to) => to.is_over(),
                    (_, _) => false,
                };
                assert_eq!(went, forward, "{from:?} to {to:?}");
                assert_eq!(run.stage(), if went { to } else { from });
            }
        }
    }
}
