//! The test's end of somebody's program.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use isosmith_protocol::{ErrorView, Event, EventKind};
use isosmith_tests::bus::Person;
use serde_json::Value;

use crate::{
    asks::{Answer, Arg, Ask, Line, Reply},
    client,
};

/// No call may take longer; what waits for a build has its own limit.
pub const NEVER_HANGS: Duration = Duration::from_secs(120);
/// No small build takes longer.
pub const LONG: Duration = Duration::from_secs(600);

/// A running program of somebody, with one connection to the bus. It is killed when the value
/// goes.
pub struct Caller {
    /// Who.
    pub person: Person,
    child: Child,
    input: Mutex<ChildStdin>,
    replies: Arc<Replies>,
    count: AtomicU64,
}

#[derive(Default)]
struct Replies {
    here: Mutex<BTreeMap<u64, Reply>>,
    news: Condvar,
    over: std::sync::atomic::AtomicBool,
}

/// What was asked and is not answered yet.
pub struct Pending {
    number: u64,
    replies: Arc<Replies>,
}

impl Pending {
    /// The answer.
    ///
    /// # Errors
    ///
    /// When there is none within `limit`, or the program has ended.
    pub fn within(&self, limit: Duration) -> Result<Reply> {
        let end = Instant::now() + limit;
        let mut here = self
            .replies
            .here
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(reply) = here.remove(&self.number) {
                return Ok(reply);
            }
            if self.replies.over.load(Ordering::Relaxed) {
                bail!("the caller's program ended");
            }
            let left = end.saturating_duration_since(Instant::now());
            ensure!(!left.is_zero(), "no answer within {limit:?}");
            here = self
                .replies
                .news
                .wait_timeout(here, left.min(Duration::from_millis(500)))
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Whether it is answered.
    pub fn is_answered(&self) -> bool {
        self.replies
            .here
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains_key(&self.number)
    }
}

/// Why the helper said no.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// The part of the error's name after `org.isosmith.Error.`; the whole name if it is
    /// somebody else's.
    pub name: String,
    /// Its message: for our own errors the JSON of an [`ErrorView`].
    pub message: String,
}

