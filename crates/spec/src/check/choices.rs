//! Rules between desktop, installer, security, accounts and the boot menu.

use std::{collections::BTreeSet, path::Path};

use super::read::Place;
use crate::materials::MaterialKind;
use crate::model::{
    Base, Boot, BuildSpec, Desktop, DisplayManager, Environment, FileOverlay, Firewall, Installer,
    MenuEntry, Security, SessionKind, Software, Suite, Users,
};
use crate::problem::quote;

pub(super) fn desktop(root: &Place<'_>, desktop: Option<&Desktop>) {
    let Some(desktop) = desktop else { return };
    let at = root.get("desktop");
    let kiosk = desktop.environment == Some(Environment::Kiosk);
    match (kiosk, &desktop.kiosk_page) {
        (true, None) => at.get("kiosk_page").refuse(
            "a kiosk shows one page, and none is named",
            "write `kiosk_page = \"https://…\"`",
        ),
        (false, Some(_)) => at.get("kiosk_page").refuse(
            "only a kiosk shows a single page",
            "write `environment = \"kiosk\"`, or remove `kiosk_page`",
        ),
        (true, Some(_)) | (false, None) => {}
    }
    let manager = desktop.display_manager;
    match (desktop.environment, manager) {
        (None | Some(Environment::Kiosk), DisplayManager::None) => {}
        (None, _) => at.get("display_manager").refuse(
            format!("the login screen of {manager} has no desktop to start"),
            "choose a desktop as `environment`, or write `display_manager = \"none\"`",
        ),
        (Some(Environment::Kiosk), _) => at.get("display_manager").refuse(
            "a kiosk starts by itself and shows no login screen",
            "remove `display_manager`",
        ),
        (Some(environment), DisplayManager::None) => at.get("display_manager").refuse(
            format!("without a login screen nobody could start the desktop {environment}"),
            "remove `display_manager`, which takes the desktop's own",
        ),
        (Some(_), DisplayManager::Sddm | DisplayManager::Gdm | DisplayManager::Lightdm) => {}
    }
    let speaks_wayland = match desktop.environment {
        Some(Environment::Kde | Environment::Gnome | Environment::Kiosk) => true,
        Some(Environment::Xfce | Environment::Lxqt | Environment::Cinnamon | Environment::Mate)
        | None => false,
    };
    if desktop.session == SessionKind::Wayland && !speaks_wayland {
        let who = desktop.environment.map_or_else(
            || "a system without a desktop".to_owned(),
            |environment| format!("the desktop {environment}"),
        );
        at.get("session").refuse(
            format!("{who} has no Wayland session"),
            "write `session = \"x11\"`, or remove the line",
        );
    }
}

pub(super) fn installer(
    root: &Place<'_>,
    installer: Option<&Installer>,
    desktop: Option<&Desktop>,
) {
    let (Some(installer), Some(desktop)) = (installer, desktop) else {
        return;
    };
    let at = root.get("installer");
    if installer.only && !installer.calamares {
        at.get("only").refuse(
            "a medium that only installs needs the graphical installer",
            "write `calamares = true`, or remove `only`",
        );
    }
    let on_a_desktop = match desktop.environment {
        None | Some(Environment::Kiosk) => false,
        Some(
            Environment::Kde
            | Environment::Gnome
            | Environment::Xfce
            | Environment::Lxqt
            | Environment::Cinnamon
            | Environment::Mate,
        ) => true,
    };
    if installer.calamares && !installer.only && !on_a_desktop {
        at.get("calamares").refuse(
            "Calamares is a graphical program, and there is no desktop to open it on",
            "choose a desktop, write `only = true` for a medium that does nothing but install, or take `debian = true` instead",
        );
    }
}

/// In the live system, the live user may start the installer, and administrators after giving
/// their password.
pub(super) fn installing(root: &Place<'_>, installer: Option<&Installer>, users: Option<&Users>) {
    let (Some(installer), Some(users)) = (installer, users) else {
        return;
    };
    let somebody = users.live.is_some() || users.accounts.iter().any(|account| account.sudo);
    if installer.calamares && !installer.only && !somebody {
        root.get("installer.calamares").refuse(
            "nobody in the live system may start the installer",
            "give an account `sudo = true`, add `[users.live]`, or write `only = true`",
        );
    }
}

pub(super) fn menu(root: &Place<'_>, boot: Option<&Boot>, installer: Option<&Installer>) {
    let (Some(boot), Some(installer)) = (boot, installer) else {
        return;
    };
    let at = root.get("boot.entries");
    let only = installer.only && installer.calamares;
    for (place, entry) in at.entries().iter().zip(&boot.entries) {
        match entry {
            MenuEntry::Install if !installer.calamares => place.refuse(
                "there is no installer to open",
                "write `calamares = true` in `[installer]`, or remove `\"install\"`",
            ),
            MenuEntry::DebianInstaller if !installer.debian => place.refuse(
                "Debian's installer is not on the medium",
                "write `debian = true` in `[installer]`, or remove `\"debian-installer\"`",
            ),
            entry if only && entry.is_live() => place.refuse(
                format!("the medium only installs, so nothing is there for `{entry}`"),
                "remove it, or `only = true` in `[installer]`",
            ),
            MenuEntry::Live
            | MenuEntry::LiveToRam
            | MenuEntry::SafeGraphics
            | MenuEntry::VerifyMedium
            | MenuEntry::MemoryTest
            | MenuEntry::Install
            | MenuEntry::DebianInstaller
            | MenuEntry::LocalDisk => {}
        }
    }
    let starts = |entry: &MenuEntry| match entry {
        MenuEntry::Live
        | MenuEntry::LiveToRam
        | MenuEntry::SafeGraphics
        | MenuEntry::Install
        | MenuEntry::DebianInstaller => true,
        MenuEntry::VerifyMedium | MenuEntry::MemoryTest | MenuEntry::LocalDisk => false,
    };
    // An empty menu is refused already.
    if !only && !boot.entries.is_empty() && !boot.entries.iter().any(starts) {
        at.refuse(
            "no line of the menu starts the live system or an installer",
            "add `\"live\"`, or leave the line out",
        );
    }
    if installer.debian && !boot.entries.contains(&MenuEntry::DebianInstaller) {
        at.refuse(
            "Debian's installer is on the medium, but no line of the menu starts it",
            "add `\"debian-installer\"`, or remove `debian = true` in `[installer]`",
        );
    }
    if only && !boot.entries.contains(&MenuEntry::Install) {
        at.refuse(
            "the medium only installs, but no line of the menu starts the installer",
            "add `\"install\"`, or remove `only = true` in `[installer]`",
        );
    }
}

