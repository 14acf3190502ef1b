//! What makes a desktop usable, without relying on Recommends.
//!
//! Names are those of Debian 13; [`super::suite`] says what another suite calls them.

use isosmith_spec::model::{Desktop, DesktopSize, DisplayManager, Environment, SessionKind};

use super::need::{Need, needs};

/// Sessions, sound, network, storage and fonts, under every desktop. Without libpam-systemd
/// nobody gets a session of logind, and without rtkit sound stutters under load.
const EVERY: &[&str] = &[
    "alsa-topology-conf",
    "alsa-ucm-conf",
    "ca-certificates",
    "dbus-user-session",
    "fonts-dejavu-core",
    "libgl1-mesa-dri",
    "libpam-systemd",
    "network-manager",
    "pipewire-audio",
    "polkitd",
    "rtkit",
    "systemd-timesyncd",
    "udisks2",
    "upower",
    "wireless-regdb",
    "wireplumber",
    "wpasupplicant",
    "xdg-desktop-portal",
    "xdg-user-dirs",
    "xdg-utils",
];

/// What people expect on top of that, whatever the desktop.
const EVERY_STANDARD: &[&str] = &[
    "bash-completion",
    "bluez",
    "exfatprogs",
    "firefox-esr",
    "fonts-liberation",
    "fonts-noto-color-emoji",
    "fonts-noto-core",
    "gstreamer1.0-libav",
    "gstreamer1.0-plugins-good",
    "libspa-0.2-bluetooth",
    "mesa-vulkan-drivers",
    "modemmanager",
    "ntfs-3g",
];

/// Office, mail, pictures, media and printing.
const EVERY_FULL: &[&str] = &[
    "avahi-daemon",
    "cups",
    "cups-client",
    "fonts-noto-cjk",
    "gimp",
    "libnss-mdns",
    "libreoffice-calc",
    "libreoffice-impress",
    "libreoffice-writer",
    "printer-driver-all",
    "thunderbird",
    "vlc",
];

/// An X server for login screens and sessions that need one.
const X11: &[&str] = &["x11-xserver-utils", "xauth", "xserver-xorg"];

/// Trash, network folders and removable media in GTK's file managers.
const GTK_FILES: &[&str] = &["gvfs", "gvfs-backends", "gvfs-fuse"];

const KDE: Sizes = Sizes {
    minimal: &[
        "breeze",
        "breeze-gtk-theme",
        "dolphin",
        "fonts-hack",
        "fonts-noto-core",
        "kde-cli-tools",
        "kde-config-gtk-style",
        "kde-config-screenlocker",
        "kinfocenter",
        "kio-extras",
        "konsole",
        "kscreen",
        "ksystemstats",
        "kwin-wayland",
        "plasma-desktop",
        "plasma-nm",
        "plasma-pa",
        "plasma-workspace",
        "polkit-kde-agent-1",
        "powerdevil",
        "systemsettings",
        "xdg-desktop-portal-kde",
    ],
    standard: &[
        "ark",
        "bluedevil",
        "dragonplayer",
        "gwenview",
        "kate",
        "kcalc",
        "kde-config-sddm",
        "kde-spectacle",
        "kdegraphics-thumbnailers",
        "kmenuedit",
        "kwalletmanager",
        "libpam-kwallet5",
        "okular",
        "plasma-browser-integration",
        "plasma-discover",
        "plasma-disks",
        "plasma-systemmonitor",
        "power-profiles-daemon",
        "xdg-desktop-portal-gtk",
    ],
    full: &[
        "elisa",
        "ffmpegthumbs",
        "filelight",
        "kdeconnect",
        "kio-fuse",
        "libreoffice-kf6",
        "libreoffice-plasma",
        "partitionmanager",
        "plasma-thunderbolt",
        "plasma-vault",
        "print-manager",
        "skanlite",
    ],
};

