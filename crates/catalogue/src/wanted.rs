//! Which packages a spec asks for, directly or by a choice that needs them.

use std::collections::BTreeSet;

use isosmith_spec::model::{
    BiosLoader, BuildSpec, FirmwareSet, KernelFlavour, MenuEntry, SudoPolicy, Suite,
};

/// In every image. Mind the Recommends: without user-setup there is no live user, without sudo
/// and locales their components of live-config do nothing.
const LIVE: &[&str] = &[
    "live-boot",
    "live-boot-initramfs-tools",
    "live-config",
    "live-config-systemd",
    "systemd-sysv",
    "initramfs-tools",
    "locales",
    "keyboard-configuration",
    "console-setup",
    "kbd",
    "tzdata",
    "dbus",
    "udev",
    "zstd",
];

/// Packages that are installed, sorted: those of the profile and those that its choices need.
pub fn installed(spec: &BuildSpec) -> Vec<String> {
    let mut wanted: BTreeSet<String> = spec
        .software
        .packages
        .iter()
        .map(ToString::to_string)
        .collect();
    wanted.extend(LIVE.iter().map(|&name| name.to_owned()));
    if let Some(user) = &spec.users.live {
        wanted.insert("user-setup".to_owned());
        if user.sudo != SudoPolicy::None {
            wanted.insert("sudo".to_owned());
        }
    }
    wanted.insert(kernel(spec.kernel.flavour).to_owned());
    for set in &spec.kernel.firmware {
        let names = firmware(*set, spec.base.suite).iter();
        wanted.extend(names.map(|&name| name.to_owned()));
    }
    wanted.into_iter().collect()
}

/// Packages that are downloaded for files of theirs on the medium, and not installed.
pub fn on_the_medium(spec: &BuildSpec) -> Vec<&'static str> {
    let boot = &spec.boot;
    let mut names = Vec::new();
    match boot.bios {
        BiosLoader::Isolinux => names.extend(["isolinux", "syslinux-common"]),
        BiosLoader::Grub => names.push("grub-pc-bin"),
        BiosLoader::None => {}
    }
    if boot.uefi && boot.secure_boot {
        names.extend([
            "shim-signed",
            "shim-helpers-amd64-signed",
            "grub-efi-amd64-signed",
        ]);
    }
    if boot.uefi || boot.bios == BiosLoader::Grub {
        names.extend(["grub-efi-amd64-bin", "grub-common"]);
    }
    if boot.entries.contains(&MenuEntry::MemoryTest) {
        names.push("memtest86+");
    }
    names
}

/// The kernel's metapackage.
pub const fn kernel(flavour: KernelFlavour) -> &'static str {
    match flavour {
        KernelFlavour::Stable | KernelFlavour::Backports => "linux-image-amd64",
        KernelFlavour::Rt => "linux-image-rt-amd64",
        KernelFlavour::Cloud => "linux-image-cloud-amd64",
    }
}

/// What a set of firmware is called in `suite`: Debian 13 split several packages.
pub const fn firmware(set: FirmwareSet, suite: Suite) -> &'static [&'static str] {
    let old = matches!(suite, Suite::Bookworm);
    match set {
        FirmwareSet::Free => &["firmware-linux-free"],
        FirmwareSet::Graphics if old => &["firmware-amd-graphics", "firmware-misc-nonfree"],
        FirmwareSet::Graphics => &[
            "firmware-amd-graphics",
            "firmware-intel-graphics",
            "firmware-nvidia-graphics",
        ],
        FirmwareSet::Wireless if old => &[
            "firmware-atheros",
            "firmware-brcm80211",
            "firmware-iwlwifi",
            "firmware-libertas",
            "firmware-misc-nonfree",
            "firmware-realtek",
            "firmware-ti-connectivity",
        ],
        FirmwareSet::Wireless => &[
            "firmware-atheros",
            "firmware-brcm80211",
            "firmware-iwlwifi",
            "firmware-libertas",
            "firmware-mediatek",
            "firmware-realtek",
            "firmware-ti-connectivity",
        ],
        FirmwareSet::Ethernet => &[
            "firmware-bnx2",
            "firmware-bnx2x",
            "firmware-cavium",
            "firmware-myricom",
            "firmware-netronome",
            "firmware-qlogic",
            "firmware-realtek",
        ],
        FirmwareSet::Sound => &["firmware-sof-signed"],
        FirmwareSet::Microcode => &["amd64-microcode", "intel-microcode"],
        FirmwareSet::Misc => &["firmware-misc-nonfree"],
    }
}
