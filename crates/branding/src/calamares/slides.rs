//! The slide show: QML with the product's words and pictures.

use std::fmt::Write;

use super::Slide;
use crate::{
    Brand, Image, backdrop,
    brand::one_line,
    escape::{double_quoted, double_quoted_lines},
    palette::Palette,
    png,
};

/// Milliseconds that one slide is shown.
const SHOWN: u32 = 12_000;

/// Size of the ground behind the slides, which is scaled to the room there is.
const GROUND: (u32, u32) = (1200, 800);

/// Largest picture of a slide, in pixels; twice what Calamares' window has room for.
const PICTURE: (u32, u32) = (1280, 720);

/// Where things stand on a slide, as shares of its height, and sizes in pixels. The QML and
/// the preview both read them.
pub(super) const PICTURE_TOP: f32 = 0.08;
pub(super) const PICTURE_HEIGHT: f32 = 0.48;
pub(super) const TITLE_TOP: f32 = 0.62;
pub(super) const TITLE_TOP_ALONE: f32 = 0.34;
pub(super) const TITLE_SIZE: f32 = 28.0;
pub(super) const TEXT_SIZE: f32 = 16.0;
pub(super) const TEXT_GAP: f32 = 14.0;
/// Share of the width that texts take.
pub(super) const TEXT_WIDTH: f32 = 0.8;
pub(super) const DOT: f32 = 8.0;
pub(super) const DOT_GAP: f32 = 8.0;
/// Of the dots above the foot.
pub(super) const DOT_UP: f32 = 22.0;

/// The profile's slides, or what is true of every product.
pub(super) fn or_usual(brand: &Brand, slides: &[Slide]) -> Vec<Slide> {
    if !slides.is_empty() {
        return slides.to_vec();
    }
    let name = one_line(&brand.name);
    let slide = |title: String, text: &str| Slide {
        title,
        text: text.to_owned(),
        picture: None,
    };
    let help = [
        &brand.urls.documentation,
        &brand.urls.support,
        &brand.urls.home,
    ]
    .into_iter()
    .flatten()
    .next()
    .map_or_else(
        || "Once it has started, the menu has everything that is installed.".to_owned(),
        |url| format!("Answers and documentation: {}", one_line(url)),
    );
    let mut usual = vec![
        Slide {
            title: format!("Welcome to {name}"),
            text: "The system is being copied to your disk. This takes a few minutes.".to_owned(),
            picture: Some(crate::emblem::mark(brand)),
        },
        slide(
            "Nothing left to do".to_owned(),
            "Everything you chose is set up while you wait: language, keyboard, time zone and your account.",
        ),
    ];
    usual.push(slide("Where to find help".to_owned(), &help));
    usual
}

/// Name of a slide's picture.
fn picture_name(number: usize) -> String {
    format!("slide-{}.png", number + 1)
}

/// The slides' pictures as files.
pub(super) fn pictures(slides: &[Slide]) -> Vec<(String, Vec<u8>)> {
    let file = |(number, slide): (usize, &Slide)| {
        let picture = slide.picture.as_ref()?;
        let (width, height) = picture.fitted(PICTURE.0, PICTURE.1);
        let (width, height) = match picture.is_scalable() {
            true => (width, height),
            // Larger than it is gains nothing.
            false => (width.min(picture.size().0), height.min(picture.size().1)),
        };
        Some((
            picture_name(number),
            png::encode(&picture.render(width, height)),
        ))
    };
    slides.iter().enumerate().filter_map(file).collect()
}

/// What lies behind the slides.
pub(super) fn ground(brand: &Brand) -> Image {
    let plain = Brand {
        wallpaper: None,
        ..brand.clone()
    };
    backdrop::paint(&plain, GROUND.0, GROUND.1, 0.4)
}

