//! The product's mark without its name: the logo, or a monogram where there is none.

use std::fmt::Write;

use image::imageops;

use crate::{
    Brand, Image, Limits, Picture, brand::one_line, escape, palette::Palette, png, typeset,
};

/// Side of the drawing in which a monogram is designed.
const SIDE: u32 = 128;

/// The mark in the middle of a clear square of `side` pixels.
pub(crate) fn square(brand: &Brand, side: u32) -> Image {
    let mark = mark(brand);
    let (width, height) = mark.fitted(side, side);
    let drawn = mark.render(width, height);
    let mut canvas = Image::new(side, side);
    let place = |inner: u32| i64::from((side - inner.min(side)) / 2);
    imageops::replace(&mut canvas, &drawn, place(width), place(height));
    canvas
}

/// The mark as a drawing that scales. A logo of pixels is inside it as it is.
pub(crate) fn svg(brand: &Brand) -> Vec<u8> {
    let mark = mark(brand);
    if let Some(drawing) = mark.drawing() {
        return drawing.into_bytes();
    }
    let side = 512;
    let png = png::encode(&square(brand, side));
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="{side}" height="{side}"><image width="{side}" height="{side}" xlink:href="data:image/png;base64,{}"/></svg>
"#,
        base64(&png)
    )
    .into_bytes()
}

/// The logo, or a monogram.
pub(crate) fn mark(brand: &Brand) -> Picture {
    brand.logo.clone().unwrap_or_else(|| monogram(brand))
}

/// The first letter of the short name on a rounded square of the accent colour. A letter that
/// no built-in font has leaves a ring.
fn monogram(brand: &Brand) -> Picture {
    let letter = one_line(&brand.short_name)
        .chars()
        .find(|c| c.is_alphanumeric())
        .map(|c| c.to_uppercase().to_string())
        .filter(|letter| typeset::missing(letter).is_empty());
    let palette = Palette::of(brand);
    let (fill, ink) = (palette.accent, palette.on_accent);
    let inside = letter.map_or_else(
        || format!(r#"<circle cx="64" cy="64" r="30" fill="none" stroke="{ink}" stroke-width="14"/>"#),
        |letter| {
            format!(
                r#"<text x="64" y="92" text-anchor="middle" font-family="{}" font-weight="600" font-size="78" fill="{ink}">{}</text>"#,
                typeset::FAMILY,
                escape::xml(&letter)
            )
        },
    );
    let svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{SIDE}" height="{SIDE}"><rect width="{SIDE}" height="{SIDE}" rx="30" fill="{fill}"/>{inside}</svg>"#
    );
    Picture::decode(svg.as_bytes(), Limits::default())
        .expect("a drawing of our own with one escaped letter")
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let c = match digit <= group.len() {
                true => char::from(DIGITS[(bits >> (18 - 6 * digit)) as usize & 63]),
                false => '=',
            };
            // Writing to a text cannot fail.
            let _ = write!(text, "{c}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        let check = |bytes: &str, want: &str| assert_eq!(base64(bytes.as_bytes()), want);
        check("", "");
        check("f", "Zg==");
        check("fo", "Zm8=");
        check("foo", "Zm9v");
        check("foobar", "Zm9vYmFy");
    }

    #[test]
    fn every_brand_has_a_mark_that_scales() {
        for short_name in ["Aurora", "ß-OS", "漢字", "", "<>", "🚀", "عربي"] {
            let brand = Brand {
                short_name: short_name.to_owned(),
                ..Brand::sample()
            };
            let drawn = square(&brand, 48);
            assert_eq!(drawn.dimensions(), (48, 48), "{short_name}");
            assert!(drawn.get_pixel(24, 2)[3] > 0, "{short_name}: nothing drawn");
            Picture::decode(&svg(&brand), Limits::default()).expect("our own reader takes it");
        }
    }

    #[test]
    fn a_logo_of_pixels_goes_into_the_drawing() {
        let mut png = std::io::Cursor::new(Vec::new());
        Image::from_pixel(20, 10, image::Rgba([9, 8, 7, 255]))
            .write_to(&mut png, image::ImageFormat::Png)
            .expect("a PNG");
        let brand = Brand {
            logo: Some(Picture::decode(png.get_ref(), Limits::default()).expect("a picture")),
            ..Brand::sample()
        };
        let read = Picture::decode(&svg(&brand), Limits::default()).expect("a drawing");
        let drawn = read.render(64, 64);
        assert_eq!(drawn.get_pixel(32, 32)[3], 255);
        assert_eq!(drawn.get_pixel(32, 4)[3], 0, "kept its shape");
    }
}
