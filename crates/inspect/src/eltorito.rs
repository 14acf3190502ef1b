//! The boot catalogue: "El Torito" Bootable CD-ROM Format Specification 1.0,
//! and UEFI 2.10 section 13.3.2.1 for the EFI platform id.

use serde::Serialize;

use crate::bytes::{slice, u8_at, u16_le, u32_le, u64_le};
use crate::error::{InspectError, Structure};
use crate::iso9660::SECTOR;
use crate::source::ReadAt;

/// Four sectors hold 256 entries; real catalogues have two or three.
const CATALOGUE_LIMIT: usize = 4 * SECTOR as usize;
/// An image whose checksum is still worth computing (isolinux.bin is 40 KiB,
/// a GRUB core image a few hundred).
const CHECKSUM_LIMIT: u64 = 8 << 20;

/// The firmware that an entry is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    /// 0x00: PC with a BIOS.
    Bios,
    /// 0x01: PowerPC.
    PowerPc,
    /// 0x02: Macintosh.
    Mac,
    /// 0xEF: UEFI.
    Uefi,
    /// Any other number.
    Other(u8),
}

impl Platform {
    fn of(id: u8) -> Self {
        match id {
            0 => Self::Bios,
            1 => Self::PowerPc,
            2 => Self::Mac,
            0xef => Self::Uefi,
            other => Self::Other(other),
        }
    }
}

/// One boot image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BootEntry {
    /// Which firmware it is for.
    pub platform: Platform,
    /// Whether firmware may boot it.
    pub bootable: bool,
    /// Whether it is loaded as it is rather than posing as a disk.
    pub no_emulation: bool,
    /// First sector (2048 bytes) of the image.
    pub block: u32,
    /// How much firmware loads at first, in sectors of 512 bytes.
    pub load_sectors: u16,
    /// What the image says about where it lies, if it has a boot info table.
    pub info_table: Option<InfoTable>,
    /// Whether GRUB's own position field (`--grub2-boot-info`) is right.
    pub grub_position: bool,
    /// Path of the file the image belongs to; `None` when it lies outside
    /// the file system, as an appended partition does.
    pub path: Option<String>,
    /// Size of the image in bytes, if known from file or partition.
    pub size: Option<u64>,
}

/// The 56 bytes that `-boot-info-table` writes at byte 8 of a boot image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct InfoTable {
    /// Length of the boot file.
    pub file_length: u32,
    /// Sum of its 32-bit words from byte 64 on.
    pub checksum: u32,
    /// Whether that sum is right; `None` when the file was not read.
    pub intact: Option<bool>,
}

/// The catalogue of a medium.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BootCatalogue {
    /// Sector of the catalogue.
    pub block: u32,
    /// Entries in their order; firmware tries the first that fits.
    pub entries: Vec<BootEntry>,
}

impl BootCatalogue {
    /// The first bootable entry for `platform`.
    #[must_use]
    pub fn for_platform(&self, platform: Platform) -> Option<&BootEntry> {
        self.entries
            .iter()
            .find(|entry| entry.platform == platform && entry.bootable)
    }
}

/// Reads the catalogue at sector `block`, and the head of each image.
///
/// # Errors
/// Damage in the catalogue; images that cannot be read are damage too.
pub fn read(source: &dyn ReadAt, block: u32) -> Result<BootCatalogue, InspectError> {
    let start = u64::from(block) * SECTOR;
    let len = source
        .size()
        .saturating_sub(start)
        .min(CATALOGUE_LIMIT as u64) as usize;
    let bytes = source
        .read_vec(start, len)
        .map_err(InspectError::inside(Structure::ElTorito))?;
    let mut entries = parse(&bytes)?;
    for entry in &mut entries {
        let at = u64::from(entry.block) * SECTOR;
        let head = source
            .read_vec(at, SECTOR as usize)
            .map_err(InspectError::inside(Structure::ElTorito))?;
        entry.info_table = info_table(&head, entry.block);
        if let Some(table) = &mut entry.info_table
            && u64::from(table.file_length) <= CHECKSUM_LIMIT
        {
            let image = source.read_vec(at, table.file_length as usize).ok();
            table.intact = Some(image.is_some_and(|image| word_sum(&image) == table.checksum));
        }
        // GRUB's cdboot keeps its own position, in units of 512 bytes plus
        // five, at byte 2548 (grub/offsets.h: GRUB_BOOT_I386_PC_CDBOOT...).
        let own = source
            .read_vec(at + 2548, 8)
            .ok()
            .and_then(|bytes| u64_le(&bytes, 0));
        entry.grub_position = own == Some(u64::from(entry.block) * 4 + 5);
    }
    Ok(BootCatalogue { block, entries })
}

