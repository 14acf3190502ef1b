//! The graphical installer: Calamares' branding component and a picture of its window.
//!
//! Sources: Calamares 3.3, `src/branding/README.md` and the comments of
//! `src/branding/default/branding.desc`; they hold for 3.2 as well. The slide show uses nothing
//! but QtQuick 2.15, which Qt 5.15 and Qt 6 both have: its own modules would be further packages,
//! and one that is missing is a white rectangle.

mod preview;
mod slides;

use image::imageops;

use crate::{
    Brand, Image, Picture, Rgb, backdrop,
    brand::one_line,
    canvas::{Ink, wrapped},
    emblem,
    escape::double_quoted,
    lockup::{self, Room},
    paint,
    palette::Palette,
    png,
};

/// One slide that people see while the system is copied to the disk.
#[derive(Debug, Clone)]
pub struct Slide {
    /// One line.
    pub title: String,
    /// A sentence or two.
    pub text: String,
    /// Above the text.
    pub picture: Option<Picture>,
}

/// Width of the list of steps at the window's left side, as Calamares has it.
const SIDEBAR: u32 = 190;

/// Size of Calamares' window; its pages need at least this width (seen with 3.3.14).
const WINDOW: (u32, u32) = (1024, 600);

/// Side of the logo above the list of steps; Calamares shows it at 80 x 80, at the window's edge.
const LOGO: u32 = 160;

/// Side of what is seen of that logo.
const MARK: u32 = 124;

/// Size of the picture on the first page, which Calamares scales to the room there is.
const WELCOME: (u32, u32) = (1040, 400);

/// Name of the branding component: of its folder in `/etc/calamares/branding`, of
/// `componentName` in `branding.desc` and of `branding` in `settings.conf`, which must be the
/// same.
pub fn component_name(brand: &Brand) -> String {
    let name: String = brand
        .id
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
        .collect();
    match name.is_empty() {
        true => "product".to_owned(),
        false => name,
    }
}

/// Every file of the branding component, by its path inside the component's folder. Without
/// slides there are three that say what is true of every product.
pub fn branding(brand: &Brand, slides: &[Slide]) -> Vec<(String, Vec<u8>)> {
    let slides = slides::or_usual(brand, slides);
    let mut files = vec![
        ("branding.desc".to_owned(), description(brand).into_bytes()),
        (
            "show.qml".to_owned(),
            slides::qml(brand, &slides).into_bytes(),
        ),
        ("stylesheet.qss".to_owned(), stylesheet(brand).into_bytes()),
        ("logo.png".to_owned(), png::encode(&logo(brand))),
        (
            "icon.png".to_owned(),
            png::encode(&emblem::square(brand, LOGO)),
        ),
        ("welcome.png".to_owned(), png::encode(&welcome(brand))),
        ("ground.png".to_owned(), png::encode(&slides::ground(brand))),
    ];
    files.extend(slides::pictures(&slides));
    files
}

/// What the window shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// The first page.
    Welcome,
    /// This slide, counted from 0.
    Slide(usize),
}

/// Whether a slide's title fits into its two lines, in a window of the usual size.
pub(crate) fn title_fits(title: &str) -> bool {
    fits(title, Ink::new(slides::TITLE_SIZE, 600, Rgb::BLACK), 2)
}

/// Whether a slide's text fits into its five lines, in a window of the usual size.
pub(crate) fn text_fits(text: &str) -> bool {
    fits(text, Ink::new(slides::TEXT_SIZE, 400, Rgb::BLACK), 5)
}

fn fits(text: &str, ink: Ink, lines: usize) -> bool {
    let width = (WINDOW.0 - SIDEBAR) as f32 * slides::TEXT_WIDTH;
    wrapped(text, width, ink, lines + 1).len() <= lines
}

/// How many slides are shown: those of the profile, or the usual ones.
pub fn slide_count(brand: &Brand, slides: &[Slide]) -> usize {
    slides::or_usual(brand, slides).len()
}

/// The installer's window on a screen of this size.
pub fn installer_preview(
    brand: &Brand,
    slides: &[Slide],
    page: Page,
    width: u32,
    height: u32,
) -> Image {
    preview::draw(brand, &slides::or_usual(brand, slides), page, width, height)
}

