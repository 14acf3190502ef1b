//! The profile's branding as the renderer wants it, and where its texts go in the tree.

use std::fs;

use isosmith_branding::{Brand, DebianFacts, Limits, Picture};
use isosmith_engine::Failure;
use isosmith_protocol::Code;
use isosmith_spec::{model::Suite, names::MaterialPath};

use crate::state::Debian;

/// Belongs to the package base-files; diverted.
pub(crate) const OS_RELEASE: &str = "/usr/lib/os-release";

/// The brand with its pictures, decoded within limits.
///
/// # Errors
///
/// [`Code::MaterialInvalid`] for a picture that cannot be used.
pub(crate) fn whole(state: &Debian) -> Result<Brand, Failure> {
    let branding = &state.spec.branding;
    let logo = picture(state, "branding.logo", branding.logo.as_ref())?;
    let wallpaper = picture(state, "branding.wallpaper", branding.wallpaper.as_ref())?;
    Ok(Brand::from_spec(branding, logo, wallpaper))
}

fn picture(
    state: &Debian,
    field: &str,
    path: Option<&MaterialPath>,
) -> Result<Option<Picture>, Failure> {
    let Some(path) = path else { return Ok(None) };
    let from = &state.materials.get(path)?.path;
    let bytes = fs::read(from).map_err(|error| Failure::io_at("read", from, error))?;
    check_picture(field, path.as_str(), &bytes).map(Some)
}

/// Decodes a picture of a profile within limits.
///
/// # Errors
///
/// [`Code::MaterialInvalid`] with the renderer's own reason and advice.
pub fn check_picture(field: &str, name: &str, bytes: &[u8]) -> Result<Picture, Failure> {
    Picture::decode(bytes, Limits::default()).map_err(|error| {
        Failure::new(
            Code::MaterialInvalid,
            format!("{field}: {name}: {error}"),
            error.advice().to_owned(),
        )
    })
}

/// Files in the tree that carry the product's names, with their texts.
pub(crate) fn texts(state: &Debian) -> Vec<(&'static str, String)> {
    let brand = Brand::from_spec(&state.spec.branding, None, None);
    let facts = facts(state.spec.base.suite);
    vec![
        (OS_RELEASE, isosmith_branding::os_release(&brand, &facts)),
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
