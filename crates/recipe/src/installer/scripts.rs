//! What Calamares runs that it has no module for.

use isosmith_spec::model::Suite;
use serde_json::{Value, json};

use super::{Calamares, Written};

/// Folder of everything that only the live system has.
pub(super) const FOLDER: &str = "/usr/lib/isosmith/installer";

/// Makes the copy ready for changes.
pub(super) const PREPARE: &str = "shellprocess@prepare";
/// Installs the boot loader for this machine's firmware from the medium.
pub(super) const LOADER: &str = "shellprocess@loader";
/// Writes crypttab as Debian reads it, then the initramfs.
pub(super) const INITRAMFS: &str = "shellprocess@initramfs";
/// Puts the fallback loader in place and takes out what belongs to the installation.
pub(super) const FINISH: &str = "shellprocess@finish";

/// Name, text, and how many seconds it may take on a slow machine.
const SCRIPTS: &[(&str, &str, u32)] = &[
    ("prepare", include_str!("scripts/prepare.sh"), 120),
    ("loader", include_str!("scripts/loader.sh"), 1800),
    ("initramfs", include_str!("scripts/initramfs.sh"), 3600),
    ("finish", include_str!("scripts/finish.sh"), 1800),
];

/// Names and texts, for another installer of the same system.
pub(crate) fn texts() -> impl Iterator<Item = (&'static str, &'static str)> {
    SCRIPTS.iter().map(|&(name, text, _)| (name, text))
}

/// For `settings.conf`.
pub(super) fn instances() -> Value {
    SCRIPTS
        .iter()
        .map(|(name, _, _)| {
            json!({ "id": name, "module": "shellprocess", "config": format!("isosmith-{name}.conf") })
        })
        .collect()
}

/// The scripts, and the settings that call them.
pub(super) fn files(suite: Suite) -> Vec<Written> {
    let root = Calamares::of(suite).root_variable();
    SCRIPTS
        .iter()
        .flat_map(|(name, text, seconds)| {
            let settings = json!({
                "dontChroot": true,
                "timeout": seconds,
                "script": [{ "command": format!("{FOLDER}/{name} {root} {suite}"), "timeout": seconds }],
            });
            [
                Written::script(format!("{FOLDER}/{name}"), *text),
                Written::module(&format!("isosmith-{name}"), &settings),
            ]
        })
        .collect()
}
