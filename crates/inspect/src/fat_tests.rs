use super::*;

const SECTOR: usize = 512;

/// A FAT12 image of 64 sectors: one table sector, 16 root entries, clusters
/// of one sector from sector 3 on.
fn image() -> Vec<u8> {
    let mut bytes = vec![0; 64 * SECTOR];
    for (at, value) in [(11, 512u16), (14, 1), (17, 16), (19, 64), (22, 1)] {
        bytes[at..at + 2].copy_from_slice(&value.to_le_bytes());
    }
    bytes[13] = 1;
    bytes[16] = 1;
    bytes[39..43].copy_from_slice(&0x1234_5678u32.to_le_bytes());
    bytes[510..512].copy_from_slice(&[0x55, 0xaa]);
    bytes
}

fn link(bytes: &mut [u8], cluster: usize, next: u16) {
    let at = SECTOR + cluster + cluster / 2;
    let old = u16::from_le_bytes([bytes[at], bytes[at + 1]]);
    let new = if cluster.is_multiple_of(2) {
        old & 0xf000 | next
    } else {
        old & 0x000f | next << 4
    };
    bytes[at..at + 2].copy_from_slice(&new.to_le_bytes());
}

fn entry(name: &[u8; 11], attributes: u8, cluster: u16, size: u32) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..11].copy_from_slice(name);
    bytes[11] = attributes;
    bytes[26..28].copy_from_slice(&cluster.to_le_bytes());
    bytes[28..].copy_from_slice(&size.to_le_bytes());
    bytes
}

fn put(bytes: &mut [u8], at: usize, content: &[u8]) {
    bytes[at..at + content.len()].copy_from_slice(content);
}

/// `EFI/A.TXT` of 600 bytes in clusters 3 and 5.
fn with_file() -> Vec<u8> {
    let mut bytes = image();
    put(&mut bytes, 2 * SECTOR, &entry(b"EFI        ", 0x10, 2, 0));
    put(&mut bytes, 3 * SECTOR, &entry(b".          ", 0x10, 2, 0));
    put(
        &mut bytes,
        3 * SECTOR + 32,
        &entry(b"A       TXT", 0x20, 3, 600),
    );
    for (cluster, next) in [(2, 0xfff), (3, 5), (5, 0xfff)] {
        link(&mut bytes, cluster, next);
    }
    put(&mut bytes, 4 * SECTOR, &[b'x'; SECTOR]);
    put(&mut bytes, 6 * SECTOR, &[b'y'; SECTOR]);
    bytes
}

#[test]
fn files_are_read_along_their_chain() {
    let bytes = with_file();
    let fat = Fat::open(&bytes).unwrap();
    assert_eq!(
        (fat.width(), fat.size(), fat.volume_id()),
        (Width::Fat12, 64 * 512, 0x1234_5678)
    );
    let files = fat.files().unwrap();
    assert_eq!(
        files
            .iter()
            .map(|f| (f.path.as_str(), f.size))
            .collect::<Vec<_>>(),
        [("EFI/A.TXT", 600)]
    );
    let content = fat.read(&files[0], 1000).unwrap();
    assert_eq!(content, [&[b'x'; 512][..], &[b'y'; 88]].concat());
    assert!(matches!(
        fat.read(&files[0], 599),
        Err(InspectError::TooLarge { .. })
    ));
}

#[test]
fn long_and_lower_case_names() {
    let mut bytes = image();
    let mut long = [0u8; 32];
    long[0] = 0x41;
    long[11] = 0x0f;
    let units: Vec<u16> = "grubx64.efi".encode_utf16().chain([0, 0xffff]).collect();
    for (place, unit) in [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30]
        .into_iter()
        .zip(units)
    {
        put(&mut long, place, &unit.to_le_bytes());
    }
    put(&mut bytes, 2 * SECTOR, &long);
    put(
        &mut bytes,
        2 * SECTOR + 32,
        &entry(b"GRUBX64 EFI", 0x20, 0, 0),
    );
    let mut lower = entry(b"MMX64   EFI", 0x20, 0, 0);
    lower[12] = 0x18;
    put(&mut bytes, 2 * SECTOR + 64, &lower);
    put(
        &mut bytes,
        2 * SECTOR + 96,
        &entry(b"\xe5LD     EFI", 0x20, 0, 0),
    );
    put(
        &mut bytes,
        2 * SECTOR + 128,
        &entry(b"LABEL      ", 0x08, 0, 0),
    );
    let names: Vec<_> = Fat::open(&bytes)
        .unwrap()
        .files()
        .unwrap()
        .into_iter()
        .map(|f| f.path)
        .collect();
    assert_eq!(names, ["grubx64.efi", "mmx64.efi"]);
}

#[test]
fn loops_and_lies_are_damage() {
    let mut chain_loop = with_file();
    link(&mut chain_loop, 5, 3);
    put(
        &mut chain_loop,
        3 * SECTOR + 32,
        &entry(b"A       TXT", 0x20, 3, 1 << 30),
    );
    let mut wild = with_file();
    link(&mut wild, 3, 0x7ff);
    let mut short = with_file();
    link(&mut short, 3, 0xfff);
    for bytes in [chain_loop, wild, short] {
        let fat = Fat::open(&bytes).unwrap();
        let file = fat.files().unwrap().remove(0);
        assert!(matches!(
            fat.read(&file, 2 << 30),
            Err(InspectError::Damaged { .. })
        ));
    }

    let mut nested = with_file();
    put(
        &mut nested,
        3 * SECTOR + 32,
        &entry(b"AGAIN      ", 0x10, 2, 0),
    );
    assert!(matches!(
        Fat::open(&nested).unwrap().files(),
        Err(InspectError::Damaged { .. })
    ));
}

#[test]
fn boot_sectors_that_describe_nothing_are_refused() {
    for (at, value) in [
        (11, 0u8),
        (13, 0),
        (13, 3),
        (14, 0),
        (16, 0),
        (22, 0),
        (510, 0),
    ] {
        let mut bytes = image();
        bytes[at] = value;
        if at == 11 {
            bytes[12] = 0;
        }
        assert!(Fat::open(&bytes).is_err(), "byte {at} = {value}");
    }
    assert!(Fat::open(&vec![0u8; 10]).is_err());
}
