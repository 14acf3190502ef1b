//! Boxes made of nine pixmaps, as GRUB's themes have them, and GRUB's scaling.

use image::Rgba;
use resvg::tiny_skia::{Color, FillRule, Paint, PathBuilder, Pixmap, Stroke, Transform};

use crate::{Image, ThemeFile, paint, png};

/// The pixmaps of a box; a missing one draws nothing and takes no room.
///
/// Meaning and drawing order: GRUB manual, "Theme file format", and `widget-box.c`.
#[derive(Debug, Clone, Default)]
pub(crate) struct BoxArt {
    pub(crate) north_west: Option<Image>,
    pub(crate) north: Option<Image>,
    pub(crate) north_east: Option<Image>,
    pub(crate) west: Option<Image>,
    pub(crate) centre: Option<Image>,
    pub(crate) east: Option<Image>,
    pub(crate) south_west: Option<Image>,
    pub(crate) south: Option<Image>,
    pub(crate) south_east: Option<Image>,
}

/// Names of the nine files of one box, in the order of [`BoxArt::parts`].
pub(crate) type PartNames = [&'static str; 9];

impl BoxArt {
    /// A rounded panel with a hairline; the border takes `radius` pixels on each side.
    pub(crate) fn rounded(radius: u32, fill: Rgba<u8>, edge: Rgba<u8>) -> Self {
        let middle = 4;
        let side = radius * 2 + middle;
        let whole = rounded_rect(side, side, radius as f32, fill, edge);
        let cut = |x, y, w, h| Some(image::imageops::crop_imm(&whole, x, y, w, h).to_image());
        let far = radius + middle;
        Self {
            north_west: cut(0, 0, radius, radius),
            north: cut(radius, 0, middle, radius),
            north_east: cut(far, 0, radius, radius),
            west: cut(0, radius, radius, middle),
            centre: cut(radius, radius, middle, middle),
            east: cut(far, radius, radius, middle),
            south_west: cut(0, far, radius, radius),
            south: cut(radius, far, middle, radius),
            south_east: cut(far, far, radius, radius),
        }
    }

    /// A bar of fixed height with rounded ends; only its width may change.
    pub(crate) fn pill(height: u32, radius: u32, fill: Rgba<u8>) -> Self {
        let whole = rounded_rect(
            radius * 2 + 4,
            height,
            radius as f32,
            fill,
            Rgba([0, 0, 0, 0]),
        );
        let cut = |x, w| Some(image::imageops::crop_imm(&whole, x, 0, w, height).to_image());
        Self {
            west: cut(0, radius),
            centre: cut(radius, 4),
            east: cut(radius + 4, radius),
            ..Self::default()
        }
    }

    /// A flat line with `clear` empty rows above and below.
    pub(crate) fn line(clear: u32, fill: Rgba<u8>) -> Self {
        let empty = (clear > 0).then(|| Image::new(4, clear));
        Self {
            north: empty.clone(),
            south: empty,
            centre: Some(Image::from_pixel(4, 4, fill)),
            ..Self::default()
        }
    }

    fn parts(&self) -> [&Option<Image>; 9] {
        [
            &self.north_west,
            &self.north,
            &self.north_east,
            &self.west,
            &self.centre,
            &self.east,
            &self.south_west,
            &self.south,
            &self.south_east,
        ]
    }

    pub(crate) fn files(&self, names: PartNames) -> Vec<ThemeFile> {
        self.parts()
            .into_iter()
            .zip(names)
            .filter_map(|(part, path)| {
                Some(ThemeFile {
                    path,
                    bytes: png::encode(part.as_ref()?),
                })
            })
            .collect()
    }

    pub(crate) fn left(&self) -> i32 {
        width_of(&self.west)
    }

    pub(crate) fn right(&self) -> i32 {
        width_of(&self.east)
    }

    pub(crate) fn top(&self) -> i32 {
        height_of(&self.north)
    }

    pub(crate) fn bottom(&self) -> i32 {
        height_of(&self.south)
    }

    /// Draws it with its outer corner at (`x`, `y`) around content of this size.
    pub(crate) fn draw(&self, canvas: &mut Image, x: i32, y: i32, width: i32, height: i32) {
        let (inner_x, inner_y) = (x + self.left(), y + self.top());
        let (far_x, far_y) = (inner_x + width, inner_y + height);
        let mut put = |part: &Option<Image>, px: i32, py: i32, w: Option<i32>, h: Option<i32>| {
            let Some(part) = part else { return };
            let w = w.unwrap_or(part.width() as i32);
            let h = h.unwrap_or(part.height() as i32);
            if w > 0 && h > 0 {
                paint::draw(canvas, &scaled(part, w as u32, h as u32), px, py);
            }
        };
        put(&self.north, inner_x, y, Some(width), None);
        put(&self.south, inner_x, far_y, Some(width), None);
        put(&self.east, far_x, inner_y, None, Some(height));
        put(&self.west, x, inner_y, None, Some(height));
        put(&self.north_west, x, y, None, None);
        put(&self.north_east, far_x, y, None, None);
        put(&self.south_east, far_x, far_y, None, None);
        put(&self.south_west, x, far_y, None, None);
        put(&self.centre, inner_x, inner_y, Some(width), Some(height));
    }
}

fn width_of(part: &Option<Image>) -> i32 {
    part.as_ref().map_or(0, |image| image.width() as i32)
}

fn height_of(part: &Option<Image>) -> i32 {
    part.as_ref().map_or(0, |image| image.height() as i32)
}

/// Scales the way GRUB does (`scale_bilinear`): 8-bit fractions, the sum rounded down, the
/// last row and column not blended.
pub(crate) fn scaled(source: &Image, width: u32, height: u32) -> Image {
    let (source_width, source_height) = source.dimensions();
    if (source_width, source_height) == (width, height) {
        return source.clone();
    }
    Image::from_fn(width, height, |x, y| {
        let column = 256 * source_width * x / width;
        let row = 256 * source_height * y / height;
        let (sx, sy) = (column >> 8, row >> 8);
        let here = source.get_pixel(sx, sy);
        if sx + 1 >= source_width || sy + 1 >= source_height {
            return *here;
        }
        let (u, v) = (column & 0xff, row & 0xff);
        let right = source.get_pixel(sx + 1, sy);
        let below = source.get_pixel(sx, sy + 1);
        let across = source.get_pixel(sx + 1, sy + 1);
        let channel = |i: usize| {
            let sum = (256 - u) * (256 - v) * u32::from(here[i])
                + (256 - u) * v * u32::from(below[i])
                + u * (256 - v) * u32::from(right[i])
                + u * v * u32::from(across[i]);
            (sum >> 16) as u8
        };
        Rgba([channel(0), channel(1), channel(2), channel(3)])
    })
}

/// A filled rounded rectangle with a one-pixel edge inside it.
pub(crate) fn rounded_rect(
    width: u32,
    height: u32,
    radius: f32,
    fill: Rgba<u8>,
    edge: Rgba<u8>,
) -> Image {
    let Some(mut canvas) = Pixmap::new(width, height) else {
        return Image::new(width, height);
    };
    let (w, h) = (width as f32, height as f32);
    if let Some(path) = outline(0.0, 0.0, w, h, radius) {
        canvas.fill_path(
            &path,
            &solid(fill),
            FillRule::Winding,
            Transform::identity(),
            None,
        );
    }
    if let Some(path) = outline(0.5, 0.5, w - 0.5, h - 0.5, radius - 0.5) {
        canvas.stroke_path(
            &path,
            &solid(edge),
            &Stroke::default(),
            Transform::identity(),
            None,
        );
    }
    paint::straight(&canvas)
}

fn solid(colour: Rgba<u8>) -> Paint<'static> {
    let mut paint = Paint {
        anti_alias: true,
        ..Paint::default()
    };
    paint.set_color(Color::from_rgba8(
        colour[0], colour[1], colour[2], colour[3],
    ));
    paint
}

fn outline(
    left: f32,
    top: f32,
    right: f32,
    bottom: f32,
    radius: f32,
) -> Option<resvg::tiny_skia::Path> {
    // Length of a Bézier handle that comes closest to a quarter circle.
    let k = radius * 0.5523;
    let mut path = PathBuilder::new();
    path.move_to(left + radius, top);
    path.line_to(right - radius, top);
    path.cubic_to(
        right - radius + k,
        top,
        right,
        top + radius - k,
        right,
        top + radius,
    );
    path.line_to(right, bottom - radius);
    path.cubic_to(
        right,
        bottom - radius + k,
        right - radius + k,
        bottom,
        right - radius,
        bottom,
    );
    path.line_to(left + radius, bottom);
    path.cubic_to(
        left + radius - k,
        bottom,
        left,
        bottom - radius + k,
        left,
        bottom - radius,
    );
    path.line_to(left, top + radius);
    path.cubic_to(
        left,
        top + radius - k,
        left + radius - k,
        top,
        left + radius,
        top,
    );
    path.close();
    path.finish()
}
