//! Pictures that QEMU writes: their size, and whether two are nearly equal.

/// Above this share of different pixels a screen is not still. A countdown
/// or a blinking cursor changes less, a new page of text more.
const STILL_SHARE: f64 = 0.01;

/// Width and height of a PNG (PNG 1.2 section 11.2.2) or binary PPM.
pub(crate) fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        let number = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        return Some((number(16)?, number(20)?));
    }
    Picture::parse(bytes).map(|picture| (picture.width, picture.height))
}

/// A screen as QEMU writes it: PPM with one byte per colour.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Picture {
    pub width: u32,
    pub height: u32,
    pixels: Vec<u8>,
}

impl Picture {
    /// Reads "P6 WIDTH HEIGHT 255" and the pixels.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(b"P6")?;
        let mut numbers = [0u32; 3];
        for number in &mut numbers {
            let start = rest.iter().position(|b| !b.is_ascii_whitespace())?;
            rest = &rest[start..];
            let end = rest.iter().position(u8::is_ascii_whitespace)?;
            *number = std::str::from_utf8(&rest[..end]).ok()?.parse().ok()?;
            rest = &rest[end..];
        }
        let [width, height, depth] = numbers;
        let len = (width as usize)
            .checked_mul(height as usize)?
            .checked_mul(3)?;
        let pixels = rest.get(1..)?.get(..len).filter(|_| depth == 255)?;
        Some(Self {
            width,
            height,
            pixels: pixels.to_vec(),
        })
    }

    /// Whether it differs from `other` by no more than a countdown.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        if (self.width, self.height) != (other.width, other.height) {
            return false;
        }
        let pairs = self
            .pixels
            .chunks_exact(3)
            .zip(other.pixels.chunks_exact(3));
        let different = pairs.filter(|(a, b)| a != b).count();
        different as f64 <= STILL_SHARE * (self.pixels.len() / 3) as f64
    }

    /// Whether it shows at least `least` colours.
    pub(crate) fn has_colours(&self, least: usize) -> bool {
        let mut seen = std::collections::HashSet::new();
        self.pixels.chunks_exact(3).any(|pixel| {
            seen.insert(pixel);
            seen.len() >= least
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ppm(width: u32, height: u32, pixels: &[u8]) -> Vec<u8> {
        [format!("P6\n{width} {height}\n255\n").as_bytes(), pixels].concat()
    }

    #[test]
    fn sizes() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x03\x20\0\0\x02\x58";
        assert_eq!(size(png), Some((800, 600)));
        assert_eq!(size(&ppm(2, 1, &[0; 6])), Some((2, 1)));
        assert_eq!(size(&ppm(2, 1, &[0; 5])), None);
        assert_eq!(size(b"P6\n4294967295 4294967295\n255\n"), None);
        assert_eq!(size(b"\x89PNG\r\n\x1a\n"), None);
        assert_eq!(size(b"GIF89a"), None);
    }

    #[test]
    fn a_countdown_is_still_a_new_page_is_not() {
        let base = vec![7; 3 * 100 * 10];
        let changed = |count: usize| {
            let mut pixels = base.clone();
            pixels[..3 * count].fill(9);
            Picture::parse(&ppm(100, 10, &pixels)).unwrap()
        };
        assert!(changed(0).is_like(&changed(10)));
        assert!(!changed(0).is_like(&changed(11)));
        assert!(!changed(0).is_like(&Picture::parse(&ppm(10, 100, &base)).unwrap()));
        assert!(changed(1).has_colours(2) && !changed(1).has_colours(3));
    }
}
