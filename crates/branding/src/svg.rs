//! SVG from strangers: checked as XML first, then parsed with nothing to reach out with.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use resvg::usvg::{
    self, ImageHrefResolver, ImageKind,
    roxmltree::{self, Document, Node, ParsingOptions},
};

use crate::{
    picture::{Limits, PictureError, check_dimensions},
    svg_cost, typeset,
};

/// Elements of a drawing; the largest hand-made logos have a few thousand.
const ELEMENT_LIMIT: u32 = 50_000;

/// Pixels of all embedded pictures together.
const EMBEDDED_PIXELS: u64 = 16_000_000;

/// Bytes of one embedded picture, as base64.
const EMBEDDED_BYTES: usize = 8 * 1024 * 1024;

/// Filters that can take minutes on a small drawing.
const COSTLY_FILTERS: [&str; 4] = [
    "feTurbulence",
    "feConvolveMatrix",
    "feMorphology",
    "feImage",
];

/// Reads an SVG that refers to nothing outside itself and is cheap enough to draw.
pub(crate) fn parse(bytes: &[u8], limits: Limits) -> Result<usvg::Tree, PictureError> {
    let text = std::str::from_utf8(bytes).map_err(|_| PictureError::UnknownFormat)?;
    let document = read_xml(text)?;
    if document.root_element().tag_name().name() != "svg" {
        return Err(PictureError::UnknownFormat);
    }
    check_document(&document)?;
    svg_cost::check(&document)?;
    build_tree(&document, limits)
}

fn read_xml(text: &str) -> Result<Document<'_>, PictureError> {
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: ELEMENT_LIMIT * 4,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(text, options).map_err(|error| refused_xml(text, &error))
}

fn refused_xml(text: &str, error: &roxmltree::Error) -> PictureError {
    if matches!(error, roxmltree::Error::DtdDetected) {
        return PictureError::DocumentType;
    }
    if matches!(error, roxmltree::Error::NodesLimitReached) {
        return PictureError::TooComplex {
            detail: format!("more than {ELEMENT_LIMIT} elements"),
        };
    }
    // Only something that looks like XML is an SVG with a mistake in it.
    if !text
        .trim_start_matches('\u{feff}')
        .trim_start()
        .starts_with('<')
    {
        return PictureError::UnknownFormat;
    }
    PictureError::Damaged {
        detail: error.to_string(),
    }
}

fn check_document(document: &Document<'_>) -> Result<(), PictureError> {
    let mut elements = 0;
    for node in document.descendants() {
        if let Some(instruction) = node.pi() {
            check_instruction(instruction.target, instruction.value.unwrap_or_default())?;
        }
        if !node.is_element() {
            continue;
        }
        elements += 1;
        if elements > ELEMENT_LIMIT {
            return Err(PictureError::TooComplex {
                detail: format!("more than {ELEMENT_LIMIT} elements"),
            });
        }
        check_element(node)?;
    }
    Ok(())
}

fn check_instruction(target: &str, value: &str) -> Result<(), PictureError> {
    if target == "xml-stylesheet" {
        return Err(external(value));
    }
    Ok(())
}

fn check_element(node: Node<'_, '_>) -> Result<(), PictureError> {
    let name = node.tag_name().name();
    if name == "script" {
        return Err(PictureError::Script);
    }
    if COSTLY_FILTERS.contains(&name) {
        return Err(PictureError::TooComplex {
            detail: format!("it uses the filter {name}"),
        });
    }
    if name == "style" {
        let css: String = node
            .descendants()
            .filter_map(|n| n.is_text().then(|| n.text()).flatten())
            .collect();
        check_css(&css)?;
    }
    for attribute in node.attributes() {
        let value = attribute.value();
        match attribute.name() {
            "href" | "src" => check_href(value)?,
            // Event handlers: nothing here runs them, but what is copied into an image might.
            handler if handler.starts_with("on") => return Err(PictureError::Script),
            _ => check_css(value)?,
        }
    }
    Ok(())
}

/// Allows references within the document and embedded PNG and JPEG pictures.
fn check_href(value: &str) -> Result<(), PictureError> {
    let value = value.trim();
    if value.starts_with('#') {
        return Ok(());
    }
    let lower: String = value
        .chars()
        .take(32)
        .collect::<String>()
        .to_ascii_lowercase();
    let embedded = [
        "data:image/png;base64,",
        "data:image/jpeg;base64,",
        "data:image/jpg;base64,",
    ]
    .iter()
    .any(|prefix| lower.starts_with(prefix));
    if !embedded {
        return Err(external(value));
    }
    if value.len() > EMBEDDED_BYTES {
        return Err(PictureError::TooComplex {
            detail: "an embedded picture is too large".to_owned(),
        });
    }
    Ok(())
}

