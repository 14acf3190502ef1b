//! Colours and the contrast between them.

use std::fmt;

/// An opaque sRGB colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Rgb {
    /// Red, 0 to 255.
    pub r: u8,
    /// Green, 0 to 255.
    pub g: u8,
    /// Blue, 0 to 255.
    pub b: u8,
}

impl Rgb {
    /// Full white.
    pub const WHITE: Rgb = Rgb::new(255, 255, 255);
    /// Full black.
    pub const BLACK: Rgb = Rgb::new(0, 0, 0);

    /// A colour from its three channels.
    pub const fn new(r: u8, g: u8, b: u8) -> Self {
        Self { r, g, b }
    }

    /// Relative luminance, 0 (black) to 1 (white), as WCAG 2.2 defines it.
    pub fn luminance(self) -> f32 {
        0.2126 * linear(self.r) + 0.7152 * linear(self.g) + 0.0722 * linear(self.b)
    }

    /// Contrast ratio of WCAG 2.2, 1 (same) to 21 (black on white).
    pub fn contrast(self, other: Rgb) -> f32 {
        contrast_of_luminances(self.luminance(), other.luminance())
    }

    /// `share` of `other` (0 to 1) mixed into this colour, per sRGB channel.
    pub fn mix(self, other: Rgb, share: f32) -> Rgb {
        let channel = |a: u8, b: u8| {
            (f32::from(a) + (f32::from(b) - f32::from(a)) * share.clamp(0.0, 1.0)).round() as u8
        };
        Rgb::new(
            channel(self.r, other.r),
            channel(self.g, other.g),
            channel(self.b, other.b),
        )
    }

    /// Whether light text reads better on it than dark text.
    pub fn is_dark(self) -> bool {
        self.contrast(Rgb::WHITE) > self.contrast(Rgb::BLACK)
    }
}

impl From<isosmith_spec::model::Colour> for Rgb {
    fn from(colour: isosmith_spec::model::Colour) -> Self {
        Self::new(colour.r, colour.g, colour.b)
    }
}

impl fmt::Display for Rgb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.r, self.g, self.b)
    }
}

/// Contrast ratio of WCAG 2.2 for two relative luminances.
pub(crate) fn contrast_of_luminances(a: f32, b: f32) -> f32 {
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn linear(channel: u8) -> f32 {
    let c = f32::from(channel) / 255.0;
    if c <= 0.04045 {
        return c / 12.92;
    }
    ((c + 0.055) / 1.055).powf(2.4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_follows_wcag() {
        let check = |a: Rgb, b: Rgb, want: f32| {
            assert!(
                (a.contrast(b) - want).abs() < 0.05,
                "{a} on {b}: {}",
                a.contrast(b)
            );
            assert!((b.contrast(a) - want).abs() < 0.05);
        };
        check(Rgb::WHITE, Rgb::BLACK, 21.0);
        check(Rgb::WHITE, Rgb::WHITE, 1.0);
        // Known pairs: #767676 is the lightest grey that passes AA on white.
        check(Rgb::new(0x76, 0x76, 0x76), Rgb::WHITE, 4.54);
        check(Rgb::new(0xff, 0, 0), Rgb::WHITE, 4.0);
    }

    #[test]
    fn mixing_stays_between_the_two() {
        let a = Rgb::new(10, 200, 0);
        let b = Rgb::new(250, 0, 0);
        assert_eq!(a.mix(b, 0.0), a);
        assert_eq!(a.mix(b, 1.0), b);
        assert_eq!(a.mix(b, 0.5), Rgb::new(130, 100, 0));
    }
}
