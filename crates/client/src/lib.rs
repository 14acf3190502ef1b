//! What a program without rights needs to talk to the system service.
//!
//! The service builds as root, after polkit has asked a person. It opens no path of a caller:
//! this crate opens the files that a profile names and the folder for the ISO, with the rights
//! of whoever runs it, and hands the descriptors over ([`Request`], [`OutputFolder`]).
//!
//! [`Client`] is for programs with a reactor, [`blocking::Client`] for those without. Both give
//! a build's events as an [`Events`], an iterator that attaches again where it stopped when
//! the service was started anew.
//!
//! Every failure is an [`Error`], which holds the protocol's
//! [`ErrorView`](isosmith_protocol::ErrorView): whatever the service, the bus or a file said has
//! a code, a sentence and a next action.

pub mod blocking;

mod attach;
mod bus;
mod client;
mod describe;
mod error;
mod output;
mod pack;
mod request;

pub use attach::{Events, Source};
pub use bus::{HelperProxy, NAME, PATH};
pub use client::{Attached, Changes, Client};
pub use describe::{Description, Listed, Speaks, State, What};
pub use error::Error;
pub use output::OutputFolder;
pub use request::{Options, Request, SquashfsWriter};

/// What the service or this crate answers.
pub type Result<T> = std::result::Result<T, Error>;
