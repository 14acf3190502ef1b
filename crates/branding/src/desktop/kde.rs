//! KDE Plasma: a look-and-feel with wallpaper, colours, splash and panel, and Konsole's colours.
//!
//! Sources: KDE's developer documentation ("Plasma Themes and Plugins", wallpapers, global
//! themes), plasma-workspace 6.3 and 5.27.

use std::fmt::Write;

use super::{Tone, icons, slug, wallpaper};
use crate::{
    Brand, Rgb, TreeFile, emblem,
    escape::{double_quoted, kconfig},
    palette::Palette,
    png,
};

/// Id of the look-and-feel.
pub const LOOK_AND_FEEL: &str = "org.brand.desktop";

/// Height of Plasma's panel, in pixels, with the usual font (18 pixels of grid).
pub(super) const PANEL: u32 = 44;

/// Pixels around Plasma 6's panel, which floats.
pub(super) const PANEL_GAP: u32 = 6;

pub(super) fn files(brand: &Brand) -> Vec<TreeFile> {
    let slug = slug(brand);
    let mut files = vec![wallpaper_package(brand, &slug)];
    files.extend(look_and_feel(brand, &slug));
    files.extend(colours(brand, &slug));
    files.extend(konsole(brand, &slug));
    files.push(about(brand));
    files
}

/// What makes the folder with the wallpapers a package of Plasma's.
fn wallpaper_package(brand: &Brand, slug: &str) -> TreeFile {
    let metadata = format!(
        "{{\n    \"KPlugin\": {{\n        \"Id\": {},\n        \"Name\": {}\n    }}\n}}\n",
        double_quoted(slug),
        double_quoted(&brand.name),
    );
    TreeFile::new(format!("{}metadata.json", wallpaper_folder(slug)), metadata)
}

fn look_and_feel(brand: &Brand, slug: &str) -> Vec<TreeFile> {
    let folder = format!("/usr/share/plasma/look-and-feel/{LOOK_AND_FEEL}");
    let file = |name: &str, bytes: Vec<u8>| TreeFile::new(format!("{folder}/{name}"), bytes);
    let name = double_quoted(&brand.name);
    let metadata = format!(
        "{{\n    \"KPackageStructure\": \"Plasma/LookAndFeel\",\n    \"KPlugin\": {{\n        \"Id\": \"{LOOK_AND_FEEL}\",\n        \"Name\": {name},\n        \"Description\": {name}\n    }},\n    \"X-Plasma-APIVersion\": \"2\"\n}}\n"
    );
    let (theme, icons) = match Tone::of(brand) {
        Tone::Light => ("default", "breeze"),
        Tone::Dark => ("default", "breeze-dark"),
    };
    let defaults = format!(
        "[kdeglobals][KDE]\nwidgetStyle=Breeze\n\n[kdeglobals][General]\nColorScheme={slug}\nAccentColor={accent}\n\n[kdeglobals][Icons]\nTheme={icons}\n\n[plasmarc][Theme]\nname={theme}\n\n[Wallpaper]\nImage={slug}\n\n[kcminputrc][Mouse]\ncursorTheme=breeze_cursors\n\n[kwinrc][org.kde.kdecoration2]\nlibrary=org.kde.breeze\ntheme=Breeze\n\n[KSplash]\nTheme={LOOK_AND_FEEL}\n",
        accent = triple(brand.accent),
    );
    let layout = format!(
        "loadTemplate(\"org.kde.plasma.desktop.defaultPanel\")\n\n\
         for (const panel of panels()) {{\n    for (const widget of panel.widgets(\"org.kde.plasma.kickoff\")) {{\n        widget.currentConfigGroup = [\"General\"]\n        widget.writeConfig(\"icon\", {icon})\n    }}\n}}\n\n\
         for (const desktop of desktopsForActivity(currentActivity())) {{\n    desktop.wallpaperPlugin = \"org.kde.image\"\n    desktop.currentConfigGroup = [\"Wallpaper\", \"org.kde.image\", \"General\"]\n    desktop.writeConfig(\"Image\", \"/usr/share/wallpapers/{slug}/\")\n}}\n",
        icon = double_quoted(&icons::name(brand)),
    );
    vec![
        file("metadata.json", metadata.into_bytes()),
        file("contents/defaults", defaults.into_bytes()),
        file(
            "contents/layouts/org.kde.plasma.desktop-layout.js",
            layout.into_bytes(),
        ),
        file("contents/splash/Splash.qml", splash(brand).into_bytes()),
        file(
            "contents/splash/images/logo.png",
            png::encode(&emblem::square(brand, 512)),
        ),
        file(
            "contents/previews/preview.png",
            png::encode(&wallpaper::picture(brand, Tone::of(brand), 600, 337)),
        ),
    ]
}

