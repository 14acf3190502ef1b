//! What is done on the desktop around the window.

use std::path::PathBuf;

use isosmith_studio::model::Firmware;
use tauri::AppHandle;

use super::{Held, apart};
use crate::{fault::Answer, window};

/// Starts an ISO in a virtual machine.
#[tauri::command]
pub async fn try_it(held: Held<'_>, path: PathBuf, firmware: Firmware) -> Answer<()> {
    apart(held, move |controller| controller.try_iso(&path, firmware)).await
}

/// Shows a file in its folder, or a folder.
#[tauri::command]
pub async fn show_in_folder(held: Held<'_>, path: PathBuf) -> Answer<()> {
    apart(held, move |controller| controller.show(&path)).await
}

/// Ends the window; builds go on.
#[tauri::command]
pub async fn close_window(app: AppHandle) {
    window::close(&app);
}

/// The person stays; closing asks again.
#[tauri::command]
pub async fn keep_open(held: Held<'_>) -> Answer<()> {
    apart(held, |controller| {
        controller.stays();
        Ok(())
    })
    .await
}
