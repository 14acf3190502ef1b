//! Partitions, filesystems, encryption, and the boot loader.

use isosmith_spec::model::{BuildSpec, Encryption, Filesystem, Luks, Swap};
use serde_json::{Value, json};

use super::{Calamares, Written};

pub(super) fn files(spec: &BuildSpec) -> Vec<Written> {
    vec![
        Written::module("partition", &partition(spec)),
        Written::module("mount", &mount(spec)),
        Written::module("fstab", &fstab(spec)),
        Written::module("unpackfs", &unpackfs()),
        Written::module("bootloader", &bootloader()),
        Written::module("grubcfg", &grubcfg(spec)),
        Written::new(GRUB_SETTINGS, grub_settings(&spec.branding.name)),
    ]
}

/// Read after `/etc/default/grub` by grub-mkconfig, grub-install and the packages' scripts.
pub(super) const GRUB_SETTINGS: &str = "/etc/default/grub.d/isosmith.cfg";

/// Whether `/boot` is a partition of its own, outside of what is encrypted.
///
/// GRUB opens neither LUKS2 with Argon2 nor, where it is signed by Debian, XFS; and it asks for
/// the passphrase with its own keymap. The old Calamares cannot leave a partition out of the
/// encryption.
fn separate_boot(spec: &BuildSpec) -> bool {
    match Calamares::of(spec.base.suite) {
        Calamares::Old => false,
        Calamares::New => {
            spec.installer.encryption != Encryption::Hidden
                || spec.installer.filesystem == Filesystem::Xfs
        }
    }
}

/// Whether the initramfs opens the disk with a key of its own, after GRUB has asked for the
/// passphrase.
pub(super) fn needs_key_file(spec: &BuildSpec) -> bool {
    spec.installer.encryption != Encryption::Hidden && !separate_boot(spec)
}

const fn filesystem(filesystem: Filesystem) -> &'static str {
    match filesystem {
        Filesystem::Ext4 => "ext4",
        Filesystem::Btrfs => "btrfs",
        Filesystem::Xfs => "xfs",
    }
}

const fn swap(swap: Swap) -> &'static str {
    match swap {
        Swap::None => "none",
        Swap::Small => "small",
        Swap::Suspend => "suspend",
        Swap::File => "file",
    }
}

const fn luks(luks: Luks) -> &'static str {
    match luks {
        Luks::Luks1 => "luks1",
        Luks::Luks2 => "luks2",
    }
}

fn partition(spec: &BuildSpec) -> Value {
    let installer = &spec.installer;
    let root = filesystem(installer.filesystem);
    let mut settings = json!({
        "userSwapChoices": ["none", "small", "suspend", "file"],
        "initialSwapChoice": swap(installer.swap),
        "initialPartitioningChoice": "none",
        "drawNestedPartitions": false,
        "alwaysShowPartitionLabels": true,
        "allowManualPartitioning": true,
        "defaultFileSystemType": root,
        "availableFileSystemTypes": [root],
        "enableLuksAutomatedPartitioning": installer.encryption != Encryption::Hidden,
    });
    let more = match Calamares::of(spec.base.suite) {
        Calamares::Old => json!({
            "efiSystemPartition": "/boot/efi",
            "efiSystemPartitionSize": "512M",
            "efiSystemPartitionName": "EFI",
        }),
        Calamares::New => json!({
            "efi": { "mountPoint": "/boot/efi", "recommendedSize": "512MiB", "minimumSize": "64MiB", "label": "EFI" },
            "luksGeneration": luks(installer.luks),
            "preCheckEncryption": installer.encryption == Encryption::Preselected,
            // Its warning is about a passphrase that GRUB asks for; nobody is asked for one twice.
            "showNotEncryptedBootMessage": false,
            "lvm": { "enable": false },
        }),
    };
    merge(&mut settings, more);
    if separate_boot(spec) {
        let layout = json!([
            { "name": "boot", "filesystem": "ext4", "mountPoint": "/boot", "size": "1GiB", "noEncrypt": true },
            { "name": "root", "filesystem": "unknown", "mountPoint": "/", "size": "100%" },
        ]);
        merge(&mut settings, json!({ "partitionLayout": layout }));
    }
    settings
}

fn merge(into: &mut Value, more: Value) {
    if let (Some(into), Value::Object(more)) = (into.as_object_mut(), more) {
        into.extend(more);
    }
}

const BTRFS_OPTIONS: &[&str] = &["defaults", "noatime", "compress=zstd:1"];

