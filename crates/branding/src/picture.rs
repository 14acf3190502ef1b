//! Logos and wallpapers: untrusted files, decoded within hard limits.

use std::{
    collections::VecDeque,
    io::Cursor,
    sync::{Arc, Mutex, PoisonError},
};

use image::{ImageDecoder, ImageFormat, ImageReader, imageops::FilterType, metadata::Orientation};
use resvg::{tiny_skia, usvg};

use crate::{Image, paint, svg};

/// How much a picture may cost before it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest file, in bytes.
    pub file_bytes: usize,
    /// Largest width and height, in pixels.
    pub side: u32,
    /// Largest width times height, in pixels.
    pub pixels: u64,
}

impl Default for Limits {
    /// 20 MiB, 16384 pixels per side, 64 megapixels.
    fn default() -> Self {
        Self {
            file_bytes: 20 * 1024 * 1024,
            side: 16_384,
            pixels: 64_000_000,
        }
    }
}

/// Why a picture was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// More bytes than [`Limits::file_bytes`].
    #[error("the picture's file has {bytes} bytes, at most {limit} are allowed")]
    FileTooLarge {
        /// Size of the file.
        bytes: usize,
        /// What is allowed.
        limit: usize,
    },
    /// Neither SVG, PNG, JPEG nor WebP.
    #[error("the file is not an SVG, PNG, JPEG or WebP picture")]
    UnknownFormat,
    /// An SVG inside gzip.
    #[error("the file is a compressed SVG (svgz)")]
    CompressedSvg,
    /// Wider, higher or larger than [`Limits`] allow; found before anything is decoded.
    #[error("the picture measures {width} x {height} pixels, which is too large")]
    DimensionsTooLarge {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// Needs more memory to decode than [`Limits::pixels`] stand for.
    #[error("the picture needs too much memory to be read")]
    NeedsTooMuchMemory,
    /// Cut short or broken.
    #[error("the picture cannot be read: {detail}")]
    Damaged {
        /// What the decoder said.
        detail: String,
    },
    /// An SVG that points to something outside itself.
    #[error("the SVG points to something outside itself: {reference}")]
    ExternalReference {
        /// The reference, shortened.
        reference: String,
    },
    /// A document type or entities in an SVG.
    #[error("the SVG has a document type or entities")]
    DocumentType,
    /// A program in an SVG.
    #[error("the SVG has a script")]
    Script,
    /// An SVG that would take unreasonably long or much memory to draw.
    #[error("the SVG is too complex: {detail}")]
    TooComplex {
        /// What there is too much of.
        detail: String,
    },
}

impl PictureError {
    /// A stable name for machines; never translated, never changed.
    pub fn code(&self) -> &'static str {
        match self {
            Self::FileTooLarge { .. } => "picture_file_too_large",
            Self::UnknownFormat => "picture_unknown_format",
            Self::CompressedSvg => "picture_compressed_svg",
            Self::DimensionsTooLarge { .. } => "picture_dimensions_too_large",
            Self::NeedsTooMuchMemory => "picture_needs_too_much_memory",
            Self::Damaged { .. } => "picture_damaged",
            Self::ExternalReference { .. } => "picture_external_reference",
            Self::DocumentType => "picture_document_type",
            Self::Script => "picture_script",
            Self::TooComplex { .. } => "picture_too_complex",
        }
    }

    /// What a person can do about it, in one sentence.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::FileTooLarge { .. } => "Export the picture smaller or with stronger compression.",
            Self::UnknownFormat => "Export the picture as SVG or PNG and choose that file.",
            Self::CompressedSvg => "Save it as plain SVG, or unpack it with gunzip.",
            Self::DimensionsTooLarge { .. } | Self::NeedsTooMuchMemory => {
                "Scale the picture down; 3840 x 2160 is enough for every surface."
            }
            Self::Damaged { .. } => "Open the picture in an image editor and export it again.",
            Self::ExternalReference { .. } => {
                "Embed linked pictures as PNG or JPEG, and convert text in other fonts to paths."
            }
            Self::DocumentType => "Save it as plain SVG, without a document type and entities.",
            Self::Script => "Remove the script, or export a still picture as plain SVG.",
            Self::TooComplex { .. } => "Simplify the drawing, or export it as PNG.",
        }
    }
}

