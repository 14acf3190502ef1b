//! What holds only while the system runs from the medium: the live user's session is not
//! locked behind a password that nobody knows, and nothing greets or asks on its first start.
//!
//! The files lie in a folder of their own. A component of live-config (live-config(7)) lays them
//! over the running system, so an installed one has none of it.

use isosmith_spec::model::{
    BuildSpec, DisplayManager, Environment, LiveUser, Login, SessionKind, Suite,
};

use super::login;
use crate::tree_file::TreeFile;

/// Runs after live-config's own components for login screens, the last of which is
/// `0100-lightdm`.
const COMPONENT: &str = "/usr/lib/live/config/0101-isosmith-desktop";

/// What the component lays over `/`.
const FOLDER: &str = "/usr/share/isosmith/live";

pub(super) fn files(spec: &BuildSpec, environment: Environment) -> Vec<TreeFile> {
    let Some(user) = &spec.users.live else {
        return Vec::new();
    };
    let settings = settings(spec, environment, user.password == Login::Locked);
    let mut files: Vec<TreeFile> = settings
        .into_iter()
        .map(|(path, text)| TreeFile::new(format!("{FOLDER}{path}"), text))
        .collect();
    files.push(TreeFile::program(
        COMPONENT,
        component(spec, environment, user),
    ));
    files
}

/// live-config writes `/etc/sddm.conf` without asking which session there is, and knows nothing
/// of GDM's.
fn component(spec: &BuildSpec, environment: Environment, user: &LiveUser) -> String {
    let desktop = &spec.desktop;
    let session = login::session(environment, desktop.session, spec.base.suite);
    let safe = safe_session(spec, environment);
    let sign_in = match (desktop.display_manager, session) {
        (DisplayManager::Sddm, Some(session)) => format!(
            "session={session}\n{}\
             if [ -e /var/lib/live/config/sddm ]; then\n\
             \tsed -i \"s|^Session=.*|Session=$session.desktop|\" /etc/sddm.conf\n\
             fi\n",
            without_mode_setting(safe, "")
        ),
        (DisplayManager::Gdm, Some(session)) => {
            let name = user.name.as_str();
            let x11 =
                "\tsed -i 's|^\\[daemon\\]$|&\\nWaylandEnable=false|' /etc/gdm3/daemon.conf\n";
            format!(
                "session={session}\n{}\
                 mkdir -p /var/lib/AccountsService/users\n\
                 printf '[User]\\nSession=%s\\nSystemAccount=false\\n' \"$session\" \
                 > /var/lib/AccountsService/users/{name}\n",
                without_mode_setting(safe, x11)
            )
        }
        (DisplayManager::Sddm | DisplayManager::Gdm, None)
        | (DisplayManager::Lightdm | DisplayManager::None, _) => String::new(),
    };
    format!(
        "#!/bin/sh\n\
         # Part of live-config: what holds for the desktop only while it runs from the medium.\n\
         . /lib/live/config.sh\n\n\
         component_was_executed \"isosmith-desktop\" && exit 0\n\
         echo -n \" isosmith-desktop\"\n\
         {sign_in}\
         if [ -d {FOLDER} ]; then\n\
         \tcp -r {FOLDER}/. /\n\
         fi\n\
         if [ -d {FOLDER}/usr/share/glib-2.0/schemas ]; then\n\
         \tglib-compile-schemas /usr/share/glib-2.0/schemas\n\
         fi\n\n\
         touch /var/lib/live/config/isosmith-desktop\n"
    )
}

/// The session for "safe graphics", where it is another than the usual one.
fn safe_session(spec: &BuildSpec, environment: Environment) -> Option<&'static str> {
    let suite = spec.base.suite;
    let has_one = match (environment, suite) {
        (Environment::Kde, _) => true,
        (Environment::Gnome, Suite::Bookworm | Suite::Trixie) => true,
        // Its X11 session is gone.
        (Environment::Gnome, Suite::Forky | Suite::Sid) => false,
        // These have none but that.
        (
            Environment::Xfce
            | Environment::Lxqt
            | Environment::Cinnamon
            | Environment::Mate
            | Environment::Kiosk,
            _,
        ) => false,
    };
    let wayland = spec.desktop.session == SessionKind::Wayland;
    let safe = (has_one && wayland).then_some(SessionKind::X11)?;
    login::session(environment, safe, suite)
}

/// Takes the safe session, and does `more`, on a machine that was started with "safe graphics".
fn without_mode_setting(safe: Option<&str>, more: &str) -> String {
    safe.map_or_else(String::new, |safe| {
        format!(
            "if grep -qw nomodeset /proc/cmdline; then\n\
             \tsession={safe}\n{more}fi\n"
        )
    })
}

/// Path and text of each setting. `locked`: nobody could open a locked screen again.
fn settings(
    spec: &BuildSpec,
    environment: Environment,
    locked: bool,
) -> Vec<(&'static str, String)> {
    match environment {
        Environment::Kde => kde(locked),
        Environment::Gnome => gnome(spec, locked),
        Environment::Xfce => xfce(locked),
        Environment::Cinnamon => cinnamon(locked),
        Environment::Mate => mate(locked),
        // LXQt brings no screen saver of its own, and a kiosk nobody who could lock it.
        Environment::Lxqt | Environment::Kiosk => Vec::new(),
    }
}

