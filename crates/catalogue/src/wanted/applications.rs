//! Which packages have the applications that `[desktop.applications]` names.

use isosmith_spec::model::{Applications, Suite};

use super::need::{Need, needs};

/// Files in `/usr/share/applications` and their packages, the same in every suite; sorted.
/// From Debian's `Contents` indices.
const KNOWN: &[(&str, &str)] = &[
    ("caja.desktop", "caja"),
    ("chromium.desktop", "chromium"),
    ("claws-mail.desktop", "claws-mail"),
    ("eom.desktop", "eom"),
    ("featherpad.desktop", "featherpad"),
    ("firefox-esr.desktop", "firefox-esr"),
    ("gimp.desktop", "gimp"),
    ("io.github.celluloid_player.Celluloid.desktop", "celluloid"),
    ("lximage-qt.desktop", "lximage-qt"),
    ("mpv.desktop", "mpv"),
    ("nemo.desktop", "nemo"),
    ("org.gnome.Epiphany.desktop", "epiphany-browser"),
    ("org.gnome.Evolution.desktop", "evolution"),
    ("org.gnome.Geary.desktop", "geary"),
    ("org.gnome.Nautilus.desktop", "nautilus"),
    ("org.gnome.Rhythmbox3.desktop", "rhythmbox"),
    ("org.gnome.TextEditor.desktop", "gnome-text-editor"),
    ("org.gnome.Totem.desktop", "totem"),
    ("org.gnome.eog.desktop", "eog"),
    ("org.gnome.gThumb.desktop", "gthumb"),
    ("org.gnome.gedit.desktop", "gedit"),
    ("org.kde.dolphin.desktop", "dolphin"),
    ("org.kde.dragonplayer.desktop", "dragonplayer"),
    ("org.kde.elisa.desktop", "elisa"),
    ("org.kde.falkon.desktop", "falkon"),
    ("org.kde.gwenview.desktop", "gwenview"),
    ("org.kde.haruna.desktop", "haruna"),
    ("org.kde.kate.desktop", "kate"),
    ("org.kde.kmail2.desktop", "kmail"),
    ("org.kde.konqueror.desktop", "konqueror"),
    ("org.kde.kwrite.desktop", "kwrite"),
    ("org.kde.okular.desktop", "okular"),
    ("org.xfce.Parole.desktop", "parole"),
    ("org.xfce.mousepad.desktop", "mousepad"),
    ("org.xfce.ristretto.desktop", "ristretto"),
    ("pcmanfm-qt.desktop", "pcmanfm-qt"),
    ("pcmanfm.desktop", "pcmanfm"),
    ("pluma.desktop", "pluma"),
    ("smplayer.desktop", "smplayer"),
    ("thunar.desktop", "thunar"),
    ("thunderbird.desktop", "thunderbird"),
    ("vlc.desktop", "vlc"),
];

/// Those that Debian 12 does not have.
const SINCE_TRIXIE: &[(&str, &str)] = &[
    ("org.gnome.Loupe.desktop", "loupe"),
    ("org.gnome.Showtime.desktop", "showtime"),
    ("org.gnome.Shotwell.desktop", "shotwell"),
    ("qmmp.desktop", "qmmp"),
];

/// The package in `suite` with the application `id`; `None` where it is not known here: some
/// package of the profile's own may have it, and the build looks before it writes anything.
fn package(id: &str, suite: Suite) -> Option<&'static str> {
    let newer = match suite {
        Suite::Bookworm => &[],
        Suite::Trixie | Suite::Forky | Suite::Sid => SINCE_TRIXIE,
    };
    let mut known = KNOWN.iter().chain(newer);
    known.find_map(|(file, package)| (*file == id).then_some(*package))
}

