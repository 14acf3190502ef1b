//! Menus, splash, login screen, desktop and installer on the screen of a machine, beside their
//! previews.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use image::imageops;
use isosmith_branding::{
    Brand, Image, Limits, Picture, Rect,
    calamares::{self, Page},
    desktop::{self, Tone},
    login, read_screendump,
    splash::{Moment, Splash},
    ssim,
};
use isosmith_spec::{BuildSpec, model::Environment};
use isosmith_tests::{
    Kit,
    kit::workspace,
    menus::{compare_menu, spec},
};

use super::guest::Guest;

/// Least likeness outside of words that programs set themselves. The splash is drawn from the
/// very pictures that are on the medium; only scaling differs by a rounding.
pub const SPLASH: f64 = 0.98;

/// The login screen's background is a JPEG that its toolkit scales with a filter of its own.
const LOGIN: f64 = 0.96;

/// On the desktop a preview shows a window for its colours, which is left out here together with
/// the panel; what is left is the wallpaper, scaled by the desktop.
const DESKTOP: f64 = 0.96;

/// The installer's logo, scaled by Qt, on the ground of the list of steps.
const INSTALLER: f64 = 0.9;

/// Software emulation on a busy machine; a good run takes a third of it.
const LIMIT: Duration = Duration::from_secs(900);

/// The profile as it is, but quickly packed.
pub const WHOLE: &str = "[image]\ncompression = \"zstd:3\"\n";

/// The profile, without what cannot be seen.
pub const SMALL: &str =
    "[kernel]\nfirmware = []\n[installer]\ncalamares = false\n[image]\ncompression = \"zstd:3\"\n";

/// A desktop that no shipped profile has, on the ground of `minimal`.
pub const LXQT: &str = "[desktop]\nenvironment = \"lxqt\"\n[image]\ncompression = \"zstd:3\"\n";
pub const CINNAMON: &str =
    "[desktop]\nenvironment = \"cinnamon\"\n[image]\ncompression = \"zstd:3\"\n";
pub const MATE: &str = "[desktop]\nenvironment = \"mate\"\n[image]\ncompression = \"zstd:3\"\n";

