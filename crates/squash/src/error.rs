//! What can go wrong.

use std::io;
use std::path::{Path, PathBuf};

use crate::Compression;

/// Why no image was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SquashError {
    /// Something of the tree could not be read.
    #[error("cannot read {path} of the tree: {source}")]
    Read {
        /// Relative to the root of the tree.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// A file was replaced or shortened between listing and reading.
    #[error("{path} changed while the image was being written")]
    Changed {
        /// Relative to the root of the tree.
        path: PathBuf,
    },
    /// The image could not be written; on a full disk the source is
    /// [`io::ErrorKind::StorageFull`].
    #[error("cannot write the image: {0}")]
    Output(#[source] io::Error),
    /// The tree does not fit into the format.
    #[error("the tree cannot be a SquashFS image: {0}")]
    Limit(String),
    /// A compressor that this writer does not have, see [`crate::supported`].
    #[error("{0:?} compression is not supported")]
    Unsupported(Compression),
    /// A setting outside its range.
    #[error("{0}")]
    Setting(String),
    /// A compression library failed.
    #[error("compressing failed: {0}")]
    Compressor(String),
    /// The store's folder cannot be used.
    #[error("cannot use the block store {path}: {source}")]
    Store {
        /// The folder or file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The caller's `cancelled` said so.
    #[error("cancelled")]
    Cancelled,
}

impl SquashError {
    /// For `map_err` where `path` of the tree was read.
    pub(crate) fn read(path: &[u8]) -> impl Fn(io::Error) -> Self {
        let path = path_of(path);
        move |source| Self::Read {
            path: path.clone(),
            source,
        }
    }

    /// For `map_err` where `path` of the store was used.
    pub(crate) fn store(path: &Path) -> impl Fn(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Store {
            path: path.clone(),
            source,
        }
    }
}

/// Bytes as a path; the root of the tree is `.`.
pub(crate) fn path_of(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    let bytes = if bytes.is_empty() { b"." } else { bytes };
    PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
}
