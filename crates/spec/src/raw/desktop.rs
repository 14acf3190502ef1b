//! Fields of `[desktop]` and `[installer]`.

use super::{Field, Kind};
use crate::model::{
    DesktopSize, DisplayManager, Encryption, Environment, Filesystem, InstallerPage, Luks,
    SessionKind, Swap,
};
use crate::names::{DesktopFileId, PackageName, Uri};

/// What stands for "no desktop", and the desktops.
pub(crate) const ENVIRONMENTS: [&str; Environment::WORDS.len() + 1] = {
    let mut words = ["none"; Environment::WORDS.len() + 1];
    let mut index = 0;
    while index < Environment::WORDS.len() {
        words[index + 1] = Environment::WORDS[index];
        index += 1;
    }
    words
};

pub(super) static DESKTOP: &[Field] = &[
    Field::new(
        "environment",
        Kind::Word(&ENVIRONMENTS),
        "Which desktop; `none` for a system with consoles only, `kiosk` for one browser over the whole screen.",
        &["\"kde\"", "\"xfce\""],
    ),
    Field::new(
        "size",
        Kind::Word(DesktopSize::WORDS),
        "How much of the desktop: its shell with terminal and file manager, the usual programs, or office, mail and media programs too.",
        &["\"minimal\"", "\"full\""],
    ),
    Field::new(
        "display_manager",
        Kind::Word(DisplayManager::WORDS),
        "Who shows the login screen. The default is the desktop's own: sddm for kde and lxqt, gdm for gnome, lightdm for xfce, cinnamon and mate, none for a kiosk.",
        &["\"lightdm\""],
    ),
    Field::new(
        "session",
        Kind::Word(SessionKind::WORDS),
        "Which protocol the session speaks that people get by default: wayland for kde, gnome and kiosk, else x11.",
        &["\"x11\""],
    ),
    Field::new(
        "kiosk_page",
        Kind::name(Uri::PATTERN),
        "The page that a kiosk shows; `file://` names a file in the image.",
        &["\"https://example.org\"", "\"file:///srv/page/index.html\""],
    ),
    Field::new(
        "applications",
        Kind::Table(APPLICATIONS),
        "What opens what. Without a line, the desktop decides.",
        &[],
    ),
];

const APPLICATION: Kind = Kind::name(DesktopFileId::PATTERN);

static APPLICATIONS: &[Field] = &[
    Field::new(
        "browser",
        APPLICATION,
        "Opens web pages.",
        &["\"firefox-esr.desktop\""],
    ),
    Field::new(
        "mail",
        APPLICATION,
        "Writes mail.",
        &["\"thunderbird.desktop\""],
    ),
    Field::new(
        "files",
        APPLICATION,
        "Shows folders.",
        &["\"org.kde.dolphin.desktop\""],
    ),
    Field::new(
        "editor",
        APPLICATION,
        "Opens plain text.",
        &["\"org.kde.kate.desktop\""],
    ),
    Field::new(
        "player",
        APPLICATION,
        "Plays sound and video.",
        &["\"vlc.desktop\""],
    ),
    Field::new(
        "pictures",
        APPLICATION,
        "Shows pictures.",
        &["\"org.kde.gwenview.desktop\""],
    ),
];

pub(super) static INSTALLER: &[Field] = &[
    Field::new(
        "calamares",
        Kind::Switch,
        "Whether the graphical installer Calamares is on the medium.",
        &["true"],
    ),
    Field::new(
        "debian",
        Kind::Switch,
        "Whether Debian's own installer in text mode is on the medium, as a line of the boot menu; it copies the system on the medium and needs no network. For bookworm and trixie.",
        &["true"],
    ),
    Field::new(
        "only",
        Kind::Switch,
        "Whether the medium installs and does nothing else; needs `calamares`.",
        &["true"],
    ),
    Field::new(
        "pages",
        Kind::List {
            item: &Kind::Word(InstallerPage::WORDS),
            adds: false,
        },
        "Pages of Calamares that are shown, always in its own order; `partition`, `users` and `summary` cannot be left out.",
        &["[\"welcome\", \"partition\", \"users\", \"summary\"]"],
    ),
    Field::new(
        "filesystem",
        Kind::Word(Filesystem::WORDS),
        "Proposed for the root partition.",
        &["\"btrfs\""],
    ),
    Field::new(
        "swap",
        Kind::Word(Swap::WORDS),
        "Proposed: none, a small partition, one as large as the memory, or a file, which Debian's installer cannot make.",
        &["\"file\""],
    ),
    Field::new(
        "encryption",
        Kind::Word(Encryption::WORDS),
        "Whether encrypting the disk is offered, chosen beforehand (not with Calamares of bookworm), or not shown.",
        &["\"preselected\""],
    ),
    Field::new(
        "luks",
        Kind::Word(Luks::WORDS),
        "Format of encrypted disks: LUKS1 with Calamares of bookworm, where that is the default; LUKS2 with Debian's installer.",
        &["\"luks1\""],
    ),
    Field::new(
        "remove",
        Kind::List {
            item: &Kind::name(PackageName::PATTERN),
            adds: false,
        },
        "Packages that the installed system does not keep, beside those that only a live system needs.",
        &["[\"gparted\"]"],
    ),
];