/// Builds the profile once without and once with logging in by itself, and compares what the
/// machine shows: under UEFI with Secure Boot up to the login screen, on a BIOS up to the desktop
/// and the installer's first page. `but` is what the profile is given besides; the pictures are kept
/// by `name`.
pub fn compare(kit: &Kit, name: &str, profile: &str, but: &str) -> Result<()> {
    let mut wrong = Vec::new();
    let mut see = |what: &str, seen: Result<f64>| match seen {
        Ok(likeness) => eprintln!("{what}: like its preview by {likeness:.3}"),
        Err(error) => wrong.push(format!("{error:#}")),
    };

    let mut screen = Screen::of(kit, name, profile, but, false)?;
    see("menu of GRUB", screen.menu("uefi"));
    see("splash", screen.splash());
    see("login", screen.login());
    drop(screen);

    let mut screen = Screen::of(kit, name, profile, but, true)?;
    see("menu of ISOLINUX", screen.menu("bios"));
    see("desktop", screen.desktop());
    if screen.spec.installer.calamares {
        see("installer", screen.installer());
    }
    drop(screen);
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// A machine that starts from the profile's medium, and what it should show.
struct Screen {
    guest: Guest,
    iso: PathBuf,
    spec: BuildSpec,
    brand: Brand,
}

impl Screen {
    fn of(kit: &Kit, name: &str, profile: &str, but: &str, autologin: bool) -> Result<Self> {
        let way = if autologin { "desktop" } else { "login" };
        let folder = kit.root.join("surfaces").join(name).join(way);
        fs::create_dir_all(&folder)?;
        let path = folder.join("profile.toml");
        fs::write(
            &path,
            format!(
                "format = 1\nextends = \"{profile}\"\n\
                 [profile]\nname = \"surfaces\"\ndescription = \"What a brand looks like\"\n\
                 [users.live]\nautologin = {autologin}\n\
                 [boot]\ntimeout = 5\n{but}"
            ),
        )?;
        let isosmith = kit.isosmith(&kit.root.join("surfaces")).env(
            "ISOSMITH_PROFILES",
            &workspace().join("profiles").display().to_string(),
        );
        let iso = isosmith.build(&path)?.iso()?;
        let spec = spec(&path)?;
        let brand = brand(&spec)?;
        let guest = Guest::start(&folder, Some(&iso), None, !autologin)?;
        Ok(Self {
            guest,
            iso,
            spec,
            brand,
        })
    }

    fn menu(&mut self, firmware: &str) -> Result<f64> {
        let (iso, spec) = (&self.iso, &self.spec);
        self.guest.shows("menu", LIMIT, |shot| {
            compare_menu(iso, firmware, shot, spec, &workspace())
        })
    }

    fn splash(&mut self) -> Result<f64> {
        let splash = Splash::new(&self.brand);
        self.guest.shows("splash", LIMIT, |shot| {
            alike(shot, SPLASH, |width, height| {
                let preview = splash.preview(Moment::Starting(300), width, height);
                (preview, splash.moving_regions(width, height))
            })
        })
    }

    fn login(&mut self) -> Result<f64> {
        let manager = self.spec.desktop.display_manager;
        let brand = &self.brand;
        let user = self.spec.users.live.as_ref().context("a live user")?;
        let splash = Splash::new(brand);
        self.guest.shows("login", LIMIT, |shot| {
            gone(&splash, shot)?;
            alike(shot, LOGIN, |width, height| {
                let preview = login::login_preview(brand, manager, &user.full_name, width, height);
                let regions = login::moving_regions(manager, width, height);
                (
                    preview.unwrap_or_else(|| Image::new(width, height)),
                    regions,
                )
            })
        })
    }

    fn desktop(&mut self) -> Result<f64> {
        let environment = self.spec.desktop.environment.context("a desktop")?;
        if environment == Environment::Gnome {
            self.guest.shows("overview", LIMIT, overview)?;
            self.guest.press(&["esc"])?;
        }
        let brand = &self.brand;
        let splash = Splash::new(brand);
        self.guest.shows("desktop", LIMIT, |shot| {
            gone(&splash, shot)?;
            alike(shot, DESKTOP, |width, height| {
                let tone = Tone::of(brand);
                let preview = desktop::desktop_preview(brand, environment, tone, width, height);
                let mut regions = desktop::moving_regions(environment, width, height);
                regions.push(desktop::window_region(width, height));
                (preview, regions)
            })
        })
    }

    /// Opens the installer by its icon, the first on the desktop.
    fn installer(&mut self) -> Result<f64> {
        let shot = self.guest.look("icon")?;
        let size = image::image_dimensions(shot)?;
        self.guest.click((57, 45), size)?;
        self.guest.press(&["ret"])?;
        let brand = &self.brand;
        self.guest.shows("installer", LIMIT, |shot| {
            let screen = read_screendump(&fs::read(shot)?)?;
            let preview = calamares::installer_preview(brand, &[], Page::Welcome, size.0, size.1);
            preview.save(shot.with_extension("preview.png"))?;
            let (shown, promised) = (logo(&screen, brand)?, logo(&preview, brand)?);
            enough(shot, ssim(&shown, &promised, &[])?, INSTALLER)
        })
    }
}

/// The profile's brand with its pictures.
fn brand(spec: &BuildSpec) -> Result<Brand> {
    let branding = &spec.branding;
    let picture = |path: Option<&str>| -> Result<Option<Picture>> {
        let Some(path) = path else { return Ok(None) };
        let bytes = fs::read(workspace().join(path)).with_context(|| path.to_owned())?;
        Ok(Some(Picture::decode(&bytes, Limits::default())?))
    };
    let logo = picture(branding.logo.as_ref().map(|path| path.as_str()))?;
    let wallpaper = picture(branding.wallpaper.as_ref().map(|path| path.as_str()))?;
    let dark = picture(branding.wallpaper_dark.as_ref().map(|path| path.as_str()))?;
    Ok(Brand::from_spec(branding, logo, wallpaper).with_wallpaper_dark(dark))
}

/// How much a picture of the screen is like a preview of its size outside of the regions; an
/// error when that is less than `least`.
pub fn alike(
    shot: &Path,
    least: f64,
    preview: impl FnOnce(u32, u32) -> (Image, Vec<Rect>),
) -> Result<f64> {
    let screen = read_screendump(&fs::read(shot)?)?;
    let (width, height) = screen.dimensions();
    let (preview, regions) = preview(width, height);
    preview.save(shot.with_extension("preview.png"))?;
    enough(shot, ssim(&screen, &preview, &regions)?, least)
}

/// The splash has the same wallpaper, and would pass for what is waited for.
fn gone(splash: &Splash, shot: &Path) -> Result<()> {
    let screen = read_screendump(&fs::read(shot)?)?;
    let (width, height) = screen.dimensions();
    let preview = splash.preview(Moment::Starting(300), width, height);
    let likeness = ssim(&screen, &preview, &splash.moving_regions(width, height))?;
    ensure!(likeness < SPLASH, "{} is the splash", shot.display());
    Ok(())
}

/// GNOME's sessions begin with all windows side by side, on a grey ground, and the wallpaper in the
/// middle is a small one.
fn overview(shot: &Path) -> Result<()> {
    let screen = image::open(shot)?.to_rgb8();
    let edge = (50..screen.height() - 50).map(|y| screen.get_pixel(20, y).0);
    // No brand is as colourless as GNOME's ground and as bright.
    let is_grey = |[r, g, b]: [u8; 3]| {
        let spread = r.max(g).max(b) - r.min(g).min(b);
        spread <= 8 && (0x18..=0x50).contains(&g)
    };
    let middle = screen.get_pixel(screen.width() / 2, screen.height() / 2).0;
    ensure!(
        edge.into_iter().all(is_grey) && !is_grey(middle),
        "this is not the overview"
    );
    Ok(())
}

fn enough(shot: &Path, likeness: f64, least: f64) -> Result<f64> {
    ensure!(
        likeness >= least,
        "{} is like its preview by only {likeness:.3}",
        shot.display()
    );
    Ok(likeness)
}

/// The logo in the installer's window, wherever a desktop has put that: above the first step,
/// which has the brand's colour over the whole width of the list.
fn logo(screen: &Image, brand: &Brand) -> Result<Image> {
    /// Calamares' place for the logo, and the width of its list of steps.
    const PLACE: (u32, u32) = (190, 80);
    let colour: [u8; 3] = [brand.accent.r, brand.accent.g, brand.accent.b];
    let (width, height) = screen.dimensions();
    let of_step = |x: u32, y: u32| {
        let pixel = screen.get_pixel(x, y).0;
        pixel.iter().zip(colour).all(|(a, b)| a.abs_diff(b) <= 3)
    };
    for y in PLACE.1..height {
        let first = (0..width.saturating_sub(PLACE.0)).find(|&x| of_step(x, y));
        if let Some(x) = first.filter(|&x| (x..x + PLACE.0).all(|x| of_step(x, y))) {
            let found = imageops::crop_imm(screen, x, y - PLACE.1, PLACE.0, PLACE.1);
            return Ok(found.to_image());
        }
    }
    anyhow::bail!("no list of steps is on the screen")
}
