//! What opens what: `/etc/xdg/mimeapps.list` (freedesktop.org, "Association between MIME types
//! and applications").

use isosmith_spec::model::Applications;
use isosmith_spec::names::DesktopFileId;

use crate::tree_file::TreeFile;

const BROWSER: &[&str] = &[
    "application/xhtml+xml",
    "text/html",
    "x-scheme-handler/about",
    "x-scheme-handler/http",
    "x-scheme-handler/https",
    "x-scheme-handler/unknown",
];

const MAIL: &[&str] = &["message/rfc822", "x-scheme-handler/mailto"];

const FILES: &[&str] = &["inode/directory"];

const EDITOR: &[&str] = &["text/plain"];

const PLAYER: &[&str] = &[
    "audio/flac",
    "audio/mp4",
    "audio/mpeg",
    "audio/ogg",
    "audio/x-vorbis+ogg",
    "audio/x-wav",
    "video/mp4",
    "video/mpeg",
    "video/ogg",
    "video/quicktime",
    "video/webm",
    "video/x-matroska",
    "video/x-msvideo",
];

const PICTURES: &[&str] = &[
    "image/avif",
    "image/bmp",
    "image/gif",
    "image/jpeg",
    "image/png",
    "image/svg+xml",
    "image/tiff",
    "image/webp",
];

/// Each application that is named: its field, itself, and what it opens.
pub(crate) fn named(
    chosen: &Applications,
) -> impl Iterator<Item = (&'static str, &DesktopFileId, &'static [&'static str])> {
    [
        ("browser", &chosen.browser, BROWSER),
        ("mail", &chosen.mail, MAIL),
        ("files", &chosen.files, FILES),
        ("editor", &chosen.editor, EDITOR),
        ("player", &chosen.player, PLAYER),
        ("pictures", &chosen.pictures, PICTURES),
    ]
    .into_iter()
    .filter_map(|(field, id, types)| Some((field, id.as_ref()?, types)))
}

/// The list; `None` where nothing is named.
pub(super) fn list(chosen: &Applications) -> Option<TreeFile> {
    let mut text = String::from("[Default Applications]\n");
    for (_, id, types) in named(chosen) {
        for mime in types {
            text.push_str(&format!("{mime}={id}\n"));
        }
    }
    named(chosen).next()?;
    Some(TreeFile::new("/etc/xdg/mimeapps.list", text))
}
