//! GRUB's graphical menu: the theme's files and a picture of what GRUB draws from them.
//!
//! Everything here holds for GRUB 2.06 and 2.12. Sources: GRUB manual, "Theme file format";
//! `grub-core/gfxmenu` and `grub-core/video` for what the manual leaves open. Under Secure
//! Boot only the font inside the signed image loads, so every text uses "Unifont Regular 16";
//! pictures and layout are not restricted.

mod layout;
mod preview;
mod theme_txt;

use image::Rgba;

use crate::{
    Brand, Image, Menu, Rect, ThemeFile, backdrop,
    box_art::{BoxArt, PartNames},
    lockup::{self, Lockup, Room},
    paint::rgba,
    palette::Palette,
    png,
};
use layout::Layout;

/// Name of the one font, exactly as it stands in `unicode.pf2`.
pub(crate) const FONT: &str = "Unifont Regular 16";

/// Size of the background's file. GRUB scales it to cover the screen.
pub const BACKGROUND: (u32, u32) = (1024, 768);

/// Entries that are visible at once; a longer menu scrolls.
pub const VISIBLE_ENTRIES: usize = 8;

/// Shown at the foot of the screen.
pub(crate) const HINT: &str = "↑ ↓ choose     Enter start     e edit     c command line";

const MENU_PARTS: PartNames = [
    "menu_nw.png",
    "menu_n.png",
    "menu_ne.png",
    "menu_w.png",
    "menu_c.png",
    "menu_e.png",
    "menu_sw.png",
    "menu_s.png",
    "menu_se.png",
];
const SELECT_PARTS: PartNames = [
    "select_nw.png",
    "select_n.png",
    "select_ne.png",
    "select_w.png",
    "select_c.png",
    "select_e.png",
    "select_sw.png",
    "select_s.png",
    "select_se.png",
];
const BAR_PARTS: PartNames = [
    "bar_nw.png",
    "bar_n.png",
    "bar_ne.png",
    "bar_w.png",
    "bar_c.png",
    "bar_e.png",
    "bar_sw.png",
    "bar_s.png",
    "bar_se.png",
];
const FILL_PARTS: PartNames = [
    "fill_nw.png",
    "fill_n.png",
    "fill_ne.png",
    "fill_w.png",
    "fill_c.png",
    "fill_e.png",
    "fill_sw.png",
    "fill_s.png",
    "fill_se.png",
];
const THUMB_PARTS: PartNames = [
    "thumb_nw.png",
    "thumb_n.png",
    "thumb_ne.png",
    "thumb_w.png",
    "thumb_c.png",
    "thumb_e.png",
    "thumb_sw.png",
    "thumb_s.png",
    "thumb_se.png",
];
const TERMINAL_PARTS: PartNames = [
    "terminal_nw.png",
    "terminal_n.png",
    "terminal_ne.png",
    "terminal_w.png",
    "terminal_c.png",
    "terminal_e.png",
    "terminal_sw.png",
    "terminal_s.png",
    "terminal_se.png",
];

/// A brand's GRUB theme, drawn once: its files and its previews come from the same pictures.
#[derive(Debug, Clone)]
pub struct GrubTheme {
    pub(crate) palette: Palette,
    pub(crate) layout: Layout,
    pub(crate) lockup: Lockup,
    background: Image,
    desktop: crate::Rgb,
    panel: BoxArt,
    selection: BoxArt,
    bar: BoxArt,
    bar_fill: BoxArt,
    thumb: BoxArt,
    terminal: BoxArt,
}

