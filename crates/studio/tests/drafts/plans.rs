//! What the review says a build will do.

use isosmith_protocol::{ErrorMode, Pace};

use super::*;

#[test]
fn a_plan_says_what_will_happen() {
    let mut world = World::new();
    let draft = world.profile("minimal");
    let draft = world.edit(&draft, "branding.name", json!("It's Aurora"));
    let draft = world.edit(&draft, "software.packages", {
        let mut list = at(&draft.values, "software.packages").clone();
        list.as_array_mut().unwrap().push(json!("vim"));
        list
    });
    let checked = world.drafts.checked(&draft.id).unwrap();
    let manner = Manner {
        errors: ErrorMode::Permissive,
        pace: Pace::Aggressive,
        cache_limit: "20".parse().ok(),
    };
    let made = plan(&checked, "/home/kim/My ISOs", manner);
    let all = made.lines.join("\n");
    for words in [
        "Debian 13",
        "8 packages",
        "“user”",
        "BIOS",
        "Secure Boot",
        "It's Aurora 1.0",
        "zstd",
        "/home/kim/My ISOs/",
        "SHA-256 and MD5",
        "5 entries",
        "after 5 seconds",
    ] {
        assert!(all.contains(words), "{words} in {all}");
    }
    let words = shlex::split(&made.command).unwrap();
    assert_eq!(words[..3], ["isosmith", "build", "minimal"]);
    assert!(
        words.contains(&"branding.name=It's Aurora".to_owned()),
        "{words:?}"
    );
    assert!(
        words.contains(&"software.packages=[\"vim\"]".to_owned()),
        "{words:?}"
    );
    assert_eq!(
        words[words.len() - 7..].join(" "),
        "--output /home/kim/My ISOs --permissive --pace aggressive --cache-limit 20"
    );
    assert_eq!(made.steps.len(), 5);

    // What stands after --set gives the same product.
    let layers = words
        .iter()
        .zip(words.iter().skip(1))
        .filter(|(word, _)| *word == "--set");
    let sets = layers.map(|(_, set)| {
        let (path, value) = set.split_once('=').unwrap();
        isosmith_spec::set(path, value).unwrap()
    });
    let profile = fs::read_to_string(world.places.profile("minimal").unwrap()).unwrap();
    let origin = isosmith_spec::Origin::Profile("minimal".into());
    let first = isosmith_spec::Layer::new(origin, "/", profile);
    let layers = std::iter::once(first).chain(sets).collect();
    let (spec, _) = isosmith_spec::load(layers, &|_| None).unwrap();
    assert_eq!(spec, checked.spec);

    let file = world.path("my file.toml");
    world.drafts.save(&draft.id, Some(&file)).unwrap();
    let saved = plan(
        &world.drafts.checked(&draft.id).unwrap(),
        "/srv",
        Manner::default(),
    );
    let words = shlex::split(&saved.command).unwrap();
    assert_eq!(
        words,
        [
            "isosmith",
            "build",
            file.to_str().unwrap(),
            "--output",
            "/srv"
        ]
    );
}

#[test]
fn a_plan_names_desktop_security_and_helpers() {
    let mut world = World::new();
    let mut check = |name: &str, words: &[&str]| {
        let draft = world.profile(name);
        let checked = world.drafts.checked(&draft.id).unwrap();
        let all = plan(&checked, "/srv", Manner::default()).lines.join("\n");
        for words in words {
            assert!(all.contains(words), "{words} in {all}");
        }
    };
    check(
        "ailinux",
        &[
            "The desktop is KDE Plasma, with its usual programs, on Wayland; SDDM shows",
            "A firewall (nftables) lets in 22/tcp only.",
            "Switched on: AppArmor, hardened kernel settings",
            "SSH lets people in with a key only, but not root.",
            "asks the model “llama3.2” at http://127.0.0.1:11434.",
            "Calamares puts it onto a disk: Btrfs is proposed, encryption is chosen",
            "your logo, your wallpaper and your slides",
        ],
    );
    check(
        "kiosk",
        &["It shows the page https://www.debian.org/ over the whole screen"],
    );
    check(
        "classroom",
        &[
            "There are the accounts “red”, “green” and “blue”, too.",
            "After each logout the home folder of “red”, “green” and “blue” is as new.",
        ],
    );
}

/// The recipe's own shares, as its tests keep them.
#[test]
fn a_plan_shares_progress_as_the_recipe_does() {
    let steps: Vec<Value> =
        serde_json::from_str(include_str!("../../../recipe/tests/fixtures/steps.json")).unwrap();
    let mut world = World::new();
    for (profile, installs) in [("minimal", false), ("kde", true)] {
        let draft = world.profile(profile);
        let checked = world.drafts.checked(&draft.id).unwrap();
        let made = plan(&checked, "/srv", Manner::default());
        let shares: Vec<(Value, u64)> = made
            .steps
            .iter()
            .map(|step| (json!(step.phase), u64::from(step.weight)))
            .collect();
        let mut want: Vec<(Value, u64)> = Vec::new();
        // Neither signs.
        for step in steps.iter().filter(|step| step["id"] != "sign") {
            let weight = step["weight"].as_u64().unwrap();
            match want.last_mut() {
                Some((phase, share)) if *phase == step["phase"] => *share += weight,
                _ => want.push((step["phase"].clone(), weight)),
            }
        }
        want.retain(|(phase, _)| installs || phase != "installer");
        assert_eq!(shares, want, "{profile}");
    }
}
