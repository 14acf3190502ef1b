//! The product's mark in the icon theme that every other falls back to.

use super::slug;
use crate::{Brand, TreeFile, emblem, png};

/// Sides of the pictures, in pixels.
const SIDES: [u32; 9] = [16, 22, 24, 32, 48, 64, 128, 256, 512];

/// Name of the icon: the one in os-release(5) `LOGO`, and what panels show.
pub fn name(brand: &Brand) -> String {
    format!("distributor-logo-{}", slug(brand))
}

/// Where the picture of a side, one of the theme's, lies.
pub(crate) fn path(brand: &Brand, side: u32) -> String {
    format!(
        "/usr/share/icons/hicolor/{side}x{side}/apps/{}.png",
        name(brand)
    )
}

/// Where the drawing lies.
pub(crate) fn scalable(brand: &Brand) -> String {
    format!("/usr/share/icons/hicolor/scalable/apps/{}.svg", name(brand))
}

/// The mark at every size of the theme, as a drawing, and under the names by which Debian's
/// desktops ask for a vendor's logo.
pub(super) fn files(brand: &Brand) -> Vec<TreeFile> {
    let mut files: Vec<TreeFile> = SIDES
        .iter()
        .map(|&side| TreeFile::new(path(brand, side), png::encode(&emblem::square(brand, side))))
        .collect();
    let svg = emblem::svg(brand);
    files.push(TreeFile::new(scalable(brand), svg.clone()));
    // The folder that the alternative `vendor-logos` stands for, with the names of
    // desktop-base's own.
    let vendor = vendor_logos(brand);
    for name in ["logo.svg", "logo-text.svg", "logo-text-version.svg"] {
        files.push(TreeFile::new(format!("{vendor}/{name}"), svg.clone()));
    }
    for side in [64, 128, 256] {
        let drawn = png::encode(&emblem::square(brand, side));
        for kind in ["logo", "logo-text", "logo-text-version"] {
            files.push(TreeFile::new(
                format!("{vendor}/{kind}-{side}.png"),
                drawn.clone(),
            ));
        }
    }
    files
}

/// The folder for the alternative `vendor-logos`.
pub fn vendor_logos(brand: &Brand) -> String {
    format!("/usr/share/desktop-base/{}-logos", slug(brand))
}
