use std::{io::Write, os::unix::fs::MetadataExt};

use super::*;

/// A header with a right checksum, and the data in blocks.
fn entry(kind: u8, name: &[u8], link: &[u8], mode: u32, data: &[u8]) -> Vec<u8> {
    let mut block = vec![0; BLOCK];
    block[..name.len()].copy_from_slice(name);
    block[100..107].copy_from_slice(format!("{mode:07o}").as_bytes());
    block[124..135].copy_from_slice(format!("{:011o}", data.len()).as_bytes());
    block[156] = kind;
    block[157..157 + link.len()].copy_from_slice(link);
    block[257..263].copy_from_slice(b"ustar\0");
    block[263..265].copy_from_slice(b"00");
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
    block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    block.extend_from_slice(data);
    block.resize(block.len().next_multiple_of(BLOCK), 0);
    block
}

fn pax(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while rest + length.to_string().len() != length {
        length += 1;
    }
    let record = [format!("{length} {key}=").as_bytes(), value, b"\n"].concat();
    entry(b'x', b"extra", b"", 0o644, &record)
}

/// Unpacks entries into a folder beside which nothing may appear.
fn try_entries(entries: &[Vec<u8>], bytes: u64) -> (tempfile::TempDir, io::Result<()>) {
    let root = tempfile::tempdir().expect("a temporary folder");
    let mut stream = tempfile::tempfile().expect("a temporary file");
    stream.write_all(&entries.concat()).expect("written");
    let into = root.path().join("into");
    fs::create_dir(&into).expect("made");
    let mut budget = Budget { bytes, files: 20 };
    let result = unpack(&stream, &into, &mut budget);
    let beside: Vec<_> = fs::read_dir(root.path()).expect("there").collect();
    assert_eq!(beside.len(), 1, "nothing is written outside");
    (root, result)
}

fn end() -> Vec<u8> {
    vec![0; 2 * BLOCK]
}

#[test]
fn folders_files_and_links_arrive_with_plain_modes() {
    let long = format!("deep/{}/{}", "a".repeat(150), "b".repeat(200));
    let (root, result) = try_entries(
        &[
            entry(b'5', b"./", b"", 0o700, b""),
            entry(b'5', b"./etc/", b"", 0o777, b""),
            entry(b'0', b"./etc/motd", b"", 0o4600, b"hello"),
            entry(b'0', b"run.sh", b"", 0o4755, &[b'x'; 700]),
            entry(b'2', b"etc/link", b"/../outside", 0o777, b""),
            pax("path", long.as_bytes()),
            entry(b'0', b"short", b"", 0o644, b"long"),
            entry(b'L', b"././@LongLink", b"", 0o644, b"gnu/name\0"),
            entry(b'0', b"other", b"", 0o644, b"gnu"),
            end(),
        ],
        1 << 20,
    );
    result.expect("unpacked");
    let into = root.path().join("into");
    for (name, mode, text) in [
        ("etc/motd", 0o644, "hello"),
        ("run.sh", 0o755, "x".repeat(700).as_str()),
        (long.as_str(), 0o644, "long"),
        ("gnu/name", 0o644, "gnu"),
    ] {
        let path = into.join(name);
        assert_eq!(fs::read_to_string(&path).expect(name), text);
        assert_eq!(fs::metadata(&path).expect(name).mode() & 0o7777, mode);
    }
    assert_eq!(
        fs::metadata(into.join("etc")).expect("made").mode() & 0o7777,
        0o755
    );
    let link = fs::read_link(into.join("etc/link")).expect("a link");
    assert_eq!(link, Path::new("/../outside"));
}

