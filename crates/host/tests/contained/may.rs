//! What may be done: capabilities, system calls, the network, manners.

use std::fs;

use isosmith_host::worker::Ids;
use libtest_mimic::Failed;

use super::{check, fields, programs, run};

pub(super) fn rights(ids: &Ids) -> Result<(), Failed> {
    let kept = "00000000a00401ff";
    let found = fields(&run(ids, Some(programs()), &[], "cat /proc/self/status"));
    check(
        &found,
        &[
            ("CapBnd", kept),
            ("CapEff", kept),
            ("CapAmb", "0000000000000000"),
            ("NoNewPrivs", "1"),
            ("Seccomp", "2"),
        ],
    )?;
    let worker = fields(&run(ids, None, &[], "cat /proc/self/status"));
    match ids {
        Ids::Range { .. } | Ids::Subordinate { .. } => Ok(()),
        // The same and the right to mount.
        Ids::Same(_) => check(
            &worker,
            &[
                ("CapBnd", "00000000a02401ff"),
                ("CapEff", "00000000a02401ff"),
            ],
        ),
    }
}

/// Numbers of x86-64; `perl` is in every Debian.
const CALLS: &str = r#"
    sub try { my ($what, @call) = @_; my $got = syscall(shift(@call), @call); print "$what ", $got == -1 ? $!+0 : "done", "\n" }
    my $none = "\0" x 128;
    try("clone_newuser", 56, 0x10000000 | 17, 0, 0, 0, 0);
    try("clone_newns", 56, 0x00020000 | 17, 0, 0, 0, 0);
    try("clone3", 435, $none, 88);
    try("unshare", 272, 0x10000000);
    try("setns", 308, 0, 0);
    try("mount", 165, "none", "/tmp", "tmpfs", 0, 0);
    try("fsopen", 430, "tmpfs", 0);
    try("mount_setattr", 442, -100, "/", 0, $none, 32);
    try("open_tree", 428, -100, "/", 1);
    try("pivot_root", 155, "/tmp", "/tmp");
    try("io_uring", 425, 8, $none);
    try("tiocsti", 16, 0, 0x5412, "x");
    try("tiocsti_high", 16, 0, 0x5412 | (1 << 32), "x");
    try("tioclinux", 16, 0, 0x541c, "x");
    try("keyctl", 250, 0, -3, 1);
    try("add_key", 248, "user", "x", "x", 1, -2);
    try("init_module", 175, 0, 0, "");
    try("finit_module", 313, 0, "", 0);
    try("kexec", 246, 0, 0, 0, 0);
    try("swapon", 167, "/tmp/x", 0);
    try("reboot", 169, 0xfee1dead, 672274793, 0);
    try("settimeofday", 164, $none, 0);
    try("clock_settime", 227, 0, $none);
    try("syslog", 103, 3, $none, 100);
    try("iopl", 172, 3);
    try("bpf", 321, 5, $none, 64);
    try("perf", 298, $none, 0, -1, -1, 0);
    try("userfaultfd", 323, 0);
    try("ptrace", 101, 16, 1, 0, 0);
    try("pidfd_getfd", 438, 0, 0, 0);
    try("x32", 0x40000000 | 39);
    try("getpid", 39);
    print "end yes\n";
"#;

pub(super) fn calls(ids: &Ids) -> Result<(), Failed> {
    if std::env::consts::ARCH != "x86_64" {
        return Ok(());
    }
    let script = format!("perl -e '{CALLS}'");
    let found = fields(&run(ids, Some(programs()), &[], &script));
    let (refused, unknown) = ("1", "38");
    let mut wanted = vec![
        ("end", "yes"),
        ("getpid", "done"),
        ("clone3", unknown),
        ("io_uring", unknown),
        ("x32", unknown),
    ];
    let answers: Vec<&str> = found
        .keys()
        .map(String::as_str)
        .filter(|name| !wanted.iter().any(|(other, _)| other == name))
        .collect();
    wanted.extend(answers.into_iter().map(|name| (name, refused)));
    if wanted.len() < 30 {
        return Err(format!("few calls were tried: {found:?}").into());
    }
    check(&found, &wanted)
}

pub(super) fn network(ids: &Ids) -> Result<(), Failed> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
    let port = listener.local_addr()?.port();
    let script = format!(
        r#"perl -MIO::Socket::INET -e 'print "connected ", IO::Socket::INET->new(PeerAddr => "127.0.0.1:{port}", Timeout => 2) ? "yes" : "no", "\n"'"#
    );
    for (sandbox, want) in [(programs(), "no"), (programs().online(), "yes")] {
        let found = fields(&run(ids, Some(sandbox), &[], &script));
        check(&found, &[("connected", want)])?;
    }
    Ok(())
}

/// A build gives way to everybody, and cannot take it back.
pub(super) fn manners(ids: &Ids) -> Result<(), Failed> {
    let script = r#"
        echo "nice $(nice)"
        echo "io $(ionice)"
        echo "oom $(cat /proc/self/oom_score_adj)"
        echo "processes $(ulimit -u 2> /dev/null || bash -c 'ulimit -u')"
        echo 0 2> /dev/null > /proc/self/oom_score_adj; echo "oom_after $(cat /proc/$$/oom_score_adj)"
        echo "environment $(env | cut -d= -f1 | grep -v '^_$\|^PWD$\|^SHLVL$\|^OLDPWD$' | sort | tr '\n' ',')"
        echo "umask $(umask)"
        echo "core $(ulimit -c)"
    "#;
    let found = fields(&run(ids, Some(programs()), &[], script));
    check(
        &found,
        &[
            ("nice", "10"),
            ("io", "idle"),
            ("oom", "800"),
            ("processes", "4096"),
            ("environment", "HOME,LC_ALL,PATH,TZ,"),
            ("umask", "0022"),
            ("core", "0"),
        ],
    )?;
    if holds_what_it_sets() {
        check(&found, &[("oom_after", "800")])?;
    }
    Ok(())
}

/// Whether this process may fix the score that the kernel goes by when memory is short:
/// `CAP_SYS_RESOURCE`, which root has but not in every container.
fn holds_what_it_sets() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let rights = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:\t"))
        .unwrap();
    u64::from_str_radix(rights, 16).unwrap() >> 24 & 1 == 1
}
