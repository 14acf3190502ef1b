use super::*;
use crate::wanted::{asked, installed, tests::spec};

/// Among the packages of `locale` with `text` are `has`, and no others of their kind.
fn check(suite: &str, locale: &str, text: &str, has: &[&str]) {
    let text = format!("[base]\nsuite = \"{suite}\"\n[region]\nlocales = [\"{locale}\"]\n{text}");
    let found: Vec<String> = installed(&spec(&text))
        .into_iter()
        .filter(|name| {
            FAMILIES
                .iter()
                .any(|family| name.starts_with(family.prefix))
        })
        .collect();
    assert_eq!(found, has, "{text}");
}

#[test]
fn programs_speak_the_languages_of_the_profile() {
    let programs = "[software]\n\
        packages = [\"firefox-esr\", \"libreoffice-writer\", \"thunderbird\"]";
    for (suite, locale, has) in [
        (
            "trixie",
            "de_DE.UTF-8",
            &[
                "firefox-esr-l10n-de",
                "hunspell-de-de",
                "libreoffice-l10n-de",
                "thunderbird-l10n-de",
            ][..],
        ),
        (
            "bookworm",
            "de_AT.UTF-8",
            &[
                "firefox-esr-l10n-de",
                "hunspell-de-at",
                "libreoffice-l10n-de",
                "thunderbird-l10n-de",
            ],
        ),
        (
            "trixie",
            "pt_BR.UTF-8",
            &[
                "firefox-esr-l10n-pt-br",
                "hunspell-pt-br",
                "libreoffice-l10n-pt-br",
                "thunderbird-l10n-pt-br",
            ],
        ),
        (
            "trixie",
            "pt_PT.UTF-8",
            &[
                "firefox-esr-l10n-pt-pt",
                "hunspell-pt-pt",
                "libreoffice-l10n-pt",
                "thunderbird-l10n-pt-pt",
            ],
        ),
        (
            "trixie",
            "zh_CN.UTF-8",
            &[
                "firefox-esr-l10n-zh-cn",
                "libreoffice-l10n-zh-cn",
                "thunderbird-l10n-zh-cn",
            ],
        ),
        (
            "trixie",
            "zh_HK.UTF-8",
            &[
                "firefox-esr-l10n-zh-tw",
                "libreoffice-l10n-zh-tw",
                "thunderbird-l10n-zh-tw",
            ],
        ),
        (
            "trixie",
            "en_GB.UTF-8",
            &[
                "firefox-esr-l10n-en-gb",
                "hunspell-en-gb",
                "libreoffice-l10n-en-gb",
                "thunderbird-l10n-en-gb",
            ],
        ),
        (
            "trixie",
            "es_AR.UTF-8",
            &[
                "firefox-esr-l10n-es-ar",
                "hunspell-es",
                "libreoffice-l10n-es",
                "thunderbird-l10n-es-ar",
            ],
        ),
        (
            "trixie",
            "es_CO.UTF-8",
            &[
                "firefox-esr-l10n-es-es",
                "hunspell-es",
                "libreoffice-l10n-es",
                "thunderbird-l10n-es-es",
            ],
        ),
        (
            "trixie",
            "nb_NO.UTF-8",
            &[
                "firefox-esr-l10n-nb-no",
                "hunspell-no",
                "libreoffice-l10n-nb",
                "thunderbird-l10n-nb-no",
            ],
        ),
        (
            "trixie",
            "sv_SE.UTF-8",
            &[
                "firefox-esr-l10n-sv-se",
                "hunspell-sv",
                "libreoffice-l10n-sv",
                "thunderbird-l10n-sv-se",
            ],
        ),
        (
            "trixie",
            "ca_ES.UTF-8@valencia",
            &[
                "firefox-esr-l10n-ca-valencia",
                "hunspell-ca",
                "libreoffice-l10n-ca",
                "thunderbird-l10n-ca",
            ],
        ),
        // LibreOffice has Armenian from Debian 13 on, Hunspell later still.
        (
            "bookworm",
            "hy_AM.UTF-8",
            &["firefox-esr-l10n-hy-am", "thunderbird-l10n-hy-am"],
        ),
        (
            "trixie",
            "hy_AM.UTF-8",
            &[
                "firefox-esr-l10n-hy-am",
                "libreoffice-l10n-hy",
                "thunderbird-l10n-hy-am",
            ],
        ),
        (
            "sid",
            "hy_AM.UTF-8",
            &[
                "firefox-esr-l10n-hy-am",
                "hunspell-hy",
                "libreoffice-l10n-hy",
                "thunderbird-l10n-hy-am",
            ],
        ),
        // Nothing speaks Bislama; a build does without.
        ("trixie", "bi_VU.UTF-8", &[]),
        ("trixie", "en_US.UTF-8", &[]),
        ("trixie", "C.UTF-8", &[]),
    ] {
        check(suite, locale, programs, has);
    }
    // What is not wanted needs no words, and what is left out stays out.
    check("trixie", "de_DE.UTF-8", "", &[]);
    check(
        "trixie",
        "de_DE.UTF-8",
        &format!("{programs}\nexclude = [\"hunspell-de-de\", \"thunderbird-l10n-de\"]"),
        &["firefox-esr-l10n-de", "libreoffice-l10n-de"],
    );
    check(
        "trixie",
        "en_US.UTF-8\", \"fr_FR.UTF-8",
        "[software]\npackages = [\"firefox-esr\"]",
        &["firefox-esr-l10n-fr", "hunspell-fr"],
    );
}

