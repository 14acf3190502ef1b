//! The system service.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    thread,
    time::Duration,
};

use isosmith_client::{
    Description, Error, HelperProxy, Listed, Options, OutputFolder, Request, blocking::Client,
};
use isosmith_protocol::{BuildId, Choice, Code, EPOCH, Event, EventKind};
use isosmith_studio::model::{ServiceState, ServiceWord};
use nix::unistd::Uid;

use super::{Builder, Events, Order, ending};
use crate::fault::Answer;

/// The service on the system bus, connected to when it is first needed.
#[derive(Debug, Default)]
pub struct Service(Mutex<Option<Client>>);

impl Service {
    fn client(&self) -> Result<Client, Error> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = &*known {
            return Ok(client.clone());
        }
        Ok(known.insert(Client::connect()?).clone())
    }

    /// Asks; a connection that turns out to be dead is not asked again.
    fn ask<T>(&self, question: impl Fn(&Client) -> Result<T, Error>) -> Answer<T> {
        let answer = self.client().and_then(|client| question(&client));
        if let Err(error) = &answer
            && error.code() == Code::ServiceUnavailable
        {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        Ok(answer?)
    }
}

impl Builder for Service {
    fn state(&self) -> ServiceState {
        match Client::reach() {
            Ok(Some(client)) => {
                let version = client.speaks().ok().map(|speaks| speaks.version);
                let state = match agent_runs(Path::new("/proc"), Uid::current()) {
                    true => ServiceWord::Ready,
                    false => ServiceWord::NoAgent,
                };
                ServiceState { state, version }
            }
            Ok(None) => ServiceState {
                state: ServiceWord::Missing,
                version: None,
            },
            Err(_) => other_version().map_or(
                ServiceState {
                    state: ServiceWord::Missing,
                    version: None,
                },
                |version| ServiceState {
                    state: ServiceWord::OtherVersion,
                    version: Some(version),
                },
            ),
        }
    }

    fn start(&self, order: &Order, output: &Path) -> Answer<BuildId> {
        let output = OutputFolder::open(output)?;
        let options = Options {
            manner: order.manner,
            ..Options::default()
        };
        let request = Request::gather(
            order.profile.clone(),
            &order.materials,
            &order.base,
            options,
        )?;
        self.ask(|client| client.start(&request, &output))
    }

    fn resume(&self, id: &BuildId, output: &Path) -> Answer<()> {
        let output = OutputFolder::open(output)?;
        self.ask(|client| client.resume(id, &output))
    }

    fn events(&self, id: &BuildId, from: u64, output: Option<&Path>) -> Answer<Events> {
        // A build that is not there would be known only after the first event was waited for.
        self.describe(id)?;
        let client = self.client()?;
        let (id, output) = (id.clone(), output.map(PathBuf::from));
        let events = client.events(&id, from);
        Ok(Box::new(events.map(move |event| {
            Ok(settled(&client, &id, output.as_deref(), event?)?)
        })))
    }

    fn cancel(&self, id: &BuildId) -> Answer<()> {
        self.ask(|client| match client.cancel(id) {
            Err(error) if error.code() != Code::WrongState => Err(error),
            Ok(()) | Err(_) => Ok(()),
        })
    }

    fn answer(&self, id: &BuildId, question: u32, choice: Choice) -> Answer<()> {
        self.ask(|client| client.answer(id, question, choice))
    }

    fn list(&self) -> Answer<Vec<Listed>> {
        self.ask(|client| client.list(false))
    }

    fn describe(&self, id: &BuildId) -> Answer<Description> {
        self.ask(|client| client.describe(id))
    }
}

/// An event as the page shall see it: the ending only once the ISO is where it belongs.
fn settled(
    client: &Client,
    id: &BuildId,
    output: Option<&Path>,
    event: Event,
) -> Result<Event, Error> {
    let EventKind::Finished { result } = event.kind else {
        return Ok(event);
    };
    let described = loop {
        let described = client.describe(id)?;
        if !described.state.is_open() {
            break described;
        }
        // Well below the number of calls that the service takes in a second.
        thread::sleep(Duration::from_millis(250));
    };
    let result = ending::outcome(&described, result, output);
    Ok(Event {
        kind: EventKind::Finished { result },
        ..event
    })
}

/// The version of a service that is there and speaks another protocol.
fn other_version() -> Option<String> {
    zbus::block_on(async {
        let bus = zbus::Connection::system().await.ok()?;
        let (epoch, _, version) = HelperProxy::new(&bus).await.ok()?.speaks().await.ok()?;
        (epoch != EPOCH).then(|| isosmith_protocol::line::clean(&version))
    })
}

/// Whether one of this user's programs can show polkit's question. polkit does not tell; the
/// known ones have it in their name, or are whole desktops.
fn agent_runs(proc: &Path, user: Uid) -> bool {
    let entries = fs::read_dir(proc).into_iter().flatten();
    entries.filter_map(Result::ok).any(|entry| {
        use std::os::unix::fs::MetadataExt;

        let ours = entry
            .metadata()
            .is_ok_and(|meta| meta.uid() == user.as_raw());
        ours && fs::read_to_string(entry.path().join("comm")).is_ok_and(|name| is_agent(&name))
    })
}

/// By the first 15 characters of a program's name, which is what the kernel keeps (proc(5)).
fn is_agent(name: &str) -> bool {
    const DESKTOPS: &[&str] = &["gnome-shell", "cinnamon", "phosh", "soteria", "pkttyagent"];

    let name = name.trim();
    (name.contains("polkit") && name != "polkitd")
        || name.contains("policykit")
        || DESKTOPS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_are_known_by_their_names() {
        for (name, want) in [
            ("polkit-kde-auth\n", true),
            ("polkit-gnome-au\n", true),
            ("lxqt-policykit-\n", true),
            ("gnome-shell\n", true),
            ("polkitd\n", false),
            ("bash\n", false),
            ("", false),
        ] {
            assert_eq!(is_agent(name), want, "{name:?}");
        }
    }

    #[test]
    fn only_this_user_s_programs_count() {
        let proc = tempfile::tempdir().expect("a folder");
        let process = proc.path().join("7");
        fs::create_dir(&process).expect("made");
        assert!(!agent_runs(proc.path(), Uid::current()));
        fs::write(process.join("comm"), "mate-polkit\n").expect("written");
        assert!(agent_runs(proc.path(), Uid::current()));
        let other = Uid::from_raw(Uid::current().as_raw() + 1);
        assert!(!agent_runs(proc.path(), other));
    }
}
