//! Every desktop, size, session and security switch against the real archive, on demand:
//! `cargo test -p isosmith-catalogue --test real_names -- --ignored`.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on stops with a message"
)]

use std::{fmt::Write as _, time::Duration};

use isosmith_catalogue::{Catalogue, Sources, mirrors::Machine};
use isosmith_spec::{Layer, Origin, model::BuildSpec};

fn spec(suite: &str, choices: &str) -> BuildSpec {
    let text = format!(
        "format = 1\n[profile]\nname = \"demo\"\n[software]\npackages = [\"openssh-server\"]\n\
         [base]\nsuite = \"{suite}\"\nmirrors = [\"http://deb.debian.org/debian\"]\n\
         security = false\nupdates = false\n{choices}"
    );
    let layer = Layer::new(Origin::Profile("demo".into()), "", text);
    isosmith_spec::load(vec![layer], &|_| None).unwrap().0
}

/// Fails where the archive of `suite` lacks something that a choice needs.
fn check(suite: &str) {
    let folder = tempfile::tempdir().unwrap();
    let sources = Sources::of(&spec(suite, ""), &Machine::default());
    let catalogue = Catalogue::open(folder.path(), sources);
    catalogue.wait(Duration::from_secs(300));

    let mut choices = Vec::new();
    for environment in ["kde", "gnome", "xfce", "lxqt", "cinnamon", "mate", "kiosk"] {
        let more = match environment {
            "kiosk" => "kiosk_page = \"https://example.org/\"\n",
            _ => "",
        };
        for size in ["minimal", "standard", "full"] {
            choices.push(format!(
                "[desktop]\nenvironment = \"{environment}\"\nsize = \"{size}\"\n{more}"
            ));
        }
    }
    choices.push("[desktop]\nenvironment = \"kde\"\nsession = \"x11\"\n".to_owned());
    if matches!(suite, "bookworm" | "trixie") {
        choices.push("[desktop]\nenvironment = \"gnome\"\nsession = \"x11\"\n".to_owned());
    }
    for firewall in ["nftables", "ufw"] {
        choices.push(format!(
            "[security]\nfirewall = \"{firewall}\"\nfail2ban = true\nhardening = true\n\
             apparmor = true\ndns_over_tls = true\nrandom_mac = true\n"
        ));
    }

    let mut lost = String::new();
    for choice in choices {
        let selection = catalogue.select(&spec(suite, &choice)).unwrap();
        let missing = selection.solution().missing;
        if !missing.is_empty() {
            writeln!(lost, "{choice}{missing:?}").unwrap();
        }
    }
    assert!(lost.is_empty(), "{suite} lacks something:\n{lost}");
}

#[test]
#[ignore = "asks the real mirror"]
fn trixie_has_all_that_choices_need() {
    check("trixie");
}

#[test]
#[ignore = "asks the real mirror"]
fn other_suites_have_all_that_choices_need() {
    for suite in ["bookworm", "forky", "sid"] {
        check(suite);
    }
}