const GNOME: Sizes = Sizes {
    minimal: &[
        "adwaita-icon-theme",
        "fonts-cantarell",
        "gnome-backgrounds",
        "gnome-console",
        "gnome-control-center",
        "gnome-keyring",
        "gnome-session",
        "gnome-shell",
        "libglib2.0-bin",
        "libpam-gnome-keyring",
        "nautilus",
        "xdg-desktop-portal-gnome",
        "xdg-desktop-portal-gtk",
    ],
    standard: &[
        "baobab",
        "file-roller",
        "gnome-bluetooth-sendto",
        "gnome-calculator",
        "gnome-calendar",
        "gnome-characters",
        "gnome-clocks",
        "gnome-disk-utility",
        "gnome-font-viewer",
        "gnome-logs",
        "gnome-software",
        "gnome-sushi",
        "gnome-system-monitor",
        "gnome-text-editor",
        "gnome-tweaks",
        "gnome-user-docs",
        "loupe",
        "papers",
        "power-profiles-daemon",
        "seahorse",
        "showtime",
        "simple-scan",
        "yelp",
    ],
    full: &[
        "gnome-connections",
        "gnome-contacts",
        "gnome-maps",
        "gnome-shell-extension-prefs",
        "gnome-shell-extensions",
        "gnome-snapshot",
        "gnome-sound-recorder",
        "gnome-weather",
        "libreoffice-gnome",
        "libreoffice-gtk3",
        "rhythmbox",
        "shotwell",
        "system-config-printer",
    ],
};

const XFCE: Sizes = Sizes {
    minimal: &[
        "adwaita-icon-theme",
        "elementary-xfce-icon-theme",
        "greybird-gtk-theme",
        "mate-polkit",
        "network-manager-applet",
        "thunar",
        "thunar-volman",
        "tumbler",
        "xdg-desktop-portal-gtk",
        "xfce4",
        "xfce4-notifyd",
        "xfce4-power-manager",
        "xfce4-pulseaudio-plugin",
        "xfce4-screensaver",
        "xfce4-terminal",
    ],
    standard: &[
        "at-spi2-core",
        "atril",
        "blueman",
        "catfish",
        "engrampa",
        "galculator",
        "gnome-themes-extra",
        "lightdm-gtk-greeter-settings",
        "mousepad",
        "parole",
        "pavucontrol",
        "ristretto",
        "thunar-archive-plugin",
        "xdg-user-dirs-gtk",
        "xfce4-clipman-plugin",
        "xfce4-screenshooter",
        "xfce4-taskmanager",
        "xfce4-whiskermenu-plugin",
        "xfce4-xkb-plugin",
    ],
    full: &[
        "gigolo",
        "libreoffice-gtk3",
        "menulibre",
        "simple-scan",
        "synaptic",
        "system-config-printer",
        "xfce4-goodies",
    ],
};

const LXQT: Sizes = Sizes {
    minimal: &[
        "breeze-icon-theme",
        "lxqt-about",
        "lxqt-core",
        "lxqt-policykit",
        "lxqt-powermanagement",
        "lxqt-session",
        "lxqt-sudo",
        "nm-tray",
        "pavucontrol-qt",
        "pcmanfm-qt",
        "qterminal",
        "xdg-desktop-portal-lxqt",
        "xfwm4",
    ],
    standard: &[
        "blueman",
        "featherpad",
        "gnome-calculator",
        "lximage-qt",
        "lxqt-admin",
        "lxqt-archiver",
        "lxqt-openssh-askpass",
        "obconf-qt",
        "openbox",
        "qlipper",
        "qpdfview",
        "qps",
        "screengrab",
        "smplayer",
        "xdg-desktop-portal-gtk",
    ],
    full: &[
        "libreoffice-qt6",
        "qmmp",
        "simple-scan",
        "system-config-printer",
    ],
};

