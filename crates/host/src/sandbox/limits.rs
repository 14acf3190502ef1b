//! Rights and system calls that no package script has any business with.
#![allow(unsafe_code)]

use std::{collections::BTreeMap, io};

use nix::sys::{resource, signal, stat};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

/// Capabilities that installing packages needs; every other one is taken away for good.
/// Numbers from `linux/capability.h`.
const KEPT_CAPABILITIES: &[libc::c_ulong] = &[
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

/// Refused with EPERM: they act on the whole machine, or are ways into the kernel that no
/// package needs.
const REFUSED: &[libc::c_long] = &[
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_reboot,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_syslog,
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_open_by_handle_at,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_ptrace,
    libc::SYS_process_vm_writev,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_fsopen,
    libc::SYS_fsmount,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_setns,
    libc::SYS_unshare,
    libc::SYS_vhangup,
];

/// Answered with success and not done: a tree that is thrown away on any crash need not
/// reach the disk file by file. dpkg spends half its time in these otherwise.
const SYNCS: &[libc::c_long] = &[
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_sync,
    libc::SYS_syncfs,
    libc::SYS_sync_file_range,
    libc::SYS_msync,
];

/// Takes away everything a command must not have. Last act before `exec`.
pub(crate) fn apply(syncs: bool) -> io::Result<()> {
    stat::umask(stat::Mode::from_bits_truncate(0o022));
    reset_signals();
    // A core file of a build helps nobody and would land in the image.
    resource::setrlimit(resource::Resource::RLIMIT_CORE, 0, 0)?;
    if !syncs {
        install(SYNCS, 0)?;
    }
    install(REFUSED, libc::EPERM.cast_unsigned())?;
    drop_capabilities()
}

fn install(calls: &[libc::c_long], errno: u32) -> io::Result<()> {
    let rules: BTreeMap<i64, Vec<_>> = calls.iter().map(|&call| (call, Vec::new())).collect();
    let arch = std::env::consts::ARCH
        .try_into()
        .map_err(io::Error::other)?;
    let filter = SeccompFilter::new(
        rules,
        SeccompAction::Allow,
        SeccompAction::Errno(errno),
        arch,
    )
    .map_err(io::Error::other)?;
    let program: BpfProgram = filter.try_into().map_err(io::Error::other)?;
    seccompiler::apply_filter(&program).map_err(io::Error::other)
}

fn drop_capabilities() -> io::Result<()> {
    for capability in 0.. {
        if KEPT_CAPABILITIES.contains(&capability) {
            continue;
        }
        // SAFETY: prctl(PR_CAPBSET_DROP) takes plain integers and touches no memory of ours.
        if unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) } == 0 {
            continue;
        }
        let error = io::Error::last_os_error();
        return match error.raw_os_error() {
            // One past the last capability that this kernel knows.
            Some(libc::EINVAL) if capability > 31 => Ok(()),
            _ => Err(error),
        };
    }
    Ok(())
}

/// A program inherits ignored signals; the build's own choices are not its business.
fn reset_signals() {
    for signal in signal::Signal::iterator() {
        // SAFETY: restores the default action; no handler of ours is involved.
        let _ = unsafe { signal::signal(signal, signal::SigHandler::SigDfl) };
    }
    let _ = signal::SigSet::empty().thread_set_mask();
}
