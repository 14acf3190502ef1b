//! Builds at work: started, watched by the page, answered, stopped.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, atomic::Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use isosmith_protocol::{BuildId, Choice, Code, Event, EventKind};
use isosmith_spec::model::{BuildSpec, Login};
use isosmith_studio::Begun;

use super::{Controller, locked};
use crate::{
    builder::Order,
    fault::{Answer, Fault},
    stream,
};

/// The page gets a build's ending when the history has it, or, should that hang, after so long.
const RECORDED: Duration = Duration::from_secs(10);

impl Controller {
    /// Has a draft built into `output`.
    ///
    /// # Errors
    ///
    /// When the draft has problems, a file or the folder cannot be used, or the service refuses.
    pub fn start_build(self: &Arc<Self>, id: &str, output: &Path) -> Answer<BuildId> {
        let checked = locked(&self.drafts).checked(id)?;
        refuse_questions(&checked.spec)?;
        let order = Order {
            profile: checked.profile.clone(),
            name: checked.spec.profile.name.to_string(),
            materials: checked.spec.materials(),
            // The merged profile has no relative paths.
            base: PathBuf::from("/"),
            manner: self.settings().manner(),
        };
        let build = self.builder.start(&order, output)?;
        // The build runs whether or not the history can be written.
        let begun = Begun {
            id: &build,
            draft: &checked,
            folder: output,
            started: now(),
        };
        if let Err(fault) = locked(&self.history).begin(&begun) {
            tracing::warn!(error = ?fault, "the build is not in the history");
        }
        self.follow(build.clone());
        Ok(build)
    }

    /// Sends a build's events from the number `from` on to `send`. Only the newest stream goes
    /// on: the page looks at one build at a time.
    ///
    /// # Errors
    ///
    /// When there is no such build, or nobody to ask.
    pub fn attach(
        self: &Arc<Self>,
        build: &BuildId,
        from: u64,
        mut send: impl FnMut(Option<Vec<Event>>) -> bool + Send + 'static,
    ) -> Answer<()> {
        let output = self.output_of(build);
        let events = self.builder.events(build, from, output.as_deref())?;
        let stream = self.streams.fetch_add(1, Ordering::Relaxed) + 1;
        let (ending, current, whose) = (Arc::clone(self), Arc::clone(self), build.clone());
        let events = events.inspect(move |event| {
            if matches!(event, Ok(event) if matches!(event.kind, EventKind::Finished { .. })) {
                ending.await_recorded(&whose);
            }
        });
        stream::forward(Box::new(events), move |batch| {
            current.streams.load(Ordering::Relaxed) == stream && send(batch)
        });
        Ok(())
    }

    /// Waits until the history has all of a build that has ended: the page asks for it as soon
    /// as it hears of the ending.
    fn await_recorded(&self, build: &BuildId) {
        let followed = locked(&self.followed);
        drop(
            self.unfollowed
                .wait_timeout_while(followed, RECORDED, |followed| followed.contains(build))
                .unwrap_or_else(PoisonError::into_inner),
        );
    }

    /// Stops a build.
    ///
    /// # Errors
    ///
    /// When there is no such build, or nobody to ask.
    pub fn cancel_build(&self, build: &BuildId) -> Answer<()> {
        self.builder.cancel(build)
    }

    /// Settles a question of a build.
    ///
    /// # Errors
    ///
    /// When there is no such build, it does not run, or there is nobody to ask.
    pub fn answer(&self, build: &BuildId, question: u32, choice: Choice) -> Answer<()> {
        self.builder.answer(build, question, choice)
    }

    /// Goes on with a stopped build, into the folder that it was for.
    ///
    /// # Errors
    ///
    /// When it cannot be gone on with, the folder cannot be used, or the service refuses.
    pub fn resume_build(self: &Arc<Self>, build: &BuildId) -> Answer<()> {
        let usual = || PathBuf::from(self.settings().output);
        let output = self.output_of(build).unwrap_or_else(usual);
        self.builder.resume(build, &output)?;
        self.follow(build.clone());
        Ok(())
    }

    /// Where the ISO of a build goes, where that is known.
    pub(super) fn output_of(&self, build: &BuildId) -> Option<PathBuf> {
        locked(&self.history).folder(build)
    }
}

/// Nobody could answer what a profile wants to be asked for while a build begins.
fn refuse_questions(spec: &BuildSpec) -> Answer<()> {
    let live = spec.users.live.as_ref();
    let asks = live.is_some_and(|user| user.password == Login::Prompt);
    let field = match (asks, spec.users.root == Login::Prompt) {
        (true, _) => "users.live.password",
        (false, true) => "users.root.password",
        (false, false) => return Ok(()),
    };
    Err(Fault::new(
        Code::ProfileInvalid,
        format!("{field}: the profile wants the password to be asked for on a terminal"),
        "Choose a password in the section Users.",
    ))
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_secs())
}
