//! The keys beside this file sign nothing but these tests.

use super::*;

const OWNER: &str = include_str!("keys/owner.pem");
const OWNER_KEY: &str = include_str!("keys/owner.key");

fn owner() -> Signer {
    Signer::read(OWNER.as_bytes()).expect("a certificate")
}

#[test]
fn certificates() {
    let der = owner().der().to_vec();
    let twice = format!("{OWNER}{OWNER}");
    let both = format!("{OWNER}{OWNER_KEY}");
    let wrapped = format!("Bag Attributes\n  friendlyName: kim\n{OWNER}rest\n");
    let broken = OWNER.replacen("MII", "MIJ", 1);
    let check = |what: &str, bytes: &[u8], want: &str| {
        let found = Signer::read(bytes).map(|signer| signer.fingerprint());
        match (found, want) {
            (Ok(found), "") => assert_eq!(found, owner().fingerprint(), "{what}"),
            (Err(reason), want) if !want.is_empty() => {
                assert!(reason.to_string().contains(want), "{what}: {reason}");
            }
            (found, want) => panic!("{what}: {found:?}, and not {want:?}"),
        }
    };
    check("PEM", OWNER.as_bytes(), "");
    check("DER", &der, "");
    check("with words around it", wrapped.as_bytes(), "");
    check("two", twice.as_bytes(), "more than one");
    check("with its key", both.as_bytes(), "files of their own");
    check("a key", OWNER_KEY.as_bytes(), "holds a private key");
    check("damaged", broken.as_bytes(), "no X.509 certificate");
    check("cut off", &OWNER.as_bytes()[..600], "no X.509 certificate");
    check("cut off DER", &der[..400], "no X.509 certificate");
    check("nothing", b"", "no X.509 certificate");
    check("not text", b"\xff\xfe\0", "no X.509 certificate");
    check("1024 bits", include_bytes!("keys/short.pem"), "1024 bits");
    check(
        "a curve",
        include_bytes!("keys/curve.pem"),
        "not for an RSA key",
    );
    check(
        "modules",
        include_bytes!("keys/modules.pem"),
        "modules of a kernel",
    );
}

#[test]
fn keys() {
    let check = |what: &str, key: &str, want: &str| match (owner().owns(key.as_bytes()), want) {
        (Ok(()), "") => {}
        (Err(reason), want) if !want.is_empty() => {
            let said = reason.to_string();
            assert!(said.contains(want), "{what}: {said}");
            let line = key.lines().nth(3).unwrap_or("-");
            assert!(line.len() < 20 || !said.contains(line), "{what} is told");
        }
        (found, want) => panic!("{what}: {found:?}, and not {want:?}"),
    };
    let broken = OWNER_KEY.replacen("MII", "MIJ", 1);
    let openssh = OWNER_KEY.replace("PRIVATE", "OPENSSH PRIVATE");
    check("PKCS #8", OWNER_KEY, "");
    check("PKCS #1", include_str!("keys/owner-pkcs1.key"), "");
    check(
        "another's",
        include_str!("keys/other.key"),
        "Kim's machines",
    );
    check(
        "locked",
        include_str!("keys/locked.key"),
        "openssl pkey -in",
    );
    check(
        "locked, old",
        include_str!("keys/locked-pkcs1.key"),
        "passphrase",
    );
    check("a curve", include_str!("keys/curve.key"), "no RSA key");
    check("of SSH", &openssh, "no RSA key");
    check("a certificate", OWNER, "no private key");
    check("damaged", &broken, "cannot be read");
    check("nothing", "", "no private key");
}

#[test]
fn what_people_compare() {
    let owner = owner();
    assert_eq!(owner.name(), "Kim's machines");
    assert_eq!(
        owner.fingerprint(),
        include_str!("keys/owner.sha256").trim()
    );
    assert_eq!(
        owner.short_fingerprint(),
        include_str!("keys/owner.sha1").trim()
    );
    let again = Signer::read(owner.pem().expect("written").as_bytes());
    assert_eq!(again.as_ref(), Ok(&owner));
}

#[test]
fn dates_are_only_odd() {
    let owner = owner();
    for (now, want) in [
        (owner.begins, None),
        (owner.ends, None),
        (owner.begins - 1, Some("not valid yet")),
        (owner.ends + 1, Some("ran out")),
    ] {
        let found = owner.warning(now);
        assert_eq!(found.is_some(), want.is_some(), "{now}");
        assert!(found.unwrap_or_default().contains(want.unwrap_or_default()));
    }
}

#[test]
fn only_small_regular_files_are_read() {
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/src/signing/keys/owner.pem");
    assert_eq!(read_file(Path::new(own)).expect("a file"), OWNER.as_bytes());
    // Of the second nobody would ever see the end.
    for (path, want) in [
        ("/", "no small file"),
        ("/dev/zero", "no small file"),
        ("/none/at/all", "cannot be read"),
    ] {
        let reason = read_file(Path::new(path)).expect_err(path);
        assert!(reason.to_string().contains(want), "{path}: {reason}");
    }
}
