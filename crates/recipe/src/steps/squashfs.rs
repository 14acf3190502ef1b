//! The finished tree, packed.

use isosmith_engine::{Done, Failure, LineUse, StepCx};
use isosmith_protocol::Unit;
use isosmith_spec::model::Compression;
use serde_json::{Value, json};

use super::environment::tools_sandbox;
use crate::state::{Debian, Tools};

/// Its name on the medium, where live-boot and Calamares look for it.
pub(crate) const NAME: &str = "filesystem.squashfs";

/// The tree comes in through the layers' keys; the writer and its settings are here.
pub(crate) fn inputs(state: &Debian) -> Value {
    let Some(Tools::Tree { id: tools, .. }) = &state.tools else {
        return isosmith_engine::step::unknown();
    };
    json!({
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

/// Packs the tree. The initramfs stays out: the medium has it outside, where the loader reads
/// it, and an installed system makes its own.
pub(crate) fn pack(cx: &mut StepCx<'_>, state: &mut Debian) -> Result<Done, Failure> {
    let guard = cx.mount_root()?;
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
        .args(["-mkfs-time".to_owned(), state.source_date().to_string()])
        .args([
            "-wildcards",
            "-e",
            "boot/initrd.img-*",
            "proc/*",
            "sys/*",
            "dev/*",
            "run/*",
            "tmp/*",
        ])
        .inside(sandbox);
    cx.run_watching(&pack, &mut |_, line| match line.trim().parse::<u64>() {
        Ok(percent) if percent <= 100 => {
            cx.progress(percent, Some(100), Unit::Percent, None);
            LineUse::Swallow
        }
        Ok(_) | Err(_) => LineUse::Log,
    })?;
    drop(guard);
    Ok(Done::Done)
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
