//! Makes `fonts/unifont-subset.pf2` and `fonts/unifont-coverage.bin` from GRUB's own font.
//!
//! `cargo run -p isosmith-branding --example unifont_subset -- /usr/share/grub/unicode.pf2 crates/branding/fonts`

use std::{env, error::Error, fs, path::Path};

/// Latin, Greek, Cyrillic, punctuation, the euro sign, arrows and box drawing.
const KEPT: [std::ops::RangeInclusive<u32>; 9] = [
    0x20..=0x7e,
    0xa0..=0x24f,
    0x370..=0x3ff,
    0x400..=0x4ff,
    0x1e00..=0x1eff,
    0x2010..=0x2027,
    0x2030..=0x205e,
    0x20ac..=0x20ac,
    0x2190..=0x2195,
];

fn be_u32(bytes: &[u8], at: usize) -> usize {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]) as usize
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let (Some(source), Some(target)) = (arguments.next(), arguments.next()) else {
        return Err("give the font and the folder to write to".into());
    };
    let font = fs::read(source)?;
    let mut header = Vec::new();
    let mut index = Vec::new();
    let mut at = 0;
    while &font[at..at + 4] != b"DATA" {
        let end = at + 8 + be_u32(&font, at + 4);
        match &font[at..at + 4] {
            b"CHIX" => index = font[at + 8..end].to_vec(),
            _ => header.extend_from_slice(&font[at..end]),
        }
        at = end;
    }
    let mut coverage = vec![0u8; 0x10000 / 8];
    let mut kept = Vec::new();
    for entry in index.chunks_exact(9) {
        let code = be_u32(entry, 0);
        if let Some(byte) = coverage.get_mut(code / 8) {
            *byte |= 1 << (code % 8);
        }
        if KEPT.iter().any(|range| range.contains(&(code as u32))) {
            kept.push((code as u32, be_u32(entry, 5)));
        }
    }
    let data_at = header.len() + 8 + kept.len() * 9 + 8;
    let mut data = Vec::new();
    let mut new_index = Vec::new();
    for (code, offset) in kept {
        new_index.extend_from_slice(&code.to_be_bytes());
        new_index.push(0);
        new_index.extend_from_slice(&((data_at + data.len()) as u32).to_be_bytes());
        let size = |at: usize| usize::from(u16::from_be_bytes([font[at], font[at + 1]]));
        let bitmap = (size(offset) * size(offset + 2)).div_ceil(8);
        data.extend_from_slice(&font[offset..offset + 10 + bitmap]);
    }
    let mut subset = header;
    subset.extend_from_slice(b"CHIX");
    subset.extend_from_slice(&(new_index.len() as u32).to_be_bytes());
    subset.extend_from_slice(&new_index);
    subset.extend_from_slice(b"DATA\xff\xff\xff\xff");
    subset.extend_from_slice(&data);
    fs::write(Path::new(&target).join("unifont-subset.pf2"), subset)?;
    fs::write(Path::new(&target).join("unifont-coverage.bin"), coverage)?;
    Ok(())
}
