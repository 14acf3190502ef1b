//! The desktop that the window is on: portals, notifications, file manager.

use std::{
    path::{Path, PathBuf},
    thread,
};

use isosmith_protocol::Code;
use isosmith_studio::model::{Firmware, PickKind};
use notify_rust::Notification;
use rfd::FileDialog;

use super::{Desktop, Notice, launcher::Launcher};
use crate::{
    fault::{Answer, Fault},
    spawn,
};

/// Pictures that a brand can have.
const PICTURES: &[&str] = &["svg", "png", "jpg", "jpeg", "webp"];

/// The desktop that the window is on.
#[derive(Debug, Default)]
pub struct Real {
    launcher: Launcher,
}

impl Desktop for Real {
    fn pick(&self, kind: PickKind, from: Option<&Path>) -> Option<PathBuf> {
        let dialog = from
            .into_iter()
            .fold(FileDialog::new(), FileDialog::set_directory);
        match kind {
            PickKind::Logo | PickKind::Wallpaper => dialog
                .add_filter("SVG, PNG, JPEG, WebP", PICTURES)
                .pick_file(),
            PickKind::Deb => dialog.add_filter("deb", &["deb"]).pick_file(),
            PickKind::Key => dialog
                .add_filter("asc, gpg, pgp", &["asc", "gpg", "pgp", "key"])
                .pick_file(),
            PickKind::Pem => dialog
                .add_filter(
                    "pem, der, key, crt, cer",
                    &["pem", "der", "key", "crt", "cer"],
                )
                .pick_file(),
            PickKind::Script => dialog.pick_file(),
            PickKind::Overlay | PickKind::Output => dialog.pick_folder(),
            PickKind::Spec => dialog.add_filter("TOML", &["toml"]).pick_file(),
            PickKind::Iso => dialog.add_filter("ISO", &["iso"]).pick_file(),
        }
    }

    fn save(&self, name: &str) -> Option<PathBuf> {
        let chosen = FileDialog::new()
            .add_filter("TOML", &["toml"])
            .set_file_name(name)
            .save_file()?;
        // Not every desktop's dialog adds the ending of the filter.
        Some(match chosen.extension() {
            Some(_) => chosen,
            None => chosen.with_extension("toml"),
        })
    }

    fn notify(&self, notice: Notice) {
        // The thread waits until somebody has pressed a button or put the notification away.
        thread::spawn(move || {
            if let Err(error) = show_notice(&notice) {
                tracing::warn!(%error, "the desktop does not take a notification");
            }
        });
    }

    fn progress(&self, percent: Option<u8>) {
        self.launcher.show(percent);
    }

    fn show(&self, path: &Path) -> Answer<()> {
        show(path)
    }

    fn try_iso(&self, iso: &Path, firmware: Firmware) -> Answer<()> {
        try_iso(iso, firmware)
    }
}

fn show(path: &Path) -> Answer<()> {
    if !path.exists() {
        return Err(Fault::new(
            Code::Io,
            format!("{} is not there any more", path.display()),
            "Look whether somebody has moved it.",
        ));
    }
    if show_in_file_manager(path).is_ok() {
        return Ok(());
    }
    let folder = match path.is_dir() {
        true => path,
        false => path.parent().unwrap_or(path),
    };
    spawn::apart(&spawn::find("xdg-open")?, &[&folder.to_string_lossy()])
}

fn try_iso(iso: &Path, firmware: Firmware) -> Answer<()> {
    let iso = iso.to_string_lossy();
    spawn::apart(
        &spawn::find("isosmith")?,
        &["try", "--firmware", firmware.as_str(), "--", &iso],
    )
}

const OPEN: &str = "open-folder";
const TRY: &str = "try-it";

fn show_notice(notice: &Notice) -> Result<(), notify_rust::error::Error> {
    let mut shown = Notification::new();
    shown
        .appname("Isosmith")
        .icon("isosmith")
        .hint(notify_rust::Hint::DesktopEntry(
            "org.isosmith.Isosmith".into(),
        ))
        .summary(&notice.title)
        .body(&body(&notice.text));
    if notice.iso.is_some() {
        shown
            .action(OPEN, notice.buttons[0])
            .action(TRY, notice.buttons[1]);
    }
    let handle = shown.show()?;
    let Some(iso) = &notice.iso else {
        return Ok(());
    };
    handle.wait_for_action(|pressed| {
        let done = match pressed {
            OPEN => show(iso),
            TRY => try_iso(iso, Firmware::Uefi),
            _ => Ok(()),
        };
        if let Err(fault) = done {
            // There may be no window any more that could show it.
            let _ = Notification::new()
                .appname("Isosmith")
                .summary(&fault.to_string())
                .show();
        }
    });
    Ok(())
}

/// Names are shown as they are, also where the desktop takes a body for markup
/// (<https://specifications.freedesktop.org/notification-spec/latest/markup.html>).
fn body(text: &str) -> String {
    let takes_markup = notify_rust::get_capabilities()
        .is_ok_and(|able| able.iter().any(|one| one == "body-markup"));
    match takes_markup {
        true => escaped(text),
        false => text.to_owned(),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// By the desktop-independent interface of file managers
/// (<https://www.freedesktop.org/wiki/Specifications/file-manager-interface/>).
fn show_in_file_manager(path: &Path) -> zbus::Result<()> {
    let address = percent_encoded(path);
    let method = match path.is_dir() {
        true => "ShowFolders",
        false => "ShowItems",
    };
    zbus::blocking::Connection::session()?.call_method(
        Some("org.freedesktop.FileManager1"),
        "/org/freedesktop/FileManager1",
        Some("org.freedesktop.FileManager1"),
        method,
        &(vec![address], ""),
    )?;
    Ok(())
}

/// A path as a `file:` address: every byte escaped that RFC 3986 does not leave alone.
fn percent_encoded(path: &Path) -> String {
    use std::{fmt::Write, os::unix::ffi::OsStrExt};

    let mut address = "file://".to_owned();
    for &byte in path.as_os_str().as_bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
        let _ = if plain {
            address.write_char(char::from(byte))
        } else {
            write!(address, "%{byte:02X}")
        };
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_addresses() {
        for (path, want) in [
            ("/home/a/x.iso", "file:///home/a/x.iso"),
            ("/a b/ü#?%", "file:///a%20b/%C3%BC%23%3F%25"),
        ] {
            assert_eq!(percent_encoded(Path::new(path)), want);
        }
    }

    #[test]
    fn markup_in_names_is_text() {
        let text = escaped("/home/a/<b>&lt;.iso");
        assert_eq!(text, "/home/a/&lt;b&gt;&amp;lt;.iso");
    }

    #[test]
    fn what_is_gone_is_not_shown() {
        let fault = show(Path::new("/nonexistent/x.iso")).expect_err("gone");
        assert_eq!(fault.code(), Code::Io);
    }
}
