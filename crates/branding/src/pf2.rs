//! GRUB's bitmap fonts (PFF2) and the text that GRUB draws with them.
//!
//! Format: GRUB developer manual, "Font File Format"; drawing: `grub_font_draw_string`.

use std::{collections::BTreeMap, sync::OnceLock};

use image::Rgba;

use crate::{
    Image,
    colour::Rgb,
    paint::{Rect, rgba},
};

/// GNU Unifont as GRUB ships it, cut down to the characters of European languages and
/// the punctuation and arrows that menus use (see `fonts/README.md`).
static SUBSET: &[u8] = include_bytes!("../fonts/unifont-subset.pf2");

/// One bit per code point below U+10000: whether GRUB's whole `unicode.pf2` has it.
static COVERAGE: &[u8] = include_bytes!("../fonts/unifont-coverage.bin");

/// One character's bitmap; rows follow each other without padding.
#[derive(Debug, Clone, Copy)]
struct Glyph<'a> {
    width: u16,
    height: u16,
    x_offset: i16,
    y_offset: i16,
    advance: u16,
    bits: &'a [u8],
}

/// A parsed bitmap font.
#[derive(Debug)]
pub(crate) struct Font<'a> {
    ascent: i32,
    glyphs: BTreeMap<u32, Glyph<'a>>,
}

/// The font of every GRUB text: the only one that loads under Secure Boot.
pub(crate) fn unifont() -> &'static Font<'static> {
    static FONT: OnceLock<Font<'static>> = OnceLock::new();
    FONT.get_or_init(|| Font::parse(SUBSET).expect("the embedded font is checked by a test"))
}

/// Whether GRUB's own copy of the font can draw `c`.
pub(crate) fn grub_can_draw(c: char) -> bool {
    let code = u32::from(c) as usize;
    COVERAGE
        .get(code / 8)
        .is_some_and(|byte| byte >> (code % 8) & 1 == 1)
}

impl<'a> Font<'a> {
    /// Reads a PFF2 file; `None` where it is cut short or not one.
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let mut at = 0;
        let mut ascent = None;
        let mut index: &[u8] = &[];
        loop {
            let tag = bytes.get(at..at + 4)?;
            let length = be_u32(bytes, at + 4)? as usize;
            if tag == b"DATA" {
                break;
            }
            let body = bytes.get(at + 8..(at + 8).checked_add(length)?)?;
            match tag {
                b"FILE" if body != b"PFF2" => return None,
                b"ASCE" => ascent = Some(i32::from(be_u16(body, 0)?)),
                b"CHIX" => index = body,
                _ => {}
            }
            at += 8 + length;
        }
        let mut glyphs = BTreeMap::new();
        for entry in index.chunks_exact(9) {
            glyphs.insert(
                be_u32(entry, 0)?,
                Glyph::parse(bytes, be_u32(entry, 5)? as usize)?,
            );
        }
        Some(Self {
            ascent: ascent?,
            glyphs,
        })
    }

    /// Rows above the baseline.
    pub(crate) fn ascent(&self) -> i32 {
        self.ascent
    }

    /// Width of `text` in pixels.
    pub(crate) fn width(&self, text: &str) -> i32 {
        text.chars().map(|c| self.advance(c)).sum()
    }

    fn advance(&self, c: char) -> i32 {
        // Characters outside the subset are nearly all full-width in Unifont.
        self.glyphs
            .get(&u32::from(c))
            .map_or(16, |glyph| i32::from(glyph.advance))
    }

    /// Draws `text` with its baseline at `y`, starting at `x`, inside `clip` only.
    pub(crate) fn draw(
        &self,
        canvas: &mut Image,
        clip: Rect,
        x: i32,
        y: i32,
        text: &str,
        colour: Rgb,
    ) {
        let clip = clip.clip(&Rect::of(canvas));
        let mut pen = x;
        for c in text.chars() {
            for (px, py) in self.dots(c, pen, y) {
                let inside = Rect::new(px, py, 1, 1).touches(&clip);
                if inside {
                    canvas.put_pixel(px as u32, py as u32, solid(colour));
                }
            }
            pen += self.advance(c);
        }
    }

    /// Every set pixel of `c`; a hollow box where the subset has no such character.
    fn dots(&self, c: char, x: i32, baseline: i32) -> Vec<(i32, i32)> {
        let Some(glyph) = self.glyphs.get(&u32::from(c)) else {
            let frame = Rect::new(x + 2, baseline - 12, 12, 13);
            return frame
                .pixels()
                .filter(|&(px, py)| {
                    px == frame.x
                        || py == frame.y
                        || px == frame.right() - 1
                        || py == frame.bottom() - 1
                })
                .collect();
        };
        let left = x + i32::from(glyph.x_offset);
        let top = baseline - i32::from(glyph.y_offset) - i32::from(glyph.height);
        let width = i32::from(glyph.width);
        Rect::new(0, 0, width, i32::from(glyph.height))
            .pixels()
            .filter(|&(column, row)| glyph.is_set((row * width + column) as usize))
            .map(|(column, row)| (left + column, top + row))
            .collect()
    }
}

