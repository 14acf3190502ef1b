//! The desktop: wallpaper, colours, icons and the panel's logo, for each environment.
//!
//! Defaults lie where each environment looks for a distribution's own: XDG configuration,
//! overrides of GSettings' schemas, a Plasma look-and-feel. What a person changes is kept beside
//! them in the home folder and wins.

pub mod icons;
pub mod wallpaper;

pub(crate) mod gnome;
mod gtk;
mod kde;
mod lxqt;
mod preview;
mod xfce;

use isosmith_spec::model::Environment;

use crate::{Brand, Image, Rect, Rgb, TreeFile, calamares};

pub use kde::LOOK_AND_FEEL;

/// Whether windows and panels are light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tone {
    /// Dark text on light windows.
    Light,
    /// Light text on dark windows.
    Dark,
}

impl Tone {
    /// What a brand's desktop starts with: dark where its background is.
    pub fn of(brand: &Brand) -> Self {
        match brand.background.is_dark() {
            true => Self::Dark,
            false => Self::Light,
        }
    }

    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::Light => Self::Dark,
            Self::Dark => Self::Light,
        }
    }

    /// Ground and text of windows.
    pub(crate) fn window(self) -> (Rgb, Rgb) {
        match self {
            Self::Light => (Rgb::new(0xf6, 0xf6, 0xf7), Rgb::new(0x23, 0x26, 0x29)),
            Self::Dark => (Rgb::new(0x24, 0x27, 0x2b), Rgb::new(0xf2, 0xf3, 0xf4)),
        }
    }

    /// Ground of lists and of text that is edited.
    pub(crate) fn view(self) -> Rgb {
        match self {
            Self::Light => Rgb::WHITE,
            Self::Dark => Rgb::new(0x1a, 0x1c, 0x1f),
        }
    }

    /// Ground of title bars and panels.
    pub(crate) fn title_bar(self) -> Rgb {
        match self {
            Self::Light => Rgb::new(0xe6, 0xe7, 0xe9),
            Self::Dark => Rgb::new(0x2e, 0x32, 0x37),
        }
    }
}

/// The product's name in names of files: `[a-z0-9_-]` only.
pub(crate) fn slug(brand: &Brand) -> String {
    calamares::component_name(brand).to_ascii_lowercase()
}

/// Files of an environment, by their paths in the tree, with those that all of them share.
pub fn files(brand: &Brand, environment: Environment) -> Vec<TreeFile> {
    let mut files = common(brand);
    files.extend(own(brand, environment));
    files
}

fn own(brand: &Brand, environment: Environment) -> Vec<TreeFile> {
    match environment {
        Environment::Kde => kde::files(brand),
        Environment::Gnome => gnome::files(brand),
        Environment::Xfce => xfce::files(brand),
        Environment::Lxqt => lxqt::files(brand),
        Environment::Cinnamon => gnome::cinnamon(brand),
        Environment::Mate => gnome::mate(brand),
        Environment::Kiosk => Vec::new(),
    }
}

/// What every screen of the product has: icons, both wallpapers, the GTK theme.
pub fn common(brand: &Brand) -> Vec<TreeFile> {
    let mut files = icons::files(brand);
    files.extend(gtk::files(brand));
    for tone in [Tone::Light, Tone::Dark] {
        files.push(TreeFile::new(
            wallpaper_path(brand, tone),
            wallpaper::file(brand, tone),
        ));
    }
    files
}

/// Where the wallpaper of a tone lies: for every desktop in the package of Plasma's, whose
/// shape is fixed.
pub fn wallpaper_path(brand: &Brand, tone: Tone) -> String {
    let folder = match tone {
        Tone::Light => "images",
        Tone::Dark => "images_dark",
    };
    let (width, height) = wallpaper::SIZE;
    let slug = slug(brand);
    format!("/usr/share/wallpapers/{slug}/contents/{folder}/{width}x{height}.jpg")
}

/// The desktop without windows, as it is after the first login.
pub fn desktop_preview(
    brand: &Brand,
    environment: Environment,
    tone: Tone,
    width: u32,
    height: u32,
) -> Image {
    preview::draw(brand, environment, tone, width, height)
}

/// Where a desktop shows what depends on the machine: panels with their times and applets.
pub fn moving_regions(environment: Environment, width: u32, height: u32) -> Vec<Rect> {
    preview::moving_regions(environment, width, height)
}

/// Where a preview shows a window for its colours, which no desktop opens by itself.
pub fn window_region(width: u32, height: u32) -> Rect {
    preview::window_region(width, height)
}

#[cfg(test)]
mod tests;
