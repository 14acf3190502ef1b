//! Blocks are reused, and it never shows in the image.

use std::fs;
use std::path::Path;

use isosmith_squash::{Ahead, Compression, SquashError, Store, warm};
use tempfile::TempDir;

use super::{bytes, plant, quick};

/// 3000 small files in 60 directories, a few big ones.
fn tree(root: &Path) {
    let mut dice = plant::Dice(23);
    for number in 0..3000 {
        let length = dice.roll(900) as usize + dice.roll(2) as usize * dice.roll(2500) as usize;
        let name = format!("small/{}/{number}", number / 50);
        plant::file(root, &name, &dice.text(length));
    }
    for number in 0..4 {
        plant::file(root, &format!("big/{number}"), &dice.text(400_000));
    }
    plant::file(root, "big/noise", &dice.noise(100_000));
}

fn planted() -> (TempDir, std::path::PathBuf, Store) {
    let scratch = TempDir::new().unwrap();
    let root = scratch.path().join("root");
    tree(&root);
    let store = Store::open(&scratch.path().join("store"), u64::MAX).unwrap();
    (scratch, root, store)
}

#[test]
fn neither_store_nor_threads_show() {
    let (scratch, root, store) = planted();
    let (expected, cold) = bytes(&root, &quick(), None);
    assert_eq!(cold.reused_blocks, 0);
    for threads in [1, 2, 3, 8] {
        let mut options = quick();
        options.threads = threads;
        let (found, _) = bytes(&root, &options, None);
        assert!(found == expected, "{threads} threads");
    }
    let (filled, _) = bytes(&root, &quick(), Some(&store));
    assert!(filled == expected, "while the store is filled");
    let (warm, summary) = bytes(&root, &quick(), Some(&store));
    assert!(warm == expected, "from the store");
    assert_eq!(summary.compressed_blocks, 0);
    assert_eq!(
        summary.reused_bytes + summary.duplicate_bytes + summary.sparse_bytes,
        summary.file_bytes
    );
    let again = Store::open(&scratch.path().join("store"), u64::MAX).unwrap();
    assert_eq!(again.blocks(), store.blocks());
    let (warm, summary) = bytes(&root, &quick(), Some(&again));
    assert!(warm == expected, "from the store, opened again");
    assert_eq!(summary.compressed_blocks, 0);
}

#[test]
fn what_was_compressed_ahead_shows_only_in_the_time() {
    let all = {
        let (_scratch, root, _) = planted();
        bytes(&root, &quick(), None).1
    };
    let check = |ahead, stop_after: u32| {
        let (_scratch, root, store) = planted();
        let asked = std::cell::Cell::new(0);
        let stopped = || asked.replace(asked.get() + 1) >= stop_after;
        let ended = warm(&root, &quick(), &store, ahead, &stopped);
        let (image, summary) = bytes(&root, &quick(), Some(&store));
        let (expected, _) = bytes(&root, &quick(), None);
        assert!(image == expected, "{ahead:?}");
        (ended, summary.compressed_blocks)
    };
    let (done, left) = check(Ahead::AllFiles, u32::MAX);
    let dealt = all.file_bytes - all.duplicate_bytes - all.sparse_bytes;
    assert_eq!(done.unwrap(), dealt);
    assert_eq!(left, 0);

    let (done, left) = check(Ahead::BigFiles, u32::MAX);
    assert!((1..dealt).contains(&done.unwrap()));
    assert!((1..all.compressed_blocks).contains(&left), "{left}");

    // A cancel keeps what there is.
    let (ended, left) = check(Ahead::AllFiles, all.inodes + 100);
    assert!(matches!(ended, Err(SquashError::Cancelled)), "{ended:?}");
    assert!((1..all.compressed_blocks).contains(&left), "{left}");
}

#[test]
fn a_change_costs_what_was_changed() {
    let (_scratch, root, store) = planted();
    let (_, first) = bytes(&root, &quick(), Some(&store));
    assert!(first.compressed_blocks > 800, "{first:?}");
    let check = |change: &dyn Fn(&Path), most: u64| {
        change(&root);
        let (warm, summary) = bytes(&root, &quick(), Some(&store));
        let compressed = summary.compressed_blocks;
        assert!((1..=most).contains(&compressed), "{compressed} of {most}");
        let (cold, _) = bytes(&root, &quick(), None);
        assert!(warm == cold);
    };
    // Cuts depend on names, so a handful of blocks is enough wherever it happens.
    let text = |length| plant::Dice(77).text(length);
    check(
        &|root| drop(plant::file(root, "small/30/1500", &text(700))),
        8,
    );
    check(&|root| drop(plant::file(root, "small/0/0", &text(5))), 8);
    check(
        &|root| drop(plant::file(root, "small/0/new", &text(900))),
        8,
    );
    check(
        &|root| fs::remove_file(root.join("small/10/520")).unwrap(),
        8,
    );
    check(&|root| drop(plant::file(root, "big/0", &text(4096 * 3))), 3);
    let longer = |root: &Path| {
        let mut content = fs::read(root.join("big/1")).unwrap();
        content.extend(b"a new end");
        plant::file(root, "big/1", &content);
    };
    check(&longer, 1);
}

