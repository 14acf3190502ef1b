//! What an installer of a suite cannot do.

use super::read::Place;
use crate::model::{Base, Encryption, Filesystem, Installer, Luks, Suite, Swap};

/// Calamares 3.2 of Debian 12 has neither `luksGeneration` nor `preCheckEncryption` in its
/// `partition.conf`; later ones have both.
pub(super) fn calamares(root: &Place<'_>, base: Option<&Base>, installer: Option<&Installer>) {
    let (Some(base), Some(installer)) = (base, installer) else {
        return;
    };
    let old = match base.suite {
        Suite::Bookworm => true,
        Suite::Trixie | Suite::Forky | Suite::Sid => false,
    };
    if !installer.calamares || !old {
        return;
    }
    let at = root.get("installer");
    if installer.luks == Luks::Luks2 {
        at.get("luks").refuse(
            format!("Calamares of {} knows LUKS1 only", base.suite),
            "write `luks = \"luks1\"`, or choose another suite",
        );
    }
    if installer.filesystem == Filesystem::Xfs {
        at.get("filesystem").refuse(
            format!(
                "GRUB does not read XFS, and Calamares of {} proposes no `/boot` of its own",
                base.suite
            ),
            "write `filesystem = \"ext4\"`, or choose another suite",
        );
    }
    if installer.encryption == Encryption::Preselected {
        at.get("encryption").refuse(
            format!(
                "Calamares of {} cannot choose encryption beforehand",
                base.suite
            ),
            "write `encryption = \"offered\"`, or choose another suite",
        );
    }
}

/// Debian's installer fetches its kernel's modules from the archive of the suite, and its
/// partitioner has a question neither for a file to swap to nor for the version of LUKS, which
/// is what `cryptsetup` makes by itself.
pub(super) fn debian(root: &Place<'_>, base: Option<&Base>, installer: Option<&Installer>) {
    let (Some(base), Some(installer)) = (base, installer) else {
        return;
    };
    if !installer.debian {
        return;
    }
    let at = root.get("installer");
    let released = match base.suite {
        Suite::Bookworm | Suite::Trixie => true,
        Suite::Forky | Suite::Sid => false,
    };
    if !released {
        at.get("debian").refuse(
            format!(
                "the signed installer is that of a released Debian and finds no modules for its kernel in {}",
                base.suite
            ),
            "choose trixie or bookworm, or write `debian = false`; `calamares = true` installs this suite",
        );
    }
    if !base.repositories.is_empty() || base.key.is_some() || base.snapshot.is_some() {
        at.get("debian").refuse(
            "Debian's installer knows neither further repositories, nor another key than Debian's, nor a snapshot",
            "write `debian = false`; `calamares = true` installs what is on the medium",
        );
    }
    if installer.swap == Swap::File {
        at.get("swap").refuse(
            "Debian's installer makes no file for swap",
            "write `swap = \"small\"`, or `debian = false`",
        );
    }
    // Beside Calamares of bookworm, which can do nothing else, the field speaks of that alone.
    let beside_old = installer.calamares && base.suite == Suite::Bookworm;
    if installer.luks == Luks::Luks1 && !beside_old {
        at.get("luks").refuse(
            "Debian's installer encrypts with LUKS2 only",
            "write `luks = \"luks2\"`, or `debian = false`",
        );
    }
}
