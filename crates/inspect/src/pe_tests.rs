//! Also makes the signed programs that the tests of whole media use.

use super::*;

const HEADER: usize = 0x200;

/// A PE32+ file with the given sections, each at the next multiple of 512.
pub(crate) fn pe(sections: &[(&str, &[u8])]) -> Vec<u8> {
    let mut file = vec![0; HEADER];
    file[..2].copy_from_slice(b"MZ");
    file[0x3c] = 0x40;
    file[0x40..0x44].copy_from_slice(b"PE\0\0");
    file[0x44..0x46].copy_from_slice(&0x8664u16.to_le_bytes());
    file[0x46] = sections.len() as u8;
    file[0x54..0x56].copy_from_slice(&240u16.to_le_bytes());
    file[0x58..0x5a].copy_from_slice(&0x20bu16.to_le_bytes());
    file[0x58 + 108] = 16;
    for (index, (name, content)) in sections.iter().enumerate() {
        let header = 0x58 + 240 + index * 40;
        file[header..header + name.len()].copy_from_slice(name.as_bytes());
        let at = file.len() as u32;
        let size = content.len() as u32;
        for (field, value) in [(8, size), (16, size.next_multiple_of(512)), (20, at)] {
            file[header + field..header + field + 4].copy_from_slice(&value.to_le_bytes());
        }
        file.extend_from_slice(content);
        file.resize(file.len().next_multiple_of(512), 0);
    }
    file
}

fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let len = content.len();
    let mut bytes = vec![tag];
    match len {
        ..128 => bytes.push(len as u8),
        128.. => bytes.extend([0x82, (len >> 8) as u8, len as u8]),
    }
    bytes.extend(content);
    bytes
}

fn name(common: &str) -> Vec<u8> {
    let attribute = tlv(
        SEQUENCE,
        &[&[OID, 3, 0x55, 4, 3], &tlv(0x0c, &[common.as_bytes()])],
    );
    tlv(SEQUENCE, &[&tlv(SET, &[&attribute])])
}