const CINNAMON: Sizes = Sizes {
    minimal: &[
        "adwaita-icon-theme",
        "cinnamon",
        "cinnamon-core",
        "gnome-keyring",
        "gnome-terminal",
        "gnome-themes-extra",
        "libglib2.0-bin",
        "libpam-gnome-keyring",
        "mint-y-icons",
        "nemo",
        "network-manager-applet",
        "polkitd",
        "xdg-desktop-portal-xapp",
    ],
    standard: &[
        "at-spi2-core",
        "atril",
        "baobab",
        "blueman",
        "celluloid",
        "eog",
        "file-roller",
        "gnome-calculator",
        "gnome-disk-utility",
        "gnome-screenshot",
        "gnome-software",
        "gnome-system-monitor",
        "gnome-text-editor",
        "libcanberra-pulse",
        "nemo-fileroller",
        "power-profiles-daemon",
        "xdg-desktop-portal-gtk",
        "xdg-user-dirs-gtk",
    ],
    full: &[
        "gnome-calendar",
        "libreoffice-gnome",
        "libreoffice-gtk3",
        "rhythmbox",
        "simple-scan",
        "system-config-printer",
    ],
};

const MATE: Sizes = Sizes {
    minimal: &[
        "adwaita-icon-theme",
        "caja",
        "libglib2.0-bin",
        "marco",
        "mate-desktop-environment-core",
        "mate-media",
        "mate-notification-daemon",
        "mate-polkit",
        "mate-power-manager",
        "mate-screensaver",
        "mate-terminal",
        "network-manager-applet",
        "xdg-desktop-portal-gtk",
    ],
    standard: &[
        "at-spi2-core",
        "atril",
        "blueman",
        "caja-open-terminal",
        "celluloid",
        "engrampa",
        "eom",
        "gnome-disk-utility",
        "libcanberra-pulse",
        "mate-applet-brisk-menu",
        "mate-applets",
        "mate-backgrounds",
        "mate-calc",
        "mate-indicator-applet",
        "mate-system-monitor",
        "mate-user-guide",
        "mate-utils",
        "pluma",
        "xdg-user-dirs-gtk",
    ],
    full: &[
        "libreoffice-gtk3",
        "mate-desktop-environment",
        "rhythmbox",
        "simple-scan",
        "synaptic",
        "system-config-printer",
    ],
};

/// A browser and what shows it. The size decides about sound and scripts of the world.
const KIOSK: Sizes = Sizes {
    minimal: &[
        "ca-certificates",
        "cage",
        "dbus-user-session",
        "firefox-esr",
        "fonts-dejavu-core",
        "fonts-noto-core",
        "libgl1-mesa-dri",
        "libpam-systemd",
        "network-manager",
        "systemd-timesyncd",
    ],
    standard: &[
        "alsa-topology-conf",
        "alsa-ucm-conf",
        "fonts-noto-color-emoji",
        "pipewire-audio",
        "rtkit",
        "wireless-regdb",
        "wireplumber",
        "wpasupplicant",
    ],
    full: &[
        "cups",
        "fonts-noto-cjk",
        "gstreamer1.0-libav",
        "mesa-vulkan-drivers",
        "printer-driver-all",
    ],
};

/// Packages of a desktop by size; each size has those before it.
struct Sizes {
    minimal: &'static [&'static str],
    standard: &'static [&'static str],
    full: &'static [&'static str],
}

impl Sizes {
    const fn beyond_minimal(&self, size: DesktopSize) -> [&'static [&'static str]; 2] {
        match size {
            DesktopSize::Minimal => [&[], &[]],
            DesktopSize::Standard => [self.standard, &[]],
            DesktopSize::Full => [self.standard, self.full],
        }
    }
}

const EVERY_DESKTOP: Sizes = Sizes {
    minimal: EVERY,
    standard: EVERY_STANDARD,
    full: EVERY_FULL,
};

const NOTHING: Sizes = Sizes {
    minimal: &[],
    standard: &[],
    full: &[],
};

/// Names in Debian 13 of what `desktop` cannot do without; some more than once.
pub(super) fn packages(desktop: &Desktop) -> Vec<Need> {
    let Some(environment) = desktop.environment else {
        return Vec::new();
    };
    let session = session(environment, desktop.session);
    let screen = display_manager(environment, desktop.display_manager);
    [
        needs("desktop.environment", own(environment).minimal),
        needs("desktop.environment", every(environment).minimal),
        needs("desktop.environment", file_manager(environment)),
        needs("desktop.session", &session),
        needs("desktop.display_manager", &screen),
    ]
    .concat()
}

