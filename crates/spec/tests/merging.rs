//! Layers over layers: what wins, what adds, and who is named as the origin.

use isosmith_spec::{BuildSpec, Layer, Merged, Origin, Problem, load, set};

const PARENT: &str = "
format = 1
[profile]
name = 'parent'
[base]
updates = false
[software]
packages = ['nano', 'htop']
[kernel]
cmdline = ['quiet', 'splash']
[branding]
logo = 'logo.svg'
[[files]]
source = 'files/a'
target = '/etc/a'
";

fn finder(name: &str) -> Option<Layer> {
    let text = match name {
        "parent" => PARENT.to_owned(),
        "child" => "format = 1\nextends = 'parent'\n[profile]\nname = 'child'\n[software]\npackages = ['vim', '!nano']".to_owned(),
        "brand" => "format = 1\n[profile]\nname = 'brand'\n[branding]\nname = 'Brand Linux'\nshort_name = 'Brand'".to_owned(),
        "ring-a" => "format = 1\nextends = 'ring-b'\n[profile]\nname = 'ring-a'".to_owned(),
        "ring-b" => "format = 1\nextends = 'ring-a'\n[profile]\nname = 'ring-b'".to_owned(),
        deep => {
            let depth: u32 = deep.strip_prefix("deep-")?.parse().ok()?;
            format!("format = 1\nextends = 'deep-{}'\n[profile]\nname = 'x'", depth + 1)
        }
    };
    Some(Layer::new(
        Origin::Profile(name.into()),
        format!("/profiles/{name}"),
        text,
    ))
}

fn profile(text: &str) -> Layer {
    let text = format!("format = 1\n{text}");
    Layer::new(Origin::Profile("me".into()), "/home/me", text)
}

