//! One run of the program: started, watched, ended, judged.

use std::{
    ffi::OsString,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, channel},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use isosmith_protocol::{BuildResult, Code, ErrorView, Event, EventKind, Outcome};

/// The program, and the folders that it works in.
#[derive(Debug, Clone)]
pub struct Isosmith {
    program: PathBuf,
    /// Where builds are kept.
    pub state: PathBuf,
    /// Where downloads and layers are kept.
    pub cache: PathBuf,
    /// Where ISOs go.
    pub out: PathBuf,
    prefix: Vec<OsString>,
    env: Vec<(String, String)>,
    more: Vec<String>,
}

impl Isosmith {
    /// The program with these folders, which it makes itself.
    pub fn new(program: &Path, state: PathBuf, cache: PathBuf, out: PathBuf) -> Self {
        Self {
            program: program.to_owned(),
            state,
            cache,
            out,
            prefix: Vec::new(),
            env: Vec::new(),
            more: Vec::new(),
        }
    }

    /// Another cache.
    #[must_use]
    pub fn cache(mut self, cache: &Path) -> Self {
        self.cache = cache.to_owned();
        self
    }

    /// A further variable of the environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A further argument of `build` and `resume`.
    #[must_use]
    pub fn arg(mut self, arg: &str) -> Self {
        self.more.push(arg.to_owned());
        self
    }

    /// What the program is started by, such as `setpriv …`.
    #[must_use]
    pub fn under(mut self, prefix: &[&str]) -> Self {
        self.prefix = prefix.iter().map(OsString::from).collect();
        self
    }

    /// A command of the program with its folders named.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = match self.prefix.split_first() {
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(&self.program);
                command
            }
            None => Command::new(&self.program),
        };
        command
            .args(args)
            .arg("--state-dir")
            .arg(&self.state)
            .arg("--cache-dir")
            .arg(&self.cache)
            .stdin(Stdio::null())
            .envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Builds a profile, to the end.
    ///
    /// # Errors
    ///
    /// When the program cannot be started or says what is no event.
    pub fn build(&self, profile: &Path) -> Result<Ended> {
        self.start(profile)?.end()
    }

    /// Starts building a profile.
    ///
    /// # Errors
    ///
    /// When the program cannot be started.
    pub fn start(&self, profile: &Path) -> Result<Running> {
        self.spawn(&["build", &profile.display().to_string()])
    }

    /// Goes on with a build, to its end.
    ///
    /// # Errors
    ///
    /// When the program cannot be started or says what is no event.
    pub fn resume(&self, id: &str) -> Result<Ended> {
        self.spawn(&["resume", id])?.end()
    }

    fn spawn(&self, args: &[&str]) -> Result<Running> {
        let mut command = self.command(args);
        command
            .args(["--json", "--output"])
            .arg(&self.out)
            .args(&self.more)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("{command:?}"))?;
        let (sender, events) = channel();
        let lines = child.stdout.take().context("no standard output")?;
        thread::spawn(move || {
            for line in BufReader::new(lines).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let said = Arc::new(Mutex::new(String::new()));
        let mut errors = child.stderr.take().context("no standard error")?;
        let (into, begun) = (Arc::clone(&said), Instant::now());
        let listener = thread::spawn(move || {
            let mut text = String::new();
            let _ = errors.read_to_string(&mut text);
            if let Ok(mut said) = into.lock() {
                *said = text;
            }
        });
        Ok(Running {
            child,
            events,
            seen: Vec::new(),
            said,
            listener: Some(listener),
            begun,
        })
    }
}

/// A build at work. Dropping it ends the program, and with it the build.
#[derive(Debug)]
pub struct Running {
    child: Child,
    events: Receiver<String>,
    seen: Vec<Event>,
    said: Arc<Mutex<String>>,
    listener: Option<thread::JoinHandle<()>>,
    /// When it was started.
    pub begun: Instant,
}

impl Running {
    /// The program's process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The build's id, once it has said it.
    pub fn id(&self) -> Option<String> {
        self.seen.iter().find_map(|event| {
            if let EventKind::Hello { build, .. } = &event.kind {
                Some(build.to_string())
            } else {
                None
            }
        })
    }

