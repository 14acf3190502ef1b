//! What a guard sees of a made-up machine, and of a real process.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on stops with a message"
)]

use std::{
    fs,
    os::unix::{fs::symlink, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command},
    thread,
    time::Duration,
};

use isosmith_protocol::{EventKind, SessionKind, Watched};
use isosmith_session::{Guard, Roots};
use tempfile::TempDir;

const ADA: u32 = 1000;

/// Folders that look like a machine's `/proc` and `/run`.
struct Machine {
    folder: TempDir,
    mounts: Vec<String>,
}

/// A process of a [`Machine`].
struct Process<'a> {
    pid: u32,
    name: &'a str,
    uid: u32,
    parent: u32,
    words: &'a str,
    /// Device number of the terminal.
    terminal: u32,
    start: u64,
    contained: bool,
}

fn process(pid: u32, name: &str, uid: u32) -> Process<'_> {
    Process {
        pid,
        name,
        uid,
        parent: 1,
        words: "",
        terminal: 0,
        start: u64::from(pid) * 10,
        contained: false,
    }
}

impl Machine {
    fn new() -> Self {
        let machine = Self {
            folder: tempfile::tempdir().unwrap(),
            mounts: vec!["27 1 254:0 / / rw - ext4 /dev/vda rw".to_owned()],
        };
        fs::create_dir_all(machine.folder.path().join("run/systemd/sessions")).unwrap();
        machine.run(&process(1, "systemd", 0));
        machine.write_mounts();
        machine
    }

    fn roots(&self) -> Roots {
        Roots {
            proc: self.folder.path().join("proc"),
            run: self.folder.path().join("run"),
        }
    }

    fn run(&self, it: &Process<'_>) {
        let folder = self.roots().proc.join(it.pid.to_string());
        fs::create_dir_all(&folder).unwrap();
        let Process {
            pid,
            name,
            uid,
            parent,
            words,
            terminal,
            start,
            contained,
        } = it;
        let stat = format!(
            "{pid} ({name}) S {parent} {pid} {pid} {terminal} -1 0 0 0 0 0 0 0 0 0 20 0 1 0 {start} 0 0\n"
        );
        let inner = if *contained { "\t1" } else { "" };
        let status =
            format!("Name:\t{name}\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\nNSpid:\t{pid}{inner}\n");
        fs::write(folder.join("stat"), stat).unwrap();
        fs::write(folder.join("status"), status).unwrap();
        fs::write(folder.join("cmdline"), words.replace(' ', "\0")).unwrap();
    }

    fn end(&self, pid: u32) {
        fs::remove_dir_all(self.roots().proc.join(pid.to_string())).unwrap();
    }

    /// It has ended and nobody has asked how.
    fn make_zombie(&self, pid: u32) {
        let file = self.roots().proc.join(format!("{pid}/stat"));
        let stat = fs::read_to_string(&file).unwrap().replace(") S ", ") Z ");
        fs::write(file, stat).unwrap();
    }

    fn log_in(&self, id: &str, lines: &str) {
        let file = self.roots().run.join("systemd/sessions").join(id);
        fs::write(file, format!("UID={ADA}\nCLASS=user\n{lines}")).unwrap();
    }

    fn write_mounts(&self) {
        let file = self.roots().proc.join("1/mountinfo");
        fs::write(file, self.mounts.join("\n") + "\n").unwrap();
    }

    fn mount(&mut self, number: u32, point: &str) {
        self.mounts.push(format!(
            "{number} 27 8:{number} / {point} rw - vfat /dev/sdb1 rw"
        ));
        self.write_mounts();
    }

    fn unmount(&mut self, point: &str) {
        let field = format!(" {point} ");
        self.mounts.retain(|line| !line.contains(&field));
        self.write_mounts();
    }

    fn watch(&self) -> Seen {
        let (guard, event) = Guard::begin(&self.roots(), ADA);
        let EventKind::SessionWatched { session, items } = event else {
            panic!("{event:?}");
        };
        let items = items
            .into_iter()
            .map(|item| {
                let pid = item.pid.map(|pid| format!(" {pid}")).unwrap_or_default();
                format!("{:?}: {}{pid}", item.what, item.name)
            })
            .collect();
        Seen {
            guard,
            session,
            items,
        }
    }
}

struct Seen {
    guard: Guard,
    session: SessionKind,
    items: Vec<String>,
}

