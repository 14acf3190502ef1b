use super::{
    super::tests::{file, kind, spec},
    *,
};

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
        let checked = Handed::read(files).and_then(|files| files.check_files(&spec()));
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
        ("a bundle", many(1, |_| String::new()), None),
        (
            "a bundle and more",
            many(2, |n| "x".repeat(n)),
            Some(Kind::InvalidFile),
        ),
    ] {
        assert_eq!(kind(Handed::read(files)), want, "{name}");
    }
}

#[test]
fn huge_files_are_refused_by_their_size() {
    let root = tempfile::tempdir().expect("a temporary folder");
    for (name, size) in [
        ("all together too large", MOST_BYTES + 1),
        ("a tebibyte of nothing", 1 << 40),
    ] {
        let sparse = File::create(root.path().join("sparse")).expect("made");
        sparse.set_len(size).expect("sparse");
        let refused = kind(check_size([&sparse]));
        assert_eq!(refused, Some(Kind::InvalidFile), "{name}");
    }
}

#[test]
fn files_must_leave_room_for_others() {
    for (name, free, wanted, want) in [
        ("nothing is wanted", ROOM_LEFT, 0, true),
        ("exactly enough", ROOM_LEFT + 10, 10, true),
        ("one byte too little", ROOM_LEFT + 9, 10, false),
        ("more than can be counted", u64::MAX - 1, u64::MAX, false),
    ] {
        assert_eq!(has_room(free, wanted), want, "{name}");
    }
}
