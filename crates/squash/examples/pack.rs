//! Packs a tree: `pack ROOT IMAGE COMPRESSION [STORE]`, where COMPRESSION is
//! `zstd:LEVEL`, `gzip:LEVEL`, `xz` or `xz-x86`. To be timed against mksquashfs.

use std::cell::Cell;
use std::path::Path;

use isosmith_squash::{Compression, Options, Store, write};

#[allow(clippy::print_stdout)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [root, image, compression, rest @ ..] = words.as_slice() else {
        return Err("usage: pack ROOT IMAGE COMPRESSION [STORE]".into());
    };
    let compression = match compression.split_once(':') {
        Some(("zstd", level)) => Compression::Zstd(level.parse()?),
        Some(("gzip", level)) => Compression::Gzip(level.parse()?),
        Some(_) | None => Compression::Xz {
            bcj_x86: compression == "xz-x86",
        },
    };
    let store = match rest.first() {
        Some(folder) => Some(Store::open(Path::new(folder), 20 << 30)?),
        None => None,
    };
    let mut out = std::fs::File::create(image)?;
    let options = Options::new(compression, 0);
    let calls = Cell::new(0u64);
    let summary = write(
        Path::new(root),
        &mut out,
        &options,
        store.as_ref(),
        &|_| calls.set(calls.get() + 1),
        &|| false,
    )?;
    println!("{summary:#?}");
    Ok(())
}
