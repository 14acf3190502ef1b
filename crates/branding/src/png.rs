//! PNG as every boot loader reads it.

use image::{
    ExtendedColorType, ImageEncoder,
    codecs::png::{CompressionType, FilterType, PngEncoder},
};

use crate::Image;

/// Encodes with fixed settings and no metadata, so that the same picture gives the same
/// bytes: 8-bit RGB where every pixel is solid, 8-bit RGBA else; never greyscale, palette
/// or interlaced (GRUB's reader refuses greyscale and interlacing).
pub(crate) fn encode(picture: &Image) -> Vec<u8> {
    let solid = picture.pixels().all(|pixel| pixel[3] == 255);
    let mut bytes = Vec::new();
    let encoder =
        PngEncoder::new_with_quality(&mut bytes, CompressionType::Default, FilterType::Adaptive);
    let (data, kind) = if solid {
        let rgb = picture
            .pixels()
            .flat_map(|pixel| [pixel[0], pixel[1], pixel[2]])
            .collect();
        (rgb, ExtendedColorType::Rgb8)
    } else {
        (picture.as_raw().clone(), ExtendedColorType::Rgba8)
    };
    encoder
        .write_image(&data, picture.width(), picture.height(), kind)
        .expect("a Vec takes any bytes and the buffer was made for this size");
    bytes
}

/// Encodes a picture without transparency as fast as can be: for a preview, which is looked at
/// for a moment and thrown away.
pub fn quick_png(picture: &Image) -> Vec<u8> {
    let mut rgb = Vec::with_capacity(picture.as_raw().len() / 4 * 3);
    for pixel in picture.as_raw().chunks_exact(4) {
        rgb.extend_from_slice(&pixel[..3]);
    }
    let mut bytes = Vec::new();
    PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Up)
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
    use image::Rgba;

    use super::*;

    /// Colour type and interlace method, straight from the IHDR chunk (PNG 11.2.2).
    fn header(bytes: &[u8]) -> (u8, u8, u8) {
        (bytes[24], bytes[25], bytes[28])
    }

    #[test]
    fn a_grey_picture_is_still_rgb_and_not_interlaced() {
        let grey = Image::from_pixel(5, 3, Rgba([80, 80, 80, 255]));
        assert_eq!(header(&encode(&grey)), (8, 2, 0));
        let clear = Image::from_pixel(5, 3, Rgba([80, 80, 80, 9]));
        assert_eq!(header(&encode(&clear)), (8, 6, 0));
    }

    #[test]
    fn the_quick_one_shows_the_same() {
        let picture = Image::from_fn(33, 9, |x, y| Rgba([x as u8 * 7, y as u8 * 20, 7, 255]));
        let back = image::load_from_memory(&quick_png(&picture))
            .expect("a PNG")
            .to_rgba8();
        assert_eq!(back, picture);
    }

    #[test]
    fn what_is_written_reads_back() {
        let picture = Image::from_fn(17, 9, |x, y| {
            Rgba([x as u8 * 9, y as u8 * 20, 7, 255 - x as u8])
        });
        let back = image::load_from_memory(&encode(&picture))
            .expect("a PNG")
            .to_rgba8();
        assert_eq!(back, picture);
    }
}