fn loaded(layers: Vec<Layer>) -> (BuildSpec, Merged) {
    load(layers, &finder).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

fn refused(layers: Vec<Layer>) -> Vec<Problem> {
    load(layers, &finder).expect_err("nothing is wrong")
}

fn packages(spec: &BuildSpec) -> Vec<&str> {
    spec.software
        .packages
        .iter()
        .map(|name| name.as_str())
        .collect()
}

#[test]
fn a_child_replaces_values_adds_to_lists_and_takes_out() {
    let me = "extends = 'child'\n[profile]\nname = 'me'\n[software]\npackages = ['tmux', '!htop']\n\
              [kernel]\ncmdline = ['debug']\n[[files]]\nsource = 'b'\ntarget = '/etc/b'";
    let (spec, merged) = loaded(vec![profile(me)]);
    assert_eq!(spec.profile.name, "me");
    assert_eq!(packages(&spec), ["tmux", "vim"]);
    assert_eq!(spec.kernel.cmdline.len(), 1);
    assert!(!spec.base.updates);
    let sources: Vec<&str> = spec.files.iter().map(|file| file.source.as_str()).collect();
    assert_eq!(sources, ["/profiles/parent/files/a", "/home/me/b"]);
    assert_eq!(
        spec.branding.logo.as_ref().map(|path| path.as_str()),
        Some("/profiles/parent/logo.svg")
    );
    for (path, origin) in [
        ("base.updates", Origin::Profile("parent".into())),
        ("base.suite", Origin::BuiltIn),
        ("software.packages", Origin::Profile("me".into())),
        ("software.packages[0]", Origin::Profile("child".into())),
        ("software.packages[1]", Origin::Profile("me".into())),
        ("files[0].source", Origin::Profile("parent".into())),
        ("files[1].source", Origin::Profile("me".into())),
        ("image.label", Origin::BuiltIn),
    ] {
        assert_eq!(merged.origin(path), &origin, "{path}");
    }
}

#[test]
fn parents_that_cannot_be() {
    for (extends, message) in [
        ("ring-a", "circle: me → ring-a → ring-b → ring-a"),
        ("deep-1", "more than 16 profiles"),
        ("nobody", "no profile named `nobody`"),
    ] {
        let problems = refused(vec![profile(&format!(
            "extends = '{extends}'\n[profile]\nname = 'me'"
        ))]);
        assert_eq!(problems.len(), 1, "{problems:#?}");
        assert_eq!(problems[0].path, "extends");
        assert!(problems[0].message.contains(message), "{problems:#?}");
    }
}

#[test]
fn problems_point_into_the_text_they_are_in() {
    let me = "extends = 'parent'\n[profile]\nname = 'me'\n[software]\npackages = ['tmux', 'Bad']";
    let problems = refused(vec![profile(me)]);
    assert_eq!(problems[0].path, "software.packages[1]");
    assert_eq!(problems[0].origin, Some(Origin::Profile("me".into())));
}

#[test]
fn settings_hold_only_what_does_not_change_the_product() {
    let system =
        |text: &str| Layer::new(Origin::System("/etc/isosmith/config.toml".into()), "", text);
    let user = |text: &str| Layer::new(Origin::User("config.toml".into()), "", text);
    let me = || profile("[profile]\nname = 'me'\n[image]\ncompression = 'xz'");
    let (spec, merged) = loaded(vec![
        system(
            "[base]\nmirrors = ['http://a.example/debian']\nproxy = 'http://p.example:1'\n[region]\ntimezone = 'Europe/Berlin'",
        ),
        me(),
        user(
            "[image]\ncompression = 'lz4'\nchecksums = ['sha512']\n[region.keyboard]\nlayout = 'de'",
        ),
    ]);
    assert_eq!(spec.image.compression.to_string(), "lz4");
    assert_eq!(spec.base.mirrors[0].to_string(), "http://a.example/debian");
    assert_eq!(spec.region.timezone.as_str(), "Europe/Berlin");
    assert_eq!(spec.region.keyboard.layout.as_str(), "de");
    assert_eq!(
        merged.origin("image.compression"),
        &Origin::User("config.toml".into())
    );

    let problems = refused(vec![
        system(
            "[software]\npackages = ['htop']\n[base]\nsuite = 'sid'\nsnapshot = '20260131T000000Z'",
        ),
        me(),
        user("[users.root]\npassword = 'prompt'\n[image]\nlabel = 'X'"),
    ]);
    let paths: Vec<&str> = problems
        .iter()
        .map(|problem| problem.path.as_str())
        .collect();
    assert_eq!(
        paths,
        [
            "base.snapshot",
            "base.suite",
            "software.packages",
            "image.label",
            "users.root.password"
        ]
    );
    assert!(
        problems
            .iter()
            .all(|problem| problem.message.contains("silently change"))
    );
}

#[test]
fn a_snapshot_comes_before_mirrors_of_the_settings() {
    let system = Layer::new(
        Origin::System("s".into()),
        "",
        "[base]\nmirrors = ['http://a.example/debian']\nsnapshot_base = 'http://snap.example'",
    );
    let (spec, merged) = loaded(vec![
        system,
        profile("[profile]\nname = 'me'\n[base]\nsnapshot = '20260131T000000Z'"),
    ]);
    assert_eq!(spec.base.mirrors[0].to_string(), "auto");
    assert_eq!(
        spec.base.snapshot.map(|snapshot| snapshot.base.to_string()),
        Some("http://snap.example".into())
    );
    assert_eq!(merged.origin("base.mirrors"), &Origin::BuiltIn);
}

#[test]
fn set_takes_toml_or_a_plain_text() {
    let me = || profile("[profile]\nname = 'me'\n[software]\npackages = ['nano']");
    let with = |path: &str, value: &str| loaded(vec![me(), set(path, value).expect(path)]).0;
    assert_eq!(
        with("image.compression", "zstd:19")
            .image
            .compression
            .to_string(),
        "zstd:19"
    );
    assert_eq!(with("branding.version", "1.0").branding.version, "1.0");
    assert_eq!(with("branding.version", "'1.0'").branding.version, "1.0");
    assert_eq!(with("boot.timeout", "9").boot.timeout, Some(9));
    assert_eq!(with("boot.timeout", "never").boot.timeout, None);
    assert_eq!(with("users.live", "false").users.live, None);
    assert_eq!(
        with("users.live.name", "alex")
            .users
            .live
            .map(|user| user.name.to_string()),
        Some("alex".into())
    );
    assert_eq!(
        with("boot.serial", "{ unit = 2 }")
            .boot
            .serial
            .map(|serial| (serial.unit, serial.speed)),
        Some((2, 115_200))
    );
    assert_eq!(
        with("boot.serial.speed", "9600")
            .boot
            .serial
            .map(|serial| (serial.unit, serial.speed)),
        Some((0, 9600))
    );
    assert_eq!(
        packages(&with("software.packages", "['htop', '!nano']")),
        ["htop"]
    );
    assert!(with("software.recommends", "true").software.recommends);

    // A value cannot smuggle in a second key.
    let smuggled = set("branding.vendor", "'a'\n[software]\npackages = ['x1']").expect("a text");
    let problems = refused(vec![me(), smuggled]);
    assert_eq!(problems[0].path, "branding.vendor");
    assert_eq!(problems[0].origin, Some(Origin::CommandLine));
}

#[test]
fn set_knows_every_path() {
    for (path, near) in [
        ("image.compresion", "image.compression"),
        ("compression", "image.compression"),
        ("software.packages[0]", "software.packages"),
        ("files.source", "--set"),
        ("", "SECTION.FIELD"),
        ("extends", "into the profile"),
        ("format", "into the profile"),
    ] {
        let problem = set(path, "x").expect_err(path);
        assert!(problem.to_string().contains(near), "{path}: {problem}");
    }
}

#[test]
fn a_table_over_false_starts_from_the_defaults() {
    let off = || profile("[profile]\nname = 'me'\n[users]\nlive = false\n[boot]\nserial = false");
    assert_eq!(loaded(vec![off()]).0.users.live, None);
    let (spec, merged) = loaded(vec![
        off(),
        set("users.live.name", "alex").expect("a field"),
    ]);
    assert!(
        spec.users
            .live
            .is_some_and(|user| user.autologin && user.name.as_str() == "alex")
    );
    assert_eq!(merged.origin("users.live.autologin"), &Origin::BuiltIn);
}

#[test]
fn a_short_name_goes_with_its_name() {
    let acme = "[branding]\nname = 'Acme OS'";
    for (what, layers, want) in [
        (
            "a parent's",
            vec![profile("extends = 'brand'\n[profile]\nname = 'me'")],
            "Brand",
        ),
        (
            "below another name",
            vec![profile(&format!(
                "extends = 'brand'\n[profile]\nname = 'me'\n{acme}"
            ))],
            "Acme OS",
        ),
        (
            "of its own",
            vec![profile(&format!(
                "extends = 'brand'\n[profile]\nname = 'me'\n{acme}\nshort_name = 'Acme'"
            ))],
            "Acme",
        ),
        (
            "from the command line",
            vec![
                profile("extends = 'brand'\n[profile]\nname = 'me'"),
                set("branding.name", "Acme OS").expect("a field"),
            ],
            "Acme OS",
        ),
        (
            "above a parent's name",
            vec![profile(
                "extends = 'brand'\n[profile]\nname = 'me'\n[branding]\nshort_name = 'Me'",
            )],
            "Me",
        ),
    ] {
        assert_eq!(loaded(layers).0.branding.short_name, want, "{what}");
    }
}

#[test]
fn a_name_is_made_of_any_letters() {
    for name in ["über", "é-x", "🚀"] {
        let layers = vec![profile(&format!("[profile]\nname = '{name}'"))];
        let problems = refused(layers);
        assert_eq!(problems.len(), 1, "{name}: {problems:?}");
    }
}

#[test]
fn what_follows_from_other_values() {
    let spec = |text: &str| loaded(vec![profile(text)]).0;
    let sid = spec("[profile]\nname = 'my-sid'\n[base]\nsuite = 'sid'");
    assert_eq!((sid.base.security, sid.base.updates), (None, false));
    assert_eq!(sid.branding.name, "My Sid");
    assert_eq!(sid.branding.id.as_str(), "my-sid");
    assert_eq!(sid.image.label.as_str(), "MY_SID");
    assert_eq!(sid.image.file_name, "my-sid-sid-amd64.iso");
    assert!(
        !spec("[profile]\nname = 'a'\n[boot]\nuefi = false")
            .boot
            .secure_boot
    );

    let named = spec(
        "[profile]\nname = 'a'\n[branding]\nname = 'Ünïcode Linux with a very long name'\nversion = '1.0'",
    );
    assert_eq!(
        named.branding.short_name,
        "Ünïcode Linux with a very long n"
    );
    assert_eq!(
        named.image.label.as_str(),
        "N_CODE_LINUX_WITH_A_VERY_LON_1.0"
    );

    for (pattern, name) in [
        ("{version}-{id}.iso", "a.iso"),
        ("{id}-{version}.iso", "a.iso"),
        ("{id}{version}.iso", "a.iso"),
        ("{id}_{codename}_{suite}.iso", "a_trixie.iso"),
        ("{name}-{profile}-{arch}.iso", "A-a-amd64.iso"),
        ("{id}-{date}.iso", "a-20240229.iso"),
        ("fixed.iso", "fixed.iso"),
    ] {
        let text = format!(
            "[profile]\nname = 'a'\n[image]\nsource_date = 2024-02-29\nfile_name = '{pattern}'"
        );
        assert_eq!(spec(&text).image.file_name, name, "{pattern}");
    }
}

#[test]
fn explain_shows_every_field_and_never_twice() {
    let (_, merged) = loaded(vec![profile(
        "extends = 'parent'\n[profile]\nname = 'me'\n[boot]\nserial = { unit = 1 }",
    )]);
    let lines = merged.explain();
    let paths: Vec<&str> = lines.iter().map(|(path, _, _)| path.as_str()).collect();
    assert!(paths.is_sorted());
    assert!(
        paths.windows(2).all(|pair| pair[0] != pair[1]),
        "{paths:#?}"
    );
    let parent = Origin::Profile("parent".into());
    let me = Origin::Profile("me".into());
    for (path, value, origin) in [
        ("base.suite", "\"trixie\"", &Origin::BuiltIn),
        ("base.proxy", "# not set", &Origin::BuiltIn),
        ("base.updates", "false", &parent),
        ("boot.serial.speed", "115200", &Origin::BuiltIn),
        ("boot.serial.unit", "1", &me),
        ("branding.name", "\"Me\"", &Origin::BuiltIn),
        ("files[0].owner", "\"root\"", &Origin::BuiltIn),
        ("files[0].source", "\"/profiles/parent/files/a\"", &parent),
        ("kernel.cmdline", "[\"quiet\", \"splash\"]", &parent),
        ("profile.name", "\"me\"", &me),
        ("scripts", "[]", &Origin::BuiltIn),
        ("software.packages[1]", "\"htop\"", &parent),
    ] {
        let line = lines.iter().find(|line| line.0 == path);
        assert_eq!(
            line,
            Some(&(path.to_owned(), value.to_owned(), origin.clone())),
            "{path}"
        );
    }

    let (_, merged) = loaded(vec![profile(
        "[profile]\nname = 'me'\n[users]\nlive = false",
    )]);
    let live: Vec<_> = merged
        .explain()
        .into_iter()
        .filter(|line| line.0.starts_with("users.live"))
        .collect();
    assert_eq!(live, [("users.live".to_owned(), "false".to_owned(), me)]);
}
