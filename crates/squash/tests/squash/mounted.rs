//! With mounts: other filesystems in the tree, overlays, and the kernel's own
//! reader. All in a mount namespace of its own, so only as root.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::makedev;
use tempfile::TempDir;

use super::{compare, oracle, pack, plant, quick};

/// Runs one of the ignored tests below where its mounts are seen by nobody else
/// and end with it.
fn inside(test: &str) {
    if !plant::is_root() {
        eprintln!("not root: skipped");
        return;
    }
    let mut command = Command::new("unshare");
    command.args(["--mount", "--pid", "--fork", "--mount-proc"]);
    command.arg(std::env::current_exe().unwrap());
    let output = command
        .args(["--ignored", "--exact", test])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}"
    );
}

fn mount(words: &[&str], at: &Path) -> bool {
    if !at.exists() {
        fs::create_dir(at).unwrap();
    }
    let mut command = Command::new("mount");
    command
        .args(words)
        .arg(at)
        .output()
        .unwrap()
        .status
        .success()
}

#[test]
fn the_kernel_reads_it() {
    inside("mounted::kernel");
}

#[test]
#[ignore = "run by the_kernel_reads_it"]
fn kernel() {
    let scratch = TempDir::new().unwrap();
    let root = scratch.path().join("root");
    fs::create_dir(&root).unwrap();
    plant::varied(&root);
    let options = isosmith_squash::Options::new(isosmith_squash::Compression::Zstd(3), 0);
    let (image, _) = pack(&root, &options, None).unwrap();
    let at = scratch.path().join("mounted");
    if !mount(
        &["-t", "squashfs", "-o", "loop,ro", image.to_str().unwrap()],
        &at,
    ) {
        eprintln!("no loop devices or no squashfs here: skipped");
        return;
    }
    compare::same(&root, &at, "mounted");
    // A name from the middle of an indexed directory.
    assert!(at.join("many/directory-123").is_dir());
    assert!(!at.join("many/directory-3000").exists());
}

#[test]
fn mounts_in_the_tree_stay_out() {
    inside("mounted::mounts");
}

#[test]
#[ignore = "run by mounts_in_the_tree_stay_out"]
fn mounts() {
    let scratch = TempDir::new().unwrap();
    let root = scratch.path().join("root");
    plant::file(&root, "proc/below", b"hidden");
    plant::file(&root, "etc/resolv.conf", b"the tree's own");
    assert!(mount(&["-t", "tmpfs", "tmpfs"], &root.join("proc")));
    plant::file(&root, "proc/secret", b"the machine's");
    assert!(mount(
        &["--bind", "/etc/passwd"],
        &root.join("etc/resolv.conf")
    ));
    let (image, summary) = pack(&root, &quick(), None).unwrap();
    let expected = ["etc/resolv.conf", "proc"].map(PathBuf::from);
    assert_eq!(summary.mount_points, expected);
    let unpacked = scratch.path().join("unpacked");
    oracle::unpack(&image, &unpacked);
    let names = |name: &str| fs::read_dir(unpacked.join(name)).unwrap().count();
    assert_eq!((names("proc"), names("etc")), (0, 0));
}

#[test]
fn an_overlay_is_packed_as_it_looks() {
    inside("mounted::overlay");
}

#[test]
#[ignore = "run by an_overlay_is_packed_as_it_looks"]
fn overlay() {
    let scratch = TempDir::new().unwrap();
    let base = scratch.path().join("fs");
    // An overlay on an overlay is not allowed everywhere.
    assert!(mount(&["-t", "tmpfs", "tmpfs"], &base));
    let [lower, upper, work] = ["lower", "upper", "work"].map(|name| base.join(name));
    plant::file(&lower, "kept", b"from below");
    plant::file(&lower, "replaced", b"old");
    plant::file(&lower, "gone", b"gone");
    plant::file(&lower, "opaque/old", b"old");
    fs::hard_link(lower.join("kept"), lower.join("linked")).unwrap();
    plant::file(&upper, "replaced", b"new");
    plant::file(&upper, "opaque/new", b"new");
    plant::node(
        &upper.join("gone"),
        rustix::fs::FileType::CharacterDevice,
        makedev(0, 0),
    );
    plant::attribute(&upper.join("opaque"), "trusted.overlay.opaque", b"y");
    fs::create_dir(&work).unwrap();
    let options = format!(
        "lowerdir={},upperdir={},workdir={}",
        lower.display(),
        upper.display(),
        work.display()
    );
    let root = scratch.path().join("root");
    assert!(mount(&["-t", "overlay", "overlay", "-o", &options], &root));
    let (image, summary) = pack(&root, &quick(), None).unwrap();
    assert!(summary.mount_points.is_empty(), "{summary:?}");
    let unpacked = scratch.path().join("unpacked");
    oracle::unpack(&image, &unpacked);
    compare::same(&root, &unpacked, "overlay");
    assert!(!unpacked.join("gone").exists());
    assert!(!unpacked.join("opaque/old").exists());
    assert_eq!(fs::read(unpacked.join("linked")).unwrap(), b"from below");
}
