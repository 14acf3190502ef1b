//! Hosts that run nothing: one records for tests, one prints.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Mutex,
};

use crate::{Cancel, Cmd, CmdError, Host, HostError, Stream, Watch, mount::MountGuard};

/// What a [`FakeHost`] answers to a command whose line contains [`Answer::when`].
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// Part of the command's line.
    pub when: String,
    /// Printed on standard output.
    pub stdout: String,
    /// Printed on standard error.
    pub stderr: String,
    /// Exit status.
    pub status: i32,
    /// How often this answer is given before the next one that fits; `None` for ever.
    pub times: Option<u32>,
}

/// Records every command and answers from a script; no command is run.
#[derive(Debug, Default)]
pub struct FakeHost {
    cancel: Cancel,
    log: Mutex<Vec<String>>,
    answers: Mutex<Vec<Answer>>,
}

impl FakeHost {
    /// Adds an answer; the first that fits is given.
    pub fn answer(self, answer: Answer) -> Self {
        lock(&self.answers).push(answer);
        self
    }

    /// Every command so far, a line each, overlays among them.
    pub fn log(&self) -> Vec<String> {
        lock(&self.log).clone()
    }

    fn next_answer(&self, line: &str) -> Option<Answer> {
        let mut answers = lock(&self.answers);
        let answer = answers
            .iter_mut()
            .find(|answer| line.contains(&answer.when) && answer.times != Some(0))?;
        if let Some(times) = &mut answer.times {
            *times -= 1;
        }
        Some(answer.clone())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Host for FakeHost {
    fn run(&self, cmd: &Cmd, watch: &mut dyn Watch) -> Result<(), CmdError> {
        let line = cmd.to_string();
        lock(&self.log).push(line.clone());
        if self.cancel.is_cancelled() {
            return Err(CmdError::Cancelled {
                program: cmd.program.clone(),
            });
        }
        let Some(answer) = self.next_answer(&line) else {
            return Ok(());
        };
        if cmd.binary_output {
            watch
                .bytes(answer.stdout.as_bytes())
                .map_err(|source| CmdError::Output {
                    program: cmd.program.clone(),
                    source,
                })?;
        } else {
            answer
                .stdout
                .lines()
                .for_each(|text| watch.line(Stream::Stdout, text));
        }
        answer
            .stderr
            .lines()
            .for_each(|text| watch.line(Stream::Stderr, text));
        match answer.status {
            0 => Ok(()),
            127 => Err(CmdError::Missing {
                program: cmd.program.clone(),
                command: line,
            }),
            code => Err(CmdError::Failed {
                program: cmd.program.clone(),
                command: line,
                status: format!("exit status {code}"),
                code: Some(code),
                tail: answer.stderr.lines().map(str::to_owned).collect(),
            }),
        }
    }

    fn overlay(
        &self,
        lower: &[PathBuf],
        upper: &Path,
        _work: &Path,
        at: &Path,
    ) -> Result<MountGuard, HostError> {
        let lower: Vec<_> = lower
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        lock(&self.log).push(format!(
            "overlay {} = {} over {}",
            at.display(),
            upper.display(),
            lower.join(" over ")
        ));
        Ok(MountGuard::none())
    }

    fn cancel(&self) -> &Cancel {
        &self.cancel
    }
}

/// Hands every command to a printer instead of running it.
pub struct DryHost {
    cancel: Cancel,
    print: Box<dyn Fn(&str) + Send + Sync>,
}

impl DryHost {
    /// `print` gets one line per command.
    pub fn new(print: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self {
            cancel: Cancel::new(),
            print: Box::new(print),
        }
    }
}

impl fmt::Debug for DryHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DryHost").finish_non_exhaustive()
    }
}

impl Host for DryHost {
    fn run(&self, cmd: &Cmd, _watch: &mut dyn Watch) -> Result<(), CmdError> {
        (self.print)(&cmd.to_string());
        Ok(())
    }

    fn overlay(
        &self,
        _lower: &[PathBuf],
        _upper: &Path,
        _work: &Path,
        _at: &Path,
    ) -> Result<MountGuard, HostError> {
        Ok(MountGuard::none())
    }

    fn cancel(&self) -> &Cancel {
        &self.cancel
    }
}
