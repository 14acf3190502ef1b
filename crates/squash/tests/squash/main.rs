//! Images are read back with squashfs-tools, the kernel and our own reader.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "all of it is test code, also outside of the test functions"
)]

mod compare;
mod hostile;
mod mounted;
mod oracle;
mod plant;
mod reuse;

use std::cell::Cell;
use std::fs::File;
use std::path::{Path, PathBuf};

use isosmith_squash::{Compression, Options, SquashError, Store, Summary, write};

/// A quick compression with small blocks, so that small trees have many.
fn quick() -> Options {
    let mut options = Options::new(Compression::Zstd(1), 1_700_000_000);
    options.block_size = 4096;
    options.threads = 2;
    options
}

/// Writes the image of `root` beside it.
fn pack(
    root: &Path,
    options: &Options,
    store: Option<&Store>,
) -> Result<(PathBuf, Summary), SquashError> {
    let image = root.with_extension("squashfs");
    let mut out = File::create(&image).unwrap();
    let last = Cell::new(None);
    let progress = |so_far| last.set(Some(so_far));
    let summary = write(root, &mut out, options, store, &progress, &|| false)?;
    if let Some(last) = last.get() {
        assert_eq!(last.bytes_done, last.bytes_total);
        assert_eq!(last.bytes_total, summary.file_bytes);
    }
    assert_eq!(out.metadata().unwrap().len(), summary.bytes);
    Ok((image, summary))
}

fn bytes(root: &Path, options: &Options, store: Option<&Store>) -> (Vec<u8>, Summary) {
    let (image, summary) = pack(root, options, store).unwrap();
    (std::fs::read(image).unwrap(), summary)
}
