//! The way to the message bus: calls that may be given up, replies, signals.
//!
//! All messages come in one order, through the one loop of [`crate::desk`]. So a caller that
//! leaves is known to have left before its answer from somebody else is looked at.

use std::{
    collections::HashMap,
    fmt,
    num::NonZeroU32,
    sync::{
        Mutex, MutexGuard, PoisonError,
        mpsc::{self, RecvTimeoutError, SyncSender},
    },
    time::Duration,
};

use serde::Serialize;
use zbus::{
    Message,
    blocking::{Connection, connection::Builder},
    message::{Flags, Header, Type},
    zvariant::DynamicType,
};

use crate::refusal::Refusal;

/// The bus itself, as a partner.
pub const DRIVER: Partner<'static> = Partner {
    name: "org.freedesktop.DBus",
    path: "/org/freedesktop/DBus",
    interface: "org.freedesktop.DBus",
};

/// How long the bus itself may take.
pub const SOON: Duration = Duration::from_secs(10);

/// Somebody on the bus who is asked.
#[derive(Debug, Clone, Copy)]
pub struct Partner<'a> {
    /// Bus name.
    pub name: &'a str,
    /// Object.
    pub path: &'a str,
    /// Interface.
    pub interface: &'a str,
}

/// Why a call brought no answer.
#[derive(Debug)]
pub enum Silence {
    /// Whoever it was for has left the bus.
    Vanished,
    /// Nothing came in time.
    Late,
    /// An error came: its name and text.
    Error(String, String),
    /// The answer did not come from who was asked.
    Forged,
    /// The bus is gone, or a message is not what it must be.
    Broken(zbus::Error),
}

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vanished => f.write_str("the caller has left the bus"),
            Self::Late => f.write_str("no answer came in time"),
            Self::Error(name, text) => write!(f, "{name}: {text}"),
            Self::Forged => f.write_str("the answer came from somebody else"),
            Self::Broken(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for Silence {}

impl From<zbus::Error> for Silence {
    fn from(error: zbus::Error) -> Self {
        Self::Broken(error)
    }
}

enum Heard {
    Answer(Message),
    Vanished,
}

struct Waiting {
    tell: SyncSender<Heard>,
    /// Unique name of who the call is made for.
    on_behalf: Option<String>,
}

/// A connection to the bus.
pub struct Bus {
    connection: Connection,
    waiting: Mutex<HashMap<NonZeroU32, Waiting>>,
}

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bus").finish_non_exhaustive()
    }
}

impl Bus {
    /// Connects to the bus at `address`, or to the system bus.
    ///
    /// # Errors
    ///
    /// When there is no bus.
    pub fn connect(address: Option<&str>) -> zbus::Result<Self> {
        let builder = match address {
            Some(address) => Builder::address(address)?,
            None => Builder::system()?,
        };
        Ok(Self {
            connection: builder.max_queued(1024).build()?,
            waiting: Mutex::default(),
        })
    }

