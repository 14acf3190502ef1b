//! Writes every surface of a sample brand to a folder, and previews of other brands to
//! look at after a change of the design.
//!
//! `cargo run --release -p isosmith-branding --example preview -- FOLDER`

#![expect(
    clippy::print_stderr,
    reason = "an example talks to the person who runs it"
)]

use std::{env, error::Error, fs, io::Cursor, path::Path, time::Instant};

use isosmith_branding::{
    Brand, Countdown, DebianFacts, GrubTheme, Image, IsolinuxTheme, Limits, Menu, Picture, Rgb,
    Urls, disk_info, issue, motd, os_release, warnings,
};

const ENTRIES: [&str; 8] = [
    "Live system",
    "Live system (to RAM)",
    "Safe graphics",
    "Verify the medium",
    "Start from the disk",
    "Memory test",
    "Speicherprüfung für große Geräte",
    "Firmware settings",
];

fn picture(bytes: &[u8]) -> Result<Picture, Box<dyn Error>> {
    Ok(Picture::decode(bytes, Limits::default())?)
}

/// A loud picture, as wallpapers are: stripes, light and dark.
fn wallpaper() -> Result<Picture, Box<dyn Error>> {
    let paint = |x: u32, y: u32| {
        let wave =
            ((x as f32 / 90.0).sin() + (y as f32 / 70.0 + x as f32 / 300.0).cos()) * 0.25 + 0.5;
        let level = (wave * 255.0) as u8;
        image::Rgba([level, 255 - level / 2, (x * 255 / 1920) as u8, 255])
    };
    let mut png = Cursor::new(Vec::new());
    Image::from_fn(1920, 1080, paint).write_to(&mut png, image::ImageFormat::Png)?;
    picture(png.get_ref())
}

fn sample() -> Result<Brand, Box<dyn Error>> {
    Ok(Brand {
        name: "Isosmith Live".to_owned(),
        short_name: "Isosmith".to_owned(),
        id: "isosmith-live".to_owned(),
        version: "1.0".to_owned(),
        codename: "Anvil".to_owned(),
        vendor: "The Isosmith project".to_owned(),
        urls: Urls {
            home: Some("https://example.org/".to_owned()),
            ..Urls::default()
        },
        accent: Rgb::new(0xf5, 0x9e, 0x2e),
        background: Rgb::new(0x12, 0x1b, 0x2b),
        text: Rgb::new(0xf2, 0xf5, 0xf9),
        logo: Some(picture(include_bytes!("../../../icons/isosmith.svg"))?),
        wallpaper: None,
        wallpaper_dark: None,
        motd: None,
    })
}

/// A file name, a brand and how many entries its menu has.
type Sample = (&'static str, Brand, usize);

fn others() -> Result<Vec<Sample>, Box<dyn Error>> {
    let light = Brand {
        accent: Rgb::new(0x2f, 0x5d, 0xd8),
        background: Rgb::new(0xf3, 0xf5, 0xf8),
        text: Rgb::new(0x1a, 0x22, 0x30),
        ..sample()?
    };
    let plain = Brand {
        name: "Größenwahn OS".to_owned(),
        version: "24.1".to_owned(),
        codename: "Übermut".to_owned(),
        accent: Rgb::new(0xc9, 0x2a, 0x6d),
        background: Rgb::new(0x1c, 0x10, 0x1a),
        logo: None,
        ..sample()?
    };
    let long = Brand {
        name: "The Exceptionally Long Named Distribution for Everyday People".to_owned(),
        accent: Rgb::new(0x2f, 0xa8, 0x7d),
        background: Rgb::new(0x0e, 0x1f, 0x1c),
        ..sample()?
    };
    let photo = Brand {
        wallpaper: Some(wallpaper()?),
        name: "Aurora OS".to_owned(),
        accent: Rgb::new(0x3b, 0xc9, 0xdb),
        ..sample()?
    };
    let photo_light = Brand {
        wallpaper: Some(wallpaper()?),
        ..light.clone()
    };
    Ok(vec![
        ("light", light, 5),
        ("plain", plain, 8),
        ("long", long, 6),
        (
            "long-full",
            Brand {
                name: "Ein wirklich langer Name für ein Betriebssystem".to_owned(),
                ..sample()?
            },
            8,
        ),
        ("photo", photo, 4),
        ("photo-light", photo_light, 3),
    ])
}

fn menu(entries: usize) -> Menu {
    let entries = ENTRIES
        .iter()
        .take(entries)
        .map(|entry| (*entry).to_owned())
        .collect();
    Menu::new(entries, Some(Countdown { total: 10, left: 7 }))
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args().nth(1).ok_or("give the folder to write to")?;
    let folder = Path::new(&folder);
    let (brand, menu_five) = (sample()?, menu(5));

    let begin = Instant::now();
    let grub = GrubTheme::new(&brand, &menu_five);
    let drawn = begin.elapsed();
    let grub_files = grub.files();
    let grub_time = begin.elapsed();
    let begin = Instant::now();
    let isolinux = IsolinuxTheme::new(&brand, &menu_five);
    let isolinux_files = isolinux.files();
    let isolinux_time = begin.elapsed();

    for (name, files) in [("grub", grub_files), ("isolinux", isolinux_files)] {
        fs::create_dir_all(folder.join(name))?;
        for file in files {
            fs::write(folder.join(name).join(file.path), file.bytes)?;
        }
    }
    for (width, height) in [(800, 600), (1024, 768), (1280, 800), (1920, 1080)] {
        grub.preview(&menu_five, width, height)
            .save(folder.join(format!("grub-{width}x{height}.png")))?;
    }
    isolinux
        .preview(&menu_five)
        .save(folder.join("isolinux-640x480.png"))?;

    let debian = DebianFacts {
        codename: "trixie".to_owned(),
        version_id: Some("13".to_owned()),
        version_full: Some("13.1".to_owned()),
    };
    fs::write(folder.join("os-release"), os_release(&brand, &debian, None))?;
    fs::write(folder.join("issue"), issue(&brand))?;
    fs::write(folder.join("motd"), motd(&brand))?;
    fs::write(
        folder.join("disk-info"),
        disk_info(&brand, "amd64", "20260101"),
    )?;

    for (name, brand, entries) in others()? {
        let menu = menu(entries);
        for warning in warnings(&brand, &menu) {
            eprintln!(
                "{name}: {:?} {:?}: {}",
                warning.surface, warning.code, warning.message
            );
        }
        let (width, height) = if entries == 8 {
            (800, 600)
        } else {
            (1024, 768)
        };
        GrubTheme::new(&brand, &menu)
            .preview(&menu, width, height)
            .save(folder.join(format!("{name}-grub.png")))?;
        IsolinuxTheme::new(&brand, &menu)
            .preview(&menu)
            .save(folder.join(format!("{name}-isolinux.png")))?;
    }
    eprintln!(
        "GRUB: drawn in {} ms, with files {} ms; ISOLINUX: with files {} ms",
        drawn.as_millis(),
        grub_time.as_millis(),
        isolinux_time.as_millis()
    );
    Ok(())
}