/// A picture that was read within limits and can be drawn at any size.
#[derive(Debug, Clone)]
pub struct Picture {
    content: Content,
    /// Sizes drawn last, shared by copies: scaling costs more than all the rest of a preview.
    drawn: Arc<Mutex<VecDeque<Drawn>>>,
}

/// How many drawn sizes are remembered.
const MOST_DRAWN: usize = 4;

/// A picture at one size.
#[derive(Debug)]
struct Drawn {
    covers: bool,
    size: (u32, u32),
    image: Image,
}

#[derive(Debug, Clone)]
enum Content {
    Pixels(Arc<Image>),
    Drawing(Arc<usvg::Tree>),
}

impl Picture {
    /// Reads an SVG, PNG, JPEG or WebP file; the kind is told from the content.
    ///
    /// # Errors
    /// A [`PictureError`] for a file that is broken, too large or not allowed.
    pub fn decode(bytes: &[u8], limits: Limits) -> Result<Self, PictureError> {
        if bytes.len() > limits.file_bytes {
            return Err(PictureError::FileTooLarge {
                bytes: bytes.len(),
                limit: limits.file_bytes,
            });
        }
        if bytes.starts_with(&[0x1f, 0x8b]) {
            return Err(PictureError::CompressedSvg);
        }
        let content = match raster_format(bytes) {
            Some(format) => Content::Pixels(Arc::new(decode_raster(bytes, format, limits)?)),
            None => Content::Drawing(Arc::new(svg::parse(bytes, limits)?)),
        };
        Ok(Self {
            content,
            drawn: Arc::default(),
        })
    }

    /// Its own size in pixels; an SVG's nominal size, rounded up.
    pub fn size(&self) -> (u32, u32) {
        match &self.content {
            Content::Pixels(pixels) => pixels.dimensions(),
            Content::Drawing(tree) => tree.size().to_int_size().dimensions(),
        }
    }

    /// Whether it is sharp at every size.
    pub fn is_scalable(&self) -> bool {
        match &self.content {
            Content::Pixels(_) => false,
            Content::Drawing(_) => true,
        }
    }

    /// The drawing as an SVG of its own, with nothing in it that this crate does not draw:
    /// texts are paths, references are resolved. `None` for pixels.
    pub(crate) fn drawing(&self) -> Option<String> {
        match &self.content {
            Content::Pixels(_) => None,
            Content::Drawing(tree) => Some(tree.to_string(&usvg::WriteOptions::default())),
        }
    }

    /// Largest size with the picture's proportions inside `width` x `height`, at least 1 x 1.
    pub fn fitted(&self, width: u32, height: u32) -> (u32, u32) {
        self.scaled_by(f64::min, width, height)
    }

    fn scaled_by(&self, choose: fn(f64, f64) -> f64, width: u32, height: u32) -> (u32, u32) {
        let (w, h) = self.size();
        let scale = choose(
            f64::from(width) / f64::from(w),
            f64::from(height) / f64::from(h),
        );
        let scaled = |side: u32| (f64::from(side) * scale).round().max(1.0) as u32;
        (scaled(w), scaled(h))
    }

    /// The picture stretched to exactly this size, with straight alpha.
    pub fn render(&self, width: u32, height: u32) -> Image {
        self.remembered(false, (width, height), || self.draw(width, height))
    }

    fn remembered(&self, covers: bool, size: (u32, u32), draw: impl FnOnce() -> Image) -> Image {
        // Whoever panicked while drawing has not touched the list.
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        let known = |drawn: &&Drawn| drawn.covers == covers && drawn.size == size;
        if let Some(known) = drawn.iter().find(known) {
            return known.image.clone();
        }
        let image = draw();
        if drawn.len() == MOST_DRAWN {
            drawn.pop_front();
        }
        drawn.push_back(Drawn {
            covers,
            size,
            image: image.clone(),
        });
        image
    }

    fn draw(&self, width: u32, height: u32) -> Image {
        match &self.content {
            Content::Pixels(pixels) => resize(pixels, width, height),
            Content::Drawing(tree) => draw_svg(tree, width, height),
        }
    }

    /// The middle of the picture filling exactly this size.
    pub(crate) fn cover(&self, width: u32, height: u32) -> Image {
        self.remembered(true, (width, height), || self.draw_cover(width, height))
    }

