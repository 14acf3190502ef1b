//! Which packages of the live system the installed one does not keep.

use std::collections::BTreeSet;

use isosmith_spec::model::BuildSpec;
use serde_json::json;

use super::{Image, Written};

/// Packages that only make sense on a medium; those that they pull in go with them.
const LIVE: &[&str] = &["live-boot", "live-config", "live-task", "live-tools"];

pub(super) fn files(spec: &BuildSpec, image: &Image) -> Vec<Written> {
    let settings = json!({
        "backend": "apt",
        // The machine may have no network, and the lists of the medium are all that is needed.
        "update_db": false,
        "update_system": false,
        "skip_if_no_internet": false,
        "operations": [{ "remove": removed(spec, &image.packages) }],
    });
    vec![Written::module("packages", &settings)]
}

/// Names of `packages`, which the image has: apt fails for one that it does not know. What was installed for
/// the installer's sake is marked as pulled in, so it goes with Calamares.
pub(crate) fn removed(spec: &BuildSpec, packages: &BTreeSet<String>) -> Vec<String> {
    let kept = |name: &String| {
        spec.software
            .packages
            .iter()
            .any(|own| own.as_str() == name)
    };
    let live = |name: &String| {
        LIVE.iter().any(|prefix| {
            name.strip_prefix(prefix)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        })
    };
    let asked = |name: &String| {
        spec.installer
            .remove
            .iter()
            .any(|removed| removed.as_str() == name)
    };
    packages
        .iter()
        .filter(|name| {
            asked(name)
                || live(name)
                || name.as_str() == "calamares"
                || (name.as_str() == "user-setup" && !kept(name))
        })
        .cloned()
        .collect()
}
