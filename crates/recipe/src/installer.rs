//! What the graphical installer is told, and what it runs: texts made from the spec alone.
//!
//! The Debian package of settings is not used. It writes its own apt sources over those of the
//! spec, names its start files after Debian, and all but one of its helpers would have to be
//! replaced; with diversions its removal at the end of an installation would bring them back.
//! What is here lies in `/etc/calamares` and `/usr/lib/isosmith/installer`, belongs to no
//! package, and is removed from the installed system by the last of its own scripts.
//!
//! Settings are JSON, which YAML 1.2 takes as it is, so that no text of a profile can break out
//! of its place.

mod disk;
mod live;
mod people;
mod scripts;
mod sequence;
mod software;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use isosmith_spec::model::{BuildSpec, Suite};
use serde_json::Value;

pub(crate) use disk::grub_settings;
pub(crate) use live::parameters;
pub(crate) use scripts::texts as scripts;
pub(crate) use software::removed;

/// A file of the image.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Written {
    /// Absolute path.
    pub(crate) path: String,
    /// Its content.
    pub(crate) text: String,
    /// Access mode of chmod(1).
    pub(crate) mode: u32,
}

impl Written {
    pub(crate) fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            text: text.into(),
            mode: 0o644,
        }
    }

    pub(crate) fn script(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            mode: 0o755,
            ..Self::new(path, text)
        }
    }

    /// Settings of a module of Calamares.
    fn module(name: &str, settings: &Value) -> Self {
        Self::new(
            format!("/etc/calamares/modules/{name}.conf"),
            yaml(settings),
        )
    }
}

/// What the image has got that the installer must know.
#[derive(Debug, Clone, Default)]
pub(crate) struct Image {
    /// Names of its packages.
    pub(crate) packages: BTreeSet<String>,
    /// Names of its groups.
    pub(crate) groups: BTreeSet<String>,
}

/// Calamares changed names of settings between its releases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Calamares {
    /// 3.2, of Debian 12.
    Old,
    /// 3.3.
    New,
}

impl Calamares {
    const fn of(suite: Suite) -> Self {
        match suite {
            Suite::Bookworm => Self::Old,
            Suite::Trixie | Suite::Forky | Suite::Sid => Self::New,
        }
    }
}

/// Every file of the installer, for a spec that has it.
pub(crate) fn files(spec: &BuildSpec, image: &Image) -> Vec<Written> {
    let mut files = sequence::files(spec);
    files.extend(disk::files(spec));
    files.extend(people::files(spec, image));
    files.extend(software::files(spec, image));
    files.extend(scripts::files(spec.base.suite));
    files.extend(live::files(spec));
    files
}

/// Settings as Calamares reads them.
fn yaml(settings: &Value) -> String {
    format!("# Made by Isosmith from the profile.\n---\n{settings:#}\n")
}
