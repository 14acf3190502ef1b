//! Where calls come in: one loop for all messages, one thread for each call.

mod methods;
mod standard;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use isosmith_engine::Failure;
use isosmith_protocol::{BuildId, Code, Isolation};
use zbus::{
    Message,
    blocking::MessageIterator,
    message::{Flags, Type},
};

use crate::{
    builds::{Announce, Builds},
    bus::{Bus, DRIVER, SOON, Silence},
    callers::Callers,
    gate::{Gate, Identities},
    method::{INTERFACE, Method, NAME, PATH},
    refusal::{Kind, Refusal},
    stage::Stage,
};

/// Enough for a call; there may be many.
const STACK: usize = 1 << 20;

/// `DBUS_NAME_FLAG_DO_NOT_QUEUE` and the reply that says that we have the name
/// (D-Bus specification, "org.freedesktop.DBus.RequestName").
const DO_NOT_QUEUE: u32 = 4;
const PRIMARY_OWNER: u32 = 1;

/// When something was last wanted.
#[derive(Debug, Clone)]
pub struct Activity(Arc<Mutex<Instant>>);

impl Activity {
    fn now() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }

    /// Something is wanted.
    pub fn mark(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn ago(&self) -> Duration {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .elapsed()
    }
}

/// What every call has at hand.
#[derive(Debug)]
pub struct Desk {
    /// The way out.
    pub bus: Arc<Bus>,
    /// Who is there.
    pub callers: Arc<Callers>,
    /// Who may what.
    pub gate: Gate,
    /// Every build.
    pub builds: Arc<Builds>,
    /// In what builds are kept on this machine.
    pub isolation: Isolation,
    /// When somebody last wanted something.
    pub activity: Activity,
}

/// Uids by the bus's word.
#[derive(Debug)]
pub struct OnTheBus(pub Arc<Bus>);

impl Identities for OnTheBus {
    /// `GetConnectionUnixUser` of the bus: the uid that the kernel gave the bus when the
    /// connection was made.
    fn uid_of(&self, name: &str) -> Result<u32, Silence> {
        let answer = self
            .0
            .call(DRIVER, "GetConnectionUnixUser", &name, SOON, Some(name))?;
        Ok(answer.body().deserialize()?)
    }
}

/// News for the bus.
#[derive(Debug)]
pub struct News {
    bus: Arc<Bus>,
    callers: Arc<Callers>,
    busy: AtomicBool,
}

impl News {
    /// News that go out on `bus`.
    pub fn on(bus: Arc<Bus>, callers: Arc<Callers>) -> Self {
        Self {
            bus,
            callers,
            busy: AtomicBool::new(false),
        }
    }
}

impl Announce for News {
    fn changed(&self, uid: u32, id: &BuildId, stage: Stage) {
        for name in self.callers.of(uid) {
            let body = (id.as_str(), stage.word());
            self.bus.signal(Some(&name), INTERFACE, "Changed", &body);
        }
    }

    fn busy(&self, busy: bool) {
        if self.busy.swap(busy, Ordering::SeqCst) != busy {
            standard::tell_busy(&self.bus, busy);
        }
    }
}

impl Desk {
    /// A desk that nobody has come to yet.
    pub fn new(
        bus: Arc<Bus>,
        callers: Arc<Callers>,
        gate: Gate,
        builds: Arc<Builds>,
        isolation: Isolation,
    ) -> Self {
        Self {
            bus,
            callers,
            gate,
            builds,
            isolation,
            activity: Activity::now(),
        }
    }

    /// Takes the service's name and then every message, until the bus is gone or nothing was
    /// wanted for `idle`.
    ///
    /// # Errors
    ///
    /// When the name is somebody else's, or the bus is gone.
    pub fn open(self: &Arc<Self>, idle: Duration) -> Result<(), Failure> {
        let messages = MessageIterator::from(self.bus.connection());
        let desk = self.clone();
        // Apart, because the bus's answers come through the loop below.
        thread::spawn(move || {
            if let Err(failure) = desk.take_the_name() {
                tracing::error!(%failure, causes = ?failure.causes, "not on the bus");
                std::process::exit(1);
            }
            desk.close_when_idle(idle);
        });
        for message in messages {
            match message {
                Ok(message) => self.sort(message),
                Err(error) => {
                    tracing::error!(%error, "the bus is gone");
                    break;
                }
            }
        }
        Err(Failure::plain(
            Code::ServiceUnavailable,
            "the message bus is gone",
        ))
    }

