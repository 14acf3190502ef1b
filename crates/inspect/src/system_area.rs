//! The first 32 KiB of an image, as disks see it: MBR, GPT and Apple map.
//!
//! Sources: UEFI 2.10 chapter 5 (MBR, GPT); Inside Macintosh: Devices,
//! chapter 3 (Apple partition map).

use serde::Serialize;

use crate::bytes::{contains, padded_text, slice, u8_at, u16_le, u32_be, u32_le, u64_le};
use crate::error::{InspectError, Structure};
use crate::source::ReadAt;

/// Bytes per sector in MBR and GPT.
const DISK_SECTOR: u64 = 512;
/// ECMA-119 6.2.1: sixteen sectors that the file system leaves alone.
const SYSTEM_AREA: usize = 32 << 10;
/// Real tables have 128 or 248 entries.
const GPT_ENTRY_LIMIT: usize = 1024;
const APM_ENTRY_LIMIT: u32 = 64;

/// Whose boot code the MBR holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BootCode {
    /// None: a stick with this image does not boot on a BIOS.
    None,
    /// SYSLINUX isohybrid.
    Isolinux,
    /// GRUB.
    Grub,
    /// Something else.
    Unknown,
}

/// A partition in the MBR.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct MbrPartition {
    /// Slot, 1 to 4.
    pub number: u8,
    /// Type byte: 0xEF is an EFI system partition, 0xEE protects a GPT.
    pub kind: u8,
    /// Whether it is marked active; some BIOSes boot nothing else.
    pub active: bool,
    /// First sector of 512 bytes.
    pub start: u32,
    /// Number of sectors of 512 bytes.
    pub sectors: u32,
}

/// The master boot record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mbr {
    /// Whose boot code it holds.
    pub boot_code: BootCode,
    /// Disk signature.
    pub signature: u32,
    /// Slots in use.
    pub partitions: Vec<MbrPartition>,
}

/// A partition in the GPT.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GptPartition {
    /// Type GUID in its usual spelling.
    pub kind: String,
    /// Name.
    pub name: String,
    /// First sector of 512 bytes.
    pub first: u64,
    /// Last sector of 512 bytes.
    pub last: u64,
}

/// The GUID partition table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gpt {
    /// Whether checksums of header and entries are right.
    pub intact: bool,
    /// Whether the copy is where the header says it is.
    pub backup: bool,
    /// Entries in use.
    pub partitions: Vec<GptPartition>,
}

/// A partition in the Apple map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ApmPartition {
    /// Type, e.g. `Apple_HFS`.
    pub kind: String,
    /// Name.
    pub name: String,
    /// First block, in the map's own block size.
    pub start: u32,
    /// Number of blocks.
    pub blocks: u32,
}

/// What a disk firmware finds at the start of the image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SystemArea {
    /// Master boot record, if its signature is there.
    pub mbr: Option<Mbr>,
    /// GUID partition table.
    pub gpt: Option<Gpt>,
    /// Apple partition map, empty if there is none.
    pub apm: Vec<ApmPartition>,
}

/// Type GUID of an EFI system partition.
pub const GPT_EFI_SYSTEM: &str = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";

impl SystemArea {
    /// Whether a BIOS can start this image from a stick.
    #[must_use]
    pub fn boots_bios(&self) -> bool {
        self.mbr
            .as_ref()
            .is_some_and(|mbr| mbr.boot_code != BootCode::None)
    }

    /// Whether UEFI firmware can find an EFI system partition on a stick.
    #[must_use]
    pub fn has_efi_partition(&self) -> bool {
        let in_mbr = self
            .mbr
            .iter()
            .flat_map(|mbr| &mbr.partitions)
            .any(|p| p.kind == 0xef);
        let in_gpt = self
            .gpt
            .iter()
            .flat_map(|gpt| &gpt.partitions)
            .any(|p| p.kind == GPT_EFI_SYSTEM);
        in_mbr || in_gpt
    }
}

/// Reads the system area of an image.
///
/// # Errors
/// An image shorter than 32 KiB.
pub fn read(source: &dyn ReadAt) -> Result<SystemArea, InspectError> {
    let head = source
        .read_vec(0, SYSTEM_AREA)
        .map_err(InspectError::inside(Structure::SystemArea))?;
    Ok(SystemArea {
        mbr: mbr(&head),
        gpt: gpt(&head, source),
        apm: apm(&head),
    })
}

