//! What makes a desktop work: the files of the finished system that `[desktop]` comes to.
//!
//! Everything here is spec in, text out; the step `desktop` writes it.

mod applications;
mod kiosk;
mod live;
mod login;

use isosmith_spec::model::{BuildSpec, Environment};

use crate::tree_file::{TreeFile, preset};

pub(crate) use applications::named as named_applications;
pub(crate) use kiosk::USER as KIOSK_USER;
pub(crate) use login::session_file;

/// What the step does with the tree.
pub(crate) struct Plan {
    /// Written.
    pub files: Vec<TreeFile>,
    /// Links: where they point, and where they lie.
    pub links: Vec<(String, &'static str)>,
    /// Switched on.
    pub units: Vec<&'static str>,
}

/// Everything for `spec`'s desktop; `None` where nothing is to be done. What opens what is said
/// without one, too: a profile may list the packages of a desktop of its own.
pub(crate) fn plan(spec: &BuildSpec) -> Option<Plan> {
    let Some(environment) = spec.desktop.environment else {
        return applications::list(&spec.desktop.applications).map(|list| Plan {
            files: vec![list],
            links: Vec::new(),
            units: Vec::new(),
        });
    };
    let units = units(environment);
    let mut files = vec![preset("desktop", &units), network()];
    files.extend(applications::list(&spec.desktop.applications));
    files.extend(login::files(spec, environment));
    files.extend(live::files(spec, environment));
    match environment {
        Environment::Kde => files.push(plasma_keyboard()),
        Environment::Kiosk => files.extend(kiosk::files(spec)),
        Environment::Gnome
        | Environment::Xfce
        | Environment::Lxqt
        | Environment::Cinnamon
        | Environment::Mate => {}
    }
    let mut links = vec![(
        "/usr/lib/systemd/system/graphical.target".to_owned(),
        "/etc/systemd/system/default.target",
    )];
    if let Some(unit) = login::unit(spec.desktop.display_manager) {
        // As Debian's packages do it: the unit in this place is the login screen.
        links.push((
            format!("/usr/lib/systemd/system/{unit}"),
            "/etc/systemd/system/display-manager.service",
        ));
    }
    Some(Plan {
        files,
        links,
        units,
    })
}

fn units(environment: Environment) -> Vec<&'static str> {
    match environment {
        Environment::Kiosk => vec!["NetworkManager.service", kiosk::UNIT],
        Environment::Kde
        | Environment::Gnome
        | Environment::Xfce
        | Environment::Lxqt
        | Environment::Cinnamon
        | Environment::Mate => vec!["NetworkManager.service"],
    }
}

/// Devices that ifupdown knows are NetworkManager's all the same: people see and change their
/// network in the desktop. See NetworkManager.conf(5), "ifupdown section".
fn network() -> TreeFile {
    TreeFile::new(
        "/etc/NetworkManager/conf.d/20-isosmith-desktop.conf",
        "[ifupdown]\nmanaged=true\n",
    )
}

/// Plasma on Wayland asks neither localed nor X for the keyboard. Read when the session starts,
/// so what live-config or an installer has written there holds too; a choice of the person's own
/// (`kxkbrc`) goes before it.
fn plasma_keyboard() -> TreeFile {
    TreeFile::new(
        "/etc/xdg/plasma-workspace/env/isosmith-keyboard.sh",
        "# The keyboard of the whole system, for KWin; see keyboard(5).\n\
         if [ -r /etc/default/keyboard ]; then\n\
         \t. /etc/default/keyboard\n\
         \texport XKB_DEFAULT_MODEL=\"$XKBMODEL\"\n\
         \texport XKB_DEFAULT_LAYOUT=\"$XKBLAYOUT\"\n\
         \texport XKB_DEFAULT_VARIANT=\"$XKBVARIANT\"\n\
         \texport XKB_DEFAULT_OPTIONS=\"$XKBOPTIONS\"\n\
         fi\n",
    )
}

