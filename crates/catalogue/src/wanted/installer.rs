//! What the installers need in the live system, and what they take from the medium.

use isosmith_spec::model::{BiosLoader, BuildSpec, Encryption, Suite};

use super::need::{Need, needs};

/// What makes filesystems, for either installer; and what an installed system keeps.
const COMMON: &[&str] = &[
    "sudo",
    "e2fsprogs",
    "btrfs-progs",
    "xfsprogs",
    "dosfstools",
    "ntfs-3g",
    "os-prober",
    "grub2-common",
];

/// Calamares and the programs that it calls. Its package recommends some and forgets others;
/// nothing comes by Recommends here.
const CALAMARES: &[&str] = &[
    "calamares",
    "pkexec",
    "rsync",
    "squashfs-tools",
    "parted",
    "x11-xserver-utils",
    "xdg-user-dirs",
    "libglib2.0-bin",
];

/// A screen without a desktop.
const SCREEN: &[&str] = &[
    "xserver-xorg-core",
    "xserver-xorg-input-libinput",
    "xserver-xorg-video-fbdev",
    "xserver-xorg-video-vesa",
    "xinit",
    "openbox",
    "fonts-dejavu-core",
];

/// Packages for the installers' sake: in the live system, and in the installed one only as far
/// as its disk and firmware need them.
pub(super) fn installed(spec: &BuildSpec) -> Vec<Need> {
    let installer = &spec.installer;
    if !installer.any() {
        return Vec::new();
    }
    let field = if installer.calamares {
        "installer.calamares"
    } else {
        "installer.debian"
    };
    let mut all = needs(field, COMMON);
    if installer.calamares {
        all.extend(calamares(spec));
    }
    if installer.debian {
        // Its partitioner has logical volumes, and puts encrypted systems onto them.
        all.extend(needs("installer.debian", &["lvm2"]));
    }
    if installer.encryption != Encryption::Hidden {
        all.extend(needs(
            "installer.encryption",
            &["cryptsetup", "cryptsetup-initramfs", "keyutils"],
        ));
    }
    let boot = &spec.boot;
    if boot.bios != BiosLoader::None {
        all.extend(needs("boot.bios", &["grub-pc-bin"]));
    }
    if boot.uefi {
        all.extend(needs("boot.uefi", &["grub-efi-amd64-bin", "efibootmgr"]));
    }
    if boot.uefi && boot.secure_boot {
        all.extend(needs(
            "boot.secure_boot",
            &["grub-efi-amd64-signed", "shim-signed"],
        ));
    }
    all
}

fn calamares(spec: &BuildSpec) -> Vec<Need> {
    let field = "installer.calamares";
    let mut all = needs(field, CALAMARES);
    let widgets = match spec.base.suite {
        // Calamares 3.2 is built with Qt 5, 3.3 with Qt 6; without these its slides are blank.
        Suite::Bookworm => [
            "qml-module-qtquick2",
            "qml-module-qtquick-window2",
            "libqt5svg5",
        ],
        Suite::Trixie | Suite::Forky | Suite::Sid => [
            "qml6-module-qtquick",
            "qml6-module-qtquick-window",
            "qt6-svg-plugins",
        ],
    };
    all.extend(needs(field, &widgets));
    if spec.installer.only {
        all.extend(needs("installer.only", SCREEN));
    }
    all
}

/// Packages of which the installed system gets one: they exclude each other, so they lie on
/// the medium, with what they need beyond the live system.
pub(super) fn in_the_pool(spec: &BuildSpec) -> Vec<Need> {
    if !spec.installer.any() {
        return Vec::new();
    }
    let mut all = Vec::new();
    if spec.boot.bios != BiosLoader::None {
        all.extend(needs("boot.bios", &["grub-pc"]));
    }
    if spec.boot.uefi {
        all.extend(needs("boot.uefi", &["grub-efi-amd64"]));
    }
    all
}