#[test]
fn whatever_could_lead_out_or_is_unusual_is_refused() {
    let file = |name: &[u8]| entry(b'0', name, b"", 0o644, b"x");
    let out = |link: &[u8]| entry(b'2', b"out", link, 0o777, b"");
    let deep = vec![b"d/".as_slice(); DEEPEST + 1].concat();
    let cases: Vec<(&str, Vec<Vec<u8>>, &str)> = vec![
        ("up", vec![file(b"../x")], "not below"),
        ("up inside", vec![file(b"a/../../x")], "not below"),
        ("absolute", vec![file(b"/etc/x")], "not below"),
        (
            "up by pax",
            vec![pax("path", b"../x"), file(b"x")],
            "not below",
        ),
        ("no name", vec![pax("path", b""), file(b"x")], "not below"),
        (
            "NUL in a name",
            vec![pax("path", b"a\0b"), file(b"x")],
            "no file can have",
        ),
        ("too deep", vec![pax("path", &deep), file(b"x")], "too deep"),
        (
            "too long",
            vec![pax("path", &[b'a'; 5000]), file(b"x")],
            "too long",
        ),
        (
            "an endless name",
            vec![entry(b'L', b"l", b"", 0, &[b'a'; 20_000])],
            "overlong",
        ),
        (
            "file through a link to a folder",
            vec![out(b".."), file(b"out/x")],
            "below a link",
        ),
        (
            "folder through a link",
            vec![out(b"/tmp"), entry(b'5', b"out/x", b"", 0o755, b"")],
            "below a link",
        ),
        (
            "file over a link",
            vec![out(b"../x"), file(b"out")],
            "twice",
        ),
        ("file twice", vec![file(b"x"), file(b"x")], "twice"),
        ("file below a file", vec![file(b"x"), file(b"x/y")], "below"),
        (
            "hard link",
            vec![entry(b'1', b"h", b"/etc/shadow", 0o644, b"")],
            "hard link",
        ),
        (
            "character device",
            vec![entry(b'3', b"null", b"", 0o666, b"")],
            "device",
        ),
        (
            "block device",
            vec![entry(b'4', b"sda", b"", 0o666, b"")],
            "device",
        ),
        (
            "named pipe",
            vec![entry(b'6', b"p", b"", 0o666, b"")],
            "named pipe",
        ),
        (
            "sparse",
            vec![pax("GNU.sparse.major", b"1"), file(b"x")],
            "sparse",
        ),
        (
            "headers for everybody",
            vec![entry(b'g', b"g", b"", 0o644, b"")],
            "unknown kind",
        ),
        (
            "a size that is no number",
            vec![pax("size", b"-1"), file(b"x")],
            "damaged",
        ),
        (
            "more than there is",
            vec![pax("size", b"1600"), file(b"x")],
            "damaged",
        ),
        (
            "over the budget",
            vec![entry(b'0', b"x", b"", 0o644, &[b'x'; 5000])],
            "too large",
        ),
        (
            "too many files",
            (0..21).map(|n| file(format!("{n}").as_bytes())).collect(),
            "too many",
        ),
    ];
    for (name, mut entries, why) in cases {
        entries.push(end());
        let (_root, result) = try_entries(&entries, 4000);
        let error = result.expect_err(name).to_string();
        assert!(error.contains(why), "{name}: {error}");
    }
}

#[test]
fn a_damaged_or_torn_stream_is_refused() {
    let whole = [entry(b'0', b"x", b"", 0o644, b"hello"), end()].concat();
    for length in [0, 100, BLOCK, BLOCK + 3, 2 * BLOCK] {
        let (_root, result) = try_entries(&[whole[..length].to_vec()], 1000);
        assert!(result.is_err(), "{length} bytes");
    }
    let mut flipped = whole;
    flipped[0] ^= 1;
    let (_root, result) = try_entries(&[flipped], 1000);
    assert!(result.is_err(), "the sum is wrong");
}

#[test]
fn only_a_tar_stream_is_one() {
    for (bytes, want) in [
        (entry(b'5', b"./", b"", 0o755, b""), true),
        (b"#!/bin/sh\n".to_vec(), false),
        (end(), true),
        (vec![0; 100], false),
    ] {
        let mut file = tempfile::tempfile().expect("a temporary file");
        file.write_all(&bytes).expect("written");
        assert_eq!(is_one(&file).expect("read"), want);
    }
}
