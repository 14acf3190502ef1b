//! Comparing an image with what it was meant to be.

use serde::Serialize;

use crate::efi::EfiReport;
use crate::eltorito::Platform;
use crate::iso9660::SECTOR;
use crate::pe::EfiProgram;
use crate::report::{MenuKind, Report};

/// Above this size some firmware fails to load the image from a CD.
const EFI_IMAGE_LIMIT: u64 = 32 << 20;

/// What an image was meant to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expect {
    /// Its volume label.
    pub label: Option<String>,
    /// Boots on a BIOS, from CD and stick.
    pub bios: bool,
    /// Boots on UEFI, from CD and stick.
    pub uefi: bool,
    /// Boots on UEFI with Secure Boot and the keys that machines ship with.
    pub secure_boot: bool,
}

/// Something that keeps an image from being what it was meant to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// A stable name for programs.
    pub code: &'static str,
    /// The problem in words.
    pub message: String,
    /// What to do about it.
    pub advice: &'static str,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} [{}]", self.message, self.code)
    }
}

impl Report {
    /// What the image sets out to be, by its boot catalogue and by whether its first UEFI
    /// program is signed: what to hold it to when nobody says more.
    #[must_use]
    pub fn claims(&self) -> Expect {
        let starts_on = |platform| {
            let catalogue = self.el_torito.as_ref();
            catalogue.is_some_and(|catalogue| catalogue.for_platform(platform).is_some())
        };
        let signed = self
            .efi
            .as_ref()
            .is_some_and(|efi| !efi.shim_signed_by().is_empty());
        Expect {
            label: None,
            bios: starts_on(Platform::Bios),
            uefi: starts_on(Platform::Uefi),
            secure_boot: signed,
        }
    }

    /// Everything in which the image falls short of `expect`; empty for a
    /// good one.
    #[must_use]
    pub fn problems(&self, expect: &Expect) -> Vec<Problem> {
        let mut found = Findings::default();
        self.whole(expect, &mut found);
        self.live_system(&mut found);
        if expect.bios {
            self.bios(&mut found);
        }
        if expect.uefi || expect.secure_boot {
            self.uefi(&mut found);
        }
        if expect.secure_boot
            && let Some(efi) = &self.efi
        {
            secure_boot(efi, &mut found);
        }
        found.0
    }

    fn whole(&self, expect: &Expect, found: &mut Findings) {
        for damage in &self.damage {
            found.add(
                damage.code,
                damage.message.clone(),
                "Build the image again.",
            );
        }
        let needed = self.volume.bytes();
        if self.size < needed {
            let message = format!("the file has {} bytes of {needed}", self.size);
            found.add(
                "image_cut_off",
                message,
                "Copy or build it again; the disk may have been full.",
            );
        }
        if let Some(label) = &expect.label
            && *label != self.volume.label
        {
            let message = format!("the volume label is {:?}, not {label:?}", self.volume.label);
            found.add(
                "label_differs",
                message,
                "Check image.label in the profile.",
            );
        }
        if !self.rock_ridge {
            let message = "file names are not Rock Ridge names";
            found.add(
                "no_rock_ridge",
                message,
                "Pass -R to xorriso; without it names are upper case and cut.",
            );
        }
        if let Some(gpt) = &self.hybrid.gpt
            && !(gpt.intact && gpt.backup)
        {
            let message = "the GPT or its copy at the end of the image is damaged";
            found.add(
                "gpt_damaged",
                message,
                "Nothing may change the image after xorriso has written it.",
            );
        }
    }

