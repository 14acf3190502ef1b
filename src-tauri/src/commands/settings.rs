//! The window's own settings.

use isosmith_studio::model::Settings;

use super::{Held, apart};
use crate::fault::Answer;

/// As they are.
#[tauri::command]
pub async fn settings(held: Held<'_>) -> Answer<Settings> {
    apart(held, |controller| Ok(controller.settings())).await
}

/// As they shall be.
#[tauri::command]
pub async fn set_settings(held: Held<'_>, settings: Settings) -> Answer<()> {
    apart(held, move |controller| controller.set_settings(settings)).await
}