/// `show.qml`, for version 2 of Calamares' interface: `onActivate` and `onLeave` are called.
pub(super) fn qml(brand: &Brand, slides: &[Slide]) -> String {
    let palette = Palette::of(brand);
    let mut list = String::new();
    for (number, slide) in slides.iter().enumerate() {
        let picture = match slide.picture {
            Some(_) => double_quoted(&picture_name(number)),
            None => "\"\"".to_owned(),
        };
        // Writing to a text cannot fail.
        let _ = writeln!(
            list,
            "        {{ title: {}, text: {}, picture: {picture} }},",
            double_quoted(&slide.title),
            double_quoted_lines(&slide.text),
        );
    }
    format!(
        r#"import QtQuick 2.15

Item {{
    id: show

    property bool activatedInCalamares: false
    property bool going: activatedInCalamares
    property int current: 0
    readonly property var slides: [
{list}    ]

    function onActivate() {{ current = 0; going = true }}
    function onLeave() {{ going = false }}

    Timer {{
        interval: {SHOWN}
        repeat: true
        running: show.going && show.slides.length > 1
        onTriggered: show.current = (show.current + 1) % show.slides.length
    }}

    Rectangle {{
        anchors.fill: parent
        color: "{ground}"
    }}

    Image {{
        anchors.fill: parent
        source: "ground.png"
        fillMode: Image.PreserveAspectCrop
        smooth: true
    }}

    Repeater {{
        model: show.slides.length

        Item {{
            id: slide

            readonly property var content: show.slides[index]
            readonly property bool pictured: content.picture !== ""

            anchors.fill: parent
            opacity: index === show.current ? 1 : 0
            visible: opacity > 0
            Behavior on opacity {{ NumberAnimation {{ duration: 500 }} }}

            Image {{
                visible: slide.pictured
                source: slide.content.picture
                anchors.horizontalCenter: parent.horizontalCenter
                y: parent.height * {PICTURE_TOP}
                width: parent.width * {TEXT_WIDTH}
                height: parent.height * {PICTURE_HEIGHT}
                fillMode: Image.PreserveAspectFit
                smooth: true
                mipmap: true
            }}

            Text {{
                id: title
                anchors.horizontalCenter: parent.horizontalCenter
                y: parent.height * (slide.pictured ? {TITLE_TOP} : {TITLE_TOP_ALONE})
                width: parent.width * {TEXT_WIDTH}
                horizontalAlignment: Text.AlignHCenter
                wrapMode: Text.Wrap
                maximumLineCount: 2
                elide: Text.ElideRight
                textFormat: Text.PlainText
                font.pixelSize: {TITLE_SIZE}
                font.weight: Font.DemiBold
                color: "{text}"
                text: slide.content.title
            }}

            Text {{
                anchors.horizontalCenter: parent.horizontalCenter
                anchors.top: title.bottom
                anchors.topMargin: {TEXT_GAP}
                width: parent.width * {TEXT_WIDTH}
                horizontalAlignment: Text.AlignHCenter
                wrapMode: Text.Wrap
                maximumLineCount: 5
                elide: Text.ElideRight
                textFormat: Text.PlainText
                lineHeight: 1.2
                font.pixelSize: {TEXT_SIZE}
                color: "{muted}"
                text: slide.content.text
            }}
        }}
    }}

    Row {{
        anchors.horizontalCenter: parent.horizontalCenter
        anchors.bottom: parent.bottom
        anchors.bottomMargin: {DOT_UP}
        spacing: {DOT_GAP}
        visible: show.slides.length > 1

        Repeater {{
            model: show.slides.length

            Rectangle {{
                width: {DOT}
                height: {DOT}
                radius: {DOT} / 2
                color: index === show.current ? "{accent}" : "{text}"
                opacity: index === show.current ? 1 : 0.3
            }}
        }}
    }}

    MouseArea {{
        anchors.fill: parent
        onClicked: show.current = (show.current + 1) % show.slides.length
    }}
}}
"#,
        ground = brand.background,
        text = brand.text,
        muted = muted(brand),
        accent = palette.accent,
    )
}

/// Text of a slide; there is no wallpaper behind it.
pub(super) fn muted(brand: &Brand) -> crate::Rgb {
    let plain = Brand {
        wallpaper: None,
        ..brand.clone()
    };
    Palette::of(&plain).muted
}
