//! Something that stands in for polkitd: it writes down what it is asked, byte for byte, and
//! says what the test wants it to say, or nothing.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::{Result, ensure};
use isosmith_tests::bus::{Bus, POLKIT};
use zbus::{
    blocking::{Connection, MessageIterator},
    message::Type,
    zvariant::OwnedValue,
};

/// What it says when it is asked whether somebody may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Yes.
    Yes,
    /// No.
    No,
    /// Only after a prompt, for which there is nobody.
    Challenge,
    /// The person closed the prompt.
    Dismissed,
    /// Nothing, until [`Mock::settle`].
    Silence,
    /// It says that it failed.
    Failure,
    /// It leaves the bus instead of an answer.
    Crash,
    /// An answer of another type, in which everything looks like a yes.
    Nonsense,
}

/// A question as it came.
#[derive(Debug, Clone)]
pub struct Question {
    /// Types of the whole question.
    pub signature: String,
    /// Kind of the subject (polkit's `Subject` structure).
    pub subject: String,
    /// About the subject: each value with its type.
    pub about: BTreeMap<String, (String, serde_json::Value)>,
    /// What is to be done.
    pub action: String,
    /// What is said about it.
    pub details: BTreeMap<String, String>,
    /// 1: the person may be asked.
    pub flags: u32,
    /// With which it can be withdrawn.
    pub cancellation: String,
    message: zbus::Message,
}

#[derive(Default)]
struct State {
    verdict: Option<Verdict>,
    questions: Vec<Question>,
    withdrawn: Vec<String>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    news: Condvar,
    /// It was asked in a way that it does not know, or about a process.
    odd: AtomicBool,
}

/// polkit's stand-in; it leaves the bus when the value goes.
pub struct Mock {
    connection: Connection,
    shared: Arc<Shared>,
}

type Asked = (
    (String, HashMap<String, OwnedValue>),
    String,
    HashMap<String, String>,
    u32,
    String,
);

impl Mock {
    /// Takes polkit's name on a bus; says `verdict` to everything.
    pub fn start(bus: &Bus, verdict: Verdict) -> Result<Self> {
        let connection = bus.connect()?;
        let messages = MessageIterator::from(&connection);
        let shared = Arc::new(Shared::default());
        locked(&shared.state).verdict = Some(verdict);
        let (into, at) = (Arc::clone(&shared), connection.clone());
        thread::spawn(move || {
            for message in messages.map_while(Result::ok) {
                take(&at, &into, message);
            }
        });
        connection.request_name(POLKIT)?;
        Ok(Self { connection, shared })
    }

    /// What it says from now on.
    pub fn says(&self, verdict: Verdict) {
        locked(&self.shared.state).verdict = Some(verdict);
    }

    /// Every question so far.
    ///
    /// # Errors
    ///
    /// When one was asked in a way that polkit does not know.
    pub fn questions(&self) -> Result<Vec<Question>> {
        ensure!(
            !self.shared.odd.load(Ordering::Relaxed),
            "polkit was asked about something else than a bus name, or in a way that it does not know"
        );
        Ok(locked(&self.shared.state).questions.clone())
    }

    /// Waits until there are so many questions in all, and gives them.
    ///
    /// # Errors
    ///
    /// When there are not within a minute.
    pub fn asked(&self, count: usize) -> Result<Vec<Question>> {
        let state = locked(&self.shared.state);
        let (state, late) = self
            .shared
            .news
            .wait_timeout_while(state, Duration::from_secs(60), |state| {
                state.questions.len() < count
            })
            .unwrap_or_else(PoisonError::into_inner);
        let found = state.questions.len();
        drop(state);
        ensure!(
            !late.timed_out(),
            "polkit was asked {found} times, not {count}"
        );
        self.questions()
    }

    /// Whether a question was withdrawn.
    pub fn is_withdrawn(&self, question: &Question) -> bool {
        let state = locked(&self.shared.state);
        state.withdrawn.contains(&question.cancellation)
    }

    /// Answers a question that was met with silence.
    ///
    /// # Errors
    ///
    /// When the bus is gone. That nobody waits for the answer any more is none.
    pub fn settle(&self, question: &Question, verdict: Verdict) -> Result<()> {
        say(&self.connection, &question.message, verdict)?;
        Ok(())
    }

    /// Leaves the bus without a word.
    pub fn crash(&self) {
        let _ = self.connection.clone().close();
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        self.crash();
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn take(connection: &Connection, shared: &Shared, message: zbus::Message) {
    let header = message.header();
    if header.message_type() != Type::MethodCall {
        return;
    }
    let member = header.member().map(ToString::to_string).unwrap_or_default();
    match member.as_str() {
        "CheckAuthorization" => {}
        "CancelCheckAuthorization" => {
            let name: String = message.body().deserialize().unwrap_or_default();
            locked(&shared.state).withdrawn.push(name);
            let _ = connection.reply(&header, &());
            return;
        }
        _ => {
            let _ = connection.reply_error(
                &header,
                "org.freedesktop.DBus.Error.UnknownMethod",
                &"not here",
            );
            return;
        }
    }
    let body = message.body();
    let signature = body.signature().to_string_no_parens();
    let asked: Result<Asked, _> = body.deserialize();
    let Ok(((subject, about), action, details, flags, cancellation)) = asked else {
        shared.odd.store(true, Ordering::Relaxed);
        let _ = say(connection, &message, Verdict::Failure);
        return;
    };
    // Whoever names a process id can be tricked: it may be another's by now (CVE-2013-4288).
    if subject != "system-bus-name" {
        shared.odd.store(true, Ordering::Relaxed);
    }
    let about = about
        .into_iter()
        .map(|(name, value)| {
            let signature = value.value_signature().to_string();
            (name, (signature, crate::values::json(&value)))
        })
        .collect();
    let question = Question {
        signature,
        subject,
        about,
        action,
        details: details.into_iter().collect(),
        flags,
        cancellation,
        message: message.clone(),
    };
    let verdict = {
        let mut state = locked(&shared.state);
        state.questions.push(question);
        state.verdict.unwrap_or(Verdict::No)
    };
    shared.news.notify_all();
    let _ = say(connection, &message, verdict);
}

/// polkit's answer is one structure: authorised, would be after a challenge, details
/// (`CheckAuthorization` in polkit's D-Bus reference).
fn say(connection: &Connection, question: &zbus::Message, verdict: Verdict) -> zbus::Result<()> {
    let header = question.header();
    let answer = |yes: bool, challenge: bool, details: &[(&str, &str)]| {
        let details: HashMap<&str, &str> = details.iter().copied().collect();
        connection.reply(&header, &((yes, challenge, details),))
    };
    match verdict {
        Verdict::Yes => answer(true, false, &[]),
        Verdict::No => answer(false, false, &[]),
        Verdict::Challenge => answer(false, true, &[]),
        Verdict::Dismissed => answer(false, true, &[("polkit.dismissed", "true")]),
        Verdict::Silence => Ok(()),
        Verdict::Failure => connection.reply_error(
            &header,
            "org.freedesktop.PolicyKit1.Error.Failed",
            &"something went wrong",
        ),
        Verdict::Crash => connection.clone().close(),
        Verdict::Nonsense => connection.reply(&header, &(true, true, "yes")),
    }
}
