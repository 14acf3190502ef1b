//! What packages are called, or which take their place, in suites other than Debian 13.

use isosmith_spec::model::Suite;

/// The name in `suite` of what Debian 13 calls `name`; `None` where there is no such thing and
/// nothing is missing without it.
pub(super) fn named(name: &'static str, suite: Suite) -> Option<&'static str> {
    match suite {
        Suite::Bookworm => in_bookworm(name),
        Suite::Trixie => in_trixie(name),
        Suite::Forky | Suite::Sid => in_forky(name),
    }
}

fn in_bookworm(name: &'static str) -> Option<&'static str> {
    Some(match name {
        "gnome-session-xsession" => return None,
        "gnome-snapshot" => "cheese",
        "libreoffice-kf6" => "libreoffice-kf5",
        "libreoffice-qt6" => "libreoffice-qt5",
        "loupe" => "eog",
        "network-manager-applet" => "network-manager-gnome",
        "papers" => "evince",
        "showtime" => "totem",
        "xdg-desktop-portal-lxqt" | "xdg-desktop-portal-xapp" => "xdg-desktop-portal-gtk",
        "xfce4-screensaver" => "light-locker",
        other => other,
    })
}

fn in_trixie(name: &'static str) -> Option<&'static str> {
    // Since Plasma 6 it is plasma-workspace itself that has the session.
    (name != "plasma-workspace-wayland").then_some(name)
}

fn in_forky(name: &'static str) -> Option<&'static str> {
    Some(match name {
        // The first two are gone; the third conflicts with the GNOME Shell of these suites.
        "apparmor-profiles-extra" | "gnome-session-xsession" | "gnome-shell-extension-prefs" => {
            return None;
        }
        // The desktop's own font since GNOME 48.
        "fonts-cantarell" => "fonts-adwaita",
        other => return in_trixie(other),
    })
}