/// The logo with air around it, in the picture: a margin in the style sheet cuts it instead,
/// because the label's size is fixed.
fn logo(brand: &Brand) -> Image {
    let mut picture = Image::new(LOGO, LOGO);
    let place = i64::from((LOGO - MARK) / 2);
    imageops::replace(&mut picture, &emblem::square(brand, MARK), place, place);
    picture
}

/// The picture on the first page.
fn welcome(brand: &Brand) -> Image {
    let (width, height) = WELCOME;
    let room = Room {
        width: 760,
        logo: 128,
        name: 60.0,
        version: 26.0,
        two_lines: true,
    };
    let lockup = lockup::draw(brand, room).picture;
    let mut picture = backdrop::paint(brand, width, height, 0.4);
    let x = (width as i32 - lockup.width() as i32) / 2;
    let y = (height as i32 - lockup.height() as i32) / 2;
    paint::draw(&mut picture, &lockup, x, y);
    picture
}

/// Colours of the list of steps: ground, text, ground of the step one is at, its text.
fn sidebar(brand: &Brand) -> [Rgb; 4] {
    let palette = Palette::of(brand);
    [
        brand.background,
        brand.text,
        palette.accent,
        palette.on_accent,
    ]
}

fn description(brand: &Brand) -> String {
    // Calamares puts values of os-release in place of `${NAME}`; `$$` is a dollar
    // (KMacroExpander).
    let text = |text: &str| double_quoted(&text.replace('$', "$$"));
    let version = one_line(&brand.version);
    let title = brand.title();
    let short = format!("{} {version}", one_line(&brand.short_name));
    let urls = &brand.urls;
    let url = |url: &Option<String>| text(url.as_deref().unwrap_or_default());
    let [ground, ink, current, current_ink] = sidebar(brand);
    let component = component_name(brand);
    let (width, height) = WINDOW;
    format!(
        r##"---
componentName: {component}

welcomeStyleCalamares: false
welcomeExpandingLogo: true
windowExpanding: normal
windowSize: {width}px,{height}px
windowPlacement: center
sidebar: widget
navigation: widget

strings:
    productName: {name}
    shortProductName: {short_name}
    version: {version}
    shortVersion: {version}
    versionedName: {title}
    shortVersionedName: {short}
    bootloaderEntryName: {short_name}
    productUrl: {home}
    supportUrl: {support}
    knownIssuesUrl: {bugs}
    releaseNotesUrl: {documentation}
    donateUrl: ""

images:
    productLogo: "logo.png"
    productIcon: "icon.png"
    productWelcome: "welcome.png"

style:
    SidebarBackground: "{ground}"
    SidebarText: "{ink}"
    SidebarTextCurrent: "{current_ink}"
    SidebarBackgroundCurrent: "{current}"

slideshow: "show.qml"
slideshowAPI: 2
"##,
        name = text(&one_line(&brand.name)),
        short_name = text(&one_line(&brand.short_name)),
        version = text(&version),
        title = text(&title),
        short = text(short.trim()),
        home = url(&urls.home),
        support = url(&urls.support),
        bugs = url(&urls.bugs),
        documentation = url(&urls.documentation),
    )
}

/// Qt style sheet: what marks, in the product's colour; everything else stays the desktop's.
fn stylesheet(brand: &Brand) -> String {
    let palette = Palette::of(brand);
    let (accent, ink) = (palette.accent, palette.on_accent);
    let [ground, text, _, _] = sidebar(brand);
    format!(
        "#sidebarApp {{ background-color: {ground}; color: {text}; }}\n\
         #sidebarApp QPushButton {{ color: {text}; }}\n\
         QProgressBar {{ border: none; border-radius: 3px; background-color: rgba(127, 127, 127, 70); min-height: 8px; max-height: 8px; color: transparent; }}\n\
         QProgressBar::chunk {{ border-radius: 3px; background-color: {accent}; }}\n\
         QPushButton:default {{ background-color: {accent}; color: {ink}; border: none; border-radius: 4px; padding: 6px 18px; }}\n\
         QPushButton:default:disabled {{ background-color: rgba(127, 127, 127, 70); color: rgba(127, 127, 127, 200); }}\n"
    )
}

#[cfg(test)]
mod tests;
