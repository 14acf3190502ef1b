//! GNOME, Cinnamon and MATE: overrides of GSettings' schemas, which the recipe compiles.
//!
//! An override of a key that a release has not got is passed over with a warning
//! (`glib-compile-schemas`), so one file serves every suite.

use super::{Tone, icons, slug, wallpaper_path};
use crate::{
    Brand, Rgb, TreeFile,
    escape::{file_uri, gvariant},
};

/// Later than Debian's own, of which the last is `96_calamares-settings-debian`.
const FOLDER: &str = "/usr/share/glib-2.0/schemas/97_brand";

fn override_file(text: String) -> TreeFile {
    TreeFile::new(format!("{FOLDER}.gschema.override"), text)
}

/// GNOME's accent colours (`org.gnome.desktop.interface accent-color`, GNOME 47) with the
/// values of libadwaita 1.6.
const ACCENTS: [(&str, Rgb); 9] = [
    ("blue", Rgb::new(0x35, 0x84, 0xe4)),
    ("teal", Rgb::new(0x21, 0x90, 0xa4)),
    ("green", Rgb::new(0x3a, 0x94, 0x4a)),
    ("yellow", Rgb::new(0xc8, 0x88, 0x00)),
    ("orange", Rgb::new(0xed, 0x5b, 0x00)),
    ("red", Rgb::new(0xe6, 0x2d, 0x42)),
    ("pink", Rgb::new(0xd5, 0x61, 0x99)),
    ("purple", Rgb::new(0x91, 0x41, 0xac)),
    ("slate", Rgb::new(0x6f, 0x83, 0x96)),
];

/// GNOME has nine accent colours; this is the nearest.
pub(crate) fn accent(colour: Rgb) -> &'static str {
    let distance = |other: Rgb| {
        // Weighted as the eye is (a common approximation in sRGB), so that hue decides.
        let part = |a: u8, b: u8, weight: i32| weight * (i32::from(a) - i32::from(b)).pow(2);
        part(colour.r, other.r, 3) + part(colour.g, other.g, 4) + part(colour.b, other.b, 2)
    };
    ACCENTS
        .into_iter()
        .min_by_key(|&(_, other)| distance(other))
        .map_or("blue", |(name, _)| name)
}

/// What GNOME shows of the accent colour.
pub(crate) fn accent_shown(colour: Rgb) -> Rgb {
    let name = accent(colour);
    ACCENTS
        .into_iter()
        .find(|(other, _)| *other == name)
        .map_or(colour, |(_, shown)| shown)
}

pub(super) fn files(brand: &Brand) -> Vec<TreeFile> {
    let uri = |tone| gvariant(&file_uri(&wallpaper_path(brand, tone)));
    let (light, dark) = (uri(Tone::Light), uri(Tone::Dark));
    let ground = gvariant(&brand.background.to_string());
    let scheme = match Tone::of(brand) {
        Tone::Light => "'default'",
        Tone::Dark => "'prefer-dark'",
    };
    let lock = uri(Tone::of(brand));
    let accent = accent(brand.accent);
    vec![
        override_file(format!(
            "[org.gnome.desktop.background]\npicture-uri={light}\npicture-uri-dark={dark}\npicture-options='zoom'\nprimary-color={ground}\n\n\
             [org.gnome.desktop.screensaver]\npicture-uri={lock}\npicture-options='zoom'\nprimary-color={ground}\n\n\
             [org.gnome.desktop.interface]\naccent-color='{accent}'\ncolor-scheme={scheme}\n"
        )),
        backgrounds(brand),
    ]
}

/// The wallpaper in the list from which people choose one.
fn backgrounds(brand: &Brand) -> TreeFile {
    use crate::escape::xml;

    let path = |tone| xml(&wallpaper_path(brand, tone));
    TreeFile::new(
        format!("/usr/share/gnome-background-properties/{}.xml", slug(brand)),
        format!(
            "<?xml version=\"1.0\"?>\n<!DOCTYPE wallpapers SYSTEM \"gnome-wp-list.dtd\">\n<wallpapers>\n  <wallpaper deleted=\"false\">\n    <name>{}</name>\n    <filename>{}</filename>\n    <filename-dark>{}</filename-dark>\n    <options>zoom</options>\n  </wallpaper>\n</wallpapers>\n",
            xml(&brand.name),
            path(Tone::Light),
            path(Tone::Dark),
        ),
    )
}

pub(super) fn cinnamon(brand: &Brand) -> Vec<TreeFile> {
    let tone = Tone::of(brand);
    let picture = gvariant(&file_uri(&wallpaper_path(brand, tone)));
    let theme = gvariant(&slug(brand));
    let icon = gvariant(&icons::name(brand));
    let ground = gvariant(&brand.background.to_string());
    vec![
        override_file(format!(
            "[org.cinnamon.desktop.background]\npicture-uri={picture}\npicture-options='zoom'\nprimary-color={ground}\n\n\
             [org.gnome.desktop.background]\npicture-uri={picture}\n\n\
             [org.cinnamon.desktop.interface]\ngtk-theme={theme}\n\n\
             [org.cinnamon]\napp-menu-icon-name={icon}\n"
        )),
        backgrounds(brand),
    ]
}

pub(super) fn mate(brand: &Brand) -> Vec<TreeFile> {
    let tone = Tone::of(brand);
    let picture = gvariant(&wallpaper_path(brand, tone));
    let theme = gvariant(&slug(brand));
    let icon = gvariant(&icons::name(brand));
    let ground = gvariant(&brand.background.to_string());
    vec![override_file(format!(
        "[org.mate.background]\npicture-filename={picture}\npicture-options='zoom'\nprimary-color={ground}\n\n\
         [org.mate.interface]\ngtk-theme={theme}\n\n\
         [org.mate.panel.menubar]\nicon-name={icon}\n"
    ))]
}
