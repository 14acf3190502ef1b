//! Reads a finished ISO back: El Torito, labels, signatures, squashfs.
//!
//! Nothing here starts a process or trusts a byte: every length is checked
//! against the file before memory is taken, and damage is an answer, not a
//! panic. [`inspect`] gathers everything into a [`Report`];
//! [`Report::problems`] compares it with what was wanted;
//! [`verify_checksums`] reads every byte.

mod bytes;
mod checksum_list;
mod checksums;
mod der;
mod efi;
pub mod eltorito;
mod error;
mod expect;
pub mod fat;
pub mod iso9660;
pub mod pe;
mod report;
pub mod source;
pub mod squashfs;
pub mod system_area;

pub use checksums::{
    Algorithm, ChecksumOutcome, ChecksumResult, verify_checksums, verify_checksums_watched,
};
pub use efi::{EfiFile, EfiReport, Place};
pub use error::{InspectError, Structure};
pub use expect::{Expect, Problem};
pub use report::{Damage, LiveReport, Menu, MenuKind, Report, SquashfsReport, inspect};

#[cfg(test)]
mod medium_tests;
#[cfg(test)]
mod squashfs_tests;
#[cfg(test)]
mod test_media;
