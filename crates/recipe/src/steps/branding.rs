//! The brand in the tree: its texts, and the files of every surface that is drawn.

use std::{collections::BTreeSet, path::Path};

use isosmith_branding::{
    Brand, TreeFile,
    desktop::{self, Tone, icons},
    splash,
};
use isosmith_catalogue::wanted::has_splash;
use isosmith_engine::{Done, Failure, StepCx};
use isosmith_host::fs::Tree;
use serde_json::{Value, json};

use super::{in_tree, install::Installation};
use crate::{brand, state::Debian};

/// Pictures that xfdesktop 4.18 and 4.20 have built in for a monitor without a setting.
const XFCE_BUILT_IN: [&str; 2] = [
    "/usr/share/backgrounds/xfce/xfce-shapes.svg",
    "/usr/share/backgrounds/xfce/xfce-x.svg",
];

/// Nothing of the product, so that the initramfs does not depend on it.
pub(crate) fn splash_inputs(state: &Debian) -> Value {
    json!({ "splash": has_splash(&state.spec) })
}

/// Chooses the splash before the initramfs is made, which then has the programs and the theme's
/// folder. The product's pictures go into that folder on the medium: see
/// [`super::boot::make`].
pub(crate) fn splash(cx: &mut StepCx<'_>, state: &mut Debian) -> Result<Done, Failure> {
    if !has_splash(&state.spec) {
        return Ok(Done::Skipped(
            "the system starts without a splash".to_owned(),
        ));
    }
    let root = cx.root().to_owned();
    let tree = Tree::open(&root)?;
    write(cx, &root, &tree, &splash::skeleton())?;
    Ok(Done::Done)
}

/// Texts and drawn surfaces.
pub(crate) fn inputs(state: &Debian) -> Value {
    let texts: Vec<_> = brand::texts(state)
        .into_iter()
        .map(|(path, text)| json!({ "path": path, "text": text }))
        .collect();
    let mut inputs = json!({ "texts": texts });
    if has_splash(&state.spec) {
        inputs["surfaces"] = brand::inputs(state);
    }
    inputs
}

/// Writes the brand's texts and surfaces. What belongs to a package is put aside, so that its
/// next version does not bring back another name.
pub(crate) fn write_brand(cx: &mut StepCx<'_>, state: &mut Debian) -> Result<Done, Failure> {
    let root = cx.root().to_owned();
    let tree = Tree::open(&root)?;
    Installation::divert(cx, &root, "--add", brand::OS_RELEASE)?;
    for (path, text) in brand::texts(state) {
        tree.write(path, text.as_bytes(), 0o644)?;
    }
    write(cx, &root, &tree, &brand::surfaces(state)?)?;
    if state.spec.desktop.environment.is_some() {
        let drawn = Brand::from_spec(&state.spec.branding, None, None);
        alternatives(cx, &root, &tree, &drawn)?;
        built_in_wallpaper(cx, &root, &tree, &drawn)?;
        refresh(cx, &root, &tree)?;
    }
    Ok(Done::Done)
}

/// Lays `files` into the tree. One that a package has is put aside first. One that the
/// profile's owner has laid there, or a script of theirs, stays: it is more particular.
fn write(cx: &StepCx<'_>, root: &Path, tree: &Tree, files: &[TreeFile]) -> Result<(), Failure> {
    let theme = format!("/{}/", splash::THEME);
    // Ours from the step before: the theme, and what it put aside a package's file for.
    let ours = |path: &str| path.contains(&theme) || tree.exists(&format!("{path}.distrib"));
    let there: BTreeSet<&str> = files
        .iter()
        .map(|file| file.path.as_str())
        .filter(|path| tree.exists(path) && !ours(path))
        .collect();
    let packaged = packaged(tree, &there)?;
    for path in &packaged {
        Installation::divert(cx, root, "--add", path)?;
    }
    for file in files {
        let path = file.path.as_str();
        if there.contains(path) && !packaged.contains(path) {
            cx.warn(format!(
                "{path} stays as it is; the brand's own file for it was left out."
            ));
            continue;
        }
        tree.write(path, &file.bytes, 0o644)?;
    }
    Ok(())
}

/// Those of `paths` that belong to a package (dpkg-query(1), `*.list`).
fn packaged(tree: &Tree, paths: &BTreeSet<&str>) -> Result<BTreeSet<String>, Failure> {
    const INFO: &str = "/var/lib/dpkg/info";

    let mut found = BTreeSet::new();
    if paths.is_empty() {
        return Ok(found);
    }
    for name in tree.list(INFO)? {
        if !name.ends_with(".list") {
            continue;
        }
        let list = tree
            .read_text(&format!("{INFO}/{name}"))?
            .unwrap_or_default();
        found.extend(
            list.lines()
                .filter(|line| paths.contains(line))
                .map(str::to_owned),
        );
    }
    Ok(found)
}

/// Debian's desktops ask for a vendor's pictures through alternatives; ours come before
/// Debian's. Names: desktop-base's maintainer script.
fn alternatives(cx: &StepCx<'_>, root: &Path, tree: &Tree, drawn: &Brand) -> Result<(), Failure> {
    let picture = desktop::wallpaper_path(drawn, Tone::of(drawn));
    let logos = icons::vendor_logos(drawn);
    let ours = [
        (
            "desktop-background",
            "/usr/share/images/desktop-base/desktop-background",
            &picture,
        ),
        (
            "desktop-login-background",
            "/usr/share/images/desktop-base/login-background.svg",
            &picture,
        ),
        ("vendor-logos", "/usr/share/images/vendor-logos", &logos),
    ];
    for (name, link, target) in ours {
        if !tree.exists(&format!("/var/lib/dpkg/alternatives/{name}")) {
            continue;
        }
        let install = in_tree("update-alternatives", root).args([
            "--quiet",
            "--install",
            link,
            name,
            target,
            "200",
        ]);
        cx.run(&install)?;
    }
    Ok(())
}

fn built_in_wallpaper(
    cx: &StepCx<'_>,
    root: &Path,
    tree: &Tree,
    drawn: &Brand,
) -> Result<(), Failure> {
    for path in XFCE_BUILT_IN.into_iter().filter(|path| tree.exists(path)) {
        Installation::divert(cx, root, "--add", path)?;
        // Its reader goes by the content, not by the name.
        tree.symlink(&desktop::wallpaper_path(drawn, Tone::of(drawn)), path)?;
    }
    Ok(())
}

/// Brings up to date what programs read in place of the folders that files were laid into.
fn refresh(cx: &StepCx<'_>, root: &Path, tree: &Tree) -> Result<(), Failure> {
    const COMPILE: &str = "/usr/lib/x86_64-linux-gnu/glib-2.0/glib-compile-schemas";
    const SCHEMAS: &str = "/usr/share/glib-2.0/schemas";
    const ICONS: &str = "/usr/share/icons/hicolor";

    if tree.exists(COMPILE) && tree.exists(SCHEMAS) {
        cx.run(&in_tree(COMPILE, root).args([SCHEMAS]))?;
    }
    let cache = [
        "/usr/bin/gtk-update-icon-cache",
        "/usr/bin/gtk4-update-icon-cache",
    ];
    if let Some(program) = cache.into_iter().find(|path| tree.exists(path)) {
        cx.run(&in_tree(program, root).args(["--force", "--quiet", ICONS]))?;
    }
    Ok(())
}
