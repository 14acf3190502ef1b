//! How much an archive may make us read. A hostile mirror must not fill memory or disk.

/// A Release file, in bytes; Debian's have about 150 KiB.
pub(crate) const RELEASE: u64 = 4 << 20;

/// A packed list, in bytes; that of Debian's `main` has about 10 MiB.
pub(crate) const LIST: u64 = 64 << 20;

/// An unpacked list, in bytes; that of Debian's `main` has about 55 MiB.
pub(crate) const UNPACKED: u64 = 512 << 20;

/// What unpacking xz may take, in KiB; `xz -9` takes 65 MiB (xz(1)).
pub(crate) const UNPACKING_KIB: u32 = 128 << 10;

/// Packages of an index; Debian's `main` has about 70,000.
pub(crate) const PACKAGES: usize = 1_000_000;

/// The texts of an index, in bytes; those of Debian's `main` take about 20 MiB.
pub(crate) const TEXT: usize = 256 << 20;
