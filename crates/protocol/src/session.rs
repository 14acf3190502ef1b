//! What is watched so that a build harms nobody's session, and how the machine does.

use serde::{Deserialize, Serialize};

/// In what a build is kept, strongest first.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Isolation {
    /// All namespaces; root inside is nobody outside.
    #[default]
    Namespace,
    /// All namespaces but the user namespace: root inside is root with few capabilities.
    Hybrid,
    /// Mount and process namespaces, and a changed root folder.
    Traditional,
    /// What an older reader makes of a newer mode.
    #[serde(other)]
    Other,
}

/// The kind of session that a build was started from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionKind {
    /// A desktop.
    Graphical,
    /// Somebody from far away.
    Ssh,
    /// A text console.
    Console,
    /// Nobody is logged in, or the machine does not say.
    None,
    /// What an older reader makes of a newer kind.
    #[serde(other)]
    Other,
}

/// What a thing is that must not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Watched {
    /// A session's leader, or its desktop.
    Session,
    /// What shows the login and keeps the desktop.
    DisplayManager,
    /// What keeps the network.
    Network,
    /// A message bus, of the system or of a person.
    MessageBus,
    /// What keeps track of sessions.
    LoginManager,
    /// A person's own service manager.
    UserManager,
    /// The table of mounts of the machine's first process.
    Mounts,
    /// What an older reader makes of a newer thing.
    #[serde(other)]
    Other,
}

/// One thing that is watched.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WatchedItem {
    /// What it is.
    pub what: Watched,
    /// Its name, such as a program's.
    pub name: String,
    /// Its process id, where it is a process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
}

/// A watched thing that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionChange {
    /// The thing as it was, or as it is if it was not there before.
    pub item: WatchedItem,
    /// What became of it, in one sentence.
    pub cause: String,
    /// Milliseconds since the watch began.
    pub at_ms: u64,
}

/// How the machine does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metrics {
    /// Of all processors together, in thousandths.
    pub cpu_permille: u32,
    /// In bytes.
    pub memory_used: u64,
    /// In bytes.
    pub memory_total: u64,
    /// Read from disks, in bytes per second.
    pub disk_read: u64,
    /// Written to disks, in bytes per second.
    pub disk_written: u64,
    /// Received from the network, in bytes per second.
    pub received: u64,
    /// Sent to the network, in bytes per second.
    pub sent: u64,
    /// Left on the filesystem of the build, in bytes.
    pub disk_free: u64,
}
