//! The finished tree, packed.

use std::{
    fs::File,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use isosmith_engine::{Done, Failure, LineUse, StepCx};
use isosmith_protocol::{Code, Level, Unit};
use isosmith_spec::model::Compression;
use isosmith_squash::Ahead;
use serde_json::{Value, json};

use super::environment::tools_sandbox;
use crate::state::{Debian, SquashfsWriter, Tools};

/// Its name on the medium, where live-boot and Calamares look for it.
pub(crate) const NAME: &str = "filesystem.squashfs";

/// The tree comes in through the layers' keys; the writer and its settings are here.
pub(crate) fn inputs(state: &Debian) -> Value {
    let Some(Tools::Tree { id: tools, .. }) = &state.tools else {
        return isosmith_engine::step::unknown();
    };
    json!({
        "writer": format!("{:?}", state.squashfs_writer),
        "arguments": arguments(state.spec.image.compression),
        "sourceDate": state.source_date(),
        "tools": tools,
    })
}

/// `mksquashfs(1)`: compressor and its options.
fn arguments(compression: Compression) -> Vec<String> {
    let words: Vec<String> = match compression {
        Compression::Zstd(level) => vec![
            "zstd".into(),
            "-Xcompression-level".into(),
            level.to_string(),
        ],
        // The x86 filter finds a tenth more in programs; each block is tried with and without.
        Compression::Xz => vec!["xz".into(), "-Xbcj".into(), "x86".into()],
        Compression::Gzip(level) => vec![
            "gzip".into(),
            "-Xcompression-level".into(),
            level.to_string(),
        ],
        Compression::Lz4(false) => vec!["lz4".into()],
        Compression::Lz4(true) => vec!["lz4".into(), "-Xhc".into()],
        Compression::Lzo(level) => {
            vec![
                "lzo".into(),
                "-Xalgorithm".into(),
                "lzo1x_999".into(),
                "-Xcompression-level".into(),
                level.to_string(),
            ]
        }
    };
    std::iter::once("-comp".to_owned()).chain(words).collect()
}

/// What stays out. The initramfs: the medium has it outside, where the loader reads it, and
/// an installed system makes its own.
const EXCLUDED: &[&str] = &[
    "boot/initrd.img-*",
    "proc/*",
    "sys/*",
    "dev/*",
    "run/*",
    "tmp/*",
];

/// The most that compressed blocks may take, in bytes, and no more than half of what the whole
/// cache may; the longest unused go first.
const STORE_LIMIT: u64 = 8 << 30;

/// Packs the tree.
pub(crate) fn pack(cx: &mut StepCx<'_>, state: &mut Debian) -> Result<Done, Failure> {
    let guard = cx.mount_root()?;
    match own_codec(state) {
        Some(codec) => write(cx, state, codec)?,
        None => mksquashfs(cx, state)?,
    }
    drop(guard);
    Ok(Done::Done)
}

/// Our writer's name for the compression, where it is chosen and has it.
fn own_codec(state: &Debian) -> Option<isosmith_squash::Compression> {
    use isosmith_squash::Compression as Own;

    let codec = match state.spec.image.compression {
        Compression::Zstd(level) => Own::Zstd(level),
        Compression::Xz => Own::Xz { bcj_x86: true },
        Compression::Gzip(level) => Own::Gzip(level),
        Compression::Lz4(_) => Own::Lz4,
        Compression::Lzo(_) => Own::Lzo,
    };
    let chosen = state.squashfs_writer == SquashfsWriter::Isosmith;
    (chosen && isosmith_squash::supported(codec)).then_some(codec)
}

fn options(state: &Debian, codec: isosmith_squash::Compression) -> isosmith_squash::Options {
    let date = u32::try_from(state.source_date()).unwrap_or(0);
    let mut options = isosmith_squash::Options::new(codec, date);
    options.threads = state.strength.threads;
    options.exclude = EXCLUDED.iter().map(|&pattern| pattern.to_owned()).collect();
    options
}

fn store(
    cx: &StepCx<'_>,
    state: &Debian,
) -> Result<isosmith_squash::Store, isosmith_squash::SquashError> {
    let whole = state.manner.cache_limit;
    let limit = whole.map_or(STORE_LIMIT, |whole| STORE_LIMIT.min(whole.bytes() / 2));
    isosmith_squash::Store::open(&cx.work().pool().join("blocks"), limit)
}

/// Does `work`, which keeps one processor busy or waits, and meanwhile compresses what is
/// in the tree at `root` already, so that packing finds it done.
pub(crate) fn meanwhile<T>(
    cx: &StepCx<'_>,
    state: &Debian,
    root: &Path,
    ahead: Ahead,
    work: impl FnOnce() -> T,
) -> T {
    let (Some(codec), Ok(store)) = (own_codec(state), store(cx, state)) else {
        return work();
    };
    let options = options(state, codec);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let stopped = || over.load(Ordering::Relaxed);
            // Nothing is lost by an error here: packing meets it again and says so.
            match isosmith_squash::warm(root, &options, &store, ahead, &stopped) {
                Ok(bytes) => tracing::debug!(bytes, "compressed ahead, all"),
                Err(error) => tracing::debug!(%error, "compressed ahead, in part"),
            }
        });
        // Also after a panic, or the scope would wait for the whole tree.
        let _stop = Stop(&over);
        work()
    })
}

struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Writes it ourselves, taking blocks that any earlier image had from the store.
fn write(
    cx: &StepCx<'_>,
    state: &Debian,
    codec: isosmith_squash::Compression,
) -> Result<(), Failure> {
    let options = options(state, codec);
    let store = store(cx, state).map_err(explain)?;
    let path = cx.out().join(NAME);
    let mut file = File::create(&path).map_err(|error| Failure::io_at("write", &path, error))?;
    let report = cx.reporter();
    let progress = |so_far: isosmith_squash::Progress| {
        report.progress(
            so_far.bytes_done,
            Some(so_far.bytes_total),
            Unit::Bytes,
            None,
        );
    };
    let cancelled = || cx.cancel().is_cancelled();
    let summary = isosmith_squash::write(
        cx.root(),
        &mut file,
        &options,
        Some(&store),
        &progress,
        &cancelled,
    )
    .map_err(|error| explain(error).with_room(&path))?;
    if let Some(trouble) = &summary.store_trouble {
        cx.warn(format!(
            "compressed blocks could not be kept for the next build: {trouble}"
        ));
    }
    for point in &summary.mount_points {
        let path = cx.root().join(point);
        // A folder is in the image, empty, as it should be; a file is missing.
        if !path.is_dir() {
            cx.warn(format!(
                "/{} is not in the image: something is mounted over it",
                point.display()
            ));
        }
    }
    if summary.lost_xattrs > 0 {
        cx.warn(format!(
            "{} extended attributes cannot be kept in SquashFS",
            summary.lost_xattrs
        ));
    }
    let mib = |bytes: u64| bytes >> 20;
    cx.log(
        Level::Info,
        format!(
            "{} MiB from {} MiB: {} MiB of blocks reused, {} MiB compressed",
            mib(summary.bytes),
            mib(summary.file_bytes),
            mib(summary.reused_bytes),
            mib(summary.compressed_bytes)
        ),
    );
    Ok(())
}

fn explain(error: isosmith_squash::SquashError) -> Failure {
    use isosmith_squash::SquashError;

    if matches!(error, SquashError::Cancelled) {
        return Failure::cancelled();
    }
    if let SquashError::Output(source) = error {
        return Failure::io("write the squashfs", source);
    }
    Failure::plain(Code::Io, "the tree could not be packed").because(error)
}

/// Writes it with mksquashfs(1), for compressors that we have not got and for comparison.
fn mksquashfs(cx: &StepCx<'_>, state: &Debian) -> Result<(), Failure> {
    let sandbox = tools_sandbox(state.tools()?)
        .bind_ro(cx.root(), "/run/tree")
        .bind(cx.out(), "/run/out");
    let pack = isosmith_host::Cmd::new("mksquashfs")
        .args(["/run/tree".to_owned(), format!("/run/out/{NAME}")])
        .args([
            "-noappend",
            "-no-recovery",
            "-exit-on-error",
            "-percentage",
            "-xattrs",
        ])
        .args(arguments(state.spec.image.compression))
        .args(["-processors".to_owned(), state.strength.threads.to_string()])
        .args(["-mkfs-time".to_owned(), state.source_date().to_string()])
        .args(["-wildcards", "-e"])
        .args(EXCLUDED.iter().copied())
        .inside(sandbox);
    cx.run_watching(&pack, &mut |_, line| match line.trim().parse::<u64>() {
        Ok(percent) if percent <= 100 => {
            cx.progress(percent, Some(100), Unit::Percent, None);
            LineUse::Swallow
        }
        Ok(_) | Err(_) => LineUse::Log,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_compression_becomes_arguments() {
        for (compression, want) in [
            (Compression::Zstd(19), "-comp zstd -Xcompression-level 19"),
            (Compression::Xz, "-comp xz -Xbcj x86"),
            (Compression::Gzip(6), "-comp gzip -Xcompression-level 6"),
            (Compression::Lz4(false), "-comp lz4"),
            (Compression::Lz4(true), "-comp lz4 -Xhc"),
            (
                Compression::Lzo(8),
                "-comp lzo -Xalgorithm lzo1x_999 -Xcompression-level 8",
            ),
        ] {
            assert_eq!(arguments(compression).join(" "), want);
        }
    }
}
