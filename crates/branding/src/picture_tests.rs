use image::{
    ExtendedColorType, ImageEncoder, Rgba,
    codecs::{jpeg::JpegEncoder, png::PngEncoder, webp::WebPEncoder},
};

use super::*;

fn decode(bytes: impl AsRef<[u8]>) -> Result<Picture, PictureError> {
    Picture::decode(bytes.as_ref(), Limits::default())
}

fn svg(inside: &str) -> String {
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="40" height="20">{inside}</svg>"#
    )
}

/// A whole picture, red at the left and blue at the right.
fn two_colours(width: u32, height: u32) -> Image {
    Image::from_fn(width, height, |x, _| {
        if x < width / 2 {
            Rgba([255, 0, 0, 255])
        } else {
            Rgba([0, 0, 255, 255])
        }
    })
}

fn png(picture: &Image) -> Vec<u8> {
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes)
        .write_image(
            picture,
            picture.width(),
            picture.height(),
            ExtendedColorType::Rgba8,
        )
        .expect("a PNG");
    bytes
}

/// A PNG whose header promises `width` x `height` but that holds next to nothing.
fn bomb(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = png(&two_colours(2, 2));
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let crc = crc32(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&crc.to_be_bytes());
    bytes
}

/// The checksum of PNG chunks (PNG, annex D).
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & 0u32.wrapping_sub(crc & 1))
        })
    })
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().enumerate().fold(0u32, |sum, (i, byte)| {
            sum | u32::from(*byte) << (16 - 8 * i)
        });
        for i in 0..4 {
            let letter = LETTERS[(group >> (18 - 6 * i) & 63) as usize] as char;
            text.push(if i <= chunk.len() { letter } else { '=' });
        }
    }
    text
}

#[test]
fn every_format_is_told_by_its_content_and_drawn() {
    let source = two_colours(40, 20);
    let rgb = image::DynamicImage::ImageRgba8(source.clone()).into_rgb8();
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, 95)
        .encode(&rgb, 40, 20, ExtendedColorType::Rgb8)
        .expect("a JPEG");
    let mut webp = Vec::new();
    WebPEncoder::new_lossless(&mut webp)
        .encode(&source, 40, 20, ExtendedColorType::Rgba8)
        .expect("a WebP");
    let drawing = svg(
        r##"<rect width="20" height="20" fill="#f00"/><rect x="20" width="20" height="20" fill="#00f"/>"##,
    );

    let check = |name: &str, bytes: &[u8], scalable: bool| {
        let picture = decode(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(picture.size(), (40, 20), "{name}");
        assert_eq!(picture.is_scalable(), scalable, "{name}");
        let drawn = picture.render(80, 40);
        assert_eq!(drawn.dimensions(), (80, 40), "{name}");
        let (left, right) = (drawn.get_pixel(15, 20), drawn.get_pixel(65, 20));
        assert!(left[0] > 240 && left[2] < 20, "{name}: {left:?}");
        assert!(right[2] > 240 && right[0] < 20, "{name}: {right:?}");
    };
    check("png", &png(&source), false);
    check("jpeg", &jpeg, false);
    check("webp", &webp, false);
    check("svg", drawing.as_bytes(), true);
}

#[test]
fn sizes_keep_proportions() {
    let picture = decode(png(&two_colours(40, 20))).expect("a picture");
    let check = |room: (u32, u32), want: (u32, u32)| {
        assert_eq!(picture.fitted(room.0, room.1), want, "{room:?}")
    };
    check((80, 80), (80, 40));
    check((80, 10), (20, 10));
    check((1, 1), (1, 1));
    let cover = picture.cover(20, 30);
    assert_eq!(cover.dimensions(), (20, 30));
    // The middle of the picture is in the middle.
    assert!(cover.get_pixel(2, 15)[0] > 240 && cover.get_pixel(17, 15)[2] > 240);
}