impl<'a> Glyph<'a> {
    fn parse(bytes: &'a [u8], at: usize) -> Option<Self> {
        let (width, height) = (be_u16(bytes, at)?, be_u16(bytes, at + 2)?);
        let length = (usize::from(width) * usize::from(height)).div_ceil(8);
        Some(Self {
            width,
            height,
            x_offset: be_u16(bytes, at + 4)? as i16,
            y_offset: be_u16(bytes, at + 6)? as i16,
            advance: be_u16(bytes, at + 8)?,
            bits: bytes.get(at + 10..at + 10 + length)?,
        })
    }

    fn is_set(&self, bit: usize) -> bool {
        self.bits
            .get(bit / 8)
            .is_some_and(|byte| byte & (0x80 >> (bit % 8)) != 0)
    }
}

fn solid(colour: Rgb) -> Rgba<u8> {
    rgba(colour, 255)
}

fn be_u16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn be_u32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_font_has_what_menus_need() {
        let font = unifont();
        assert_eq!(font.ascent(), 14);
        for c in "Live system (ÄÖÜäöüß, Łódź, Ελλάδα, Россия) – ↑↓€…".chars()
        {
            assert!(font.glyphs.contains_key(&u32::from(c)), "{c}");
            assert!(grub_can_draw(c), "{c}");
        }
        assert_eq!(font.width("Live"), 32);
        assert!(grub_can_draw('漢') && !grub_can_draw('😀'));
    }

    #[test]
    fn a_letter_is_drawn_where_the_baseline_says() {
        let mut canvas = Image::from_pixel(20, 20, solid(Rgb::BLACK));
        let whole = Rect::of(&canvas);
        unifont().draw(&mut canvas, whole, 2, 15, "H", Rgb::WHITE);
        let lit: Vec<(u32, u32)> = canvas
            .enumerate_pixels()
            .filter(|(_, _, p)| p[0] == 255)
            .map(|(x, y, _)| (x, y))
            .collect();
        let rows = lit.iter().map(|p| p.1);
        // Unifont capitals are 10 rows high and stand on the baseline.
        assert_eq!((rows.clone().min(), rows.max()), (Some(5), Some(14)));
        assert!(lit.iter().all(|p| p.0 >= 2 && p.0 < 10));
    }

    #[test]
    fn drawing_stays_inside_the_clip() {
        let mut canvas = Image::from_pixel(40, 20, solid(Rgb::BLACK));
        unifont().draw(
            &mut canvas,
            Rect::new(0, 0, 12, 20),
            0,
            15,
            "HHHHH",
            Rgb::WHITE,
        );
        assert!(
            canvas
                .enumerate_pixels()
                .all(|(x, _, p)| x < 12 || p[0] == 0)
        );
        assert!(
            canvas
                .enumerate_pixels()
                .any(|(x, _, p)| x >= 8 && p[0] == 255)
        );
    }

    #[test]
    fn a_damaged_font_is_refused() {
        for cut in [0, 3, 40, 200, SUBSET.len() - 1] {
            assert!(Font::parse(&SUBSET[..cut]).is_none(), "cut at {cut}");
        }
    }
}
