//! The service, with types and errors.

use std::{collections::HashMap, future::poll_fn, os::fd::AsFd, pin::Pin};

use isosmith_protocol::{BuildId, Choice, Code, EPOCH, ErrorMode, Pace};
use zbus::{
    Connection,
    export::futures_core::Stream as _,
    fdo::DBusProxy,
    names::BusName,
    proxy::CacheProperties,
    zvariant::{Fd, Value},
};

use crate::{
    Description, Error, Events, Listed, OutputFolder, Request, Result, Source, Speaks, State, What,
    bus::{ChangedStream, HelperProxy, NAME},
    pack,
};

/// A connection to the service. Clones share it.
///
/// Calls that need a right wait until the person has answered polkit's question.
#[derive(Debug, Clone)]
pub struct Client {
    proxy: HelperProxy<'static>,
}

impl Client {
    /// Connects to the service on the system bus, which starts it if it does not run.
    ///
    /// # Errors
    ///
    /// [`Code::ServiceUnavailable`] when there is no bus or no service, or it speaks another
    /// protocol.
    pub async fn connect() -> Result<Self> {
        Self::over(Connection::system().await?).await
    }

    /// Like [`Client::connect`], but `None` on a machine that has no such service.
    ///
    /// # Errors
    ///
    /// [`Code::ServiceUnavailable`] when the service is there and does not answer.
    pub async fn reach() -> Result<Option<Self>> {
        let Ok(connection) = Connection::system().await else {
            return Ok(None);
        };
        let bus = DBusProxy::new(&connection).await?;
        let name = BusName::try_from(NAME).map_err(zbus::Error::from)?;
        let startable = bus.list_activatable_names().await?;
        if !startable.iter().any(|known| known.as_str() == NAME)
            && !bus.name_has_owner(name).await?
        {
            return Ok(None);
        }
        Self::over(connection).await.map(Some)
    }

    /// The service at the other end of `connection`: a bus, or the service itself.
    ///
    /// # Errors
    ///
    /// [`Code::ServiceUnavailable`] when it does not answer or speaks another protocol.
    pub async fn over(connection: Connection) -> Result<Self> {
        let proxy = HelperProxy::builder(&connection)
            .cache_properties(CacheProperties::No)
            .build()
            .await?;
        let client = Self { proxy };
        let speaks = client.speaks().await?;
        if speaks.epoch == EPOCH {
            return Ok(client);
        }
        Err(Error::new(
            Code::ServiceUnavailable,
            format!(
                "the service is Isosmith {} and does not understand this version",
                speaks.version
            ),
            "Use the version of Isosmith that the service has, or build without it: `isosmith build --direct`.",
        ))
    }

    /// Asks for the right to build, queues the build and returns its id.
    ///
    /// # Errors
    ///
    /// [`Code::NotAuthorised`], [`Code::PromptDismissed`], [`Code::QueueFull`], or what is wrong
    /// with the request.
    pub async fn start(&self, request: &Request, output: &OutputFolder) -> Result<BuildId> {
        let bundle = match request.files.len() {
            0..=FEW => None,
            _ => Some(pack::bundle(&request.files).map_err(|error| {
                Error::new(
                    Code::MaterialInvalid,
                    "the profile's files cannot be handed over",
                    "Give yourself the right to read the file, or make it smaller.",
                )
                .because(error.to_string())
            })?),
        };
        let files: Vec<_> = match &bundle {
            Some(bundle) => vec![("", Fd::from(bundle.as_fd()))],
            None => request
                .files
                .iter()
                .map(|(name, file)| (name.as_str(), Fd::from(file.as_fd())))
                .collect(),
        };
        let manner = request.options.manner;
        let mut options = HashMap::from([
            ("strict", Value::from(manner.errors == ErrorMode::Strict)),
            ("explain-cache", Value::from(request.options.explain_cache)),
            (
                "squashfs-writer",
                Value::from(request.options.squashfs_writer.as_str()),
            ),
        ]);
        // Only what is not as usual: an older service does not know them.
        if manner.errors == ErrorMode::Permissive {
            options.insert("permissive", Value::from(true));
        }
        if manner.pace != Pace::default() {
            options.insert("pace", Value::from(manner.pace.as_str()));
        }
        if let Some(limit) = manner.cache_limit {
            options.insert("cache-limit", Value::from(limit.gigabytes()));
        }
        let output = Fd::from(output.as_fd());
        let id = self
            .proxy
            .start(&request.profile, &files, output, options)
            .await?;
        BuildId::parse(&id).ok_or_else(|| {
            Error::new(
                Code::Internal,
                "the service began a build without a usable id",
                "This is a fault in Isosmith; please report it with the service's log.",
            )
        })
    }

