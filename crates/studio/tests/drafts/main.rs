//! Drafts on the real profiles.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on stops with a message"
)]

mod plans;

use std::{
    fs,
    path::{Path, PathBuf},
};

use isosmith_protocol::{Code, Manner};
use isosmith_studio::{
    Drafts, Places,
    model::{Draft, DraftSource, Settings},
    plan,
};
use serde_json::{Value, json};

struct World {
    root: tempfile::TempDir,
    places: Places,
    drafts: Drafts,
}

impl World {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../profiles");
        let places = Places::below(root.path(), &[&shipped]);
        let drafts = Drafts::new(places.clone(), &Settings::usual(&places));
        Self {
            root,
            places,
            drafts,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().canonicalize().unwrap().join(name)
    }

    fn profile(&mut self, name: &str) -> Draft {
        self.drafts
            .open(&DraftSource::Profile(name.into()))
            .unwrap()
    }

    fn text(&mut self, text: &str) -> Draft {
        self.drafts.open(&DraftSource::Text(text.into())).unwrap()
    }

    fn edit(&mut self, draft: &Draft, path: &str, value: Value) -> Draft {
        let now = self.drafts.edit(&draft.id, path, value.clone()).unwrap();
        if !value.is_null() {
            assert_eq!(*at(&now.values, path), value, "{path} in {}", now.toml);
        }
        now
    }
}

fn at<'v>(tree: &'v serde_json::Map<String, Value>, path: &str) -> &'v Value {
    let pointer = path.replace(['.', '['], "/").replace(']', "");
    let (first, rest) = pointer.split_once('/').unwrap_or((&pointer, ""));
    let first = tree.get(first).unwrap_or(&Value::Null);
    match rest {
        "" => first,
        rest => first.pointer(&format!("/{rest}")).unwrap_or(&Value::Null),
    }
}

#[test]
fn a_fresh_draft_is_its_profile() {
    let mut world = World::new();
    for name in ["minimal", "standard", "rescue"] {
        let draft = world.profile(name);
        assert_eq!(draft.values, draft.base, "{name}");
        assert_eq!(draft.problems, [], "{name}");
        assert_eq!(draft.own, ["profile.name"]);
        assert_eq!((draft.path, draft.profile.as_deref()), (None, Some(name)));
        assert!(draft.title.starts_with("Isosmith "), "{}", draft.title);
        assert!(world.drafts.checked(&draft.id).is_ok());
    }
}

#[test]
fn fields_come_and_go_back() {
    let mut world = World::new();
    let fresh = world.profile("rescue");
    let cases = [
        ("branding.name", json!("Aurora OS")),
        ("branding.accent", json!("#2fb48f")),
        ("software.packages", json!(["less", "nano", "git"])),
        ("software.recommends", json!(true)),
        ("services.disable", json!([])),
        ("users.live.groups", json!(["audio", "sudo"])),
        ("users.live", json!(false)),
        ("users.live.name", json!("kim")),
        ("boot.entries", json!(["live", "memory-test"])),
        ("boot.entries[0]", json!("safe-graphics")),
        ("boot.timeout", json!("never")),
        ("boot.serial", json!({ "unit": 1, "speed": 9600 })),
        ("kernel.firmware", json!([])),
        ("region.keyboard.layout", json!("de")),
        ("base.components", json!(["main"])),
        ("desktop.environment", json!("xfce")),
        ("desktop.applications.browser", json!("firefox-esr.desktop")),
        ("installer.debian", json!(true)),
        ("installer.remove", json!(["testdisk"])),
        ("security.firewall", json!("ufw")),
        ("security.ssh", json!({ "password": false, "root": false })),
        ("security.signing", json!({ "key": "", "certificate": "" })),
        (
            "ai",
            json!({ "interface": "ollama", "endpoint": "http://127.0.0.1:11434", "model": "m" }),
        ),
        (
            "users.accounts",
            json!([{ "name": "kim", "full_name": "", "password": "locked", "groups": [], "sudo": false, "reset": true }]),
        ),
        ("branding.slides", json!([{ "title": "A", "text": "b\nc" }])),
    ];
    for (path, value) in cases {
        let before = world.drafts.get(&fresh.id).unwrap();
        let changed = world.edit(&before, path, value.clone());
        assert!(
            changed
                .own
                .iter()
                .any(|own| path.starts_with(own.as_str()) || own.starts_with(path)),
            "{path}: {:?}",
            changed.own
        );
        let back = world.edit(&changed, path.split('[').next().unwrap(), Value::Null);
        assert_eq!(back.values, fresh.values, "{path} {value}");
        assert_eq!(back.toml, fresh.toml, "{path} {value}");
    }
}

