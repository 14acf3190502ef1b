//! The command line against a fake service on a bus of its own. Needs `dbus-daemon`; touches
//! temporary folders only.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on stops with a message"
)]

#[path = "../../client/tests/fake/mod.rs"]
mod fake;

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use fake::{Fake, Told};
use isosmith_client::{NAME, PATH};
use nix::{
    pty::{Winsize, openpty},
    sys::{
        signal::{Signal, kill},
        termios::tcgetattr,
    },
    unistd::Pid,
};
use zbus::{Connection, block_on, connection};

/// Nobody but the tests' own processes is there, so everybody may do everything.
const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:dir=FOLDER</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/><allow own="*"/><allow send_destination="*"/><allow eavesdrop="false"/>
  </policy>
</busconfig>
"#;

struct World {
    told: Arc<Told>,
    _service: Option<Connection>,
    address: String,
    bus: Child,
    folder: tempfile::TempDir,
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.bus.kill();
        let _ = self.bus.wait();
    }
}

impl World {
    fn new() -> Self {
        let mut world = Self::without_service();
        let fake = Fake(world.told.clone());
        let service = connection::Builder::address(world.address.as_str())
            .unwrap()
            .name(NAME)
            .unwrap()
            .serve_at(PATH, fake)
            .unwrap()
            .build();
        world._service = Some(block_on(service).unwrap());
        world
    }