#[test]
fn a_renamed_directory_costs_nothing_for_big_files() {
    let (_scratch, root, store) = planted();
    bytes(&root, &quick(), Some(&store));
    fs::rename(root.join("big"), root.join("elsewhere")).unwrap();
    let (_, summary) = bytes(&root, &quick(), Some(&store));
    assert_eq!(summary.compressed_blocks, 0);
}

#[test]
fn another_compression_shares_nothing() {
    let (_scratch, root, store) = planted();
    bytes(&root, &quick(), Some(&store));
    let mut options = quick();
    for compression in [Compression::Zstd(2), Compression::Gzip(1)] {
        options.compression = compression;
        let (warm, summary) = bytes(&root, &options, Some(&store));
        // Within one image, blocks may be the same by chance.
        assert!(summary.reused_blocks < 10, "{compression:?} {summary:?}");
        assert!(warm == bytes(&root, &options, None).0);
    }
}

#[test]
fn damage_in_the_store_never_gets_into_an_image() {
    let (scratch, root, _) = planted();
    let check = |damage: &dyn Fn(&mut Vec<u8>), files: &str, reopen: bool| {
        let folder = scratch.path().join("damaged");
        fs::remove_dir_all(&folder).ok();
        let store = Store::open(&folder, u64::MAX).unwrap();
        let (expected, _) = bytes(&root, &quick(), Some(&store));
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|found| found == files) {
                let mut content = fs::read(&path).unwrap();
                damage(&mut content);
                fs::write(&path, content).unwrap();
            }
        }
        let store = match reopen {
            true => Store::open(&folder, u64::MAX).unwrap(),
            false => store,
        };
        let (found, _) = bytes(&root, &quick(), Some(&store));
        assert!(found == expected, "{files}");
        // Damaged blocks have been replaced.
        let (found, summary) = bytes(&root, &quick(), Some(&store));
        assert!(found == expected, "{files}");
        assert_eq!(
            summary.compressed_blocks, 0,
            "{files}: {:?}",
            summary.store_trouble
        );
    };
    let every = |step: usize| {
        move |content: &mut Vec<u8>| {
            for at in (0..content.len()).step_by(step).skip(1) {
                content[at] ^= 0x40;
            }
        }
    };
    for reopen in [true, false] {
        check(&every(7919), "pack", reopen);
        check(&every(100), "pack", reopen);
        check(&every(100), "index", reopen);
        check(
            &|content| content.truncate(content.len() / 2),
            "pack",
            reopen,
        );
        check(&|content| content.truncate(3), "pack", reopen);
        check(&|content| content.clear(), "pack", reopen);
        check(&|content| content.clear(), "index", reopen);
        check(&|content| content.extend([0xaa; 3000]), "pack", reopen);
    }
}

#[test]
fn a_store_that_cannot_be_written_costs_only_itself() {
    let (scratch, root, store) = planted();
    let (expected, _) = bytes(&root, &quick(), None);
    fs::remove_dir(scratch.path().join("store")).unwrap();
    let (found, summary) = bytes(&root, &quick(), Some(&store));
    assert!(found == expected);
    let trouble = summary.store_trouble.unwrap();
    assert!(trouble.contains("cannot use the block store"), "{trouble}");
}

#[test]
fn the_store_stays_within_its_bounds() {
    let (scratch, root, _) = planted();
    let folder = scratch.path().join("bounded");
    let store = Store::open(&folder, 200_000).unwrap();
    let (expected, _) = bytes(&root, &quick(), Some(&store));
    let total: u64 = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .sum();
    assert!(total <= 200_000, "{total}");
    // What went is forgotten, not missed.
    let (found, summary) = bytes(&root, &quick(), Some(&store));
    assert!(found == expected);
    assert_eq!(summary.store_trouble, None);
}

#[test]
fn two_builds_may_fill_it_at_once() {
    let (scratch, root, _) = planted();
    let folder = scratch.path().join("shared");
    let (expected, _) = bytes(&root, &quick(), None);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let store = Store::open(&folder, u64::MAX).unwrap();
                let mut out = tempfile::NamedTempFile::new().unwrap();
                let written = isosmith_squash::write(
                    &root,
                    out.as_file_mut(),
                    &quick(),
                    Some(&store),
                    &|_| (),
                    &|| false,
                );
                assert_eq!(written.unwrap().store_trouble, None);
                assert!(fs::read(out.path()).unwrap() == expected);
            });
        }
    });
    let store = Store::open(&folder, u64::MAX).unwrap();
    let (found, summary) = bytes(&root, &quick(), Some(&store));
    assert!(found == expected);
    assert_eq!(summary.compressed_blocks, 0);
}
