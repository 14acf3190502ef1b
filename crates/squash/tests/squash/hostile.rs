//! What ends a write early.

use std::cell::Cell;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;

use isosmith_squash::{Compression, Options, SquashError, Store, write};
use tempfile::TempDir;

use super::{bytes, pack, plant, quick};

/// Ten files of 2 MiB each: more than reader and writer hold between them.
fn big_tree(root: &Path) {
    let mut dice = plant::Dice(17);
    for number in 0..10 {
        plant::file(root, &format!("{number}"), &dice.text(2 << 20));
    }
}

#[test]
fn settings_outside_their_range() {
    let scratch = TempDir::new().unwrap();
    let root = scratch.path().join("root");
    plant::file(&root, "a", b"a");
    let check = |change: &dyn Fn(&mut Options), expected: &str| {
        let mut options = quick();
        change(&mut options);
        let message = pack(&root, &options, None).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    };
    check(&|o| o.block_size = 2048, "block size of 2048");
    check(&|o| o.block_size = 2 << 20, "block size of 2097152");
    check(&|o| o.block_size = 100_000, "power of two");
    check(&|o| o.threads = 0, "at least one thread");
    check(&|o| o.compression = Compression::Zstd(0), "1 to 22");
    check(&|o| o.compression = Compression::Zstd(23), "1 to 22");
    check(&|o| o.compression = Compression::Gzip(10), "1 to 9");
    check(
        &|o| o.compression = Compression::Lz4,
        "Lz4 compression is not supported",
    );
    check(
        &|o| o.compression = Compression::Lzo,
        "Lzo compression is not supported",
    );
}

#[test]
fn a_root_that_is_no_directory() {
    let scratch = TempDir::new().unwrap();
    let file = plant::file(scratch.path(), "file", b"");
    for root in [scratch.path().join("missing"), file] {
        let mut out = tempfile::tempfile().unwrap();
        let ended = write(&root, &mut out, &quick(), None, &|_| (), &|| false);
        let message = ended.unwrap_err().to_string();
        assert!(message.contains(root.to_str().unwrap()), "{message}");
    }
}

#[test]
fn a_full_disk() {
    let scratch = TempDir::new().unwrap();
    let root = scratch.path().join("root");
    big_tree(&root);
    let mut full = File::options().write(true).open("/dev/full").unwrap();
    let error = write(&root, &mut full, &quick(), None, &|_| (), &|| false).unwrap_err();
    let SquashError::Output(source) = error else {
        panic!("{error}");
    };
    assert_eq!(source.kind(), std::io::ErrorKind::StorageFull);
}

#[test]
fn a_cancel_ends_it_and_keeps_what_was_compressed() {
    let scratch = TempDir::new().unwrap();
    let root = scratch.path().join("root");
    big_tree(&root);
    let store = Store::open(&scratch.path().join("store"), u64::MAX).unwrap();
    let calls = Cell::new(0);
    let progress = |_| calls.set(calls.get() + 1);
    let cancelled = || calls.get() >= 500;
    let mut out = tempfile::tempfile().unwrap();
    let ended = write(
        &root,
        &mut out,
        &quick(),
        Some(&store),
        &progress,
        &cancelled,
    );
    assert!(matches!(ended, Err(SquashError::Cancelled)), "{ended:?}");
    assert_eq!(calls.get(), 500);
    let (_, summary) = bytes(&root, &quick(), Some(&store));
    assert!(summary.reused_blocks >= 500, "{summary:?}");
    assert!(summary.compressed_blocks > 0, "{summary:?}");
    let at_once = write(&root, &mut out, &quick(), None, &|_| (), &|| true);
    assert!(matches!(at_once, Err(SquashError::Cancelled)));
}

#[test]
fn a_tree_that_changes_meanwhile() {
    // The reader cannot have come to the last file when the first block is out.
    let check = |change: &dyn Fn(&Path), expected: &str| {
        let scratch = TempDir::new().unwrap();
        let root = scratch.path().join("root");
        big_tree(&root);
        let last = root.join("9");
        let once = Cell::new(true);
        let progress = |_| {
            if once.replace(false) {
                change(&last);
            }
        };
        let mut out = tempfile::tempfile().unwrap();
        let ended = write(&root, &mut out, &quick(), None, &progress, &|| false);
        let message = ended.unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    };
    check(
        &|path| {
            File::options()
                .write(true)
                .open(path)
                .unwrap()
                .set_len(5)
                .unwrap()
        },
        "9 changed while",
    );
    check(
        &|path| fs::remove_file(path).unwrap(),
        "cannot read 9 of the tree",
    );
    check(
        &|path| {
            fs::remove_file(path).unwrap();
            symlink("/etc/passwd", path).unwrap();
        },
        "cannot read 9 of the tree",
    );
    check(
        &|path| {
            fs::remove_file(path).unwrap();
            plant::node(path, rustix::fs::FileType::Fifo, 0);
        },
        "9 changed while",
    );
}

#[test]
fn what_was_in_the_output_before_is_gone() {
    let scratch = TempDir::new().unwrap();
    let root = scratch.path().join("root");
    plant::file(&root, "a", b"a");
    let (expected, _) = bytes(&root, &quick(), None);
    let path = scratch.path().join("old");
    fs::write(&path, vec![1; 1 << 20]).unwrap();
    let mut out = File::options().read(true).write(true).open(&path).unwrap();
    write(&root, &mut out, &quick(), None, &|_| (), &|| false).unwrap();
    assert_eq!(fs::read(path).unwrap(), expected);
}