    fn without_service() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("bus.conf");
        let text = BUS.replace("FOLDER", folder.path().to_str().unwrap());
        fs::write(&config, text).unwrap();
        let mut bus = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--nosyslog", "--print-address"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("dbus-daemon is installed");
        let mut address = String::new();
        BufReader::new(bus.stdout.take().unwrap())
            .read_line(&mut address)
            .unwrap();
        Self {
            told: Arc::default(),
            _service: None,
            address: address.trim().to_owned(),
            bus,
            folder,
        }
    }

    /// Runs the program, which is told to use the service.
    fn begin(&self, args: &[&str]) -> Child {
        self.command(args).spawn().unwrap()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_isosmith"));
        command
            .args(args)
            .arg("--service")
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.folder.path())
            .env("DBUS_SYSTEM_BUS_ADDRESS", &self.address)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Begins to build a profile whose description is `words`; they decide what the fake does.
    fn build(&self, words: &str) -> Child {
        self.begin(&["build", &self.profile(words), "-o", "out"])
    }

    fn profile(&self, words: &str) -> String {
        let path = self.folder.path().join(format!("{words}.toml"));
        let text = format!("format = 1\n[profile]\nname = \"x\"\ndescription = \"{words}\"\n");
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    fn check(&self, args: &[&str], status: i32, out: &[&str], err: &[&str]) -> String {
        ended(self.begin(args), status, out, err)
    }

    fn iso(&self) -> String {
        let out = self.folder.path().canonicalize().unwrap().join("out");
        out.join("fake.iso").display().to_string()
    }

    fn calls(&self, words: &str) -> Vec<String> {
        let calls = self.told.calls.lock().unwrap();
        let fit = calls.iter().filter(|call| call.starts_with(words));
        fit.cloned().collect()
    }

    /// Waits until the service was asked so, `count` times.
    fn wait_for(&self, words: &str, count: usize) {
        let patience = Instant::now() + Duration::from_secs(60);
        while self.calls(words).len() < count {
            assert!(Instant::now() < patience, "nobody asks {words}");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

fn ended(child: Child, status: i32, out: &[&str], err: &[&str]) -> String {
    let Output {
        status: code,
        stdout,
        stderr,
    } = child.wait_with_output().unwrap();
    let (stdout, stderr) = (
        String::from_utf8_lossy(&stdout).into_owned(),
        String::from_utf8_lossy(&stderr).into_owned(),
    );
    assert_eq!(code.code(), Some(status), "{stdout}\n{stderr}");
    for (stream, wanted) in [(&stdout, out), (&stderr, err)] {
        for words in wanted {
            assert!(
                stream.contains(words),
                "{words:?} is not in:\n{stdout}\n{stderr}"
            );
        }
    }
    stdout
}

fn interrupt(child: &Child) {
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).unwrap();
}

const FIRST: &str = "20260101-000000-fake-0000";

#[test]
fn a_build_ends_with_the_iso_in_the_output_folder() {
    let world = World::new();
    *world.told.tear.lock().unwrap() = Some(1);
    let said = ended(world.build("plain"), 0, &[], &["Fake work", FIRST]);
    assert_eq!(said.trim(), world.iso());
    assert!(Path::new(&world.iso()).exists());
    assert_eq!(world.calls("attach").len(), 2, "the stream was torn once");

    world.check(&["builds"], 0, &[FIRST, "done"], &[]);
    let listed = world.check(&["builds", "--json"], 0, &[], &[]);
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed[0]["state"], "succeeded");
    assert_eq!(listed[0]["service"], true);
    // Where it went is remembered for whoever looks again.
    let said = world.check(&["attach", FIRST], 0, &[], &[]);
    assert_eq!(said.trim(), world.iso());
    world.check(&["attach"], 3, &[], &["no build is running"]);
}

/// Writes a profile with so many scripts.
fn profile_with(world: &World, files: usize) -> String {
    let path = world.folder.path().join("many.toml");
    let mut text = "format = 1\n[profile]\nname = \"x\"\n".to_owned();
    for number in 0..files {
        let name = format!("script-{number}");
        fs::write(world.folder.path().join(&name), "#!/bin/sh\n").unwrap();
        text += &format!("[[scripts]]\nsource = \"{name}\"\npoint = \"after-base\"\n");
    }
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[test]
fn more_files_than_the_bus_carries_go_as_one() {
    for (files, want) in [(15, 15), (16, 1), (200, 1)] {
        let world = World::new();
        let profile = profile_with(&world, files);
        world.check(&["build", &profile, "-o", "out"], 0, &[], &[]);
        assert_eq!(world.calls("file").len(), want, "{files}");
    }
}

#[test]
fn refusals_say_why_and_have_their_status() {
    let world = World::new();
    ended(world.build("refused"), 4, &[], &["error: no", "--direct"]);
    ended(
        world.build("dismissed"),
        4,
        &[],
        &["the question was closed", "Advice of the fake."],
    );
    for command in ["cancel", "resume", "attach"] {
        world.check(&[command, "none"], 3, &[], &["there is no build none"]);
    }
    world.check(
        &["answer", "none", "stop"],
        3,
        &[],
        &["there is no build none"],
    );
}

#[test]
fn a_question_is_shown_with_the_command_that_answers_it() {
    let world = World::new();
    let build = world.build("asks");
    world.wait_for("attach", 1);
    world.check(&["answer", "retry"], 0, &["tried again"], &[]);
    ended(
        build,
        0,
        &[&world.iso()],
        &[
            "the disk is full",
            &format!("isosmith answer {FIRST} retry"),
        ],
    );
    world.check(&["answer", FIRST, "retry"], 3, &[], &["asks nothing"]);
}

#[test]
fn a_key_answers_on_a_terminal_that_is_as_before_afterwards() {
    press_a_key_on("xterm");
    press_a_key_on("dumb");
}

fn press_a_key_on(kind: &str) {
    let world = World::new();
    let size = Winsize {
        ws_row: 24,
        ws_col: 100,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    let terminal = openpty(&size, None).unwrap();
    let modes = || tcgetattr(&terminal.slave).unwrap().local_flags;
    let before = modes();
    let build = world
        .command(&["build", &world.profile("asks"), "-o", "out"])
        .env("TERM", kind)
        .stdin(terminal.slave.try_clone().unwrap())
        .stderr(terminal.slave.try_clone().unwrap())
        .spawn()
        .unwrap();
    let mut screen = File::from(terminal.master.try_clone().unwrap());
    let mut shown = String::new();
    while !shown.contains("press r") {
        let mut bytes = [0; 4096];
        let count = screen.read(&mut bytes).unwrap();
        shown.push_str(&String::from_utf8_lossy(&bytes[..count]));
    }
    // It is shown a moment before keys count.
    let patience = Instant::now() + Duration::from_secs(60);
    while modes() == before {
        assert!(Instant::now() < patience, "keys do not count");
        thread::sleep(Duration::from_millis(10));
    }
    // Somebody reads what else is shown, or the program would wait for that.
    thread::spawn(move || std::io::copy(&mut screen, &mut std::io::sink()));
    File::from(terminal.master).write_all(b"xr").unwrap();
    ended(build, 0, &[&world.iso()], &[]);
    assert_eq!(world.calls("answer"), [format!("answer {FIRST} 1 retry")]);
    assert_eq!(modes(), before);
}

#[test]
fn a_stopped_build_is_resumed_into_its_folder() {
    let world = World::new();
    let build = world.build("asks");
    world.wait_for("attach", 1);
    world.check(
        &["answer", FIRST, "stop", "--question", "1"],
        0,
        &["stops"],
        &[],
    );
    ended(
        build,
        8,
        &[],
        &["the disk is full", &format!("resume {FIRST}")],
    );
    assert!(!Path::new(&world.iso()).exists());
    let said = world.check(&["resume", FIRST], 0, &[], &[]);
    assert_eq!(said.trim(), world.iso());
}

#[test]
fn the_first_interrupt_of_a_build_stops_it() {
    let world = World::new();
    let build = world.build("forever");
    world.wait_for("attach", 1);
    interrupt(&build);
    ended(
        build,
        130,
        &[],
        &["stopped", &format!("isosmith resume {FIRST}")],
    );
    assert_eq!(world.calls("cancel"), [format!("cancel {FIRST}")]);
}

#[test]
fn whoever_is_attached_leaves_and_the_build_goes_on() {
    let world = World::new();
    let build = world.build("forever");
    world.wait_for("attach", 1);
    let viewer = world.begin(&["attach"]);
    world.wait_for("attach", 2);
    interrupt(&viewer);
    ended(
        viewer,
        130,
        &[],
        &["goes on", &format!("isosmith attach {FIRST}")],
    );
    assert_eq!(world.calls("cancel").len(), 0);
    world.check(&["cancel", FIRST], 0, &[], &[]);
    ended(build, 130, &[], &["stopped"]);
}

#[test]
fn a_viewer_for_programs_gets_every_event() {
    let world = World::new();
    ended(world.build("plain"), 0, &[], &[]);
    let said = world.check(&["attach", FIRST, "--json"], 0, &[], &[]);
    let kinds: Vec<String> = said
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|event| event["type"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        kinds,
        [
            "hello",
            "planned",
            "step_started",
            "step_finished",
            "finished"
        ]
    );
}

#[test]
fn room_is_freed_by_the_service() {
    let world = World::new();
    let freed = &["4.00 KiB would be freed in the service"];
    world.check(&["clean", "--all", "--dry-run"], 0, freed, &[]);
    world.check(&["clean"], 0, &["4.00 KiB freed in the service"], &[]);
    assert_eq!(
        world.calls("clean"),
        ["clean everything true", "clean leftovers false"]
    );
}

#[test]
fn a_bus_without_the_service_is_said_so() {
    let world = World::without_service();
    for args in [
        &["builds"][..],
        &["attach"],
        &["answer", "stop"],
        &["cancel", "x"],
    ] {
        world.check(args, 8, &[], &["cannot be reached", "--direct"]);
    }
}
