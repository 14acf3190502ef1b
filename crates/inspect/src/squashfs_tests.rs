//! Images made by mksquashfs, whole and damaged.

use std::fs;

use tempfile::TempDir;

use crate::InspectError;
use crate::source::Disk;
use crate::squashfs::{Compressor, Squashfs};
use crate::test_media::{big, root_tree, squashfs};

#[test]
fn every_compressor_gives_the_same_files() {
    let dir = TempDir::new().unwrap();
    let root = dir.path().join("root");
    root_tree(&root);
    let cases: [(&[&str], Compressor); 6] = [
        (&["-comp", "gzip"], Compressor::Gzip),
        (&["-comp", "lzo"], Compressor::Lzo),
        (&["-comp", "xz", "-Xbcj", "x86"], Compressor::Xz),
        (&["-comp", "lz4"], Compressor::Lz4),
        (&["-comp", "zstd", "-b", "1M"], Compressor::Zstd),
        (&["-comp", "zstd", "-noI", "-noD", "-noF"], Compressor::Zstd),
    ];
    for (options, compressor) in cases {
        let path = dir.path().join("image.squashfs");
        squashfs(&root, &path, options);
        let disk = Disk::open(&path).unwrap();
        let image = Squashfs::open(&disk).unwrap();
        assert_eq!(image.superblock().compressor, compressor);
        let read = |path| image.read(path, 1 << 20);
        assert!(read("big").unwrap() == big(), "{options:?}");
        assert!(read("hole").unwrap() == vec![0; 300_000], "{options:?}");
        assert!(read("/etc/os-release").unwrap().starts_with(b"ID=debian"));
        assert!(
            read("/etc/../lib/os-release")
                .unwrap()
                .starts_with(b"ID=debian")
        );
        assert_eq!(read("many/file-0699").unwrap(), b"699");
        assert_eq!(image.list("many").unwrap().len(), 700);
        assert!(matches!(read("nothing"), Err(InspectError::Missing { .. })));
        assert!(matches!(read("loop"), Err(InspectError::Damaged { .. })));
        assert!(matches!(
            image.read("big", 10),
            Err(InspectError::TooLarge { .. })
        ));
        let census = image.census().unwrap();
        assert_eq!(
            (census.files, census.directories, census.others),
            (704, 8, 3),
            "{options:?}"
        );
    }
}

#[test]
fn damaged_squashfs_tables_are_found_and_nothing_panics() {
    let dir = TempDir::new().unwrap();
    let root = dir.path().join("root");
    root_tree(&root);
    let path = dir.path().join("image.squashfs");
    squashfs(&root, &path, &["-comp", "gzip", "-noI"]);
    let good = fs::read(&path).unwrap();
    let mut found = 0;
    // SquashFS has no checksums: a changed time or name is not to be seen, a
    // changed structure is.
    let places: Vec<usize> = (0..96)
        .chain((good.len() - 40_000..good.len()).step_by(131))
        .collect();
    for &at in &places {
        let mut bytes = good.clone();
        bytes[at] ^= 0x55;
        let Ok(image) = Squashfs::open(&bytes) else {
            found += 1;
            continue;
        };
        let broken = image.census().is_err() | image.read("big", 1 << 20).is_err();
        found += usize::from(broken);
        let _ = image.list("many");
    }
    assert!(found > places.len() / 6, "{found} of {}", places.len());
    let cut = good[..good.len() / 2].to_vec();
    assert!(matches!(
        Squashfs::open(&cut),
        Err(InspectError::Damaged { .. })
    ));
}
