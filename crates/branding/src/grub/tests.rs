use std::collections::{HashMap, HashSet};

use super::*;
use crate::{Countdown, Picture, Rgb, compare::ssim, picture::Limits};

const SCREENS: [(u32, u32); 5] = [
    (800, 600),
    (1024, 768),
    (1280, 800),
    (1366, 768),
    (1920, 1080),
];

fn files(brand: &Brand, menu: &Menu) -> HashMap<&'static str, Vec<u8>> {
    grub_theme(brand, menu)
        .into_iter()
        .map(|file| (file.path, file.bytes))
        .collect()
}

fn theme_txt(brand: &Brand, menu: &Menu) -> String {
    String::from_utf8(files(brand, menu)["theme.txt"].clone()).expect("UTF-8")
}

fn svg_logo() -> Picture {
    let svg = br##"<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><circle cx="32" cy="32" r="30" fill="#0f0"/></svg>"##;
    Picture::decode(svg, Limits::default()).expect("an SVG")
}

fn inside(rect: &Rect, width: u32, height: u32) -> bool {
    rect.x >= 0 && rect.y >= 0 && rect.right() <= width as i32 && rect.bottom() <= height as i32
}

#[test]
fn the_same_brand_gives_the_same_bytes() {
    let menu = Menu::sample(5);
    let brand = Brand {
        logo: Some(svg_logo()),
        ..Brand::sample()
    };
    assert_eq!(grub_theme(&brand, &menu), grub_theme(&brand.clone(), &menu));
    let other = Brand {
        name: "Other".to_owned(),
        ..brand.clone()
    };
    assert_ne!(
        files(&brand, &menu)["brand.png"],
        files(&other, &menu)["brand.png"]
    );
}

#[test]
fn every_picture_is_one_that_grub_reads() {
    for (path, bytes) in files(&Brand::sample(), &Menu::sample(9)) {
        if path == "theme.txt" {
            continue;
        }
        // PNG 11.2.2: bit depth 8, colour type RGB or RGBA, not interlaced.
        assert_eq!(bytes[24], 8, "{path}");
        assert!(matches!(bytes[25], 2 | 6), "{path}");
        assert_eq!(bytes[28], 0, "{path}");
    }
}

#[test]
fn every_file_that_the_theme_names_is_there() {
    let menu = Menu::sample(3);
    let files = files(&Brand::sample(), &menu);
    let text = theme_txt(&Brand::sample(), &menu);
    let mut named = HashSet::new();
    for name in text.split('"').filter(|word| word.ends_with(".png")) {
        match name.split_once('*') {
            Some((before, after)) => {
                let part = format!("{before}c{after}");
                assert!(files.contains_key(part.as_str()), "{part}");
                named.insert(before.to_owned());
            }
            None => assert!(files.contains_key(name), "{name}"),
        }
    }
    // And no pixmap lies there unused.
    for path in files.keys() {
        let used = text.contains(path)
            || named.iter().any(|before| path.starts_with(before))
            || *path == "theme.txt";
        assert!(used, "{path}");
    }
}

#[test]
fn the_only_font_is_the_one_of_the_signed_image() {
    let text = theme_txt(&Brand::sample(), &Menu::sample(3));
    let fonts: Vec<&str> = text.lines().filter(|line| line.contains("font")).collect();
    assert_eq!(fonts.len(), 4);
    assert!(
        fonts
            .iter()
            .all(|line| line.ends_with("\"Unifont Regular 16\"")),
        "{fonts:?}"
    );
    assert!(HINT.chars().all(crate::pf2::grub_can_draw));
}

#[test]
fn a_hostile_name_does_not_reach_the_theme_file() {
    let brand = Brand {
        name: "x\"\n+ image { file = \"/etc\" }".to_owned(),
        ..Brand::sample()
    };
    assert_eq!(
        theme_txt(&brand, &Menu::sample(3)),
        theme_txt(&Brand::sample(), &Menu::sample(3))
    );
}