fn kde(locked: bool) -> Vec<(&'static str, String)> {
    let mut files = vec![
        // Its question for a new wallet's password would come with the first Wi-Fi key.
        (
            "/etc/xdg/kwalletrc",
            "[Wallet]\nEnabled=false\nFirst Use=false\n",
        ),
        // Greets whoever logs in for the first time.
        (
            "/etc/xdg/kded6rc",
            "[Module-kded_plasma-welcome]\nautoload=false\n\n\
             [Module-kded_plasma_welcome]\nautoload=false\n",
        ),
        // An index of files is not worth the memory that it would lie in.
        (
            "/etc/xdg/baloofilerc",
            "[Basic Settings]\nIndexing-Enabled=false\n",
        ),
        // A machine that sleeps may lose its medium.
        (
            "/etc/xdg/powerdevilrc",
            "[AC][SuspendAndShutdown]\nAutoSuspendAction=0\n\n\
             [Battery][SuspendAndShutdown]\nAutoSuspendAction=0\n",
        ),
    ];
    if locked {
        files.push((
            "/etc/xdg/kscreenlockerrc",
            "[Daemon]\nAutolock=false\nLockOnResume=false\nTimeout=0\n",
        ));
    }
    files
        .into_iter()
        .map(|(path, text)| (path, text.to_owned()))
        .collect()
}

/// Overrides of GSettings' defaults, see glib-compile-schemas(1).
const OVERRIDE: &str = "/usr/share/glib-2.0/schemas/90_isosmith-live.gschema.override";

/// GNOME shows no icons on its desktop, so that the installer stands first in its dash.
fn gnome(spec: &BuildSpec, locked: bool) -> Vec<(&'static str, String)> {
    let mut text = String::from(
        "[org.gnome.settings-daemon.plugins.power]\n\
         sleep-inactive-ac-type='nothing'\n\
         sleep-inactive-battery-type='nothing'\n\n\
         [org.gnome.shell]\n\
         welcome-dialog-last-shown-version='9999'\n",
    );
    // Updates of a medium are gone with its next start.
    let software = "\n[org.gnome.software]\nallow-updates=false\ndownload-updates=false\n";
    if spec.installer.calamares {
        let applications = &spec.desktop.applications;
        let chosen = [&applications.browser, &applications.files]
            .into_iter()
            .flatten()
            .map(|id| format!(", '{id}'"));
        text.push_str("favorite-apps=['isosmith-installer.desktop'");
        text.extend(chosen);
        text.push_str("]\n");
    }
    text.push_str(software);
    if locked {
        text.push_str(
            "\n[org.gnome.desktop.screensaver]\nlock-enabled=false\n\n\
             [org.gnome.desktop.lockdown]\ndisable-lock-screen=true\n",
        );
    }
    let hidden = "[Desktop Entry]\nType=Application\nName=Initial Setup\nHidden=true\n";
    vec![
        (OVERRIDE, text),
        (
            "/etc/xdg/autostart/gnome-initial-setup-first-login.desktop",
            hidden.to_owned(),
        ),
    ]
}

fn cinnamon(locked: bool) -> Vec<(&'static str, String)> {
    let mut text = String::from(
        "[org.cinnamon.settings-daemon.plugins.power]\n\
         sleep-inactive-ac-timeout=0\n\
         sleep-inactive-battery-timeout=0\n",
    );
    if locked {
        text.push_str(
            "\n[org.cinnamon.desktop.screensaver]\nlock-enabled=false\n\n\
             [org.cinnamon.desktop.lockdown]\ndisable-lock-screen=true\n",
        );
    }
    vec![(OVERRIDE, text)]
}

fn mate(locked: bool) -> Vec<(&'static str, String)> {
    let mut text =
        String::from("[org.mate.power-manager]\nsleep-computer-ac=0\nsleep-computer-battery=0\n");
    if locked {
        text.push_str(
            "\n[org.mate.screensaver]\nlock-enabled=false\nidle-activation-enabled=false\n\n\
             [org.mate.lockdown]\ndisable-lock-screen=true\n",
        );
    }
    vec![(OVERRIDE, text)]
}

/// Xfconf's defaults of a channel lie below `/etc/xdg/xfce4`.
fn xfce(locked: bool) -> Vec<(&'static str, String)> {
    let power = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <channel name=\"xfce4-power-manager\" version=\"1.0\">\n\
         \x20 <property name=\"xfce4-power-manager\" type=\"empty\">\n\
         \x20   <property name=\"inactivity-on-ac\" type=\"uint\" value=\"0\"/>\n\
         \x20   <property name=\"lock-screen-suspend-hibernate\" type=\"bool\" value=\"false\"/>\n\
         \x20 </property>\n\
         </channel>\n";
    let saver = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <channel name=\"xfce4-screensaver\" version=\"1.0\">\n\
         \x20 <property name=\"saver\" type=\"empty\">\n\
         \x20   <property name=\"enabled\" type=\"bool\" value=\"false\"/>\n\
         \x20 </property>\n\
         \x20 <property name=\"lock\" type=\"empty\">\n\
         \x20   <property name=\"enabled\" type=\"bool\" value=\"false\"/>\n\
         \x20 </property>\n\
         </channel>\n";
    let hidden = "[Desktop Entry]\nType=Application\nName=Light Locker\nHidden=true\n";
    if !locked {
        return Vec::new();
    }
    vec![
        (
            "/etc/xdg/xfce4/xfconf/xfce-perchannel-xml/xfce4-power-manager.xml",
            power.to_owned(),
        ),
        (
            "/etc/xdg/xfce4/xfconf/xfce-perchannel-xml/xfce4-screensaver.xml",
            saver.to_owned(),
        ),
        // What locks Debian 12's Xfce.
        ("/etc/xdg/autostart/light-locker.desktop", hidden.to_owned()),
    ]
}