impl GrubTheme {
    /// Draws the theme. The panel is as high as `menu` has entries, up to
    /// [`VISIBLE_ENTRIES`].
    pub fn new(brand: &Brand, menu: &Menu) -> Self {
        let palette = Palette::of(brand);
        let rows = menu.entries.len().clamp(1, VISIBLE_ENTRIES);
        // On the smallest screen (800x600) a long menu leaves less room for the name.
        let roomy = rows <= 6;
        let room = Room {
            width: layout::LOCKUP_WIDTH,
            logo: if roomy { 92 } else { 56 },
            name: if roomy { 40.0 } else { 34.0 },
            version: 16.0,
            two_lines: roomy,
        };
        let lockup = lockup::draw(brand, room);
        let layout = Layout::new(rows, lockup.picture.height() as i32);
        let glow = 0.5
            + (layout.lockup.top as f32 + lockup.picture.height() as f32 * 0.4)
                / BACKGROUND.1 as f32;
        // A countdown bar in a colour that cannot be told from the background would be no bar.
        let seen = |colour: crate::Rgb| colour.contrast(brand.background) >= 1.6;
        let bar_colour = if seen(palette.accent) {
            palette.accent
        } else {
            palette.text
        };
        Self {
            background: backdrop::paint(brand, BACKGROUND.0, BACKGROUND.1, glow),
            desktop: brand.background,
            panel: BoxArt::rounded(
                layout::PANEL_BORDER as u32,
                palette.panel,
                palette.panel_edge,
            ),
            selection: BoxArt::pill(layout::ITEM_HEIGHT as u32, 10, rgba(palette.accent, 255)),
            bar: BoxArt::line(layout::BAR_CLEAR as u32, palette.track),
            bar_fill: BoxArt::line(0, rgba(bar_colour, 255)),
            thumb: BoxArt::rounded(3, rgba(palette.text, 90), Rgba([0, 0, 0, 0])),
            terminal: BoxArt::rounded(
                layout::PANEL_BORDER as u32,
                rgba(brand.background, 235),
                palette.panel_edge,
            ),
            palette,
            layout,
            lockup,
        }
    }

    /// Every file of the theme's folder; `theme.txt` is the one to name in `set theme=`.
    pub fn files(&self) -> Vec<ThemeFile> {
        let mut files = vec![
            ThemeFile {
                path: "theme.txt",
                bytes: self.theme_txt().into_bytes(),
            },
            ThemeFile {
                path: "background.png",
                bytes: png::encode(&self.background),
            },
            ThemeFile {
                path: "brand.png",
                bytes: png::encode(&self.lockup.picture),
            },
        ];
        files.extend(self.panel.files(MENU_PARTS));
        files.extend(self.selection.files(SELECT_PARTS));
        files.extend(self.bar.files(BAR_PARTS));
        files.extend(self.bar_fill.files(FILL_PARTS));
        files.extend(self.thumb.files(THUMB_PARTS));
        files.extend(self.terminal.files(TERMINAL_PARTS));
        files
    }

    /// Where texts and the countdown stand on a screen of this size: what a comparison
    /// with a screendump leaves out.
    pub fn text_regions(&self, menu: &Menu, width: u32, height: u32) -> Vec<Rect> {
        let layout = self.layout;
        let mut regions = self.entry_rects(menu, width, height);
        for region in &mut regions {
            // The text of an entry that is not selected may run on under the border.
            region.width += self.selection.right();
        }
        regions.push(layout.bar.on(width, height));
        regions.push(layout.countdown.on(width, height));
        regions.push(layout.hint(width, height));
        regions
    }

    /// Characters that fit into one entry.
    pub fn entry_columns(&self) -> usize {
        (self.text_width() / 8).max(0) as usize
    }
}

/// The files of a brand's GRUB theme; see [`GrubTheme::files`].
pub fn grub_theme(brand: &Brand, menu: &Menu) -> Vec<ThemeFile> {
    GrubTheme::new(brand, menu).files()
}

/// What GRUB shows with that theme; see [`GrubTheme::preview`].
pub fn grub_menu_preview(brand: &Brand, menu: &Menu, width: u32, height: u32) -> Image {
    GrubTheme::new(brand, menu).preview(menu, width, height)
}

#[cfg(test)]
mod tests;