/// Names in Debian 13 of what `desktop` has beyond that for its size; each may be left out.
pub(super) fn extras(desktop: &Desktop) -> Vec<&'static str> {
    let Some(environment) = desktop.environment else {
        return Vec::new();
    };
    let own = own(environment).beyond_minimal(desktop.size);
    let every = every(environment).beyond_minimal(desktop.size);
    own.into_iter().chain(every).flatten().copied().collect()
}

const fn own(environment: Environment) -> &'static Sizes {
    match environment {
        Environment::Kde => &KDE,
        Environment::Gnome => &GNOME,
        Environment::Xfce => &XFCE,
        Environment::Lxqt => &LXQT,
        Environment::Cinnamon => &CINNAMON,
        Environment::Mate => &MATE,
        Environment::Kiosk => &KIOSK,
    }
}

/// What `environment` shares with the others.
const fn every(environment: Environment) -> &'static Sizes {
    match environment {
        Environment::Kde
        | Environment::Gnome
        | Environment::Xfce
        | Environment::Lxqt
        | Environment::Cinnamon
        | Environment::Mate => &EVERY_DESKTOP,
        Environment::Kiosk => &NOTHING,
    }
}

const fn file_manager(environment: Environment) -> &'static [&'static str] {
    match environment {
        Environment::Gnome
        | Environment::Xfce
        | Environment::Lxqt
        | Environment::Cinnamon
        | Environment::Mate => GTK_FILES,
        Environment::Kde | Environment::Kiosk => &[],
    }
}

/// What the session itself runs on. With "safe graphics" there is a screen for X11 alone: Debian's
/// kernels have no driver without mode setting that Wayland can draw on.
fn session(environment: Environment, session: SessionKind) -> Vec<&'static str> {
    match (environment, session) {
        (Environment::Kde, SessionKind::Wayland) => {
            [&["kwin-x11", "plasma-workspace-wayland", "xwayland"], X11].concat()
        }
        (Environment::Kde, SessionKind::X11) => [&["kwin-x11"], X11].concat(),
        (Environment::Gnome, SessionKind::Wayland) => {
            [&["gnome-session-xsession", "xwayland"], X11].concat()
        }
        (Environment::Gnome, SessionKind::X11) => [&["gnome-session-xsession"], X11].concat(),
        (Environment::Kiosk, _) => Vec::new(),
        (
            Environment::Xfce | Environment::Lxqt | Environment::Cinnamon | Environment::Mate,
            SessionKind::Wayland | SessionKind::X11,
        ) => X11.to_vec(),
    }
}

/// The login screen, with what it needs to look like the desktop behind it.
fn display_manager(environment: Environment, display_manager: DisplayManager) -> Vec<&'static str> {
    match display_manager {
        // SDDM's login screen runs on X11 in Debian.
        DisplayManager::Sddm if environment == Environment::Kde => {
            [&["sddm", "sddm-theme-breeze"], X11].concat()
        }
        DisplayManager::Sddm => [&["sddm", "sddm-theme-debian-elarun"], X11].concat(),
        DisplayManager::Gdm => vec!["gdm3"],
        DisplayManager::Lightdm => [&["lightdm", "lightdm-gtk-greeter"], X11].concat(),
        DisplayManager::None => Vec::new(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Fails where a list is empty or not in order.
    pub(in super::super) fn lists_are_sorted() {
        for sizes in [
            &KDE,
            &GNOME,
            &XFCE,
            &LXQT,
            &CINNAMON,
            &MATE,
            &KIOSK,
            &EVERY_DESKTOP,
        ] {
            for list in [sizes.minimal, sizes.standard, sizes.full] {
                assert!(!list.is_empty());
                assert!(list.is_sorted(), "{list:?}");
            }
        }
    }
}
