//! Writes every surface of a sample brand to a folder.
//!
//! `cargo run --release -p isosmith-branding --example preview -- FOLDER`

use std::{env, error::Error, fs, path::Path, time::Instant};

use isosmith_branding::{
    Brand, Countdown, DebianFacts, GrubTheme, IsolinuxTheme, Limits, Menu, Picture, Rgb, Urls,
    disk_info, issue, motd, os_release, warnings,
};

fn sample() -> Result<Brand, Box<dyn Error>> {
    let logo = include_bytes!("../../../icons/isosmith.svg");
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
        logo: Some(Picture::decode(logo, Limits::default())?),
        wallpaper: None,
        motd: None,
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args().nth(1).ok_or("give the folder to write to")?;
    let folder = Path::new(&folder);
    let brand = sample()?;
    let entries = [
        "Live system",
        "Live system (to RAM)",
        "Safe graphics",
        "Verify the medium",
        "Start from the disk",
    ];
    let menu = Menu::new(
        entries.map(str::to_owned).to_vec(),
        Some(Countdown { total: 10, left: 7 }),
    );

    let begin = Instant::now();
    let grub = GrubTheme::new(&brand, &menu);
    fs::create_dir_all(folder.join("grub"))?;
    for file in grub.files() {
        fs::write(folder.join("grub").join(file.path), file.bytes)?;
    }
    let drawn = begin.elapsed();
    for (width, height) in [(800, 600), (1024, 768), (1280, 800), (1920, 1080)] {
        grub.preview(&menu, width, height)
            .save(folder.join(format!("grub-{width}x{height}.png")))?;
    }

    let isolinux = IsolinuxTheme::new(&brand, &menu);
    fs::create_dir_all(folder.join("isolinux"))?;
    for file in isolinux.files() {
        fs::write(folder.join("isolinux").join(file.path), file.bytes)?;
    }
    isolinux
        .preview(&menu)
        .save(folder.join("isolinux-640x480.png"))?;

    let debian = DebianFacts {
        codename: "trixie".to_owned(),
        version_id: Some("13".to_owned()),
        version_full: Some("13.1".to_owned()),
    };
    fs::write(folder.join("os-release"), os_release(&brand, &debian))?;
    fs::write(folder.join("issue"), issue(&brand))?;
    fs::write(folder.join("motd"), motd(&brand))?;
    fs::write(
        folder.join("disk-info"),
        disk_info(&brand, "amd64", "20260101"),
    )?;
    for warning in warnings(&brand, &menu) {
        eprintln!("{warning:?}");
    }
    eprintln!("GRUB theme drawn and written in {} ms", drawn.as_millis());
    Ok(())
}