#[test]
fn bad_files_are_refused_with_a_code_and_advice() {
    let check = |name: &str, bytes: &[u8], code: &str| {
        let error = decode(bytes).expect_err(name);
        assert_eq!(error.code(), code, "{name}: {error}");
        assert!(
            error.advice().ends_with('.') && error.advice().len() > 20,
            "{name}"
        );
        assert!(error.to_string().len() > 20, "{name}");
    };
    let whole = png(&two_colours(40, 20));
    check("empty", b"", "picture_unknown_format");
    check("text", b"hello", "picture_unknown_format");
    check("gif", b"GIF89a\x01\x00\x01\x00", "picture_unknown_format");
    check("html", b"<html/>", "picture_unknown_format");
    check(
        "not utf-8",
        b"<svg>\xff\xfe</svg>",
        "picture_unknown_format",
    );
    check("svgz", b"\x1f\x8b\x08\x00\x00", "picture_compressed_svg");
    check("cut png", &whole[..whole.len() / 2], "picture_damaged");
    check(
        "cut jpeg",
        b"\xff\xd8\xff\xe0\x00\x10JFIF",
        "picture_damaged",
    );
    check(
        "cut webp",
        b"RIFF\x10\x00\x00\x00WEBPVP8 ",
        "picture_damaged",
    );
    check(
        "wide bomb",
        &bomb(60_000, 4),
        "picture_dimensions_too_large",
    );
    check(
        "high bomb",
        &bomb(4, 60_000),
        "picture_dimensions_too_large",
    );
    check(
        "large bomb",
        &bomb(10_000, 10_000),
        "picture_dimensions_too_large",
    );
    check(
        "huge bomb",
        &bomb(2_000_000_000, 2_000_000_000),
        "picture_needs_too_much_memory",
    );
    check(
        "large file",
        &vec![0; 20 * 1024 * 1024 + 1],
        "picture_file_too_large",
    );
    check("unclosed svg", b"<svg><g></svg>", "picture_damaged");
    check(
        "svg without size",
        b"<svg xmlns='http://www.w3.org/2000/svg' width='0' height='0'/>",
        "picture_damaged",
    );
    check(
        "large svg",
        b"<svg xmlns='http://www.w3.org/2000/svg' width='90000' height='10'><rect width='1' height='1'/></svg>",
        "picture_dimensions_too_large",
    );
}

