//! The program against a server of the tests, on a terminal and without one.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on stops with a message"
)]

mod agreement;
mod answers;
mod lab;
mod refusals;
mod server;
