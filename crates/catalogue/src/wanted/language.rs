//! Words in the languages of `region.locales`: packages that are only recommended by what they
//! translate, so that they must be asked for.

use isosmith_spec::{
    model::{BuildSpec, Suite},
    names::Locale,
};

/// Packages that begin with `prefix` and end with a language.
struct Family {
    /// It is wanted where one of these is.
    of: &'static [&'static str],
    /// Up to the language.
    prefix: &'static str,
    /// Languages that there are in each suite, between blanks. These three are what Debian's
    /// `Packages` indices of main list.
    everywhere: &'static str,
    /// Further ones from Debian 13 on.
    since_trixie: &'static str,
    /// Further ones in the suites after that.
    since_forky: &'static str,
}

const OFFICE: &[&str] = &[
    "libreoffice",
    "libreoffice-base",
    "libreoffice-calc",
    "libreoffice-draw",
    "libreoffice-impress",
    "libreoffice-math",
    "libreoffice-writer",
];

/// What checks spelling with the dictionaries of Hunspell.
const SPELLED: &[&str] = &[
    "evolution",
    "featherpad",
    "firefox-esr",
    "gnome-text-editor",
    "kate",
    "libreoffice",
    "libreoffice-calc",
    "libreoffice-draw",
    "libreoffice-impress",
    "libreoffice-writer",
    "mousepad",
    "pluma",
    "thunderbird",
];

const FAMILIES: &[Family] = &[
    Family {
        of: &["firefox-esr"],
        prefix: "firefox-esr-l10n-",
        everywhere: "ach af an ar ast az be bg bn br bs ca ca-valencia cak cs cy da de dsb el en-ca en-gb \
        eo es-ar es-cl es-es es-mx et eu fa ff fi fr fur fy-nl ga-ie gd gl gn gu-in he hi-in \
        hr hsb hu hy-am ia id is it ja ka kab kk km kn ko lij lt lv mk mr ms my nb-no ne-np nl \
        nn-no oc pa-in pl pt-br pt-pt rm ro ru sat sc sco si sk skr sl son sq sr sv-se szl ta \
        te tg th tl tr trs uk ur uz vi xh zh-cn zh-tw",
        since_trixie: "",
        since_forky: "",
    },
    Family {
        of: &["thunderbird"],
        prefix: "thunderbird-l10n-",
        everywhere: "af ar ast be bg br ca cak cs cy da de dsb el en-ca en-gb es-ar es-es es-mx et eu fi fr \
        fy-nl ga-ie gd gl he hr hsb hu hy-am id is it ja ka kab kk ko lt lv ms nb-no nl nn-no \
        pa-in pl pt-br pt-pt rm ro ru sk sl sq sr sv-se th tr uk uz vi zh-cn zh-tw",
        since_trixie: "",
        since_forky: "",
    },
    Family {
        of: OFFICE,
        prefix: "libreoffice-l10n-",
        everywhere: "af am ar as ast be bg bn br bs ca cs cy da de dz el en-gb en-za eo es et eu fa fi fr \
        ga gd gl gu gug he hi hr hu id in is it ja ka kk km kmr kn ko lt lv mk ml mn mr nb ne \
        nl nn nr nso oc om or pa-in pl pt pt-br ro ru rw si sk sl sr ss st sv szl ta te tg th \
        tn tr ts ug uk uz ve vi xh za zh-cn zh-tw zu",
        since_trixie: "hy tl",
        since_forky: "",
    },
    Family {
        of: SPELLED,
        prefix: "hunspell-",
        everywhere: "af an ar be bg bn bo br bs ca cs da de-at de-ch de-de dz el en-au en-ca en-gb en-za es \
        eu fr gd gl gu gug he hi hr hu id is it kk kmr ko lo lt lv ml mn ne nl no oc pl pt-br \
        pt-pt ro ru si sk sl sr sv sw te th tr uk uz vi",
        since_trixie: "eo",
        since_forky: "as ckb fa hy kn mr or pa sa ta",
    },
];

/// A package with words in every language.
struct Pack {
    /// It is wanted where this is.
    of: &'static str,
    /// Its name in Debian 12; empty where there is none, or where the program brings it along.
    bookworm: &'static str,
    /// Its name in later suites.
    later: &'static str,
}

impl Pack {
    const fn same(of: &'static str, name: &'static str) -> Self {
        Self {
            of,
            bookworm: name,
            later: name,
        }
    }

    /// Buttons and dialogues of Qt itself.
    const fn of_qt(of: &'static str) -> Self {
        Self {
            of,
            bookworm: "qttranslations5-l10n",
            later: "qt6-translations-l10n",
        }
    }
}

