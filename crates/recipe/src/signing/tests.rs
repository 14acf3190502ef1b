//! On the keys of the checker's own tests, which sign nothing else.

use std::os::unix::fs::PermissionsExt;

use isosmith_spec::{Layer, Origin};

use super::*;
use crate::{Materials, Mirrors, Order, SquashfsWriter, steps};

fn keys() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/src/signing/keys")
}

/// A build whose profile has `more` at its end; its files lie in `inputs`.
fn state(more: &str, inputs: Option<&Path>) -> Debian {
    let text = format!("format = 1\n[profile]\nname = \"t\"\n{more}");
    let layer = Layer::new(Origin::Profile("t".into()), "", text);
    let (spec, merged) = isosmith_spec::load(vec![layer], &|_| None).expect("a good profile");
    let mirrors = Mirrors {
        archive: vec!["http://m/debian".into()],
        security: vec!["http://m/sec".into()],
        proxy: None,
    };
    Debian::new(Order {
        profile: merged.to_toml(),
        materials: Materials::collect(&spec.materials(), &keys(), inputs).expect("files"),
        assistant: None,
        mirrors: mirrors.clone(),
        tool_mirrors: mirrors,
        squashfs_writer: SquashfsWriter::Mksquashfs,
        manner: isosmith_protocol::Manner::default(),
        previous: None,
    })
    .expect("a good order")
}

fn signed_with(key: &str, certificate: &str) -> String {
    format!("[security.signing]\nkey = \"{key}\"\ncertificate = \"{certificate}\"\n")
}

fn owner() -> String {
    signed_with("owner.key", "owner.pem")
}

#[test]
fn a_pair_that_cannot_sign_is_found_before_the_build() {
    let check = |key: &str, certificate: &str, want: &str| {
        let state = state(&signed_with(key, certificate), None);
        let found = check_signing(&state.spec, &|path| state.place(path));
        match found {
            Ok(signer) => assert!(want.is_empty() && signer.is_some(), "{key}: taken"),
            Err(failure) => {
                assert_eq!(failure.code, Code::MaterialInvalid);
                assert!(failure.message.starts_with(want), "{key}: {failure:?}");
                assert!(failure.advice.ends_with('.'), "{failure:?}");
            }
        }
    };
    check("owner.key", "owner.pem", "");
    check("owner-pkcs1.key", "owner.pem", "");
    check(
        "other.key",
        "owner.pem",
        "security.signing.key: other.key: the key is not",
    );
    check(
        "locked.key",
        "owner.pem",
        "security.signing.key: locked.key: the key is protected",
    );
    check(
        "curve.key",
        "curve.pem",
        "security.signing.certificate: curve.pem: the certificate",
    );
    check(
        "owner.pem",
        "modules.pem",
        "security.signing.certificate: modules.pem",
    );
    let none = state("", None);
    assert_eq!(
        check_signing(&none.spec, &|path| none.place(path)),
        Ok(None)
    );
}

#[test]
fn kernels_and_loaders_are_signed_and_no_command_has_the_key() {
    let scratch = tempfile::tempdir().expect("a folder");
    let lines = crate::rehearse(state(&owner(), None), scratch.path()).expect("rehearsed");
    let of = |program: &str| {
        let word = format!("{program} --");
        lines.iter().filter(|line| line.contains(&word)).count()
    };
    // One kernel, shim and GRUB.
    assert_eq!((of("sbsign"), of("sbverify")), (3, 3));
    let at = |part: &str| lines.iter().position(|line| line.contains(part));
    assert!(at("update-initramfs -c") < at("sbsign --"), "{lines:#?}");
    assert!(at("sbsign --") < at("mksquashfs"), "{lines:#?}");
    let key = fs::read_to_string(keys().join("owner.key")).expect("a key");
    for part in key.lines().filter(|line| !line.starts_with('-')) {
        assert_eq!(at(part), None);
    }
    let plain = crate::rehearse(state("", None), scratch.path()).expect("rehearsed");
    assert!(
        !plain.iter().any(|line| line.contains("sbsign")),
        "{plain:#?}"
    );
}

#[test]
fn another_key_makes_another_medium_and_no_other_tree() {
    let ours = state(&owner(), None);
    let other = state(&signed_with("curve.key", "curve.pem"), None);
    let none = state("", None);
    assert_ne!(
        steps::signing::inputs(&ours),
        steps::signing::inputs(&other)
    );
    assert_ne!(ours.signing_inputs(), none.signing_inputs());
    let tools = |state: &Debian| steps::environment::tools_inputs(state);
    assert_eq!(tools(&ours), tools(&other));
    assert_ne!(tools(&ours), tools(&none));
    let inputs = steps::signing::inputs(&ours).to_string();
    let key = ours
        .spec
        .security
        .signing
        .as_ref()
        .map(|signing| &signing.key);
    let hash = ours.materials.hash(key.expect("a key"));
    assert!(
        !inputs.contains(hash),
        "the key stands in no key of the cache"
    );
}

#[test]
fn the_copy_of_a_key_is_its_owner_s_alone() {
    let inputs = tempfile::tempdir().expect("a folder");
    let state = state(&owner(), Some(inputs.path()));
    let secrets: Vec<&Path> = state.materials.secrets().collect();
    assert_eq!(secrets.len(), 1);
    let key = fs::read(keys().join("owner.key")).expect("a key");
    for entry in fs::read_dir(inputs.path()).expect("a folder") {
        let path = entry.expect("a file").path();
        let mode = fs::metadata(&path).expect("there").permissions().mode() & 0o777;
        let is_key = fs::read(&path).expect("a file") == key;
        assert_eq!(is_key, secrets.contains(&path.as_path()));
        assert_eq!(mode, if is_key { 0o600 } else { 0o644 });
    }
}