/// The entries of a catalogue, without a look at the images.
///
/// # Errors
/// A validation entry that is missing or has a wrong checksum.
pub fn parse(bytes: &[u8]) -> Result<Vec<BootEntry>, InspectError> {
    let damaged = |detail: &str| InspectError::damaged(Structure::ElTorito, detail);
    let validation = slice(bytes, 0, 32).ok_or_else(|| damaged("it is cut off"))?;
    if validation[0] != 1 || validation[30..] != [0x55, 0xaa] {
        return Err(damaged("it does not start with a validation entry"));
    }
    let sum = (0..16)
        .filter_map(|i| u16_le(validation, i * 2))
        .fold(0u16, u16::wrapping_add);
    if sum != 0 {
        return Err(damaged("the checksum of its validation entry is wrong"));
    }
    let mut entries = Vec::new();
    let first = slice(bytes, 32, 32).ok_or_else(|| damaged("it is cut off"))?;
    entries.extend(entry(first, Platform::of(validation[1])));

    let mut rest = bytes.get(64..).unwrap_or(&[]);
    while let Some(header) = slice(rest, 0, 32) {
        let last = match header[0] {
            0x90 => false,
            0x91 => true,
            _ => break,
        };
        let platform = Platform::of(header[1]);
        let count = u16_le(header, 2).unwrap_or(0);
        rest = &rest[32..];
        for _ in 0..count {
            let record = slice(rest, 0, 32)
                .ok_or_else(|| damaged("a section has fewer entries than it says"))?;
            entries.extend(entry(record, platform));
            rest = &rest[32..];
            while rest.first() == Some(&0x44) && rest.len() >= 32 {
                rest = &rest[32..];
            }
        }
        if last {
            break;
        }
    }
    Ok(entries)
}

fn entry(record: &[u8], platform: Platform) -> Option<BootEntry> {
    let block = u32_le(record, 8)?;
    let bootable = u8_at(record, 0)? == 0x88;
    // An empty record is the space xorriso leaves, not an image.
    (bootable || block != 0).then_some(BootEntry {
        platform,
        bootable,
        no_emulation: u8_at(record, 1)? & 0x0f == 0,
        block,
        load_sectors: u16_le(record, 6)?,
        info_table: None,
        grub_position: false,
        path: None,
        size: None,
    })
}

fn info_table(head: &[u8], block: u32) -> Option<InfoTable> {
    let volume = u32_le(head, 8)?;
    let own = u32_le(head, 12)?;
    (volume == 16 && own == block).then_some(InfoTable {
        file_length: u32_le(head, 16)?,
        checksum: u32_le(head, 20)?,
        intact: None,
    })
}