    fn live_system(&self, found: &mut Findings) {
        let live = &self.live;
        let wanted = [
            (
                "no_kernel",
                live.kernels.is_empty(),
                "there is no live/vmlinuz",
            ),
            (
                "no_initrd",
                live.initrds.is_empty(),
                "there is no live/initrd",
            ),
            (
                "no_squashfs",
                live.squashfs.is_empty(),
                "there is no readable live/*.squashfs",
            ),
        ];
        for (code, _, message) in wanted.into_iter().filter(|(_, absent, _)| *absent) {
            found.add(
                code,
                message,
                "live-boot looks for it on the medium; check the image step.",
            );
        }
        for image in &live.squashfs {
            let used = image.superblock.bytes_used;
            // mksquashfs pads to 4 KiB; more means that something else was
            // written behind the image.
            if image.file_size > used.next_multiple_of(4096) {
                let message = format!(
                    "{} has {} bytes but uses {used}",
                    image.path, image.file_size
                );
                found.add(
                    "squashfs_length",
                    message,
                    "Make the squashfs in a new file.",
                );
            }
            if image.superblock.inodes < 2 {
                let message = format!("{} is empty", image.path);
                found.add(
                    "squashfs_empty",
                    message,
                    "Check that the root tree was there when it was packed.",
                );
            }
        }
    }

    fn bios(&self, found: &mut Findings) {
        match self
            .el_torito
            .as_ref()
            .and_then(|catalogue| catalogue.for_platform(Platform::Bios))
        {
            None => found.add(
                "no_bios_boot",
                "no BIOS boot image is in the catalogue",
                "Pass -b to xorriso.",
            ),
            Some(entry)
                if entry
                    .info_table
                    .is_none_or(|table| table.intact == Some(false)) =>
            {
                let message = "the BIOS boot image has no valid boot info table";
                found.add(
                    "no_boot_info_table",
                    message,
                    "Pass -boot-info-table; the loader cannot find its parts.",
                );
            }
            Some(_) => {}
        }
        if !self.hybrid.boots_bios() {
            let message = "the image has no boot code in its MBR: a stick will not boot on a BIOS";
            found.add(
                "no_hybrid_mbr",
                message,
                "Pass -isohybrid-mbr or --grub2-mbr to xorriso.",
            );
        }
        let loader_menu = |kind| kind == MenuKind::Isolinux || kind == MenuKind::Grub;
        if !self.menus.iter().any(|menu| loader_menu(menu.kind)) {
            found.add(
                "no_menu",
                "no boot menu was found",
                "Check the boot files step.",
            );
        }
    }

    fn uefi(&self, found: &mut Findings) {
        let entry = self
            .el_torito
            .as_ref()
            .and_then(|catalogue| catalogue.for_platform(Platform::Uefi));
        if entry.is_none() {
            found.add(
                "no_uefi_boot",
                "no UEFI boot image is in the catalogue",
                "Pass -e to xorriso.",
            );
        }
        if !self.hybrid.has_efi_partition() {
            let message = "no partition is an EFI system partition: a stick will not boot on UEFI";
            found.add(
                "no_efi_partition",
                message,
                "Pass -isohybrid-gpt-basdat or append the partition.",
            );
        }
        let Some(efi) = &self.efi else {
            found.add(
                "no_efi_image",
                "there is no readable EFI image",
                "Check the boot files step.",
            );
            return;
        };
        if let Some(size) = entry.and_then(|entry| entry.size)
            && size.next_multiple_of(SECTOR) < efi.image_size
        {
            let message = format!(
                "the EFI image says {} bytes but its file has {size}",
                efi.image_size
            );
            found.add(
                "efi_image_cut_off",
                message,
                "Make the FAT image before the ISO, and not larger than its file.",
            );
        }
        if efi.image_size > EFI_IMAGE_LIMIT {
            let message = format!(
                "the EFI image has {} bytes; some firmware cannot load that",
                efi.image_size
            );
            found.add(
                "efi_image_large",
                message,
                "Keep only the boot loader in it.",
            );
        }
        if efi.first_stage().is_none() {
            let message = "there is no EFI/boot/bootx64.efi in the EFI image";
            found.add(
                "no_efi_loader",
                message,
                "Firmware looks for exactly this file on removable media.",
            );
        }
        self.grub_finds_its_menu(efi, found);
    }

