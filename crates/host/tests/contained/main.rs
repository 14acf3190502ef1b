//! What a command in a sandbox finds and may do, in every mode of isolation. Makes namespaces
//! of its own; needs root, and is left out elsewhere.
#![allow(
    unsafe_code,
    clippy::unwrap_used,
    missing_docs,
    reason = "a test that cannot go on stops with a message"
)]

mod may;
mod sees;

use std::{
    collections::BTreeMap,
    fs,
    io::{Read, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use isosmith_host::{
    Cancel, Cmd, Host, LinuxHost, Sandbox, Stream, Watch,
    sandbox::Op,
    worker::{self, Channels, Ids, Weaker, Worker},
};
use isosmith_protocol::Isolation;
use libtest_mimic::{Arguments, Failed, Trial};
use serde::{Deserialize, Serialize};

const MODES: [(&str, Ids); 3] = [
    (
        "namespace",
        Ids::Range {
            first: 1_845_493_760,
        },
    ),
    ("hybrid", Ids::Same(Weaker::Hybrid)),
    ("traditional", Ids::Same(Weaker::Traditional)),
];

type Test = fn(&Ids) -> Result<(), Failed>;

fn main() -> ExitCode {
    worker::entry(inside);
    let arguments = Arguments::from_args();
    let root = nix::unistd::Uid::effective().is_root();
    let tests: &[(&str, Test)] = &[
        ("rights", may::rights),
        ("calls", may::calls),
        ("network", may::network),
        ("manners", may::manners),
        ("mounts", sees::mounts),
        ("files", sees::files),
        ("trees", sees::trees),
        ("wrong_root", sees::wrong_root),
    ];
    let mut trials =
        vec![Trial::test("the_strongest_mode_is_found", strongest).with_ignored_flag(!root)];
    for (mode, ids) in MODES {
        for (name, test) in tests {
            let ids = ids.clone();
            let trial = Trial::test(format!("{mode}::{name}"), move || test(&ids));
            trials.push(trial.with_ignored_flag(!root));
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// What the worker is to do: run `script` with a shell in `sandbox`, or by itself.
#[derive(Debug, Serialize, Deserialize)]
struct Job {
    isolation: Isolation,
    script: String,
    sandbox: Option<Sandbox>,
}

fn inside(job: String, mut channels: Channels) -> i32 {
    struct Lines<'a>(&'a mut fs::File);
    impl Watch for Lines<'_> {
        fn line(&mut self, _stream: Stream, line: &str) {
            writeln!(self.0, "{line}").unwrap();
        }
    }
    let job: Job = serde_json::from_str(&job).unwrap();
    let mut lines = Lines(&mut channels.events);
    let Some(sandbox) = job.sandbox else {
        // The worker itself, which runs no script in earnest.
        let output = std::process::Command::new("sh")
            .args(["-c", &job.script])
            .output()
            .unwrap();
        lines.0.write_all(&output.stdout).unwrap();
        return 0;
    };
    let host = LinuxHost::new(Cancel::new()).in_isolation(job.isolation);
    let cmd = Cmd::new("sh").args(["-c", &job.script]).inside(sandbox);
    match host.run(&cmd, &mut lines) {
        Ok(()) => 0,
        Err(error) => {
            writeln!(lines.0, "error: {error:?}").unwrap();
            1
        }
    }
}

/// The machine's programs, in a sandbox such as commands of a build have.
fn programs() -> Sandbox {
    let mut sandbox = Sandbox::empty("programs")
        .with(Op::Proc)
        .with(Op::Dev)
        .with(Op::Sys)
        .with(Op::Tmpfs {
            to: "/run".into(),
            mode: 0o755,
        })
        .with(Op::Tmpfs {
            to: "/tmp".into(),
            mode: 0o1777,
        })
        .bind_ro(Path::new("/usr"), "/usr")
        .file("/etc/passwd", "root:x:0:0::/root:/bin/sh\n", 0o644);
    for name in ["bin", "sbin", "lib", "lib64"] {
        let path = Path::new("/").join(name);
        match fs::read_link(&path) {
            Ok(target) => sandbox = sandbox.with(Op::Symlink { target, to: path }),
            Err(_) => sandbox = sandbox.bind_ro(&path, path.clone()),
        }
    }
    sandbox
}

fn run(ids: &Ids, sandbox: Option<Sandbox>, folders: &[PathBuf], script: &str) -> String {
    let job = Job {
        isolation: ids.isolation(),
        script: script.to_owned(),
        sandbox,
    };
    let mut started = Worker::start(ids, folders, serde_json::to_string(&job).unwrap()).unwrap();
    let mut text = String::new();
    started.events.read_to_string(&mut text).unwrap();
    started.worker.wait().unwrap();
    text
}

/// `name value` in each line of what a script says.
fn fields(text: &str) -> BTreeMap<String, String> {
    text.lines()
        .filter_map(|line| line.split_once([':', ' ']))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect()
}

fn check(found: &BTreeMap<String, String>, wanted: &[(&str, &str)]) -> Result<(), Failed> {
    for (name, want) in wanted {
        let have = found.get(*name).map(String::as_str);
        if have != Some(want) {
            return Err(format!("{name} is to be {want:?}, and is {have:?} in {found:#?}").into());
        }
    }
    Ok(())
}

fn strongest() -> Result<(), Failed> {
    let ids = Ids::of_this_user()?;
    // This machine has user namespaces, or the other tests could not run.
    if ids.isolation() == Isolation::Namespace {
        Ok(())
    } else {
        Err(format!("{ids:?}").into())
    }
}
