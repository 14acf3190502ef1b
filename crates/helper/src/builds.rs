//! Every build that there is: who owns it, how far it is, who waits for what.
//!
//! One build runs on the machine, the others wait in the order in which they were allowed.

mod calls;
mod known;
mod recover;
mod running;

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError},
};

use isosmith_protocol::{BuildId, BuildResult};

use crate::{
    gate::Permit,
    places::Places,
    record::Record,
    refusal::{Kind, Refusal},
    request::Sealed,
    stage::Stage,
};

use known::Known;
pub use known::{Description, Slot, Turn, Whose};

/// Builds of one person that may wait.
const MOST_QUEUED: usize = 8;

/// Requests of one person that may be checked or asked about at the same time. Nobody has
/// allowed them yet, and each takes room on the disk.
const MOST_ASKED: usize = 4;

/// Finished builds that are remembered.
const REMEMBERED: usize = 50;

/// Whoever tells the bus.
pub trait Announce: Send + Sync {
    /// A build of `uid` is now in `stage`.
    fn changed(&self, uid: u32, id: &BuildId, stage: Stage);
    /// Whether a build runs.
    fn busy(&self, busy: bool);
}

/// See the module.
pub struct Builds {
    places: Places,
    announce: Box<dyn Announce>,
    inner: Mutex<Inner>,
    more: Condvar,
    /// Held while a build runs or the cache is cleaned.
    floor: Mutex<()>,
}

impl std::fmt::Debug for Builds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builds").finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
struct Inner {
    known: BTreeMap<BuildId, Known>,
    queue: VecDeque<BuildId>,
    reserved: HashMap<u32, usize>,
}

impl Builds {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The service's folders.
    pub fn places(&self) -> &Places {
        &self.places
    }

    /// Whose build it is; `None` if there is none.
    pub fn owner(&self, id: &BuildId) -> Option<u32> {
        Some(self.inner().known.get(id)?.owner.uid)
    }

    /// Whether builds run, wait, or are asked about.
    pub fn busy(&self) -> bool {
        let inner = self.inner();
        let open = |known: &Known| !known.run.stage().is_over();
        !inner.reserved.is_empty() || inner.known.values().any(open)
    }

    /// Whether a build runs.
    pub fn running(&self) -> bool {
        let inner = self.inner();
        let mut stages = inner.known.values().map(|known| known.run.stage());
        stages.any(|stage| stage == Stage::Running)
    }

    /// A place for a request of `uid`.
    ///
    /// # Errors
    ///
    /// [`Kind::QueueFull`] and [`Kind::TooMany`].
    pub fn reserve(self: &Arc<Self>, uid: u32) -> Result<Slot, Refusal> {
        let mut inner = self.inner();
        let asked = inner.reserved.get(&uid).copied().unwrap_or(0);
        let open = |known: &&Known| {
            // Its owner can make a delivery take for ever, and so keep what it needs.
            known.owner.uid == uid && (known.run.stage() == Stage::Queued || known.delivered_now)
        };
        if inner.known.values().filter(open).count() + asked >= MOST_QUEUED {
            return Err(Refusal::new(
                Kind::QueueFull,
                format!("{MOST_QUEUED} builds of yours wait already"),
            ));
        }
        if asked >= MOST_ASKED {
            return Err(Refusal::new(
                Kind::TooMany,
                format!("{MOST_ASKED} of your requests wait for an answer already"),
            ));
        }
        inner.reserved.insert(uid, asked + 1);
        drop(inner);
        let builds = self.clone();
        Ok(Slot { builds, uid })
    }

    /// Queues what was sealed and allowed.
    ///
    /// # Errors
    ///
    /// When its record cannot be made.
    pub fn start(&self, sealed: Sealed, slot: Slot, permit: Permit) -> Result<BuildId, Refusal> {
        let Sealed {
            id,
            owner,
            output,
            incoming,
        } = sealed;
        let record = self.record(&id);
        incoming.keep(&record.folder())?;
        let lock = record.lock()?;
        let known = Known::queued(owner, &record, output, lock);
        self.queue(&id, known, slot, permit);
        Ok(id)
    }

    fn queue(&self, id: &BuildId, known: Known, slot: Slot, permit: Permit) {
        tracing::info!(%id, uid = known.owner.uid, action = permit.action().id(), "queued");
        let uid = known.owner.uid;
        let mut inner = self.inner();
        inner.known.insert(id.clone(), known);
        inner.queue.push_back(id.clone());
        drop(inner);
        drop(slot);
        self.announce.changed(uid, id, Stage::Queued);
        self.more.notify_all();
    }

    /// Waits for the next turn. The guard keeps others from the folders that builds share.
    pub fn next(&self) -> (Turn, MutexGuard<'_, ()>) {
        let mut inner = self.inner();
        loop {
            if inner.queue.is_empty() {
                inner = self
                    .more
                    .wait(inner)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            drop(inner);
            let floor = self.floor.lock().unwrap_or_else(PoisonError::into_inner);
            inner = self.inner();
            let Some(id) = inner.queue.pop_front() else {
                continue;
            };
            let Some(known) = inner.known.get_mut(&id) else {
                continue;
            };
            let Some(output) = known.output.take() else {
                continue;
            };
            known.run.advance(Stage::Running);
            let turn = Turn {
                id,
                owner: known.owner.clone(),
                output,
                live: known.live.clone(),
            };
            drop(inner);
            self.announce
                .changed(turn.owner.uid, &turn.id, Stage::Running);
            self.announce.busy(true);
            return (turn, floor);
        }
    }

    /// The turn is over.
    pub fn finish(&self, turn: &Turn, result: &BuildResult) {
        let stage = Stage::of(result);
        // Before viewers see the end: whoever has seen it must find the build over.
        if let Some(known) = self.inner().known.get_mut(&turn.id) {
            known.over(result.clone());
        }
        if let Err(error) = turn.live.end(&turn.greeting(), result) {
            tracing::warn!(%error, id = %turn.id, "the journal could not be ended");
        }
        tracing::info!(id = %turn.id, state = stage.word(), "over");
        self.announce.busy(self.running());
        self.announce.changed(turn.owner.uid, &turn.id, stage);
    }

    /// Keeps builds from running while `work` is done.
    ///
    /// # Errors
    ///
    /// [`Kind::WrongState`] when one runs.
    pub fn while_idle<T>(&self, work: impl FnOnce() -> Result<T, Refusal>) -> Result<T, Refusal> {
        let _floor = match self.floor.try_lock() {
            Ok(floor) => floor,
            Err(TryLockError::Poisoned(floor)) => floor.into_inner(),
            Err(TryLockError::WouldBlock) => {
                return Err(Refusal::new(Kind::WrongState, "a build is running"));
            }
        };
        work()
    }

    fn record(&self, id: &BuildId) -> Record {
        Record::at(self.places.record(id))
    }
}

#[cfg(test)]
mod tests;
