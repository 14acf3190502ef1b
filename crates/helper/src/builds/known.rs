//! What is known of one build, and what is told of it.

use std::{
    collections::BTreeSet,
    sync::{Arc, mpsc::SyncSender},
};

use isosmith_host::fs::LockGuard;
use isosmith_protocol::{BuildId, BuildResult, Control, SessionChange};

use super::Builds;
use crate::{
    gate::Permit,
    live::{Greeting, Live},
    output::Folder,
    record::{Owner, Record},
    stage::{Run, Stage},
};

#[derive(Debug)]
pub(super) struct Known {
    pub(super) owner: Owner,
    pub(super) run: Run,
    pub(super) live: Arc<Live>,
    pub(super) result: Option<BuildResult>,
    pub(super) session: Vec<SessionChange>,
    /// Where the ISO goes, until the run begins.
    pub(super) output: Option<Folder>,
    /// Held until the run is over.
    pub(super) lock: Option<LockGuard>,
    /// The way to a running build, once it is there.
    pub(super) tell: Option<SyncSender<Control>>,
    pub(super) cancelled: bool,
    /// Whether it is made, and on its way to its owner.
    pub(super) delivered_now: bool,
    /// Questions that wait for an answer.
    pub(super) open: BTreeSet<u32>,
}

impl Known {
    /// A run that waits, of a build of `owner` with this record.
    pub(super) fn queued(owner: Owner, record: &Record, output: Folder, lock: LockGuard) -> Self {
        Self {
            live: Live::waiting(&record.journal()),
            run: Run::queued(),
            result: None,
            session: Vec::new(),
            output: Some(output),
            lock: Some(lock),
            tell: None,
            cancelled: false,
            delivered_now: false,
            open: BTreeSet::new(),
            owner,
        }
    }

    /// A run of an earlier life of this service.
    pub(super) fn over_before(owner: Owner, record: &Record, result: BuildResult) -> Self {
        Self {
            run: Run::over(&result),
            live: Live::over(&record.journal()),
            result: Some(result),
            session: record.session(),
            output: None,
            lock: None,
            tell: None,
            cancelled: false,
            delivered_now: false,
            open: BTreeSet::new(),
            owner,
        }
    }

    /// The run has ended; returns whose build it is.
    pub(super) fn over(&mut self, result: BuildResult) -> u32 {
        self.run.advance(Stage::of(&result));
        self.result = Some(result);
        self.tell = None;
        self.delivered_now = false;
        self.lock = None;
        self.output = None;
        self.open.clear();
        self.owner.uid
    }

    pub(super) fn description(&self, id: &BuildId) -> Description {
        Description {
            id: id.clone(),
            owner: self.owner.clone(),
            stage: self.run.stage(),
            result: self.result.clone(),
            session: self.session.clone(),
        }
    }
}

/// A place in the queue that a request has until it is allowed.
#[derive(Debug)]
pub struct Slot {
    pub(super) builds: Arc<Builds>,
    pub(super) uid: u32,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut inner = self.builds.inner();
        let left = inner.reserved.remove(&self.uid).unwrap_or(0);
        if left > 1 {
            inner.reserved.insert(self.uid, left - 1);
        }
    }
}

/// A build whose turn it is.
#[derive(Debug)]
pub struct Turn {
    /// Which.
    pub id: BuildId,
    /// Who asked for what.
    pub owner: Owner,
    /// Where the ISO goes.
    pub output: Folder,
    /// Its viewers.
    pub live: Arc<Live>,
}

impl Turn {
    /// What viewers are told first.
    pub fn greeting(&self) -> Greeting {
        greeting(&self.id, &self.owner)
    }
}

pub(super) fn greeting(id: &BuildId, owner: &Owner) -> Greeting {
    Greeting {
        build: id.clone(),
        profile: owner.profile.clone(),
        started: owner.started,
        isolation: owner.isolation,
    }
}

/// Whose builds are listed.
#[derive(Debug)]
pub enum Whose {
    /// Those of one person.
    Of(u32),
    /// All, for somebody who may manage them.
    Everybody(Permit),
}

/// What is told of one build.
#[derive(Debug, Clone)]
pub struct Description {
    /// Which.
    pub id: BuildId,
    /// Who asked for what.
    pub owner: Owner,
    /// How far it is.
    pub stage: Stage,
    /// How it ended, if it did.
    pub result: Option<BuildResult>,
    /// What became of the session.
    pub session: Vec<SessionChange>,
}
