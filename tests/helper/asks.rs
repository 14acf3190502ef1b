//! What the test asks of somebody's program, and what that says back: one JSON object per
//! line.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A descriptor as somebody hands it over; opened by that person's own program.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Source {
    /// A regular file without a name, with this text; the descriptor cannot write.
    Text(String),
    /// Whatever lies there, opened with these flags (open(2)).
    Path(PathBuf, i32),
    /// The same, and read to its end before.
    ReadToEnd(PathBuf),
    /// The reading end of a pipe into which nobody ever writes, though somebody could.
    Pipe,
    /// One end of a pair of sockets.
    Socket,
    /// Memory with this text, sealed against every change or not.
    Memory { text: String, sealed: bool },
    /// A file without a name that claims to be so many bytes long and takes no room.
    Sparse(u64),
    /// A folder that is removed once it is open.
    RemovedFolder(PathBuf),
}

/// An argument of a call.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Arg {
    Text(String),
    U32(u32),
    U64(u64),
    I32(i32),
    Bool(bool),
    Descriptor(Source),
    /// `a(sh)`.
    Files(Vec<(String, Source)>),
    /// `a{sv}`.
    Options(Vec<(String, Arg)>),
    /// `v`.
    Any(Box<Arg>),
    /// One value of this type, whatever it is.
    OfType(String),
}

/// One thing to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Ask {
    /// A method of the helper's interface.
    Call { method: String, args: Vec<Arg> },
    /// A method of any interface of the helper's object.
    CallOf {
        interface: String,
        method: String,
        args: Vec<Arg>,
    },
    /// Attaches to a build; says the number of the viewer.
    Attach { id: String, from: u64 },
    /// Reads lines of a viewer to their end, or for so many milliseconds.
    Hear { viewer: u32, limit_ms: u64 },
    /// Closes a viewer.
    Leave { viewer: u32 },
    /// Attaches and detaches so often, reading a little now and then.
    Churn { id: String, times: u32 },
    /// The name that the bus has given the connection.
    Name,
    /// Takes in the helper's signals from now on.
    Listen,
    /// The signals so far.
    Heard,
    /// Calls `Version` as fast as it goes, so often; counts what comes of it.
    Burst { times: u32 },
    /// Exchanges two names as fast as it goes until it is asked to stop.
    Exchange { one: PathBuf, other: PathBuf },
    /// Stops exchanging; says how often it did.
    StopExchanging,
    /// Starts builds with a file from a path that is exchanged with others all the while; see
    /// [`crate::files`].
    Race(Race),
    /// Calls with random methods, types and sizes for so long.
    Fuzz { seed: u64, seconds: u64 },
    /// Makes, opens and removes things of others as far as the rights go; says what could be
    /// done.
    Trespass { folders: Vec<PathBuf> },
}

/// A race for what the helper reads.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Race {
    /// Calls.
    pub times: u32,
    /// The profile.
    pub spec: String,
    /// The name of the raced file in it.
    pub name: String,
    /// What is exchanged with the honest file, in turn.
    pub others: Vec<PathBuf>,
    /// The honest file; also what is opened.
    pub honest: PathBuf,
    /// A folder to deliver into, exchanged with others too.
    pub output: PathBuf,
    /// The same file and folder under names that nobody touches.
    pub steady: (PathBuf, PathBuf),
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Reply {
    /// It was done, and gave this.
    Done(Value),
    /// The helper or the bus said no.
    Refused { name: String, message: String },
    /// There was no answer, or it could not be asked.
    Broken(String),
}

/// A line to the program.
#[derive(Debug, Serialize, Deserialize)]
pub struct Line {
    pub number: u64,
    pub ask: Ask,
}

/// A line from the program.
#[derive(Debug, Serialize, Deserialize)]
pub struct Answer {
    pub number: u64,
    pub reply: Reply,
}

/// What the kinds of a raced call came to.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Raced {
    /// An honest file, refused by polkit only.
    pub honest: u32,
    /// Something else, refused for what it is.
    pub other: u32,
    /// Each that went otherwise, in words.
    pub wrong: Vec<String>,
    /// Exchanges meanwhile.
    pub exchanges: u64,
}
