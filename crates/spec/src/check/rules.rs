//! Rules between fields.

use std::collections::BTreeSet;

use super::read::Place;
use crate::model::{
    Base, BiosLoader, Boot, FirmwareSet, Kernel, KernelFlavour, Region, SudoPolicy, Suite, Users,
};
use crate::problem::quote;

pub(super) fn base(root: &Place<'_>, base: Option<&Base>) {
    repositories(&root.get("base.repositories"));
    let Some(base) = base else { return };
    if base.suite == Suite::Sid {
        sid(root, base);
    }
    if base.snapshot.is_none() {
        return;
    }
    for mirror in root.get("base.mirrors").entries() {
        if mirror.text().is_some_and(|text| text != "auto") {
            mirror.refuse(
                "a mirror has only today's packages, while `base.snapshot` asks for old ones",
                "remove either the mirror or `base.snapshot`",
            );
        }
    }
    let security = root.get("base.security");
    if security.text().is_some_and(|text| text != "auto") {
        security.refuse(
            "a security mirror has only today's packages, while `base.snapshot` asks for old ones",
            "write `security = \"auto\"`, which takes them from the snapshot too",
        );
    }
}

fn repositories(at: &Place<'_>) {
    let mut names = BTreeSet::new();
    for entry in at.entries() {
        let name = entry.get("name");
        name.not_again(&mut names, name.text());
    }
}

fn sid(root: &Place<'_>, base: &Base) {
    if base.security.is_some() {
        root.get("base.security").refuse(
            "sid has no security pocket; fixes reach it as ordinary uploads",
            "remove `security`, or choose another suite",
        );
    }
    if base.updates {
        root.get("base.updates").refuse(
            "sid has no updates pocket",
            "remove `updates`, or choose another suite",
        );
    }
}

pub(super) fn kernel(root: &Place<'_>, base: Option<&Base>, kernel: Option<&Kernel>) {
    let (Some(base), Some(kernel)) = (base, kernel) else {
        return;
    };
    let has_backports = match base.suite {
        Suite::Bookworm | Suite::Trixie => true,
        Suite::Forky | Suite::Sid => false,
    };
    if kernel.flavour == KernelFlavour::Backports && !has_backports {
        root.get("kernel.flavour").refuse(
            format!("{} has no backports", base.suite),
            "write `flavour = \"stable\"`, whose kernel is as new, or choose bookworm or trixie",
        );
    }
    let non_free = base
        .components
        .iter()
        .any(|component| component.as_str() == "non-free-firmware");
    for (entry, set) in root
        .get("kernel.firmware")
        .entries()
        .iter()
        .zip(&kernel.firmware)
    {
        if *set != FirmwareSet::Free && !non_free {
            entry.refuse(
                format!("the firmware set `{set}` is not in the components chosen"),
                "add `\"non-free-firmware\"` to `base.components`, or remove the set",
            );
        }
    }
}

/// Packages without which no live image comes about: Debian's essential ones, package
/// management, and what finds and starts the live system.
pub(super) const INDISPENSABLE: [&str; 47] = [
    "adduser",
    "apt",
    "base-files",
    "base-passwd",
    "bash",
    "bsdutils",
    "coreutils",
    "dash",
    "dbus",
    "debconf",
    "debian-archive-keyring",
    "debianutils",
    "diffutils",
    "dpkg",
    "findutils",
    "grep",
    "gzip",
    "hostname",
    "init",
    "init-system-helpers",
    "initramfs-tools",
    "initramfs-tools-core",
    "klibc-utils",
    "kmod",
    "libc-bin",
    "libc6",
    "live-boot",
    "live-boot-initramfs-tools",
    "live-config",
    "live-config-systemd",
    "login",
    "mawk",
    "mount",
    "ncurses-base",
    "ncurses-bin",
    "passwd",
    "perl-base",
    "sed",
    "systemd",
    "systemd-sysv",
    "sysvinit-utils",
    "tar",
    "tzdata",
    "udev",
    "user-setup",
    "util-linux",
    "zlib1g",
];

pub(super) fn software(root: &Place<'_>, region: Option<&Region>, users: Option<&Users>) {
    let wanted: BTreeSet<&str> = root
        .get("software.packages")
        .entries()
        .iter()
        .filter_map(Place::text)
        .collect();
    let sudo = users
        .and_then(|users| users.live.as_ref())
        .is_some_and(|live| live.sudo != SudoPolicy::None);
    let locales = region.is_some_and(|region| {
        region
            .locales
            .iter()
            .any(|locale| locale.as_str() != "C.UTF-8")
    });
    for entry in root.get("software.exclude").entries() {
        let Some(name) = entry.text() else { continue };
        if wanted.contains(name) {
            entry.refuse(
                format!("{} is both wanted and excluded", quote(name)),
                format!(
                    "remove it from `software.packages` or `software.exclude`; what a parent put in goes with `\"!{}\"`",
                    quote(name).trim_matches('`')
                ),
            );
        }
        if INDISPENSABLE.contains(&name) || name.starts_with("linux-image-") {
            entry.refuse(
                format!("a live system cannot be built without {}", quote(name)),
                "remove it from `software.exclude`",
            );
        }
        if name == "sudo" && sudo {
            entry.refuse(
                "`sudo` is excluded, but the live user is to use it",
                "write `sudo = \"none\"` in `[users.live]`, or remove it from `software.exclude`",
            );
        }
        if name == "locales" && locales {
            entry.refuse(
                "`locales` is excluded, but needed to generate `region.locales`",
                "write `locales = [\"C.UTF-8\"]` in `[region]`, or remove it from `software.exclude`",
            );
        }
    }
}

pub(super) fn services(root: &Place<'_>) {
    let enabled = root.get("services.enable").entries();
    let enabled: BTreeSet<&str> = enabled.iter().filter_map(Place::text).collect();
    for entry in root.get("services.disable").entries() {
        let Some(unit) = entry.text().filter(|unit| enabled.contains(unit)) else {
            continue;
        };
        entry.refuse(
            format!("{} is both switched on and off", quote(unit)),
            "remove it from `services.enable` or `services.disable`; what a parent put in goes with `!` before the name",
        );
    }
}

/// A file laid over these would take away the accounts of the system's own programs.
const ACCOUNT_FILES: [&str; 4] = ["/etc/group", "/etc/gshadow", "/etc/passwd", "/etc/shadow"];

pub(super) fn files(root: &Place<'_>) {
    let mut targets = BTreeSet::new();
    for entry in root.get("files").entries() {
        let target = entry.get("target");
        target.not_again(&mut targets, target.text());
        if let Some(text) = target.text().filter(|text| ACCOUNT_FILES.contains(text)) {
            target.refuse(
                format!("{} is made from `[users]` and the packages", quote(text)),
                "write the accounts into `[users]`, or change the file in a script",
            );
        }
    }
}

pub(super) fn boot(root: &Place<'_>, boot: Option<&Boot>) {
    let Some(boot) = boot else { return };
    if boot.bios == BiosLoader::None && !boot.uefi {
        root.get("boot.bios").refuse(
            "no machine could boot this: neither BIOS nor UEFI is supported",
            "write `uefi = true`, or `bios = \"isolinux\"`",
        );
    }
    if boot.secure_boot && !boot.uefi {
        root.get("boot.secure_boot").refuse(
            "Secure Boot is a part of UEFI, which is switched off",
            "write `uefi = true`, or `secure_boot = false`",
        );
    }
}
