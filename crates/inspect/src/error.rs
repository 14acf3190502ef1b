//! What can go wrong while reading an image back.

use std::io;

use serde::Serialize;

/// A part of the medium with a format of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Structure {
    /// The ISO 9660 file system.
    Iso9660,
    /// The El Torito boot catalogue.
    ElTorito,
    /// The first 32 KiB: MBR, GPT, Apple partition map.
    SystemArea,
    /// The FAT image that UEFI firmware reads.
    EfiImage,
    /// An EFI program.
    EfiProgram,
    /// The compressed root file system.
    Squashfs,
    /// A list of checksums.
    ChecksumList,
}

impl Structure {
    /// The name as sentences use it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Iso9660 => "ISO 9660 file system",
            Self::ElTorito => "El Torito boot catalogue",
            Self::SystemArea => "partition table",
            Self::EfiImage => "EFI system partition image",
            Self::EfiProgram => "EFI program",
            Self::Squashfs => "SquashFS image",
            Self::ChecksumList => "checksum list",
        }
    }
}

/// Why an image, or a part of it, could not be read.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// The system refused to read, or the file ends too early.
    #[error("cannot read {what}: {source}")]
    Read {
        /// Path of the file or name of the part.
        what: String,
        /// The system's answer.
        source: io::Error,
    },
    /// No ISO 9660 volume descriptor where one must be.
    #[error("this is not an ISO 9660 image: {0}")]
    NotIso(&'static str),
    /// Bytes contradict their format.
    #[error("the {} is damaged: {detail}", .structure.name())]
    Damaged {
        /// Which part.
        structure: Structure,
        /// What is wrong with it.
        detail: String,
    },
    /// A valid feature that this reader does not know.
    #[error("the {} uses {feature}, which cannot be read here", .structure.name())]
    Unsupported {
        /// Which part.
        structure: Structure,
        /// The feature.
        feature: String,
    },
    /// No such file.
    #[error("there is no {path} in the {}", .structure.name())]
    Missing {
        /// Where it was looked for.
        structure: Structure,
        /// What was looked for.
        path: String,
    },
    /// Larger than this reader is willing to hold in memory.
    #[error("{what} is larger than {limit} bytes")]
    TooLarge {
        /// The file or table.
        what: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// The caller asked to stop.
    #[error("stopped before the end")]
    Cancelled,
}

impl InspectError {
    /// A stable name for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Read { .. } => "inspect_read",
            Self::NotIso(_) => "inspect_not_iso",
            Self::Damaged { .. } => "inspect_damaged",
            Self::Unsupported { .. } => "inspect_unsupported",
            Self::Missing { .. } => "inspect_missing",
            Self::TooLarge { .. } => "inspect_too_large",
            Self::Cancelled => "inspect_cancelled",
        }
    }

    /// What a person can do about it.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Read { .. } => {
                "Check that the file exists, is readable and was copied completely."
            }
            Self::NotIso(_) => "Name a file that ends in .iso and was made by a completed build.",
            Self::Damaged { .. } => {
                "Compare the checksum of the file; copy or build it again if it differs."
            }
            Self::Unsupported { .. } => {
                "The image may still be good; read it with xorriso or unsquashfs."
            }
            Self::Missing { .. } => {
                "Build the image again, or look at its listing for the right name."
            }
            Self::TooLarge { .. } => {
                "The file is not what an image of this kind contains; look at it by hand."
            }
            Self::Cancelled => "Start again to get the whole answer.",
        }
    }

    pub(crate) fn damaged(structure: Structure, detail: impl Into<String>) -> Self {
        Self::Damaged {
            structure,
            detail: detail.into(),
        }
    }

    pub(crate) fn unsupported(structure: Structure, feature: impl Into<String>) -> Self {
        Self::Unsupported {
            structure,
            feature: feature.into(),
        }
    }

    pub(crate) fn read(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        |source| Self::Read { what, source }
    }

    /// Reading inside a structure: an early end means that the structure lies,
    /// anything else is the disk's fault.
    pub(crate) fn inside(structure: Structure) -> impl Fn(io::Error) -> Self {
        move |source| {
            if source.kind() == io::ErrorKind::UnexpectedEof {
                return Self::damaged(structure, "it points past the end of the image");
            }
            Self::Read {
                what: structure.name().to_owned(),
                source,
            }
        }
    }
}
