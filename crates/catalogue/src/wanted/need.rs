//! A package with the field that needs it, and what must not be left out therefore.

use isosmith_spec::{
    Problem,
    model::{BuildSpec, Suite},
};

use super::{chosen, installer, lent, suite};

/// A package that a choice of the profile cannot do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Need {
    /// Its name.
    pub name: &'static str,
    /// The field of that choice, as in `desktop.session`; empty for every live system.
    pub field: &'static str,
}

impl Need {
    /// The same in `suite`, where `self` has the name of Debian 13. See [`suite::named`].
    pub fn in_suite(self, suite: Suite) -> Option<Self> {
        let name = suite::named(self.name, suite)?;
        Some(Self { name, ..self })
    }
}

/// `names`, all for the sake of `field`.
pub(super) fn needs(field: &'static str, names: &[&'static str]) -> Vec<Need> {
    names.iter().map(|&name| Need { name, field }).collect()
}

/// Each entry of `software.exclude` without which a choice of the same profile comes to nothing:
/// apt could not install what is wanted, so the build would fail once all lists are there.
///
/// Only what is wanted by name is found; whether a dependency of something is left out, apt alone
/// can tell. What a desktop has for its size only is not among these: that is left out.
pub fn needed_but_excluded(spec: &BuildSpec) -> Vec<Problem> {
    let all = [
        chosen(spec),
        installer::installed(spec),
        installer::in_the_pool(spec),
        lent(spec),
    ]
    .concat();
    let excluded = spec.software.exclude.iter().map(|name| name.as_str());
    excluded
        .filter_map(|name| problem(name, all.iter().filter(|need| need.name == name)))
        .collect()
}

/// `None` if nothing needs `name`.
fn problem<'n>(name: &str, needed: impl Iterator<Item = &'n Need>) -> Option<Problem> {
    let mut fields: Vec<&str> = needed.map(|need| need.field).collect();
    fields.sort_unstable();
    fields.dedup();
    let (message, fix) = if fields.first()?.is_empty() {
        (
            format!("a live system cannot be built without `{name}`"),
            "remove it from `software.exclude`".to_owned(),
        )
    } else {
        let fields: Vec<String> = fields.iter().map(|field| format!("`{field}`")).collect();
        let verb = if fields.len() == 1 { "needs" } else { "need" };
        let fields = fields.join(" and ");
        (
            format!("`{name}` is excluded, but {fields} {verb} it"),
            format!("remove it from `software.exclude`, or choose otherwise in {fields}"),
        )
    };
    Some(Problem {
        path: "software.exclude".to_owned(),
        message,
        fix,
        origin: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wanted::tests::spec;

    /// `name` is refused with `text`, for the sake of `fields`; with none, it may be left out.
    fn check(text: &str, name: &str, fields: &[&str]) {
        let text = format!("{text}\n[software]\nexclude = [\"{name}\"]");
        let problems = needed_but_excluded(&spec(&text));
        assert_eq!(
            problems.is_empty(),
            fields.is_empty(),
            "{text}: {problems:?}"
        );
        for problem in &problems {
            assert_eq!(problem.path, "software.exclude");
            assert!(problem.message.contains(name), "{text}: {problem}");
            for field in fields {
                let quoted = format!("`{field}`");
                assert!(problem.message.contains(&quoted), "{text}: {problem}");
                assert!(problem.fix.contains(&quoted), "{text}: {problem}");
            }
            assert_eq!(problem.message.matches('`').count(), 2 * fields.len() + 2);
        }
    }

    #[test]
    fn what_a_choice_needs_cannot_be_left_out() {
        let kde = "[desktop]\nenvironment = \"kde\"";
        let old = "[base]\nsuite = \"bookworm\"\n[desktop]\nenvironment = \"xfce\"";
        let kiosk = "[desktop]\nenvironment = \"kiosk\"\nkiosk_page = \"https://example.org/\"";
        let calamares = "[desktop]\nenvironment = \"lxqt\"\n[installer]\ncalamares = true";
        let debian = "[installer]\ndebian = true";
        let editor = "[desktop]\nenvironment = \"kde\"\n\
            [desktop.applications]\neditor = \"org.kde.kate.desktop\"";
        for (text, name, fields) in [
            (kde, "sddm", &["desktop.display_manager"][..]),
            (kde, "xwayland", &["desktop.session"]),
            (kde, "plasma-desktop", &["desktop.environment"]),
            (kde, "plymouth", &["desktop.environment"]),
            // The size alone wants these.
            (kde, "kate", &[]),
            (kde, "firefox-esr", &[]),
            (editor, "kate", &["desktop.applications.editor"]),
            (old, "network-manager-gnome", &["desktop.environment"]),
            (old, "network-manager-applet", &[]),
            (kiosk, "cage", &["desktop.environment"]),
            (kiosk, "firefox-esr", &["desktop.environment"]),
            ("", "sddm", &[]),
            (calamares, "calamares", &["installer.calamares"]),
            (calamares, "cryptsetup", &["installer.encryption"]),
            (calamares, "grub-pc", &["boot.bios"]),
            (calamares, "shim-signed", &["boot.secure_boot"]),
            (debian, "lvm2", &["installer.debian"]),
            (
                debian,
                "debian-installer-13-netboot-amd64",
                &["installer.debian"],
            ),
            ("", "cryptsetup", &[]),
            ("", "isolinux", &["boot.bios"]),
            ("[boot]\nbios = \"none\"", "isolinux", &[]),
            (
                "[kernel]\nfirmware = [\"sound\"]",
                "firmware-sof-signed",
                &["kernel.firmware"],
            ),
            (
                "[security]\nfirewall = \"ufw\"",
                "ufw",
                &["security.firewall"],
            ),
            (
                "[desktop]\nenvironment = \"kde\"\n[security]\nrandom_mac = true",
                "network-manager",
                &["desktop.environment", "security.random_mac"],
            ),
        ] {
            check(text, name, fields);
        }
    }

    #[test]
    fn what_every_live_system_needs_says_so() {
        let text = "[software]\nexclude = [\"console-setup\", \"nano\"]";
        let problems = needed_but_excluded(&spec(text));
        let said: Vec<_> = problems.iter().map(|problem| &*problem.message).collect();
        assert_eq!(
            said,
            ["a live system cannot be built without `console-setup`"]
        );
    }
}
