//! Whole media: good ones, and one for each defect.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::eltorito::Platform;
use crate::iso9660::{Iso, Kind};
use crate::pe::tests::{pe, sign};
use crate::source::{Disk, ReadAt};
use crate::system_area::BootCode;
use crate::test_media::{BIOS, DEBIAN, Medium, UEFI, grub, run, sbat, write};
use crate::{ChecksumOutcome, Expect, InspectError, Place, inspect, verify_checksums};

fn everything() -> Expect {
    Expect {
        label: Some("TEST_13".to_owned()),
        bios: true,
        uefi: true,
        secure_boot: true,
    }
}

#[test]
fn a_good_medium_has_no_problems() {
    let medium = Medium::good();
    write(&medium.tree().join(".disk/info"), "Test Linux 13\n");
    let iso = medium.build();
    let report = inspect(&iso).unwrap();
    assert_eq!(report.problems(&everything()), []);

    assert_eq!(
        (
            report.volume.label.as_str(),
            report.volume.publisher.as_str()
        ),
        ("TEST_13", "ISOSMITH")
    );
    assert!(report.rock_ridge && report.joliet && report.size >= report.volume.bytes());
    assert_eq!(report.disk_info.as_deref(), Some("Test Linux 13"));
    assert_eq!(report.live.kernels, ["live/vmlinuz-6.12.0-amd64"]);
    assert_eq!(report.live.initrds, ["live/initrd.img-6.12.0-amd64"]);
    let root = &report.live.squashfs[0];
    assert_eq!(
        (root.packages, root.os_release["PRETTY_NAME"].as_str()),
        (Some(2), "Test Linux")
    );

    let catalogue = report.el_torito.as_ref().unwrap();
    let bios = catalogue.for_platform(Platform::Bios).unwrap();
    assert_eq!(bios.path.as_deref(), Some("isolinux/isolinux.bin"));
    assert_eq!(bios.info_table.unwrap().intact, Some(true));
    let uefi = catalogue.for_platform(Platform::Uefi).unwrap();
    assert_eq!(
        (uefi.path.as_deref(), uefi.size),
        (Some("boot/grub/efi.img"), Some(2 << 20))
    );

    let mbr = report.hybrid.mbr.as_ref().unwrap();
    assert_eq!(mbr.boot_code, BootCode::Isolinux);
    let partitions: Vec<_> = mbr
        .partitions
        .iter()
        .map(|p| (p.number, p.kind, p.active))
        .collect();
    assert_eq!(partitions, [(1, 0, true), (2, 0xef, false)]);
    assert!(report.hybrid.gpt.as_ref().unwrap().intact);
    assert!(report.hybrid.apm.iter().any(|p| p.kind == "Apple_HFS"));

    let efi = report.efi.as_ref().unwrap();
    assert_eq!(
        efi.shim_signed_by(),
        [
            "Microsoft Corporation UEFI CA 2011",
            "Microsoft UEFI CA 2023"
        ]
    );
    assert_eq!(efi.grub_signed_by(), ["Debian Secure Boot CA"]);
    assert!(
        efi.programs
            .iter()
            .all(|file| file.place == Place::EfiImage)
    );

    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["volume"]["label"], "TEST_13");
    assert_eq!(
        json["live"]["squashfs"][0]["superblock"]["compressor"],
        "zstd"
    );
}

#[test]
fn a_grub_of_an_appended_partition_is_found_too() {
    let mut medium = Medium::good();
    medium.options = [
        &BIOS[..],
        &["../mbr.bin", "-append_partition", "2", "0xef", "../efi.img"],
    ]
    .concat();
    medium
        .options
        .extend(["-appended_part_as_gpt", "-eltorito-alt-boot", "-e"]);
    medium
        .options
        .extend(["--interval:appended_partition_2:all::", "-no-emul-boot"]);
    write(&medium.tree().join(".disk/info"), "x");
    medium.efi_image(&medium.dir.path().join("efi.img"));
    write(&medium.tree().join("boot/grub/efi.img"), "");
    let report = inspect(&medium.build()).unwrap();
    assert_eq!(report.problems(&everything()), []);
    let catalogue = report.el_torito.unwrap();
    let uefi = catalogue.for_platform(Platform::Uefi).unwrap();
    assert_eq!((uefi.path.as_deref(), uefi.size), (None, Some(2 << 20)));
}

