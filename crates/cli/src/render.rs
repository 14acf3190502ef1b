//! A build on a terminal, in a log, or as JSON.

use std::{
    io::{self, IsTerminal, Write},
    path::Path,
    time::Duration,
};

use indicatif::{HumanBytes, HumanDuration, MultiProgress, ProgressBar, ProgressStyle};
use isosmith_protocol::{
    BuildResult, BuildView, Choice, ErrorView, Event, EventKind, Level, Outcome, Unit, line,
};

use crate::{args::Common, build::Viewer, keys};

/// Where a question of the build can be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answering {
    /// Here with a key, and with a command from anywhere.
    Anywhere,
    /// Only here, with a key.
    Here,
    /// Where the build was started.
    Elsewhere,
}

impl Answering {
    /// What a person can do about a question of `build`.
    fn explain(self, build: &str, keys: bool) -> String {
        const KEYS: &str = "When that is done: press r to try again, or s to stop the build";
        let command = format!("isosmith answer {build} retry (or stop)");
        match (self, keys) {
            (Self::Anywhere, true) => format!("{KEYS};\n  or from elsewhere: {command}"),
            (Self::Anywhere, false) => format!("When that is done: {command}"),
            (Self::Here, true) => KEYS.to_owned(),
            (Self::Here, false) | (Self::Elsewhere, _) => {
                "It waits for an answer where the build was started".to_owned()
            }
        }
    }
}

/// The viewer that fits: JSON where it was asked for, bars on a terminal, else lines.
pub fn viewer(common: &Common, json: bool, answering: Answering) -> Box<dyn Viewer> {
    if json {
        return Box::new(Json { next: 0 });
    }
    let least = match (common.quiet, common.verbose) {
        (true, _) => Level::Error,
        (false, 0) => Level::Warn,
        (false, 1) => Level::Info,
        (false, _) => Level::Debug,
    };
    let bars = (io::stderr().is_terminal() && !common.quiet).then(Bars::new);
    // On a terminal that cannot draw, the bars would swallow every line.
    let bars = bars.filter(|bars| !bars.all.is_hidden());
    Box::new(People {
        view: BuildView::default(),
        bars,
        least,
        quiet: common.quiet,
        answering,
    })
}

/// The protocol as it is.
struct Json {
    /// The number that follows the last event's.
    next: u64,
}

impl Viewer for Json {
    fn event(&mut self, event: &Event) {
        self.next = event.seq + 1;
        let _ = line::write(&mut io::stdout().lock(), event);
    }

    fn note(&mut self, text: &str) {
        let _ = writeln!(io::stderr(), "{text}");
    }

    fn end(&mut self, result: &BuildResult, delivered: Option<&Path>) {
        let mut result = result.clone();
        if let (BuildResult::Succeeded { iso, .. }, Some(path)) = (&mut result, delivered) {
            iso.path = path.display().to_string();
        }
        self.event(&Event {
            seq: self.next,
            at_ms: 0,
            kind: EventKind::Finished { result },
        });
    }
}

/// Bars and lines for people.
struct People {
    view: BuildView,
    bars: Option<Bars>,
    least: Level,
    quiet: bool,
    answering: Answering,
}

struct Bars {
    all: MultiProgress,
    overall: ProgressBar,
    step: ProgressBar,
}

impl Bars {
    fn new() -> Self {
        let all = MultiProgress::new();
        let style = |template: &str| {
            ProgressStyle::with_template(template)
                .unwrap_or_else(|_| ProgressStyle::default_bar())
                .progress_chars("━━─")
        };
        let overall = all.add(
            ProgressBar::new(1000).with_style(style("{bar:32.cyan/dim} {percent:>3}%  {msg}")),
        );
        let step = all.add(ProgressBar::new(0).with_style(style("{spinner} {wide_msg}")));
        step.enable_steady_tick(Duration::from_millis(120));
        Self { all, overall, step }
    }
}

impl People {
    fn say(&self, text: &str) {
        match &self.bars {
            Some(bars) => drop(bars.all.println(text)),
            None => drop(writeln!(io::stderr(), "{text}")),
        }
    }

    fn title(&self, step: &isosmith_protocol::StepId) -> String {
        let row = self.view.steps.iter().find(|row| row.info.id == *step);
        row.map_or_else(|| step.to_string(), |row| row.info.title.clone())
    }

    fn draw(&self) {
        let Some(bars) = &self.bars else { return };
        bars.overall
            .set_position((self.view.fraction() * 1000.0) as u64);
        let left = self.view.left_ms().map_or(String::new(), |left| {
            format!("about {} left", HumanDuration(Duration::from_millis(left)))
        });
        bars.overall.set_message(left);
        let Some(row) = self.view.running() else {
            return;
        };
        let progress = match row.progress {
            Some((done, Some(total), Unit::Bytes)) => {
                format!("  {} of {}", HumanBytes(done), HumanBytes(total))
            }
            Some((done, Some(100), Unit::Percent)) => format!("  {done}%"),
            Some((done, Some(total), _)) => format!("  {done} of {total}"),
            Some((done, None, _)) => format!("  {done}"),
            None => String::new(),
        };
        let note = row
            .note
            .as_ref()
            .map_or(String::new(), |note| format!("  {note}"));
        bars.step
            .set_message(format!("{}{progress}{note}", row.info.title));
    }

    fn finish_bars(&mut self) {
        if let Some(bars) = self.bars.take() {
            bars.overall.finish_and_clear();
            bars.step.finish_and_clear();
        }
    }
}