/// What a parent has can be switched off, and changed in part.
#[test]
fn tables_are_switched_off_and_on() {
    let mut world = World::new();
    let fresh = world.profile("ailinux");
    assert_eq!(fresh.problems, []);
    let off = world.edit(&fresh, "ai", json!(false));
    let off = world.edit(&off, "security.ssh", json!(false));
    assert_eq!(off.problems, []);
    assert!(off.toml.contains("ai = false"), "{}", off.toml);
    let on = world.edit(&off, "ai", Value::Null);
    let on = world.edit(&on, "security.ssh", Value::Null);
    assert_eq!(
        (on.values, on.toml),
        (fresh.values.clone(), fresh.toml.clone())
    );
    let part = world.edit(&fresh, "ai.model", json!("qwen3"));
    assert_eq!(part.problems, []);
    assert_eq!(
        at(&part.values, "ai.endpoint"),
        at(&fresh.values, "ai.endpoint")
    );
}

#[test]
fn lists_add_and_leave_out() {
    let mut world = World::new();
    let draft = world.profile("minimal");
    let list = at(&draft.values, "software.packages")
        .as_array()
        .unwrap()
        .clone();
    let mut wanted = list.clone();
    wanted.retain(|name| name != "nano");
    wanted.push(json!("vim"));
    let draft = world.edit(&draft, "software.packages", json!(wanted));
    assert!(
        draft.toml.contains("packages = [\"vim\", \"!nano\"]"),
        "{}",
        draft.toml
    );
    assert_eq!(draft.problems, []);
    let draft = world.edit(&draft, "software.packages", json!(list));
    assert!(!draft.toml.contains("packages"), "{}", draft.toml);
}

#[test]
fn what_follows_from_a_name_is_nobody_s_change() {
    let mut world = World::new();
    let draft = world.profile("minimal");
    let draft = world.edit(&draft, "branding.name", json!("Aurora"));
    assert_ne!(
        at(&draft.values, "image.label"),
        at(&draft.base, "image.label")
    );
    assert!(!draft.own.contains(&"image.label".to_owned()));
    // Asked for by a person, the old label is a change, though it is what the base has.
    let label = at(&draft.base, "image.label").clone();
    let draft = world.edit(&draft, "image.label", label);
    assert!(
        draft.own.contains(&"image.label".to_owned()),
        "{}",
        draft.toml
    );
}

#[test]
fn rows_are_added_after_the_parent_s() {
    let mut world = World::new();
    let draft = world.profile("rescue");
    let script = world.path("hello.sh");
    fs::write(&script, "#!/bin/sh\n").unwrap();
    let path = script.to_str().unwrap();
    let draft = world
        .drafts
        .edit(
            &draft.id,
            "scripts",
            json!([{ "source": path, "point": "after-base" }]),
        )
        .unwrap();
    assert_eq!(draft.problems, []);
    let draft = world.edit(&draft, "scripts[0].network", json!(true));
    assert!(draft.toml.contains("[[scripts]]"), "{}", draft.toml);

    let parent = at(&draft.values, "software.debconf").clone();
    assert_eq!(parent.as_array().unwrap().len(), 1);
    let refused = world
        .drafts
        .edit(&draft.id, "software.debconf", json!([]))
        .unwrap_err();
    assert_eq!(refused.code(), Code::ProfileInvalid);
    assert_eq!(
        world.drafts.get(&draft.id).unwrap(),
        draft,
        "nothing is changed"
    );
}