impl Seen {
    /// What the next look tells.
    fn told(&mut self) -> Vec<String> {
        let changes = self.guard.check();
        changes.into_iter().map(|change| change.cause).collect()
    }
}

/// A desktop with everything that is watched, and things that must not be.
fn desktop() -> Machine {
    let machine = Machine::new();
    let bus = |pid, uid, words| Process {
        words,
        ..process(pid, "dbus-daemon", uid)
    };
    for it in [
        process(300, "systemd-logind", 0),
        process(301, "NetworkManager", 0),
        process(302, "wpa_supplicant", 0),
        bus(303, 101, "/usr/bin/dbus-daemon --system --nofork"),
        process(400, "sddm", 0),
        process(401, "sddm-helper", 0),
        process(402, "Xorg", 0),
        // Its own children have the same name; they go with each login.
        process(410, "lightdm", 0),
        Process {
            parent: 410,
            ..process(411, "lightdm", 0)
        },
        Process {
            words: "/usr/lib/systemd/systemd --user",
            ..process(500, "systemd", ADA)
        },
        bus(501, ADA, "/usr/bin/dbus-daemon --session"),
        process(502, "kwin_x11", ADA),
        process(503, "plasmashell", ADA),
        // Somebody else's.
        Process {
            words: "/usr/lib/systemd/systemd --user",
            ..process(600, "systemd", 1001)
        },
        bus(601, 1001, "/usr/bin/dbus-daemon --session"),
        process(602, "gnome-shell", 1001),
        // A container's.
        Process {
            contained: true,
            ..process(700, "systemd-logind", 0)
        },
    ] {
        machine.run(&it);
    }
    machine.log_in("2", "TYPE=x11\nLEADER=401\n");
    machine
}

#[test]
fn a_desktop_is_watched_and_others_are_not() {
    let seen = desktop().watch();
    assert_eq!(seen.session, SessionKind::Graphical);
    assert_eq!(
        seen.items,
        [
            "Session: sddm-helper 401",
            "LoginManager: systemd-logind 300",
            "Network: NetworkManager 301",
            "Network: wpa_supplicant 302",
            "MessageBus: dbus-daemon 303",
            "DisplayManager: sddm 400",
            "Session: Xorg 402",
            "DisplayManager: lightdm 410",
            "UserManager: systemd --user 500",
            "MessageBus: dbus-daemon 501",
            "Session: kwin_x11 502",
            "Session: plasmashell 503",
            "Mounts: 1 mounts",
        ]
    );
}

/// Something that happens to a machine, and what the next look tells of it.
type Step<'a> = (&'a dyn Fn(&mut Machine), &'a [&'a str]);