impl Caller {
    /// Starts somebody's program, connected to a bus.
    pub fn start(person: Person, address: &str) -> Result<Self> {
        let mut child = Command::new("/proc/self/exe")
            .env_clear()
            .env(client::PERSON, person.name)
            .env(client::BUS, address)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = child.stdin.take().context("no standard input")?;
        let output = child.stdout.take().context("no standard output")?;
        let replies = Arc::new(Replies::default());
        let into = Arc::clone(&replies);
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let Ok(Answer { number, reply }) = serde_json::from_str(&line) else {
                    eprintln!("not an answer: {line}");
                    continue;
                };
                into.here
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .insert(number, reply);
                into.news.notify_all();
            }
            into.over.store(true, Ordering::Relaxed);
            into.news.notify_all();
        });
        Ok(Self {
            person,
            child,
            input: Mutex::new(input),
            replies,
            count: AtomicU64::new(0),
        })
    }

    /// Asks, and does not wait.
    pub fn begin(&self, ask: Ask) -> Result<Pending> {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let text = serde_json::to_string(&Line { number, ask })?;
        let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(input, "{text}")?;
        input.flush()?;
        Ok(Pending {
            number,
            replies: Arc::clone(&self.replies),
        })
    }

    /// Asks, and waits.
    pub fn ask(&self, ask: Ask) -> Result<Reply> {
        self.begin(ask)?.within(NEVER_HANGS)
    }

    /// Calls a method of the helper; whatever comes.
    pub fn call(&self, method: &str, args: Vec<Arg>) -> Result<Reply> {
        self.ask(call(method, args))
    }

    /// Calls a method that must be done.
    pub fn done(&self, method: &str, args: Vec<Arg>) -> Result<Value> {
        done(self.call(method, args)?).with_context(|| format!("{method} by {}", self.person.name))
    }

    /// Calls a method that must be refused.
    pub fn refused(&self, method: &str, args: Vec<Arg>) -> Result<Refusal> {
        refused(self.call(method, args)?)
            .with_context(|| format!("{method} by {}", self.person.name))
    }

    /// The builds that this person sees: id and state.
    pub fn list(&self, everybody: bool) -> Result<Vec<(String, String)>> {
        let rows = self.done("List", vec![Arg::Bool(everybody)])?;
        let rows = rows.as_array().context("no list")?;
        let text = |row: &Value, at: usize| row[at].as_str().unwrap_or_default().to_owned();
        Ok(rows
            .iter()
            .map(|row| (text(row, 0), text(row, 2)))
            .collect())
    }

    /// Everything that is told about a build.
    pub fn describe(&self, id: &str) -> Result<Value> {
        self.done("Describe", vec![Arg::Text(id.to_owned())])
    }

    /// A build's state.
    pub fn state(&self, id: &str) -> Result<String> {
        let about = self.describe(id)?;
        Ok(about["state"].as_str().context("no state")?.to_owned())
    }

    /// Waits until a build is in a state.
    pub fn await_state(&self, id: &str, state: &str) -> Result<()> {
        let begun = Instant::now();
        loop {
            let now = self.state(id)?;
            if now == state {
                return Ok(());
            }
            ensure!(begun.elapsed() < LONG, "{id} is {now}, not {state}");
            thread::sleep(Duration::from_millis(200));
        }
    }

    /// Attaches to a build.
    pub fn attach(&self, id: &str, from: u64) -> Result<u32> {
        let reply = self.ask(Ask::Attach {
            id: id.to_owned(),
            from,
        })?;
        let number = done(reply)?.as_u64().context("no viewer")?;
        Ok(u32::try_from(number)?)
    }

    /// What a viewer is told within `limit`, and whether that was all.
    pub fn hear(&self, viewer: u32, limit: Duration) -> Result<(Vec<Event>, bool)> {
        let limit_ms = u64::try_from(limit.as_millis())?;
        let heard = done(
            self.begin(Ask::Hear { viewer, limit_ms })?
                .within(limit + NEVER_HANGS)?,
        )?;
        let lines = heard["lines"].as_array().context("no lines")?;
        let events = lines
            .iter()
            .map(|line| {
                let text = line.as_str().unwrap_or_default();
                serde_json::from_str(text).with_context(|| format!("not an event: {text}"))
            })
            .collect::<Result<_>>()?;
        Ok((events, heard["over"] == true))
    }

    /// Every event of a build from `from` to its end.
    pub fn events(&self, id: &str, from: u64) -> Result<Vec<Event>> {
        let viewer = self.attach(id, from)?;
        let (events, over) = self.hear(viewer, LONG)?;
        ensure!(over, "the stream of {id} did not end");
        self.ask(Ask::Leave { viewer })?;
        Ok(events)
    }

    /// Hears a build until something happens; fails if it ends before.
    pub fn hear_until(
        &self,
        viewer: u32,
        what: &str,
        reached: impl Fn(&EventKind) -> bool,
    ) -> Result<Vec<Event>> {
        let begun = Instant::now();
        let mut seen = Vec::new();
        loop {
            let (events, over) = self.hear(viewer, Duration::from_millis(300))?;
            let found = events.iter().any(|event| reached(&event.kind));
            seen.extend(events);
            if found {
                return Ok(seen);
            }
            ensure!(!over, "it ended before {what}: {:?}", seen.last());
            ensure!(begun.elapsed() < LONG, "{what} did not happen");
        }
    }

    /// Ends the program at once, as a crash would.
    pub fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A call of the helper's interface.
pub fn call(method: &str, args: Vec<Arg>) -> Ask {
    Ask::Call {
        method: method.to_owned(),
        args,
    }
}

/// The answer to what had to be done.
pub fn done(reply: Reply) -> Result<Value> {
    match reply {
        Reply::Done(value) => Ok(value),
        Reply::Refused { name, message } => bail!("refused: {name}: {message}"),
        Reply::Broken(text) => bail!("no answer: {text}"),
    }
}

/// The answer to what had to be refused. Our own errors carry a whole [`ErrorView`]: a code,
/// what happened, what to do.
pub fn refused(reply: Reply) -> Result<Refusal> {
    match reply {
        Reply::Done(value) => bail!("it was done, and gave {value}"),
        Reply::Broken(text) => bail!("no answer: {text}"),
        Reply::Refused { name, message } => {
            let Some(short) = name.strip_prefix("org.isosmith.Error.") else {
                return Ok(Refusal { name, message });
            };
            let view: ErrorView = serde_json::from_str(&message)
                .with_context(|| format!("the message of {name} is no error: {message}"))?;
            ensure!(
                !view.message.is_empty() && !view.advice.is_empty(),
                "{name} without message or advice: {message}"
            );
            Ok(Refusal {
                name: short.to_owned(),
                message,
            })
        }
    }
}

/// Fails unless a refusal has one of these names.
pub fn is_one_of(refusal: &Refusal, names: &[&str]) -> Result<()> {
    ensure!(
        names.contains(&refusal.name.as_str()),
        "it was to be refused as {}, not as {}: {}",
        names.join(" or "),
        refusal.name,
        refusal.message
    );
    Ok(())
}
