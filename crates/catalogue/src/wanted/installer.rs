//! What the installers need in the live system, and what they take from the medium.

use isosmith_spec::model::{BiosLoader, BuildSpec, Encryption, Suite};

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
pub(super) fn installed(spec: &BuildSpec) -> Vec<&'static str> {
    let installer = &spec.installer;
    if !installer.any() {
        return Vec::new();
    }
    let mut names = COMMON.to_vec();
    if installer.calamares {
        names.extend(calamares(spec));
    }
    if installer.debian {
        // Its partitioner has logical volumes, and puts encrypted systems onto them.
        names.push("lvm2");
    }
    if installer.encryption != Encryption::Hidden {
        names.extend(["cryptsetup", "cryptsetup-initramfs", "keyutils"]);
    }
    let boot = &spec.boot;
    if boot.bios != BiosLoader::None {
        names.push("grub-pc-bin");
    }
    if boot.uefi {
        names.extend(["grub-efi-amd64-bin", "efibootmgr"]);
    }
    if boot.uefi && boot.secure_boot {
        names.extend(["grub-efi-amd64-signed", "shim-signed"]);
    }
    names
}

fn calamares(spec: &BuildSpec) -> Vec<&'static str> {
    let mut names = CALAMARES.to_vec();
    names.extend(match spec.base.suite {
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
    });
    if spec.installer.only {
        names.extend(SCREEN);
    }
    names
}

/// Packages of which the installed system gets one: they exclude each other, so they lie on
/// the medium, with what they need beyond the live system.
pub(super) fn in_the_pool(spec: &BuildSpec) -> Vec<&'static str> {
    if !spec.installer.any() {
        return Vec::new();
    }
    let bios = (spec.boot.bios != BiosLoader::None).then_some("grub-pc");
    let uefi = spec.boot.uefi.then_some("grub-efi-amd64");
    bios.into_iter().chain(uefi).collect()
}
