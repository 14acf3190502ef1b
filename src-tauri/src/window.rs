//! The one window, and what happens to it.

use std::sync::Arc;

use serde_json::json;
use tauri::{
    AppHandle, DragDropEvent, Emitter, Manager, Url, WebviewUrl, WebviewWindowBuilder, Window,
    WindowEvent,
};

use crate::controller::{Controller, Say};

const LABEL: &str = "main";

/// Opens it.
///
/// # Errors
///
/// When there is no desktop.
pub fn open(app: &AppHandle) -> tauri::Result<()> {
    WebviewWindowBuilder::new(app, LABEL, WebviewUrl::default())
        .title("Isosmith")
        .inner_size(1280.0, 800.0)
        .min_inner_size(1024.0, 700.0)
        // Also when minimised, the taskbar says how far a build is.
        .on_document_title_changed(|window, title| {
            let _ = window.set_title(&title);
        })
        .on_navigation(is_ours)
        .build()?;
    Ok(())
}

/// Whether an address is the page that is part of this program: nothing else is ever shown.
fn is_ours(address: &Url) -> bool {
    address.scheme() == "tauri" && address.host_str() == Some("localhost")
}

/// Brings it to the front.
pub fn to_front(app: &AppHandle) {
    if let Some(window) = app.get_webview_window(LABEL) {
        let _ = window.unminimize();
        let _ = window.set_focus();
    }
}

/// Ends it, whatever runs.
pub fn close(app: &AppHandle) {
    app.exit(0);
}

/// What the desktop does to it.
pub fn happened(window: &Window, event: &WindowEvent) {
    let controller = window.state::<Arc<Controller>>();
    if let WindowEvent::Focused(focused) = event {
        controller.focused(*focused);
    }
    if let WindowEvent::CloseRequested { api, .. } = event
        && controller.asks_before_closing()
    {
        api.prevent_close();
    }
    if let WindowEvent::DragDrop(DragDropEvent::Drop { paths, .. }) = event {
        controller.dropped(paths);
    }
}

/// The page, as it is told things.
#[derive(Debug, Clone)]
pub struct Page(AppHandle);

impl Page {
    /// That of `app`.
    pub fn new(app: &AppHandle) -> Self {
        Self(app.clone())
    }

    fn tell(&self, event: &str, payload: serde_json::Value) {
        if let Err(error) = self.0.emit_to(LABEL, event, payload) {
            tracing::warn!(%error, event, "the page is not told");
        }
    }
}

impl Say for Page {
    fn closing(&self) {
        self.tell("closing", json!(null));
    }

    fn dropped(&self, paths: &[String]) {
        self.tell("dropped", json!({ "paths": paths }));
    }

    fn open(&self, path: &str) {
        self.tell("open", json!({ "path": path }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_page_is_shown() {
        for (address, want) in [
            ("tauri://localhost", true),
            ("tauri://localhost/index.html", true),
            ("https://example.org/", false),
            ("http://localhost:5173/", false),
            ("file:///etc/passwd", false),
            ("tauri://example.org/", false),
        ] {
            let address = Url::parse(address).expect("an address");
            assert_eq!(is_ours(&address), want, "{address}");
        }
    }
}
