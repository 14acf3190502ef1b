//! Asking polkit, and nothing of what it says but a clear yes.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use zbus::zvariant::Value;

use crate::bus::{Bus, Partner, SOON, Silence};

/// A person may have to find an administrator.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// How long polkit may take when nobody is asked.
const WITHOUT_A_PERSON: Duration = Duration::from_secs(30);

/// `AllowUserInteraction` of `CheckAuthorizationFlags`
/// (polkit reference manual, org.freedesktop.PolicyKit1.Authority).
const ALLOW_USER_INTERACTION: u32 = 1;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    /// The unique bus name of whoever wants something. Never a process id, which can be
    /// somebody else's by the time that it is looked at.
    pub subject: &'a str,
    /// The action's id.
    pub action: &'a str,
    /// What is shown to the person, and what rules may look at.
    pub details: Vec<(&'static str, String)>,
    /// Whether a person may be asked.
    pub interactive: bool,
}

/// What polkit says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The only thing that counts as a yes.
    pub authorised: bool,
    /// Whether a person has closed the question.
    pub dismissed: bool,
}

/// Whoever decides.
pub trait Authority: Send + Sync {
    /// Asks, and waits for a person if it must.
    ///
    /// # Errors
    ///
    /// When there is no answer, which is as good as no.
    fn ask(&self, question: &Question<'_>) -> Result<Answer, Silence>;
}

/// polkit on the bus.
#[derive(Debug)]
pub struct Polkit {
    bus: Arc<Bus>,
    asked: AtomicU64,
}

impl Polkit {
    /// polkit on `bus`.
    pub fn on(bus: Arc<Bus>) -> Self {
        Self {
            bus,
            asked: AtomicU64::new(0),
        }
    }
}

const NAME: &str = "org.freedesktop.PolicyKit1";

impl Authority for Polkit {
    fn ask(&self, question: &Question<'_>) -> Result<Answer, Silence> {
        let owner = self.bus.owner_of(NAME)?;
        let polkit = Partner {
            name: &owner,
            path: "/org/freedesktop/PolicyKit1/Authority",
            interface: "org.freedesktop.PolicyKit1.Authority",
        };
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        let ticket = format!("isosmith-{number}");
        let subject: (&str, HashMap<&str, Value<'_>>) = (
            "system-bus-name",
            HashMap::from([("name", Value::from(question.subject))]),
        );
        let details: HashMap<&str, &str> = question
            .details
            .iter()
            .map(|(key, value)| (*key, value.as_str()))
            .collect();
        let (flags, patience) = match question.interactive {
            true => (ALLOW_USER_INTERACTION, PATIENCE),
            false => (0, WITHOUT_A_PERSON),
        };
        let body = (subject, question.action, details, flags, ticket.as_str());
        let heard = self.bus.call(
            polkit,
            "CheckAuthorization",
            &body,
            patience,
            Some(question.subject),
        );
        if matches!(heard, Err(Silence::Vanished | Silence::Late)) {
            // Nobody needs an answer any more; the window with the question should go.
            let cancelled = self
                .bus
                .call(polkit, "CancelCheckAuthorization", &ticket, SOON, None);
            if let Err(error) = cancelled {
                tracing::debug!(%error, "a question was not withdrawn");
            }
        }
        let message = heard?;
        let body = message.body();
        let (authorised, _challenge, told): (bool, bool, HashMap<String, String>) =
            body.deserialize()?;
        Ok(Answer {
            authorised,
            dismissed: told.contains_key("polkit.dismissed"),
        })
    }
}
