//! What the page can call: the names of `ui/src/lib/backend/tauri.ts`, one file per subject.
//!
//! Each command hands over to the [`Controller`] on a thread that may wait.

pub mod builds;
pub mod desktop;
pub mod drafts;
pub mod history;
pub mod packages;
pub mod preview;
pub mod settings;
pub mod start;

use std::sync::Arc;

use tauri::{State, async_runtime::spawn_blocking};

use crate::{
    controller::Controller,
    fault::{self, Answer},
};

/// What every command works with.
pub type Held<'a> = State<'a, Arc<Controller>>;

/// Does `work` on a thread that may wait for disks, the bus or a person.
async fn apart<T: Send + 'static>(
    held: Held<'_>,
    work: impl FnOnce(&Arc<Controller>) -> Answer<T> + Send + 'static,
) -> Answer<T> {
    let controller = Arc::clone(&held);
    spawn_blocking(move || work(&controller))
        .await
        .unwrap_or_else(|error| Err(fault::internal(error)))
}
