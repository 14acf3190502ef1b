//! Debian's own installer, which installs the system on the medium without a network.
//!
//! Its initramfs is the one of the archive's signed package, which looks for a mirror; here it
//! gets what it would have fetched there: its dialogues, as the archive has them, and the modules
//! of the kernel that the medium starts anyway. So the installer knows the hardware that the live
//! system knows, Secure Boot has to trust no further kernel, and the archive need not have the
//! installer's kernel any more. The programs that make filesystems are those of the system on the
//! medium.
//!
//! The system is copied, not put together from packages: it has the brand, the settings and the apt
//! sources of the live system. What is done to the copy is done by the same scripts as after
//! Calamares (`installer/scripts`).

use std::collections::BTreeSet;

use isosmith_spec::model::BuildSpec;

use crate::installer::{self, Written};

/// Folder of all this in the initramfs.
pub(crate) const FOLDER: &str = "/isosmith";

/// Where the initramfs looks for what runs at its start, below its folder of libraries; before
/// the templates of questions are loaded, which is number 20.
const STARTUP: &str = "debian-installer-startup.d/S19isosmith";

/// Name and text.
const SCRIPTS: &[(&str, &str)] = &[
    ("end", include_str!("debian_installer/scripts/end.sh")),
    (
        "from-medium",
        include_str!("debian_installer/scripts/from-medium.sh"),
    ),
    (
        "install",
        include_str!("debian_installer/scripts/install.sh"),
    ),
    (
        "kernel-line",
        include_str!("debian_installer/scripts/kernel-line.sh"),
    ),
    ("mount", include_str!("debian_installer/scripts/mount.sh")),
    ("remove", include_str!("debian_installer/scripts/remove.sh")),
];

/// Texts of the initramfs, but for the answers. `packages` are those of the live system, `library`
/// is the initramfs' folder of libraries.
pub(crate) fn files(spec: &BuildSpec, packages: &BTreeSet<String>, library: &str) -> Vec<Written> {
    let mut removed = installer::removed(spec, packages).join("\n");
    removed.push('\n');
    let mut files = vec![
        Written::script(
            format!("{library}/{STARTUP}"),
            include_str!("debian_installer/scripts/startup.sh"),
        ),
        Written::new(format!("{FOLDER}/removed"), removed),
        Written::new(format!("{FOLDER}/suite"), format!("{}\n", spec.base.suite)),
        Written::new(
            format!("{FOLDER}/grub.cfg"),
            installer::grub_settings(&spec.branding.name),
        ),
    ];
    let shared = installer::scripts();
    files.extend(
        SCRIPTS
            .iter()
            .copied()
            .chain(shared)
            .map(|(name, text)| Written::script(format!("{FOLDER}/{name}"), text)),
    );
    files
}

/// Modules of the kernel that the installer may need, below `kernel/` of their folder: disks, media,
/// keyboards, and what filesystems need. Nothing is downloaded, so no network cards.
const MODULES: &[&str] = &[
    "arch/",
    "block/",
    "crypto/",
    "drivers/ata/",
    "drivers/block/",
    "drivers/cdrom/",
    "drivers/dax/",
    "drivers/firewire/",
    "drivers/hid/",
    "drivers/hv/",
    "drivers/input/",
    "drivers/md/",
    "drivers/memstick/",
    "drivers/message/",
    "drivers/misc/cardreader/",
    "drivers/mmc/",
    "drivers/nvdimm/",
    "drivers/nvme/",
    "drivers/scsi/",
    "drivers/thunderbolt/",
    "drivers/ufs/",
    "drivers/usb/",
    "drivers/virtio/",
    "drivers/xen/",
    "fs/btrfs/",
    "fs/exfat/",
    "fs/ext4/",
    "fs/fat/",
    "fs/fuse/",
    "fs/isofs/",
    "fs/jbd2/",
    "fs/mbcache",
    "fs/nls/",
    "fs/ntfs3/",
    "fs/overlayfs/",
    "fs/squashfs/",
    "fs/udf/",
    "fs/xfs/",
    "lib/",
];