fn mount(spec: &BuildSpec) -> Value {
    let efivars = json!({ "device": "efivarfs", "fs": "efivarfs", "mountPoint": "/sys/firmware/efi/efivars", "efi": true });
    let options = |options: &str| match Calamares::of(spec.base.suite) {
        Calamares::Old => json!(options),
        Calamares::New => json!([options]),
    };
    let mut mounts = vec![
        json!({ "device": "proc", "fs": "proc", "mountPoint": "/proc" }),
        json!({ "device": "sys", "fs": "sysfs", "mountPoint": "/sys" }),
        json!({ "device": "/dev", "mountPoint": "/dev", "options": options("bind") }),
        json!({ "device": "/dev/pts", "mountPoint": "/dev/pts", "options": options("bind") }),
        json!({ "device": "tmpfs", "fs": "tmpfs", "mountPoint": "/run" }),
        json!({ "device": "/run/udev", "mountPoint": "/run/udev", "options": options("bind") }),
    ];
    let mut settings = json!({
        "btrfsSubvolumes": [
            { "mountPoint": "/", "subvolume": "/@" },
            { "mountPoint": "/home", "subvolume": "/@home" },
        ],
        "btrfsSwapSubvol": "/@swap",
    });
    match Calamares::of(spec.base.suite) {
        Calamares::Old => merge(&mut settings, json!({ "extraMountsEfi": [efivars] })),
        Calamares::New => {
            mounts.push(efivars);
            merge(
                &mut settings,
                json!({ "mountOptions": [
                    { "filesystem": "default", "options": ["defaults", "noatime"] },
                    { "filesystem": "efi", "options": ["defaults", "umask=0077"] },
                    { "filesystem": "btrfs", "options": BTRFS_OPTIONS },
                    { "filesystem": "btrfs_swap", "options": ["defaults", "noatime"] },
                ] }),
            );
        }
    }
    merge(&mut settings, json!({ "extraMounts": mounts }));
    settings
}

fn fstab(spec: &BuildSpec) -> Value {
    let mut settings = json!({
        // Lets fstrim.timer through to the disk.
        "crypttabOptions": "luks,discard",
        // Debian decides about /tmp itself.
        "tmpOptions": { "default": { "tmpfs": false, "options": "" }, "ssd": { "tmpfs": false, "options": "" } },
    });
    if Calamares::of(spec.base.suite) == Calamares::Old {
        merge(
            &mut settings,
            json!({
                "mountOptions": { "default": "defaults,noatime", "btrfs": BTRFS_OPTIONS.join(",") },
                "efiMountOptions": "umask=0077",
                "crypttabOptions": "luks,discard,keyscript=/bin/cat",
            }),
        );
    }
    settings
}

fn unpackfs() -> Value {
    json!({ "unpack": [{
        "source": "/run/live/medium/live/filesystem.squashfs",
        "sourcefs": "squashfs",
        "destination": "",
    }] })
}

fn bootloader() -> Value {
    json!({
        "efiBootLoader": "grub",
        "kernelSearchPath": "/usr/lib/modules",
        "kernelName": "vmlinuz",
        "timeout": "5",
        "grubInstall": "grub-install",
        "grubMkconfig": "grub-mkconfig",
        "grubCfg": "/boot/grub/grub.cfg",
        "grubProbe": "grub-probe",
        "efiBootMgr": "efibootmgr",
        // Debian's signed GRUB looks for its menu in /EFI/debian and nowhere else, whatever
        // the product is called.
        "efiBootloaderId": "debian",
        // It would copy GRUB without shim; the last script has grub-install do it.
        "installEFIFallback": false,
    })
}

fn grubcfg(spec: &BuildSpec) -> Value {
    let mut parameters = vec!["quiet".to_owned()];
    parameters.extend(spec.kernel.cmdline.iter().map(ToString::to_string));
    json!({
        "overwrite": false,
        "prefer_grub_d": false,
        "keep_distributor": false,
        "always_use_defaults": false,
        "kernel_params": parameters,
    })
}

/// Settings of GRUB on the installed system.
///
/// Scripts of grub-efi-amd64 and shim-signed (postinst, as of 2.12-9+deb13u2) and grub-install
/// itself make the folder on the EFI partition out of the first word of `GRUB_DISTRIBUTOR`, in
/// lower case; Debian's own `/etc/default/grub` takes that from os-release. Only the menu's
/// generator, which runs the file as a part of itself, gets the product's name.
pub(crate) fn grub_settings(name: &str) -> String {
    format!(
        "# Made by Isosmith.\n\
         # The signed GRUB finds its menu in /EFI/debian only; this names the folder.\n\
         GRUB_DISTRIBUTOR=Debian\n\
         # Titles of the menu carry the product's name.\n\
         case \"$0\" in\n\
         *grub-mkconfig) GRUB_DISTRIBUTOR={} ;;\n\
         esac\n\
         # Other systems on the machine's disks stay in the menu.\n\
         GRUB_DISABLE_OS_PROBER=false\n",
        isosmith_host::cmd::quote(name)
    )
}
