//! How to run any recipe: plan, cache, retry, journal, resume.
//!
//! A [`Recipe`] is a table of [`StepDef`]s. [`plan()`] says what would happen, [`run()`] does it
//! and tells a [`Sink`] about it, [`history`] lists what was done, [`clean`] frees the room.
//! Nothing here knows a distribution.
//!
//! - Every path comes from [`Work`]; a step never joins one.
//! - A result is kept under the hash of everything that went into it ([`CacheKey`]) and shows
//!   up in the cache by one rename, whole or not at all.
//! - The journal is written before anybody is told, and has exactly one ending.
//!
//! **Invariant:** nothing is removed but through [`isosmith_host::fs::Confined`].

pub mod advice;
mod build;
pub mod cache;
pub mod clean;
pub mod context;
mod control;
pub mod failure;
pub mod history;
pub mod journal;
pub mod key;
pub mod plan;
pub mod report;
pub mod resume;
pub mod run;
pub mod step;
mod sync;
mod tree;
pub mod work;

pub use context::{LineUse, StepCx};
pub use failure::Failure;
pub use key::CacheKey;
pub use plan::{PlannedStep, plan};
pub use report::{Reporter, Sink};
pub use resume::{request_cancel, resume};
pub use run::{Options, run};
pub use step::{Done, Kind, Recipe, StepDef};
pub use work::Work;