/// A SignedData that names `subject` and `issuer` and signs `digest`.
fn pkcs7(subject: &str, issuer: &str, digest: &[u8]) -> Vec<u8> {
    let serial = tlv(INTEGER, &[&[7]]);
    let empty = tlv(SEQUENCE, &[]);
    let certificate = |serial: &[u8], subject: &str| {
        let version = tlv(CONTEXT_0, &[&tlv(INTEGER, &[&[2]])]);
        let fields = tlv(
            SEQUENCE,
            &[
                &version,
                serial,
                &empty,
                &name(issuer),
                &empty,
                &name(subject),
            ],
        );
        tlv(SEQUENCE, &[&fields])
    };
    let other = certificate(&tlv(INTEGER, &[&[9]]), "somebody else");
    let sha256 = [OID, 9, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
    let info = tlv(
        SEQUENCE,
        &[&tlv(SEQUENCE, &[&sha256]), &tlv(OCTET_STRING, &[digest])],
    );
    let indirect = tlv(CONTEXT_0, &[&tlv(SEQUENCE, &[&empty, &info])]);
    let content = tlv(SEQUENCE, &[&[OID, 1, 1], &indirect]);
    let signer = tlv(
        SEQUENCE,
        &[
            &tlv(INTEGER, &[&[1]]),
            &tlv(SEQUENCE, &[&name(issuer), &serial]),
        ],
    );
    let signed = tlv(
        SEQUENCE,
        &[
            &tlv(INTEGER, &[&[1]]),
            &tlv(SET, &[]),
            &content,
            &tlv(CONTEXT_0, &[&other, &certificate(&serial, subject)]),
            &tlv(SET, &[&signer]),
        ],
    );
    tlv(SEQUENCE, &[&[OID, 1, 2], &tlv(CONTEXT_0, &[&signed])])
}

pub(crate) fn sign(mut file: Vec<u8>, signers: &[(&str, &str)]) -> Vec<u8> {
    let directory = 0x58 + 112 + 32;
    let start = file.len();
    let mut hash = Sha256::new();
    hash.update(&file[..0x58 + 64]);
    hash.update(&file[0x58 + 68..directory]);
    hash.update(&file[directory + 8..]);
    let digest = hash.finalize();
    for (subject, issuer) in signers {
        let content = pkcs7(subject, issuer, &digest);
        file.extend((content.len() as u32 + 8).to_le_bytes());
        file.extend([0, 2, 2, 0]);
        file.extend(content);
        file.resize(file.len().next_multiple_of(8), 0);
    }
    let len = (file.len() - start) as u32;
    file[directory..directory + 4].copy_from_slice(&(start as u32).to_le_bytes());
    file[directory + 4..directory + 8].copy_from_slice(&len.to_le_bytes());
    file
}

const SBAT: &[u8] = b"sbat,1,SBAT Version,sbat,1,https://example.org\ngrub,5,FSF,grub,2.12,https://example.org\n\0junk,9";

#[test]
fn every_signature_is_found_with_its_names() {
    let signers = [
        (
            "Microsoft Windows UEFI Driver Publisher",
            "Microsoft UEFI CA 2011",
        ),
        ("Second", "UEFI CA 2023"),
    ];
    let file = sign(pe(&[(".sbat", SBAT)]), &signers);
    let program = parse(&file).unwrap();
    assert_eq!(program.machine, 0x8664);
    assert_eq!(program.signatures.len(), 2);
    for (found, (subject, issuer)) in program.signatures.iter().zip(signers) {
        assert_eq!(found.subject.as_deref(), Some(subject));
        assert_eq!(found.issuer.as_deref(), Some(issuer));
        assert_eq!(found.covers_file, Some(true));
    }
    assert!(program.signatures[0].names("Microsoft") && !program.signatures[0].names("Debian"));
    assert_eq!(
        program.sbat,
        BTreeMap::from([("sbat".to_owned(), 1), ("grub".to_owned(), 5)])
    );
}

#[test]
fn a_changed_byte_is_no_longer_covered() {
    let mut file = sign(pe(&[(".sbat", SBAT)]), &[("Debian", "Debian CA")]);
    file[HEADER + 10] ^= 1;
    assert_eq!(parse(&file).unwrap().signatures[0].covers_file, Some(false));
}

#[test]
fn sbat_levels_and_grub_prefix() {
    let level = [
        &[0; 4][..],
        &[8, 0, 0, 0],
        &[30, 0, 0, 0],
        b"sbat,1,2024010900\ngrub,4\n\0newer\0",
    ]
    .concat();
    let mut mods = b"mimg\0\0\0\0\x18\0\0\0\0\0\0\0".to_vec();
    mods.resize(24, 0);
    mods.extend([0, 0, 0, 0, 12, 0, 0, 0, 1, 2, 3, 4]);
    mods.extend([3, 0, 0, 0, 20, 0, 0, 0]);
    mods.extend(b"/boot/grub\0\0");
    let program = parse(&pe(&[
        (".sbatlevel"[..8].as_ref(), &level),
        ("mods", &mods),
    ]))
    .unwrap();
    assert_eq!(program.grub_prefix.as_deref(), Some("/boot/grub"));
    assert_eq!(sbat_level(&level).get("grub"), Some(&4));
    assert_eq!(program.signatures, []);
}

#[test]
fn long_section_names_come_from_the_string_table() {
    let mut file = pe(&[("/4", &[0; 16])]);
    let strings = file.len() as u32;
    file[0x4c..0x50].copy_from_slice(&strings.to_le_bytes());
    file.extend(b"\x10\0\0\0.sbatlevel\0");
    assert_eq!(parse(&file).unwrap().sections, [".sbatlevel"]);
}

#[test]
fn no_byte_of_a_file_makes_it_panic() {
    let mods = [
        &b"mimg\0\0\0\0\x18\0\0\0\0\0\0\0"[..],
        &[0; 8],
        &[0, 0, 0, 0, 0, 0, 0, 0],
    ]
    .concat();
    let file = sign(pe(&[(".sbat", SBAT), ("mods", &mods)]), &[("A", "B")]);
    for end in (0..file.len()).step_by(7) {
        let _ = parse(&file[..end]);
    }
    for at in 0..file.len() {
        for value in [0, 0x7f, 0x80, 0xff] {
            let mut bytes = file.clone();
            bytes[at] = value;
            let _ = parse(&bytes);
        }
    }
    assert!(parse(b"not a program").is_err());
}
