//! The first page.

use isosmith_studio::model::StartPage;
use tauri::ipc::Response;

use super::{Held, apart};
use crate::fault::Answer;

/// What the first page shows.
#[tauri::command]
pub async fn start_page(held: Held<'_>) -> Answer<StartPage> {
    apart(held, |controller| controller.start_page()).await
}

/// A picture by the id that a card or a row has for it: the bytes of a PNG.
#[tauri::command]
pub async fn picture(held: Held<'_>, id: String) -> Answer<Response> {
    apart(held, move |controller| {
        controller.picture(&id).map(Response::new)
    })
    .await
}

/// From now on the page hears events; the file that the window was started with comes first.
#[tauri::command]
pub async fn page_listens(held: Held<'_>) -> Answer<()> {
    apart(held, |controller| {
        controller.page_listens();
        Ok(())
    })
    .await
}