#[test]
fn everything_fits_on_every_screen_and_nothing_overlaps() {
    for rows in [1, 5, 6, 7, 8, 20] {
        for name in [
            "A",
            "The Exceptionally Long Named Distribution for Everyday People",
        ] {
            let brand = Brand {
                name: name.to_owned(),
                logo: Some(svg_logo()),
                ..Brand::sample()
            };
            let menu = Menu::sample(rows);
            let theme = GrubTheme::new(&brand, &menu);
            for (width, height) in SCREENS {
                let layout = theme.layout;
                let parts = [
                    layout.lockup.on(width, height),
                    layout.panel.on(width, height),
                    layout.bar.on(width, height),
                    layout.countdown.on(width, height),
                    layout.hint(width, height),
                ];
                for (i, part) in parts.iter().enumerate() {
                    assert!(
                        inside(part, width, height),
                        "{rows} rows, {width}x{height}: {part:?}"
                    );
                    let clash = parts.iter().skip(i + 1).find(|other| other.touches(part));
                    assert!(
                        clash.is_none(),
                        "{rows} rows, {width}x{height}: {part:?} and {clash:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn the_preview_shows_name_logo_colours_and_entries() {
    let brand = Brand {
        logo: Some(svg_logo()),
        ..Brand::sample()
    };
    let menu = Menu::sample(4);
    let theme = GrubTheme::new(&brand, &menu);
    for (width, height) in SCREENS {
        let picture = theme.preview(&menu, width, height);
        assert_eq!(picture.dimensions(), (width, height));
        let lockup = theme.layout.lockup.on(width, height);
        let has = |rect: Rect, colour: Rgb| {
            rect.pixels()
                .any(|(x, y)| *picture.get_pixel(x as u32, y as u32) == rgba(colour, 255))
        };
        assert!(has(lockup, Rgb::new(0, 255, 0)), "logo at {width}x{height}");
        assert!(has(lockup, brand.text), "name at {width}x{height}");
        let entries = theme.entry_rects(&menu, width, height);
        assert!(has(entries[0], brand.accent) && has(entries[0], theme.palette.on_accent));
        assert!(has(entries[1], brand.text) && !has(entries[1], brand.accent));
    }
}

#[test]
fn only_masked_areas_change_with_labels_and_time() {
    let brand = Brand::sample();
    let menu = Menu::sample(4);
    let theme = GrubTheme::new(&brand, &menu);
    let mut later = menu.clone();
    later.countdown = Some(Countdown { total: 10, left: 3 });
    later.entries[2] = "Something else".to_owned();
    let (a, b) = (
        theme.preview(&menu, 1024, 768),
        theme.preview(&later, 1024, 768),
    );
    assert_ne!(a, b);
    let mask = theme.text_regions(&menu, 1024, 768);
    for (x, y, pixel) in a.enumerate_pixels() {
        let masked = mask
            .iter()
            .any(|rect| rect.touches(&Rect::new(x as i32, y as i32, 1, 1)));
        assert!(masked || pixel == b.get_pixel(x, y), "{x},{y}");
    }
    let other = Brand {
        background: Rgb::new(0x60, 0x10, 0x10),
        name: "Other".to_owned(),
        ..brand
    };
    let c = grub_menu_preview(&other, &menu, 1024, 768);
    assert!(ssim(&a, &c, &mask).expect("comparable") < 0.97);
}

#[test]
fn a_long_menu_scrolls_to_the_selected_entry() {
    let mut menu = Menu::sample(20);
    menu.selected = 15;
    let theme = GrubTheme::new(&Brand::sample(), &menu);
    let rects = theme.entry_rects(&menu, 800, 600);
    assert_eq!(rects.len(), VISIBLE_ENTRIES);
    let picture = theme.preview(&menu, 800, 600);
    let last = rects[VISIBLE_ENTRIES - 1];
    assert_eq!(
        picture.get_pixel(last.right() as u32 - 4, last.y as u32 + 4),
        &rgba(theme.palette.accent, 255)
    );
}

#[test]
fn without_a_countdown_there_is_no_bar() {
    let mut menu = Menu::sample(3);
    let theme = GrubTheme::new(&Brand::sample(), &menu);
    let bar = theme.layout.bar.on(1024, 768);
    let at = (
        bar.x as u32 + 300,
        bar.y as u32 + layout::BAR_CLEAR as u32 + 1,
    );
    let background = *theme.desktop_picture(1024, 768).get_pixel(at.0, at.1);
    assert_ne!(
        theme.preview(&menu, 1024, 768).get_pixel(at.0, at.1),
        &background
    );
    menu.countdown = None;
    assert_eq!(
        theme.preview(&menu, 1024, 768).get_pixel(at.0, at.1),
        &background
    );
}
