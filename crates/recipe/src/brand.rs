//! The profile's branding as the renderer wants it, and where its texts go in the tree.

use std::{fs, path::PathBuf};

use isosmith_branding::{
    Brand, DebianFacts, Limits, Picture, PictureError, TreeFile, Warning,
    desktop::{self, icons},
    login,
    splash::Splash,
};
use isosmith_catalogue::wanted::has_splash;
use isosmith_engine::Failure;
use isosmith_protocol::Code;
use isosmith_spec::{
    model::{Boot, Branding, BuildSpec, Suite},
    names::MaterialPath,
};
use serde_json::{Value, json};

use crate::{menu, state::Debian};

/// Belongs to the package base-files; diverted.
pub(crate) const OS_RELEASE: &str = "/usr/lib/os-release";

/// The brand with its pictures, decoded within limits.
///
/// # Errors
///
/// [`Code::MaterialInvalid`] for a picture that cannot be used.
pub(crate) fn whole(state: &Debian) -> Result<Brand, Failure> {
    of(&state.spec.branding, &|path| {
        Ok(state.materials.get(path)?.path.clone())
    })
}

fn of(branding: &Branding, place: Place<'_>) -> Result<Brand, Failure> {
    let logo = picture(place, "branding.logo", branding.logo.as_ref())?;
    let wallpaper = picture(place, "branding.wallpaper", branding.wallpaper.as_ref())?;
    let dark = picture(
        place,
        "branding.wallpaper_dark",
        branding.wallpaper_dark.as_ref(),
    )?;
    Ok(Brand::from_spec(branding, logo, wallpaper).with_wallpaper_dark(dark))
}

/// Where the file lies that the profile calls so.
type Place<'p> = &'p dyn Fn(&MaterialPath) -> Result<PathBuf, Failure>;

/// What the menus of `spec` cannot show well, before a build says so in the middle of it.
/// `place` says where the file lies that the profile calls so.
///
/// # Errors
///
/// [`Code::MaterialInvalid`] for a picture that cannot be used.
pub fn brand_warnings(spec: &BuildSpec, place: Place<'_>) -> Result<Vec<Warning>, Failure> {
    let brand = of(&spec.branding, place)?;
    // Parameters are not shown.
    Ok(warnings(&brand, &spec.boot, &menu::entries(spec, &[])))
}

/// What the menus with these entries cannot show well.
pub(crate) fn warnings(brand: &Brand, boot: &Boot, entries: &[menu::Entry]) -> Vec<Warning> {
    isosmith_branding::warnings(brand, &shown(boot, entries.iter()))
}

/// A menu as its picture is drawn.
pub(crate) fn shown<'e>(
    boot: &Boot,
    entries: impl Iterator<Item = &'e menu::Entry>,
) -> isosmith_branding::Menu {
    isosmith_branding::Menu::new(
        entries.map(|entry| entry.title.clone()).collect(),
        boot.timeout.map(isosmith_branding::Countdown::starting),
    )
}

/// Everything that the drawn surfaces depend on.
pub(crate) fn inputs(state: &Debian) -> Value {
    let branding = &state.spec.branding;
    let hash = |path: &Option<MaterialPath>| {
        path.as_ref()
            .map(|path| state.materials.hash(path).to_owned())
    };
    json!({
        "names": [&branding.name, &branding.short_name, &branding.version, &branding.codename.to_string(), &branding.id.to_string()],
        "urls": format!("{:?}", branding.urls),
        "colours": format!("{:?} {:?} {:?}", branding.accent, branding.background, branding.text),
        "logo": hash(&branding.logo),
        "wallpaper": hash(&branding.wallpaper),
        "wallpaperDark": hash(&branding.wallpaper_dark),
        "environment": format!("{:?}", state.spec.desktop.environment),
        "displayManager": format!("{:?}", state.spec.desktop.display_manager),
        "splash": has_splash(&state.spec),
        "renderer": env!("CARGO_PKG_VERSION"),
    })
}

/// Files of the boot splash, in the tree and in the initramfs.
pub(crate) fn splash(state: &Debian) -> Result<Vec<TreeFile>, Failure> {
    if !has_splash(&state.spec) {
        return Ok(Vec::new());
    }
    Ok(Splash::new(&whole(state)?).files())
}

/// Files of every drawn surface of the running system.
pub(crate) fn surfaces(state: &Debian) -> Result<Vec<TreeFile>, Failure> {
    let spec = &state.spec;
    let mut files = splash(state)?;
    let Some(environment) = spec.desktop.environment else {
        return Ok(files);
    };
    let brand = whole(state)?;
    files.extend(desktop::files(&brand, environment));
    files.extend(login::files(&brand, spec.desktop.display_manager));
    Ok(files)
}

fn picture(
    place: Place<'_>,
    field: &str,
    path: Option<&MaterialPath>,
) -> Result<Option<Picture>, Failure> {
    let Some(path) = path else { return Ok(None) };
    let from = place(path)?;
    let bytes = fs::read(&from).map_err(|error| Failure::io_at("read", &from, error))?;
    check_picture(field, path.as_str(), &bytes).map(Some)
}

/// Decodes a picture of a profile within limits.
///
/// # Errors
///
/// [`Code::MaterialInvalid`] with the renderer's own reason and advice.
pub fn check_picture(field: &str, name: &str, bytes: &[u8]) -> Result<Picture, Failure> {
    decode(bytes).map_err(|error| {
        Failure::new(
            Code::MaterialInvalid,
            format!("{field}: {name}: {error}"),
            error.advice().to_owned(),
        )
    })
}

/// Decodes a picture of a profile within limits.
///
/// # Errors
///
/// The renderer's own.
pub(crate) fn decode(bytes: &[u8]) -> Result<Picture, PictureError> {
    Picture::decode(bytes, Limits::default())
}

/// Files in the tree that carry the product's names, with their texts.
pub(crate) fn texts(state: &Debian) -> Vec<(&'static str, String)> {
    let brand = Brand::from_spec(&state.spec.branding, None, None);
    let facts = facts(state.spec.base.suite);
    // Only where the icon is.
    let logo = state.spec.desktop.environment.map(|_| icons::name(&brand));
    vec![
        (
            OS_RELEASE,
            isosmith_branding::os_release(&brand, &facts, logo.as_deref()),
        ),
        ("/etc/issue", isosmith_branding::issue(&brand)),
        ("/etc/issue.net", isosmith_branding::issue_net(&brand)),
        ("/etc/motd", isosmith_branding::motd(&brand)),
    ]
}

/// What the system is under its brand.
fn facts(suite: Suite) -> DebianFacts {
    let version_id = match suite {
        Suite::Bookworm => Some("12"),
        Suite::Trixie => Some("13"),
        Suite::Forky => Some("14"),
        Suite::Sid => None,
    };
    DebianFacts {
        codename: suite.as_str().to_owned(),
        version_id: version_id.map(str::to_owned),
        version_full: None,
    }
}
