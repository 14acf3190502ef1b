//! The picture behind the windows, light and dark.

use image::{ExtendedColorType, ImageEncoder, codecs::jpeg::JpegEncoder};

use super::Tone;
use crate::{Brand, Image, Rgb, backdrop, paint};

/// Size of the wallpaper's files; desktops scale it to cover the screen.
pub const SIZE: (u32, u32) = (2560, 1440);

/// Of the JPEG files, 1 to 100: below it slow gradients show steps, and a PNG is five times as
/// large.
const QUALITY: u8 = 97;

/// The wallpaper on a screen of this size: the brand's own picture as it is, else a ground
/// made from its colours.
pub(crate) fn picture(brand: &Brand, tone: Tone, width: u32, height: u32) -> Image {
    let own = match tone {
        Tone::Light => &brand.wallpaper,
        Tone::Dark => match &brand.wallpaper_dark {
            Some(dark) => &Some(dark.clone()),
            None => &brand.wallpaper,
        },
    };
    let Some(own) = own else {
        return backdrop::paint(&toned(brand, tone), width, height, 0.5);
    };
    let mut ground = Image::from_pixel(width, height, paint::rgba(brand.background, 255));
    paint::draw(&mut ground, &own.cover(width, height), 0, 0);
    ground
}

/// The wallpaper's file, a JPEG of [`SIZE`].
pub fn file(brand: &Brand, tone: Tone) -> Vec<u8> {
    jpeg(&picture(brand, tone, SIZE.0, SIZE.1))
}

/// The brand with a ground of this tone: its own, or one of the same hue.
fn toned(brand: &Brand, tone: Tone) -> Brand {
    let mut toned = Brand {
        wallpaper: None,
        ..brand.clone()
    };
    if Tone::of(brand) == tone {
        return toned;
    }
    (toned.background, toned.text) = match tone {
        Tone::Light => (brand.background.mix(Rgb::WHITE, 0.86), brand.background),
        Tone::Dark => (brand.background.mix(Rgb::BLACK, 0.84), brand.background),
    };
    toned
}

/// Baseline, three components; the same picture gives the same bytes.
pub(crate) fn jpeg(picture: &Image) -> Vec<u8> {
    let rgb: Vec<u8> = picture
        .pixels()
        .flat_map(|pixel| [pixel[0], pixel[1], pixel[2]])
        .collect();
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, QUALITY)
        .write_image(
            &rgb,
            picture.width(),
            picture.height(),
            ExtendedColorType::Rgb8,
        )
        .expect("a Vec takes any bytes and the buffer was made for this size");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tone_is_what_it_says() {
        let dark = Brand::sample();
        let light = Brand {
            background: Rgb::new(0xf0, 0xf4, 0xf8),
            text: Rgb::new(0x10, 0x18, 0x20),
            ..Brand::sample()
        };
        for brand in [&dark, &light] {
            for (tone, is_dark) in [(Tone::Light, false), (Tone::Dark, true)] {
                let drawn = picture(brand, tone, 64, 36);
                let pixel = drawn.get_pixel(2, 2);
                let corner = Rgb::new(pixel[0], pixel[1], pixel[2]);
                assert_eq!(
                    corner.is_dark(),
                    is_dark,
                    "{tone:?} of {}",
                    brand.background
                );
            }
        }
    }

    #[test]
    fn the_file_is_a_jpeg_of_the_promised_size() {
        let bytes = file(&Brand::sample(), Tone::Dark);
        let read =
            image::load_from_memory_with_format(&bytes, image::ImageFormat::Jpeg).expect("a JPEG");
        assert_eq!((read.width(), read.height()), SIZE);
    }
}