    fn take_the_name(&self) -> Result<(), Failure> {
        let failed = |silence: Silence| {
            Failure::plain(Code::ServiceUnavailable, "the bus does not let us in").because(silence)
        };
        let rule = "type='signal',sender='org.freedesktop.DBus',\
                    interface='org.freedesktop.DBus',member='NameOwnerChanged',arg2=''";
        self.bus
            .call(DRIVER, "AddMatch", &rule, SOON, None)
            .map_err(failed)?;
        let reply = self
            .bus
            .call(DRIVER, "RequestName", &(NAME, DO_NOT_QUEUE), SOON, None)
            .map_err(failed)?;
        match reply.body().deserialize() {
            Ok(PRIMARY_OWNER) => Ok(()),
            Ok(_) | Err(_) => Err(Failure::plain(
                Code::Locked,
                format!("{NAME} is somebody else's"),
            )),
        }
    }

    /// Leaves when nothing was wanted for long enough. The name goes first: who calls after
    /// that gets a new service, and who called before is still answered.
    fn close_when_idle(&self, idle: Duration) {
        const LOOK: Duration = Duration::from_millis(250);
        loop {
            thread::sleep(LOOK);
            if self.is_busy() || self.activity.ago() < idle {
                continue;
            }
            if let Err(silence) = self.bus.call(DRIVER, "ReleaseName", &NAME, SOON, None) {
                tracing::debug!(%silence, "the name could not be given back");
            }
            thread::sleep(LOOK);
            if !self.is_busy() && self.activity.ago() >= idle {
                tracing::info!("nothing to do");
                std::process::exit(0);
            }
            if let Err(failure) = self.take_the_name() {
                tracing::warn!(%failure, "the name is gone");
            }
        }
    }

    /// Whether something is being done.
    pub fn is_busy(&self) -> bool {
        if self.builds.busy() || self.callers.busy() {
            self.activity.mark();
            return true;
        }
        false
    }

    fn sort(self: &Arc<Self>, message: Message) {
        match message.message_type() {
            Type::MethodReturn | Type::Error => self.bus.heard(&message),
            Type::Signal => self.hear(&message),
            Type::MethodCall => self.take(message),
        }
    }

    /// Who leaves the bus is forgotten, and whatever was asked for them with it.
    fn hear(&self, message: &Message) {
        let header = message.header();
        let from_the_bus = header.sender().is_some_and(|name| *name == DRIVER.name);
        let member = header.member().map(|name| name.as_str());
        if !from_the_bus || member != Some("NameOwnerChanged") {
            return;
        }
        let body = message.body();
        let Ok((name, _old, new)) = body.deserialize::<(&str, &str, &str)>() else {
            return;
        };
        if new.is_empty() {
            self.callers.gone(name);
            self.bus.gone(name);
        }
    }

    fn take(self: &Arc<Self>, message: Message) {
        let header = message.header();
        let Some(sender) = header.sender().map(ToString::to_string) else {
            return;
        };
        self.activity.mark();
        if !self.callers.enters(&sender) {
            let refusal = Refusal::new(Kind::TooMany, "too many calls are at work");
            return self.bus.refuse(&header, &refusal);
        }
        drop(header);
        let (desk, call, name) = (self.clone(), message.clone(), sender.clone());
        let thread = thread::Builder::new()
            .name("call".to_owned())
            .stack_size(STACK)
            .spawn(move || {
                desk.handle(&call, &name);
                desk.callers.leaves(&name);
                desk.activity.mark();
            });
        if let Err(error) = thread {
            self.callers.leaves(&sender);
            let failure = Failure::io("begin with the call", error);
            self.bus.refuse(&message.header(), &failure.into());
        }
    }

    fn handle(&self, call: &Message, sender: &str) {
        let answered = catch_unwind(AssertUnwindSafe(|| self.answer(call, sender)));
        let refusal = match answered {
            Ok(Ok(())) => return,
            Ok(Err(refusal)) => refusal,
            Err(_) => Refusal::new(Kind::Failed, "the service has a fault"),
        };
        self.bus.refuse(&call.header(), &refusal);
    }

    /// The only way from a call to anything that is done.
    fn answer(&self, call: &Message, sender: &str) -> Result<(), Refusal> {
        let header = call.header();
        let interactive = header
            .primary()
            .flags()
            .contains(Flags::AllowInteractiveAuth);
        let caller = self.gate.admit(sender, interactive)?;
        let ours = header.path().is_some_and(|path| *path == PATH)
            && header.interface().is_none_or(|name| *name == INTERFACE);
        if !ours {
            standard::answer(self, call);
            return Ok(());
        }
        let member = header
            .member()
            .map(|name| name.as_str())
            .unwrap_or_default();
        let signature = call.body().signature().to_string_no_parens();
        match Method::find(member, &signature) {
            Some(method) => methods::run(self, method?, &caller, call),
            None => {
                standard::unknown_method(&self.bus, &header);
                Ok(())
            }
        }
    }
}
