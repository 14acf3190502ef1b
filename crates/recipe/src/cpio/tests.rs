use super::*;

#[test]
fn cpio_reads_it_back() {
    use std::{io::Write, process};

    let files: [(&str, &[u8]); 3] = [
        ("/usr/share/a", b"one"),
        ("/usr/share/b.png", &[0, 1, 2, 3, 4]),
        ("/etc/c", b""),
    ];
    let bytes = archive(files, 1_700_000_000);
    assert_eq!(bytes.len() % 4, 0);
    let found = entries(&bytes).expect("ours");
    let files_again: Vec<_> = found
        .iter()
        .filter(|entry| entry.mode == 0o100_644)
        .collect();
    assert_eq!(files_again.len(), 3);
    assert_eq!(
        (files_again[1].path, files_again[1].bytes),
        ("usr/share/b.png", &[0, 1, 2, 3, 4][..])
    );
    let kept = found.iter().filter(|entry| entry.path != "etc/c").copied();
    let again = rewrite(kept, 0);
    assert_eq!(entries(&again).expect("ours").len(), found.len() - 1);
    assert!(entries(&bytes[..200]).is_err());
    let mut whole = vec![1_u8; 5];
    append(&mut whole, &bytes);
    assert_eq!(&whole[8..14], b"070701");

    let spawned = process::Command::new("cpio")
        .args(["--list", "--quiet"])
        .stdin(process::Stdio::piped())
        .stdout(process::Stdio::piped())
        .spawn();
    // Where there is no cpio, the boot suite still shows that the kernel takes it.
    let Ok(mut child) = spawned else { return };
    let mut to = child.stdin.take().expect("piped");
    to.write_all(&bytes).expect("written");
    drop(to);
    let listed = child.wait_with_output().expect("ended");
    assert_eq!(
        String::from_utf8_lossy(&listed.stdout),
        "usr\nusr/share\nusr/share/a\nusr/share/b.png\netc\netc/c\n"
    );
}