/// Packages of the applications that `chosen` names, whatever the desktop's size.
pub(super) fn packages(chosen: &Applications, suite: Suite) -> Vec<Need> {
    [
        ("desktop.applications.browser", &chosen.browser),
        ("desktop.applications.mail", &chosen.mail),
        ("desktop.applications.files", &chosen.files),
        ("desktop.applications.editor", &chosen.editor),
        ("desktop.applications.player", &chosen.player),
        ("desktop.applications.pictures", &chosen.pictures),
    ]
    .into_iter()
    .filter_map(|(field, id)| Some((field, package(id.as_ref()?.as_str(), suite)?)))
    .flat_map(|(field, name)| needs(field, &[name]))
    .collect()
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf};

    use isosmith_spec::{BuildSpec, Layer, Origin, load, set};

    use super::*;
    use crate::wanted::{installed, tests::spec};

    fn repository() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    fn shipped(name: &str) -> Option<Layer> {
        let file = repository().join(format!("profiles/{name}/profile.toml"));
        let text = fs::read_to_string(file).ok()?;
        Some(Layer::new(Origin::Profile(name.into()), "", text))
    }

    fn shipped_with_size(name: &str, size: &str) -> BuildSpec {
        let profile = shipped(name).expect("a shipped profile");
        let size = set("desktop.size", &format!("\"{size}\"")).expect("a value");
        let (spec, _) = load(vec![profile, size], &shipped).expect("a good profile");
        spec
    }

    #[test]
    fn shipped_profiles_want_each_application_at_each_size() {
        let mut named = 0;
        for name in ["kde", "gnome", "xfce", "classroom", "ailinux"] {
            for size in ["minimal", "standard", "full"] {
                let spec = shipped_with_size(name, size);
                let wanted = installed(&spec);
                let chosen = &spec.desktop.applications;
                for id in [
                    &chosen.browser,
                    &chosen.mail,
                    &chosen.files,
                    &chosen.editor,
                    &chosen.player,
                    &chosen.pictures,
                ] {
                    let Some(id) = id else { continue };
                    let package = package(id.as_str(), spec.base.suite);
                    let package = package.unwrap_or_else(|| panic!("{name}: {id} is not known"));
                    let found = wanted.iter().any(|one| one == package);
                    assert!(found, "{name} {size}: {id} without {package}");
                    named += 1;
                }
            }
        }
        assert!(named > 30, "the shipped profiles name {named} applications");
    }

    #[test]
    fn what_the_window_offers_is_known() {
        let file = repository().join("ui/src/lib/fields/suggestions.ts");
        let text = fs::read_to_string(file).expect("the suggestions");
        let quoted = text.split('\'').filter(|text| text.ends_with(".desktop"));
        let offered: Vec<&str> = quoted.collect();
        assert!(offered.len() > 20, "{offered:?}");
        for id in offered {
            assert!(package(id, Suite::Trixie).is_some(), "{id} is offered");
        }
    }

    #[test]
    fn an_application_brings_its_package_where_the_suite_has_it() {
        for (suite, id, want) in [
            ("bookworm", "org.kde.kate.desktop", Some("kate")),
            ("trixie", "org.kde.kmail2.desktop", Some("kmail")),
            ("bookworm", "org.gnome.Loupe.desktop", None),
            ("sid", "org.gnome.Loupe.desktop", Some("loupe")),
            ("trixie", "com.example.Own.desktop", None),
        ] {
            let profile = |applications: &str| {
                let text = format!("[base]\nsuite = \"{suite}\"\n{applications}");
                installed(&spec(&text))
            };
            let without = profile("");
            let mut with = profile(&format!("[desktop.applications]\nmail = \"{id}\""));
            with.retain(|name| !without.contains(name));
            let want: Vec<&str> = want.into_iter().collect();
            assert_eq!(with, want, "{suite} {id}");
        }
    }

    #[test]
    fn the_table_is_sorted_and_names_files() {
        for table in [KNOWN, SINCE_TRIXIE] {
            assert!(table.iter().all(|(file, _)| file.ends_with(".desktop")));
        }
        assert!(KNOWN.is_sorted());
    }
}
