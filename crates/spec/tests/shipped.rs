//! The profiles that ship, the schema, and every single field.

use std::path::{Path, PathBuf};

use isosmith_spec::model::{Environment, InstallerPage, MenuEntry};
use isosmith_spec::{BuildSpec, Layer, MaterialKind, Origin, load, schema, set};
use serde_json::Value;

const EVERY_FIELD: &str = include_str!("every_field.toml");

fn profiles() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../profiles")
}

fn shipped(name: &str) -> Option<Layer> {
    let text = std::fs::read_to_string(profiles().join(name).join("profile.toml")).ok()?;
    Some(Layer::new(
        Origin::Profile(name.into()),
        format!("/profiles/{name}"),
        text,
    ))
}

fn text(text: impl Into<String>) -> Layer {
    Layer::new(Origin::Profile("t".into()), "", text)
}

fn spec(layers: Vec<Layer>) -> BuildSpec {
    let shown = format!("{layers:#?}");
    match load(layers, &shipped) {
        Ok((spec, _)) => spec,
        Err(problems) => panic!("{shown}\n{problems:#?}"),
    }
}

fn as_json(toml: &str) -> Value {
    let table: toml::Table = toml::from_str(toml).expect("TOML");
    serde_json::to_value(table).expect("JSON")
}

