use std::{
    fs::{self, File},
    io::Write,
};

use isosmith_protocol::{ErrorMode, Manner};

use super::*;

const SPEC: &str = "format = 1\n[profile]\nname = 'demo'\n\
    [[scripts]]\nsource = 'a.sh'\npoint = 'before-image'\n[branding]\nlogo = 'logo.png'\n";

pub(super) fn spec() -> BuildSpec {
    check_spec(SPEC).expect("a good spec")
}

pub(super) fn file(text: &[u8]) -> File {
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(text).expect("written");
    file
}

pub(super) fn kind<T>(result: Result<T, Refusal>) -> Option<Kind> {
    result.err().map(|refusal| refusal.kind)
}

#[test]
fn texts_are_checked_as_the_build_checks_them() {
    let big = format!("{SPEC}#{}", "x".repeat(MOST_TEXT));
    let deep = format!("format = 1\nx = {}", "[".repeat(100_000));
    let prompt = format!("{SPEC}[users.root]\npassword = 'prompt'\n");
    let on_disk = format!("{SPEC}[base]\nmirrors = ['file:///srv/mirror']\n");
    for (name, text, want) in [
        ("good", SPEC, None),
        ("empty", "", Some(Kind::InvalidSpec)),
        ("no TOML", "{", Some(Kind::InvalidSpec)),
        ("too big", &big, Some(Kind::InvalidSpec)),
        ("too deep", &deep, Some(Kind::InvalidSpec)),
        (
            "a password to be asked for",
            &prompt,
            Some(Kind::InvalidSpec),
        ),
        (
            "a folder of this machine",
            &on_disk,
            Some(Kind::InvalidSpec),
        ),
        (
            "an unknown field",
            &format!("{SPEC}colour = 1\n"),
            Some(Kind::InvalidSpec),
        ),
    ] {
        assert_eq!(kind(check_spec(text)), want, "{name}");
    }
}

#[test]
fn whatever_is_asked_for_is_in_the_fingerprint() {
    let root = tempfile::tempdir().expect("a temporary folder");
    let take = |number: usize, script: &[u8]| {
        let places = Places::open(
            &root.path().join(number.to_string()),
            &root.path().join("cache"),
        );
        let (_, incoming) = Incoming::make(&places.expect("opened"), "demo").expect("made");
        let files = HashMap::from([
            ("a.sh".to_owned(), file(script)),
            ("logo.png".to_owned(), file(b"<svg/>")),
        ]);
        let handed = Handed::Each(files);
        handed.copy(&spec(), &incoming).expect("copied")
    };
    let (one, same, other) = (take(0, b"#!/a"), take(1, b"#!/a"), take(2, b"#!/b"));
    let usual = Options::default();
    let strict = Options {
        manner: Manner {
            errors: ErrorMode::Strict,
            ..Manner::default()
        },
        ..usual
    };
    let of_one = fingerprint(SPEC, &usual, &one);
    assert_eq!(
        of_one,
        fingerprint(SPEC, &usual, &same),
        "the place is no part"
    );
    let others = [
        fingerprint(&format!("{SPEC}\n"), &usual, &one),
        fingerprint(SPEC, &strict, &one),
        fingerprint(SPEC, &usual, &other),
    ];
    for (number, other) in others.iter().enumerate() {
        assert_ne!(*other, of_one, "{number}");
    }
    assert_eq!(of_one.len(), 64);
}

#[test]
fn a_request_that_is_not_allowed_leaves_nothing() {
    let root = tempfile::tempdir().expect("a temporary folder");
    let places =
        Places::open(&root.path().join("state"), &root.path().join("cache")).expect("opened");
    let (id, incoming) = Incoming::make(&places, "demo").expect("made");
    fs::write(incoming.folder("inputs").expect("made").join("0"), "x").expect("written");
    drop(incoming);
    let left = |folder| fs::read_dir(folder).expect("there").count();
    assert_eq!(left(places.incoming()), 0);
    let (_, incoming) = Incoming::make(&places, "demo").expect("made");
    incoming.keep(&places.record(&id).build()).expect("kept");
    assert_eq!((left(places.incoming()), left(places.builds())), (0, 1));
}
