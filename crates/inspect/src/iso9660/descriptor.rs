//! Volume descriptors: ECMA-119 section 8, El Torito 1.0 figure 7.

use std::fmt;

use serde::{Serialize, Serializer};

use super::SECTOR;
use crate::bytes::{padded_text, slice, u8_at, u16_le, u32_le};
use crate::error::{InspectError, Structure};
use crate::source::{ReadAt, Run};

/// The set ends with a terminator; a damaged image may have none.
const DESCRIPTOR_LIMIT: u64 = 64;

/// The fields of the primary volume descriptor that people look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Volume {
    /// Volume identifier, at most 32 characters.
    pub label: String,
    /// System identifier.
    pub system: String,
    /// Volume set identifier.
    pub volume_set: String,
    /// Publisher.
    pub publisher: String,
    /// Who prepared the data.
    pub preparer: String,
    /// Application identifier.
    pub application: String,
    /// Size in blocks, as the descriptor says.
    pub blocks: u32,
    /// Bytes per block; always 2048 here.
    pub block_size: u16,
    /// Creation date.
    pub created: Option<VolumeDate>,
    /// Modification date; xorriso derives the file system's UUID from it.
    pub modified: Option<VolumeDate>,
}

impl Volume {
    /// Size in bytes, as the descriptor says.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        u64::from(self.blocks) * u64::from(self.block_size)
    }
}

/// A date of ECMA-119 8.4.26.1: sixteen digits and an offset in quarter hours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeDate {
    digits: String,
    quarter_hours: i8,
}

impl VolumeDate {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let digits = bytes.get(..16)?;
        // All zero digits mean "not given".
        if !digits.iter().all(u8::is_ascii_digit) || digits.iter().all(|&d| d == b'0') {
            return None;
        }
        let quarter_hours = i8::from_le_bytes([u8_at(bytes, 16)?]);
        Some(Self {
            digits: digits.iter().copied().map(char::from).collect(),
            quarter_hours,
        })
    }

    /// The date as xorriso's `--modification-date` takes it, which is also
    /// what `blkid` shows, with dashes, as the UUID.
    #[must_use]
    pub fn compact(&self) -> &str {
        &self.digits
    }
}

impl fmt::Display for VolumeDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let d = &self.digits;
        write!(
            f,
            "{}-{}-{}T{}:{}:{}",
            &d[0..4],
            &d[4..6],
            &d[6..8],
            &d[8..10],
            &d[10..12],
            &d[12..14]
        )?;
        if self.quarter_hours == 0 {
            return f.write_str("Z");
        }
        let minutes = i16::from(self.quarter_hours) * 15;
        let sign = if minutes < 0 { '-' } else { '+' };
        write!(
            f,
            "{sign}{:02}:{:02}",
            minutes.abs() / 60,
            minutes.abs() % 60
        )
    }
}

impl Serialize for VolumeDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What the descriptor set says.
#[derive(Debug)]
pub(super) struct Set {
    pub volume: Volume,
    pub root: Run,
    pub joliet: bool,
    pub boot_catalogue: Option<u32>,
}

/// Reads descriptors from sector 16 up to the terminator.
pub(super) fn read_set(source: &dyn ReadAt) -> Result<Set, InspectError> {
    let mut primary = None;
    let mut joliet = false;
    let mut boot_catalogue = None;
    for index in 0..DESCRIPTOR_LIMIT {
        let Ok(sector) = source.read_vec((16 + index) * SECTOR, SECTOR as usize) else {
            break;
        };
        if slice(&sector, 1, 5) != Some(b"CD001") {
            break;
        }
        match sector[0] {
            0 if slice(&sector, 7, 23) == Some(b"EL TORITO SPECIFICATION") => {
                boot_catalogue = boot_catalogue.or(u32_le(&sector, 0x47));
            }
            1 if primary.is_none() => primary = Some(parse_primary(&sector)?),
            2 => joliet |= is_joliet(&sector),
            255 => break,
            _ => {}
        }
    }
    let (volume, root) =
        primary.ok_or(InspectError::NotIso("sector 16 holds no volume descriptor"))?;
    Ok(Set {
        volume,
        root,
        joliet,
        boot_catalogue,
    })
}

/// The UCS-2 escape sequences of the Joliet specification, levels 1 to 3.
fn is_joliet(sector: &[u8]) -> bool {
    [b"%/@", b"%/C", b"%/E"]
        .iter()
        .any(|escape| slice(sector, 88, 3) == Some(escape.as_slice()))
}

fn parse_primary(sector: &[u8]) -> Result<(Volume, Run), InspectError> {
    let cut = || InspectError::damaged(Structure::Iso9660, "the volume descriptor is cut off");
    let text = |at, len| slice(sector, at, len).map(padded_text).ok_or_else(cut);
    let block_size = u16_le(sector, 128).ok_or_else(cut)?;
    if u64::from(block_size) != SECTOR {
        return Err(InspectError::unsupported(
            Structure::Iso9660,
            format!("blocks of {block_size} bytes"),
        ));
    }
    let volume = Volume {
        system: text(8, 32)?,
        label: text(40, 32)?,
        volume_set: text(190, 128)?,
        publisher: text(318, 128)?,
        preparer: text(446, 128)?,
        application: text(574, 128)?,
        blocks: u32_le(sector, 80).ok_or_else(cut)?,
        block_size,
        created: slice(sector, 813, 17).and_then(VolumeDate::parse),
        modified: slice(sector, 830, 17).and_then(VolumeDate::parse),
    };
    // The root's directory record sits at byte 156.
    let root = Run {
        start: u64::from(u32_le(sector, 158).ok_or_else(cut)?) * SECTOR,
        len: u64::from(u32_le(sector, 166).ok_or_else(cut)?),
    };
    Ok((volume, root))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_date(bytes: &[u8; 17], shown: Option<&str>) {
        assert_eq!(
            VolumeDate::parse(bytes)
                .map(|date| date.to_string())
                .as_deref(),
            shown
        );
    }

    #[test]
    fn dates_show_their_offset() {
        check_date(b"2024010203040500\0", Some("2024-01-02T03:04:05Z"));
        check_date(b"2024010203040500\x08", Some("2024-01-02T03:04:05+02:00"));
        check_date(b"2024010203040500\xea", Some("2024-01-02T03:04:05-05:30"));
        check_date(b"0000000000000000\0", None);
        check_date(b"20240102030405x0\0", None);
    }

    #[test]
    fn anything_else_is_not_an_iso() {
        for bytes in [Vec::new(), vec![0; 40 * 2048], vec![0xff; 17 * 2048]] {
            assert!(matches!(read_set(&bytes), Err(InspectError::NotIso(_))));
        }
    }
}
