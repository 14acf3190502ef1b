//! The icon in the sizes that desktops ask for.

use anyhow::{Context, Result};
use resvg::{tiny_skia, usvg};

/// Edges in pixels that themes have (Icon Theme Specification, "hicolor").
const SIZES: [u32; 9] = [16, 22, 24, 32, 48, 64, 128, 256, 512];

/// Draws `svg` in each size: its edge in pixels, and a PNG.
///
/// # Errors
///
/// When it is no SVG.
pub fn drawn(svg: &[u8]) -> Result<Vec<(u32, Vec<u8>)>> {
    let tree = usvg::Tree::from_data(svg, &usvg::Options::default())?;
    SIZES.into_iter().map(|size| draw(&tree, size)).collect()
}

fn draw(tree: &usvg::Tree, size: u32) -> Result<(u32, Vec<u8>)> {
    let mut picture = tiny_skia::Pixmap::new(size, size).context("a picture of no size")?;
    #[expect(clippy::cast_precision_loss, reason = "sizes are small")]
    let edge = size as f32;
    let drawing = tree.size();
    let scale = edge / drawing.width().max(drawing.height());
    let transform = tiny_skia::Transform::from_scale(scale, scale);
    resvg::render(tree, transform, &mut picture.as_mut());
    Ok((size, picture.encode_png()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_is_drawn_to_its_edges() {
        let svg = br##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8">
            <rect width="8" height="8" fill="#f00"/></svg>"##;
        let all = drawn(svg).expect("drawn");
        assert_eq!(all.len(), SIZES.len());
        for (size, png) in all {
            let picture = tiny_skia::Pixmap::decode_png(&png).expect("a PNG");
            assert_eq!((picture.width(), picture.height()), (size, size));
            let corner = picture.pixel(size - 1, size - 1).expect("inside");
            assert_eq!((corner.red(), corner.alpha()), (255, 255), "{size}");
        }
        assert!(drawn(b"no picture").is_err());
    }
}