/// The package that brings an SSH server, and others that bring that one.
pub(crate) const SSH_SERVERS: [&str; 3] = ["openssh-server", "ssh", "task-ssh-server"];

pub(super) fn security(root: &Place<'_>, security: Option<&Security>, software: Option<&Software>) {
    let Some(security) = security else { return };
    let at = root.get("security");
    if security.firewall == Firewall::None && !security.open_ports.is_empty() {
        at.get("open_ports").refuse(
            "ports are named, but there is no firewall that could let them in",
            "write `firewall = \"nftables\"`, or remove `open_ports`",
        );
    }
    let ssh_server = software.is_none_or(|software| {
        software
            .packages
            .iter()
            .any(|package| SSH_SERVERS.contains(&package.as_str()))
    });
    if security.fail2ban && !ssh_server {
        at.get("fail2ban").refuse(
            "fail2ban would watch over SSH, and there is no SSH server",
            "add `\"openssh-server\"` to `software.packages`, or remove `fail2ban`",
        );
    }
}

/// The private key signs for Secure Boot, and gets nowhere into the image.
pub(super) fn signing(
    root: &Place<'_>,
    security: Option<&Security>,
    boot: Option<&Boot>,
    files: Option<&[FileOverlay]>,
) {
    let Some(signing) = security.and_then(|security| security.signing.as_ref()) else {
        return;
    };
    let at = root.get("security.signing");
    if boot.is_some_and(|boot| !boot.secure_boot) {
        at.refuse(
            "a key of your own is used for Secure Boot, which is switched off",
            "write `secure_boot = true` in `[boot]`, or remove `signing`",
        );
    }
    if signing.key == signing.certificate {
        at.get("certificate").refuse(
            "key and certificate are the same file, and the certificate goes onto the medium",
            "put the two into files of their own",
        );
    }
    let key = Path::new(signing.key.as_str());
    let copied = files
        .unwrap_or_default()
        .iter()
        .find(|file| key.starts_with(file.source.as_str()));
    if let Some(file) = copied {
        at.get("key").refuse(
            format!(
                "`files` would copy the private key into the image, with {}",
                quote(file.source.as_str())
            ),
            "move the key to a folder that is not copied",
        );
    }
}

/// What is private is nothing else besides: a script, say, would lie in the image.
pub(super) fn key_of_its_own(root: &Place<'_>, spec: &BuildSpec) {
    let Some(signing) = &spec.security.signing else {
        return;
    };
    let others = spec.materials();
    let again = others.iter().find(|material| {
        let private = matches!(material.kind, MaterialKind::SigningKey);
        // Said already, each in words of its own.
        let said = matches!(
            material.kind,
            MaterialKind::Certificate | MaterialKind::Overlay
        );
        !private && !said && material.path == signing.key
    });
    if let Some(other) = again {
        root.get("security.signing").get("key").refuse(
            format!("{} is the same file, and gets into the image", other.field),
            "put the two into files of their own",
        );
    }
}

pub(super) fn accounts(root: &Place<'_>, users: Option<&Users>) {
    let Some(users) = users else { return };
    let mut names = BTreeSet::new();
    for entry in root.get("users.accounts").entries() {
        let name = entry.get("name");
        let live = users.live.as_ref().map(|live| live.name.as_str());
        if let Some(text) = name.text().filter(|text| live == Some(*text)) {
            name.refuse(
                format!("{} is already the live user", quote(text)),
                "choose another name, or another one for `users.live.name`",
            );
        }
        name.not_again(&mut names, name.text());
    }
}

/// What not every suite has.
pub(super) fn suite(
    root: &Place<'_>,
    base: Option<&Base>,
    desktop: Option<&Desktop>,
    security: Option<&Security>,
) {
    let Some(base) = base else { return };
    let gnome_left_x11 = match base.suite {
        Suite::Bookworm | Suite::Trixie => false,
        Suite::Forky | Suite::Sid => true,
    };
    let wants_it = desktop.is_some_and(|desktop| {
        desktop.environment == Some(Environment::Gnome) && desktop.session == SessionKind::X11
    });
    if gnome_left_x11 && wants_it {
        root.get("desktop.session").refuse(
            format!("GNOME of {} has no session for X11", base.suite),
            "write `session = \"wayland\"`, or choose another suite or desktop",
        );
    }
    if security.is_some_and(|security| security.automatic_updates) && base.security.is_none() {
        root.get("security.automatic_updates").refuse(
            "there is no security pocket that updates could come from",
            "write `security = \"auto\"` in `[base]`, or remove `automatic_updates`",
        );
    }
}
