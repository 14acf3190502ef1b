//! What showing a brand needs beside the desktop itself.

use isosmith_spec::model::{BuildSpec, DisplayManager, Environment};

use super::need::{Need, needs};

/// The boot splash, words in it, and a font for them. The initramfs hook of plymouth leaves the
/// splash out without a word when the plugin for words is missing.
const SPLASH: &[&str] = &[
    "plymouth",
    "plymouth-label",
    "fontconfig",
    "fonts-dejavu-core",
];

/// Icons, and pictures that are drawings, in programs that use GTK.
const GTK: &[&str] = &[
    "adwaita-icon-theme",
    "librsvg2-common",
    "gtk-update-icon-cache",
];

/// Whether the system shows a picture while it starts: where a picture is what comes after it.
pub fn has_splash(spec: &BuildSpec) -> bool {
    spec.desktop.environment.is_some() || spec.installer.calamares
}

/// Packages for the brand's surfaces.
pub(super) fn packages(spec: &BuildSpec) -> Vec<Need> {
    let splash = if spec.desktop.environment.is_some() {
        needs("desktop.environment", SPLASH)
    } else if spec.installer.calamares {
        needs("installer.calamares", SPLASH)
    } else {
        Vec::new()
    };
    let greeter = match spec.desktop.display_manager {
        DisplayManager::Lightdm => GTK,
        DisplayManager::Sddm | DisplayManager::Gdm | DisplayManager::None => &[],
    };
    let desktop = match spec.desktop.environment {
        Some(
            Environment::Xfce | Environment::Gnome | Environment::Cinnamon | Environment::Mate,
        ) => GTK,
        Some(Environment::Kde | Environment::Lxqt | Environment::Kiosk) | None => &[],
    };
    let greeter = needs("desktop.display_manager", greeter);
    let desktop = needs("desktop.environment", desktop);
    [splash, greeter, desktop].concat()
}