#[test]
fn desktops_speak_the_languages_of_the_profile() {
    let desktop = |suite: &str, name: &str, locale: &str| {
        format!(
            "[base]\nsuite = \"{suite}\"\n[region]\nlocales = [\"{locale}\"]\n\
             [desktop]\nenvironment = \"{name}\"\n"
        )
    };
    let german = "de_DE.UTF-8";
    for (text, has, lacks) in [
        (
            desktop("trixie", "lxqt", german),
            &[
                "lxqt-session-l10n",
                "lxqt-panel-l10n",
                "lxqt-policykit-l10n",
                "pcmanfm-qt-l10n",
                "nm-tray-l10n",
                "network-manager-l10n",
                "qt6-translations-l10n",
                "firefox-esr-l10n-de",
            ][..],
            &["qttranslations5-l10n", "vlc-l10n"][..],
        ),
        (
            desktop("bookworm", "lxqt", german),
            &["lxqt-panel-l10n", "qttranslations5-l10n"],
            &["network-manager-l10n", "qt6-translations-l10n"],
        ),
        (
            desktop("trixie", "kde", german) + "size = \"full\"",
            &["qt6-translations-l10n", "vlc-l10n", "libreoffice-l10n-de"],
            &["lxqt-panel-l10n"],
        ),
        (
            desktop("trixie", "cinnamon", german),
            &["cinnamon-l10n"],
            &["qt6-translations-l10n"],
        ),
        (
            desktop("trixie", "lxqt", "en_US.UTF-8"),
            &["nm-tray"],
            &["lxqt-panel-l10n", "qt6-translations-l10n"],
        ),
    ] {
        let names = installed(&spec(&text));
        for name in has {
            assert!(names.iter().any(|found| found == name), "{name}: {text}");
        }
        for name in lacks {
            assert!(names.iter().all(|found| found != name), "{name}: {text}");
        }
    }
}

#[test]
fn words_for_the_installer_go_with_it() {
    let text = "[region]\nlocales = [\"de_DE.UTF-8\"]\n[desktop]\nenvironment = \"xfce\"\n\
        [installer]\ncalamares = true";
    let qt = "qt6-translations-l10n".to_owned();
    assert!(installed(&spec(text)).contains(&qt));
    assert!(!asked(&spec(text)).contains(&qt));
}

#[test]
fn the_tables_are_sorted() {
    for family in FAMILIES {
        for list in [family.everywhere, family.since_trixie, family.since_forky] {
            assert!(list.split_whitespace().is_sorted(), "{list}");
        }
    }
    assert!(OTHERWISE.is_sorted());
}
