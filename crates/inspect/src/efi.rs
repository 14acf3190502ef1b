//! What UEFI firmware finds on a medium: the FAT image and its programs.

use serde::Serialize;

use crate::eltorito::{BootCatalogue, Platform};
use crate::error::InspectError;
use crate::fat::Fat;
use crate::iso9660::{Iso, SECTOR};
use crate::pe::{self, EfiProgram};
use crate::report::{Damage, Tree, keep_named};
use crate::source::{Extents, ReadAt};
use crate::system_area::{GPT_EFI_SYSTEM, SystemArea};

/// GRUB with all modules is 4 MB; kernels in an ESP are not read.
const PROGRAM_LIMIT: u64 = 32 << 20;

/// Where an EFI program was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// In the FAT image that firmware reads.
    EfiImage,
    /// In the ISO 9660 tree, for firmware and tools that copy files.
    Medium,
}

/// An EFI program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EfiFile {
    /// Its path there.
    pub path: String,
    /// Which tree.
    pub place: Place,
    /// Length in bytes.
    pub size: u64,
    /// What it says about itself.
    pub program: EfiProgram,
}

/// What UEFI firmware finds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EfiReport {
    /// Length of the FAT image in bytes.
    pub image_size: u64,
    /// Every file in it.
    pub files: Vec<String>,
    /// The EFI programs in it and on the medium.
    pub programs: Vec<EfiFile>,
}

impl EfiReport {
    /// The program of this file name in the FAT image, case ignored.
    #[must_use]
    pub fn program(&self, name: &str) -> Option<&EfiProgram> {
        let wanted = format!("efi/boot/{name}");
        let mut in_image = self
            .programs
            .iter()
            .filter(|file| file.place == Place::EfiImage);
        in_image
            .find(|file| file.path.eq_ignore_ascii_case(&wanted))
            .map(|file| &file.program)
    }

    /// The first stage: shim under Secure Boot, else any loader.
    #[must_use]
    pub fn first_stage(&self) -> Option<&EfiProgram> {
        self.program("bootx64.efi")
    }

    /// The second stage.
    #[must_use]
    pub fn grub(&self) -> Option<&EfiProgram> {
        self.program("grubx64.efi")
    }

    /// Who signed the first stage, by the issuers' names.
    #[must_use]
    pub fn shim_signed_by(&self) -> Vec<&str> {
        signers(self.first_stage())
    }

    /// Who signed the second stage, by the issuers' names.
    #[must_use]
    pub fn grub_signed_by(&self) -> Vec<&str> {
        signers(self.grub())
    }
}

fn signers(program: Option<&EfiProgram>) -> Vec<&str> {
    let signatures = program.into_iter().flat_map(|program| &program.signatures);
    signatures
        .filter_map(|signature| signature.issuer.as_deref().or(signature.subject.as_deref()))
        .collect()
}

/// The FAT image: by the boot catalogue, else by a partition table.
pub(crate) fn find_image<'a>(
    source: &'a dyn ReadAt,
    catalogue: Option<&BootCatalogue>,
    hybrid: &SystemArea,
) -> Option<Extents<'a>> {
    let from = |start: u64| Extents::window(source, start, source.size().saturating_sub(start));
    if let Some(entry) = catalogue.and_then(|catalogue| catalogue.for_platform(Platform::Uefi)) {
        return Some(from(u64::from(entry.block) * SECTOR));
    }
    let mut in_gpt = hybrid.gpt.iter().flat_map(|gpt| &gpt.partitions);
    if let Some(partition) = in_gpt.find(|partition| partition.kind == GPT_EFI_SYSTEM) {
        return partition.first.checked_mul(512).map(from);
    }
    let mut in_mbr = hybrid.mbr.iter().flat_map(|mbr| &mbr.partitions);
    in_mbr
        .find(|partition| partition.kind == 0xef)
        .map(|partition| from(u64::from(partition.start) * 512))
}

pub(crate) fn read(
    image: &Extents<'_>,
    iso: &Iso<'_>,
    tree: &Tree,
    damage: &mut Vec<Damage>,
) -> Result<EfiReport, InspectError> {
    let fat = Fat::open(image)?;
    let files = fat.files()?;
    let mut programs = Vec::new();
    let is_program = |path: &str| path.to_ascii_lowercase().ends_with(".efi");
    for file in files.iter().filter(|file| is_program(&file.path)) {
        let program = fat
            .read(file, PROGRAM_LIMIT)
            .and_then(|bytes| pe::parse(&bytes));
        let Some(program) = keep_named(program, &file.path, damage) else {
            continue;
        };
        programs.push(EfiFile {
            path: file.path.clone(),
            place: Place::EfiImage,
            size: file.size.into(),
            program,
        });
    }
    for path in tree.matching(|path| path.starts_with("efi/") && is_program(path)) {
        let bytes = iso.read(&path, PROGRAM_LIMIT);
        let size = bytes.as_ref().map_or(0, |bytes| bytes.len() as u64);
        let program = bytes.and_then(|bytes| pe::parse(&bytes));
        let Some(program) = keep_named(program, &path, damage) else {
            continue;
        };
        programs.push(EfiFile {
            path,
            place: Place::Medium,
            size,
            program,
        });
    }
    let files = files.into_iter().map(|file| file.path).collect();
    Ok(EfiReport {
        image_size: fat.size(),
        files,
        programs,
    })
}
