//! What a person sees after the start: the desktop, its session and its applications.

use crate::names::{DesktopFileId, Uri};

/// A desktop environment, or what stands in for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Environment {
    /// KDE Plasma.
    Kde,
    /// GNOME.
    Gnome,
    /// Xfce.
    Xfce,
    /// LXQt.
    Lxqt,
    /// Cinnamon.
    Cinnamon,
    /// MATE.
    Mate,
    /// One browser over the whole screen, nothing else.
    Kiosk,
}

/// How much of a desktop is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DesktopSize {
    /// The shell with a terminal and a file manager.
    Minimal,
    /// What its makers call the desktop, with a browser, an editor and viewers.
    Standard,
    /// With office, mail, media and graphics programs.
    Full,
}

/// Who shows the login screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DisplayManager {
    /// SDDM.
    Sddm,
    /// GDM (`gdm3`).
    Gdm,
    /// LightDM with its GTK greeter.
    Lightdm,
    /// Nobody: people log in on a console, or a kiosk's unit starts the session.
    None,
}

/// Which protocol the session that logs in by default speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SessionKind {
    /// Wayland; KDE Plasma and GNOME have such a session.
    Wayland,
    /// X11.
    X11,
}

/// The desktop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desktop {
    /// Which one; `None` for a system without.
    pub environment: Option<Environment>,
    /// How much of it.
    pub size: DesktopSize,
    /// Who shows the login screen; [`DisplayManager::None`] without a desktop.
    pub display_manager: DisplayManager,
    /// Which session is the default one.
    pub session: SessionKind,
    /// What opens what.
    pub applications: Applications,
    /// The page that a kiosk shows; `Some` exactly for [`Environment::Kiosk`].
    pub kiosk_page: Option<Uri>,
}

/// Default applications, written to `/etc/xdg/mimeapps.list` (freedesktop.org, "Association
/// between MIME types and applications"). `None` leaves it to the desktop.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applications {
    /// Opens web pages.
    pub browser: Option<DesktopFileId>,
    /// Writes mail.
    pub mail: Option<DesktopFileId>,
    /// Shows folders.
    pub files: Option<DesktopFileId>,
    /// Opens plain text.
    pub editor: Option<DesktopFileId>,
    /// Plays sound and video.
    pub player: Option<DesktopFileId>,
    /// Shows pictures.
    pub pictures: Option<DesktopFileId>,
}
