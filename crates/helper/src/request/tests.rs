use std::{fs, io::Write};

use super::*;

const SPEC: &str = "format = 1\n[profile]\nname = 'demo'\n\
    [[scripts]]\nsource = 'a.sh'\npoint = 'before-image'\n[branding]\nlogo = 'logo.png'\n";

fn spec() -> BuildSpec {
    check_spec(SPEC).expect("a good spec")
}

fn file(text: &[u8]) -> File {
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(text).expect("written");
    file
}

fn kind<T>(result: Result<T, Refusal>) -> Option<Kind> {
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
fn exactly_the_named_files_are_taken_and_only_regular_ones() {
    let root = tempfile::tempdir().expect("a temporary folder");
    let pipe = || {
        let (reader, _) = std::io::pipe().expect("a pipe");
        File::from(OwnedFd::from(reader))
    };
    let open = |path: &str| File::open(path).expect("there");
    let folder = || File::open(root.path()).expect("there");
    type Case<'a> = (&'a str, Vec<(&'a str, File)>, Option<Kind>);
    let cases: Vec<Case<'_>> = vec![
        (
            "all",
            vec![("a.sh", file(b"x")), ("logo.png", file(b"x"))],
            None,
        ),
        (
            "one is missing",
            vec![("a.sh", file(b"x"))],
            Some(Kind::InvalidFile),
        ),
        (
            "one too many",
            vec![
                ("a.sh", file(b"x")),
                ("logo.png", file(b"x")),
                ("/etc/shadow", file(b"x")),
            ],
            Some(Kind::InvalidFile),
        ),
        (
            "a pipe",
            vec![("a.sh", pipe()), ("logo.png", file(b"x"))],
            Some(Kind::InvalidFile),
        ),
        (
            "a device",
            vec![("a.sh", open("/dev/zero")), ("logo.png", file(b"x"))],
            Some(Kind::InvalidFile),
        ),
        (
            "a window into the kernel",
            vec![
                ("a.sh", open("/proc/self/pagemap")),
                ("logo.png", file(b"x")),
            ],
            Some(Kind::InvalidFile),
        ),
        (
            "a folder",
            vec![("a.sh", folder()), ("logo.png", file(b"x"))],
            Some(Kind::InvalidFile),
        ),
    ];
    for (name, files, want) in cases {
        let files = files
            .into_iter()
            .map(|(name, file)| (name.to_owned(), OwnedFd::from(file)))
            .collect();
        let checked = by_name(files).and_then(|files| check_files(&spec(), &files));
        assert_eq!(kind(checked), want, "{name}");
    }
}

#[test]
fn too_many_files_and_repeated_names_are_refused() {
    let many = |count: usize, name: fn(usize) -> String| {
        let one = file(b"x");
        (0..count)
            .map(|n| (name(n), OwnedFd::from(one.try_clone().expect("cloned"))))
            .collect::<Vec<_>>()
    };
    for (name, files, want) in [
        ("many", many(MOST_FILES, |n| n.to_string()), None),
        (
            "too many",
            many(MOST_FILES + 1, |n| n.to_string()),
            Some(Kind::InvalidFile),
        ),
        (
            "twice",
            many(2, |_| "same".to_owned()),
            Some(Kind::InvalidFile),
        ),
    ] {
        assert_eq!(kind(by_name(files)), want, "{name}");
    }
}

#[test]
fn huge_files_are_refused_by_their_size() {
    let root = tempfile::tempdir().expect("a temporary folder");
    for (name, size, want) in [
        ("small", 10, None),
        (
            "all together too large",
            MOST_BYTES + 1,
            Some(Kind::InvalidFile),
        ),
        ("a tebibyte of nothing", 1 << 40, Some(Kind::InvalidFile)),
    ] {
        let sparse = File::create(root.path().join("sparse")).expect("made");
        sparse.set_len(size).expect("sparse");
        let files = HashMap::from([("a.sh".to_owned(), sparse)]);
        assert_eq!(kind(check_room(&files, root.path())), want, "{name}");
    }
}

#[test]
fn whatever_is_asked_for_is_in_the_fingerprint() {
    let root = tempfile::tempdir().expect("a temporary folder");
    let take = |number: usize, script: &[u8]| {
        let into = root.path().join(number.to_string());
        fs::create_dir(&into).expect("made");
        let files = HashMap::from([
            ("a.sh".to_owned(), file(script)),
            ("logo.png".to_owned(), file(b"<svg/>")),
        ]);
        copy_files(&spec(), &files, &into).expect("copied")
    };
    let (one, same, other) = (take(0, b"a"), take(1, b"a"), take(2, b"b"));
    let usual = Options::default();
    let strict = Options {
        strict: true,
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
    fs::write(incoming.inputs().expect("made").join("0"), "x").expect("written");
    drop(incoming);
    let left = |folder| fs::read_dir(folder).expect("there").count();
    assert_eq!(left(places.incoming()), 0);
    let (_, incoming) = Incoming::make(&places, "demo").expect("made");
    incoming.keep(&places.record(&id).build()).expect("kept");
    assert_eq!((left(places.incoming()), left(places.builds())), (0, 1));
}
