//! What people do with builds that are there already.

use isosmith_engine::Failure;
use isosmith_protocol::{BuildResult, Choice, Control};

use super::{Builds, Description, Known, Slot, Whose, known::greeting};
use crate::{
    gate::{Access, Permit},
    live::Bell,
    output::Folder,
    record::Owner,
    refusal::{Kind, Refusal, no_such_build},
    stage::Stage,
};

/// Viewers of one person on all builds; each takes descriptors and a thread.
const MOST_VIEWERS: usize = 128;

impl Builds {
    /// Queues another run of a build that has ended without an ISO.
    ///
    /// # Errors
    ///
    /// [`Kind::WrongState`].
    pub fn resume(
        &self,
        access: &Access,
        output: Folder,
        slot: Slot,
        permit: Permit,
    ) -> Result<(), Refusal> {
        let id = access.id();
        let record = self.record(id);
        let mut inner = self.inner();
        let known = inner.known.get(id).ok_or_else(no_such_build)?;
        can_be_resumed(known.run.stage())?;
        let owner = known.owner.clone();
        let lock = record.lock()?;
        // While this is not queued nobody else can resume it: its stage is looked at above,
        // under the same lock.
        inner.known.remove(id);
        drop(inner);
        let known = Known::queued(owner, &record, output, lock);
        self.queue(id, known, slot, permit);
        Ok(())
    }

    /// Who asked for the build, if it can be resumed.
    ///
    /// # Errors
    ///
    /// [`Kind::WrongState`].
    pub fn resumable(&self, access: &Access) -> Result<Owner, Refusal> {
        let inner = self.inner();
        let known = inner.known.get(access.id()).ok_or_else(no_such_build)?;
        can_be_resumed(known.run.stage())?;
        Ok(known.owner.clone())
    }

    /// A bell for one more viewer, who is `uid`.
    ///
    /// # Errors
    ///
    /// [`Kind::TooMany`].
    pub fn watch(&self, access: &Access, uid: u32) -> Result<Bell, Refusal> {
        let inner = self.inner();
        let known = inner.known.get(access.id()).ok_or_else(no_such_build)?;
        let too_many = || Refusal::new(Kind::TooMany, "you watch builds too often already");
        let builds = inner.known.values();
        if builds
            .map(|known| known.live.viewers_of(uid))
            .sum::<usize>()
            >= MOST_VIEWERS
        {
            return Err(too_many());
        }
        let bell = known
            .live
            .watch(uid)
            .map_err(|error| Failure::io("open a stream", error))?;
        bell.ok_or_else(too_many)
    }

    /// Stops a build, or takes it out of the queue.
    ///
    /// # Errors
    ///
    /// [`Kind::WrongState`] when it is over.
    pub fn cancel(&self, access: &Access) -> Result<(), Refusal> {
        let id = access.id();
        let mut inner = self.inner();
        let known = inner.known.get_mut(id).ok_or_else(no_such_build)?;
        match known.run.stage() {
            Stage::Running => {
                known.cancelled = true;
                if let Some(tell) = &known.tell {
                    let _ = tell.try_send(Control::Cancel);
                }
                return Ok(());
            }
            Stage::Queued => {}
            stage @ (Stage::Succeeded | Stage::Failed | Stage::Cancelled | Stage::Interrupted) => {
                return Err(wrong_state(stage));
            }
        }
        inner.queue.retain(|queued| queued != id);
        let Some(known) = inner.known.get_mut(id) else {
            return Err(no_such_build());
        };
        // Nothing was built: what may be lost of this is only that it was cancelled.
        let (live, hello) = (known.live.clone(), greeting(id, &known.owner));
        if let Err(failure) = live.begin() {
            tracing::warn!(%failure, %id, "the journal could not be begun");
        }
        if let Err(error) = live.end(&hello, &BuildResult::Cancelled) {
            tracing::warn!(%error, %id, "the journal could not be ended");
        }
        let uid = known.over(BuildResult::Cancelled);
        drop(inner);
        self.announce.changed(uid, id, Stage::Cancelled);
        Ok(())
    }

    /// Settles a question of a running build.
    ///
    /// # Errors
    ///
    /// [`Kind::WrongState`] when it asks no such question.
    pub fn answer(&self, access: &Access, question: u32, choice: Choice) -> Result<(), Refusal> {
        let mut inner = self.inner();
        let known = inner.known.get_mut(access.id()).ok_or_else(no_such_build)?;
        if known.run.stage() != Stage::Running {
            return Err(wrong_state(known.run.stage()));
        }
        let Some(tell) = known
            .tell
            .as_ref()
            .filter(|_| known.open.contains(&question))
        else {
            return Err(Refusal::new(
                Kind::WrongState,
                format!("the build asks no question {question}"),
            ));
        };
        let answer = Control::Answer { question, choice };
        tell.try_send(answer).map_err(|error| {
            Failure::io("tell the build", std::io::Error::other(error.to_string()))
        })?;
        known.open.remove(&question);
        Ok(())
    }

    /// Builds, newest first.
    pub fn list(&self, whose: &Whose) -> Vec<Description> {
        let inner = self.inner();
        let shown = |known: &Known| match whose {
            Whose::Of(uid) => known.owner.uid == *uid,
            Whose::Everybody(_permit) => true,
        };
        let mut list: Vec<_> = inner
            .known
            .iter()
            .filter(|(_, known)| shown(known))
            .map(|(id, known)| known.description(id))
            .collect();
        list.sort_by(|a, b| (b.owner.started, &b.id).cmp(&(a.owner.started, &a.id)));
        list
    }

    /// All about one build.
    ///
    /// # Errors
    ///
    /// [`Kind::NoSuchBuild`] when it was forgotten in the meantime.
    pub fn describe(&self, access: &Access) -> Result<Description, Refusal> {
        let inner = self.inner();
        let known = inner.known.get(access.id()).ok_or_else(no_such_build)?;
        Ok(known.description(access.id()))
    }
}

fn can_be_resumed(stage: Stage) -> Result<(), Refusal> {
    if stage.is_resumable() {
        return Ok(());
    }
    Err(wrong_state(stage))
}

fn wrong_state(stage: Stage) -> Refusal {
    Refusal::new(Kind::WrongState, format!("the build is {}", stage.word()))
}
