//! ISOLINUX's graphical menu (`vesamenu.c32`): its picture, its colours and a preview.
//!
//! The menu is text in rows and columns over a picture: 8 x 16 pixel characters inside a
//! border of 8 pixels (`VIDEO_BORDER`), so 78 columns and 29 rows on 640 x 480. Sources:
//! Syslinux `doc/menu.txt`, `com32/menu/menumain.c`, `com32/lib/sys/vesa`. Its own frame
//! is made invisible; the panel is part of the picture.

use std::fmt::Write;

use crate::{
    Brand, Image, Menu, Rect, Rgb, ThemeFile, backdrop, box_art, cp437,
    lockup::{self, Lockup, Room},
    paint::{self, rgba},
    palette::Palette,
    pf2, png,
};

/// Size of the picture: exactly the menu's resolution, or the picture is not shown.
pub const SIZE: (u32, u32) = (640, 480);

/// Entries that are visible at once; a longer menu scrolls.
pub const VISIBLE_ENTRIES: usize = 8;

/// Pixels around the text.
const BORDER: i32 = 8;
/// Height of a character.
const ROW: i32 = 16;
/// Width of a character.
const COLUMN: i32 = 8;
/// Columns of the screen.
const COLUMNS: i32 = 78;
/// Columns left and right of the menu's frame.
const MARGIN: i32 = 12;
/// Rows above the menu's frame where it is as high as it can be.
const LEAST_VSHIFT: i32 = 8;
/// Screen row of the first entry below the frame's first: the frame, the title and a rule
/// come before it, and rows count from 1.
const ABOVE_ENTRIES: i32 = 4;
/// Screen row of the hint. The rows from 29 on are cleared for help texts.
const HINT_ROW: i32 = 27;

/// Help under the menu.
const HINT: &str = "Arrow keys choose     Enter starts     Tab edits";

/// A brand's ISOLINUX menu, drawn once.
#[derive(Debug, Clone)]
pub struct IsolinuxTheme {
    pub(crate) palette: Palette,
    pub(crate) lockup: Lockup,
    rows: i32,
    splash: Image,
}

impl IsolinuxTheme {
    /// Draws the picture. The panel is as high as `menu` has entries, up to
    /// [`VISIBLE_ENTRIES`].
    pub fn new(brand: &Brand, menu: &Menu) -> Self {
        let palette = Palette::of(brand);
        let rows = menu.entries.len().clamp(1, VISIBLE_ENTRIES) as i32;
        let room = Room {
            width: 560,
            logo: 60,
            name: 32.0,
            version: 16.0,
            two_lines: false,
        };
        let lockup = lockup::draw(brand, room);
        let mut splash = backdrop::paint(brand, SIZE.0, SIZE.1, 0.22);
        let panel = panel(rows);
        let height = lockup.picture.height() as i32;
        let left = (SIZE.0 as i32 - room.width as i32) / 2;
        paint::draw(
            &mut splash,
            &lockup.picture,
            left,
            (panel.y - 18 - height).max(6),
        );
        let box_picture = box_art::rounded_rect(
            panel.width as u32,
            panel.height as u32,
            12.0,
            palette.panel,
            palette.panel_edge,
        );
        paint::draw(&mut splash, &box_picture, panel.x, panel.y);
        Self {
            palette,
            lockup,
            rows,
            splash,
        }
    }

    /// `splash.png` and `stdmenu.cfg`, the latter to be included in the menu's own file.
    /// They stand beside `vesamenu.c32`.
    pub fn files(&self) -> Vec<ThemeFile> {
        vec![
            ThemeFile {
                path: "splash.png",
                bytes: png::encode(&self.splash),
            },
            ThemeFile {
                path: "stdmenu.cfg",
                bytes: self.stdmenu().into_bytes(),
            },
        ]
    }