    fn draw_cover(&self, width: u32, height: u32) -> Image {
        let (w, h) = self.scaled_by(f64::max, width, height);
        let (w, h) = (w.max(width), h.max(height));
        let (x, y) = ((w - width) / 2, (h - height) / 2);
        match &self.content {
            // Cut first: a very wide picture would need a very wide copy.
            Content::Pixels(pixels) => {
                let (own_w, own_h) = pixels.dimensions();
                let part = |cut: u32, whole: u32, own: u32| {
                    ((u64::from(cut) * u64::from(own) / u64::from(whole)) as u32).clamp(1, own)
                };
                let (cut_w, cut_h) = (part(width, w, own_w), part(height, h, own_h));
                let cut = image::imageops::crop_imm(
                    pixels.as_ref(),
                    (own_w - cut_w) / 2,
                    (own_h - cut_h) / 2,
                    cut_w,
                    cut_h,
                );
                resize(&cut.to_image(), width, height)
            }
            Content::Drawing(tree) => {
                let size = tree.size();
                let scale = (w as f32 / size.width()).max(h as f32 / size.height());
                let place = tiny_skia::Transform::from_scale(scale, scale)
                    .post_translate(-(x as f32), -(y as f32));
                render_tree(tree, width, height, place)
            }
        }
    }
}

fn draw_svg(tree: &usvg::Tree, width: u32, height: u32) -> Image {
    let size = tree.size();
    let scale = tiny_skia::Transform::from_scale(
        width as f32 / size.width(),
        height as f32 / size.height(),
    );
    render_tree(tree, width, height, scale)
}

fn render_tree(tree: &usvg::Tree, width: u32, height: u32, place: tiny_skia::Transform) -> Image {
    let Some(mut pixmap) = tiny_skia::Pixmap::new(width, height) else {
        return Image::new(width, height);
    };
    resvg::render(tree, place, &mut pixmap.as_mut());
    paint::straight(&pixmap)
}

/// Scales down in two steps: a box filter to about twice the size, which is fast on large
/// photographs, then a sharp filter.
fn resize(pixels: &Image, width: u32, height: u32) -> Image {
    if pixels.dimensions() == (width, height) {
        return pixels.clone();
    }
    let (w, h) = pixels.dimensions();
    if w >= width * 3 && h >= height * 3 {
        let half_way = image::imageops::thumbnail(pixels, width * 2, height * 2);
        return image::imageops::resize(&half_way, width, height, FilterType::Triangle);
    }
    image::imageops::resize(pixels, width, height, FilterType::CatmullRom)
}

fn raster_format(bytes: &[u8]) -> Option<ImageFormat> {
    [
        (ImageFormat::Png, bytes.starts_with(b"\x89PNG\r\n\x1a\n")),
        (ImageFormat::Jpeg, bytes.starts_with(b"\xff\xd8\xff")),
        (
            ImageFormat::WebP,
            bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP"),
        ),
    ]
    .into_iter()
    .find_map(|(format, matches)| matches.then_some(format))
}

/// Refuses dimensions that cost too much, before any pixel is decoded.
pub(crate) fn check_dimensions(
    width: u32,
    height: u32,
    limits: Limits,
) -> Result<(), PictureError> {
    let fits = width <= limits.side
        && height <= limits.side
        && u64::from(width) * u64::from(height) <= limits.pixels;
    if width == 0 || height == 0 {
        return Err(PictureError::Damaged {
            detail: "it has no width or no height".to_owned(),
        });
    }
    if !fits {
        return Err(PictureError::DimensionsTooLarge { width, height });
    }
    Ok(())
}

fn decode_raster(bytes: &[u8], format: ImageFormat, limits: Limits) -> Result<Image, PictureError> {
    let damaged = |error: image::ImageError| {
        if matches!(error, image::ImageError::Limits(_)) {
            return PictureError::NeedsTooMuchMemory;
        }
        PictureError::Damaged {
            detail: error.to_string(),
        }
    };
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    // Room for 16-bit RGBA of the largest picture; dimensions are checked below.
    let mut budget = image::Limits::default();
    budget.max_alloc = Some(limits.pixels.saturating_mul(8));
    reader.limits(budget);
    let mut decoder = reader.into_decoder().map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    check_dimensions(width, height, limits)?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = image::DynamicImage::from_decoder(decoder).map_err(damaged)?;
    picture.apply_orientation(orientation);
    Ok(picture.into_rgba8())
}

#[cfg(test)]
#[path = "picture_tests.rs"]
mod tests;
