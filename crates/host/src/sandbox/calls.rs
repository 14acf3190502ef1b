//! System calls that no package script has any business with.
#![allow(unsafe_code)]

use std::{collections::BTreeMap, io};

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, sock_filter,
};

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
    libc::SYS_quotactl_fd,
    libc::SYS_syslog,
    libc::SYS_open_by_handle_at,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_fanotify_init,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fspick,
    libc::SYS_fsmount,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_mount_setattr,
    libc::SYS_setns,
    libc::SYS_unshare,
    libc::SYS_vhangup,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
];

/// Answered as if the kernel had not got them, so that programs take their older way.
///
/// `clone3` has its flags in memory, where no filter can look; `io_uring` does what other calls
/// do past every filter.
const UNKNOWN: &[libc::c_long] = &[
    libc::SYS_clone3,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
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

/// Flags of clone(2) that make a namespace.
const NAMESPACE_FLAGS: &[libc::c_int] = &[
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWCGROUP,
];

/// Requests of ioctl(2) that type into somebody's terminal (ioctl_tty(2), ioctl_console(2)).
const TERMINAL_REQUESTS: &[u64] = &[0x5412 /* TIOCSTI */, 0x541c /* TIOCLINUX */];

/// Sockets that lead nowhere but into the kernel and to this machine's own processes.
const LOCAL_SOCKETS: &[libc::c_int] = &[libc::AF_UNIX, libc::AF_NETLINK];

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Has the kernel answer these calls from now on, for this process and all that come from it.
/// `no_new_privs` comes with it: set-id programs and file capabilities give nobody more rights.
///
/// Calls of another architecture than the program's own end the process.
pub(super) fn filter(syncs: bool, network_filter: bool) -> io::Result<()> {
    if !syncs {
        install(all(SYNCS), 0)?;
    }
    install(all(UNKNOWN), libc::ENOSYS)?;
    if network_filter {
        install(distant_sockets()?, libc::EACCES)?;
    }
    #[cfg(target_arch = "x86_64")]
    seccompiler::apply_filter(&x32()).map_err(io::Error::other)?;
    let mut refused = all(REFUSED);
    refused.extend(namespaces()?);
    refused.extend(terminal_input()?);
    install(refused, libc::EPERM)
}

/// The calls, whatever their arguments.
fn all(calls: &[libc::c_long]) -> Rules {
    calls.iter().map(|&call| (call, Vec::new())).collect()
}

fn namespaces() -> io::Result<Rules> {
    let rules = NAMESPACE_FLAGS.iter().map(|&flag| {
        let flag = u64::from(flag.cast_unsigned());
        rule([condition(0, SeccompCmpOp::MaskedEq(flag), flag)?])
    });
    Ok([(libc::SYS_clone, rules.collect::<io::Result<_>>()?)].into())
}

fn terminal_input() -> io::Result<Rules> {
    let rules = TERMINAL_REQUESTS
        .iter()
        .map(|&request| rule([condition(1, SeccompCmpOp::Eq, request)?]));
    Ok([(libc::SYS_ioctl, rules.collect::<io::Result<_>>()?)].into())
}

fn distant_sockets() -> io::Result<Rules> {
    let conditions = LOCAL_SOCKETS
        .iter()
        .map(|&family| condition(0, SeccompCmpOp::Ne, u64::from(family.cast_unsigned())));
    let neither = rule(conditions.collect::<io::Result<Vec<_>>>()?)?;
    Ok([(libc::SYS_socket, vec![neither])].into())
}

/// The kernel looks at the lower half of these arguments only, so the filter must too.
fn condition(argument: u8, op: SeccompCmpOp, value: u64) -> io::Result<SeccompCondition> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, op, value).map_err(io::Error::other)
}

fn rule(conditions: impl Into<Vec<SeccompCondition>>) -> io::Result<SeccompRule> {
    SeccompRule::new(conditions.into()).map_err(io::Error::other)
}

fn install(rules: Rules, errno: libc::c_int) -> io::Result<()> {
    let arch = std::env::consts::ARCH
        .try_into()
        .map_err(io::Error::other)?;
    let filter = SeccompFilter::new(
        rules,
        SeccompAction::Allow,
        SeccompAction::Errno(errno.cast_unsigned()),
        arch,
    )
    .map_err(io::Error::other)?;
    let program: BpfProgram = filter.try_into().map_err(io::Error::other)?;
    seccompiler::apply_filter(&program).map_err(io::Error::other)
}

/// Calls of the x32 interface pass for those of x86-64 under other numbers, all of them with
/// this bit (`__X32_SYSCALL_BIT` of `asm/unistd.h`). Answered as by a kernel without it.
#[cfg(target_arch = "x86_64")]
fn x32() -> [sock_filter; 4] {
    const BIT: u32 = 0x4000_0000;
    // Offset of the call's number in `struct seccomp_data` (seccomp(2)).
    const NUMBER: u32 = 0;
    let step = |code: u32, jt: u8, k: u32| sock_filter {
        code: u16::try_from(code).unwrap_or_default(),
        jt,
        jf: 0,
        k,
    };
    [
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, NUMBER),
        step(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K, 1, BIT),
        step(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ALLOW),
        step(
            libc::BPF_RET | libc::BPF_K,
            0,
            libc::SECCOMP_RET_ERRNO | libc::ENOSYS.cast_unsigned(),
        ),
    ]
}