/// Whether consoles let nobody in by themselves: a kiosk has no way out.
pub(crate) fn keeps_consoles_shut(spec: &BuildSpec) -> bool {
    spec.desktop.environment == Some(Environment::Kiosk)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use isosmith_spec::{Layer, Origin};

    use super::*;

    fn spec(text: &str) -> BuildSpec {
        let text = format!("format = 1\n[profile]\nname = \"demo\"\n{text}");
        let layer = Layer::new(Origin::Profile("demo".into()), "", text);
        isosmith_spec::load(vec![layer], &|_| None)
            .expect("a good profile")
            .0
    }

    fn files(text: &str) -> BTreeMap<String, String> {
        let plan = plan(&spec(text)).expect("a desktop");
        let files = plan.files.into_iter();
        files.map(|file| (file.path, file.text)).collect()
    }

    /// The file at `path` says `part` with `text`.
    fn check(text: &str, path: &str, part: &str) {
        let files = files(text);
        let found = files.get(path).unwrap_or_else(|| panic!("{path}: {text}"));
        assert!(found.contains(part), "{path} has no {part}:\n{found}");
    }

    #[test]
    fn each_field_reaches_a_file() {
        let of = |name: &str, more: &str| format!("[desktop]\nenvironment = \"{name}\"\n{more}");
        let live = "[users.live]\nname = \"ada\"\n";
        let state = "/var/lib/sddm/state.conf";
        let manager = "/etc/X11/default-display-manager";
        let lightdm = "/etc/lightdm/lightdm.conf.d/20-isosmith-session.conf";
        let component = "/usr/lib/live/config/0101-isosmith-desktop";
        let kiosk = of("kiosk", "kiosk_page = \"https://a.example/?a=1&b\"\n");
        for (text, path, part) in [
            (of("kde", ""), state, "/wayland-sessions/plasma.desktop"),
            (
                of("kde", "session = \"x11\""),
                state,
                "/xsessions/plasmax11.desktop",
            ),
            (
                format!("[base]\nsuite = \"bookworm\"\n{}", of("kde", "")),
                state,
                "plasmawayland.desktop",
            ),
            (of("kde", ""), manager, "/usr/bin/sddm"),
            (of("gnome", ""), manager, "/usr/sbin/gdm3"),
            (of("mate", ""), manager, "/usr/sbin/lightdm"),
            (
                of("kde", "display_manager = \"lightdm\""),
                lightdm,
                "user-session=plasma\n",
            ),
            (of("xfce", ""), lightdm, "autologin-session=xfce\n"),
            (of("lxqt", ""), state, "/xsessions/lxqt.desktop"),
            (
                of("gnome", "session = \"x11\""),
                "/etc/gdm3/daemon.conf",
                "WaylandEnable=false",
            ),
            (
                of("kde", "[desktop.applications]\nbrowser = \"a.desktop\""),
                "/etc/xdg/mimeapps.list",
                "text/html=a.desktop\n",
            ),
            (
                of("kde", "[desktop.applications]\nplayer = \"b.desktop\""),
                "/etc/xdg/mimeapps.list",
                "video/mp4=b.desktop\n",
            ),
            (
                format!("{}{live}", of("kde", "")),
                component,
                "session=plasma\nif grep -qw nomodeset /proc/cmdline; then\n\tsession=plasmax11\nfi",
            ),
            (
                format!("{}{live}", of("gnome", "")),
                component,
                "session=gnome-xorg\n\tsed -i 's|^\\[daemon\\]$|&\\nWaylandEnable=false|' /etc/gdm3/daemon.conf",
            ),
            (
                format!(
                    "[installer]\ncalamares = true\n{}{live}",
                    of("gnome", "[desktop.applications]\nbrowser = \"a.desktop\"\n")
                ),
                "/usr/share/isosmith/live/usr/share/glib-2.0/schemas/90_isosmith-live.gschema.override",
                "favorite-apps=['isosmith-installer.desktop', 'a.desktop']",
            ),
            (
                format!("{}{live}", of("gnome", "")),
                component,
                "/var/lib/AccountsService/users/ada",
            ),
            (
                format!("{}{live}", of("kde", "")),
                "/usr/share/isosmith/live/etc/xdg/kscreenlockerrc",
                "Autolock=false",
            ),
            (
                format!("{}{live}", of("xfce", "")),
                "/usr/share/isosmith/live/etc/xdg/xfce4/xfconf/xfce-perchannel-xml/xfce4-screensaver.xml",
                "name=\"lock\"",
            ),
            (
                kiosk.clone(),
                "/usr/lib/isosmith/kiosk-browser",
                "--kiosk 'https://a.example/?a=1&b'",
            ),
            (
                kiosk,
                "/usr/lib/systemd/system/isosmith-kiosk.service",
                "Restart=always",
            ),
        ] {
            check(&text, path, part);
        }
    }

    #[test]
    fn a_user_with_a_password_keeps_the_lock() {
        let text = "[desktop]\nenvironment = \"kde\"\n[users.live]\nname = \"ada\"\n\
                    password = \"$6$aaaaaaaa$dgbLJ4j182cRCuxqrBsOZpOvuF7fSm4EBMheNgzR/GghPHzOoip8Kce2UH1UEA6A/2IaaIvC1TiRiZwxghtzO1\"\n";
        let files = files(text);
        assert!(files.keys().all(|path| !path.ends_with("kscreenlockerrc")));
        assert!(files.keys().any(|path| path.ends_with("kwalletrc")));
    }

    #[test]
    fn without_a_desktop_only_applications_are_said() {
        assert!(plan(&spec("")).is_none());
        check(
            "[desktop.applications]\nbrowser = \"a.desktop\"",
            "/etc/xdg/mimeapps.list",
            "a.desktop",
        );
    }
}
