//! The desktop: wallpaper, colours, icons and the panel's logo, for each environment.

pub mod wallpaper;

use crate::{Brand, Rgb};

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
