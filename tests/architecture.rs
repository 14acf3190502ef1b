//! The shape of the workspace: who may use whom, where unsafe code and output may be.
//! Touches nothing.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on stops with a message"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use isosmith_tests::kit::workspace;

/// Which crates of ours each one may use in what it ships (ARCHITECTURE.md says why).
const MAY_USE: &[(&str, &[&str])] = &[
    ("isosmith-spec", &[]),
    ("isosmith-protocol", &["spec"]),
    ("isosmith-branding", &["spec", "protocol"]),
    ("isosmith-host", &["spec", "protocol"]),
    ("isosmith-squash", &["spec", "protocol"]),
    ("isosmith-inspect", &[]),
    ("isosmith-vm", &[]),
    ("isosmith-ai-helper", &[]),
    ("isosmith-engine", &["spec", "protocol", "host", "squash"]),
    (
        "isosmith-recipe",
        &[
            "spec",
            "protocol",
            "branding",
            "host",
            "squash",
            "engine",
            "inspect",
            "catalogue",
        ],
    ),
    (
        "isosmith-supervise",
        &["spec", "protocol", "host", "engine", "recipe"],
    ),
    ("isosmith-session", &["protocol"]),
    ("isosmith-client", &["spec", "protocol"]),
    ("isosmith-catalogue", &["spec", "protocol"]),
    (
        "isosmith-studio",
        &[
            "spec",
            "protocol",
            "branding",
            "inspect",
            "client",
            "catalogue",
        ],
    ),
    (
        "isosmith-helper",
        &[
            "spec",
            "protocol",
            "branding",
            "host",
            "engine",
            "recipe",
            "supervise",
            "session",
        ],
    ),
    (
        "isosmith-cli",
        &[
            "spec",
            "protocol",
            "branding",
            "host",
            "engine",
            "recipe",
            "inspect",
            "vm",
            "squash",
            "supervise",
            "client",
        ],
    ),
    (
        "isosmith-gui",
        &[
            "spec",
            "protocol",
            "branding",
            "client",
            "studio",
            "catalogue",
        ],
    ),
    ("xtask", &["spec", "protocol", "branding"]),
    ("isosmith-tests", &["spec", "protocol", "branding", "vm"]),
];

/// Files that may have more than [`MOST_LINES`] lines, with the reason.
const LONG: &[(&str, &str)] = &[];

const MOST_LINES: usize = 600;

/// Every Rust file of ours.
fn sources() -> Vec<PathBuf> {
    let listed = Command::new("git")
        .args([
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
            "*.rs",
        ])
        .current_dir(workspace())
        .output()
        .expect("git lists our files");
    let text = String::from_utf8(listed.stdout).unwrap();
    let files: Vec<_> = text
        .lines()
        .map(PathBuf::from)
        .filter(|path| workspace().join(path).is_file())
        .collect();
    assert!(files.len() > 50, "git lists only {} files", files.len());
    files
}

fn read(path: &Path) -> String {
    fs::read_to_string(workspace().join(path)).unwrap_or_default()
}

#[test]
fn dependencies_point_one_way() {
    let metadata = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(workspace())
        .output()
        .expect("cargo tells the dependencies");
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).expect("JSON");
    let allowed: BTreeMap<_, _> = MAY_USE.iter().copied().collect();
    let mut wrong = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        let Some(allowed) = allowed.get(name) else {
            wrong.push(format!("{name} is not in this test's table"));
            continue;
        };
        for dependency in package["dependencies"].as_array().unwrap() {
            let used = dependency["name"].as_str().unwrap();
            // What only tests use cannot reach what is shipped.
            if dependency["kind"] == "dev" || dependency["path"].is_null() {
                continue;
            }
            if !allowed
                .iter()
                .any(|short| used == format!("isosmith-{short}"))
            {
                wrong.push(format!("{name} uses {used}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Lines of a file that are code, with their numbers.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(number, line)| (number + 1, line))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// Files outside `places` in which a line of code has one of `words`.
fn outside(places: &[&str], words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for path in sources()
        .iter()
        .filter(|path| !places.iter().any(|place| path.starts_with(place)))
    {
        let text = read(path);
        for (number, line) in code(&text) {
            if words.iter().any(|word| line.contains(word)) {
                found.push(format!("{}:{number}: {}", path.display(), line.trim()));
            }
        }
    }
    found
}

/// Whether a finding is in what people get, and not in a crate's own tests or examples.
fn ships(finding: &str) -> bool {
    let file = finding.split(':').next().unwrap_or_default();
    let name = file.rsplit('/').next().unwrap_or_default();
    let apart = file.contains("/tests/") || file.contains("/examples/");
    !(apart || name.ends_with("tests.rs") || name.starts_with("test_"))
}

#[test]
fn unsafe_code_is_in_the_host_crate_alone() {
    let found = outside(
        &["crates/host", "tests/architecture.rs"],
        &["unsafe {", "unsafe fn", "unsafe impl", "allow(unsafe_code)"],
    );
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn only_programs_write_to_standard_output() {
    let found = outside(
        &[
            "crates/cli",
            "crates/xtask",
            // A build script tells cargo what it depends on.
            "src-tauri/build.rs",
            // Where there is no window, there is only the terminal.
            "src-tauri/src/main.rs",
            "tests",
        ],
        &["println!(", "print!(", "dbg!("],
    );
    let found: Vec<_> = found.iter().filter(|line| ships(line)).collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn only_the_host_starts_processes() {
    // The machine emulator, polkit's agent and the window's renderer are no part of a build;
    // the last one limits itself.
    let found = outside(
        &[
            "crates/host",
            "crates/vm",
            "crates/cli/src/agent.rs",
            "crates/studio/src/renderer.rs",
            "src-tauri/src/spawn.rs",
            "crates/xtask",
            "tests",
        ],
        &["process::Command", "Command::new(\""],
    );
    let shipped: Vec<_> = found.iter().filter(|line| ships(line)).collect();
    assert!(shipped.is_empty(), "{shipped:#?}");
}

#[test]
fn long_files_are_listed() {
    let mut wrong = Vec::new();
    let long: BTreeSet<&str> = LONG.iter().map(|(path, _)| *path).collect();
    for path in sources() {
        let lines = read(&path).lines().count();
        if lines > MOST_LINES && !long.contains(path.to_str().unwrap()) {
            wrong.push(format!("{} has {lines} lines", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn nothing_names_the_machine_it_was_written_on() {
    let here = workspace();
    let here = here.display().to_string();
    let listed = Command::new("git")
        .args([
            "grep",
            "-n",
            "-I",
            "-F",
            "--untracked",
            "-e",
            &format!("{here}/"),
            "--",
            ".",
            ":!tests/architecture.rs",
        ])
        .current_dir(workspace())
        .output()
        .unwrap();
    let found = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(found.is_empty(), "{found}");
    let home = std::env::var("HOME").unwrap_or_default();
    // A home of root's is a place that texts may speak of.
    if home.starts_with("/home/") {
        assert!(outside(&[], &[&format!("{home}/")]).is_empty());
    }
}

#[test]
fn generated_files_are_fresh() {
    let schema = serde_json::to_value(isosmith_spec::schema()).unwrap();
    let shipped: serde_json::Value =
        serde_json::from_str(&read(Path::new("profiles/schema.json"))).unwrap();
    assert_eq!(
        schema, shipped,
        "profiles/schema.json is old; run `cargo xtask generate`"
    );
}