#[test]
fn a_text_keeps_its_comments() {
    let mut world = World::new();
    let text = "# Mine.\nformat = 1\nextends = \"minimal\"\n\n[profile]\nname = \"mine\" # short\n\n[software]\npackages = [\n    # Editors\n    \"vim\", # the best\n    \"mc\",\n]\n";
    let draft = world.text(text);
    assert_eq!(draft.problems, []);
    let mut packages = at(&draft.values, "software.packages")
        .as_array()
        .unwrap()
        .clone();
    packages.push(json!("git"));
    let draft = world.edit(&draft, "software.packages", json!(packages));
    assert_eq!(
        draft.toml,
        text.replace("    \"mc\",\n", "    \"mc\",\n    \"git\",\n")
    );
    let draft = world.edit(&draft, "profile.name", json!("yours"));
    assert!(
        draft.toml.contains("name = \"yours\" # short"),
        "{}",
        draft.toml
    );
}

#[test]
fn problems_have_their_field_and_a_fix_that_works() {
    let mut world = World::new();
    let check = |world: &mut World, path: &str, bad: Value, at_path: &str, good: &Value| {
        let draft = world.profile("minimal");
        let draft = world.drafts.edit(&draft.id, path, bad).unwrap();
        let found = draft
            .problems
            .iter()
            .find(|problem| problem.path == at_path);
        let problem = found.unwrap_or_else(|| panic!("{path}: {:?}", draft.problems));
        assert!(problem.message.ends_with('.'), "{}", problem.message);
        let fix = problem.fix.clone().unwrap_or_else(|| panic!("{problem:?}"));
        // The page sets the whole field.
        let draft = world.drafts.edit(&draft.id, path, fix.value).unwrap();
        assert_eq!(draft.problems, [], "{path}");
        assert_eq!(at(&draft.values, path), good, "{path}");
    };
    let w = &mut world;
    check(
        w,
        "base.suite",
        json!("trixy"),
        "base.suite",
        &json!("trixie"),
    );
    check(
        w,
        "region.hostname",
        json!("Aurora"),
        "region.hostname",
        &json!("aurora"),
    );
    check(w, "boot.timeout", json!(4000), "boot.timeout", &json!(3600));
    check(
        w,
        "kernel.firmware",
        json!(["free", "wirelss"]),
        "kernel.firmware[1]",
        &json!(["free", "wireless"]),
    );
    check(
        w,
        "branding.short_name",
        json!("x".repeat(40)),
        "branding.short_name",
        &json!("x".repeat(32)),
    );
    let text = "format = 1\nextends = 'minimal'\nprofile.name = 'x'\nboot.uefi = false\nboot.secure_boot = true\n";
    let draft = world.text(text);
    let problem = &draft.problems[0];
    assert_eq!(problem.path, "boot.secure_boot");
    assert_eq!(problem.fix.as_ref().unwrap().value, json!(false));
    let text = text.replace("boot.uefi", "boot.ufi");
    let draft = world.text(&text);
    assert!(draft.problems[0].message.contains("uefi"), "{draft:?}");
}

#[test]
fn a_package_that_is_misspelt_is_named_where_the_page_shows_it() {
    let mut world = World::new();
    let draft = world.profile("minimal");
    let mut list = at(&draft.values, "software.packages")
        .as_array()
        .unwrap()
        .clone();
    let index = list.len();
    list.push(json!("Vim"));
    let draft = world
        .drafts
        .edit(&draft.id, "software.packages", json!(list))
        .unwrap();
    let problem = &draft.problems[0];
    assert_eq!(
        problem.path,
        format!("software.packages[{index}]"),
        "{problem:?}"
    );
    let fix = problem.fix.clone().unwrap();
    let draft = world
        .drafts
        .edit(&draft.id, "software.packages", fix.value)
        .unwrap();
    assert_eq!(draft.problems, []);
    assert_eq!(at(&draft.values, "software.packages")[index], "vim");
}

