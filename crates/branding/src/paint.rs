//! Rectangles and the few pixel operations that the surfaces share.

use image::Rgba;

use crate::{Image, colour::Rgb};

/// A rectangle in pixels; may lie partly outside the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rect {
    /// Left edge.
    pub x: i32,
    /// Top edge.
    pub y: i32,
    /// Width; nothing where 0 or less.
    pub width: i32,
    /// Height; nothing where 0 or less.
    pub height: i32,
}

impl Rect {
    /// A rectangle from its corner and size.
    pub const fn new(x: i32, y: i32, width: i32, height: i32) -> Self {
        Self {
            x,
            y,
            width,
            height,
        }
    }

    /// First column right of it.
    pub fn right(&self) -> i32 {
        self.x + self.width
    }

    /// First row below it.
    pub fn bottom(&self) -> i32 {
        self.y + self.height
    }

    /// Whether both share a pixel.
    pub fn touches(&self, other: &Rect) -> bool {
        self.x < other.right()
            && other.x < self.right()
            && self.y < other.bottom()
            && other.y < self.bottom()
    }

    /// The part that both share; empty sizes where there is none.
    pub fn clip(&self, other: &Rect) -> Rect {
        let x = self.x.max(other.x);
        let y = self.y.max(other.y);
        Rect::new(
            x,
            y,
            (self.right().min(other.right()) - x).max(0),
            (self.bottom().min(other.bottom()) - y).max(0),
        )
    }

    pub(crate) fn of(image: &Image) -> Rect {
        Rect::new(0, 0, image.width() as i32, image.height() as i32)
    }

    pub(crate) fn shifted(&self, dx: i32, dy: i32) -> Rect {
        Rect::new(self.x + dx, self.y + dy, self.width, self.height)
    }

    pub(crate) fn pixels(self) -> impl Iterator<Item = (i32, i32)> {
        (self.y..self.bottom()).flat_map(move |y| (self.x..self.right()).map(move |x| (x, y)))
    }
}

/// Blends one channel the way GRUB does (`alpha_dilute`): integer, rounded down.
fn blend_channel(below: u8, above: u8, alpha: u8) -> u8 {
    let (below, above, alpha) = (u32::from(below), u32::from(above), u32::from(alpha));
    ((above * alpha + below * (255 - alpha)) / 255) as u8
}

/// One pixel with straight alpha over an opaque one.
pub(crate) fn over(below: Rgba<u8>, above: Rgba<u8>) -> Rgba<u8> {
    let alpha = above[3];
    Rgba([
        blend_channel(below[0], above[0], alpha),
        blend_channel(below[1], above[1], alpha),
        blend_channel(below[2], above[2], alpha),
        255,
    ])
}

/// Draws `picture` over the opaque `canvas` with its corner at (`x`, `y`).
pub(crate) fn draw(canvas: &mut Image, picture: &Image, x: i32, y: i32) {
    let visible = Rect::of(picture).shifted(x, y).clip(&Rect::of(canvas));
    for (px, py) in visible.pixels() {
        let above = *picture.get_pixel((px - x) as u32, (py - y) as u32);
        let below = canvas.get_pixel_mut(px as u32, py as u32);
        *below = over(*below, above);
    }
}

/// Fills the part of `rect` that lies on the canvas.
pub(crate) fn fill(canvas: &mut Image, rect: Rect, colour: Rgba<u8>) {
    for (x, y) in rect.clip(&Rect::of(canvas)).pixels() {
        let below = canvas.get_pixel_mut(x as u32, y as u32);
        *below = over(*below, colour);
    }
}

/// A colour with alpha, 0 (clear) to 255 (solid).
pub(crate) fn rgba(colour: Rgb, alpha: u8) -> Rgba<u8> {
    Rgba([colour.r, colour.g, colour.b, alpha])
}

/// A premultiplied pixmap as a picture with straight alpha.
pub(crate) fn straight(pixmap: &resvg::tiny_skia::Pixmap) -> Image {
    Image::from_fn(pixmap.width(), pixmap.height(), |x, y| {
        let Some(pixel) = pixmap.pixel(x, y) else {
            return Rgba([0, 0, 0, 0]);
        };
        let colour = pixel.demultiply();
        Rgba([colour.red(), colour.green(), colour.blue(), colour.alpha()])
    })
}
