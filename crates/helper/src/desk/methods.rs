//! What each method does, once its caller is through the gate.

use std::{collections::HashMap, os::fd, time::Duration};

use isosmith_engine::clean::{self, Wanted};
use isosmith_host::user::User;
use isosmith_protocol::{BuildId, BuildResult, Choice, EPOCH, Isolation, REVISION};
use serde::Serialize;
use zbus::{
    Message,
    zvariant::{DynamicDeserialize, OwnedFd, OwnedValue, Value},
};

use super::Desk;
use crate::{
    builds::{Description, Whose},
    gate::{Access, Action, Caller},
    method::Method,
    output::Folder,
    refusal::{Kind, Refusal, bad_argument},
    request::{self, Asked},
    viewer,
};

/// Results that were not used for so long count as unused.
const UNUSED: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Does what `call` asks for, and answers it.
///
/// # Errors
///
/// Why not; the call is not answered then.
pub fn run(desk: &Desk, method: Method, caller: &Caller, call: &Message) -> Result<(), Refusal> {
    let visit = Visit { desk, caller, call };
    match method {
        Method::Start => visit.start(),
        Method::Resume => visit.resume(),
        Method::Attach => visit.attach(),
        Method::Cancel => visit.cancel(),
        Method::Answer => visit.answer(),
        Method::List => visit.list(),
        Method::Describe => visit.describe(),
        Method::Clean => visit.clean(),
        Method::Version => {
            let version = (EPOCH, REVISION, env!("CARGO_PKG_VERSION"));
            desk.bus.reply(&call.header(), &version);
            Ok(())
        }
    }
}

/// The word of the interface for a mode of isolation.
pub const fn word_of(isolation: Isolation) -> &'static str {
    match isolation {
        Isolation::Namespace => "namespace",
        Isolation::Hybrid => "hybrid",
        Isolation::Traditional => "traditional",
        Isolation::Other => "other",
    }
}

/// One caller with one call.
struct Visit<'a> {
    desk: &'a Desk,
    caller: &'a Caller,
    call: &'a Message,
}

/// The arguments of a call. Their types were compared with the method's table; what is left
/// to go wrong is inside of them.
fn read<'a, T: DynamicDeserialize<'a>>(body: &'a zbus::message::Body) -> Result<T, Refusal> {
    body.deserialize()
        .map_err(|error| bad_argument(format!("the arguments cannot be read: {error}")))
}

fn owned(fd: OwnedFd) -> fd::OwnedFd {
    fd.into()
}

