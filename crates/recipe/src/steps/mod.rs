//! The steps, a file per subject. The table that orders them is [`crate::recipe`].

pub(crate) mod accounts;
pub(crate) mod assistant;
pub(crate) mod boot;
pub(crate) mod branding;
pub(crate) mod clean;
pub(crate) mod customise;
pub(crate) mod debian_installer;
pub(crate) mod desktop;
pub(crate) mod environment;
pub(crate) mod initramfs;
pub(crate) mod install;
pub(crate) mod installer;
pub(crate) mod iso;
pub(crate) mod packages;
pub(crate) mod pool;
pub(crate) mod region;
pub(crate) mod security;
pub(crate) mod services;
pub(crate) mod signing;
pub(crate) mod squashfs;
pub(crate) mod users;

use std::path::Path;

use isosmith_engine::Failure;
use isosmith_host::{Cmd, Sandbox, fs::Tree};
use isosmith_protocol::Code;

/// A command inside the tree, as a package's script would run: no network, no running system.
pub(crate) fn in_tree(program: &str, root: &Path) -> Cmd {
    quiet(Cmd::new(program)).inside(Sandbox::tree("tree", root))
}

/// Tells whatever runs that there is nobody to ask and no system to talk to.
///
/// `SYSTEMD_OFFLINE`: systemctl finds out by itself only when it can look at process 1, which
/// a good sandbox does not let it. `INITRD`: kernels make no initramfs when they are installed
/// (`/etc/kernel/postinst.d/initramfs-tools`); it is made once, when everything is there.
pub(crate) fn quiet(cmd: Cmd) -> Cmd {
    cmd.env("DEBIAN_FRONTEND", "noninteractive")
        .env("DEBCONF_NONINTERACTIVE_SEEN", "true")
        .env("SYSTEMD_OFFLINE", "1")
        .env("SYSTEMD_IN_CHROOT", "1")
        .env("NEEDRESTART_SUSPEND", "1")
        .env("INITRD", "No")
}

/// Keeps package scripts from starting services for as long as `work` takes; see
/// invoke-rc.d(8). Afterwards nothing of it is in the tree.
pub(crate) fn without_services<T>(
    tree: &Tree,
    work: impl FnOnce() -> Result<T, Failure>,
) -> Result<T, Failure> {
    const POLICY: &str = "/usr/sbin/policy-rc.d";
    tree.write(POLICY, b"#!/bin/sh\nexit 101\n", 0o755)?;
    let result = work();
    tree.remove(POLICY)?;
    result
}

/// A failure about a name in the profile that the image has not got.
pub(crate) fn not_in_image(field: &str, what: &str, advice: &str) -> Failure {
    Failure::new(
        Code::NotInImage,
        format!("{field}: {what}"),
        advice.to_owned(),
    )
}
