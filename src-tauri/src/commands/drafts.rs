//! Profiles at work.

use std::path::PathBuf;

use isosmith_studio::model::{Draft, DraftSource, PickKind, Plan};
use serde_json::Value;

use super::{Held, apart};
use crate::fault::Answer;

/// Opens one.
#[tauri::command]
pub async fn open_draft(held: Held<'_>, from: DraftSource) -> Answer<Draft> {
    apart(held, move |controller| controller.open_draft(&from)).await
}

/// Sets a field; `null` goes back to the profile's value.
#[tauri::command]
pub async fn edit_draft(held: Held<'_>, id: String, path: String, value: Value) -> Answer<Draft> {
    apart(held, move |controller| {
        controller.edit_draft(&id, &path, &value)
    })
    .await
}

/// Sets the whole text.
#[tauri::command]
pub async fn edit_text(held: Held<'_>, id: String, toml: String) -> Answer<Draft> {
    apart(held, move |controller| controller.edit_text(&id, &toml)).await
}

/// Writes it, to where the person says if `path` does not; `null` if they do not say.
#[tauri::command]
pub async fn save_draft(
    held: Held<'_>,
    id: String,
    path: Option<PathBuf>,
) -> Answer<Option<Draft>> {
    apart(held, move |controller| controller.save_draft(&id, path)).await
}

/// Lets the person choose something.
#[tauri::command]
pub async fn pick(held: Held<'_>, kind: PickKind) -> Answer<Option<String>> {
    apart(held, move |controller| Ok(controller.pick(kind))).await
}

/// What a build would do.
#[tauri::command]
pub async fn plan(held: Held<'_>, id: String) -> Answer<Plan> {
    apart(held, move |controller| controller.plan(&id)).await
}

/// What the spec has in the place of a password.
#[tauri::command]
pub async fn hash_password(held: Held<'_>, password: String) -> Answer<String> {
    apart(held, move |_| isosmith_studio::hash_password(&password)).await
}
