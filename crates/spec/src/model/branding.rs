//! How the product is called and looks.

use crate::names::{Codename, MaterialPath, OsId, Uri};

/// sRGB colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour {
    /// Red, 0 to 255.
    pub r: u8,
    /// Green, 0 to 255.
    pub g: u8,
    /// Blue, 0 to 255.
    pub b: u8,
}

/// Names, colours and pictures of the product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branding {
    /// Full name: os-release `NAME`, boot menus. One line, no control characters.
    pub name: String,
    /// Short name, for narrow places; at most 32 characters.
    pub short_name: String,
    /// os-release `ID`: a-z, 0-9, `.`, `_`, `-`.
    pub id: OsId,
    /// Version such as `1.0`; may be empty (a rolling product).
    pub version: String,
    /// Codename; may be empty.
    pub codename: Codename,
    /// Who makes it; may be empty.
    pub vendor: String,
    /// Web addresses for os-release.
    pub urls: Urls,
    /// Logo, SVG or PNG.
    pub logo: Option<MaterialPath>,
    /// Wallpaper behind boot menus, login and desktop; SVG, PNG, JPEG or WebP.
    pub wallpaper: Option<MaterialPath>,
    /// Wallpaper of desktops in dark colours; `None` takes [`Self::wallpaper`].
    pub wallpaper_dark: Option<MaterialPath>,
    /// Highlights and selections.
    pub accent: Colour,
    /// Background where there is no wallpaper.
    pub background: Colour,
    /// Text on the background.
    pub text: Colour,
    /// Text shown after login on a console; may have several lines. `None` makes one from the name.
    pub motd: Option<String>,
    /// Shown one after the other while the installer copies files; at most five.
    pub slides: Vec<Slide>,
}

/// One picture with words that the installer shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slide {
    /// Heading; one line.
    pub title: String,
    /// What it says; may have several lines. Any visible character, so whoever writes it
    /// into another format quotes it.
    pub text: String,
    /// SVG, PNG, JPEG or WebP.
    pub picture: Option<MaterialPath>,
}

/// os-release addresses; all optional.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Urls {
    /// `HOME_URL`.
    pub home: Option<Uri>,
    /// `SUPPORT_URL`.
    pub support: Option<Uri>,
    /// `BUG_REPORT_URL`.
    pub bugs: Option<Uri>,
    /// `DOCUMENTATION_URL`.
    pub documentation: Option<Uri>,
}
