//! The service, for programs without a reactor.

use isosmith_protocol::{BuildId, Choice};
use zbus::block_on;

use crate::{
    Description, Events, Listed, OutputFolder, Request, Result, Speaks, What,
    client::{self, Attached},
};

/// [`crate::Client`], waiting for each answer. Errors are the same.
#[derive(Debug, Clone)]
pub struct Client(client::Client);

impl Client {
    /// See [`crate::Client::connect`].
    ///
    /// # Errors
    ///
    /// The same.
    pub fn connect() -> Result<Self> {
        block_on(client::Client::connect()).map(Self)
    }

    /// See [`crate::Client::reach`].
    ///
    /// # Errors
    ///
    /// The same.
    pub fn reach() -> Result<Option<Self>> {
        Ok(block_on(client::Client::reach())?.map(Self))
    }

    /// See [`crate::Client::start`].
    ///
    /// # Errors
    ///
    /// The same.
    pub fn start(&self, request: &Request, output: &OutputFolder) -> Result<BuildId> {
        block_on(self.0.start(request, output))
    }

    /// See [`crate::Client::resume`].
    ///
    /// # Errors
    ///
    /// The same.
    pub fn resume(&self, id: &BuildId, output: &OutputFolder) -> Result<()> {
        block_on(self.0.resume(id, output))
    }

    /// See [`crate::Client::events`].
    pub fn events(&self, id: &BuildId, from: u64) -> Events<Attached> {
        self.0.events(id, from)
    }

    /// See [`crate::Client::cancel`].
    ///
    /// # Errors
    ///
    /// The same.
    pub fn cancel(&self, id: &BuildId) -> Result<()> {
        block_on(self.0.cancel(id))
    }

    /// See [`crate::Client::answer`].
    ///
    /// # Errors
    ///
    /// The same.
    pub fn answer(&self, id: &BuildId, question: u32, choice: Choice) -> Result<()> {
        block_on(self.0.answer(id, question, choice))
    }

    /// See [`crate::Client::list`].
    ///
    /// # Errors
    ///
    /// The same.
    pub fn list(&self, everybody: bool) -> Result<Vec<Listed>> {
        block_on(self.0.list(everybody))
    }

    /// See [`crate::Client::describe`].
    ///
    /// # Errors
    ///
    /// The same.
    pub fn describe(&self, id: &BuildId) -> Result<Description> {
        block_on(self.0.describe(id))
    }

    /// See [`crate::Client::clean`].
    ///
    /// # Errors
    ///
    /// The same.
    pub fn clean(&self, what: What, dry_run: bool) -> Result<u64> {
        block_on(self.0.clean(what, dry_run))
    }

    /// See [`crate::Client::speaks`].
    ///
    /// # Errors
    ///
    /// The same.
    pub fn speaks(&self) -> Result<Speaks> {
        block_on(self.0.speaks())
    }
}