    /// Takes in what it says for so long; `false` when it has nothing more to say.
    ///
    /// # Errors
    ///
    /// When it says what is no event.
    pub fn listen(&mut self, time: Duration) -> Result<bool> {
        let end = Instant::now() + time;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.events.recv_timeout(left) {
                Ok(line) => self.take(&line)?,
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => return Ok(true),
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => return Ok(false),
            }
        }
    }

    /// Takes in what it says until a step begins; `false` when it ends before that.
    ///
    /// # Errors
    ///
    /// When it says what is no event, or nothing for ten minutes.
    pub fn listen_until(&mut self, reached: impl Fn(&EventKind) -> bool) -> Result<bool> {
        loop {
            match self.events.recv_timeout(Duration::from_secs(600)) {
                Ok(line) => self.take(&line)?,
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {
                    bail!("nothing was said for ten minutes")
                }
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => return Ok(false),
            }
            if self.seen.last().is_some_and(|event| reached(&event.kind)) {
                return Ok(true);
            }
        }
    }

    fn take(&mut self, line: &str) -> Result<()> {
        let event = serde_json::from_str(line).with_context(|| format!("not an event: {line}"))?;
        self.seen.push(event);
        Ok(())
    }

    /// Sends a signal to the program, or to another of its processes.
    ///
    /// # Errors
    ///
    /// When it is gone already.
    pub fn signal(&self, pid: u32, signal: nix::sys::signal::Signal) -> Result<()> {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(pid)?);
        Ok(nix::sys::signal::kill(pid, signal)?)
    }

    /// Waits for the end.
    ///
    /// # Errors
    ///
    /// When it cannot be waited for, or said what is no event.
    pub fn end(mut self) -> Result<Ended> {
        while self.listen(Duration::from_secs(600))? {}
        let status = self.child.wait()?;
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
        let stderr = self
            .said
            .lock()
            .map(|said| said.clone())
            .unwrap_or_default();
        Ok(Ended {
            status,
            events: std::mem::take(&mut self.seen),
            stderr,
            took: self.begun.elapsed(),
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How a run ended.
#[derive(Debug)]
pub struct Ended {
    /// Exit status of the program.
    pub status: ExitStatus,
    /// Everything it told.
    pub events: Vec<Event>,
    /// What it wrote to standard error.
    pub stderr: String,
    /// From start to end.
    pub took: Duration,
}

impl Ended {
    /// The build's id, if it got one.
    pub fn id(&self) -> Option<String> {
        self.events.iter().find_map(|event| {
            if let EventKind::Hello { build, .. } = &event.kind {
                Some(build.to_string())
            } else {
                None
            }
        })
    }

    /// How it ended, by its own account; `None` for one that was killed or never began.
    pub fn result(&self) -> Option<&BuildResult> {
        self.events.iter().find_map(|event| {
            if let EventKind::Finished { result } = &event.kind {
                Some(result)
            } else {
                None
            }
        })
    }

    /// The finished ISO.
    ///
    /// # Errors
    ///
    /// When there is none; the message says why.
    pub fn iso(&self) -> Result<PathBuf> {
        match self.result() {
            Some(BuildResult::Succeeded { iso, .. }) if self.status.success() => {
                Ok(PathBuf::from(&iso.path))
            }
            Some(BuildResult::Failed { error }) => bail!("the build failed: {}", describe(error)),
            other => bail!(
                "the build ended with {other:?} and {}: {}",
                self.status,
                self.stderr
            ),
        }
    }

    /// What went wrong.
    ///
    /// # Errors
    ///
    /// When nothing did.
    pub fn error(&self) -> Result<&ErrorView> {
        match self.result() {
            Some(BuildResult::Failed { error }) => Ok(error),
            other => bail!(
                "a failure was to be told, not {other:?}; {}: {}",
                self.status,
                self.stderr
            ),
        }
    }

    /// Checks how it failed: code, exit status, and that message and advice are there; gives
    /// the message.
    ///
    /// # Errors
    ///
    /// When it did not fail like that.
    pub fn failed_with(&self, code: Code, status: i32) -> Result<String> {
        let error = self.error()?;
        if error.code != code || error.class != code.class() {
            bail!(
                "it was to fail with {code:?}, and failed with {}",
                describe(error)
            );
        }
        if self.status.code() != Some(status) {
            bail!("the exit status was to be {status}, and is {}", self.status);
        }
        if error.message.is_empty() || error.advice.is_empty() {
            bail!("a failure without message or advice: {}", describe(error));
        }
        Ok(error.message.clone())
    }

    /// How a step ended.
    pub fn outcome(&self, id: &str) -> Option<&Outcome> {
        self.events.iter().rev().find_map(|event| {
            let EventKind::StepFinished { step, outcome, .. } = &event.kind else {
                return None;
            };
            (step.as_str() == id).then_some(outcome)
        })
    }

    /// Steps whose result did not come from the cache and that were not skipped.
    pub fn made(&self) -> Vec<&str> {
        self.events
            .iter()
            .filter_map(|event| {
                if let EventKind::StepFinished {
                    step,
                    outcome: Outcome::Done,
                    ..
                } = &event.kind
                {
                    Some(step.as_str())
                } else {
                    None
                }
            })
            .collect()
    }

    /// Every line of its log.
    pub fn log(&self) -> String {
        let mut text = String::new();
        for event in &self.events {
            if let EventKind::Log { line, .. } = &event.kind {
                text.push_str(line);
                text.push('\n');
            }
        }
        text
    }
}

/// A failure in a few lines.
pub fn describe(error: &ErrorView) -> String {
    format!(
        "{:?} at {}: {} ({}) {:?} {}",
        error.code,
        error.step.as_ref().map_or("no step", |step| step.as_str()),
        error.message,
        error.advice,
        error.causes,
        error.tail.join(" | "),
    )
}