fn mbr(head: &[u8]) -> Option<Mbr> {
    if slice(head, 510, 2)? != [0x55, 0xaa] {
        return None;
    }
    let code = &head[..440];
    let boot_code = match code {
        code if code.iter().all(|&b| b == 0) => BootCode::None,
        // Text of isohdpfx.bin and of grub's boot_hybrid.img.
        code if contains(code, b"isolinux.bin") => BootCode::Isolinux,
        code if contains(code, b"GRUB ") => BootCode::Grub,
        _ => BootCode::Unknown,
    };
    let partitions = (0..4u8).filter_map(|slot| {
        let entry = slice(head, 446 + usize::from(slot) * 16, 16)?;
        let (start, sectors) = (u32_le(entry, 8)?, u32_le(entry, 12)?);
        // isohybrid makes a partition of type 0; only its length shows it.
        (sectors != 0).then_some(MbrPartition {
            number: slot + 1,
            kind: entry[4],
            active: entry[0] == 0x80,
            start,
            sectors,
        })
    });
    Some(Mbr {
        boot_code,
        signature: u32_le(head, 440)?,
        partitions: partitions.collect(),
    })
}

fn gpt(head: &[u8], source: &dyn ReadAt) -> Option<Gpt> {
    let header_size = u32_le(head, 512 + 12)? as usize;
    if slice(head, 512, 8)? != b"EFI PART" || !(92..=512).contains(&header_size) {
        return None;
    }
    let mut header = slice(head, 512, header_size)?.to_vec();
    let stated = u32_le(&header, 16)?;
    header[16..20].fill(0);
    let (count, size) = (u32_le(&header, 80)? as usize, u32_le(&header, 84)? as usize);
    if count > GPT_ENTRY_LIMIT || !(128..=1024).contains(&size) {
        return Some(Gpt {
            intact: false,
            backup: false,
            partitions: Vec::new(),
        });
    }
    let table_at = u64_le(&header, 72)?.checked_mul(DISK_SECTOR)?;
    let table = source.read_vec(table_at, count * size).unwrap_or_default();
    let intact = crc32(&header) == stated && u32_le(&header, 88) == Some(crc32(&table));
    let backup_at = u64_le(&header, 32)?.checked_mul(DISK_SECTOR)?;
    let backup = source
        .read_vec(backup_at, 8)
        .is_ok_and(|bytes| bytes == b"EFI PART");
    let partitions = table.chunks_exact(size).filter_map(gpt_partition).collect();
    Some(Gpt {
        intact,
        backup,
        partitions,
    })
}

fn gpt_partition(entry: &[u8]) -> Option<GptPartition> {
    let kind = slice(entry, 0, 16)?;
    if kind.iter().all(|&b| b == 0) {
        return None;
    }
    let name: Vec<u16> = (0..36)
        .filter_map(|i| u16_le(entry, 56 + i * 2))
        .take_while(|&unit| unit != 0)
        .collect();
    Some(GptPartition {
        kind: guid(kind)?,
        name: padded_text(String::from_utf16_lossy(&name).as_bytes()),
        first: u64_le(entry, 32)?,
        last: u64_le(entry, 40)?,
    })
}

/// UEFI 2.10 appendix A: the first three groups are little-endian.
fn guid(bytes: &[u8]) -> Option<String> {
    let tail: String = crate::bytes::hex(slice(bytes, 8, 8)?);
    let (fourth, fifth) = tail.split_at(4);
    Some(format!(
        "{:08x}-{:04x}-{:04x}-{fourth}-{fifth}",
        u32_le(bytes, 0)?,
        u16_le(bytes, 4)?,
        u16_le(bytes, 6)?
    ))
}

fn apm(head: &[u8]) -> Vec<ApmPartition> {
    // Beside a GPT the map uses blocks of 2048, else of 512.
    [2048, 512]
        .into_iter()
        .find_map(|block| apm_with(head, block))
        .unwrap_or_default()
}

