//! What a worker sees of the machine.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::sandbox::{Op, Sandbox};

/// What a worker sees: programs, name resolution, certificates, devices, and our folders.
pub(super) fn world(folders: &[PathBuf]) -> Sandbox {
    let mut world = Sandbox::empty("worker")
        .with(Op::Bind { from: "/proc".into(), to: "/proc".into(), read_only: false })
        .with(Op::Dev)
        .with(Op::Sys)
        .with(Op::Tmpfs { to: "/run".into(), mode: 0o1777 })
        .with(Op::Tmpfs { to: "/tmp".into(), mode: 0o1777 })
        .bind_ro(Path::new("/usr"), "/usr")
        .file("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n_apt:x:42:65534::/nonexistent:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n", 0o644)
        .file("/etc/group", "root:x:0:\nnogroup:x:65534:\n", 0o644)
        .file("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n", 0o644);
    for name in ["bin", "sbin", "lib", "lib32", "lib64", "libx32"] {
        let path = Path::new("/").join(name);
        match fs::read_link(&path) {
            Ok(target) => world = world.with(Op::Symlink { target, to: path }),
            Err(_) if path.is_dir() => world = world.bind_ro(&path, path.clone()),
            Err(_) => {}
        }
    }
    for name in [
        "/etc/resolv.conf",
        "/etc/hosts",
        "/etc/ssl/certs",
        "/etc/ld.so.cache",
        "/etc/alternatives",
    ] {
        // Resolved outside: resolv.conf is often a link into /run.
        if let Ok(real) = fs::canonicalize(name) {
            world = world.bind_ro(&real, name);
        }
    }
    folders
        .iter()
        .fold(world, |world, folder| world.bind(folder, folder.clone()))
}
