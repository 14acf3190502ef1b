//! A package whose scripts do what they can to the machine that builds.

use std::{
    fs,
    io::Read,
    os::unix::net::UnixListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::{Result, ensure};
use isosmith_protocol::{BuildResult, EventKind};
use isosmith_tests::{Kit, Small, Witness, made::Made, witness::Traces};
use libtest_mimic::Trial;

use super::trial;

pub fn trials(kit: &Kit) -> Vec<Trial> {
    vec![trial(
        kit,
        "hostile::a_package_harms_nothing_outside",
        harmless,
    )]
}

/// Each line tries something and says what came of it; nothing stops the script. `SECRET` is
/// a file of the machine, `WITNESS` one that must not appear, `PORT` a listener, `SOCKET` and
/// `ABSTRACT` sockets of the machine.
const ATTACK: &str = r#"#!/bin/sh
try() { what=$1; shift; if "$@" > /dev/null 2>&1; then echo "HOSTILE done: $what"; else echo "HOSTILE refused: $what"; fi; }
try reboot perl -e 'exit(syscall(169, 0xfee1dead, 672274793, 0x1234567) == 0 ? 0 : 1)'
try reboot-program reboot -f
try restart-service sh -c '[ -S /run/dbus/system_bus_socket ] && systemctl restart dbus'
try kexec perl -e 'exit(syscall(246, 0, 0, 0, 0) == 0 ? 0 : 1)'
try insert-module perl -e 'exit(syscall(175, 0, 0, 0) == 0 ? 0 : 1)'
try insert-module-file perl -e 'exit(syscall(313, 0, "", 0) == 0 ? 0 : 1)'
try set-clock date -s '2001-01-01'
try swap-off perl -e 'exit(syscall(168, "/dev/vda") == 0 ? 0 : 1)'
try disk-node sh -c 'mknod /dev/sda b 8 0 && head -c 1 /dev/sda'
try disk-node-here sh -c 'mknod /tmp/vda b 254 0 && head -c 1 /tmp/vda'
try memory-node sh -c 'mknod /tmp/mem c 1 1 && head -c 1 /tmp/mem'
try sysrq sh -c 'echo b > /proc/sysrq-trigger'
try core-pattern sh -c 'echo "|/bin/false" > /proc/sys/kernel/core_pattern'
try host-name sh -c 'echo evil > /proc/sys/kernel/hostname && [ "$(cat /proc/1/root/etc/hostname)" = evil ]'
try mount-disk mount /dev/vda /mnt
try mount-over mount --bind / @WITNESS_FOLDER@
try read-machine cat @SECRET@
try read-machine-through-init cat /proc/1/root@SECRET@
try write-machine sh -c 'echo x > @WITNESS@'
try write-machine-through-init sh -c 'echo x > /proc/1/root@WITNESS@'
try read-homes sh -c 'ls /home/* /root/.ssh'
try network perl -MIO::Socket::INET -e 'exit(IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => @PORT@, Timeout => 2) ? 0 : 1)'
try socket perl -MIO::Socket::UNIX -e 'exit(IO::Socket::UNIX->new(Peer => "@SOCKET@") ? 0 : 1)'
try abstract-socket perl -MIO::Socket::UNIX -e 'exit(IO::Socket::UNIX->new(Peer => "\0@ABSTRACT@") ? 0 : 1)'
try bus perl -MIO::Socket::UNIX -e 'exit(IO::Socket::UNIX->new(Peer => "/run/dbus/system_bus_socket") ? 0 : 1)'
try service-manager perl -MIO::Socket::UNIX -e 'exit(IO::Socket::UNIX->new(Peer => "/run/systemd/private") ? 0 : 1)'
try namespace unshare --user --map-root-user true
try chroot-escape perl -e 'mkdir "/tmp/x"; chroot "/tmp/x"; chdir ".." for 1..64; chroot "."; exit(-e "@SECRET@" ? 0 : 1)'
try ptrace-init perl -e 'exit(syscall(101, 16, 1, 0, 0) == 0 ? 0 : 1)'
try keyring perl -e 'exit(syscall(250, 0, -3, 1) >= 0 ? 0 : 1)'
try bpf perl -e 'my $a = "\0" x 64; exit(syscall(321, 5, $a, 64) >= 0 ? 0 : 1)'
setsid sh -c 'while :; do sleep 1; done' @DAEMON@ > /dev/null 2>&1 < /dev/null &
try a-daemon true
ls -di /proc/self/ns 2>/dev/null | sed 's/^/HOSTILE sees: /'
kill -9 -1 2>/dev/null
exit 0
"#;

/// What may be done because it stays inside: it touches nothing but the build's own world.
const ALLOWED: &[&str] = &["a-daemon", "host-name", "mount-over"];

fn harmless(kit: &Kit) -> Result<()> {
    let scratch = kit.scratch("hostile")?;
    let folder = scratch.path();
    let secret = folder.join("secret");
    fs::write(&secret, "only for this machine")?;
    let untouched = folder.join("untouched");
    let port = listen(std::net::TcpListener::bind(("127.0.0.1", 0))?)?;
    let called = Arc::new(AtomicUsize::new(0));
    let socket = folder.join("socket");
    let name = format!("isosmith-test-{}", std::process::id());
    let sockets = [
        UnixListener::bind(&socket)?,
        UnixListener::bind_addr(&{
            use std::os::linux::net::SocketAddrExt;
            std::os::unix::net::SocketAddr::from_abstract_name(&name)?
        })?,
    ];
    for listener in sockets {
        let called = Arc::clone(&called);
        thread::spawn(move || {
            for _ in listener.incoming().map_while(Result::ok) {
                called.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    let attack = ATTACK
        .replace("@SECRET@", &secret.display().to_string())
        .replace("@WITNESS_FOLDER@", &folder.display().to_string())
        .replace("@WITNESS@", &untouched.display().to_string())
        .replace("@PORT@", &port.to_string())
        .replace("@SOCKET@", &socket.display().to_string())
        .replace("@ABSTRACT@", &name)
        .replace("@DAEMON@", &format!("hostile-daemon-{name}"));
    // In two scripts: after kill -9 -1 the rest of the first one may not be.
    let hostile = Made::new("hostile", "1")
        .script("postinst", &attack)
        .script("preinst", &attack.replace("kill -9 -1", "true"));
    let small = Small::serve(kit, folder, &[hostile])?;
    let isosmith = kit.isosmith(folder);

    let before = Witness::now();
    let ended = isosmith.build(&small.profile_with("hostile", "", &["hostile"], "")?)?;
    before.unchanged()?;

    // It may end well or not, but must say so.
    match ended.result() {
        Some(BuildResult::Succeeded { .. }) => ensure!(ended.status.success(), "{}", ended.status),
        Some(BuildResult::Failed { .. }) => ensure!(
            ended.status.code().is_some_and(|code| code > 0),
            "{}",
            ended.status
        ),
        other => anyhow::bail!(
            "it ended with {other:?}, {}: {}",
            ended.status,
            ended.stderr
        ),
    }
    let log = ended.log();
    let done: Vec<&str> = log
        .lines()
        .filter_map(|line| {
            line.split_once("HOSTILE done: ")
                .map(|(_, what)| what.trim())
        })
        .filter(|what| !ALLOWED.contains(what))
        .collect();
    ensure!(
        log.contains("HOSTILE refused: reboot"),
        "the script did not run:\n{}",
        tail(&ended.events)
    );
    ensure!(
        done.is_empty(),
        "a package's script could: {}",
        done.join(", ")
    );
    ensure!(!untouched.exists(), "a file of the machine was written");
    ensure!(
        called.load(Ordering::Relaxed) == 0,
        "a socket of the machine was reached"
    );
    Traces::of(&kit.program, &[&isosmith.state, &isosmith.cache, folder])?
        .gone_within(Duration::from_secs(3))?;
    Ok(())
}

/// Listens and reads whatever comes; the port.
fn listen(listener: std::net::TcpListener) -> Result<u16> {
    let port = listener.local_addr()?.port();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let _ = stream.read(&mut [0]);
        }
    });
    Ok(port)
}

fn tail(events: &[isosmith_protocol::Event]) -> String {
    let lines: Vec<_> = events
        .iter()
        .filter_map(|event| {
            if let EventKind::Log { line, .. } = &event.kind {
                Some(line.as_str())
            } else {
                None
            }
        })
        .collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