    fn grub_finds_its_menu(&self, efi: &EfiReport, found: &mut Findings) {
        let grubs = [efi.grub(), efi.first_stage()];
        let Some(prefix) = grubs
            .into_iter()
            .flatten()
            .find_map(|grub| grub.grub_prefix.as_deref())
        else {
            return;
        };
        // grub-mkimage may put a device such as "(memdisk)" before the path.
        let path = prefix.rsplit_once(')').map_or(prefix, |(_, path)| path);
        let configuration = format!("{}/grub.cfg", path.trim_start_matches('/'));
        let in_image = efi
            .files
            .iter()
            .any(|file| file.eq_ignore_ascii_case(&configuration));
        let on_medium = self.menus.iter().any(|menu| menu.path == configuration);
        if !in_image && !on_medium {
            let message = format!(
                "GRUB looks for /{configuration}, which does not exist: it will stop at a prompt"
            );
            found.add(
                "grub_wrong_prefix",
                message,
                "Use gcdx64.efi.signed, which looks in /boot/grub.",
            );
        }
        if self.disk_info.is_none() {
            let message = "there is no /.disk/info, by which the signed GRUB finds the medium";
            found.add("no_disk_info", message, "Write it before the ISO is made.");
        }
    }
}

fn secure_boot(efi: &EfiReport, found: &mut Findings) {
    let (Some(shim), Some(grub)) = (efi.first_stage(), efi.grub()) else {
        let message = "Secure Boot needs both bootx64.efi (shim) and grubx64.efi in EFI/boot";
        found.add(
            "no_shim_or_grub",
            message,
            "Install shim-signed and grub-efi-amd64-signed of the suite.",
        );
        return;
    };
    if !shim
        .signatures
        .iter()
        .any(|signature| signature.names("Microsoft"))
    {
        let message = "bootx64.efi is not signed by Microsoft: firmware will refuse it";
        found.add(
            "shim_not_signed",
            message,
            "Use shimx64.efi.signed of the package shim-signed.",
        );
    }
    if grub.signatures.is_empty() {
        let message = "grubx64.efi is not signed: shim will refuse it";
        found.add(
            "grub_not_signed",
            message,
            "Use gcdx64.efi.signed of grub-efi-amd64-signed.",
        );
    }
    for (name, program) in [("bootx64.efi", shim), ("grubx64.efi", grub)] {
        if program
            .signatures
            .iter()
            .any(|signature| signature.covers_file == Some(false))
        {
            let message = format!("{name} was changed after it was signed");
            found.add(
                "signature_broken",
                message,
                "Take the file from its package again.",
            );
        }
    }
    if efi.program("mmx64.efi").is_none() {
        let message = "mmx64.efi is missing: shim stops when a key is to be enrolled";
        found.add(
            "no_mok_manager",
            message,
            "Install shim-helpers-amd64-signed of the suite.",
        );
    }
    revoked(shim, grub, found);
}

/// shim's SBAT.md: a component is refused when its generation is lower than
/// the revocation list says; a program without SBAT is refused altogether.
fn revoked(shim: &EfiProgram, grub: &EfiProgram, found: &mut Findings) {
    if grub.sbat.is_empty() {
        found.add(
            "no_sbat",
            "grubx64.efi has no SBAT section: shim will refuse it",
            "Use GRUB of a current suite.",
        );
    }
    for (component, &generation) in &grub.sbat {
        // The line named "sbat" is the format's version and the list's date.
        let least = shim.sbat_level.get(component).copied().unwrap_or(0);
        if component != "sbat" && generation < least {
            let message =
                format!("{component} has SBAT generation {generation} but this shim wants {least}");
            found.add(
                "sbat_revoked",
                message,
                "Take shim and GRUB from the same, current suite.",
            );
        }
    }
}

#[derive(Default)]
struct Findings(Vec<Problem>);

impl Findings {
    fn add(&mut self, code: &'static str, message: impl Into<String>, advice: &'static str) {
        self.0.push(Problem {
            code,
            message: message.into(),
            advice,
        });
    }
}
