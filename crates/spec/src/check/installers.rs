//! What an installer of a suite cannot do.

use super::read::Place;
use crate::model::{Base, Encryption, Filesystem, Installer, Luks, Software, Suite, Swap};

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

/// Debian's installer starts from the initramfs of a release, and its components must have been
/// built for the libraries in there. Its partitioner has a question neither for a file to swap to
/// nor for the version of LUKS, which is what `cryptsetup` makes by itself.
pub(super) fn debian(
    root: &Place<'_>,
    base: Option<&Base>,
    installer: Option<&Installer>,
    software: Option<&Software>,
) {
    let (Some(base), Some(installer)) = (base, installer) else {
        return;
    };
    if !installer.debian {
        answers_for_nobody(root, software);
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
                "the signed installer is that of a released Debian, and its libraries are not those of {}",
                base.suite
            ),
            "choose trixie or bookworm, or write `debian = false`; `calamares = true` installs this suite",
        );
    }
    if base.key.is_some() {
        at.get("debian").refuse(
            "an archive with a key of its own has no Debian's installer",
            "write `debian = false`, or remove `base.key`; `calamares = true` needs nothing of the archive",
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

/// Questions of Debian's installer are owned by `d-i` (installation guide, B.4).
fn answers_for_nobody(root: &Place<'_>, software: Option<&Software>) {
    let answers = software.iter().flat_map(|software| &software.debconf);
    for (place, answer) in root.get("software.debconf").entries().iter().zip(answers) {
        if answer.package.as_str() == "d-i" {
            place.get("package").refuse(
                "Debian's installer, which asks this, is not on the medium",
                "write `debian = true` in `[installer]`, or remove the answer",
            );
        }
    }
}