    fn stdmenu(&self) -> String {
        let Palette {
            text,
            muted,
            accent,
            on_accent,
            ..
        } = self.palette;
        let mut lines = String::from("# Made by Isosmith.\nmenu background splash.png\n");
        let vshift = vshift(self.rows);
        let after_menu = ABOVE_ENTRIES + self.rows;
        let layout = [
            ("resolution", format!("{} {}", SIZE.0, SIZE.1)),
            ("hshift", "0".to_owned()),
            ("vshift", vshift.to_string()),
            ("width", COLUMNS.to_string()),
            ("margin", MARGIN.to_string()),
            ("rows", self.rows.to_string()),
            ("timeoutrow", (after_menu + 2).to_string()),
            ("cmdlinerow", (after_menu + 4).to_string()),
            ("tabmsgrow", (HINT_ROW - vshift).to_string()),
            ("helpmsgrow", (HINT_ROW + 2 - vshift).to_string()),
            ("helpmsgendrow", "-1".to_owned()),
        ];
        for (name, value) in layout {
            let _ = writeln!(lines, "menu {name} {value}");
        }
        let clear = "#00000000".to_owned();
        let solid = |colour: Rgb| format!("#ff{:02x}{:02x}{:02x}", colour.r, colour.g, colour.b);
        let colours = [
            ("screen", solid(text), &clear),
            ("border", clear.clone(), &clear),
            ("title", clear.clone(), &clear),
            ("unsel", solid(text), &clear),
            ("hotkey", solid(text), &clear),
            ("sel", solid(on_accent), &solid(accent)),
            ("hotsel", solid(on_accent), &solid(accent)),
            ("scrollbar", solid(muted), &clear),
            ("tabmsg", solid(muted), &clear),
            ("cmdmark", solid(accent), &clear),
            ("cmdline", solid(text), &clear),
            ("pwdborder", solid(muted), &clear),
            ("pwdheader", solid(text), &clear),
            ("pwdentry", solid(text), &clear),
            ("timeout_msg", solid(muted), &clear),
            ("timeout", solid(text), &clear),
            ("help", solid(muted), &clear),
            ("disabled", solid(muted), &clear),
        ];
        for (name, foreground, background) in colours {
            let _ = writeln!(lines, "menu color {name} * {foreground} {background} none");
        }
        let _ = writeln!(lines, "menu tabmsg {HINT}");
        let _ = writeln!(lines, "menu autoboot Starting in # s");
        lines
    }

    /// The menu as it is shown; always [`SIZE`].
    pub fn preview(&self, menu: &Menu) -> Image {
        let mut screen = self.ground(menu);
        for (label, selected, place) in self.entries(menu) {
            let colour = if selected {
                self.palette.on_accent
            } else {
                self.palette.text
            };
            draw_text(&mut screen, place, label, colour);
        }
        if let Some(countdown) = menu.countdown {
            draw_text(
                &mut screen,
                self.countdown(),
                &centred(&countdown_text(countdown.left)),
                self.palette.muted,
            );
        }
        draw_text(
            &mut screen,
            row_rect(HINT_ROW),
            &centred(HINT),
            self.palette.muted,
        );
        screen
    }

    /// Everything but the text.
    pub(crate) fn ground(&self, menu: &Menu) -> Image {
        let mut screen = self.splash.clone();
        for (_, selected, place) in self.entries(menu) {
            if selected {
                let bar = Rect::new(place.x - COLUMN, place.y, place.width + 2 * COLUMN, ROW);
                paint::fill(&mut screen, bar, rgba(self.palette.accent, 255));
            }
        }
        screen
    }

