//! Drawn surfaces.

use isosmith_studio::model::{Preview, Surface};
use tauri::ipc::Response;

use super::{Held, apart};
use crate::fault::{self, Answer};

/// Draws a surface of a draft.
#[tauri::command]
pub async fn preview(
    held: Held<'_>,
    id: String,
    surface: Surface,
    moment: u16,
    width: u32,
    height: u32,
) -> Answer<Response> {
    apart(held, move |controller| {
        framed(controller.preview(&id, surface, moment, (width, height))?)
    })
    .await
}

/// Pictures are large and come at every keystroke, so they are not written as JSON: four bytes
/// with the length of the warnings (little endian), the warnings as JSON, the PNG.
fn framed(preview: Preview) -> Answer<Response> {
    Ok(Response::new(frame(preview)?))
}

fn frame(preview: Preview) -> Answer<Vec<u8>> {
    let warnings = serde_json::to_vec(&preview.warnings).map_err(fault::internal)?;
    let length = u32::try_from(warnings.len()).map_err(fault::internal)?;
    Ok([&length.to_le_bytes()[..], &warnings, &preview.png].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_follows_its_warnings() {
        let preview = Preview {
            png: vec![1, 2, 3],
            warnings: Vec::new(),
        };
        assert_eq!(frame(preview), Ok(b"\x02\0\0\0[]\x01\x02\x03".to_vec()));
    }
}