fn apm_with(head: &[u8], block: usize) -> Option<Vec<ApmPartition>> {
    if slice(head, block, 2)? != b"PM" {
        return None;
    }
    let count = u32_be(head, block + 4)?.min(APM_ENTRY_LIMIT) as usize;
    let entries = (1..=count).map_while(|index| {
        let entry = slice(head, index * block, 512)?;
        (u8_at(entry, 0) == Some(b'P')).then_some(())?;
        Some(ApmPartition {
            kind: padded_text(&entry[48..80]),
            name: padded_text(&entry[16..48]),
            start: u32_be(entry, 8)?,
            blocks: u32_be(entry, 12)?,
        })
    });
    Some(entries.collect())
}

/// CRC-32 of ISO 3309, as GPT uses it.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            if crc & 1 == 1 {
                crc >> 1 ^ 0xedb8_8320
            } else {
                crc >> 1
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn medium() -> Vec<u8> {
        let mut bytes = vec![0; 64 << 10];
        bytes[510..512].copy_from_slice(&[0x55, 0xaa]);
        bytes
    }

    fn with_gpt(mut bytes: Vec<u8>) -> Vec<u8> {
        let esp = [
            0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0, 0xa0, 0xc9, 0x3e, 0xc9,
            0x3b,
        ];
        bytes[1024..1040].copy_from_slice(&esp);
        bytes[1024 + 32] = 40;
        bytes[1024 + 40] = 60;
        for (i, letter) in "EFI boot".encode_utf16().enumerate() {
            bytes[1080 + i * 2..1082 + i * 2].copy_from_slice(&letter.to_le_bytes());
        }
        let table = crc32(&bytes[1024..1024 + 128 * 4]);
        let header = &mut bytes[512..604];
        header[..8].copy_from_slice(b"EFI PART");
        for (at, value) in [
            (12, 92),
            (32, 127),
            (72, 2),
            (80, 4),
            (84, 128),
            (88, table),
        ] {
            header[at..at + 4].copy_from_slice(&u32::to_le_bytes(value));
        }
        let sum = crc32(header);
        header[16..20].copy_from_slice(&sum.to_le_bytes());
        bytes[127 * 512..127 * 512 + 8].copy_from_slice(b"EFI PART");
        bytes
    }

    #[test]
    fn crc_is_the_standard_one() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn mbr_slots_and_boot_code() {
        let mut bytes = medium();
        bytes[10..32].copy_from_slice(b"isolinux.bin missing or"[..22].as_ref());
        bytes[446] = 0x80;
        bytes[446 + 12] = 9;
        bytes[462 + 4] = 0xef;
        bytes[462 + 8] = 4;
        bytes[462 + 12] = 5;
        let area = read(&bytes).unwrap();
        let mbr = area.mbr.as_ref().unwrap();
        assert_eq!(mbr.boot_code, BootCode::Isolinux);
        let expected = [
            MbrPartition {
                number: 1,
                kind: 0,
                active: true,
                start: 0,
                sectors: 9,
            },
            MbrPartition {
                number: 2,
                kind: 0xef,
                active: false,
                start: 4,
                sectors: 5,
            },
        ];
        assert_eq!(mbr.partitions, expected);
        assert!(area.boots_bios() && area.has_efi_partition());
    }

    #[test]
    fn an_empty_system_area_boots_nothing() {
        let area = read(&vec![0; 32 << 10]).unwrap();
        assert_eq!(
            area,
            SystemArea {
                mbr: None,
                gpt: None,
                apm: Vec::new()
            }
        );
        assert!(!area.boots_bios() && !area.has_efi_partition());
        assert!(read(&vec![0; 100]).is_err());
    }

    #[test]
    fn gpt_checks_its_sums_and_its_copy() {
        let good = with_gpt(medium());
        let gpt = read(&good).unwrap().gpt.unwrap();
        assert!(gpt.intact && gpt.backup);
        assert_eq!(gpt.partitions[0].kind, GPT_EFI_SYSTEM);
        assert_eq!(
            (gpt.partitions[0].name.as_str(), gpt.partitions[0].first),
            ("EFI boot", 40)
        );

        for at in [512 + 40, 1024 + 33] {
            let mut bytes = good.clone();
            bytes[at] ^= 1;
            assert!(!read(&bytes).unwrap().gpt.unwrap().intact);
        }
        let mut bytes = good.clone();
        bytes[127 * 512] = 0;
        assert!(!read(&bytes).unwrap().gpt.unwrap().backup);
        let mut bytes = good;
        bytes[512 + 80..512 + 84].fill(0xff);
        assert!(!read(&bytes).unwrap().gpt.unwrap().intact);
    }
}
