//! The colours of a surface, worked out from the three that a brand has.

use image::Rgba;

use crate::{Brand, colour::Rgb, paint::rgba};

/// Least contrast of text that a person must read (WCAG 2.2, AA).
pub(crate) const READABLE: f32 = 4.5;

/// Every colour that a boot menu uses.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Palette {
    /// Names and menu entries.
    pub(crate) text: Rgb,
    /// Version, countdown, hints.
    pub(crate) muted: Rgb,
    /// Selection and progress.
    pub(crate) accent: Rgb,
    /// Text on the selection.
    pub(crate) on_accent: Rgb,
    /// Inside of the menu's panel.
    pub(crate) panel: Rgba<u8>,
    /// Hairline around the panel.
    pub(crate) panel_edge: Rgba<u8>,
    /// Unfilled part of the countdown bar.
    pub(crate) track: Rgba<u8>,
}

impl Palette {
    pub(crate) fn of(brand: &Brand) -> Self {
        let panel = match brand.wallpaper {
            Some(_) => rgba(brand.background, 158),
            None => rgba(brand.text, 13),
        };
        Self {
            text: brand.text,
            muted: muted(brand),
            accent: brand.accent,
            on_accent: readable_on(brand.accent, brand),
            panel,
            panel_edge: rgba(brand.text, 34),
            track: rgba(brand.text, 46),
        }
    }
}

/// Quieter than the text where that is still easy to read; over a wallpaper it would not be.
fn muted(brand: &Brand) -> Rgb {
    if brand.wallpaper.is_some() {
        return brand.text;
    }
    [0.32, 0.2, 0.1]
        .into_iter()
        .map(|share| brand.text.mix(brand.background, share))
        .find(|colour| colour.contrast(brand.background) >= READABLE + 1.0)
        .unwrap_or(brand.text)
}

/// The brand's own text or background colour where it reads well on `fill`, else black or
/// white, one of which always does.
fn readable_on(fill: Rgb, brand: &Brand) -> Rgb {
    let own = [brand.text, brand.background]
        .into_iter()
        .find(|colour| colour.contrast(fill) >= READABLE);
    let plain = if fill.is_dark() {
        Rgb::WHITE
    } else {
        Rgb::BLACK
    };
    own.unwrap_or(plain)
}
