//! `/dev`, with what every program expects and nothing of the machine.

use std::path::Path;

use nix::mount::MsFlags;

use super::{
    place::Base,
    setup::{NO_DEVICES, Setup, in_old},
};

/// Device nodes that every sandbox has. They are binds: no node is made, and one that somebody
/// makes cannot be opened.
const DEVICES: &[&str] = &["null", "zero", "full", "random", "urandom", "tty"];

const LINKS: &[(&str, &str)] = &[
    ("ptmx", "pts/ptmx"),
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
];

/// Mounts a fresh one.
pub(super) fn mount_new(base: &Base) -> Setup<()> {
    let dev = Path::new("/dev");
    base.tmpfs(dev, 0o755, NO_DEVICES | MsFlags::MS_NOEXEC)?;
    let no_programs = MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC;
    for name in DEVICES {
        let path = dev.join(name);
        let what = format!("bind {}", path.display());
        base.bind(&in_old(&path), &path, no_programs, &what)?;
    }
    // Terminals of its own: those of the machine are in another instance (devpts(4)).
    base.mount(
        "devpts",
        &dev.join("pts"),
        no_programs,
        Some("newinstance,ptmxmode=0666,mode=620"),
    )?;
    base.tmpfs(&dev.join("shm"), 0o1777, NO_DEVICES)?;
    LINKS
        .iter()
        .try_for_each(|(name, target)| base.symlink(Path::new(target), &dev.join(name)))
}
