//! The compressors, each block by itself.

use liblzma::stream::{Action, Check, Filters, LzmaOptions, Status, Stream};

use crate::SquashError;

/// How the blocks of an image are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Zstandard, level 1 to 22.
    Zstd(u8),
    /// zlib, level 1 to 9.
    Gzip(u8),
    /// XZ at its usual level, as SquashFS has no other.
    Xz {
        /// Tries the x86 branch filter on each block and keeps the smaller result.
        bcj_x86: bool,
    },
    /// LZ4: not supported.
    Lz4,
    /// LZO: not supported.
    Lzo,
}

/// Whether [`crate::write`] can compress this way.
#[must_use]
pub fn supported(compression: Compression) -> bool {
    match compression {
        Compression::Zstd(_) | Compression::Gzip(_) | Compression::Xz { .. } => true,
        Compression::Lz4 | Compression::Lzo => false,
    }
}

impl Compression {
    /// The number in the superblock (`squashfs_fs.h`).
    pub(crate) fn id(self) -> u16 {
        match self {
            Self::Gzip(_) => 1,
            Self::Lzo => 3,
            Self::Xz { .. } => 4,
            Self::Lz4 => 5,
            Self::Zstd(_) => 6,
        }
    }

    /// The compressor's options as stored after the superblock, if they differ
    /// from what a reader assumes (`*_wrapper.h` of squashfs-tools).
    pub(crate) fn stored_options(self, block_size: u32) -> Option<Vec<u8>> {
        match self {
            Self::Zstd(15) | Self::Gzip(9) | Self::Xz { bcj_x86: false } => None,
            Self::Zstd(level) => Some(u32::from(level).to_le_bytes().to_vec()),
            Self::Gzip(level) => {
                let mut bytes = u32::from(level).to_le_bytes().to_vec();
                bytes.extend(15u16.to_le_bytes());
                // No strategy but the default one.
                bytes.extend(0u16.to_le_bytes());
                Some(bytes)
            }
            Self::Xz { bcj_x86: true } => {
                let mut bytes = block_size.to_le_bytes().to_vec();
                bytes.extend(1u32.to_le_bytes());
                Some(bytes)
            }
            Self::Lz4 | Self::Lzo => None,
        }
    }
}

/// One thread's compressor; its memory is kept from block to block.
pub(crate) struct Codec {
    engine: Engine,
    buffer: Vec<u8>,
}

enum Engine {
    Zstd(zstd::bulk::Compressor<'static>),
    Gzip(libdeflater::Compressor),
    Xz(Vec<Filters>),
}

impl Codec {
    pub(crate) fn new(compression: Compression, block_size: u32) -> Result<Self, SquashError> {
        let failed = |error: &dyn std::fmt::Display| SquashError::Compressor(error.to_string());
        let engine = match compression {
            Compression::Zstd(level) => {
                let made = zstd::bulk::Compressor::new(i32::from(level));
                Engine::Zstd(made.map_err(|error| failed(&error))?)
            }
            Compression::Gzip(level) => {
                let level = libdeflater::CompressionLvl::new(i32::from(level))
                    .map_err(|error| SquashError::Compressor(format!("{error:?}")))?;
                Engine::Gzip(libdeflater::Compressor::new(level))
            }
            Compression::Xz { bcj_x86 } => {
                let mut options = LzmaOptions::new_preset(6).map_err(|error| failed(&error))?;
                options.dict_size(block_size);
                let mut plain = Filters::new();
                plain.lzma2(&options);
                let mut chains = vec![plain];
                if bcj_x86 {
                    let mut filtered = Filters::new();
                    filtered.x86().lzma2(&options);
                    chains.push(filtered);
                }
                Engine::Xz(chains)
            }
            Compression::Lz4 | Compression::Lzo => {
                return Err(SquashError::Unsupported(compression));
            }
        };
        Ok(Self {
            engine,
            buffer: Vec::new(),
        })
    }

