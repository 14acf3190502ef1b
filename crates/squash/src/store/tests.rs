use std::fs::{self, File};
use std::time::{Duration, UNIX_EPOCH};

use super::*;

fn open(folder: &Path, max_bytes: u64) -> Store {
    Store::open(folder, max_bytes).unwrap()
}

fn key(of: u32) -> Key {
    blake3::hash(&of.to_le_bytes()).into()
}

fn content(of: u32, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new()
        .update(&of.to_le_bytes())
        .finalize_xof()
        .fill(&mut bytes);
    bytes
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn blocks_come_back_as_they_were() {
    let scratch = tempfile::TempDir::new().unwrap();
    let store = open(scratch.path(), u64::MAX);
    assert_eq!(store.get(&key(1), Vec::new()), None);
    store.put(key(1), Some(&content(1, 5000)));
    store.put(key(2), None);
    let check = |store: &Store| {
        let found = store.get(&key(1), vec![9; 70_000]);
        assert_eq!(found, Some(Found::Compressed(content(1, 5000))));
        assert_eq!(store.get(&key(2), Vec::new()), Some(Found::Incompressible));
        assert_eq!(store.get(&key(3), Vec::new()), None);
    };
    check(&store);
    // As after a crash: no index yet.
    assert_eq!(names(scratch.path()), ["00000001.pack"]);
    check(&open(scratch.path(), u64::MAX));
    assert_eq!(store.settle(), None);
    assert_eq!(names(scratch.path()), ["00000001.index", "00000001.pack"]);
    check(&open(scratch.path(), u64::MAX));
}

#[test]
fn packs_are_filled_and_then_left_alone() {
    let scratch = tempfile::TempDir::new().unwrap();
    let small = open(scratch.path(), u64::MAX);
    small.put(key(0), Some(&content(0, 100)));
    assert_eq!(small.settle(), None);
    let store = open(scratch.path(), u64::MAX);
    let count = (PACK_LIMIT >> 20) as u32 + 2;
    for of in 1..=count {
        store.put(key(of), Some(&content(of, 1 << 20)));
    }
    assert_eq!(store.settle(), None);
    let expected = [
        "00000001.index",
        "00000001.pack",
        "00000002.index",
        "00000002.pack",
    ];
    assert_eq!(names(scratch.path()), expected);
    let again = open(scratch.path(), u64::MAX);
    assert_eq!(again.blocks(), count as usize + 1);
    for of in [0, 1, 40, count] {
        assert!(again.get(&key(of), Vec::new()).is_some(), "{of}");
    }
}

#[test]
fn what_was_not_used_for_longest_goes_first() {
    let scratch = tempfile::TempDir::new().unwrap();
    // Each keeps its pack locked, so the next one starts another.
    let stores = [1, 2, 3].map(|of| {
        let store = open(scratch.path(), u64::MAX);
        store.put(key(of), Some(&content(of, 1000)));
        store
    });
    for store in &stores {
        assert_eq!(store.settle(), None);
    }
    for (number, days) in [(1, 1), (2, 3), (3, 2)] {
        let pack = File::options()
            .write(true)
            .open(folder::pack_path(scratch.path(), number))
            .unwrap();
        let at = UNIX_EPOCH + Duration::from_secs(days * 86_400);
        pack.set_modified(at).unwrap();
    }
    let store = open(scratch.path(), 2200);
    // The oldest is in use again, so it is the third one's turn.
    assert!(store.get(&key(1), Vec::new()).is_some());
    assert_eq!(store.settle(), None);
    let packs: Vec<u32> = folder::numbers(scratch.path()).unwrap();
    assert_eq!(packs, [1, 2]);
    assert_eq!(store.get(&key(3), Vec::new()), None);
    assert_eq!(store.blocks(), 2);
    // Others that have it open are not disturbed.
    assert!(stores[2].get(&key(3), Vec::new()).is_some());
}

#[test]
fn a_pack_that_is_being_written_is_not_deleted() {
    let scratch = tempfile::TempDir::new().unwrap();
    let busy = open(scratch.path(), u64::MAX);
    busy.put(key(1), Some(&content(1, 1000)));
    let strict = open(scratch.path(), 0);
    strict.put(key(2), Some(&content(2, 1000)));
    assert_eq!(strict.settle(), None);
    assert_eq!(folder::numbers(scratch.path()).unwrap(), [1]);
    busy.put(key(3), Some(&content(3, 1000)));
    assert_eq!(busy.settle(), None);
    assert_eq!(open(scratch.path(), u64::MAX).blocks(), 2);
}

#[test]
fn a_pack_that_was_deleted_is_not_written_to() {
    let scratch = tempfile::TempDir::new().unwrap();
    let store = open(scratch.path(), u64::MAX);
    store.put(key(1), Some(&content(1, 1000)));
    assert_eq!(store.settle(), None);
    assert_eq!(open(scratch.path(), 0).settle(), None);
    assert_eq!(names(scratch.path()), [] as [&str; 0]);
    store.put(key(2), Some(&content(2, 1000)));
    assert_eq!(store.settle(), None);
    let again = open(scratch.path(), u64::MAX);
    assert!(again.get(&key(2), Vec::new()).is_some());
}
