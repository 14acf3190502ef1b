//! A brand drawn for each surface: pictures, themes and texts.
//!
//! The window shows these pictures as a preview and the recipe installs the very same
//! files, so a preview cannot drift from the product. Everything here is pure: bytes in,
//! bytes out, the same for the same brand. No files, processes or clocks.
//!
//! | Surface | Files | Preview |
//! |---|---|---|
//! | GRUB | [`grub::GrubTheme::files`] | [`grub::GrubTheme::preview`] |
//! | ISOLINUX | [`isolinux::IsolinuxTheme::files`] | [`isolinux::IsolinuxTheme::preview`] |
//! | Plymouth | [`splash::Splash::files`] | [`splash::Splash::preview`] |
//! | SDDM, GDM, LightDM | [`login::files`] | [`login::login_preview`] |
//! | the desktop | [`desktop::files`] | [`desktop::desktop_preview`] |
//! | Calamares | [`calamares::branding`] | [`calamares::installer_preview`] |
//! | os-release, issue, motd, disk label | [`texts`] | the text itself |
//!
//! [`warnings::warnings`] names what a surface cannot show, [`compare::ssim`] tells how
//! like a screendump is to a preview.

pub mod brand;
pub mod calamares;
pub mod colour;
pub mod compare;
pub mod desktop;
pub mod grub;
pub mod isolinux;
pub mod login;
pub mod menu;
pub mod picture;
pub mod splash;
pub mod texts;
pub mod warnings;

mod backdrop;
mod box_art;
mod canvas;
mod cp437;
mod emblem;
mod escape;
mod lockup;
mod paint;
mod palette;
mod pf2;
mod png;
mod svg;
mod svg_cost;
mod typeset;

pub use brand::{Brand, Urls};
pub use colour::Rgb;
pub use compare::{CompareError, read_screendump, ssim};
pub use grub::{GrubTheme, grub_menu_preview, grub_theme};
pub use isolinux::{IsolinuxTheme, isolinux_menu_preview, isolinux_theme};
pub use menu::{Countdown, Menu};
pub use paint::Rect;
pub use picture::{Limits, Picture, PictureError};
pub use png::quick_png;
pub use texts::{DebianFacts, disk_info, issue, issue_net, motd, os_release};
pub use warnings::{Surface, Warning, WarningCode, warnings};

/// A picture in memory: 8-bit red, green, blue and straight (not premultiplied) alpha.
pub type Image = image::RgbaImage;

/// A file that a brand brings into the tree, where nothing else is read or known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeFile {
    /// Absolute path in the tree.
    pub path: String,
    /// The whole content.
    pub bytes: Vec<u8>,
}

impl TreeFile {
    pub(crate) fn new(path: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            path: path.into(),
            bytes: bytes.into(),
        }
    }
}

/// One file of a theme, to be written below the theme's own folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThemeFile {
    /// Name inside the theme's folder; no directories.
    pub path: &'static str,
    /// The whole content.
    pub bytes: Vec<u8>,
}
