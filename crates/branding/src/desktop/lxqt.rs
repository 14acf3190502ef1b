//! LXQt: its file manager draws the wallpaper, its panel has the menu.

use super::{Tone, icons, wallpaper_path};
use crate::{Brand, TreeFile, escape::kconfig};

/// Height of the panel at the bottom, in pixels.
pub(super) const PANEL: u32 = 36;

pub(super) fn files(brand: &Brand) -> Vec<TreeFile> {
    let picture = kconfig(&wallpaper_path(brand, Tone::of(brand)));
    let logo = kconfig(&icons::scalable(brand));
    let icons = match Tone::of(brand) {
        Tone::Light => "breeze",
        Tone::Dark => "breeze-dark",
    };
    let theme = match Tone::of(brand) {
        Tone::Light => "light",
        Tone::Dark => "dark",
    };
    let accent = brand.accent;
    vec![
        TreeFile::new(
            "/etc/xdg/pcmanfm-qt/lxqt/settings.conf",
            format!(
                "[Desktop]\nDesktopShortcuts=Home, Trash, Computer, Network\nWallpaper={picture}\nWallpaperMode=zoom\nWallpaperRandomize=false\nBgColor={}\n\n[System]\nFallbackIconThemeName={icons}\nTerminal=qterminal\n",
                brand.background
            ),
        ),
        TreeFile::new(
            "/etc/xdg/lxqt/lxqt.conf",
            format!(
                "[General]\ntheme={theme}\nicon_theme={icons}\n\n[Palette]\nhighlight_color={accent}\n\n[Qt]\nstyle=Fusion\n"
            ),
        ),
        // Without a word, and with more than one of them installed, the first login asks.
        TreeFile::new(
            "/etc/xdg/lxqt/session.conf",
            "[General]\nwindow_manager=xfwm4\n",
        ),
        TreeFile::new(
            "/etc/xdg/lxqt/panel.conf",
            format!(
                "[General]\niconTheme={icons}\n\n[panel1]\nplugins=mainmenu, taskbar, kbindicator, tray, statusnotifier, mount, volume, worldclock, showdesktop\nposition=Bottom\npanelSize={PANEL}\niconSize=22\n\n[mainmenu]\nalignment=Left\ntype=mainmenu\nownIcon=true\nicon={logo}\n\n[taskbar]\ntype=taskbar\nbuttonWidth=200\n\n[kbindicator]\nalignment=Right\ntype=kbindicator\n\n[tray]\nalignment=Right\ntype=tray\n\n[statusnotifier]\nalignment=Right\ntype=statusnotifier\n\n[mount]\nalignment=Right\ntype=mount\n\n[volume]\nalignment=Right\ntype=volume\n\n[worldclock]\nalignment=Right\ntype=worldclock\n\n[showdesktop]\nalignment=Right\ntype=showdesktop\n"
            ),
        ),
    ]
}