fn check(change: impl FnOnce(&mut Medium), expected: &[&str]) {
    let mut medium = Medium::good();
    write(&medium.tree().join(".disk/info"), "x");
    change(&mut medium);
    let report = inspect(&medium.build()).unwrap();
    let codes: Vec<_> = report
        .problems(&everything())
        .iter()
        .map(|problem| problem.code)
        .collect();
    assert_eq!(codes, expected, "{:#?}", report.problems(&everything()));
}

#[test]
fn every_defect_has_its_code() {
    check(|m| m.programs[1].1 = grub("(memdisk)/boot/grub", 5), &[]);
    check(|m| m.label = "OTHER", &["label_differs"]);
    check(
        |m| fs::remove_file(m.tree().join(".disk/info")).unwrap(),
        &["no_disk_info"],
    );
    check(
        |m| m.programs[1].1 = grub("/EFI/debian", 5),
        &["grub_wrong_prefix"],
    );
    check(
        |m| m.programs[1].1 = grub("/boot/grub", 3),
        &["sbat_revoked"],
    );
    check(
        |m| m.programs[0].1 = sign(pe(&[]), &[DEBIAN]),
        &["shim_not_signed"],
    );
    check(
        |m| m.programs[1].1 = pe(&[(".sbat", &sbat("grub", 5))]),
        &["grub_not_signed"],
    );
    check(|m| m.programs[1].1 = sign(pe(&[]), &[DEBIAN]), &["no_sbat"]);
    check(|m| m.programs[1].1[0x210] ^= 1, &["signature_broken"]);
    check(|m| drop(m.programs.pop()), &["no_mok_manager"]);
    check(|m| m.programs.truncate(1), &["no_shim_or_grub"]);
    check(
        |m| m.programs.clear(),
        &["no_efi_loader", "no_shim_or_grub"],
    );
    check(
        |m| m.options.truncate(10),
        &["no_uefi_boot", "no_efi_partition", "no_efi_image"],
    );
    check(
        |m| m.options.retain(|o| *o != "-boot-info-table"),
        &["no_boot_info_table"],
    );
    check(
        |m| m.options = UEFI[1..].to_vec(),
        &["no_bios_boot", "no_hybrid_mbr", "no_efi_partition"],
    );
    check(
        |m| drop(m.options.drain(8..10)),
        &["no_hybrid_mbr", "no_efi_partition"],
    );
}

#[test]
fn an_image_that_was_cut_is_noticed() {
    let medium = Medium::good();
    write(&medium.tree().join(".disk/info"), "x");
    let iso = medium.build();
    let len = fs::metadata(&iso).unwrap().len();
    fs::File::options()
        .write(true)
        .open(&iso)
        .unwrap()
        .set_len(len - 600_000)
        .unwrap();
    let codes: Vec<_> = inspect(&iso)
        .unwrap()
        .problems(&everything())
        .iter()
        .map(|p| p.code)
        .collect();
    assert!(
        codes.contains(&"image_cut_off") && codes.contains(&"gpt_damaged"),
        "{codes:?}"
    );
    fs::write(&iso, "nothing").unwrap();
    assert!(matches!(inspect(&iso), Err(InspectError::NotIso(_))));
    assert!(matches!(
        inspect(&iso.join("x")),
        Err(InspectError::Read { .. })
    ));
}

