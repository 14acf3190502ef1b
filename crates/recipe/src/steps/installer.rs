//! Settings and scripts of the graphical installer.

use std::{collections::BTreeSet, fs};

use isosmith_branding::calamares;
use isosmith_engine::{Done, Failure, StepCx, step};
use isosmith_host::fs::Tree;
use serde_json::{Value, json};

use crate::{
    brand,
    installer::{self, Image},
    state::Debian,
};

/// Every text. Groups come with the packages, and so with the layers below.
pub(crate) fn inputs(state: &Debian) -> Value {
    let Some(resolution) = &state.resolution else {
        return step::unknown();
    };
    let packages = resolution.base.iter().chain(&resolution.packages);
    let image = Image {
        packages: packages.map(|package| package.name.clone()).collect(),
        groups: BTreeSet::new(),
    };
    let branding = &state.spec.branding;
    let pictures = branding.slides.iter().map(|slide| &slide.picture);
    let pictures = [&branding.logo, &branding.wallpaper]
        .into_iter()
        .chain(pictures);
    json!({
        "files": installer::files(&state.spec, &image),
        "brand": format!("{:?}", state.spec.branding),
        "pictures": pictures.map(|path| path.as_ref().map(|path| state.materials.hash(path))).collect::<Vec<_>>(),
        "renderer": env!("CARGO_PKG_VERSION"),
    })
}

/// Writes them where the profile's owner has not put a file of their own.
pub(crate) fn configure(cx: &mut StepCx<'_>, state: &mut Debian) -> Result<Done, Failure> {
    let tree = Tree::open(cx.root())?;
    let status = tree.read_text("/var/lib/dpkg/status")?.unwrap_or_default();
    let group = tree.read_text("/etc/group")?.unwrap_or_default();
    let image = Image {
        packages: installed(&status),
        groups: group
            .lines()
            .filter_map(|line| Some(line.split_once(':')?.0.to_owned()))
            .collect(),
    };
    for file in installer::files(&state.spec, &image) {
        if !tree.exists(&file.path) {
            tree.write(&file.path, file.text.as_bytes(), file.mode)?;
        }
    }
    let brand = brand::whole(state)?;
    let folder = format!(
        "/etc/calamares/branding/{}",
        calamares::component_name(&brand)
    );
    for (name, bytes) in calamares::branding(&brand, &slides(state)?) {
        let path = format!("{folder}/{name}");
        if !tree.exists(&path) {
            tree.write(&path, &bytes, 0o644)?;
        }
    }
    Ok(Done::Done)
}

/// What is shown while the system is copied, with its pictures.
fn slides(state: &Debian) -> Result<Vec<calamares::Slide>, Failure> {
    let slides = state.spec.branding.slides.iter().enumerate();
    slides
        .map(|(number, slide)| {
            let picture = match &slide.picture {
                Some(path) => {
                    let from = &state.materials.get(path)?.path;
                    let bytes =
                        fs::read(from).map_err(|error| Failure::io_at("read", from, error))?;
                    let field = format!("branding.slides[{number}].picture");
                    Some(brand::check_picture(&field, path.as_str(), &bytes)?)
                }
                None => None,
            };
            Ok(calamares::Slide {
                title: slide.title.clone(),
                text: slide.text.clone(),
                picture,
            })
        })
        .collect()
}

/// Names of the packages that dpkg's record has as installed.
fn installed(status: &str) -> BTreeSet<String> {
    let mut name = "";
    status
        .lines()
        .filter_map(|line| {
            if let Some(found) = line.strip_prefix("Package: ") {
                name = found;
            }
            (line == "Status: install ok installed").then(|| name.to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_installed_counts() {
        let status = "Package: a\nStatus: install ok installed\nVersion: 1\n\nPackage: b\nStatus: deinstall ok config-files\n";
        assert_eq!(installed(status), BTreeSet::from(["a".to_owned()]));
    }
}
