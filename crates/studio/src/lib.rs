//! What the window knows that needs neither a window nor rights.
//!
//! | | |
//! |---|---|
//! | [`model`] | the words that the page and the window's Rust side share |
//! | [`Drafts`] | profiles at work: fields, texts, problems, what is not saved yet |
//! | [`plan()`] | what a build will do, in plain words and as a command line |
//! | [`Renderer`] | previews, drawn in a process of their own |
//! | [`Pictures`] | the real picture of each profile and each build |
//! | [`History`] | builds that have been, in SQLite |
//! | [`Settings`](model::Settings), [`Recent`], [`Places`] | what a person chose, and where it lies |
//! | [`hash_password`] | what is kept of a password |
//! | [`check_download`] | whether a file is the one that was made |
//!
//! Everything here is synchronous. Every failure is an [`Error`], which serialises as the
//! protocol's `ErrorView`.

pub mod model;
pub mod renderer;

mod disk;
mod download;
mod draft;
mod error;
mod history;
mod password;
mod pictures;
mod places;
mod plan;
mod recent;
mod scene;
mod settings;
mod tree;
#[cfg(feature = "ts")]
pub mod typescript;

pub use download::check_download;
pub use draft::{Checked, Drafts};
pub use error::{Error, Result};
pub use history::{Begun, History};
pub use password::hash_password;
pub use pictures::{Pictures, scene};
pub use places::Places;
pub use plan::plan;
pub use recent::Recent;
pub use renderer::Renderer;
pub use scene::{Scene, SceneSlide};