/// Allows `url(#…)` only, and no `@import`.
fn check_css(css: &str) -> Result<(), PictureError> {
    let lower = css.to_ascii_lowercase();
    if let Some(at) = lower.find("@import") {
        return Err(external(&lower[at..]));
    }
    for (at, _) in lower.match_indices("url(") {
        let target = lower[at + 4..].trim_start_matches([' ', '\t', '\n', '"', '\'']);
        if !target.starts_with('#') {
            return Err(external(target));
        }
    }
    Ok(())
}

fn external(reference: &str) -> PictureError {
    PictureError::ExternalReference {
        reference: reference.chars().take(60).collect(),
    }
}

fn build_tree(document: &Document<'_>, limits: Limits) -> Result<usvg::Tree, PictureError> {
    let spent = Arc::new(AtomicU64::new(0));
    let refused: Arc<Mutex<Option<PictureError>>> = Arc::default();
    let options = usvg::Options {
        font_family: typeset::FAMILY.to_owned(),
        fontdb: typeset::fonts(),
        image_href_resolver: embedded_only(limits, &spent, &refused),
        ..usvg::Options::default()
    };
    let tree = usvg::Tree::from_xmltree(document, &options).map_err(|error| match error {
        usvg::Error::ElementsLimitReached => PictureError::TooComplex {
            detail: error.to_string(),
        },
        usvg::Error::NotAnUtf8Str
        | usvg::Error::MalformedGZip
        | usvg::Error::SvgzFeatureNotEnabled
        | usvg::Error::InvalidSize
        | usvg::Error::ParsingFailed(_) => PictureError::Damaged {
            detail: error.to_string(),
        },
    })?;
    if let Some(error) = refused
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take()
    {
        return Err(error);
    }
    let (width, height) = tree.size().to_int_size().dimensions();
    check_dimensions(width, height, limits)?;
    Ok(tree)
}

/// Hands embedded pictures to the renderer, which has no limits of its own, only after
/// their dimensions were checked here.
fn embedded_only<'a>(
    limits: Limits,
    spent: &Arc<AtomicU64>,
    refused: &Arc<Mutex<Option<PictureError>>>,
) -> ImageHrefResolver<'a> {
    let (spent, refused) = (Arc::clone(spent), Arc::clone(refused));
    ImageHrefResolver {
        resolve_data: Box::new(
            move |_, data, _| match embedded_picture(data, limits, &spent) {
                Ok(kind) => Some(kind),
                Err(error) => {
                    *refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                    None
                }
            },
        ),
        resolve_string: Box::new(|_, _| None),
    }
}

fn embedded_picture(
    data: Arc<Vec<u8>>,
    limits: Limits,
    spent: &AtomicU64,
) -> Result<ImageKind, PictureError> {
    let damaged = |detail: String| PictureError::Damaged {
        detail: format!("an embedded picture: {detail}"),
    };
    let format = image::guess_format(&data).map_err(|error| damaged(error.to_string()))?;
    let reader = image::ImageReader::with_format(std::io::Cursor::new(data.as_slice()), format);
    let (width, height) = reader
        .into_dimensions()
        .map_err(|error| damaged(error.to_string()))?;
    check_dimensions(width, height, limits)?;
    let pixels = u64::from(width) * u64::from(height);
    if spent.fetch_add(pixels, Ordering::Relaxed) + pixels > EMBEDDED_PIXELS {
        return Err(PictureError::DimensionsTooLarge { width, height });
    }
    if format == image::ImageFormat::Png {
        return Ok(ImageKind::PNG(data));
    }
    if format == image::ImageFormat::Jpeg {
        return Ok(ImageKind::JPEG(data));
    }
    Err(external("data: of another kind than PNG and JPEG"))
}

/// Elements by their `id`.
pub(crate) fn by_id<'a, 'input>(
    document: &'a Document<'input>,
) -> HashMap<&'a str, Node<'a, 'input>> {
    document
        .descendants()
        .filter_map(|node| Some((node.attribute("id")?, node)))
        .collect()
}