impl Visit<'_> {
    fn reply<B: Serialize + zbus::zvariant::DynamicType>(&self, body: &B) -> Result<(), Refusal> {
        self.desk.bus.reply(&self.call.header(), body);
        Ok(())
    }

    fn access(&self, id: &str) -> Result<Access, Refusal> {
        let owner = |id: &BuildId| self.desk.builds.owner(id);
        self.desk.gate.access(self.caller, id, owner)
    }

    fn build_action(&self) -> Action {
        Action::build_in(self.desk.isolation)
    }

    fn start(&self) -> Result<(), Refusal> {
        type Arguments = (
            String,
            Vec<(String, OwnedFd)>,
            OwnedFd,
            HashMap<String, OwnedValue>,
        );
        let desk = self.desk;
        let slot = desk.builds.reserve(self.caller.uid())?;
        let body = self.call.body();
        let (spec, files, output, options): Arguments = read(&body)?;
        let asked = Asked {
            spec,
            files: files
                .into_iter()
                .map(|(name, fd)| (name, owned(fd)))
                .collect(),
            output: owned(output),
            options,
        };
        let user = User::of(self.caller.uid())?;
        let sealed = request::seal(asked, &user, desk.isolation, desk.builds.places())?;
        let details = request::details(&sealed.owner, sealed.output.shown());
        let permit = desk
            .gate
            .permit(self.caller, self.build_action(), details)?;
        let id = desk.builds.start(sealed, slot, permit)?;
        self.reply(&id.as_str())
    }

    fn resume(&self) -> Result<(), Refusal> {
        let desk = self.desk;
        let body = self.call.body();
        let (id, output): (&str, OwnedFd) = read(&body)?;
        let access = self.access(id)?;
        let owner = desk.builds.resumable(&access)?;
        let slot = desk.builds.reserve(owner.uid)?;
        // The ISO is its owner's, whoever goes on with the build.
        let user = User::of(owner.uid)?;
        let output = Folder::take(owned(output), &user, desk.builds.places())?;
        let details = request::details(&owner, output.shown());
        let permit = desk
            .gate
            .permit(self.caller, self.build_action(), details)?;
        desk.builds.resume(&access, output, slot, permit)?;
        self.reply(&())
    }

    fn attach(&self) -> Result<(), Refusal> {
        let body = self.call.body();
        let (id, from): (&str, u64) = read(&body)?;
        let access = self.access(id)?;
        let bell = self.desk.builds.watch(&access, self.caller.uid())?;
        let activity = self.desk.activity.clone();
        let events = viewer::start(bell, from, move || activity.mark())
            .map_err(|error| isosmith_engine::Failure::io("open a stream", error))?;
        self.reply(&OwnedFd::from(events))
    }

    fn cancel(&self) -> Result<(), Refusal> {
        let body = self.call.body();
        let access = self.access(read(&body)?)?;
        self.desk.builds.cancel(&access)?;
        self.reply(&())
    }

    fn answer(&self) -> Result<(), Refusal> {
        let body = self.call.body();
        let (id, question, choice): (&str, u32, &str) = read(&body)?;
        let choice = match choice {
            "retry" => Choice::Retry,
            "stop" => Choice::Stop,
            _ => return Err(bad_argument("an answer is retry or stop")),
        };
        let access = self.access(id)?;
        self.desk.builds.answer(&access, question, choice)?;
        self.reply(&())
    }

    fn list(&self) -> Result<(), Refusal> {
        let body = self.call.body();
        let whose = if read::<bool>(&body)? {
            let permit = self
                .desk
                .gate
                .permit(self.caller, Action::Manage, Vec::new())?;
            Whose::Everybody(permit)
        } else {
            Whose::Of(self.caller.uid())
        };
        let rows: Vec<(String, String, &str, u64, u32)> = self
            .desk
            .builds
            .list(&whose)
            .into_iter()
            .map(|build| {
                (
                    build.id.to_string(),
                    build.owner.profile,
                    build.stage.word(),
                    build.owner.started,
                    build.owner.uid,
                )
            })
            .collect();
        self.reply(&rows)
    }

    fn describe(&self) -> Result<(), Refusal> {
        let body = self.call.body();
        let access = self.access(read(&body)?)?;
        let description = self.desk.builds.describe(&access)?;
        self.reply(&table(&description)?)
    }

    fn clean(&self) -> Result<(), Refusal> {
        let body = self.call.body();
        let (what, dry_run): (&str, bool) = read(&body)?;
        let wanted = match what {
            "leftovers" => Wanted::Leftovers,
            "unused" => Wanted::Unused(UNUSED),
            "everything" => Wanted::Everything,
            _ => {
                return Err(bad_argument(
                    "leftovers, unused or everything can be cleaned",
                ));
            }
        };
        let _permit = self
            .desk
            .gate
            .permit(self.caller, Action::Manage, Vec::new())?;
        let builds = &self.desk.builds;
        let freed = builds.while_idle(|| {
            let places = builds.places();
            places.look_for_traps_in_cache()?;
            let (state, cache) = (places.own_states(), places.own_cache());
            let plan = clean::plan(&state, &cache, wanted);
            if dry_run {
                return Ok(plan.bytes());
            }
            Ok(clean::clean(&cache, &plan)?)
        })?;
        self.reply(&freed)
    }
}

fn json(value: &impl Serialize) -> Result<Value<'static>, Refusal> {
    serde_json::to_string(value)
        .map(Value::from)
        .map_err(|error| Refusal::new(Kind::Failed, format!("cannot be JSON: {error}")))
}

fn table(build: &Description) -> Result<HashMap<&'static str, Value<'static>>, Refusal> {
    let owner = &build.owner;
    let iso = match &build.result {
        Some(BuildResult::Succeeded { iso, .. }) => iso.path.clone(),
        Some(
            BuildResult::Failed { .. }
            | BuildResult::Cancelled
            | BuildResult::Interrupted
            | BuildResult::Unknown,
        )
        | None => owner.iso.clone(),
    };
    let result = match &build.result {
        Some(result) => json(result)?,
        None => "".into(),
    };
    Ok(HashMap::from([
        ("id", build.id.to_string().into()),
        ("profile", owner.profile.clone().into()),
        ("product", owner.product.clone().into()),
        ("state", build.stage.word().into()),
        ("started", owner.started.into()),
        ("uid", owner.uid.into()),
        ("spec-sha256", owner.spec_sha256.clone().into()),
        ("isolation", word_of(owner.isolation).into()),
        ("resumable", build.stage.is_resumable().into()),
        ("iso", iso.into()),
        ("result", result),
        ("session", json(&build.session)?),
    ]))
}
