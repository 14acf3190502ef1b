use image::Rgba;

use super::*;
use crate::{Picture, picture::Limits, png};

/// Surfaces and codes of what is found, in order.
fn found(brand: &Brand, menu: &Menu) -> Vec<(Surface, WarningCode)> {
    warnings(brand, menu)
        .into_iter()
        .map(|warning| (warning.surface, warning.code))
        .collect()
}

fn of_pixels(picture: &Image) -> Picture {
    Picture::decode(&png::encode(picture), Limits::default()).expect("a PNG")
}

fn labelled(labels: &[&str]) -> Menu {
    Menu::new(
        labels.iter().map(|label| (*label).to_owned()).collect(),
        None,
    )
}

#[test]
fn a_sound_brand_has_no_warnings() {
    assert_eq!(warnings(&Brand::sample(), &Menu::sample(5)), []);
    let light = Brand {
        background: Rgb::new(0xf3, 0xf5, 0xf8),
        text: Rgb::new(0x1a, 0x22, 0x30),
        accent: Rgb::new(0x2f, 0x5d, 0xd8),
        ..Brand::sample()
    };
    assert_eq!(warnings(&light, &Menu::sample(8)), []);
}

#[test]
fn loud_wallpapers_are_calmed_until_text_is_readable() {
    let loud = Image::from_fn(1200, 800, |x, y| {
        if (x / 40 + y / 40) % 2 == 0 {
            Rgba([255, 255, 255, 255])
        } else {
            Rgba([0, 40, 0, 255])
        }
    });
    let brand = Brand {
        wallpaper: Some(of_pixels(&loud)),
        ..Brand::sample()
    };
    assert_eq!(found(&brand, &Menu::sample(5)), []);
}

#[test]
fn each_fault_is_named_where_it_shows() {
    let check = |name: &str, brand: &Brand, menu: &Menu, want: &[(Surface, WarningCode)]| {
        let list = warnings(brand, menu);
        assert_eq!(found(brand, menu), want, "{name}: {list:?}");
        for warning in list {
            assert!(
                warning.message.len() > 20 && warning.fix.ends_with('.'),
                "{name}: {warning:?}"
            );
        }
    };
    use Surface::{Grub, Isolinux};
    use WarningCode::{LabelTooLong, LogoEnlarged, MenuScrolls, MissingCharacters, NameCut};
    let sound = Brand::sample();
    let menu = labelled(&["Live"]);

    let sixty = "x".repeat(60);
    check(
        "long label",
        &sound,
        &labelled(&[&sixty]),
        &[(Isolinux, LabelTooLong)],
    );
    let hundred = "x".repeat(100);
    check(
        "longer label",
        &sound,
        &labelled(&[&hundred]),
        &[(Grub, LabelTooLong), (Isolinux, LabelTooLong)],
    );
    check(
        "Polish",
        &sound,
        &labelled(&["Łódź"]),
        &[(Isolinux, MissingCharacters)],
    );
    check(
        "emoji",
        &sound,
        &labelled(&["Go 😀"]),
        &[(Grub, MissingCharacters), (Isolinux, MissingCharacters)],
    );
    check("umlauts", &sound, &labelled(&["Prüfung größer"]), &[]);
    check(
        "many",
        &sound,
        &Menu::sample(9),
        &[(Grub, MenuScrolls), (Isolinux, MenuScrolls)],
    );

    let han = Brand {
        name: "漢字 OS".to_owned(),
        ..sound.clone()
    };
    check(
        "script",
        &han,
        &menu,
        &[(Grub, MissingCharacters), (Isolinux, MissingCharacters)],
    );
    let endless = Brand {
        name: "W".repeat(90),
        ..sound.clone()
    };
    check(
        "name",
        &endless,
        &menu,
        &[(Grub, NameCut), (Isolinux, NameCut)],
    );
    let small = Image::from_pixel(24, 24, Rgba([0, 255, 0, 255]));
    let blurred = Brand {
        logo: Some(of_pixels(&small)),
        ..sound.clone()
    };
    check(
        "logo",
        &blurred,
        &menu,
        &[(Grub, LogoEnlarged), (Isolinux, LogoEnlarged)],
    );
    let large = Image::from_pixel(240, 240, Rgba([0, 255, 0, 255]));
    let sharp = Brand {
        logo: Some(of_pixels(&large)),
        ..sound
    };
    check("large logo", &sharp, &menu, &[]);
}

#[test]
fn text_that_cannot_be_read_is_named() {
    let yellow = Brand {
        background: Rgb::new(0xff, 0xe0, 0x66),
        text: Rgb::WHITE,
        ..Brand::sample()
    };
    let list = warnings(&yellow, &Menu::sample(3));
    let low: Vec<_> = list
        .iter()
        .filter(|warning| warning.code == WarningCode::LowContrast)
        .collect();
    assert!(
        low.iter().any(|warning| warning.surface == Surface::Grub),
        "{list:?}"
    );
    assert!(
        low.iter()
            .any(|warning| warning.surface == Surface::Isolinux),
        "{list:?}"
    );
    // The selection has a text colour of its own, which is chosen to be readable.
    assert!(
        !low.iter()
            .any(|warning| warning.message.contains("selected")),
        "{list:?}"
    );
}