/// Lists that modprobe(8) reads beside the modules.
pub(crate) const MODULE_LISTS: &[&str] = &[
    "modules.alias",
    "modules.alias.bin",
    "modules.builtin",
    "modules.builtin.alias.bin",
    "modules.builtin.bin",
    "modules.builtin.modinfo",
    "modules.dep",
    "modules.dep.bin",
    "modules.devname",
    "modules.order",
    "modules.softdep",
    "modules.symbols.bin",
];

/// The chosen modules with those that they need, as `modules.dep` (depmod(8)) names them.
pub(crate) fn modules(dependencies: &str) -> BTreeSet<&str> {
    let wanted = |path: &str| {
        let path = path.strip_prefix("kernel/").unwrap_or(path);
        MODULES.iter().any(|prefix| path.starts_with(prefix))
    };
    // Each line has all that a module needs, directly or not.
    dependencies
        .lines()
        .filter_map(|line| line.split_once(':'))
        .filter(|(path, _)| wanted(path))
        .flat_map(|(path, needs)| std::iter::once(path).chain(needs.split_whitespace()))
        .collect()
}

#[cfg(test)]
mod tests {
    use isosmith_spec::{Layer, Origin};

    use super::*;

    fn text(profile: &str, path: &str) -> String {
        let profile = format!("format = 1\n[profile]\nname = \"demo\"\n{profile}");
        let layer = Layer::new(Origin::Profile("demo".into()), "", profile);
        let (spec, _) = isosmith_spec::load(vec![layer], &|_| None).expect("a good profile");
        let packages = ["live-boot", "vim", "calamares", "gparted"].map(str::to_owned);
        let files = files(&spec, &packages.into(), "/usr/lib");
        let file = files.into_iter().find(|file| file.path == path);
        file.unwrap_or_else(|| panic!("no {path}")).text
    }

    #[test]
    fn fields_reach_the_initramfs() {
        for (profile, path, part) in [
            ("[base]\nsuite = \"bookworm\"", "suite", "bookworm\n"),
            (
                "[installer]\nremove = [\"gparted\"]",
                "removed",
                "gparted\n",
            ),
            (
                "[branding]\nname = \"Aurora\"",
                "grub.cfg",
                "GRUB_DISTRIBUTOR=Aurora",
            ),
        ] {
            let path = format!("{FOLDER}/{path}");
            assert!(!text("", &path).contains(part), "{path} without {profile}");
            assert!(text(profile, &path).contains(part), "{path} with {profile}");
        }
        let removed = text("", "/isosmith/removed");
        assert_eq!(removed, "calamares\nlive-boot\n");
    }

    #[test]
    fn every_script_that_is_called_is_there() {
        let install = text("", "/isosmith/install");
        let steps: Vec<&str> = install
            .lines()
            .filter_map(|line| line.strip_prefix("    step ")?.split(' ').next())
            .collect();
        assert_eq!(
            steps,
            [
                "prepare",
                "loader",
                "remove",
                "kernel-line",
                "initramfs",
                "finish"
            ]
        );
        for step in steps {
            assert!(text("", &format!("/isosmith/{step}")).starts_with("#!/bin/sh\n"));
        }
        assert!(text("", "/usr/lib/debian-installer-startup.d/S19isosmith").contains("udpkg"));
    }

    #[test]
    fn modules_come_with_what_they_need() {
        let found = modules(
            "kernel/drivers/scsi/sd_mod.ko.xz: kernel/drivers/scsi/scsi_mod.ko.xz kernel/net/x.ko\n\
             kernel/drivers/net/e1000.ko.xz:\nkernel/fs/mbcache.ko.xz:\nkernel/sound/a.ko: kernel/sound/b.ko\n",
        );
        let want = [
            "kernel/drivers/scsi/scsi_mod.ko.xz",
            "kernel/drivers/scsi/sd_mod.ko.xz",
            "kernel/fs/mbcache.ko.xz",
            "kernel/net/x.ko",
        ];
        assert_eq!(found, BTreeSet::from(want));
    }
}