    /// The compressed form, or `None` if it would not be smaller.
    pub(crate) fn compress(&mut self, raw: &[u8]) -> Result<Option<&[u8]>, SquashError> {
        let written = match &mut self.engine {
            Engine::Zstd(compressor) => {
                // With all the room it may need, an error is never a lack of room.
                let bound = zstd::zstd_safe::compress_bound(raw.len());
                self.buffer.resize(bound, 0);
                compressor
                    .compress_to_buffer(raw, &mut self.buffer[..])
                    .map_err(|error| SquashError::Compressor(error.to_string()))?
            }
            Engine::Gzip(compressor) => {
                self.buffer
                    .resize(compressor.zlib_compress_bound(raw.len()), 0);
                compressor
                    .zlib_compress(raw, &mut self.buffer)
                    .map_err(|error| SquashError::Compressor(error.to_string()))?
            }
            Engine::Xz(chains) => match smallest(chains, raw)? {
                Some(bytes) => {
                    self.buffer = bytes;
                    self.buffer.len()
                }
                None => return Ok(None),
            },
        };
        Ok((written < raw.len()).then(|| &self.buffer[..written]))
    }
}

/// Each filter chain's result, the earlier one of equals.
fn smallest(chains: &[Filters], raw: &[u8]) -> Result<Option<Vec<u8>>, SquashError> {
    let failed = |error: liblzma::stream::Error| SquashError::Compressor(error.to_string());
    let mut best: Option<Vec<u8>> = None;
    for chain in chains {
        // CRC32 is the one check that the kernel's decoder is always built with.
        let mut stream = Stream::new_stream_encoder(chain, Check::Crc32).map_err(failed)?;
        let room = best.as_ref().map_or(raw.len(), Vec::len);
        let mut bytes = vec![0; room];
        let status = stream
            .process(raw, &mut bytes, Action::Finish)
            .map_err(failed)?;
        match status {
            Status::StreamEnd => {
                bytes.truncate(stream.total_out() as usize);
                if bytes.len() < room {
                    best = Some(bytes);
                }
            }
            // Out of room: not smaller than what there is.
            Status::Ok | Status::MemNeeded | Status::GetCheck => {}
        }
    }
    Ok(best)
}

/// Stands for everything but the content that decides a block's compressed
/// form: compressor, settings, block size, and the library's own version, which
/// shows in what it makes of a sample.
pub(crate) fn domain(compression: Compression, block_size: u32) -> Result<[u8; 32], SquashError> {
    let mut codec = Codec::new(compression, block_size)?;
    let mut hasher = blake3::Hasher::new_derive_key("isosmith squash compressed block 1");
    hasher.update(format!("{compression:?} {block_size}").as_bytes());
    hasher.update(&zstd::zstd_safe::version_number().to_le_bytes());
    let sample = sample();
    let compressed = codec.compress(&sample)?;
    hasher.update(compressed.unwrap_or(&sample));
    Ok(hasher.finalize().into())
}

/// Text-like bytes that compress about threefold, with near and far matches.
fn sample() -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut bytes = Vec::with_capacity(32 * 1024 + 64);
    while bytes.len() < 32 * 1024 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        match state % 5 {
            0 => bytes.extend(format!("/usr/lib/{}/", state % 97).bytes()),
            1 => bytes.extend(state.to_le_bytes()),
            _ if bytes.len() > 512 => {
                let from = (state >> 8) as usize % (bytes.len() - 256);
                bytes.extend_from_within(from..from + (state >> 40) as usize % 200);
            }
            _ => bytes.push(b' '),
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(compression: Compression, options: Option<&[u8]>) {
        assert_eq!(
            compression.stored_options(131_072).as_deref(),
            options,
            "{compression:?}"
        );
        let mut codec = Codec::new(compression, 131_072).unwrap();
        let sample = sample();
        let first = codec.compress(&sample).unwrap().unwrap().to_vec();
        assert!(first.len() * 10 < sample.len() * 9);
        // Noise does not get smaller, and leaves no trace in the next block.
        let noise: Vec<u8> = (0..400u32)
            .flat_map(|n| *blake3::hash(&n.to_le_bytes()).as_bytes())
            .collect();
        assert_eq!(codec.compress(&noise).unwrap(), None, "{compression:?}");
        assert_eq!(codec.compress(&sample).unwrap().unwrap(), first);
    }

    #[test]
    fn codecs() {
        check(Compression::Zstd(15), None);
        check(Compression::Zstd(3), Some(&[3, 0, 0, 0]));
        check(Compression::Gzip(9), None);
        check(Compression::Gzip(6), Some(&[6, 0, 0, 0, 15, 0, 0, 0]));
        check(Compression::Xz { bcj_x86: false }, None);
        check(
            Compression::Xz { bcj_x86: true },
            Some(&[0, 0, 2, 0, 1, 0, 0, 0]),
        );
        for compression in [Compression::Lz4, Compression::Lzo] {
            assert!(!supported(compression));
            assert!(matches!(
                Codec::new(compression, 131_072),
                Err(SquashError::Unsupported(_))
            ));
        }
    }

    #[test]
    fn domains_differ_with_every_setting() {
        let all = [
            (Compression::Zstd(3), 131_072),
            (Compression::Zstd(4), 131_072),
            (Compression::Zstd(3), 65_536),
            (Compression::Gzip(3), 131_072),
            (Compression::Xz { bcj_x86: false }, 131_072),
            (Compression::Xz { bcj_x86: true }, 131_072),
        ];
        let found: std::collections::HashSet<_> = all
            .iter()
            .map(|&(compression, size)| domain(compression, size).unwrap())
            .collect();
        assert_eq!(found.len(), all.len());
    }
}