    /// Asks for the right to build and goes on with a stopped build.
    ///
    /// # Errors
    ///
    /// As for [`Client::start`]; [`Code::NoSuchBuild`], [`Code::WrongState`].
    pub async fn resume(&self, id: &BuildId, output: &OutputFolder) -> Result<()> {
        let output = Fd::from(output.as_fd());
        Ok(self.proxy.resume(id.as_str(), output).await?)
    }

    /// The build's events from the number `from` to its ending. Read them on a thread of
    /// their own: each one is waited for.
    pub fn events(&self, id: &BuildId, from: u64) -> Events<Attached> {
        let attached = Attached {
            client: self.clone(),
            id: id.clone(),
        };
        Events::new(attached, from)
    }

    /// Stops a build.
    ///
    /// # Errors
    ///
    /// [`Code::NoSuchBuild`]; [`Code::WrongState`] when it is over.
    pub async fn cancel(&self, id: &BuildId) -> Result<()> {
        Ok(self.proxy.cancel(id.as_str()).await?)
    }

    /// Settles a question of a build. The first answer counts.
    ///
    /// # Errors
    ///
    /// [`Code::NoSuchBuild`]; [`Code::WrongState`] when it does not run.
    pub async fn answer(&self, id: &BuildId, question: u32, choice: Choice) -> Result<()> {
        let choice = match choice {
            Choice::Retry => "retry",
            Choice::Stop | Choice::Other => "stop",
        };
        Ok(self.proxy.answer(id.as_str(), question, choice).await?)
    }

    /// This person's builds, or everybody's, newest first.
    ///
    /// # Errors
    ///
    /// [`Code::NotAuthorised`] for everybody's without the right to manage.
    pub async fn list(&self, everybody: bool) -> Result<Vec<Listed>> {
        let rows = self.proxy.list(everybody).await?;
        let mut builds: Vec<_> = rows.into_iter().filter_map(Listed::read).collect();
        builds.sort_by(|a, b| (b.started, &b.id).cmp(&(a.started, &a.id)));
        Ok(builds)
    }

    /// All about one build.
    ///
    /// # Errors
    ///
    /// [`Code::NoSuchBuild`].
    pub async fn describe(&self, id: &BuildId) -> Result<Description> {
        Description::read(self.proxy.describe(id.as_str()).await?)
    }

    /// Frees room and returns how much, in bytes; with `dry_run`, how much it would be.
    ///
    /// # Errors
    ///
    /// [`Code::NotAuthorised`], [`Code::PromptDismissed`].
    pub async fn clean(&self, what: What, dry_run: bool) -> Result<u64> {
        Ok(self.proxy.clean(what.as_str(), dry_run).await?)
    }

    /// What the service speaks.
    ///
    /// # Errors
    ///
    /// [`Code::ServiceUnavailable`].
    pub async fn speaks(&self) -> Result<Speaks> {
        let (epoch, revision, version) = self.proxy.speaks().await?;
        Ok(Speaks {
            epoch,
            revision,
            version: isosmith_protocol::line::clean(&version),
        })
    }

    /// Says whenever a build of this person is in another state.
    ///
    /// # Errors
    ///
    /// [`Code::ServiceUnavailable`].
    pub async fn changes(&self) -> Result<Changes> {
        Ok(Changes(self.proxy.receive_changed().await?))
    }
}

/// More files than these go as a bundle. A message bus hangs up on whoever sends more
/// descriptors in a message than it allows: dbus-daemon by default 16 (dbus-daemon(1),
/// `max_message_unix_fds`), of which one is the output folder's.
const FEW: usize = 15;

/// See [`Client::changes`].
#[derive(Debug)]
pub struct Changes(ChangedStream);

impl Changes {
    /// The next change; `None` when the connection is gone.
    pub async fn next(&mut self) -> Option<(BuildId, State)> {
        loop {
            let signal = poll_fn(|context| Pin::new(&mut self.0).poll_next(context)).await?;
            let Ok(args) = signal.args() else { continue };
            if let Some(id) = BuildId::parse(args.id) {
                return Some((id, State::of(args.state)));
            }
        }
    }
}

/// One build in the service. See [`Client::events`].
#[derive(Debug)]
pub struct Attached {
    client: Client,
    id: BuildId,
}

impl Source for Attached {
    type Stream = std::fs::File;

    fn open(&mut self, from: u64) -> Result<Self::Stream> {
        let pipe = zbus::block_on(self.client.proxy.attach(self.id.as_str(), from))?;
        Ok(std::os::fd::OwnedFd::from(pipe).into())
    }
}
