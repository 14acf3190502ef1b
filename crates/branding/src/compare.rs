//! How alike two pictures are, for comparing a screendump with a preview.

use crate::{Image, Rect};

/// Why two pictures could not be compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompareError {
    /// Only pictures of the same size can be compared.
    #[error("the pictures have different sizes: {}x{} and {}x{}", .0.0, .0.1, .1.0, .1.1)]
    SizesDiffer((u32, u32), (u32, u32)),
    /// The mask covers everything.
    #[error("nothing is left to compare outside the masked areas")]
    NothingLeft,
    /// Not a PNG or PPM file.
    #[error("the screendump cannot be read: {0}")]
    Unreadable(String),
}

/// Side of a window in pixels.
const WINDOW: i32 = 8;
/// Distance between windows.
const STEP: usize = 4;

/// Mean structural similarity of the brightness of two pictures: 1 for equal ones, near 0
/// for unrelated ones. Windows that touch a rectangle of `mask` are left out.
///
/// Wang, Bovik, Sheikh, Simoncelli: "Image quality assessment", IEEE Transactions on Image
/// Processing 13 (2004), with uniform 8 x 8 windows every 4 pixels.
///
/// # Errors
/// [`CompareError::SizesDiffer`] and [`CompareError::NothingLeft`].
pub fn ssim(a: &Image, b: &Image, mask: &[Rect]) -> Result<f64, CompareError> {
    if a.dimensions() != b.dimensions() {
        return Err(CompareError::SizesDiffer(a.dimensions(), b.dimensions()));
    }
    let (first, second) = (luma(a), luma(b));
    let (width, height) = (a.width() as i32, a.height() as i32);
    let mut sum = 0.0;
    let mut count = 0u32;
    for y in (0..=height - WINDOW).step_by(STEP) {
        for x in (0..=width - WINDOW).step_by(STEP) {
            let window = Rect::new(x, y, WINDOW, WINDOW);
            if mask.iter().any(|masked| masked.touches(&window)) {
                continue;
            }
            sum += similarity(&first, &second, window, width);
            count += 1;
        }
    }
    if count == 0 {
        return Err(CompareError::NothingLeft);
    }
    Ok(sum / f64::from(count))
}

fn similarity(a: &[f64], b: &[f64], window: Rect, width: i32) -> f64 {
    // The paper's constants for 8-bit values.
    const C1: f64 = (0.01 * 255.0) * (0.01 * 255.0);
    const C2: f64 = (0.03 * 255.0) * (0.03 * 255.0);
    let (mut sum_a, mut sum_b, mut sum_aa, mut sum_bb, mut sum_ab) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (x, y) in window.pixels() {
        let at = (y * width + x) as usize;
        let (p, q) = (a[at], b[at]);
        sum_a += p;
        sum_b += q;
        sum_aa += p * p;
        sum_bb += q * q;
        sum_ab += p * q;
    }
    let n = f64::from(WINDOW * WINDOW);
    let (mean_a, mean_b) = (sum_a / n, sum_b / n);
    let variances = (sum_aa / n - mean_a * mean_a) + (sum_bb / n - mean_b * mean_b);
    let covariance = sum_ab / n - mean_a * mean_b;
    ((2.0 * mean_a * mean_b + C1) * (2.0 * covariance + C2))
        / ((mean_a * mean_a + mean_b * mean_b + C1) * (variances + C2))
}

/// Brightness of each pixel (ITU-R BT.601).
fn luma(picture: &Image) -> Vec<f64> {
    picture
        .pixels()
        .map(|pixel| {
            0.299 * f64::from(pixel[0]) + 0.587 * f64::from(pixel[1]) + 0.114 * f64::from(pixel[2])
        })
        .collect()
}

/// Reads a screendump as QEMU writes it: PPM (its default) or PNG.
///
/// # Errors
/// [`CompareError::Unreadable`] for anything else.
pub fn read_screendump(bytes: &[u8]) -> Result<Image, CompareError> {
    let unreadable = |error: image::ImageError| CompareError::Unreadable(error.to_string());
    Ok(image::load_from_memory(bytes)
        .map_err(unreadable)?
        .into_rgba8())
}

#[cfg(test)]
mod tests {
    use image::Rgba;

    use super::*;

    fn pattern(shift: u32) -> Image {
        Image::from_fn(64, 48, |x, y| {
            let on = ((x + shift) / 5 + y / 7).is_multiple_of(2);
            if on {
                Rgba([230, 220, 40, 255])
            } else {
                Rgba([20, 30, 90, 255])
            }
        })
    }

    #[test]
    fn alike_is_near_one_and_unlike_is_low() {
        let value = |a: &Image, b: &Image| ssim(a, b, &[]).expect("comparable");
        let original = pattern(0);
        assert!((value(&original, &original) - 1.0).abs() < 1e-9);
        let brighter = Image::from_fn(64, 48, |x, y| {
            let p = original.get_pixel(x, y);
            Rgba([p[0].saturating_add(2), p[1].saturating_add(2), p[2], 255])
        });
        assert!(value(&original, &brighter) > 0.98);
        assert!(value(&original, &pattern(5)) < 0.1);
        let flat = Image::from_pixel(64, 48, Rgba([125, 125, 125, 255]));
        assert!(value(&original, &flat) < 0.3);
    }

    #[test]
    fn masked_windows_do_not_count() {
        let original = pattern(0);
        let mut spoiled = original.clone();
        crate::paint::fill(
            &mut spoiled,
            Rect::new(20, 16, 10, 10),
            Rgba([255, 255, 255, 255]),
        );
        assert!(ssim(&original, &spoiled, &[]).expect("comparable") < 0.97);
        let value = ssim(&original, &spoiled, &[Rect::new(20, 16, 10, 10)]).expect("comparable");
        assert!((value - 1.0).abs() < 1e-9);
    }

    #[test]
    fn what_cannot_be_compared_is_an_error() {
        let small = Image::new(8, 8);
        assert_eq!(
            ssim(&small, &Image::new(9, 8), &[]),
            Err(CompareError::SizesDiffer((8, 8), (9, 8)))
        );
        assert_eq!(
            ssim(&small, &small, &[Rect::new(0, 0, 1, 1)]),
            Err(CompareError::NothingLeft)
        );
    }

    #[test]
    fn a_ppm_screendump_is_read() {
        let picture = read_screendump(b"P6\n2 1\n255\n\x01\x02\x03\xff\x00\x80").expect("a PPM");
        assert_eq!(picture.dimensions(), (2, 1));
        assert_eq!(picture.get_pixel(1, 0), &Rgba([255, 0, 128, 255]));
        assert!(matches!(
            read_screendump(b"nothing"),
            Err(CompareError::Unreadable(_))
        ));
    }
}
