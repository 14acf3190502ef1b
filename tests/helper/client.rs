//! Somebody's program: this very program, started again, which becomes that person before it
//! does anything, and then does as it is asked.
//!
//! The bus learns from the kernel who is at the other end of a connection, so nothing less
//! than another process with another user id will do.

use std::{
    collections::BTreeMap,
    env,
    fs::File,
    io::{self, BufRead, BufReader, Read, Write},
    os::fd::{AsFd, OwnedFd},
    process::ExitCode,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use nix::{
    fcntl::{AT_FDCWD, RenameFlags, renameat2},
    poll::{PollFd, PollFlags, PollTimeout, poll},
    unistd::{Gid, Uid, User, getgrouplist, setgroups, setresgid, setresuid},
};
use serde_json::json;
use zbus::{
    blocking::{Connection, MessageIterator, connection::Builder},
    message::Type,
    zvariant,
};

use crate::{
    asks::{Answer, Arg, Ask, Line, Reply},
    attack, values,
};

/// Who this program is to become: the name of a user. Its bus is in `ISOSMITH_TEST_BUS`.
pub const PERSON: &str = "ISOSMITH_TEST_PERSON";
/// The address of the bus.
pub const BUS: &str = "ISOSMITH_TEST_BUS";

/// The helper's name on the bus, and the name of its interface.
pub const HELPER: &str = "org.isosmith.Helper1";
/// The helper's object.
pub const OBJECT: &str = "/org/isosmith/Helper1";

/// Answers until standard input ends, where this program was started as somebody's.
pub fn entry() -> Option<ExitCode> {
    let person = env::var(PERSON).ok()?;
    match become_and_answer(&person) {
        Ok(()) => Some(ExitCode::SUCCESS),
        Err(error) => {
            eprintln!("as {person}: {error:#}");
            Some(ExitCode::FAILURE)
        }
    }
}

fn become_and_answer(person: &str) -> Result<()> {
    let user = User::from_name(person)?.context("no such user")?;
    let name = std::ffi::CString::new(person)?;
    setgroups(&getgrouplist(&name, user.gid)?)?;
    setresgid(user.gid, user.gid, user.gid)?;
    setresuid(user.uid, user.uid, user.uid)?;
    // Nothing of root is left, or every refusal would be worthless.
    if setresuid(Uid::from_raw(0), Uid::from_raw(0), Uid::from_raw(0)).is_ok()
        || Gid::effective().as_raw() == 0
    {
        bail!("still root");
    }
    // As in a program that this person has started; only so are its own files in /proc its own.
    nix::sys::prctl::set_dumpable(true)?;
    let client = Arc::new(Client::connect(&env::var(BUS)?)?);
    for line in io::stdin().lock().lines() {
        let Line { number, ask } = serde_json::from_str(&line?)?;
        let client = Arc::clone(&client);
        // Each in a thread of its own: a call that waits must not keep others waiting.
        thread::spawn(move || {
            let reply = client
                .answer(ask)
                .unwrap_or_else(|error| Reply::Broken(format!("{error:#}")));
            let text = serde_json::to_string(&Answer { number, reply }).unwrap_or_default();
            let mut out = io::stdout().lock();
            let _ = writeln!(out, "{text}").and_then(|()| out.flush());
        });
    }
    Ok(())
}

/// Somebody at the bus.
pub struct Client {
    connection: Connection,
    viewers: Mutex<BTreeMap<u32, BufReader<File>>>,
    count: AtomicU64,
    heard: Arc<Mutex<Vec<serde_json::Value>>>,
    exchanging: Arc<AtomicBool>,
    exchanges: Arc<AtomicU64>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Client {
    /// Connects as whoever this program is.
    pub fn connect(address: &str) -> Result<Self> {
        let connection = Builder::address(address)?
            .method_timeout(Duration::from_secs(300))
            .build()?;
        Ok(Self {
            connection,
            viewers: Mutex::default(),
            count: AtomicU64::new(1),
            heard: Arc::default(),
            exchanging: Arc::default(),
            exchanges: Arc::default(),
        })
    }

    fn answer(&self, ask: Ask) -> Result<Reply> {
        match ask {
            Ask::Call { method, args } => self.call(HELPER, &method, &args),
            Ask::CallOf {
                interface,
                method,
                args,
            } => self.call(&interface, &method, &args),
            Ask::Attach { id, from } => match self.attach(&id, from)? {
                Ok(pipe) => {
                    let number = u32::try_from(self.count.fetch_add(1, Ordering::Relaxed))?;
                    let reader = BufReader::new(File::from(pipe));
                    locked(&self.viewers).insert(number, reader);
                    Ok(Reply::Done(json!(number)))
                }
                Err(reply) => Ok(reply),
            },
            Ask::Hear { viewer, limit_ms } => self.hear(viewer, Duration::from_millis(limit_ms)),
            Ask::Leave { viewer } => {
                let gone = locked(&self.viewers).remove(&viewer);
                Ok(Reply::Done(json!(gone.is_some())))
            }
            Ask::Churn { id, times } => self.churn(&id, times),
            Ask::Name => {
                let name = self.connection.unique_name().map(ToString::to_string);
                Ok(Reply::Done(json!(name)))
            }
            Ask::Listen => self.listen(),
            Ask::Heard => Ok(Reply::Done(json!(*locked(&self.heard)))),
            Ask::Burst { times } => self.burst(times),
            Ask::Exchange { one, other } => {
                self.exchange(vec![(one, other)]);
                Ok(Reply::Done(json!(true)))
            }
            Ask::StopExchanging => Ok(Reply::Done(json!(self.stop_exchanging()))),
            Ask::Race(race) => Ok(Reply::Done(json!(attack::race(self, &race)?))),
            Ask::Fuzz { seed, seconds } => {
                let calls = attack::fuzz(self, seed, Duration::from_secs(seconds))?;
                Ok(Reply::Done(json!(calls)))
            }
            Ask::Trespass { folders } => Ok(Reply::Done(json!(attack::trespass(&folders)))),
        }
    }

    /// Calls a method, again and again while it is told that it calls too often.
    pub fn call(&self, interface: &str, method: &str, args: &[Arg]) -> Result<Reply> {
        let begun = Instant::now();
        loop {
            let reply = self.call_once(interface, method, args)?;
            let too_many =
                matches!(&reply, Reply::Refused { name, .. } if name.ends_with(".Error.TooMany"));
            if !too_many || begun.elapsed() > Duration::from_secs(60) {
                return Ok(reply);
            }
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Calls a method once.
    pub fn call_once(&self, interface: &str, method: &str, args: &[Arg]) -> Result<Reply> {
        let mut kept = Vec::new();
        let sent = if args.is_empty() {
            self.send(interface, method, &())
        } else {
            self.send(interface, method, &values::body(args, &mut kept)?)
        };
        Ok(match sent {
            Ok(message) => Reply::Done(values::answer(&message)?),
            Err(error) => refusal(error),
        })
    }

    /// Calls a method with any body.
    pub fn send<B>(&self, interface: &str, method: &str, body: &B) -> zbus::Result<zbus::Message>
    where
        B: serde::ser::Serialize + zvariant::DynamicType,
    {
        self.connection
            .call_method(Some(HELPER), OBJECT, Some(interface), method, body)
    }

    /// The pipe of a viewer, or why there is none.
    fn attach(&self, id: &str, from: u64) -> Result<Result<OwnedFd, Reply>> {
        let begun = Instant::now();
        loop {
            match self.send(HELPER, "Attach", &(id, from)) {
                Ok(message) => {
                    let pipe: zvariant::OwnedFd = message.body().deserialize()?;
                    return Ok(Ok(pipe.into()));
                }
                Err(error) => {
                    let reply = refusal(error);
                    let again = matches!(&reply, Reply::Refused { name, .. } if name.ends_with(".Error.TooMany"))
                        && begun.elapsed() < Duration::from_secs(60);
                    if !again {
                        return Ok(Err(reply));
                    }
                    thread::sleep(Duration::from_millis(100));
                }
            }
        }
    }

    fn hear(&self, viewer: u32, limit: Duration) -> Result<Reply> {
        let mut reader = locked(&self.viewers)
            .remove(&viewer)
            .context("no such viewer")?;
        let (mut lines, mut over) = (Vec::new(), false);
        let end = Instant::now() + limit;
        while !over {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            if reader.buffer().is_empty() {
                let time = u16::try_from(left.as_millis().min(1000))?.max(1);
                let mut waiting = [PollFd::new(reader.get_ref().as_fd(), PollFlags::POLLIN)];
                if poll(&mut waiting, PollTimeout::from(time))? == 0 {
                    continue;
                }
            }
            // Lines are written whole, so one that has begun is soon there.
            let mut line = String::new();
            over = reader.read_line(&mut line)? == 0;
            if !over {
                lines.push(line.trim_end().to_owned());
            }
        }
        locked(&self.viewers).insert(viewer, reader);
        Ok(Reply::Done(json!({ "lines": lines, "over": over })))
    }

    fn churn(&self, id: &str, times: u32) -> Result<Reply> {
        for number in 0..times {
            match self.attach(id, u64::from(number % 7))? {
                // Every third reads what is there, every third a byte, every third nothing.
                Ok(pipe) => {
                    let mut file = File::from(pipe);
                    match number % 3 {
                        0 => drop(file.read(&mut [0; 4096])),
                        1 => drop(file.read(&mut [0])),
                        _ => {}
                    }
                }
                Err(reply) => return Ok(reply),
            }
        }
        Ok(Reply::Done(json!(times)))
    }

    fn listen(&self) -> Result<Reply> {
        let rule = zbus::MatchRule::builder()
            .msg_type(Type::Signal)
            .interface(HELPER)?
            .build();
        let signals = MessageIterator::for_match_rule(rule, &self.connection, Some(1000))?;
        let heard = Arc::clone(&self.heard);
        thread::spawn(move || {
            for signal in signals.map_while(Result::ok) {
                let member = signal.header().member().map(ToString::to_string);
                let body = values::answer(&signal).unwrap_or_default();
                locked(&heard).push(json!({ "member": member, "body": body }));
            }
        });
        Ok(Reply::Done(serde_json::Value::Null))
    }

    fn burst(&self, times: u32) -> Result<Reply> {
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        for _ in 0..times {
            let what = match self.call_once(HELPER, "Version", &[])? {
                Reply::Done(_) => "done".to_owned(),
                Reply::Refused { name, .. } => name,
                Reply::Broken(text) => text,
            };
            *counts.entry(what).or_default() += 1;
        }
        Ok(Reply::Done(json!(counts)))
    }

    /// Exchanges names, pair after pair, in a thread of its own.
    pub fn exchange(&self, pairs: Vec<(std::path::PathBuf, std::path::PathBuf)>) {
        self.exchanging.store(true, Ordering::Relaxed);
        let (going, count) = (Arc::clone(&self.exchanging), Arc::clone(&self.exchanges));
        thread::spawn(move || {
            while going.load(Ordering::Relaxed) {
                for (one, other) in &pairs {
                    // One of them may be being replaced by somebody else just now.
                    if renameat2(AT_FDCWD, one, AT_FDCWD, other, RenameFlags::RENAME_EXCHANGE)
                        .is_ok()
                    {
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                    // Leaves some of the two processors to those who are raced.
                    thread::sleep(Duration::from_micros(200));
                }
            }
        });
    }

    /// Stops that; how often names were exchanged.
    pub fn stop_exchanging(&self) -> u64 {
        self.exchanging.store(false, Ordering::Relaxed);
        self.exchanges.load(Ordering::Relaxed)
    }
}

/// What an error is to whoever called.
pub fn refusal(error: zbus::Error) -> Reply {
    if let zbus::Error::MethodError(name, message, _) = error {
        return Reply::Refused {
            name: name.to_string(),
            message: message.unwrap_or_default(),
        };
    }
    Reply::Broken(error.to_string())
}