/// What Plasma shows while it starts: the logo on the ground of the boot splash.
fn splash(brand: &Brand) -> String {
    let palette = Palette::of(brand);
    format!(
        r#"import QtQuick 2.15

Rectangle {{
    id: root

    property int stage: 0

    color: "{ground}"

    Image {{
        id: logo
        anchors.centerIn: parent
        source: "images/logo.png"
        width: Math.min(parent.width, parent.height) * 0.18
        height: width
        fillMode: Image.PreserveAspectFit
        smooth: true
        mipmap: true
    }}

    Rectangle {{
        anchors.horizontalCenter: parent.horizontalCenter
        y: logo.y + logo.height + 56
        width: 240
        height: 4
        color: "{text}"
        opacity: 0.2
    }}

    Rectangle {{
        x: (parent.width - 240) / 2
        y: logo.y + logo.height + 56
        width: 240 * Math.min(root.stage, 6) / 6
        height: 4
        color: "{accent}"
        Behavior on width {{ NumberAnimation {{ duration: 300 }} }}
    }}
}}
"#,
        ground = brand.background,
        text = brand.text,
        accent = palette.accent,
    )
}

/// `1,2,3`, as KConfig writes colours.
fn triple(colour: Rgb) -> String {
    format!("{},{},{}", colour.r, colour.g, colour.b)
}

/// A colour scheme, and the same as what every program starts with.
fn colours(brand: &Brand, slug: &str) -> Vec<TreeFile> {
    let scheme = |tone: Tone, id: &str| {
        let head = format!(
            "[General]\nColorScheme={id}\nName={}\n\n",
            kconfig(&brand.short_name)
        );
        (head, groups(brand, tone))
    };
    let tone = Tone::of(brand);
    let (head, body) = scheme(tone, slug);
    let icons = match tone {
        Tone::Light => "breeze",
        Tone::Dark => "breeze-dark",
    };
    let globals = format!(
        "[General]\nColorScheme={slug}\nAccentColor={}\n\n[KDE]\nLookAndFeelPackage={LOOK_AND_FEEL}\n\n[Icons]\nTheme={icons}\n\n{body}",
        triple(brand.accent)
    );
    let picture = wallpaper_folder(slug);
    vec![
        TreeFile::new(
            format!("/usr/share/color-schemes/{slug}.colors"),
            head + &body,
        ),
        TreeFile::new("/etc/xdg/kdeglobals", globals),
        TreeFile::new(
            "/etc/xdg/kscreenlockerrc",
            format!(
                "[Greeter]\nWallpaperPlugin=org.kde.image\n\n[Greeter][Wallpaper][org.kde.image][General]\nImage={picture}\nPreviewImage={picture}\n"
            ),
        ),
        TreeFile::new(
            "/etc/xdg/ksplashrc",
            format!("[KSplash]\nEngine=KSplashQML\nTheme={LOOK_AND_FEEL}\n"),
        ),
    ]
}

fn wallpaper_folder(slug: &str) -> String {
    format!("/usr/share/wallpapers/{slug}/")
}

/// The colour groups of a KDE colour scheme.
fn groups(brand: &Brand, tone: Tone) -> String {
    let palette = Palette::of(brand);
    let (accent, on_accent) = (palette.accent, palette.on_accent);
    let (face, ink) = tone.window();
    let view = tone.view();
    let bar = tone.title_bar();
    let quiet = ink.mix(face, 0.4);
    let (good, warn, bad) = match tone {
        Tone::Light => (
            Rgb::new(0x27, 0x7a, 0x42),
            Rgb::new(0xa8, 0x5f, 0x00),
            Rgb::new(0xb3, 0x26, 0x35),
        ),
        Tone::Dark => (
            Rgb::new(0x4f, 0xc0, 0x72),
            Rgb::new(0xf0, 0xa4, 0x3a),
            Rgb::new(0xf0, 0x6a, 0x76),
        ),
    };
    let sets = [
        ("Button", bar, face, ink),
        (
            "Complementary",
            brand.background,
            brand.background,
            brand.text,
        ),
        ("Header", bar, face, ink),
        ("Header][Inactive", face, bar, ink),
        ("Selection", accent, accent, on_accent),
        ("Tooltip", face, bar, ink),
        ("View", view, face, ink),
        ("Window", face, bar, ink),
    ];
    let mut text = String::new();
    for (name, ground, alternate, ink) in sets {
        let selection = name == "Selection";
        let mark = if selection { on_accent } else { accent };
        let fainter = if selection { on_accent } else { quiet };
        // Writing to a text cannot fail.
        let _ = write!(
            text,
            "[Colors:{name}]\nBackgroundNormal={}\nBackgroundAlternate={}\nForegroundNormal={}\nForegroundInactive={}\nForegroundActive={mark}\nForegroundLink={mark}\nForegroundVisited={fainter}\nForegroundNegative={}\nForegroundNeutral={}\nForegroundPositive={}\nDecorationFocus={accent}\nDecorationHover={accent}\n\n",
            triple(ground),
            triple(alternate),
            triple(ink),
            triple(fainter),
            triple(bad),
            triple(warn),
            triple(good),
            mark = triple(mark),
            fainter = triple(fainter),
            accent = triple(accent),
        );
    }
    let _ = write!(
        text,
        "[WM]\nactiveBackground={bar}\nactiveForeground={ink}\ninactiveBackground={face}\ninactiveForeground={quiet}\nactiveBlend={ink}\ninactiveBlend={quiet}\n",
        bar = triple(bar),
        ink = triple(ink),
        face = triple(face),
        quiet = triple(quiet),
    );
    text
}

