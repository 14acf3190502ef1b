//! The service's interface as the bus has it.

use std::collections::HashMap;

use zbus::zvariant::{Fd, OwnedFd, OwnedValue, Value};

/// The service's name on the system bus.
pub const NAME: &str = "org.isosmith.Helper1";

/// The service's object.
pub const PATH: &str = "/org/isosmith/Helper1";

/// The bare interface; [`Client`](crate::Client) is the one with types and errors.
#[zbus::proxy(
    interface = "org.isosmith.Helper1",
    default_service = "org.isosmith.Helper1",
    default_path = "/org/isosmith/Helper1",
    gen_blocking = false
)]
pub trait Helper {
    /// Asks for the right, queues a build and returns its id.
    #[zbus(allow_interactive_auth)]
    fn start(
        &self,
        spec: &str,
        files: &[(&str, Fd<'_>)],
        output: Fd<'_>,
        options: HashMap<&str, Value<'_>>,
    ) -> zbus::Result<String>;

    /// Asks for the right and goes on with a stopped build.
    #[zbus(allow_interactive_auth)]
    fn resume(&self, id: &str, output: Fd<'_>) -> zbus::Result<()>;

    /// A pipe of events from the number `from` to the ending.
    #[zbus(allow_interactive_auth)]
    fn attach(&self, id: &str, from: u64) -> zbus::Result<OwnedFd>;

    /// Stops a build.
    #[zbus(allow_interactive_auth)]
    fn cancel(&self, id: &str) -> zbus::Result<()>;

    /// Settles a question.
    #[zbus(allow_interactive_auth)]
    fn answer(&self, id: &str, question: u32, choice: &str) -> zbus::Result<()>;

    /// Id, profile, state, seconds since 1970 and owner of each build.
    #[zbus(allow_interactive_auth)]
    fn list(&self, everybody: bool) -> zbus::Result<Vec<(String, String, String, u64, u32)>>;

    /// All about one build.
    #[zbus(allow_interactive_auth)]
    fn describe(&self, id: &str) -> zbus::Result<HashMap<String, OwnedValue>>;

    /// Frees room; returns bytes.
    #[zbus(allow_interactive_auth)]
    fn clean(&self, what: &str, dry_run: bool) -> zbus::Result<u64>;

    /// The protocol's epoch and revision, and the service's version.
    #[zbus(name = "Version")]
    fn speaks(&self) -> zbus::Result<(u32, u32, String)>;

    /// In what builds are kept on this machine.
    #[zbus(property)]
    fn isolation(&self) -> zbus::Result<String>;

    /// Whether a build runs.
    #[zbus(property)]
    fn busy(&self) -> zbus::Result<bool>;

    /// A build of ours is in another state.
    #[zbus(signal)]
    fn changed(&self, id: &str, state: &str) -> zbus::Result<()>;
}
