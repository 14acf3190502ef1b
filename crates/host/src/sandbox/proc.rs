//! `/proc`, without what acts on the whole machine or tells about it.

use std::path::Path;

use nix::mount::MsFlags;

use super::{
    place::{self, Base},
    setup::{NO_DEVICES, Setup, failed},
};

/// Files that act on the whole machine or show its memory, keys and timers (proc(5)). Each is
/// covered with an empty file, and each folder with an empty folder.
const COVERED: &[&str] = &[
    "sysrq-trigger",
    "kcore",
    "kmsg",
    "keys",
    "key-users",
    "timer_list",
    "timer_stats",
    "sched_debug",
    "latency_stats",
    "kpagecount",
    "kpageflags",
    "kpagecgroup",
    "mtrr",
    "acpi",
    "asound",
    "scsi",
    "dynamic_debug",
];

/// Folders that may be read but not written.
const READ_ONLY: &[&str] = &["sys", "bus", "fs", "irq"];

/// Mounts a fresh one. `empty` is an empty file that nobody can write to.
pub(super) fn mount_new(base: &Base, empty: &Path) -> Setup<()> {
    base.mount(
        "proc",
        Path::new("/proc"),
        NO_DEVICES | MsFlags::MS_NOEXEC,
        None,
    )?;
    cover(base, empty)
}

/// Does the same to the one that this process has.
pub(crate) fn cover_own() -> Setup<()> {
    let empty = Path::new("/tmp/empty");
    std::fs::write(empty, "").map_err(failed("write an empty file"))?;
    cover(&place::HERE, empty)
}

fn cover(base: &Base, empty: &Path) -> Setup<()> {
    for name in COVERED {
        let to = Path::new("/proc").join(name);
        let Some(found) = base.look(&to)? else {
            continue;
        };
        if found.path.is_dir() {
            let flags = NO_DEVICES | MsFlags::MS_NOEXEC | MsFlags::MS_RDONLY;
            base.tmpfs(&to, 0o555, flags)?;
        } else {
            let what = format!("cover {}", to.display());
            let flags = NO_DEVICES | MsFlags::MS_NOEXEC | MsFlags::MS_RDONLY;
            base.bind(empty, &to, flags, &what)?;
        }
    }
    for name in READ_ONLY {
        let to = Path::new("/proc").join(name);
        if let Some(found) = base.look(&to)? {
            let what = format!("protect {}", to.display());
            base.bind(&found.path, &to, MsFlags::MS_RDONLY, &what)?;
        }
    }
    Ok(())
}
