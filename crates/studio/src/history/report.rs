//! A build as one text, to save or to send.

use std::{collections::BTreeMap, fmt::Write};

use isosmith_protocol::{BuildResult, ErrorView, Outcome, Phase};
use serde::{Deserialize, Serialize};

use crate::model::{BuildDetail, BuildState};

/// A step that is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Step {
    pub(super) title: String,
    /// Rows of older histories do not name it.
    #[serde(default = "Step::of_no_phase")]
    pub(super) phase: Phase,
    pub(super) took_ms: Option<u64>,
    pub(super) outcome: Option<Outcome>,
}

impl Step {
    const fn of_no_phase() -> Phase {
        Phase::Other
    }
}

/// The report of a build.
pub(super) fn report(detail: &BuildDetail, steps: &[Step]) -> String {
    let mut text = String::new();
    // Writing to a text cannot fail.
    let _ = write(&mut text, detail, steps);
    text
}

fn write(text: &mut String, detail: &BuildDetail, steps: &[Step]) -> std::fmt::Result {
    let row = &detail.row;
    writeln!(text, "Isosmith {}", env!("CARGO_PKG_VERSION"))?;
    writeln!(text, "Build:    {}", row.id)?;
    writeln!(text, "Product:  {}", row.title)?;
    writeln!(text, "Profile:  {}", row.profile)?;
    writeln!(text, "State:    {}", word(row.state))?;
    writeln!(text, "Started:  {} (seconds since 1970)", row.started)?;
    if let Some(took) = row.took_ms {
        writeln!(text, "Time:     {}", seconds(took))?;
    }
    phases(text, steps)?;
    if !steps.is_empty() {
        writeln!(text, "\nSteps:")?;
    }
    for step in steps {
        let took = step.took_ms.map(seconds).unwrap_or_default();
        let outcome = match &step.outcome {
            None => "not finished".to_owned(),
            Some(Outcome::Done) => "done".to_owned(),
            Some(Outcome::Cached) => "from the cache".to_owned(),
            Some(Outcome::Skipped { why }) => format!("nothing to do: {why}"),
            Some(Outcome::Failed { .. }) => "failed".to_owned(),
            Some(Outcome::Unknown) => "unknown".to_owned(),
        };
        writeln!(text, "  {:<45} {took:>10}  {outcome}", step.title)?;
    }
    if !detail.warned.is_empty() {
        writeln!(text, "\nWarnings:")?;
    }
    for warning in &detail.warned {
        writeln!(text, "  {warning}")?;
    }
    match detail.session.as_slice() {
        [] => writeln!(text, "\nYour session: unharmed as far as it was watched")?,
        changes => {
            writeln!(text, "\nYour session has changed:")?;
            for change in changes {
                writeln!(text, "  {}: {}", change.item.name, change.cause)?;
            }
        }
    }
    match &detail.result {
        Some(BuildResult::Succeeded { iso, .. }) => {
            writeln!(text, "\nISO: {} ({} bytes)", iso.path, iso.size)?;
            for (algorithm, sum) in &iso.checksums {
                writeln!(text, "  {algorithm}: {sum}")?;
            }
            if let Some(enrolment) = &iso.enrolment {
                writeln!(text, "\nHow a machine learns the key that has signed it:")?;
                for (number, step) in enrolment.steps().iter().enumerate() {
                    writeln!(text, "  {}. {step}", number + 1)?;
                }
            }
        }
        Some(BuildResult::Failed { error }) => failure(text, error)?,
        Some(BuildResult::Cancelled | BuildResult::Interrupted | BuildResult::Unknown) | None => {}
    }
    Ok(())
}

/// The time of each phase: of its steps together, of which some run beside each other.
fn phases(text: &mut String, steps: &[Step]) -> std::fmt::Result {
    let mut sums = BTreeMap::new();
    for step in steps {
        *sums.entry(step.phase).or_insert(0) += step.took_ms.unwrap_or_default();
    }
    if !sums.is_empty() {
        writeln!(text, "\nPhases:")?;
    }
    for (phase, took) in sums {
        writeln!(text, "  {:<45} {:>10}", phase.title(), seconds(took))?;
    }
    Ok(())
}

fn failure(text: &mut String, error: &ErrorView) -> std::fmt::Result {
    writeln!(text, "\nError: {}", error.message)?;
    for cause in &error.causes {
        writeln!(text, "  because {cause}")?;
    }
    if let Some(command) = &error.command {
        writeln!(text, "  command: {command}")?;
    }
    for line in &error.tail {
        writeln!(text, "  | {line}")?;
    }
    writeln!(text, "What to do: {}", error.advice)
}

fn seconds(ms: u64) -> String {
    format!("{}.{} s", ms / 1000, ms % 1000 / 100)
}

/// A state's word in the database and in reports.
pub(super) const fn word(state: BuildState) -> &'static str {
    match state {
        BuildState::Queued => "queued",
        BuildState::Running => "running",
        BuildState::Succeeded => "succeeded",
        BuildState::Failed => "failed",
        BuildState::Cancelled => "cancelled",
        BuildState::Interrupted => "interrupted",
    }
}

/// The state of a word; an unknown one is of a file that was edited by hand.
pub(super) fn state(word: &str) -> BuildState {
    match word {
        "queued" => BuildState::Queued,
        "running" => BuildState::Running,
        "succeeded" => BuildState::Succeeded,
        "failed" => BuildState::Failed,
        "cancelled" => BuildState::Cancelled,
        _ => BuildState::Interrupted,
    }
}
