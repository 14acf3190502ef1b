//! Login screens, and which session they start.

use isosmith_spec::model::{BuildSpec, DisplayManager, Environment, SessionKind, Suite};

use crate::tree_file::TreeFile;

/// What `/etc/X11/default-display-manager` names; Debian's units compare it with themselves.
pub(crate) const fn program(manager: DisplayManager) -> Option<&'static str> {
    match manager {
        DisplayManager::Sddm => Some("/usr/bin/sddm"),
        DisplayManager::Gdm => Some("/usr/sbin/gdm3"),
        DisplayManager::Lightdm => Some("/usr/sbin/lightdm"),
        DisplayManager::None => None,
    }
}

pub(super) const fn unit(manager: DisplayManager) -> Option<&'static str> {
    match manager {
        DisplayManager::Sddm => Some("sddm.service"),
        DisplayManager::Gdm => Some("gdm3.service"),
        DisplayManager::Lightdm => Some("lightdm.service"),
        DisplayManager::None => None,
    }
}

/// The session that starts by default: name of its file, without `.desktop`.
pub(super) const fn session(
    environment: Environment,
    kind: SessionKind,
    suite: Suite,
) -> Option<&'static str> {
    Some(match (environment, kind, suite) {
        (Environment::Kde, SessionKind::Wayland, Suite::Bookworm) => "plasmawayland",
        (Environment::Kde, SessionKind::X11, Suite::Bookworm)
        | (Environment::Kde, SessionKind::Wayland, _) => "plasma",
        (Environment::Kde, SessionKind::X11, _) => "plasmax11",
        (Environment::Gnome, SessionKind::Wayland, _) => "gnome",
        (Environment::Gnome, SessionKind::X11, _) => "gnome-xorg",
        (Environment::Xfce, _, _) => "xfce",
        (Environment::Lxqt, _, _) => "lxqt",
        (Environment::Cinnamon, _, _) => "cinnamon",
        (Environment::Mate, _, _) => "mate",
        (Environment::Kiosk, _, _) => return None,
    })
}

/// Where that session's file lies in the tree; the image is checked for it.
pub(crate) fn session_file(spec: &BuildSpec) -> Option<String> {
    let kind = spec.desktop.session;
    let name = session(spec.desktop.environment?, kind, spec.base.suite)?;
    let folder = match kind {
        SessionKind::Wayland => "wayland-sessions",
        SessionKind::X11 => "xsessions",
    };
    Some(format!("/usr/share/{folder}/{name}.desktop"))
}

pub(super) fn files(spec: &BuildSpec, environment: Environment) -> Vec<TreeFile> {
    let desktop = &spec.desktop;
    let Some(program) = program(desktop.display_manager) else {
        return Vec::new();
    };
    let mut files = vec![TreeFile::new(
        "/etc/X11/default-display-manager",
        format!("{program}\n"),
    )];
    let Some(session) = session(environment, desktop.session, spec.base.suite) else {
        return files;
    };
    files.extend(match desktop.display_manager {
        DisplayManager::Sddm => sddm(&session_file(spec).unwrap_or_default()),
        DisplayManager::Gdm => gdm(session, desktop.session),
        DisplayManager::Lightdm => lightdm(session),
        DisplayManager::None => Vec::new(),
    });
    files
}

/// SDDM has no setting for a default session but remembers the last one, which is also what
/// it logs in to by itself where no other is named (sddm.conf(5), sddm-state.conf(5)).
fn sddm(session: &str) -> Vec<TreeFile> {
    vec![TreeFile::new(
        "/var/lib/sddm/state.conf",
        format!("[Last]\nSession={session}\nUser=\n"),
    )]
}

/// GDM asks AccountsService which session is whose; new users get what its template says.
fn gdm(session: &str, kind: SessionKind) -> Vec<TreeFile> {
    let wayland = match kind {
        SessionKind::Wayland => "",
        SessionKind::X11 => "WaylandEnable=false\n",
    };
    let template = format!("[Template]\n\n[User]\nSession={session}\n");
    vec![
        // live-config puts its lines behind the first one.
        TreeFile::new(
            "/etc/gdm3/daemon.conf",
            format!(
                "[daemon]\n{wayland}# Accounts come with the image, or from its installer.\n\
                 InitialSetupEnable=false\n\n[security]\n\n[xdmcp]\n\n[chooser]\n\n[debug]\n"
            ),
        ),
        TreeFile::new(
            "/etc/accountsservice/user-templates/standard",
            template.clone(),
        ),
        TreeFile::new(
            "/etc/accountsservice/user-templates/administrator",
            template,
        ),
    ]
}

/// `greeter-hide-users` is Debian's wish for networks with thousands of accounts.
fn lightdm(session: &str) -> Vec<TreeFile> {
    vec![TreeFile::new(
        "/etc/lightdm/lightdm.conf.d/20-isosmith-session.conf",
        format!(
            "[Seat:*]\nuser-session={session}\nautologin-session={session}\n\
             greeter-hide-users=false\n"
        ),
    )]
}