#[test]
fn files_that_are_not_there_are_problems() {
    let mut world = World::new();
    let draft = world.profile("minimal");
    let gone = world.path("gone.svg");
    let draft = world.edit(&draft, "branding.logo", json!(gone.to_str().unwrap()));
    assert_eq!(draft.problems[0].path, "branding.logo");
    let refused = world.drafts.checked(&draft.id).unwrap_err();
    assert_eq!(refused.code(), Code::ProfileInvalid);
    fs::write(&gone, "<svg/>").unwrap();
    let draft = world.edit(&draft, "branding.version", json!("2"));
    assert_eq!(draft.problems, []);
}

#[test]
fn hostile_input_is_refused_and_nothing_is_lost() {
    let mut world = World::new();
    let draft = world.profile("minimal");
    let draft = world.edit(&draft, "branding.name", json!("Precious"));
    let long = "#".repeat((1 << 20) + 1);
    let deep = format!("a = {}", "[".repeat(200_000));
    let binary = world.path("binary");
    fs::write(&binary, [0xff, 0xfe, 0, 1, 2].repeat(1000)).unwrap();
    let pipe = world.path("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRUSR).unwrap();
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    for source in [
        DraftSource::Text(long.clone()),
        DraftSource::Text("a\0b".into()),
        DraftSource::Path(text(&binary)),
        DraftSource::Path(text(&pipe)),
        DraftSource::Path(text(&world.path("none.toml"))),
        DraftSource::Iso(text(&binary)),
        DraftSource::Iso(text(&world.path(""))),
        DraftSource::Profile("../minimal".into()),
        DraftSource::Profile("none".into()),
    ] {
        let error = world.drafts.open(&source).unwrap_err();
        assert_eq!(error.code(), Code::ProfileInvalid, "{error}");
        assert!(!error.view().advice.is_empty());
    }
    assert!(world.drafts.edit_text(&draft.id, long).is_err());
    assert_eq!(world.drafts.get(&draft.id).unwrap(), draft);
    let broken = world.drafts.edit_text(&draft.id, deep).unwrap();
    assert_eq!(broken.values, draft.values, "those of the last good text");
    assert_eq!(broken.problems[0].path, "");
    assert!(
        world
            .drafts
            .edit(&draft.id, "branding.name", json!("x"))
            .is_err()
    );
    for path in [
        "",
        "nonsense",
        "branding.nonsense",
        "boot.entries[99]",
        "boot.entries[x]",
    ] {
        let refused = world.drafts.edit(&draft.id, path, json!("x"));
        assert!(refused.is_err(), "{path}");
    }
    let again = world
        .drafts
        .edit_text(&draft.id, draft.toml.clone())
        .unwrap();
    assert_eq!(again, draft);
}

#[test]
fn saving_elsewhere_keeps_files_right() {
    let mut world = World::new();
    fs::create_dir_all(world.path("a/sub")).unwrap();
    fs::create_dir(world.path("b")).unwrap();
    fs::write(world.path("a/logo.svg"), "<svg/>").unwrap();
    let text = "format = 1\nextends = 'minimal'\nprofile.name = 'x'\nbranding.logo = 'logo.svg'\n";
    fs::write(world.path("a/x.toml"), text).unwrap();
    let source = DraftSource::Path(world.path("a/x.toml").to_str().unwrap().into());
    let draft = world.drafts.open(&source).unwrap();
    assert_eq!(draft.problems, []);
    let logo = world.path("a/logo.svg");
    assert_eq!(
        *at(&draft.values, "branding.logo"),
        json!(logo.to_str().unwrap())
    );
    assert!(!world.drafts.is_unsaved(&draft.id).unwrap());

    let target = world.path("b/y.toml");
    let saved = world.drafts.save(&draft.id, Some(&target)).unwrap();
    assert_eq!(saved.problems, []);
    assert_eq!(saved.path.as_deref(), target.to_str());
    assert_eq!(fs::read_to_string(&target).unwrap(), saved.toml);
    assert_eq!(
        at(&saved.values, "branding.logo"),
        at(&draft.values, "branding.logo")
    );
    let home = world
        .drafts
        .save(&draft.id, Some(&world.path("a/z.toml")))
        .unwrap();
    assert_eq!(
        at(&home.values, "branding.logo"),
        at(&draft.values, "branding.logo")
    );

    let error = world
        .drafts
        .save(&draft.id, Some(Path::new("/proc/nowhere/x.toml")))
        .unwrap_err();
    assert!(
        matches!(error.code(), Code::Io | Code::AccessDenied),
        "{error:?}"
    );
}

#[test]
fn unsaved_changes_outlive_the_window() {
    let mut world = World::new();
    assert_eq!(world.drafts.unsaved(), None);
    let draft = world.profile("minimal");
    assert_eq!(world.drafts.unsaved(), None, "nothing was changed");
    let draft = world.edit(&draft, "branding.name", json!("Aurora"));
    let again = |world: &World| {
        Drafts::new(world.places.clone(), &Settings::usual(&world.places)).unsaved()
    };
    assert_eq!(again(&world), Some(draft.clone()));
    let kept = world.path("data/drafts");
    fs::write(kept.join("zz.json"), "{").unwrap();
    assert_eq!(
        again(&world),
        Some(draft.clone()),
        "what is no draft is passed over"
    );
    world
        .drafts
        .save(&draft.id, Some(&world.path("x.toml")))
        .unwrap();
    assert_eq!(again(&world), None);

    let draft = world.edit(&draft, "branding.name", json!("Borealis"));
    assert_eq!(again(&world).map(|draft| draft.title), Some(draft.title));
    world.profile("rescue");
    assert_eq!(again(&world), None, "whoever opens another one lets it go");
}

#[test]
fn settings_give_mirrors_where_profiles_have_none() {
    let mut world = World::new();
    let draft = world.profile("minimal");
    let settings = Settings {
        mirror: Some("http://mirror.example/debian".into()),
        ..Settings::usual(&world.places)
    };
    world.drafts.set_settings(&settings);
    let now = world.drafts.get(&draft.id).unwrap();
    assert_eq!(
        *at(&now.values, "base.mirrors"),
        json!(["http://mirror.example/debian"])
    );
    assert_eq!(now.values, now.base);
    let plan = plan(
        &world.drafts.checked(&draft.id).unwrap(),
        "/srv",
        Manner::default(),
    );
    assert!(plan.command.contains("base.mirrors"), "{}", plan.command);
    let now = world.edit(&now, "base.mirrors", json!(["auto"]));
    assert_eq!(now.problems, [], "a profile's own mirror is meant");
}

/// The profile comes back from an ISO that carries it.
#[test]
fn an_iso_gives_its_profile_back() {
    let mut world = World::new();
    let folder = world.path("tree/.isosmith");
    fs::create_dir_all(&folder).unwrap();
    let draft = world.profile("rescue");
    let whole = world.drafts.checked(&draft.id).unwrap().profile;
    fs::write(folder.join("profile.toml"), &whole).unwrap();
    let iso = world.path("x.iso");
    let made = std::process::Command::new("xorriso")
        .args(["-as", "mkisofs", "-quiet", "-R", "-o"])
        .args([&iso, &world.path("tree")])
        .output();
    match made {
        Ok(made) => assert!(made.status.success(), "{made:?}"),
        Err(error) => panic!("xorriso is needed: {error}"),
    }
    let source = DraftSource::Iso(iso.to_str().unwrap().into());
    let back = world.drafts.open(&source).unwrap();
    assert_eq!((back.problems.len(), back.path.clone()), (0, None));
    assert_eq!(back.values, draft.values);
}