fn word_sum(image: &[u8]) -> u32 {
    let words = image.get(64..).unwrap_or(&[]).chunks(4);
    words.fold(0u32, |sum, word| {
        let mut padded = [0; 4];
        padded[..word.len()].copy_from_slice(word);
        sum.wrapping_add(u32::from_le_bytes(padded))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn validation(platform: u8) -> Vec<u8> {
        let mut bytes = vec![0; 32];
        bytes[0] = 1;
        bytes[1] = platform;
        bytes[30..].copy_from_slice(&[0x55, 0xaa]);
        let sum = (0..16)
            .filter_map(|i| u16_le(&bytes, i * 2))
            .fold(0u16, u16::wrapping_add);
        bytes[28..30].copy_from_slice(&sum.wrapping_neg().to_le_bytes());
        bytes
    }

    fn image(indicator: u8, block: u32) -> Vec<u8> {
        let mut bytes = vec![0; 32];
        bytes[0] = indicator;
        bytes[6] = 4;
        bytes[8..12].copy_from_slice(&block.to_le_bytes());
        bytes
    }

    fn section(indicator: u8, platform: u8, count: u8) -> Vec<u8> {
        let mut bytes = vec![0; 32];
        bytes[..3].copy_from_slice(&[indicator, platform, count]);
        bytes
    }

    fn check(records: &[Vec<u8>], expected: Option<&[(Platform, bool, u32)]>) {
        let found = parse(&records.concat()).ok();
        let found = found.map(|entries| {
            entries
                .iter()
                .map(|e| (e.platform, e.bootable, e.block))
                .collect::<Vec<_>>()
        });
        assert_eq!(found.as_deref(), expected);
    }

    #[test]
    fn catalogues() {
        let mut extension = vec![0; 32];
        extension[0] = 0x44;
        check(
            &[validation(0), image(0x88, 33)],
            Some(&[(Platform::Bios, true, 33)]),
        );
        check(
            &[validation(0xef), image(0x88, 7)],
            Some(&[(Platform::Uefi, true, 7)]),
        );
        check(
            &[
                validation(0),
                image(0x88, 33),
                section(0x91, 0xef, 1),
                image(0x88, 50),
            ],
            Some(&[(Platform::Bios, true, 33), (Platform::Uefi, true, 50)]),
        );
        check(
            &[
                validation(0),
                image(0, 33),
                section(0x90, 2, 1),
                image(0x88, 40),
                extension,
                section(0x91, 0xef, 1),
                image(0x88, 50),
            ],
            Some(&[
                (Platform::Bios, false, 33),
                (Platform::Mac, true, 40),
                (Platform::Uefi, true, 50),
            ]),
        );
        // A final header ends the list whatever follows.
        check(
            &[
                validation(0),
                image(0x88, 1),
                section(0x91, 0xef, 0),
                section(0x91, 0xef, 1),
                image(0x88, 2),
            ],
            Some(&[(Platform::Bios, true, 1)]),
        );
        let mut wrong_sum = validation(0);
        wrong_sum[5] ^= 1;
        check(&[wrong_sum, image(0x88, 1)], None);
        check(&[validation(0)], None);
        check(&[], None);
        check(
            &[
                validation(0),
                image(0x88, 1),
                section(0x91, 0xef, 200),
                image(0x88, 2),
            ],
            None,
        );
    }

    #[test]
    fn an_info_table_must_name_its_own_block_and_sum() {
        let mut image: Vec<u8> = (0..200u8).collect();
        let sum = word_sum(&image);
        for (at, value) in [(8, 16), (12, 1), (16, 200), (20, sum)] {
            image[at..at + 4].copy_from_slice(&u32::to_le_bytes(value));
        }
        let mut medium = vec![0; 5 * SECTOR as usize];
        medium[2048..2248].copy_from_slice(&image);
        let catalogue = [validation(0), self::image(0x88, 1)].concat();
        medium[4096..4096 + 64].copy_from_slice(&catalogue);
        let intact = |medium: &Vec<u8>| {
            read(medium, 2).unwrap().entries[0]
                .info_table
                .map(|t| t.intact)
        };
        assert_eq!(intact(&medium), Some(Some(true)));
        medium[2048 + 150] ^= 1;
        assert_eq!(intact(&medium), Some(Some(false)));
        medium[2048 + 12] = 9;
        assert_eq!(intact(&medium), None);
    }
}
