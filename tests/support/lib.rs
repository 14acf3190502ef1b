//! What the tests share: a small signed Debian archive, a server with faults, builds with
//! folders of their own, and a witness of the machine.
//!
//! | Module | What it gives |
//! |---|---|
//! | [`kit`] | the program under test, a cache that suites share, scratch folders |
//! | [`archive`] | a signed archive of real and made packages |
//! | [`bus`] | a system bus, people and polkit of the tests' own |
//! | [`made`] | packages that a test writes itself |
//! | [`menus`] | boot menus beside their previews |
//! | [`small`] | a whole system that builds in seconds |
//! | [`server`] | HTTP with faults |
//! | [`run`] | one run of the program, its events and its end |
//! | [`differ`] | in what two ISOs differ |
//! | [`witness`] | the machine before and after |
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test that cannot go on stops with a message"
)]

pub mod archive;
pub mod bus;
pub mod differ;
pub mod kit;
pub mod made;
pub mod menus;
pub mod run;
pub mod server;
pub mod small;
pub mod witness;

pub use archive::{Archive, Dates, Signing};
pub use differ::same_iso;
pub use kit::Kit;
pub use run::{Ended, Isosmith};
pub use server::{Fault, Server};
pub use small::Small;
pub use witness::Witness;