fn check_against_schema(toml: &str) {
    let validator = jsonschema::validator_for(&schema()).expect("a schema");
    let json = as_json(toml);
    let errors: Vec<String> = validator
        .iter_errors(&json)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{toml}\n{errors:#?}");
}

#[test]
fn shipped_profiles_load_alone_and_again_from_what_they_became() {
    let mut names: Vec<String> = std::fs::read_dir(profiles())
        .expect("profiles")
        .map(|entry| entry.expect("entry"))
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    for needed in [
        "ailinux",
        "classroom",
        "gnome",
        "kde",
        "kiosk",
        "minimal",
        "rescue",
        "server",
        "standard",
        "xfce",
    ] {
        assert!(names.iter().any(|name| name == needed), "{names:?}");
    }
    for name in names {
        let layer = shipped(&name).expect("a profile.toml");
        assert!(
            layer.text.starts_with("#:schema ../schema.json\n"),
            "{name}"
        );
        check_against_schema(&layer.text);
        let (spec, merged) =
            load(vec![layer], &shipped).unwrap_or_else(|problems| panic!("{problems:#?}"));
        assert_eq!(spec.profile.name, name);
        let whole = merged.to_toml();
        check_against_schema(&whole);
        let (again, _) = load(vec![text(whole)], &|_| None).expect("the whole profile");
        assert_eq!(again, spec);
    }
}

#[test]
fn what_shipped_profiles_promise() {
    let named = |name: &str| spec(vec![shipped(name).expect("shipped")]);
    let has = |spec: &BuildSpec, name: &str| {
        spec.software
            .packages
            .iter()
            .any(|package| package.as_str() == name)
    };
    let minimal = named("minimal");
    assert!(has(&minimal, "network-manager") && minimal.kernel.firmware.is_empty());
    assert_eq!(minimal.image.label.as_str(), "ISOSMITH_MINIMAL_1.0");
    assert_eq!(minimal.image.file_name, "minimal-1.0-trixie-amd64.iso");
    let standard = named("standard");
    assert!(has(&standard, "openssh-server") && has(&standard, "network-manager"));
    assert!(!has(&standard, "nano"));
    assert_eq!(standard.branding.id.as_str(), "standard");
    let rescue = named("rescue");
    assert!(has(&rescue, "testdisk") && has(&rescue, "memtest86+"));
    assert!(
        rescue
            .boot
            .entries
            .iter()
            .any(|entry| entry.as_str() == "memory-test")
    );
    let classroom = named("classroom");
    assert_eq!(classroom.users.live, None);
    assert_eq!(classroom.users.accounts.len(), 3);
    assert!(classroom.users.accounts.iter().all(|one| one.reset));
    let server = named("server").security;
    assert!(server.fail2ban && server.automatic_updates);
    assert!(server.ssh.is_some_and(|ssh| !ssh.password && !ssh.root));
    let ailinux = named("ailinux");
    assert_eq!(ailinux.desktop.environment, Some(Environment::Kde));
    assert!(ailinux.boot.secure_boot && ailinux.boot.entries.contains(&MenuEntry::Install));
    let assistant = ailinux.assistant.as_ref().expect("a helper");
    assert_eq!(assistant.endpoint.as_str(), "http://127.0.0.1:11434");
    for material in ailinux.materials() {
        let path = material.path.as_str().strip_prefix("/profiles/");
        assert!(
            path.is_some_and(|path| profiles().join(path).is_file()),
            "{material:?}"
        );
    }
}

#[test]
fn everything_at_once_loads_and_survives_writing() {
    check_against_schema(
        &EVERY_FIELD.replace("2026-01-31T12:00:00+02:00", "'2026-01-31T12:00:00+02:00'"),
    );
    let (spec, merged) =
        load(vec![text(EVERY_FIELD)], &|_| None).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let (again, _) = load(vec![text(merged.to_toml())], &|_| None).expect("the whole profile");
    assert_eq!(again, spec);
    assert_eq!(spec.base.components[0].as_str(), "main");
    assert_eq!(
        spec.image.source_date.map(|date| date.seconds()),
        Some(1_769_853_600)
    );
    assert_eq!(
        spec.image.file_name,
        "Everything-Linux_aurora-1.0-trixie-amd64-every-field-20260131.iso"
    );
    assert_eq!(spec.branding.accent.to_string(), "#ffaa00");
    assert_eq!(spec.files[0].mode, None);
    assert_eq!(spec.files[1].mode, Some(0o755));
    let packages: Vec<&str> = spec
        .software
        .packages
        .iter()
        .map(|name| name.as_str())
        .collect();
    assert_eq!(packages, ["g++", "htop", "libstdc++6", "openssh-server"]);
    let pages = [
        InstallerPage::Partition,
        InstallerPage::Users,
        InstallerPage::Summary,
    ];
    assert_eq!(
        spec.installer.pages, pages,
        "always in the installer's order"
    );
    let materials = spec.materials();
    let materials: Vec<(MaterialKind, &str, &str)> = materials
        .iter()
        .map(|material| {
            (
                material.kind,
                material.field.as_str(),
                material.path.as_str(),
            )
        })
        .collect();
    let expected = [
        (
            MaterialKind::Key,
            "base.repositories[0].key",
            "keys/example.asc",
        ),
        (
            MaterialKind::Key,
            "base.repositories[1].key",
            "/usr/share/keyrings/flat.gpg",
        ),
        (
            MaterialKind::Deb,
            "software.debs[0]",
            "debs/tool_1.0_amd64.deb",
        ),
        (MaterialKind::Overlay, "files[0].source", "files/etc"),
        (MaterialKind::Overlay, "files[1].source", "files/tool"),
        (
            MaterialKind::Script,
            "scripts[0].source",
            "scripts/after.sh",
        ),
        (
            MaterialKind::Script,
            "scripts[1].source",
            "scripts/first.sh",
        ),
        (
            MaterialKind::SigningKey,
            "security.signing.key",
            "keys/db.key",
        ),
        (
            MaterialKind::Certificate,
            "security.signing.certificate",
            "keys/db.pem",
        ),
        (MaterialKind::Logo, "branding.logo", "logo.svg"),
        (
            MaterialKind::Wallpaper,
            "branding.wallpaper",
            "wallpaper.webp",
        ),
        (
            MaterialKind::Wallpaper,
            "branding.wallpaper_dark",
            "wallpaper-dark.svg",
        ),
        (
            MaterialKind::Wallpaper,
            "branding.slides[1].picture",
            "slides/two.png",
        ),
    ];
    assert_eq!(materials, expected);
}

#[test]
fn the_schema_in_the_repository_is_fresh() {
    let kept = std::fs::read_to_string(profiles().join("schema.json")).expect("schema.json");
    let fresh = serde_json::to_string_pretty(&schema()).expect("JSON") + "\n";
    assert!(kept == fresh, "run `cargo xtask generate`");
}

#[test]
fn the_schema_refuses_what_the_checker_refuses() {
    let validator = jsonschema::validator_for(&schema()).expect("a schema");
    for fragment in [
        "",
        "[base]\nsiute = 'trixie'",
        "[base]\nsuite = 'trixy'",
        "[base]\nmirrors = ['ftp://a.example']",
        "[software]\npackages = ['-oAPT::x=y']",
        "[software]\npackages = [5]",
        "[region]\nlocales = ['en_US']",
        "[users]\nlive = true",
        "[users.root]\npassword = 'secret'",
        "[services]\nenable = ['ssh']",
        "[[files]]\nsource = 'a'",
        "[boot]\ntimeout = 0",
        "[boot]\nserial = { unit = 4 }",
        "[branding]\naccent = 'blue'",
        "[image]\nlabel = 'lower'",
        "[image]\ncompression = 'zstd:23'",
        "[desktop]\nenvironment = 'plasma'",
        "[desktop]\nkiosk_page = 'example.org'",
        "[desktop.applications]\nbrowser = 'firefox'",
        "[installer]\nswap = true",
        "[installer]\npages = ['finished']",
        "[security]\nopen_ports = ['ssh']",
        "[security]\nopen_ports = [22]",
        "[security]\nssh = true",
        "[security.signing]\nkey = 'a'",
        "[ai]\ninterface = 'ollama'",
        "[[users.accounts]]\nfull_name = 'Kim'",
        "[[branding.slides]]\ntitle = 'Kim'",
    ] {
        let text = format!("format = 1\n[profile]\nname = 't'\n{fragment}");
        let accepted = validator.is_valid(&as_json(&text));
        assert_eq!(accepted, fragment.is_empty(), "{text}");
        assert_eq!(
            load(vec![self::text(text.clone())], &|_| None).is_ok(),
            accepted,
            "{text}"
        );
    }
}

/// Every leaf of the schema below `table`: its path and its own schema.
fn leaves(table: &Value, prefix: &str, found: &mut Vec<(String, Value)>) {
    let properties = table["properties"].as_object().expect("a table");
    for (key, field) in properties {
        let path = format!("{prefix}{key}");
        assert!(
            field["description"]
                .as_str()
                .is_some_and(|text| text.len() > 5),
            "{path}"
        );
        let inner = std::iter::once(field)
            .chain(field["anyOf"].as_array().into_iter().flatten())
            .find(|kind| kind["properties"].is_object());
        if let Some(inner) = inner {
            leaves(inner, &format!("{path}."), found);
        }
        if inner.is_none() || field["examples"].is_array() {
            found.push((path, field.clone()));
        }
    }
}

fn examples(field: &Value) -> Vec<String> {
    let as_toml = |example: &Value| toml::Value::try_from(example).expect("a value").to_string();
    field["examples"]
        .as_array()
        .map(|all| all.iter().map(as_toml).collect())
        .unwrap_or_default()
}

/// What else must be written for a field to mean something.
const CONTEXTS: &[(&str, &str)] = &[
    ("desktop.display_manager", "[desktop]\nenvironment = 'kde'"),
    ("desktop.session", "[desktop]\nenvironment = 'kde'"),
    (
        "desktop.kiosk_page",
        "[desktop]\nenvironment = 'kiosk'\nkiosk_page = 'https://other.example'",
    ),
    ("installer.calamares", "[desktop]\nenvironment = 'xfce'"),
    (
        "installer.only",
        "[desktop]\nenvironment = 'xfce'\n[installer]\ncalamares = true",
    ),
    (
        "security.open_ports",
        "[security]\nfirewall = 'ufw'\nopen_ports = []",
    ),
    (
        "security.fail2ban",
        "[software]\npackages = ['openssh-server']",
    ),
    (
        "security.signing.",
        "[security.signing]\nkey = 'a'\ncertificate = 'b'",
    ),
    (
        "ai.",
        "[ai]\ninterface = 'openai'\nendpoint = 'http://a.example'\nmodel = 'b'",
    ),
];

/// A field that is accepted and then ignored would be a defect, and so would be an example
/// that does not load.
#[test]
fn every_example_loads_and_every_field_changes_the_spec() {
    let mut fields = Vec::new();
    leaves(&schema(), "", &mut fields);
    let mut tried = 0;
    for (path, field) in fields {
        let examples = examples(&field);
        let entries_are_tables = field["items"]["properties"].is_object();
        assert!(
            !examples.is_empty() || entries_are_tables,
            "{path} has no example"
        );
        if ["format", "extends"].contains(&path.as_str()) || examples.is_empty() {
            continue;
        }
        let context = CONTEXTS.iter().find(|(start, _)| path.starts_with(start));
        let base = || {
            let context = context.map_or("", |(_, context)| context);
            text(format!(
                "format = 1\n[profile]\nname = 'plain'\ndescription = 'x'\n{context}"
            ))
        };
        let plain = spec(vec![base()]);
        let specs = examples
            .iter()
            .map(|example| spec(vec![base(), set(&path, example).expect("a field")]));
        let changes = specs.filter(|spec| *spec != plain).count();
        // The only architecture there is, and a base that needs a snapshot.
        let may_be_idle = ["base.architecture", "base.snapshot_base"].contains(&path.as_str());
        assert!(changes > 0 || may_be_idle, "{path} changes nothing");
        tried += 1;
    }
    assert!(tried > 95, "{tried}");
}

#[test]
fn every_field_of_an_entry_is_needed_or_changes_the_spec() {
    let schema = schema();
    for (path, header) in [
        ("/properties/files", "[[files]]"),
        ("/properties/scripts", "[[scripts]]"),
        (
            "/properties/base/properties/repositories",
            "[[base.repositories]]",
        ),
        (
            "/properties/software/properties/debconf",
            "[[software.debconf]]",
        ),
        (
            "/properties/users/properties/accounts",
            "[[users.accounts]]",
        ),
        (
            "/properties/branding/properties/slides",
            "[[branding.slides]]",
        ),
    ] {
        let entry = &schema.pointer(path).expect(path)["items"];
        let required: Vec<&str> = entry["required"]
            .as_array()
            .expect("required")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let lines: Vec<(String, String, bool)> = entry["properties"]
            .as_object()
            .expect("fields")
            .iter()
            .map(|(key, field)| {
                let line = format!("{key} = {}\n", examples(field).first().expect(key));
                (key.clone(), line, required.contains(&key.as_str()))
            })
            .collect();
        let with = |skip: &str| {
            let kept: String = lines
                .iter()
                .filter(|line| line.0 != skip)
                .map(|line| line.1.as_str())
                .collect();
            format!("format = 1\n[profile]\nname = 't'\n{header}\n{kept}")
        };
        let whole = spec(vec![text(with(""))]);
        for (key, _, required) in &lines {
            match load(vec![text(with(key))], &|_| None) {
                Ok((without, _)) => {
                    assert!(!required, "{path} {key}");
                    assert!(without != whole, "{path} {key} changes nothing");
                }
                Err(problems) => {
                    // A repository that is not flat needs its components.
                    assert!(*required || key == "components", "{path} {key}");
                    assert_eq!(problems.len(), 1, "{problems:#?}");
                }
            }
        }
    }
}