#[test]
fn checksums_beside_and_inside() {
    let dir = TempDir::new().unwrap();
    let tree = dir.path().join("tree");
    write(&tree.join("live/file"), "abc");
    write(&tree.join("other"), "abd");
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    write(
        &tree.join("sha256sum.txt"),
        format!("{abc}  ./live/file\n{abc}  ./other\n{abc}  ./gone\nrubbish\n"),
    );
    let iso = dir.path().join("a.iso");
    run(
        "xorriso",
        &["-as", "mkisofs", "-R", "-quiet", "-o", "../a.iso", "."],
        &tree,
    );
    run(
        "sh",
        &[
            "-c",
            "sha256sum a.iso > a.iso.sha256; md5sum a.iso > a.iso.md5; sha512sum a.iso > a.iso.sha512",
        ],
        dir.path(),
    );

    let outcomes = |iso: &Path| {
        verify_checksums(iso)
            .unwrap()
            .into_iter()
            .map(|r| (r.list, r.file, r.outcome))
            .collect::<Vec<_>>()
    };
    let found = outcomes(&iso);
    assert!(
        found[..3]
            .iter()
            .all(|(_, file, outcome)| file == "a.iso" && *outcome == ChecksumOutcome::Match)
    );
    assert_eq!(
        found[3],
        (
            "/sha256sum.txt".into(),
            "./live/file".into(),
            ChecksumOutcome::Match
        )
    );
    assert!(matches!(found[4].2, ChecksumOutcome::Mismatch { .. }));
    assert_eq!(found[5].2, ChecksumOutcome::Missing);
    assert_eq!(found[6].2, ChecksumOutcome::Malformed);

    let mut bytes = fs::read(&iso).unwrap();
    bytes[100] ^= 1;
    fs::write(&iso, bytes).unwrap();
    assert!(
        outcomes(&iso)[..3]
            .iter()
            .all(|(_, _, outcome)| matches!(outcome, ChecksumOutcome::Mismatch { .. }))
    );
}

#[test]
fn names_deep_trees_and_links_as_xorriso_writes_them() {
    let dir = TempDir::new().unwrap();
    let tree = dir.path().join("tree");
    let deep = "a/b/c/d/e/f/g/h/i/j";
    let long = "n".repeat(240);
    write(&tree.join(deep).join("file"), "deep");
    write(&tree.join(&long), "long");
    std::os::unix::fs::symlink("../a/./b", tree.join("link")).unwrap();
    run(
        "xorriso",
        &["-as", "mkisofs", "-R", "-quiet", "-o", "../a.iso", "."],
        &tree,
    );
    let disk = Disk::open(&dir.path().join("a.iso")).unwrap();
    let iso = Iso::open(&disk).unwrap();
    assert_eq!(iso.read(&format!("{deep}/file"), 10).unwrap(), b"deep");
    assert_eq!(iso.read(&long, 10).unwrap(), b"long");
    assert_eq!(
        iso.entry("link").unwrap().kind,
        Kind::Symlink("../a/./b".to_owned())
    );
    let mut paths = Vec::new();
    iso.walk(&mut |path, _| {
        paths.push(path.to_owned());
        true
    })
    .unwrap();
    assert!(paths.contains(&format!("{deep}/file")));
    assert!(matches!(
        iso.read("A", 10),
        Err(InspectError::Missing { .. })
    ));
}

#[test]
fn files_over_four_gibibytes_are_joined() {
    let dir = TempDir::new().unwrap();
    let tree = dir.path().join("tree");
    fs::create_dir(&tree).unwrap();
    let size = (4u64 << 30) + 5000;
    let file = fs::File::create(tree.join("filesystem.squashfs")).unwrap();
    file.set_len(size).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, b"the end", size - 7).unwrap();
    // Only the head of the image is kept: its directory is what matters.
    let head = "xorriso -as mkisofs -R -quiet -iso-level 3 -o - tree | head -c 1000000 > a.iso";
    run("sh", &["-c", head], dir.path());
    let disk = Disk::open(&dir.path().join("a.iso")).unwrap();
    let iso = Iso::open(&disk).unwrap();
    let entry = iso.entry("filesystem.squashfs").unwrap();
    assert_eq!(entry.size(), size);
    assert!(entry.runs.len() > 1);
    assert_eq!(iso.open_entry(&entry).unwrap().size(), size);
}
