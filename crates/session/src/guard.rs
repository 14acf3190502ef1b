//! Who was there before a build, and what became of them.

use std::{fs, mem, time::Instant};

use isosmith_protocol::{EventKind, SessionChange, Watched, WatchedItem};

use crate::{
    Roots, login,
    mounts::Mounts,
    processes::{self, Identity, Table},
    roles::{self, Found},
};

/// Changes of mounts that are told one by one. A machine that starts containers all day has
/// thousands, and nobody reads them.
const MOST_MOUNT_CHANGES: usize = 200;

/// Watches a session and what keeps it alive.
#[derive(Debug)]
pub struct Guard {
    roots: Roots,
    uid: u32,
    begun: Instant,
    watches: Vec<Watch>,
    /// `None` where the machine does not show them.
    mounts: Option<MountWatch>,
    changes: Vec<SessionChange>,
}

/// One process, and whoever takes its place.
#[derive(Debug)]
struct Watch {
    /// As it was at the beginning, or as it came back.
    item: WatchedItem,
    state: State,
    tied: Tied,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Running(Identity),
    Ended,
}

/// To what a process belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Tied {
    /// To its role: another process of the same name takes its place.
    Role,
    /// To a session: what ended is over.
    Session(Option<String>),
}

#[derive(Debug)]
struct MountWatch {
    text: String,
    mounts: Mounts,
    told: usize,
}

impl Guard {
    /// Looks at the session of the person `uid`, at what keeps it alive, and at the machine's
    /// mounts; the event says what will be watched. What cannot be read is not watched.
    pub fn begin(roots: &Roots, uid: u32) -> (Self, EventKind) {
        let table = Table::read(&roots.proc);
        let logins = login::of(&roots.run, uid);
        let programs = roles::find(&table, uid);
        let (session, leaders) = if logins.is_empty() {
            let (kind, leaders) = roles::guess(&table, uid, &programs);
            (kind, leaders.into_iter().map(|it| (it, None)).collect())
        } else {
            let kind = login::foremost(logins.iter().map(|login| login.kind));
            let leader = |login: login::Login| {
                let stat = table.get(login.leader)?;
                let found = roles::found(stat, Watched::Session, &stat.name);
                Some((found, Some(login.id)))
            };
            let leaders: Vec<_> = logins.into_iter().filter_map(leader).collect();
            (kind, leaders)
        };
        let led: Vec<Identity> = leaders.iter().map(|(found, _)| found.identity).collect();
        let mut watches: Vec<Watch> = leaders
            .into_iter()
            .map(|(found, id)| Watch::new(found, Tied::Session(id)))
            .collect();
        // A desktop's program may lead its session at the same time.
        watches.extend(
            programs
                .into_iter()
                .filter(|found| !led.contains(&found.identity))
                .map(|found| Watch::new(found, Tied::Role)),
        );
        let guard = Self {
            mounts: MountWatch::begin(roots),
            roots: roots.clone(),
            uid,
            begun: Instant::now(),
            watches,
            changes: Vec::new(),
        };
        let event = EventKind::SessionWatched {
            session,
            items: guard.items(),
        };
        (guard, event)
    }

    /// What is watched, as it is now.
    fn items(&self) -> Vec<WatchedItem> {
        let processes = self.watches.iter().map(|watch| watch.item.clone());
        let mounts = self
            .mounts
            .as_ref()
            .map(|watch| mount_item(&format!("{} mounts", watch.mounts.len())));
        processes.chain(mounts).collect()
    }

    /// Looks again, and returns what has changed since the last look, each change once.
    pub fn check(&mut self) -> Vec<SessionChange> {
        let at_ms = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut told = self.check_processes();
        if let Some(mounts) = &mut self.mounts {
            told.extend(mounts.check(&self.roots));
        }
        let new: Vec<_> = told
            .into_iter()
            .map(|(item, cause)| SessionChange { item, cause, at_ms })
            .collect();
        self.changes.extend(new.iter().cloned());
        new
    }

    /// Everything that has changed since the beginning, in the order in which it was seen;
    /// empty when the session is as it was.
    pub fn changes(&self) -> &[SessionChange] {
        &self.changes
    }

