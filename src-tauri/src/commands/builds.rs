//! Builds at work.

use std::{path::PathBuf, sync::Arc};

use isosmith_protocol::{BuildId, Choice, Event};
use tauri::ipc::Channel;

use super::{Held, apart};
use crate::fault::Answer;

/// Starts a build of a draft into a folder; its id.
#[tauri::command]
pub async fn start_build(held: Held<'_>, id: String, output: PathBuf) -> Answer<BuildId> {
    apart(held, move |controller| controller.start_build(&id, &output)).await
}

/// Sends a build's events from the number `from` on: arrays of events, then `null`.
#[tauri::command]
pub async fn attach(
    held: Held<'_>,
    build: BuildId,
    from: u64,
    channel: Channel<Option<Vec<Event>>>,
) -> Answer<()> {
    apart(held, move |controller| {
        Arc::clone(controller).attach(&build, from, move |batch| channel.send(batch).is_ok())
    })
    .await
}

/// Stops a build.
#[tauri::command]
pub async fn cancel_build(held: Held<'_>, build: BuildId) -> Answer<()> {
    apart(held, move |controller| controller.cancel_build(&build)).await
}

/// Settles a question of a build.
#[tauri::command]
pub async fn answer(held: Held<'_>, build: BuildId, question: u32, choice: Choice) -> Answer<()> {
    apart(held, move |controller| {
        controller.answer(&build, question, choice)
    })
    .await
}

/// Goes on with a stopped build.
#[tauri::command]
pub async fn resume_build(held: Held<'_>, build: BuildId) -> Answer<()> {
    apart(held, move |controller| controller.resume_build(&build)).await
}
