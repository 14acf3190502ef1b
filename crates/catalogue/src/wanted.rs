//! Which packages a spec asks for, directly or by a choice that needs them.

mod applications;
mod branding;
mod desktop;
mod installer;
mod language;
mod need;
mod security;
mod suite;

use std::collections::BTreeSet;

use isosmith_spec::model::{
    BiosLoader, BuildSpec, FirmwareSet, KernelFlavour, MenuEntry, SudoPolicy, Suite,
};

use need::{Need, needs};

pub use branding::has_splash;
pub use need::needed_but_excluded;

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
    let mut wanted: BTreeSet<String> = asked(spec).into_iter().collect();
    wanted.extend(names(installer::installed(spec)));
    with_words(spec, wanted)
}

/// Packages of [`installed`] that are wanted for their own sake, sorted: without those that
/// only the installer needs.
pub fn asked(spec: &BuildSpec) -> Vec<String> {
    let mut wanted: BTreeSet<String> = spec
        .software
        .packages
        .iter()
        .map(ToString::to_string)
        .collect();
    wanted.extend(names(chosen(spec)));
    let extras = desktop::extras(&spec.desktop).into_iter();
    let extras = extras.filter_map(|name| suite::named(name, spec.base.suite));
    let kept = |name: &&str| {
        let mut left_out = spec.software.exclude.iter();
        left_out.all(|excluded| excluded.as_str() != *name)
    };
    wanted.extend(extras.filter(kept).map(str::to_owned));
    with_words(spec, wanted)
}

/// `wanted` in the profile's languages, sorted.
fn with_words(spec: &BuildSpec, mut wanted: BTreeSet<String>) -> Vec<String> {
    let words = language::packages(spec, wanted.iter().map(String::as_str));
    wanted.extend(words);
    wanted.into_iter().collect()
}

fn names(needs: Vec<Need>) -> impl Iterator<Item = String> {
    needs.into_iter().map(|need| need.name.to_owned())
}

/// What the profile's choices cannot do without, installer and medium left aside.
fn chosen(spec: &BuildSpec) -> Vec<Need> {
    let suite = spec.base.suite;
    let mut all = needs("", LIVE);
    if let Some(user) = &spec.users.live {
        all.extend(needs("users.live", &["user-setup"]));
        if user.sudo != SudoPolicy::None {
            all.extend(needs("users.live.sudo", &["sudo"]));
        }
    }
    if spec.assistant.is_some() {
        // Without them no encrypted connection is trusted.
        all.extend(needs("ai.interface", &["ca-certificates"]));
    }
    all.extend(branding::packages(spec));
    all.extend(needs("kernel.flavour", &[kernel(spec.kernel.flavour)]));
    for set in &spec.kernel.firmware {
        all.extend(needs("kernel.firmware", firmware(*set, suite)));
    }
    if spec.users.accounts.iter().any(|account| account.sudo) {
        all.extend(needs("users.accounts", &["sudo"]));
    }
    let of_debian_13 = desktop::packages(&spec.desktop)
        .into_iter()
        .chain(security::packages(&spec.security));
    all.extend(of_debian_13.filter_map(|need| need.in_suite(suite)));
    all.extend(applications::packages(&spec.desktop.applications, suite));
    all
}

/// Packages that exclude each other, of which an installed system gets one from the medium.
pub fn in_the_pool(spec: &BuildSpec) -> Vec<&'static str> {
    let pool = installer::in_the_pool(spec).into_iter();
    pool.map(|need| need.name).collect()
}

/// Packages that are downloaded for files of theirs on the medium, and not installed.
pub fn on_the_medium(spec: &BuildSpec) -> Vec<&'static str> {
    let lent = lent(spec).into_iter();
    lent.map(|need| need.name).collect()
}

fn lent(spec: &BuildSpec) -> Vec<Need> {
    let boot = &spec.boot;
    let mut all = match boot.bios {
        BiosLoader::Isolinux => needs("boot.bios", &["isolinux", "syslinux-common"]),
        BiosLoader::Grub => needs("boot.bios", &["grub-pc-bin"]),
        BiosLoader::None => Vec::new(),
    };
    if boot.uefi && boot.secure_boot {
        all.extend(needs(
            "boot.secure_boot",
            &[
                "shim-signed",
                "shim-helpers-amd64-signed",
                "grub-efi-amd64-signed",
            ],
        ));
    }
    if boot.uefi || boot.bios == BiosLoader::Grub {
        let field = if boot.uefi { "boot.uefi" } else { "boot.bios" };
        all.extend(needs(field, &["grub-efi-amd64-bin", "grub-common"]));
    }
    if boot.entries.contains(&MenuEntry::MemoryTest) {
        all.extend(needs("boot.entries", &["memtest86+"]));
    }
    if spec.installer.debian {
        let (package, _) = debian_installer(spec.base.suite);
        all.extend(needs("installer.debian", &[package]));
    }
    all
}

