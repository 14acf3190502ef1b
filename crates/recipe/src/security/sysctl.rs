//! Kernel settings that cost little and close what attackers use, each with its reason.
//!
//! User namespaces stay: browsers and Flatpak confine themselves with them.

use crate::tree_file::TreeFile;

/// What is set, to what, and why; see `Documentation/admin-guide/sysctl` of the kernel.
const SETTINGS: &[(&str, &str, &str)] = &[
    (
        "kernel.dmesg_restrict",
        "1",
        "The kernel's log tells where things lie in memory.",
    ),
    (
        "kernel.kptr_restrict",
        "2",
        "Nobody reads kernel addresses from /proc, which exploits need.",
    ),
    (
        "kernel.yama.ptrace_scope",
        "1",
        "A program that was taken over cannot read the memory of others of the same user.",
    ),
    (
        "kernel.unprivileged_bpf_disabled",
        "1",
        "Loading programs into the kernel is for root, until the next start.",
    ),
    (
        "net.core.bpf_jit_harden",
        "2",
        "Compiled kernel programs are hard to use as a place for an attacker's code.",
    ),
    (
        "kernel.kexec_load_disabled",
        "1",
        "Nobody swaps the running kernel for one that is not signed.",
    ),
    (
        "kernel.perf_event_paranoid",
        "3",
        "Performance counters leak what other programs do.",
    ),
    (
        "vm.unprivileged_userfaultfd",
        "0",
        "Holding the kernel still in the middle of a copy makes many exploits reliable.",
    ),
    (
        "dev.tty.ldisc_autoload",
        "0",
        "Old line disciplines have had holes, and opening a terminal loads them.",
    ),
    (
        "fs.suid_dumpable",
        "0",
        "Core dumps of privileged programs hold secrets.",
    ),
    (
        "fs.protected_symlinks",
        "1",
        "Links in shared folders do not lead others astray.",
    ),
    (
        "fs.protected_hardlinks",
        "1",
        "Nobody links to files that are not theirs.",
    ),
    (
        "fs.protected_fifos",
        "2",
        "Pipes in shared folders do not wait for others' data.",
    ),
    (
        "fs.protected_regular",
        "2",
        "Files in shared folders do not take the place of ones that a program makes.",
    ),
    (
        "net.ipv4.tcp_syncookies",
        "1",
        "A flood of half-open connections does not use up memory.",
    ),
    (
        "net.ipv4.tcp_rfc1337",
        "1",
        "A stray packet does not end a connection that is closing.",
    ),
    (
        "net.ipv4.icmp_echo_ignore_broadcasts",
        "1",
        "The machine takes no part in floods of echoes.",
    ),
    (
        "net.ipv4.conf.all.rp_filter",
        "2",
        "Packets come from addresses that can be reached at all.",
    ),
    (
        "net.ipv4.conf.default.rp_filter",
        "2",
        "The same for cards that come later.",
    ),
    (
        "net.ipv4.conf.all.accept_redirects",
        "0",
        "No neighbour sends our packets another way.",
    ),
    (
        "net.ipv4.conf.default.accept_redirects",
        "0",
        "The same for cards that come later.",
    ),
    (
        "net.ipv6.conf.all.accept_redirects",
        "0",
        "The same for IPv6.",
    ),
    (
        "net.ipv6.conf.default.accept_redirects",
        "0",
        "The same for cards that come later.",
    ),
    (
        "net.ipv4.conf.all.send_redirects",
        "0",
        "Only routers tell others the way.",
    ),
    (
        "net.ipv4.conf.all.accept_source_route",
        "0",
        "No sender chooses the way of its packets.",
    ),
    (
        "net.ipv6.conf.all.accept_source_route",
        "0",
        "The same for IPv6.",
    ),
];

/// `/etc/sysctl.d/60-isosmith-hardening.conf`; systemd-sysctl applies it at each start.
pub(super) fn hardening() -> TreeFile {
    let mut text = String::from("# See sysctl.d(5). A file with a higher number wins.\n");
    for (name, value, reason) in SETTINGS {
        text.push_str(&format!("\n# {reason}\n{name} = {value}\n"));
    }
    TreeFile::new("/etc/sysctl.d/60-isosmith-hardening.conf", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_has_a_reason_and_stands_once() {
        let mut names: Vec<_> = SETTINGS.iter().map(|(name, _, _)| name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), SETTINGS.len());
        assert!(SETTINGS.iter().all(|(_, _, reason)| reason.ends_with('.')));
    }
}
