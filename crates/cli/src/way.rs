//! Who builds: this program itself, or the system service.

use isosmith_client::{Error, blocking::Client};
use isosmith_engine::{Failure, Work};
use isosmith_protocol::{BuildId, Code};
use nix::unistd::Uid;

use crate::{args::Common, places::Places};

/// Who does something new.
#[derive(Debug)]
pub enum Way {
    /// This program.
    Direct,
    /// The system service.
    Service(Client),
}

impl Way {
    /// What the command line says, else the service for whoever is not root, where there is
    /// one.
    ///
    /// # Errors
    ///
    /// [`Code::ServiceUnavailable`] when there is one that does not answer, or none and it must
    /// be.
    pub fn of(common: &Common) -> Result<Self, Failure> {
        if Uid::effective().is_root() && !common.service {
            return Ok(Self::Direct);
        }
        Ok(service(common)?.map_or(Self::Direct, Self::Service))
    }

    /// The service, if it is that.
    pub fn into_service(self) -> Option<Client> {
        match self {
            Self::Direct => None,
            Self::Service(client) => Some(client),
        }
    }
}

/// The service, unless the command line is against it or there is none.
///
/// # Errors
///
/// As for [`Way::of`].
pub fn service(common: &Common) -> Result<Option<Client>, Failure> {
    if common.service {
        return Client::connect().map(Some).map_err(failed);
    }
    // The service has folders of its own.
    if common.direct || common.state_dir.is_some() || common.cache_dir.is_some() {
        return Ok(None);
    }
    Client::reach().map_err(failed)
}

/// Where a build is kept.
#[derive(Debug)]
pub enum Place {
    /// In a folder that this program writes to.
    Folder(Work),
    /// In the service.
    Service(Client),
}

impl Place {
    /// Looks for a build: in the folder first, then in the service, whoever asks.
    ///
    /// # Errors
    ///
    /// [`Code::NoSuchBuild`], or as for [`Way::of`].
    pub fn of(id: &BuildId, common: &Common, places: &Places) -> Result<Self, Failure> {
        let work = Work::new(&places.state, &places.cache, id);
        if !common.service && work.build().is_dir() {
            return Ok(Self::Folder(work));
        }
        let Some(client) = service(common)? else {
            return Err(no_such_build(id));
        };
        match client.describe(id) {
            Ok(_) => Ok(Self::Service(client)),
            Err(error) if error.code() == Code::NoSuchBuild => Err(no_such_build(id)),
            Err(error) => Err(failed(error)),
        }
    }
}

fn no_such_build(id: &BuildId) -> Failure {
    Failure::plain(Code::NoSuchBuild, format!("there is no build {id}"))
}

/// What the service or its client says, as this program says it.
pub fn failed(error: Error) -> Failure {
    let view = error.into_view();
    Failure {
        causes: view.causes,
        command: view.command,
        tail: view.tail,
        ..Failure::new(view.code, view.message, view.advice)
    }
}
