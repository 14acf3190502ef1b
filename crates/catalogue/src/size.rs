//! How large an ISO becomes.

use isosmith_spec::model::Compression;

/// What an ISO has beside the squashfs, in bytes: kernel, initramfs, loaders, pictures.
///
/// Taken from builds of Debian 13 with `zstd:15`: 69 MB (minimal), 70 MB (standard), 95 MB
/// (rescue, with firmware in the initramfs), 84 MB (a Plasma desktop).
const BESIDE: u64 = 75_000_000;

/// Parts of a thousand of the packed and of the unpacked bytes of all packages whose sum is the
/// squashfs with `zstd:15`.
///
/// A squashfs compresses what packages hold in blocks, and so less well than packages do. Much
/// that can be compressed makes the unpacked size large; what is compressed already, such as
/// kernel modules, makes the packed size large. Fitted to builds of Debian 13:
///
/// | | packed | unpacked | squashfs | by this |
/// |---|---:|---:|---:|---:|
/// | minimal | 180.4 MB | 366.3 MB | 203.2 MB | 201.1 MB |
/// | standard | 211.7 MB | 509.1 MB | 246.4 MB | 248.3 MB |
/// | rescue, half of it firmware | 323.2 MB | 1057.6 MB | 452.6 MB | 422.5 MB |
/// | minimal with a Plasma desktop | 1345.4 MB | 4492.6 MB | 1735.5 MB | 1772.7 MB |
const PACKED: u64 = 800;
const UNPACKED: u64 = 155;

/// The ISO of packages with these sizes, in bytes; within a tenth of what builds came to.
pub(crate) fn iso(packed: u64, unpacked: u64, compression: Compression) -> u64 {
    let share = |bytes: u64, parts: u64| (bytes / 1000).saturating_mul(parts);
    let squashfs = share(packed, PACKED).saturating_add(share(unpacked, UNPACKED));
    share(squashfs, factor(compression)).saturating_add(BESIDE)
}

/// How much larger or smaller a squashfs is than with `zstd:15`, in parts of a thousand.
///
/// From builds of the profile `standard` (Debian 13), whose squashfs has 246.4 MB with
/// `zstd:15`; levels between those that were built are taken to lie on a line.
fn factor(compression: Compression) -> u64 {
    match compression {
        Compression::Zstd(level) => between(level, &[(1, 1104), (3, 1074), (15, 1000), (19, 992)]),
        Compression::Xz => 949,
        Compression::Gzip(level) => between(level, &[(1, 1095), (9, 1043)]),
        Compression::Lz4(false) => 1288,
        Compression::Lz4(true) => 1156,
        Compression::Lzo(level) => between(level, &[(1, 1178), (9, 1109)]),
    }
}

/// What lies at `level` on the line through `points`, whose levels rise and values fall.
fn between(level: u8, points: &[(u8, u64)]) -> u64 {
    let level = u64::from(level);
    let mut last: Option<(u64, u64)> = None;
    for &(at, value) in points {
        let at = u64::from(at);
        match last {
            Some((before, above)) if level < at => {
                let down = above.saturating_sub(value) * level.saturating_sub(before);
                return above - down / (at - before);
            }
            None if level < at => return value,
            Some(_) | None => last = Some((at, value)),
        }
    }
    last.map_or(1000, |(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimates_come_near_what_was_built() {
        for (packed, unpacked, compression, built) in [
            (180.4, 366.3, Compression::Zstd(15), 272.6),
            (211.7, 509.1, Compression::Zstd(15), 316.7),
            (323.2, 1057.6, Compression::Zstd(15), 547.4),
            (1345.4, 4492.6, Compression::Zstd(15), 1819.8),
            (211.7, 509.1, Compression::Zstd(1), 341.8),
            (211.7, 509.1, Compression::Zstd(3), 334.5),
            (211.7, 509.1, Compression::Zstd(19), 314.6),
            (211.7, 509.1, Compression::Xz, 304.1),
            (211.7, 509.1, Compression::Gzip(1), 339.7),
            (211.7, 509.1, Compression::Gzip(9), 327.2),
            (211.7, 509.1, Compression::Lz4(false), 386.9),
            (211.7, 509.1, Compression::Lz4(true), 354.4),
            (211.7, 509.1, Compression::Lzo(1), 359.7),
            (211.7, 509.1, Compression::Lzo(9), 342.9),
        ] {
            let bytes = |megabytes: f64| (megabytes * 1e6) as u64;
            let found = iso(bytes(packed), bytes(unpacked), compression);
            let off = (found as f64 / 1e6 / built - 1.0).abs();
            assert!(off < 0.1, "{compression:?}: {found} for {built} MB");
        }
    }

    #[test]
    fn levels_between_lie_on_a_line() {
        for (level, want) in [
            (1, 1104),
            (2, 1089),
            (3, 1074),
            (9, 1037),
            (15, 1000),
            (22, 992),
        ] {
            assert_eq!(factor(Compression::Zstd(level)), want, "{level}");
        }
        assert_eq!(factor(Compression::Gzip(5)), 1069);
    }

    #[test]
    fn no_size_is_too_much() {
        assert_eq!(iso(0, 0, Compression::Xz), BESIDE);
        assert!(iso(u64::MAX, u64::MAX, Compression::Xz) > BESIDE);
    }
}
