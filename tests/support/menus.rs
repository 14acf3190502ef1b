//! Boot menus on the screen of a machine, beside the pictures that the product makes of them.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result, bail, ensure};
use isosmith_branding::{
    Brand, Countdown, GrubTheme, IsolinuxTheme, Limits, Menu, Picture, read_screendump, ssim,
};
use isosmith_spec::{BuildSpec, Layer, Origin};

use crate::kit::{output, workspace};

/// Least likeness of a menu and its preview outside the texts.
const LIKENESS: f64 = 0.9;

/// A profile as checked, for what the system must be.
///
/// # Errors
///
/// When it has problems.
pub fn spec(profile: &Path) -> Result<BuildSpec> {
    let text = fs::read_to_string(profile)?;
    let base = profile.parent().unwrap_or(Path::new("."));
    let layer = Layer::new(
        Origin::Profile("boot-test".into()),
        base.display().to_string(),
        text,
    );
    let parent = |name: &str| {
        let path = workspace().join("profiles").join(name).join("profile.toml");
        Some(Layer::new(
            Origin::Profile(name.into()),
            format!("profiles/{name}"),
            fs::read_to_string(path).ok()?,
        ))
    };
    match isosmith_spec::load(vec![layer], &parent) {
        Ok((spec, _)) => Ok(spec),
        Err(problems) => bail!("the test's profile is wrong: {problems:?}"),
    }
}

/// Compares the menu on the screen, of the loader that `firmware` has, with the picture that the
/// product makes of it; that is kept beside the screen's. Pictures of the profile start at
/// `base`. Returns how much they are alike.
///
/// # Errors
///
/// When they are not alike.
pub fn compare_menu(
    iso: &Path,
    firmware: &str,
    shot: &Path,
    spec: &BuildSpec,
    base: &Path,
) -> Result<f64> {
    let bytes =
        fs::read(shot).with_context(|| format!("no picture of the menu at {}", shot.display()))?;
    let screen = read_screendump(&bytes)?;
    let (width, height) = screen.dimensions();
    let picture = |path: Option<&str>| -> Result<Option<Picture>> {
        let Some(path) = path else { return Ok(None) };
        let bytes = fs::read(base.join(path))?;
        Ok(Some(Picture::decode(&bytes, Limits::default())?))
    };
    let logo = picture(spec.branding.logo.as_ref().map(|path| path.as_str()))?;
    let wallpaper = picture(spec.branding.wallpaper.as_ref().map(|path| path.as_str()))?;
    let brand = Brand::from_spec(&spec.branding, logo, wallpaper);
    let menu = Menu::new(
        titles(iso, firmware)?,
        spec.boot.timeout.map(Countdown::starting),
    );
    let (preview, texts) = match firmware {
        "bios" => {
            let theme = IsolinuxTheme::new(&brand, &menu);
            (theme.preview(&menu), theme.text_regions(&menu))
        }
        _ => {
            let theme = GrubTheme::new(&brand, &menu);
            (
                theme.preview(&menu, width, height),
                theme.text_regions(&menu, width, height),
            )
        }
    };
    preview.save(shot.with_file_name(format!("{firmware}-preview.png")))?;
    let likeness = ssim(&screen, &preview, &texts)?;
    ensure!(
        likeness >= LIKENESS,
        "the menu ({}) is like its preview by only {likeness:.3}",
        shot.display()
    );
    Ok(likeness)
}

/// The lines of the menu that `firmware` shows, from the medium itself.
///
/// # Errors
///
/// When it cannot be read.
pub fn titles(iso: &Path, firmware: &str) -> Result<Vec<String>> {
    let (path, before, after) = match firmware {
        "bios" => ("/isolinux/isolinux.cfg", "menu label ", None),
        _ => ("/boot/grub/grub.cfg", "menuentry '", Some('\'')),
    };
    let folder = tempfile::tempdir()?;
    let to = folder.path().join("menu");
    output(
        Command::new("xorriso")
            .args(["-no_rc", "-osirrox", "on", "-indev"])
            .arg(iso)
            .args(["-extract", path])
            .arg(&to),
    )?;
    let text = fs::read_to_string(&to)?;
    let titles = text.lines().filter_map(|line| {
        let title = line.trim_start().strip_prefix(before)?;
        let end = after.and_then(|after| title.find(after));
        Some(title[..end.unwrap_or(title.len())].to_owned())
    });
    Ok(titles.collect())
}
