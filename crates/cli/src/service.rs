//! A build that the system service does.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

use isosmith_client::{
    Description, Options, OutputFolder, Request, SquashfsWriter, State, blocking::Client,
};
use isosmith_engine::Failure;
use isosmith_protocol::{BuildId, BuildResult, Code};
use isosmith_spec::names::MaterialPath;

use crate::{
    Command, Ended,
    agent::Agent,
    args::{BuildArgs, Common, Writer},
    build::Viewer,
    order,
    profile::{self, Loaded},
    remember,
    render::{self, Answering},
    watch::{Ending, Hands, watch},
    way::failed,
};

/// Has a profile built.
///
/// # Errors
///
/// When a file of the profile or the output folder cannot be used, the service refuses, or it
/// is lost on the way.
pub fn build(client: &Client, loaded: Loaded, args: &BuildArgs, common: &Common) -> Command {
    let here = Path::new(".");
    let output = OutputFolder::open(args.output.as_deref().unwrap_or(here)).map_err(failed)?;
    isosmith_recipe::mirrors::refuse_files(&loaded.spec.base)?;
    let base = profile::base();
    let place = |path: &MaterialPath| Ok(base.join(path.as_str()));
    order::check_pictures(&loaded.spec, &place)?;
    isosmith_recipe::check_signing(&loaded.spec, &place)?;
    let loaded = order::ask_passwords(loaded)?;
    let materials = loaded.spec.materials();
    let request = Request::gather(loaded.merged.to_toml(), &materials, &base, options(args))
        .map_err(failed)?;
    let id = {
        let _agent = Agent::on_terminal();
        client.start(&request, &output).map_err(failed)?
    };
    // Packed folders take room as long as they are open.
    drop(request);
    remember::output(&id, output.path());
    follow(client, &id, Some(output.path()), args, common)
}

/// Has a stopped build gone on with.
///
/// # Errors
///
/// When the service refuses, or the output folder cannot be used.
pub fn resume(client: &Client, id: &BuildId, args: &BuildArgs, common: &Common) -> Command {
    let remembered = || remember::output_of(id);
    let output = args.output.clone().or_else(remembered);
    let output =
        OutputFolder::open(&output.unwrap_or_else(|| PathBuf::from("."))).map_err(failed)?;
    {
        let _agent = Agent::on_terminal();
        client.resume(id, &output).map_err(failed)?;
    }
    remember::output(id, output.path());
    follow(client, id, Some(output.path()), args, common)
}

const fn options(args: &BuildArgs) -> Options {
    Options {
        manner: args.manner(),
        explain_cache: args.explain_cache,
        squashfs_writer: match args.squashfs_writer {
            Writer::Isosmith => SquashfsWriter::Isosmith,
            Writer::Mksquashfs => SquashfsWriter::Mksquashfs,
        },
    }
}

fn follow(
    client: &Client,
    id: &BuildId,
    output: Option<&Path>,
    args: &BuildArgs,
    common: &Common,
) -> Command {
    let mut viewer = render::viewer(common, args.json, Answering::Anywhere);
    let (stopped, whose) = (client.clone(), id.clone());
    let hands = Hands {
        cancel: Some(Arc::new(move |()| cancel(&stopped, &whose))),
        ..hands(client, id)
    };
    see(client, id, output, viewer.as_mut(), &hands)
}

/// Shows a build of the service that somebody has begun before.
///
/// # Errors
///
/// When it cannot be attached to.
pub fn attach(client: &Client, id: &BuildId, json: bool, common: &Common) -> Command {
    let mut viewer = render::viewer(common, json, Answering::Anywhere);
    let output = remember::output_of(id);
    let hands = hands(client, id);
    see(client, id, output.as_deref(), viewer.as_mut(), &hands)
}

/// What a person at the terminal can do.
fn hands(client: &Client, id: &BuildId) -> Hands {
    let (asked, whose) = (client.clone(), id.clone());
    Hands {
        cancel: None,
        answer: Some(Arc::new(move |(question, choice)| {
            asked.answer(&whose, question, choice).map_err(failed)
        })),
        waiting: Some(format!("build {id} waits for its turn")),
    }
}

