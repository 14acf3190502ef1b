//! The one gate: nobody does anything without having come through here.
//!
//! What a call may do is told by values that only this module can make: a [`Caller`] is
//! somebody whom the bus has named, a [`Permit`] a yes of polkit, an [`Access`] a build that
//! the caller may touch. Whatever acts takes one of them. Every error, every silence and
//! every doubt on the way is a no.

use std::{sync::Arc, time::Instant};

use isosmith_engine::Failure;
use isosmith_protocol::{BuildId, Code, Isolation};

use crate::{
    bus::Silence,
    callers::Callers,
    polkit::{Answer, Authority, Question},
    refusal::{Kind, Refusal, no_such_build},
};

/// An action of `org.isosmith.policy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Building where root inside is nobody outside.
    Build,
    /// Building where root inside is root outside; the answer is never kept.
    BuildWeaker,
    /// Other people's builds, and the room that builds take.
    Manage,
}

impl Action {
    /// What polkit calls it.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Build => "org.isosmith.build",
            Self::BuildWeaker => "org.isosmith.build-weaker",
            Self::Manage => "org.isosmith.manage",
        }
    }

    /// What building needs where builds are kept in `isolation`.
    pub const fn build_in(isolation: Isolation) -> Self {
        match isolation {
            Isolation::Namespace => Self::Build,
            Isolation::Hybrid | Isolation::Traditional | Isolation::Other => Self::BuildWeaker,
        }
    }
}

/// Somebody who has called, by the bus's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    name: String,
    uid: u32,
    interactive: bool,
}

impl Caller {
    /// Unique bus name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whose connection it is.
    pub fn uid(&self) -> u32 {
        self.uid
    }
}

/// polkit has said yes to an action.
#[derive(Debug)]
#[must_use]
pub struct Permit {
    action: Action,
}

impl Permit {
    /// To what.
    pub fn action(&self) -> Action {
        self.action
    }

    /// Without a question.
    #[cfg(test)]
    pub fn for_tests(action: Action) -> Self {
        Self { action }
    }
}

/// A build that the caller may touch.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Access(BuildId);

impl Access {
    /// Which.
    pub fn id(&self) -> &BuildId {
        &self.0
    }

    /// Without a look at whose it is.
    #[cfg(test)]
    pub fn for_tests(id: &BuildId) -> Self {
        Self(id.clone())
    }
}

/// Whoever looks up uids.
pub trait Identities: Send + Sync {
    /// Whose connection `name` is, asked of the bus.
    ///
    /// # Errors
    ///
    /// When the bus does not say.
    fn uid_of(&self, name: &str) -> Result<u32, Silence>;
}

/// See the module.
pub struct Gate {
    callers: Arc<Callers>,
    identities: Box<dyn Identities>,
    authority: Box<dyn Authority>,
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate").finish_non_exhaustive()
    }
}

impl Gate {
    /// A gate.
    pub fn new(
        callers: Arc<Callers>,
        identities: Box<dyn Identities>,
        authority: Box<dyn Authority>,
    ) -> Self {
        Self {
            callers,
            identities,
            authority,
        }
    }

    /// Lets a call in, if the bus says whose it is and they have not called too often.
    /// `interactive` is whether the caller expects that a person is asked.
    ///
    /// # Errors
    ///
    /// [`Kind::NotAuthorised`], [`Kind::TooMany`].
    pub fn admit(&self, name: &str, interactive: bool) -> Result<Caller, Refusal> {
        let uid = match self.callers.uid(name) {
            Some(uid) => uid,
            None => {
                let uid = self.identities.uid_of(name).map_err(|silence| {
                    Refusal::of(
                        Kind::NotAuthorised,
                        Failure::plain(Code::NotAuthorised, "the bus does not say who you are")
                            .because(silence),
                    )
                })?;
                self.callers.learn(name, uid);
                uid
            }
        };
        if !self.callers.count(uid, Instant::now()) {
            return Err(Refusal::new(
                Kind::TooMany,
                "you have called too often within a second",
            ));
        }
        Ok(Caller {
            name: name.to_owned(),
            uid,
            interactive,
        })
    }

    /// Asks for the right to `action`; a person is asked if polkit wants that.
    ///
    /// # Errors
    ///
    /// [`Kind::NotAuthorised`], [`Kind::Dismissed`].
    pub fn permit(
        &self,
        caller: &Caller,
        action: Action,
        details: Vec<(&'static str, String)>,
    ) -> Result<Permit, Refusal> {
        self.ask(caller, action, details, true)
    }

    fn ask(
        &self,
        caller: &Caller,
        action: Action,
        details: Vec<(&'static str, String)>,
        interactive: bool,
    ) -> Result<Permit, Refusal> {
        let question = Question {
            subject: caller.name(),
            action: action.id(),
            details,
            interactive,
        };
        if !self.callers.is_here(caller.name()) {
            return Err(silent(action, Silence::Vanished));
        }
        let answer = self
            .authority
            .ask(&question)
            .map_err(|silence| silent(action, silence))?;
        let permit = verdict(action, &answer)?;
        // A yes for somebody who has left in the meantime is for nobody.
        if !self.callers.is_here(caller.name()) {
            return Err(silent(action, Silence::Vanished));
        }
        Ok(permit)
    }

    /// Lets the caller touch the build called `id`: its owner without a question, others with
    /// the right to manage. A person is asked for that right only if the caller expects it.
    /// Whether there is such a build makes no difference to anybody who may not know of it.
    ///
    /// # Errors
    ///
    /// [`Kind::NoSuchBuild`], [`Kind::Dismissed`].
    pub fn access(
        &self,
        caller: &Caller,
        id: &str,
        owner: impl Fn(&BuildId) -> Option<u32>,
    ) -> Result<Access, Refusal> {
        let id = BuildId::parse(id);
        let owner = id.as_ref().and_then(owner);
        if let (Some(id), Some(owner)) = (&id, owner)
            && owner == caller.uid()
        {
            return Ok(Access(id.clone()));
        }
        let asked = self.ask(caller, Action::Manage, Vec::new(), caller.interactive);
        match (asked, id, owner) {
            (Ok(_), Some(id), Some(_)) => Ok(Access(id)),
            (Err(refusal), _, _) if refusal.kind == Kind::Dismissed => Err(refusal),
            (Ok(_) | Err(_), _, _) => Err(no_such_build()),
        }
    }
}

/// Only a clear yes is one.
fn verdict(action: Action, answer: &Answer) -> Result<Permit, Refusal> {
    if answer.authorised && !answer.dismissed {
        return Ok(Permit { action });
    }
    if answer.dismissed {
        return Err(Refusal::new(
            Kind::Dismissed,
            "the question for the right was closed",
        ));
    }
    Err(Refusal::new(
        Kind::NotAuthorised,
        format!("you have not got the right {}", action.id()),
    ))
}

fn silent(action: Action, silence: Silence) -> Refusal {
    let message = format!("the right {} could not be asked for", action.id());
    Refusal::of(
        Kind::NotAuthorised,
        Failure::plain(Code::NotAuthorised, message).because(silence),
    )
}

#[cfg(test)]
mod tests;
