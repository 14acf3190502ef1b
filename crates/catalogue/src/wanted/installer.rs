//! What the graphical installer needs in the live system, and what it takes from the medium.

use isosmith_spec::model::{BiosLoader, BuildSpec, Encryption, Suite};

/// Calamares and the programs that it calls. Its package recommends some and forgets others;
/// nothing comes by Recommends here.
const PROGRAMS: &[&str] = &[
    "calamares",
    "pkexec",
    "sudo",
    "rsync",
    "squashfs-tools",
    "parted",
    "e2fsprogs",
    "btrfs-progs",
    "xfsprogs",
    "dosfstools",
    "ntfs-3g",
    "os-prober",
    "grub2-common",
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

/// Packages for the installer's sake: in the live system, and in the installed one only as far
/// as its disk and firmware need them.
pub(super) fn installed(spec: &BuildSpec) -> Vec<&'static str> {
    let installer = &spec.installer;
    if !installer.calamares {
        return Vec::new();
    }
    let mut names = PROGRAMS.to_vec();
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
    if installer.only {
        names.extend(SCREEN);
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

/// Packages of which the installed system gets one: they exclude each other, so they lie on
/// the medium, with what they need beyond the live system.
pub(super) fn in_the_pool(spec: &BuildSpec) -> Vec<&'static str> {
    if !spec.installer.calamares {
        return Vec::new();
    }
    let bios = (spec.boot.bios != BiosLoader::None).then_some("grub-pc");
    let uefi = spec.boot.uefi.then_some("grub-efi-amd64");
    bios.into_iter().chain(uefi).collect()
}
