//! Writes pictures of splash, login, desktop and installer for some brands to a folder, and
//! the files of one brand below `tree/`, to look at after a change of the design.
//!
//! `cargo run -p isosmith-branding --example surfaces -- FOLDER [SVG-LOGO [WALLPAPER]]`

use std::{env, error::Error, fs, path::Path};

use isosmith_branding::{
    Brand, Limits, Picture, Rgb, TreeFile, Urls,
    calamares::{self, Page, installer_preview},
    desktop::{self, Tone, desktop_preview},
    login::{self, login_preview},
    splash::{Moment, Splash},
};
use isosmith_spec::model::{DisplayManager, Environment};

const SIZE: (u32, u32) = (1280, 800);

fn brands(logo: Option<Picture>, wallpaper: Option<Picture>) -> Vec<(&'static str, Brand)> {
    let dark = Brand {
        name: "Aurora OS".to_owned(),
        short_name: "Aurora".to_owned(),
        id: "aurora".to_owned(),
        version: "1.0".to_owned(),
        codename: "Boreas".to_owned(),
        vendor: String::new(),
        urls: Urls {
            home: Some("https://example.org/".to_owned()),
            ..Urls::default()
        },
        accent: Rgb::new(0xf5, 0x9e, 0x2e),
        background: Rgb::new(0x12, 0x1b, 0x2b),
        text: Rgb::new(0xf2, 0xf5, 0xf9),
        logo: None,
        wallpaper: None,
        wallpaper_dark: None,
        motd: None,
    };
    let light = Brand {
        name: "Ein wirklich langer Name für ein Betriebssystem".to_owned(),
        accent: Rgb::new(0x2f, 0x6f, 0xd8),
        background: Rgb::new(0xee, 0xf2, 0xf7),
        text: Rgb::new(0x16, 0x20, 0x2c),
        logo: logo.clone(),
        ..dark.clone()
    };
    let pictured = Brand {
        logo,
        wallpaper,
        accent: Rgb::new(0x3b, 0xc9, 0xdb),
        ..dark.clone()
    };
    vec![("dark", dark), ("light", light), ("pictured", pictured)]
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let folder = arguments.next().ok_or("give the folder to write to")?;
    let folder = Path::new(&folder);
    let mut picture = || -> Result<Option<Picture>, Box<dyn Error>> {
        let Some(path) = arguments.next() else {
            return Ok(None);
        };
        Ok(Some(Picture::decode(&fs::read(path)?, Limits::default())?))
    };
    let (logo, wallpaper) = (picture()?, picture()?);
    fs::create_dir_all(folder)?;
    let (width, height) = SIZE;
    for (name, brand) in brands(logo, wallpaper) {
        let save = |surface: &str, image: isosmith_branding::Image| {
            image.save(folder.join(format!("{name}-{surface}.png")))
        };
        let splash = Splash::new(&brand);
        save(
            "splash",
            splash.preview(Moment::Starting(400), width, height),
        )?;
        save(
            "splash-password",
            splash.preview(Moment::Password, width, height),
        )?;
        for manager in [
            DisplayManager::Sddm,
            DisplayManager::Gdm,
            DisplayManager::Lightdm,
        ] {
            if let Some(image) = login_preview(&brand, manager, "Ada Lovelace", width, height) {
                save(&format!("login-{manager:?}"), image)?;
            }
        }
        for environment in [Environment::Kde, Environment::Gnome, Environment::Xfce] {
            for tone in [Tone::Light, Tone::Dark] {
                let image = desktop_preview(&brand, environment, tone, width, height);
                save(&format!("desktop-{environment:?}-{tone:?}"), image)?;
            }
        }
        for (word, page) in [
            ("welcome", Page::Welcome),
            ("slide", Page::Slide(0)),
            ("slide2", Page::Slide(1)),
        ] {
            let image = installer_preview(&brand, &[], page, width, height);
            save(&format!("installer-{word}"), image)?;
        }
        if name != "dark" {
            continue;
        }
        let mut files = splash.files();
        for manager in [
            DisplayManager::Sddm,
            DisplayManager::Gdm,
            DisplayManager::Lightdm,
        ] {
            files.extend(login::files(&brand, manager));
        }
        for environment in [Environment::Kde, Environment::Gnome, Environment::Xfce] {
            files.extend(desktop::files(&brand, environment));
        }
        let component = calamares::component_name(&brand);
        for (path, bytes) in calamares::branding(&brand, &[]) {
            let path = format!("/etc/calamares/branding/{component}/{path}");
            files.push(TreeFile { path, bytes });
        }
        for file in files {
            let to = folder.join("tree").join(file.path.trim_start_matches('/'));
            fs::create_dir_all(to.parent().unwrap_or(folder))?;
            fs::write(to, file.bytes)?;
        }
    }
    Ok(())
}
