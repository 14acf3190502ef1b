//! A small desktop from its menu over its splash to its page, on the screen of a BIOS machine
//! without a network, each beside what was promised.

use std::{fs, path::Path, time::Duration};

use anyhow::{Result, ensure};
use isosmith_branding::{
    Brand,
    splash::{Moment, Splash},
};
use isosmith_tests::{
    Kit,
    kit::workspace,
    menus::{compare_menu, spec},
};

use super::{guest::Guest, surfaces};

/// Software emulation on a busy machine; a good run takes a quarter of it.
const LIMIT: Duration = Duration::from_secs(900);

/// The ground of the fixture's page.
const GROUND: [u8; 3] = [0x2e, 0x8b, 0x57];

/// How far it is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// The splash, which comes half a minute after the start.
    Splash,
    /// The page, which a browser shows minutes later.
    Page,
}

/// Builds the kiosk of the fixtures and watches it start.
pub fn starts(kit: &Kit, until: Until) -> Result<()> {
    let folder = kit.root.join("kiosk");
    fs::create_dir_all(&folder)?;
    let profile = workspace().join("tests/fixtures/kiosk/profile.toml");
    let isosmith = kit.isosmith(&folder).env(
        "ISOSMITH_PROFILES",
        &workspace().join("profiles").display().to_string(),
    );
    let iso = isosmith.build(&profile)?.iso()?;
    let spec = spec(&profile)?;
    let brand = Brand::from_spec(&spec.branding, None, None);
    let splash = Splash::new(&brand);

    let mut guest = Guest::start(&folder, Some(&iso), None, false)?;
    let likeness = guest.shows("menu", LIMIT, |shot| {
        compare_menu(&iso, "bios", shot, &spec, Path::new(""))
    })?;
    eprintln!("menu: like its preview by {likeness:.3}");
    let likeness = guest.shows("splash", LIMIT, |shot| {
        surfaces::alike(shot, surfaces::SPLASH, |width, height| {
            let preview = splash.preview(Moment::Starting(300), width, height);
            (preview, splash.moving_regions(width, height))
        })
    })?;
    eprintln!("splash: like its preview by {likeness:.3}");
    if until == Until::Page {
        let share = guest.shows("page", LIMIT, fills_the_screen)?;
        eprintln!("page: {share:.3} of the screen");
    }
    Ok(())
}

/// The share of the screen that has the page's colour; the pointer may lie on it.
fn fills_the_screen(shot: &Path) -> Result<f64> {
    let picture = image::open(shot)?.to_rgb8();
    let of_page = |pixel: &&image::Rgb<u8>| {
        let far = pixel.0.iter().zip(GROUND).map(|(a, b)| a.abs_diff(b));
        far.max().is_some_and(|far| far <= 2)
    };
    let share = picture.pixels().filter(of_page).count() as f64
        / (f64::from(picture.width()) * f64::from(picture.height()));
    ensure!(share > 0.99, "the page has {share:.3} of the screen");
    Ok(share)
}