    fn check_processes(&mut self) -> Vec<(WatchedItem, String)> {
        let mut ended = Vec::new();
        for (index, watch) in self.watches.iter_mut().enumerate() {
            let State::Running(identity) = watch.state else {
                continue;
            };
            if !processes::is_alive(&self.roots.proc, identity) {
                watch.state = State::Ended;
                ended.push(index);
            }
        }
        let mut newcomers = self.newcomers();
        let mut told = Vec::new();
        for (index, watch) in self.watches.iter_mut().enumerate() {
            if watch.state != State::Ended {
                continue;
            }
            let just_now = ended.contains(&index);
            if let Some(cause) = watch.look(just_now, &mut newcomers) {
                told.push(cause);
            }
        }
        told
    }

    /// Processes that could take the place of one that has ended. All processes are read only
    /// when there is such a place.
    fn newcomers(&self) -> Vec<Found> {
        let open = |watch: &Watch| watch.state == State::Ended && watch.tied == Tied::Role;
        if !self.watches.iter().any(open) {
            return Vec::new();
        }
        let known = |found: &Found| {
            let running = State::Running(found.identity);
            self.watches.iter().any(|watch| watch.state == running)
        };
        let mut found = roles::find(&Table::read(&self.roots.proc), self.uid);
        found.retain(|found| !known(found));
        found
    }
}

impl Watch {
    fn new(found: Found, tied: Tied) -> Self {
        Self {
            item: found.item,
            state: State::Running(found.identity),
            tied,
        }
    }

    /// What to say about a process that is gone, `just_now` or since an earlier look.
    fn look(
        &mut self,
        just_now: bool,
        newcomers: &mut Vec<Found>,
    ) -> Option<(WatchedItem, String)> {
        let name = self.item.name.clone();
        let before = self.item.pid.unwrap_or_default();
        let successor = match &self.tied {
            Tied::Role => {
                let same =
                    |found: &Found| found.item.what == self.item.what && found.item.name == name;
                newcomers
                    .iter()
                    .position(same)
                    .map(|at| newcomers.remove(at))
            }
            Tied::Session(_) => None,
        };
        let was = self.item.clone();
        if let Some(found) = successor {
            let now = found.identity.pid;
            self.state = State::Running(found.identity);
            self.item = found.item;
            let cause = if just_now {
                format!("{name} was restarted: process {before} → {now}")
            } else {
                format!("{name} was started again: process {now}, after process {before} had ended")
            };
            return Some((was, cause));
        }
        if !just_now {
            return None;
        }
        let cause = match &self.tied {
            Tied::Role => format!("process {before} ({name}) ended"),
            Tied::Session(Some(id)) => {
                format!("the leader of session {id} ended: process {before} ({name})")
            }
            Tied::Session(None) => format!("the session's leader ended: process {before} ({name})"),
        };
        Some((was, cause))
    }
}

impl MountWatch {
    fn begin(roots: &Roots) -> Option<Self> {
        let text = read_mounts(roots)?;
        Some(Self {
            mounts: Mounts::parse(&text),
            text,
            told: 0,
        })
    }

    fn check(&mut self, roots: &Roots) -> Vec<(WatchedItem, String)> {
        // Not readable for once is no change.
        let Some(text) = read_mounts(roots).filter(|text| *text != self.text) else {
            return Vec::new();
        };
        let before = mem::replace(&mut self.mounts, Mounts::parse(&text));
        self.text = text;
        let found = before.compare(&self.mounts);
        let room = MOST_MOUNT_CHANGES.saturating_sub(self.told);
        let overflows = room > 0 && found.len() > room;
        self.told += found.len().min(room);
        let mut told: Vec<_> = found
            .into_iter()
            .take(room)
            .map(|it| (mount_item(&it.point), it.cause))
            .collect();
        if overflows {
            let cause = "further changes of mounts are not listed".to_owned();
            told.push((mount_item("mounts"), cause));
        }
        told
    }
}

/// The mounts of the machine's first process: what everybody sees who is in no container.
fn read_mounts(roots: &Roots) -> Option<String> {
    let bytes = fs::read(roots.proc.join("1/mountinfo")).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn mount_item(name: &str) -> WatchedItem {
    WatchedItem {
        what: Watched::Mounts,
        name: name.to_owned(),
        pid: None,
    }
}