    /// The connection itself.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<NonZeroU32, Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks `partner` and waits. `on_behalf` is whose vanishing ends the wait.
    ///
    /// # Errors
    ///
    /// See [`Silence`].
    pub fn call<B: Serialize + DynamicType>(
        &self,
        partner: Partner<'_>,
        member: &str,
        body: &B,
        patience: Duration,
        on_behalf: Option<&str>,
    ) -> Result<Message, Silence> {
        let message = Message::method_call(partner.path, member)?
            .destination(partner.name)?
            .interface(partner.interface)?
            .with_flags(Flags::NoAutoStart)?
            .build(body)?;
        let serial = message.primary_header().serial_num();
        let (tell, answer) = mpsc::sync_channel(1);
        let waiting = Waiting {
            tell,
            on_behalf: on_behalf.map(str::to_owned),
        };
        self.waiting().insert(serial, waiting);
        let heard = self
            .connection
            .send(&message)
            .map_err(Silence::from)
            .and_then(|()| match answer.recv_timeout(patience) {
                Ok(Heard::Answer(message)) => Ok(message),
                Ok(Heard::Vanished) => Err(Silence::Vanished),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    Err(Silence::Late)
                }
            });
        self.waiting().remove(&serial);
        let message = heard?;
        let header = message.header();
        let sender = header.sender().map(|name| name.as_str());
        // An error may come from the bus, if there is nobody of that name.
        match (message.message_type(), sender) {
            (Type::Error, Some(sender)) if sender == partner.name || sender == DRIVER.name => {
                let text = message.body().deserialize::<String>().unwrap_or_default();
                let name = header.error_name().map(ToString::to_string);
                Err(Silence::Error(name.unwrap_or_default(), text))
            }
            (Type::MethodReturn, Some(sender)) if sender == partner.name => {
                drop(header);
                Ok(message)
            }
            (Type::MethodReturn | Type::Error | Type::MethodCall | Type::Signal, _) => {
                Err(Silence::Forged)
            }
        }
    }

    /// The unique name of whoever has `name`, started if nobody has it.
    ///
    /// # Errors
    ///
    /// When nobody has it and nobody can be started.
    pub fn owner_of(&self, name: &str) -> Result<String, Silence> {
        let owner = || {
            let message = self.call(DRIVER, "GetNameOwner", &name, SOON, None)?;
            Ok(message.body().deserialize::<String>()?)
        };
        match owner() {
            Err(Silence::Error(..)) => {}
            other => return other,
        }
        const A_WHILE: Duration = Duration::from_secs(25);
        self.call(DRIVER, "StartServiceByName", &(name, 0_u32), A_WHILE, None)?;
        owner()
    }

    /// Takes a reply to an earlier call.
    pub fn heard(&self, message: &Message) {
        let Some(serial) = message.header().reply_serial() else {
            return;
        };
        if let Some(waiting) = self.waiting().remove(&serial) {
            let _ = waiting.tell.try_send(Heard::Answer(message.clone()));
        }
    }

    /// Takes note that the unique name `name` has left the bus.
    pub fn gone(&self, name: &str) {
        self.waiting().retain(|_, waiting| {
            let gone = waiting.on_behalf.as_deref() == Some(name);
            if gone {
                let _ = waiting.tell.try_send(Heard::Vanished);
            }
            !gone
        });
    }

    /// Answers a call with a value.
    pub fn reply<B: Serialize + DynamicType>(&self, call: &Header<'_>, body: &B) {
        if wants_no_answer(call) {
            return;
        }
        if let Err(error) = self.connection.reply(call, body) {
            tracing::debug!(%error, "an answer did not arrive");
        }
    }

    /// Answers a call with one of our errors.
    pub fn refuse(&self, call: &Header<'_>, refusal: &Refusal) {
        tracing::info!(
            sender = call.sender().map(|name| name.as_str()),
            member = call.member().map(|name| name.as_str()),
            error = refusal.kind.name(),
            "{}",
            refusal.failure
        );
        self.fail(call, refusal.kind.name(), &refusal.message());
    }

    /// Answers a call with an error by name.
    pub fn fail(&self, call: &Header<'_>, name: &str, text: &str) {
        if wants_no_answer(call) {
            return;
        }
        if let Err(error) = self.connection.reply_error(call, name, &text) {
            tracing::debug!(%error, "an answer did not arrive");
        }
    }

    /// Sends a signal to one connection, or to everybody.
    pub fn signal<B: Serialize + DynamicType>(
        &self,
        to: Option<&str>,
        interface: &str,
        member: &str,
        body: &B,
    ) {
        let path = crate::method::PATH;
        if let Err(error) = self
            .connection
            .emit_signal(to, path, interface, member, body)
        {
            tracing::debug!(%error, "a signal was not sent");
        }
    }
}

fn wants_no_answer(call: &Header<'_>) -> bool {
    call.primary().flags().contains(Flags::NoReplyExpected)
}
