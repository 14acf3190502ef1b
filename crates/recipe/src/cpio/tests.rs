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
