//! Builds that were.

use std::path::PathBuf;

use isosmith_studio::model::{BuildDetail, BuildRow, Comparison};

use super::{Held, apart};
use crate::fault::Answer;

/// All builds, newest first.
#[tauri::command]
pub async fn builds(held: Held<'_>) -> Answer<Vec<BuildRow>> {
    apart(held, |controller| controller.builds()).await
}

/// All about one.
#[tauri::command]
pub async fn build(held: Held<'_>, id: String) -> Answer<BuildDetail> {
    apart(held, move |controller| controller.build(&id)).await
}

/// Forgets one and removes its files.
#[tauri::command]
pub async fn delete_build(held: Held<'_>, id: String) -> Answer<()> {
    apart(held, move |controller| controller.delete_build(&id)).await
}

/// In what two differ.
#[tauri::command]
pub async fn compare(held: Held<'_>, a: String, b: String) -> Answer<Comparison> {
    apart(held, move |controller| controller.compare(&a, &b)).await
}

/// Whether a file has a checksum.
#[tauri::command]
pub async fn check_download(
    held: Held<'_>,
    path: PathBuf,
    algorithm: String,
    sum: String,
) -> Answer<bool> {
    apart(held, move |controller| {
        controller.check_download(&path, &algorithm, &sum)
    })
    .await
}
