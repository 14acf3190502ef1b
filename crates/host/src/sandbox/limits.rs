//! Rights and system calls that no package script has any business with.
#![allow(unsafe_code)]

use std::io;

use nix::sys::{resource, signal, stat};

use super::calls;
use crate::caps;

/// Capabilities that installing packages needs; every other one is taken away for good.
/// Numbers from `linux/capability.h`.
pub(crate) const KEPT_CAPABILITIES: &[libc::c_ulong] = &[
    0,  // CHOWN
    1,  // DAC_OVERRIDE
    2,  // DAC_READ_SEARCH
    3,  // FOWNER
    4,  // FSETID
    5,  // KILL
    6,  // SETGID
    7,  // SETUID
    8,  // SETPCAP
    18, // SYS_CHROOT
    29, // AUDIT_WRITE
    31, // SETFCAP
];

/// Takes away everything a command must not have. Last act before `exec`.
///
/// `syncs` lets it wait for the disk; `network_filter` stands in for a network namespace that
/// the kernel has not got.
pub(crate) fn apply(syncs: bool, network_filter: bool) -> io::Result<()> {
    stat::umask(stat::Mode::from_bits_truncate(0o022));
    reset_signals();
    // A core file of a build helps nobody and would land in the image.
    resource::setrlimit(resource::Resource::RLIMIT_CORE, 0, 0)?;
    calls::filter(syncs, network_filter)?;
    caps::bound(KEPT_CAPABILITIES)
}

/// A program inherits ignored signals; the build's own choices are not its business.
fn reset_signals() {
    for signal in signal::Signal::iterator() {
        // SAFETY: restores the default action; no handler of ours is involved.
        let _ = unsafe { signal::signal(signal, signal::SigHandler::SigDfl) };
    }
    let _ = signal::SigSet::empty().thread_set_mask();
}
