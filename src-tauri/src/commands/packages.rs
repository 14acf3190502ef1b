//! Packages, and what they cost.

use isosmith_studio::model::{PackageCost, PackageHits, Totals};

use super::{Held, apart};
use crate::fault::Answer;

/// What a draft costs.
#[tauri::command]
pub async fn totals(held: Held<'_>, id: String) -> Answer<Totals> {
    apart(held, move |controller| controller.totals(&id)).await
}

/// Searches the archive of a draft.
#[tauri::command]
pub async fn search_packages(
    held: Held<'_>,
    id: String,
    query: String,
    limit: usize,
) -> Answer<PackageHits> {
    apart(held, move |controller| {
        controller.search(&id, &query, limit)
    })
    .await
}

/// What one more package would bring along.
#[tauri::command]
pub async fn package_cost(held: Held<'_>, id: String, name: String) -> Answer<PackageCost> {
    apart(held, move |controller| controller.cost(&id, &name)).await
}