/// Lets every step happen to a desktop, and compares what is told.
fn check(steps: &[Step<'_>]) {
    let mut machine = desktop();
    let mut seen = machine.watch();
    assert_eq!(seen.told(), [""; 0], "nothing has happened yet");
    let mut all = Vec::new();
    for (number, (event, want)) in steps.iter().enumerate() {
        event(&mut machine);
        assert_eq!(seen.told(), *want, "step {number}");
        assert_eq!(seen.told(), [""; 0], "step {number} is told twice");
        all.extend(want.iter().map(|cause| (*cause).to_owned()));
    }
    let kept: Vec<_> = seen
        .guard
        .changes()
        .iter()
        .map(|it| it.cause.clone())
        .collect();
    assert_eq!(kept, all);
}

#[test]
fn ends_and_restarts_are_told_once() {
    check(&[
        (
            &|machine| machine.end(301),
            &["process 301 (NetworkManager) ended"],
        ),
        // Of those that remain, the next change is theirs alone.
        (
            &|machine| {
                machine.end(400);
                machine.run(&process(2044, "sddm", 0));
            },
            &["sddm was restarted: process 400 → 2044"],
        ),
        (
            &|machine| machine.run(&process(2050, "NetworkManager", 0)),
            &["NetworkManager was started again: process 2050, after process 301 had ended"],
        ),
        // Whoever came back is watched in turn.
        (
            &|machine| machine.end(2050),
            &["process 2050 (NetworkManager) ended"],
        ),
        (
            &|machine| machine.make_zombie(303),
            &["process 303 (dbus-daemon) ended"],
        ),
        // Somebody else's bus is no successor.
        (
            &|machine| {
                machine.run(&Process {
                    words: "dbus-daemon --session",
                    ..process(2060, "dbus-daemon", 1001)
                })
            },
            &[],
        ),
    ]);
}

#[test]
fn a_number_that_is_used_again_is_another_process() {
    check(&[(
        &|machine| {
            machine.run(&Process {
                start: 99_999,
                ..process(400, "sddm", 0)
            })
        },
        &["sddm was restarted: process 400 → 400"],
    )]);
}

#[test]
fn a_session_ends_with_its_leader_and_does_not_come_back() {
    check(&[
        (
            &|machine| machine.end(401),
            &["the leader of session 2 ended: process 401 (sddm-helper)"],
        ),
        (
            &|machine| machine.run(&process(2070, "sddm-helper", 0)),
            &[],
        ),
        (
            &|machine| machine.end(502),
            &["process 502 (kwin_x11) ended"],
        ),
    ]);
}

#[test]
fn mounts_that_come_and_go_are_told_in_neutral_words() {
    check(&[
        (
            &|machine| machine.mount(90, "/media/ada/USB"),
            &["mount /media/ada/USB appeared"],
        ),
        (
            &|machine| machine.unmount("/media/ada/USB"),
            &["mount /media/ada/USB vanished"],
        ),
        // Not readable for once.
        (
            &|machine| fs::remove_file(machine.roots().proc.join("1/mountinfo")).unwrap(),
            &[],
        ),
        (&|machine| machine.write_mounts(), &[]),
    ]);
}

#[test]
fn a_flood_of_mounts_is_cut_off() {
    let mut machine = desktop();
    let mut seen = machine.watch();
    for number in 0..300 {
        machine.mount(1000 + number, &format!("/containers/{number}"));
    }
    let told = seen.told();
    assert_eq!(told.len(), 201);
    assert_eq!(
        told.last().map(String::as_str),
        Some("further changes of mounts are not listed")
    );
    machine.unmount("/containers/7");
    assert_eq!(seen.told(), [""; 0]);
}

#[test]
fn the_kind_of_session_is_found_with_and_without_a_login_manager() {
    /// `/dev/tty2`, `/dev/ttyS0` and `/dev/pts/3`.
    const TTY2: u32 = 4 << 8 | 2;
    const TTYS0: u32 = 4 << 8 | 64;
    const PTS3: u32 = 136 << 8 | 3;
    let on = |terminal, pid| Process {
        terminal,
        ..process(pid, "bash", ADA)
    };
    let ssh = |name, uid| Process {
        parent: 800,
        ..process(801, name, uid)
    };
    let listener = || process(800, "sshd", 0);
    for (login, processes, want, item) in [
        (None, vec![], SessionKind::None, None),
        (
            None,
            vec![process(502, "gnome-shell", ADA)],
            SessionKind::Graphical,
            Some("gnome-shell 502"),
        ),
        (
            None,
            vec![process(502, "gnome-shell", 1001)],
            SessionKind::None,
            None,
        ),
        // A display server of root's alone is a login screen, not a person's desktop.
        (
            None,
            vec![process(402, "Xorg", 0)],
            SessionKind::None,
            Some("Xorg 402"),
        ),
        (
            None,
            vec![listener(), ssh("sshd", ADA)],
            SessionKind::Ssh,
            Some("sshd 801"),
        ),
        (
            None,
            vec![listener(), ssh("sshd-session", ADA)],
            SessionKind::Ssh,
            Some("sshd-session 801"),
        ),
        (
            None,
            vec![listener(), ssh("sshd", 1001)],
            SessionKind::None,
            None,
        ),
        (
            None,
            vec![on(TTY2, 900)],
            SessionKind::Console,
            Some("bash 900"),
        ),
        (
            None,
            vec![on(TTYS0, 900)],
            SessionKind::Console,
            Some("bash 900"),
        ),
        (None, vec![on(PTS3, 900)], SessionKind::None, None),
        (
            Some("TYPE=tty\nREMOTE=1\nLEADER=900\n"),
            vec![on(TTY2, 900)],
            SessionKind::Ssh,
            Some("bash 900"),
        ),
        (
            Some("TYPE=wayland\nLEADER=900\n"),
            vec![process(900, "gdm-session-wor", 0)],
            SessionKind::Graphical,
            Some("gdm-session-wor 900"),
        ),
        // A record whose leader is gone already.
        (
            Some("TYPE=tty\nLEADER=900\n"),
            vec![],
            SessionKind::Console,
            None,
        ),
    ] {
        let machine = Machine::new();
        if let Some(lines) = login {
            machine.log_in("5", lines);
        }
        let what: Vec<_> = processes
            .iter()
            .map(|it| format!("{} {}", it.name, it.uid))
            .collect();
        processes.iter().for_each(|it| machine.run(it));
        let seen = machine.watch();
        assert_eq!(seen.session, want, "{login:?} {what:?}");
        let mut items = seen
            .items
            .iter()
            .filter_map(|item| item.strip_prefix("Session: "));
        assert_eq!(items.next(), item, "{login:?} {what:?}");
    }
}

#[test]
fn buses_of_dbus_broker_are_watched_with_their_launchers() {
    let machine = Machine::new();
    let launcher = |pid, uid, scope| Process {
        words: scope,
        ..process(pid, "dbus-broker-lau", uid)
    };
    let broker = |pid, uid, parent| Process {
        parent,
        ..process(pid, "dbus-broker", uid)
    };
    for it in [
        launcher(100, 101, "dbus-broker-launch --scope system --audit"),
        broker(101, 101, 100),
        launcher(200, ADA, "dbus-broker-launch --scope user"),
        broker(201, ADA, 200),
        launcher(300, 1001, "dbus-broker-launch --scope user"),
        broker(301, 1001, 300),
    ] {
        machine.run(&it);
    }
    let buses: Vec<_> = machine
        .watch()
        .items
        .into_iter()
        .filter(|item| item.starts_with("MessageBus"))
        .collect();
    assert_eq!(
        buses,
        [
            "MessageBus: dbus-broker-launch 100",
            "MessageBus: dbus-broker 101",
            "MessageBus: dbus-broker-launch 200",
            "MessageBus: dbus-broker 201",
        ]
    );
}

/// A program that sleeps, under the name of one that is watched.
fn sleeper(folder: &Path) -> PathBuf {
    let program = folder.join("slim");
    let sleep = ["/usr/bin/sleep", "/bin/sleep"]
        .into_iter()
        .find(|path| Path::new(path).exists())
        .unwrap();
    symlink(sleep, &program).unwrap();
    program
}

fn start(program: &Path) -> Child {
    // Where one program is all of coreutils, it goes by the name that it is called with.
    let child = Command::new(program)
        .arg0("sleep")
        .arg("600")
        .spawn()
        .unwrap();
    // Until it has become the program, it has this test's name.
    let stat = format!("/proc/{}/stat", child.id());
    while !fs::read_to_string(&stat).unwrap().contains("(slim)") {
        thread::sleep(Duration::from_millis(5));
    }
    child
}

#[test]
fn a_real_process_is_seen_to_live_end_and_return() {
    let folder = tempfile::tempdir().unwrap();
    let program = sleeper(folder.path());
    let mut first = start(&program);
    let (mut guard, event) = Guard::begin(&Roots::default(), nix::unistd::getuid().as_raw());
    let EventKind::SessionWatched { items, .. } = event else {
        panic!("{event:?}");
    };
    let pid = first.id();
    assert!(
        items
            .iter()
            .any(|item| item.what == Watched::DisplayManager && item.pid == Some(pid)),
        "{items:?}"
    );
    // The machine that this runs on has changes of its own.
    let told = |guard: &mut Guard| -> Vec<String> {
        let changes = guard.check().into_iter();
        changes
            .filter(|change| change.item.name == "slim")
            .map(|change| change.cause)
            .collect()
    };
    assert_eq!(told(&mut guard), [""; 0]);

    first.kill().unwrap();
    // It stays a zombie until it is waited for, and counts as ended before.
    while works(pid) {
        thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(told(&mut guard), [format!("process {pid} (slim) ended")]);
    first.wait().unwrap();
    assert_eq!(told(&mut guard), [""; 0]);

    let mut second = start(&program);
    let now = second.id();
    assert_eq!(
        told(&mut guard),
        [format!(
            "slim was started again: process {now}, after process {pid} had ended"
        )]
    );
    second.kill().unwrap();
    second.wait().unwrap();
}

/// Whether a killed process is still at work.
fn works(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}
