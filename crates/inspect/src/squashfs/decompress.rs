//! One block, whatever it is compressed with. The output never grows past
//! the limit, so a bomb costs no more than a block.

use std::io::Read;

use super::damaged;
use super::superblock::Compressor;
use crate::bytes::u8_at;
use crate::error::{InspectError, Structure};

/// SquashFS blocks are at most 1 MiB; a larger dictionary has no use.
const XZ_DICTIONARY_LIMIT: u64 = 16 << 20;

/// The content of a block, at most `limit` bytes.
pub(super) fn decompress(
    compressor: Compressor,
    bytes: &[u8],
    limit: usize,
) -> Result<Vec<u8>, InspectError> {
    match compressor {
        Compressor::Gzip => bounded(flate2::read::ZlibDecoder::new(bytes), limit),
        Compressor::Zstd => {
            let decoder = ruzstd::decoding::StreamingDecoder::new(bytes);
            bounded(
                decoder.map_err(|_| damaged("a block is not Zstandard"))?,
                limit,
            )
        }
        Compressor::Xz if xz_dictionary(bytes).is_none_or(|size| size > XZ_DICTIONARY_LIMIT) => {
            Err(damaged("a block has an unreasonable XZ header"))
        }
        Compressor::Xz => bounded(lzma_rust2::XzReader::new(bytes, false), limit),
        Compressor::Lz4 => {
            let mut output = vec![0; limit];
            let len = lz4_flex::block::decompress_into(bytes, &mut output);
            output.truncate(len.map_err(|_| damaged("a block does not decompress"))?);
            Ok(output)
        }
        Compressor::Lzo => super::lzo::decompress(bytes, limit)
            .ok_or_else(|| damaged("a block does not decompress")),
        Compressor::Lzma => Err(InspectError::unsupported(
            Structure::Squashfs,
            "LZMA without XZ",
        )),
    }
}

fn bounded(decoder: impl Read, limit: usize) -> Result<Vec<u8>, InspectError> {
    let mut output = Vec::new();
    let read = decoder.take(limit as u64 + 1).read_to_end(&mut output);
    read.map_err(|_| damaged("a block does not decompress"))?;
    if output.len() > limit {
        return Err(damaged("a block is longer than it may be"));
    }
    Ok(output)
}

/// The dictionary size that an XZ stream's first block asks for, read before
/// a decoder allocates it (xz file format 1.2, sections 3.1 and 5.3.1).
fn xz_dictionary(bytes: &[u8]) -> Option<u64> {
    // Stream header: 12 bytes. Block header: its size, its flags, optional
    // sizes, then filters of id, length and properties.
    let mut at = 13;
    let flags = u8_at(bytes, at)?;
    at += 1;
    for present in [flags & 0x40, flags & 0x80] {
        if present != 0 {
            number(bytes, &mut at)?;
        }
    }
    for _ in 0..=(flags & 3) {
        let id = number(bytes, &mut at)?;
        let len = number(bytes, &mut at)?;
        if id == 0x21 {
            let bits = u32::from(u8_at(bytes, at)?);
            return (bits <= 40).then(|| u64::from(2 | bits & 1) << (bits / 2 + 11));
        }
        at = at.checked_add(usize::try_from(len).ok()?)?;
    }
    None
}

/// A variable-length integer (section 1.2).
fn number(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut value = 0;
    for shift in 0..9 {
        let byte = u8_at(bytes, *at)?;
        *at += 1;
        value |= u64::from(byte & 0x7f) << (shift * 7);
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_is_damage_for_every_compressor() {
        let compressors = [
            Compressor::Gzip,
            Compressor::Lzo,
            Compressor::Xz,
            Compressor::Lz4,
            Compressor::Zstd,
            Compressor::Lzma,
        ];
        for compressor in compressors {
            for bytes in [&[][..], &[0xff; 40], b"\xfd7zXZ\0\0\x01", &[0xf0, 0, 0]] {
                let found = decompress(compressor, bytes, 64);
                let harmless = found.as_ref().is_ok_and(|output| output.len() <= 64);
                assert!(found.is_err() || harmless, "{compressor:?} {bytes:?}");
            }
        }
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let mut bomb = Vec::new();
        let zeros = std::io::repeat(0).take(1 << 20);
        flate2::read::ZlibEncoder::new(zeros, flate2::Compression::best())
            .read_to_end(&mut bomb)
            .unwrap();
        assert!(decompress(Compressor::Gzip, &bomb, 8192).is_err());
        assert_eq!(
            decompress(Compressor::Gzip, &bomb, 1 << 20).unwrap().len(),
            1 << 20
        );
    }

    #[test]
    fn xz_dictionaries_are_known_before_they_are_made() {
        let block = |bits: u8| [&[0; 12][..], &[2, 0, 0x21, 1, bits]].concat();
        assert_eq!(xz_dictionary(&block(16)), Some(1 << 20));
        assert_eq!(xz_dictionary(&block(40)), Some(2 << 31));
        assert_eq!(xz_dictionary(&block(41)), None);
        assert_eq!(xz_dictionary(&[0; 13]), None);
    }
}
