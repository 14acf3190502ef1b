//! Text in pictures, set with the embedded fonts.

use std::sync::{Arc, OnceLock};

use resvg::{
    tiny_skia,
    usvg::{self, fontdb},
};
use skrifa::MetadataProvider;

use crate::colour::Rgb;

/// Family of every text that names no family, or one that is not embedded.
pub(crate) const FAMILY: &str = "Inter Display";

/// The family's two weights as files, for surfaces that load fonts.
pub(crate) const SEMI_BOLD: &[u8] = include_bytes!("../fonts/InterDisplay-SemiBold.otf");
pub(crate) const REGULAR: &[u8] = include_bytes!("../fonts/InterDisplay-Regular.otf");

static FILES: [&[u8]; 3] = [
    SEMI_BOLD,
    REGULAR,
    include_bytes!("../fonts/DejaVuSans-Bold.ttf"),
];

/// How heavy letters are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    Regular,
    SemiBold,
}

impl Weight {
    fn css(self) -> u16 {
        match self {
            Self::Regular => 400,
            Self::SemiBold => 600,
        }
    }
}

/// The embedded fonts and no others: the machine's own fonts never show up in a picture.
pub(crate) fn fonts() -> Arc<fontdb::Database> {
    static FONTS: OnceLock<Arc<fontdb::Database>> = OnceLock::new();
    let load = || {
        let mut fonts = fontdb::Database::new();
        for file in FILES {
            fonts.load_font_source(fontdb::Source::Binary(Arc::new(file)));
        }
        fonts.set_serif_family(FAMILY);
        fonts.set_sans_serif_family(FAMILY);
        fonts.set_cursive_family(FAMILY);
        fonts.set_fantasy_family(FAMILY);
        fonts.set_monospace_family(FAMILY);
        Arc::new(fonts)
    };
    Arc::clone(FONTS.get_or_init(load))
}

/// Characters of `text` that no embedded font has; each once, in order.
pub(crate) fn missing(text: &str) -> Vec<char> {
    let faces: Vec<_> = FILES
        .iter()
        .filter_map(|file| skrifa::FontRef::new(file).ok())
        .collect();
    let mut missing = Vec::new();
    for c in text.chars().filter(|c| !c.is_whitespace()) {
        let known = faces.iter().any(|face| face.charmap().map(c).is_some());
        if !known && !missing.contains(&c) {
            missing.push(c);
        }
    }
    missing
}

/// One line of text, ready to be drawn.
#[derive(Debug)]
pub(crate) struct Line {
    tree: Option<usvg::Tree>,
    /// Left edge of the first letter relative to the line's origin, in pixels.
    left: f32,
    /// Width in pixels.
    pub(crate) width: f32,
}

impl Line {
    /// Sets `text` at `size` pixels per em.
    pub(crate) fn set(text: &str, size: f32, weight: Weight, colour: Rgb) -> Self {
        // The origin lies inside the drawing so that overhanging letters are not cut.
        let svg = format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="4096" height="256"><text x="0" y="0" font-family="{FAMILY}" font-size="{size}" font-weight="{}" fill="{colour}">{}</text></svg>"#,
            weight.css(),
            escaped(text),
        );
        let options = usvg::Options {
            fontdb: fonts(),
            font_family: FAMILY.to_owned(),
            ..usvg::Options::default()
        };
        let tree = usvg::Tree::from_str(&svg, &options).ok();
        let bounds = tree.as_ref().map(|tree| tree.root().abs_bounding_box());
        Self {
            left: bounds.map_or(0.0, |bounds| bounds.x()),
            width: bounds.map_or(0.0, |bounds| bounds.width()),
            tree,
        }
    }

    /// Draws it centred on `middle` with its baseline at `baseline`.
    pub(crate) fn draw_centred(&self, canvas: &mut tiny_skia::Pixmap, middle: f32, baseline: f32) {
        let Some(tree) = &self.tree else { return };
        let x = (middle - self.width / 2.0 - self.left).round();
        let place = tiny_skia::Transform::from_translate(x, baseline);
        resvg::render(tree, place, &mut canvas.as_mut());
    }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_family_is_embedded_in_both_weights() {
        for weight in [Weight::Regular, Weight::SemiBold] {
            let query = fontdb::Query {
                families: &[fontdb::Family::Name(FAMILY)],
                weight: fontdb::Weight(weight.css()),
                ..fontdb::Query::default()
            };
            let id = fonts().query(&query).expect("a face");
            assert_eq!(fonts().face(id).expect("a face").weight.0, weight.css());
        }
    }

    #[test]
    fn width_grows_with_text_and_size() {
        let width =
            |text: &str, size: f32| Line::set(text, size, Weight::Regular, Rgb::BLACK).width;
        assert!(width("Aurora OS", 32.0) > width("Aurora", 32.0));
        assert!((width("Aurora", 64.0) / width("Aurora", 32.0) - 2.0).abs() < 0.1);
        assert_eq!(width("", 32.0), 0.0);
        assert!(width("<b> & \u{7}", 32.0) > 0.0);
    }

    #[test]
    fn what_no_font_has_is_named_once() {
        let check = |text: &str, want: &[char]| assert_eq!(missing(text), want, "{text}");
        check("Größe Ελλάς Привет Łódź", &[]);
        check("שלום مرحبا", &[]);
        check("漢字漢 OS", &['漢', '字']);
    }
}