impl Viewer for People {
    fn event(&mut self, event: &Event) {
        self.view.apply(event);
        match &event.kind {
            EventKind::Hello { build, .. } if !self.quiet => self.say(&format!("build {build}")),
            EventKind::StepStarted { step, attempt }
                if !self.quiet && self.bars.is_none() && *attempt == 1 =>
            {
                self.say(&format!("… {}", self.title(step)));
            }
            EventKind::StepFinished {
                step,
                outcome,
                took_ms,
            } if !self.quiet => {
                let title = self.title(step);
                match outcome {
                    Outcome::Done => {
                        self.say(&format!("✓ {title}  {:.1} s", *took_ms as f64 / 1000.0))
                    }
                    Outcome::Cached => self.say(&format!("· {title}  from the cache")),
                    Outcome::Skipped { why } if self.least <= Level::Info => {
                        self.say(&format!("· {title}  {why}"))
                    }
                    Outcome::Skipped { .. } | Outcome::Unknown => {}
                    Outcome::Failed { .. } => self.say(&format!("✗ {title}")),
                }
            }
            EventKind::Log { level, line, .. } if *level >= self.least => {
                self.say(&format!("  {line}"))
            }
            EventKind::Warned { message, .. } => self.say(&format!("! {message}")),
            EventKind::StepRetried {
                step,
                wait_ms,
                error,
                ..
            } => {
                let wait = Duration::from_millis(*wait_ms).as_secs_f64();
                self.say(&format!(
                    "! {}: {}; again in {wait:.0} s",
                    self.title(step),
                    error.message
                ));
            }
            EventKind::Asked { error, .. } => {
                self.say(&explain(error));
                let build = self.view.build.as_ref().map_or("ID", |id| id.as_str());
                let what = self.answering.explain(build, keys::are_there());
                self.say(&format!("  {what}"));
            }
            EventKind::Answered { choice, .. } if !self.quiet => match choice {
                Choice::Retry => self.say("… trying again"),
                Choice::Stop | Choice::Other => self.say("… stopping"),
            },
            EventKind::SessionChanged { change } => {
                self.say(&format!(
                    "! session: {}: {}",
                    change.item.name, change.cause
                ));
            }
            EventKind::Hello { .. }
            | EventKind::Planned { .. }
            | EventKind::StepStarted { .. }
            | EventKind::Progress { .. }
            | EventKind::Log { .. }
            | EventKind::Answered { .. }
            | EventKind::SessionWatched { .. }
            | EventKind::Metrics { .. }
            | EventKind::StepFinished { .. }
            | EventKind::Finished { .. }
            | EventKind::Unknown => {}
        }
        self.draw();
    }

    fn note(&mut self, text: &str) {
        if !self.quiet {
            self.say(text);
        }
    }

    fn end(&mut self, result: &BuildResult, delivered: Option<&Path>) {
        self.finish_bars();
        let build = self.view.build.as_ref().map_or("ID", |id| id.as_str());
        match result {
            BuildResult::Succeeded { iso, .. } => {
                let path =
                    delivered.map_or_else(|| iso.path.clone(), |path| path.display().to_string());
                if !self.quiet {
                    let took = self.view.at_ms as f64 / 1000.0;
                    self.say(&format!("{path}  {}  {took:.1} s", HumanBytes(iso.size)));
                    for (algorithm, sum) in &iso.checksums {
                        self.say(&format!("  {algorithm}  {sum}"));
                    }
                    if let Some(enrolment) = &iso.enrolment {
                        self.say("Firmware starts it by Debian's signatures, or by yours. For a kernel that only you have signed, a machine has to know your key:");
                        for (number, step) in enrolment.steps().iter().enumerate() {
                            self.say(&format!("  {}. {step}", number + 1));
                        }
                    }
                }
                let _ = writeln!(io::stdout(), "{path}");
            }
            BuildResult::Failed { error } => {
                self.say(&explain(error));
                if error.recovery != isosmith_protocol::Recovery::EditSpec {
                    self.say(&format!("  Then: isosmith resume {build}"));
                }
            }
            BuildResult::Cancelled => {
                self.say(&format!("stopped; go on with: isosmith resume {build}"))
            }
            BuildResult::Interrupted | BuildResult::Unknown => {
                self.say(&format!(
                    "the build was killed; go on with: isosmith resume {build}"
                ));
            }
        }
    }
}

/// A failure in full: what, why, what now, and how to repeat it.
pub fn explain(error: &ErrorView) -> String {
    let mut text = format!("error: {}\n", error.message);
    for cause in &error.causes {
        text.push_str(&format!("  · {cause}\n"));
    }
    if !error.tail.is_empty() {
        text.push_str("  last lines:\n");
        let start = error.tail.len().saturating_sub(12);
        for line in &error.tail[start..] {
            text.push_str(&format!("    {line}\n"));
        }
    }
    if let Some(command) = &error.command {
        text.push_str(&format!("  command: {command}\n"));
    }
    text.push_str(&format!("  {}", error.advice));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_names_only_what_can_be_done() {
        for (answering, keys, says, says_not) in [
            (Answering::Anywhere, true, "press r", "started"),
            (
                Answering::Anywhere,
                true,
                "isosmith answer x retry",
                "started",
            ),
            (
                Answering::Anywhere,
                false,
                "isosmith answer x retry",
                "press",
            ),
            (Answering::Here, true, "press r", "isosmith answer"),
            (Answering::Here, false, "started", "press"),
            (Answering::Elsewhere, true, "started", "press"),
        ] {
            let text = answering.explain("x", keys);
            assert!(text.contains(says), "{answering:?} {keys}: {text}");
            assert!(!text.contains(says_not), "{answering:?} {keys}: {text}");
        }
    }
}