/// Konsole: the product's ground and text, sixteen colours that read on it.
fn konsole(brand: &Brand, slug: &str) -> Vec<TreeFile> {
    const DARK: [(u8, u8, u8); 8] = [
        (0x24, 0x28, 0x2e),
        (0xf0, 0x6a, 0x76),
        (0x4f, 0xc0, 0x72),
        (0xf0, 0xb4, 0x4a),
        (0x5a, 0xa2, 0xf4),
        (0xc6, 0x86, 0xe8),
        (0x4c, 0xc4, 0xc8),
        (0xd8, 0xdc, 0xe2),
    ];
    const LIGHT: [(u8, u8, u8); 8] = [
        (0x23, 0x26, 0x29),
        (0xb3, 0x26, 0x35),
        (0x27, 0x7a, 0x42),
        (0x8f, 0x60, 0x00),
        (0x1f, 0x5f, 0xb8),
        (0x7d, 0x3a, 0xa4),
        (0x0f, 0x72, 0x7c),
        (0x6a, 0x70, 0x78),
    ];
    let tone = Tone::of(brand);
    let base = match tone {
        Tone::Light => LIGHT,
        Tone::Dark => DARK,
    };
    let far = match tone {
        Tone::Light => Rgb::BLACK,
        Tone::Dark => Rgb::WHITE,
    };
    let mut scheme = format!(
        "[General]\nDescription={}\nOpacity=1\nWallpaper=\n\n",
        kconfig(&brand.short_name)
    );
    let mut entry = |name: &str, colour: Rgb| {
        // Writing to a text cannot fail.
        let _ = write!(scheme, "[{name}]\nColor={}\n\n", triple(colour));
    };
    for (name, ground, ink) in [
        ("", brand.background, brand.text),
        ("Intense", brand.background, brand.text.mix(far, 0.4)),
        (
            "Faint",
            brand.background,
            brand.text.mix(brand.background, 0.35),
        ),
    ] {
        entry(&format!("Background{name}"), ground);
        entry(&format!("Foreground{name}"), ink);
    }
    for (number, (r, g, b)) in base.into_iter().enumerate() {
        let colour = Rgb::new(r, g, b);
        entry(&format!("Color{number}"), colour);
        entry(&format!("Color{number}Intense"), colour.mix(far, 0.25));
        entry(
            &format!("Color{number}Faint"),
            colour.mix(brand.background, 0.3),
        );
    }
    let profile = format!(
        "[Appearance]\nColorScheme={slug}\n\n[General]\nName={}\nParent=FALLBACK/\n",
        kconfig(&brand.short_name)
    );
    vec![
        TreeFile::new(format!("/usr/share/konsole/{slug}.colorscheme"), scheme),
        TreeFile::new(format!("/usr/share/konsole/{slug}.profile"), profile),
        TreeFile::new(
            "/etc/xdg/konsolerc",
            format!("[Desktop Entry]\nDefaultProfile={slug}.profile\n"),
        ),
    ]
}

/// "About this system": logo and address; name and version come from os-release.
fn about(brand: &Brand) -> TreeFile {
    let website = brand.urls.home.as_deref().unwrap_or_default();
    let mut text = format!("[General]\nLogoPath={}\n", kconfig(&icons::scalable(brand)));
    if !website.is_empty() {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "Website={}", kconfig(website));
    }
    TreeFile::new("/etc/xdg/kcm-about-distrorc", text)
}
