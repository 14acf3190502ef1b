//! Who builds: the system service, or, for show, a recording.

mod ending;
mod recording;
mod service;

use std::path::{Path, PathBuf};

use isosmith_client::{Description, Listed};
use isosmith_protocol::{BuildId, Choice, Event, Manner};
use isosmith_spec::Material;
use isosmith_studio::model::ServiceState;

use crate::fault::Answer;

pub use recording::Player;
pub use service::Service;

/// What is to be built.
#[derive(Debug, Clone)]
pub struct Order {
    /// The merged profile as TOML.
    pub profile: String,
    /// The profile's name.
    pub name: String,
    /// The files that it names.
    pub materials: Vec<Material>,
    /// Where their relative paths start.
    pub base: PathBuf,
    /// How it is to be done.
    pub manner: Manner,
}

/// A build's events, each of which is waited for. The last one is the ending, with the ISO
/// where it really is, unless an error says why there are no more.
pub type Events = Box<dyn Iterator<Item = Answer<Event>> + Send>;

/// Whoever builds. Every call may wait: for the bus, or for a person who is being asked.
pub trait Builder: Send + Sync {
    /// Whether it can be asked to build.
    fn state(&self) -> ServiceState;

    /// Asks for the right to build and queues the build.
    ///
    /// # Errors
    ///
    /// What is wrong with the order or the folder, or that it was refused.
    fn start(&self, order: &Order, output: &Path) -> Answer<BuildId>;

    /// Goes on with a stopped build.
    ///
    /// # Errors
    ///
    /// As for [`Builder::start`].
    fn resume(&self, id: &BuildId, output: &Path) -> Answer<()>;

    /// The events from the number `from` on of a build whose ISO goes to `output`.
    ///
    /// # Errors
    ///
    /// When there is no such build, or nobody to ask.
    fn events(&self, id: &BuildId, from: u64, output: Option<&Path>) -> Answer<Events>;

    /// Stops a build. One that has ended meanwhile is no failure.
    ///
    /// # Errors
    ///
    /// When there is no such build, or nobody to ask.
    fn cancel(&self, id: &BuildId) -> Answer<()>;

    /// Settles a question.
    ///
    /// # Errors
    ///
    /// As for [`Builder::cancel`].
    fn answer(&self, id: &BuildId, question: u32, choice: Choice) -> Answer<()>;

    /// This person's builds, newest first.
    ///
    /// # Errors
    ///
    /// When there is nobody to ask.
    fn list(&self) -> Answer<Vec<Listed>>;

    /// All about one build.
    ///
    /// # Errors
    ///
    /// As for [`Builder::cancel`].
    fn describe(&self, id: &BuildId) -> Answer<Description>;
}