#[test]
fn an_svg_reaches_nothing_outside_itself() {
    let check = |inside: &str, code: &str| {
        let error = decode(svg(inside)).expect_err(inside);
        assert_eq!(error.code(), code, "{inside}: {error}");
    };
    let outside = "picture_external_reference";
    check(r#"<image href="file:///etc/passwd"/>"#, outside);
    check(r#"<image href="/etc/passwd"/>"#, outside);
    check(r#"<image xlink:href="http://example.org/x.png"/>"#, outside);
    check(
        r#"<image xlink:href="  HTTPS://example.org/x.png"/>"#,
        outside,
    );
    check(r#"<image href="data:image/svg+xml;base64,AAAA"/>"#, outside);
    check(r#"<image href="data:image/gif;base64,AAAA"/>"#, outside);
    check(r#"<use href="other.svg#a"/>"#, outside);
    check(r#"<rect fill="url(http://example.org/#a)"/>"#, outside);
    check(r#"<rect style="fill: URL( 'file:///a.svg#b' )"/>"#, outside);
    check(
        r#"<style>@import "http://example.org/a.css";</style>"#,
        outside,
    );
    check(
        r#"<style>@font-face { src: url(font.ttf) }</style>"#,
        outside,
    );
    check(
        r#"<style><![CDATA[ rect { fill: url(a.svg#b) } ]]></style>"#,
        outside,
    );
    check("<script>alert(1)</script>", "picture_script");
    check(r#"<rect onclick="alert(1)"/>"#, "picture_script");
    let styled = format!("<?xml-stylesheet href='a.css'?>{}", svg(""));
    assert_eq!(decode(styled).expect_err("a style sheet").code(), outside);
    for dtd in [
        "<!DOCTYPE svg [<!ENTITY a 'x'>]>",
        "<!DOCTYPE svg SYSTEM 'file:///etc/passwd'>",
        "<!DOCTYPE svg [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>",
    ] {
        assert_eq!(
            decode(format!("{dtd}{}", svg(""))).expect_err(dtd).code(),
            "picture_document_type"
        );
    }
}

#[test]
fn an_svg_that_would_grow_without_end_is_refused() {
    let check = |name: &str, inside: &str| {
        let error = decode(svg(inside)).expect_err(name);
        assert_eq!(error.code(), "picture_too_complex", "{name}: {error}");
    };
    // Each level uses the one before ten times.
    let levels = |element: &dyn Fn(u32) -> String| -> String {
        let first = r#"<g id="l0"><rect width="1" height="1"/></g>"#.to_owned();
        (1..10).fold(first, |text, level| {
            format!(
                r#"{text}<g id="l{level}">{}</g>"#,
                element(level - 1).repeat(10)
            )
        })
    };
    check(
        "uses",
        &levels(&|below| format!(r##"<use href="#l{below}"/>"##)),
    );
    let patterns: String = (1..10)
        .map(|level| {
            let rect = format!(
                r#"<rect width="1" height="1" fill="url(#p{})"/>"#,
                level - 1
            )
            .repeat(10);
            format!(r#"<pattern id="p{level}" width="1" height="1">{rect}</pattern>"#)
        })
        .collect();
    check(
        "patterns",
        &format!(r#"{patterns}<rect width="9" height="9" fill="url(#p9)"/>"#),
    );
    let marker = format!(
        r#"<marker id="m">{}</marker>"#,
        r#"<rect width="1" height="1"/>"#.repeat(1000)
    );
    let path = format!(
        r#"<path marker-mid="url(#m)" d="M0 0{}"/>"#,
        "L1 1".repeat(1000)
    );
    check("markers", &format!("{marker}{path}"));
    check(
        "circle",
        r##"<g id="a"><use href="#b"/></g><g id="b"><use href="#a"/></g>"##,
    );
    check("elements", &"<g/>".repeat(60_000));
    check(
        "depth",
        &format!("{}{}", "<g>".repeat(5_000), "</g>".repeat(5_000)),
    );
    check(
        "filter",
        r#"<filter id="f"><feTurbulence numOctaves="999999999"/></filter>"#,
    );
    let blurs = r#"<rect width="9" height="9" filter="url(#b)"/>"#.repeat(600);
    check(
        "filters",
        &format!(r#"<filter id="b"><feGaussianBlur stdDeviation="5"/></filter>{blurs}"#),
    );
    check("text", &format!("<text>{}</text>", "x".repeat(30_000)));
}

#[test]
fn harmless_svgs_are_drawn() {
    let is_blue = |name: &str, inside: &str| {
        let picture = decode(svg(inside)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let drawn = picture.render(40, 20);
        assert!(
            drawn
                .pixels()
                .any(|p| p[2] > 200 && p[0] < 60 && p[3] == 255),
            "{name}"
        );
    };
    is_blue(
        "a use",
        r##"<defs><rect id="a" width="9" height="9" fill="#00f"/></defs><use xlink:href="#a"/>"##,
    );
    is_blue(
        "a style sheet",
        "<style>.a{fill:#00f}</style><rect class='a' width='9' height='9'/>",
    );
    is_blue(
        "a shadow",
        r##"<filter id="f"><feDropShadow stdDeviation="1"/></filter><rect width="20" height="20" fill="#00f" filter="url(#f)"/>"##,
    );
    is_blue(
        "text",
        r##"<text x="0" y="20" font-family="No Such Font" font-size="26" fill="#00f">M</text>"##,
    );
    let embedded = base64(&png(&Image::from_pixel(4, 4, Rgba([0, 0, 255, 255]))));
    is_blue(
        "an embedded picture",
        &format!(r#"<image width="20" height="20" href="data:image/png;base64,{embedded}"/>"#),
    );
}

#[test]
fn embedded_pictures_are_measured_before_they_are_decoded() {
    let embedded = base64(&bomb(16_000, 16_000));
    let inside =
        format!(r#"<image width="20" height="20" href="data:image/png;base64,{embedded}"/>"#);
    assert_eq!(
        decode(svg(&inside)).expect_err("a bomb").code(),
        "picture_dimensions_too_large"
    );
    // A GIF under a PNG's name.
    let inside = format!(
        r#"<image width="20" height="20" href="data:image/png;base64,{}"/>"#,
        base64(b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff")
    );
    assert!(decode(svg(&inside)).is_err());
}