/// A build that has ended meanwhile says so itself.
fn cancel(client: &Client, id: &BuildId) -> Result<(), Failure> {
    match client.cancel(id) {
        Err(error) if error.code() != Code::WrongState => Err(failed(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn see(
    client: &Client,
    id: &BuildId,
    output: Option<&Path>,
    viewer: &mut dyn Viewer,
    hands: &Hands,
) -> Command {
    let events = client.events(id, 0).map(|event| event.map_err(failed));
    let said = match watch(events, viewer, hands)? {
        Ending::Over(result) => result,
        Ending::Left { stopping } => {
            viewer.note(&Ending::farewell(stopping, id));
            return Ok(Ended::Left);
        }
    };
    let described = settled(client, id)?;
    let result = outcome(&described, said);
    let delivered = delivered(&described, &result, output)?;
    viewer.end(&result, delivered.as_deref());
    Ok(Ended::Build(result))
}

/// The build's own ending comes before its ISO is in the folder; this waits for that.
fn settled(client: &Client, id: &BuildId) -> Result<Description, Failure> {
    loop {
        let described = client.describe(id).map_err(failed)?;
        if !described.state.is_open() {
            return Ok(described);
        }
        // Well below the number of calls that the service takes in a second.
        thread::sleep(Duration::from_millis(250));
    }
}

/// What the service makes of the ending that the build `said`.
fn outcome(described: &Description, said: BuildResult) -> BuildResult {
    let known = described.result.clone().unwrap_or(said);
    let failed = matches!(known, BuildResult::Failed { .. });
    match described.state {
        State::Failed if !failed => {
            let failure = Failure::new(
                Code::Io,
                "the ISO was made, but could not be put into the output folder",
                "Look whether the folder is there and has room, then resume the build; it makes nothing again.",
            );
            BuildResult::Failed {
                error: failure.view(None),
            }
        }
        State::Cancelled => BuildResult::Cancelled,
        State::Interrupted => BuildResult::Interrupted,
        State::Queued | State::Running | State::Succeeded | State::Failed | State::Other => known,
    }
}

/// Where the ISO is: in `output`, or, when only the service knows that, its name.
fn delivered(
    described: &Description,
    result: &BuildResult,
    output: Option<&Path>,
) -> Result<Option<PathBuf>, Failure> {
    let BuildResult::Succeeded { iso, .. } = result else {
        return Ok(None);
    };
    let name = described.iso.as_deref().unwrap_or(&iso.path);
    let Some(name) = Path::new(name).file_name() else {
        return Ok(None);
    };
    let Some(output) = output else {
        return Ok(Some(name.into()));
    };
    let path = output.join(name);
    if path.exists() {
        return Ok(Some(path));
    }
    Err(Failure::new(
        Code::Io,
        format!("the ISO was delivered, but is not at {}", path.display()),
        "Look whether somebody has moved it, or the folder.",
    ))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use isosmith_protocol::{Isolation, Output};

    use super::*;

    fn described(state: State, result: Option<BuildResult>) -> Description {
        Description {
            id: BuildId::parse("x").expect("an id"),
            profile: String::new(),
            product: String::new(),
            state,
            started: 0,
            uid: 0,
            spec_sha256: String::new(),
            isolation: Isolation::Namespace,
            resumable: false,
            iso: Some("x.iso".to_owned()),
            result,
            session: Vec::new(),
        }
    }

    fn good() -> BuildResult {
        BuildResult::Succeeded {
            iso: Output {
                path: "/inside/x.iso".to_owned(),
                size: 1,
                checksums: BTreeMap::new(),
                enrolment: None,
            },
            files: Vec::new(),
        }
    }

    fn bad() -> BuildResult {
        BuildResult::Failed {
            error: Failure::plain(Code::DiskFull, "full").view(None),
        }
    }

    #[test]
    fn the_service_has_the_last_word() {
        for (state, known, said, code) in [
            (State::Succeeded, None, good(), None),
            (State::Failed, None, bad(), Some(Code::DiskFull)),
            (State::Failed, Some(bad()), good(), Some(Code::DiskFull)),
            (State::Failed, Some(good()), good(), Some(Code::Io)),
            (State::Cancelled, None, good(), Some(Code::Cancelled)),
            (State::Interrupted, None, good(), Some(Code::Interrupted)),
            (State::Other, None, good(), None),
        ] {
            let result = outcome(&described(state, known.clone()), said.clone());
            assert_eq!(result.code(), code, "{state:?} {known:?} {said:?}");
        }
    }

    #[test]
    fn the_delivered_iso_is_found_by_its_name_in_the_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let described = described(State::Succeeded, None);
        let find = |output| delivered(&described, &good(), output).map_err(|f| f.code);
        assert_eq!(find(None), Ok(Some("x.iso".into())));
        assert_eq!(find(Some(folder.path())), Err(Code::Io));
        std::fs::write(folder.path().join("x.iso"), "").expect("written");
        let path = folder.path().join("x.iso");
        assert_eq!(find(Some(folder.path())), Ok(Some(path)));
    }
}