const PACKS: &[Pack] = &[
    Pack::of_qt("calamares"),
    Pack::of_qt("lxqt-core"),
    Pack::of_qt("plasma-desktop"),
    Pack::same("chromium", "chromium-l10n"),
    Pack::same("cinnamon", "cinnamon-l10n"),
    Pack::same("featherpad", "featherpad-l10n"),
    Pack::same("lximage-qt", "lximage-qt-l10n"),
    Pack::same("lxqt-about", "lxqt-about-l10n"),
    Pack::same("lxqt-admin", "lxqt-admin-l10n"),
    Pack::same("lxqt-archiver", "lxqt-archiver-l10n"),
    Pack::same("lxqt-core", "liblxqt-l10n"),
    Pack::same("lxqt-core", "lxqt-config-l10n"),
    Pack::same("lxqt-core", "lxqt-globalkeys-l10n"),
    Pack::same("lxqt-core", "lxqt-notificationd-l10n"),
    Pack::same("lxqt-core", "lxqt-panel-l10n"),
    Pack::same("lxqt-core", "lxqt-runner-l10n"),
    Pack::same("lxqt-openssh-askpass", "lxqt-openssh-askpass-l10n"),
    Pack::same("lxqt-policykit", "lxqt-policykit-l10n"),
    Pack::same("lxqt-powermanagement", "lxqt-powermanagement-l10n"),
    Pack::same("lxqt-session", "lxqt-session-l10n"),
    Pack::same("lxqt-sudo", "lxqt-sudo-l10n"),
    Pack::same("nm-tray", "nm-tray-l10n"),
    Pack::same("obconf-qt", "obconf-qt-l10n"),
    Pack::same("pavucontrol-qt", "pavucontrol-qt-l10n"),
    Pack::same("pcmanfm-qt", "libfm-qt-l10n"),
    Pack::same("pcmanfm-qt", "pcmanfm-qt-l10n"),
    Pack::same("qpdfview", "qpdfview-translations"),
    Pack::same("qterminal", "qterminal-l10n"),
    Pack::same("smplayer", "smplayer-l10n"),
    Pack::same("vlc", "vlc-l10n"),
    Pack {
        of: "network-manager",
        bookworm: "",
        later: "network-manager-l10n",
    },
];

/// What a language is called where neither its code nor that of the region fits: its usual
/// region, or the name that dictionaries have for it.
const OTHERWISE: &[(&str, &[&str])] = &[
    ("de", &["de-de"]),
    ("es", &["es-es"]),
    ("fy", &["fy-nl"]),
    ("ga", &["ga-ie"]),
    ("gu", &["gu-in"]),
    ("hi", &["hi-in"]),
    ("hy", &["hy-am"]),
    ("ku", &["kmr"]),
    ("nb", &["nb-no", "no"]),
    ("ne", &["ne-np"]),
    ("nn", &["nn-no", "no"]),
    ("pa", &["pa-in"]),
    ("pt", &["pt-pt"]),
    ("sv", &["sv-se"]),
];

/// The language of everything that has not been translated.
const UNTRANSLATED: &str = "en";

/// Packages with words for `spec`'s locales in what is translated among `wanted`, without those
/// that the profile leaves out.
pub(super) fn packages<'w>(spec: &BuildSpec, wanted: impl Iterator<Item = &'w str>) -> Vec<String> {
    let suite = spec.base.suite;
    let wanted: Vec<&str> = wanted.collect();
    let locales = &spec.region.locales;
    let mut names = Vec::new();
    let used = FAMILIES.iter().filter(|family| {
        let mut of = family.of.iter();
        of.any(|name| wanted.contains(name))
    });
    for family in used {
        names.extend(
            locales
                .iter()
                .filter_map(|locale| family.named(locale, suite)),
        );
    }
    let foreign = |locale: &Locale| !matches!(language(locale), "C" | UNTRANSLATED);
    if locales.iter().any(foreign) {
        let used = PACKS.iter().filter(|pack| wanted.contains(&pack.of));
        let named = used.map(|pack| match suite {
            Suite::Bookworm => pack.bookworm,
            Suite::Trixie | Suite::Forky | Suite::Sid => pack.later,
        });
        names.extend(named.filter(|name| !name.is_empty()).map(str::to_owned));
    }
    let left_out = &spec.software.exclude;
    names.retain(|name| left_out.iter().all(|excluded| excluded.as_str() != name));
    names
}

impl Family {
    /// The package for `locale` in `suite`; `None` if there is none.
    fn named(&self, locale: &Locale, suite: Suite) -> Option<String> {
        let further = match suite {
            Suite::Bookworm => [""; 2],
            Suite::Trixie => [self.since_trixie, ""],
            Suite::Forky | Suite::Sid => [self.since_trixie, self.since_forky],
        };
        let there = |code: &String| {
            let mut lists = [self.everywhere].into_iter().chain(further);
            lists.any(|list| list.split_whitespace().any(|one| one == code))
        };
        let code = codes(locale).into_iter().find(there)?;
        Some(format!("{}{code}", self.prefix))
    }
}

/// `de` of `de_DE.UTF-8`.
fn language(locale: &Locale) -> &str {
    let text = locale.as_str();
    text.split(['_', '.', '@']).next().unwrap_or(text)
}

/// What packages may call the language of `locale`, best first: `ca_ES.UTF-8@valencia` is
/// `ca-valencia`, else `ca-es`, else `ca`.
fn codes(locale: &Locale) -> Vec<String> {
    let text = locale.as_str();
    let language = language(locale);
    let before_charset = text.split('.').next().unwrap_or(text);
    let region = before_charset.split_once('_').map(|(_, region)| region);
    let modifier = text.split_once('@').map(|(_, modifier)| modifier);
    let mut codes: Vec<String> = [modifier, region]
        .into_iter()
        .flatten()
        .map(|part| format!("{language}-{}", part.to_lowercase()))
        .collect();
    if language == "zh" {
        // The bare language does not say which characters; the region does.
        let traditional = matches!(region, Some("TW" | "HK" | "MO"));
        codes.push(if traditional { "zh-tw" } else { "zh-cn" }.to_owned());
    }
    codes.push(language.to_owned());
    let usual = OTHERWISE.iter().filter(|(of, _)| *of == language);
    codes.extend(usual.flat_map(|(_, names)| names.iter().map(|&name| name.to_owned())));
    codes
}

#[cfg(test)]
mod tests;