/// The package that has the initramfs of Debian's installer for `suite`, and the folder of that in
/// there. Suites that are not released have none of their own yet.
pub const fn debian_installer(suite: Suite) -> (&'static str, &'static str) {
    match suite {
        Suite::Bookworm => (
            "debian-installer-12-netboot-amd64",
            "usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64",
        ),
        Suite::Trixie | Suite::Forky | Suite::Sid => (
            "debian-installer-13-netboot-amd64",
            "usr/lib/debian-installer/images/13/amd64/text/debian-installer/amd64",
        ),
    }
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

#[cfg(test)]
pub(crate) mod tests {
    use isosmith_spec::{Layer, Origin};

    use super::*;

    pub(in crate::wanted) fn spec(text: &str) -> BuildSpec {
        let text = format!("format = 1\n[profile]\nname = \"demo\"\n{text}");
        let layer = Layer::new(Origin::Profile("demo".into()), "", text);
        isosmith_spec::load(vec![layer], &|_| None)
            .expect("a good profile")
            .0
    }

    /// Every name of `has` is wanted with `text`, and none of `lacks`.
    fn check(text: &str, has: &[&str], lacks: &[&str]) {
        let names = installed(&spec(text));
        for name in has {
            assert!(names.iter().any(|found| found == name), "{name}: {text}");
        }
        for name in lacks {
            assert!(names.iter().all(|found| found != name), "{name}: {text}");
        }
    }

    #[test]
    fn choices_bring_what_they_need() {
        let kde = "[desktop]\nenvironment = \"kde\"\n";
        let minimal = format!("{kde}size = \"minimal\"");
        let full = format!("{kde}size = \"full\"");
        let x11 = format!("{kde}session = \"x11\"");
        let old = format!("[base]\nsuite = \"bookworm\"\n{kde}");
        let fewer = format!("{kde}[software]\nexclude = [\"kate\"]");
        for (text, has, lacks) in [
            ("", &[][..], &["xserver-xorg", "nftables", "sudo-ldap"][..]),
            (kde, &["plasma-desktop", "sddm", "kate"], &["gdm3", "gimp"]),
            (&minimal, &["plasma-desktop", "konsole"], &["kate"]),
            (&fewer, &["plasma-desktop", "gwenview"], &["kate"]),
            (&full, &["plasma-desktop", "kate", "gimp"], &[]),
            (&x11, &["kwin-x11", "xserver-xorg"], &["xwayland"]),
            (
                kde,
                &["kwin-x11", "xserver-xorg", "xwayland"],
                &["plasma-workspace-wayland"],
            ),
            (
                "[desktop]\nenvironment = \"gnome\"",
                &["gnome-session-xsession", "xserver-xorg"],
                &["kwin-x11"],
            ),
            (
                "[base]\nsuite = \"forky\"\n[desktop]\nenvironment = \"gnome\"",
                &["gdm3"],
                &["gnome-session-xsession"],
            ),
            (&old, &["plasma-workspace-wayland"], &[]),
            (
                "[security]\nfirewall = \"nftables\"",
                &["nftables"],
                &["ufw"],
            ),
            ("[security]\nfirewall = \"ufw\"", &["ufw"], &["nftables"]),
            ("", &[], &["ca-certificates"]),
            (
                "[ai]\ninterface = \"ollama\"\nendpoint = \"http://h\"\nmodel = \"m\"",
                &["ca-certificates"],
                &[],
            ),
            (
                "[security]\napparmor = true\nautomatic_updates = true",
                &["apparmor", "unattended-upgrades"],
                &["fail2ban"],
            ),
            (
                "[security]\ndns_over_tls = true\nrandom_mac = true",
                &["systemd-resolved", "network-manager"],
                &[],
            ),
        ] {
            check(text, has, lacks);
        }
    }

    #[test]
    fn every_list_is_sorted_full_and_without_repeats() {
        for environment in ["kde", "gnome", "xfce", "lxqt", "cinnamon", "mate", "kiosk"] {
            let mut before = 0;
            for size in ["minimal", "standard", "full"] {
                let page = if environment == "kiosk" {
                    "kiosk_page = \"https://example.org/\"\n"
                } else {
                    ""
                };
                let text = format!(
                    "[desktop]\nenvironment = \"{environment}\"\nsize = \"{size}\"\n{page}"
                );
                let names = installed(&spec(&text));
                assert!(
                    names.windows(2).all(|pair| pair[0] < pair[1]),
                    "{environment} {size}: {names:?}"
                );
                assert!(names.len() > before, "{environment} {size} adds nothing");
                before = names.len();
            }
        }
        desktop::tests::lists_are_sorted();
    }
}