    /// Visible entries with the place of each one's text.
    fn entries<'a>(&self, menu: &'a Menu) -> Vec<(&'a str, bool, Rect)> {
        let first = (menu.selected + 1).saturating_sub(self.rows as usize);
        menu.entries
            .iter()
            .enumerate()
            .skip(first)
            .take(self.rows as usize)
            .zip(0..)
            .map(|((index, label), row)| {
                let y = BORDER + (first_row(self.rows) - 1 + row) * ROW;
                let x = BORDER + (MARGIN + 2) * COLUMN;
                let place = Rect::new(x, y, ENTRY_COLUMNS as i32 * COLUMN, ROW);
                (label.as_str(), index == menu.selected, place)
            })
            .collect()
    }

    /// Places of the visible entries' texts.
    pub(crate) fn entry_rects(&self, menu: &Menu) -> Vec<Rect> {
        self.entries(menu)
            .into_iter()
            .map(|(_, _, place)| place)
            .collect()
    }

    fn countdown(&self) -> Rect {
        row_rect(first_row(self.rows) + self.rows + 2)
    }

    /// Where texts stand: what a comparison with a screendump leaves out.
    pub fn text_regions(&self, menu: &Menu) -> Vec<Rect> {
        let mut regions = self.entry_rects(menu);
        regions.push(self.countdown());
        regions.push(row_rect(HINT_ROW));
        regions
    }
}

/// Characters that fit into one entry.
pub const ENTRY_COLUMNS: usize = (COLUMNS - 2 * MARGIN - 4) as usize;

/// A label as bytes for the menu's file: code page 437, `?` for what the font lacks.
///
/// A caret would mark a hot key, so it is left out; line ends and control characters
/// become spaces.
pub fn label_bytes(label: &str) -> Vec<u8> {
    label
        .chars()
        .filter(|&c| c != '^')
        .map(|c| {
            if c.is_control() {
                b' '
            } else {
                cp437::byte(c).unwrap_or(b'?')
            }
        })
        .collect()
}

/// The files of a brand's ISOLINUX menu; see [`IsolinuxTheme::files`].
pub fn isolinux_theme(brand: &Brand, menu: &Menu) -> Vec<ThemeFile> {
    IsolinuxTheme::new(brand, menu).files()
}

/// What ISOLINUX shows with it, 640 x 480; see [`IsolinuxTheme::preview`].
pub fn isolinux_menu_preview(brand: &Brand, menu: &Menu) -> Image {
    IsolinuxTheme::new(brand, menu).preview(menu)
}

/// Rows above the menu's frame: a short menu stands a little lower.
fn vshift(rows: i32) -> i32 {
    LEAST_VSHIFT + (VISIBLE_ENTRIES as i32 - rows) / 2
}

/// Screen row of the first entry, from 1.
fn first_row(rows: i32) -> i32 {
    vshift(rows) + ABOVE_ENTRIES
}

/// The panel around the entries.
fn panel(rows: i32) -> Rect {
    let x = BORDER + (MARGIN + 1) * COLUMN;
    let y = BORDER + (first_row(rows) - 1) * ROW;
    let width = (ENTRY_COLUMNS as i32 + 2) * COLUMN;
    Rect::new(x - 14, y - 14, width + 28, rows * ROW + 28)
}

/// A whole row of the screen.
fn row_rect(row: i32) -> Rect {
    Rect::new(BORDER, BORDER + (row - 1) * ROW, COLUMNS * COLUMN, ROW)
}

fn countdown_text(seconds: u32) -> String {
    format!("    Starting in {seconds} s    ")
}

/// Padded on the left the way the menu centres a line.
fn centred(text: &str) -> String {
    let pad = (COLUMNS as usize).saturating_sub(text.chars().count()) / 2;
    format!("{}{text}", " ".repeat(pad))
}

fn draw_text(screen: &mut Image, place: Rect, text: &str, colour: Rgb) {
    // Unifont stands in for the PC's own font, which has cells of the same size.
    let font = pf2::unifont();
    font.draw(
        screen,
        place,
        place.x,
        place.y + font.ascent(),
        text,
        colour,
    );
}

#[cfg(test)]
#[path = "isolinux_tests.rs"]
mod tests;
