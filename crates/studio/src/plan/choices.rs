//! Sentences about desktop, accounts, installers, security and the AI helper.

use isosmith_spec::model::{
    Account, Assistant, Desktop, DesktopSize, DisplayManager, Encryption, Environment, Filesystem,
    Firewall, Installer, Security, SessionKind,
};

use super::list;

pub(super) fn desktop(desktop: &Desktop) -> Option<String> {
    let name = match desktop.environment? {
        Environment::Kde => "KDE Plasma",
        Environment::Gnome => "GNOME",
        Environment::Xfce => "Xfce",
        Environment::Lxqt => "LXQt",
        Environment::Cinnamon => "Cinnamon",
        Environment::Mate => "MATE",
        Environment::Kiosk => {
            let page = desktop.kiosk_page.as_ref()?;
            return Some(format!(
                "It shows the page {page} over the whole screen, and nothing else."
            ));
        }
    };
    let size = match desktop.size {
        DesktopSize::Minimal => "with little besides",
        DesktopSize::Standard => "with its usual programs",
        DesktopSize::Full => "with office, mail and media programs",
    };
    let session = match desktop.session {
        SessionKind::Wayland => "Wayland",
        SessionKind::X11 => "X11",
    };
    let login = match desktop.display_manager {
        DisplayManager::Sddm => "; SDDM shows the login screen",
        DisplayManager::Gdm => "; GDM shows the login screen",
        DisplayManager::Lightdm => "; LightDM shows the login screen",
        DisplayManager::None => "",
    };
    Some(format!(
        "The desktop is {name}, {size}, on {session}{login}."
    ))
}

/// What stands after the live user's sentence.
pub(super) fn accounts(accounts: &[Account]) -> String {
    let names = |keep: &dyn Fn(&Account) -> bool| -> Vec<String> {
        let kept = accounts.iter().filter(|account| keep(account));
        kept.map(|account| format!("“{}”", account.name)).collect()
    };
    let all = names(&|_| true);
    let mut text = match all.as_slice() {
        [] => return String::new(),
        [one] => format!(" There is the account {one}, too."),
        several => format!(" There are the accounts {}, too.", list(several)),
    };
    let admins = names(&|account| account.sudo);
    if !admins.is_empty() {
        text.push_str(&format!(" {} may administer the system.", list(&admins)));
    }
    let reset = names(&|account| account.reset);
    if !reset.is_empty() {
        text.push_str(&format!(
            " After each logout the home folder of {} is as new.",
            list(&reset)
        ));
    }
    text
}

pub(super) fn installer(installer: &Installer) -> Option<String> {
    let filesystem = match installer.filesystem {
        Filesystem::Ext4 => "ext4",
        Filesystem::Btrfs => "Btrfs",
        Filesystem::Xfs => "XFS",
    };
    let encryption = match installer.encryption {
        Encryption::Offered => "encryption is offered",
        Encryption::Preselected => "encryption is chosen unless a person says no",
        Encryption::Hidden => "encryption is not offered",
    };
    let calamares = installer
        .calamares
        .then(|| format!("Calamares puts it onto a disk: {filesystem} is proposed, {encryption}."));
    let only =
        (installer.calamares && installer.only).then(|| "The medium does nothing else.".to_owned());
    let debian = installer
        .debian
        .then(|| "Debian's own installer is in the boot menu.".to_owned());
    let parts: Vec<String> = [calamares, only, debian].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

pub(super) fn security(security: &Security) -> Option<String> {
    let ports: Vec<String> = security
        .open_ports
        .iter()
        .map(ToString::to_string)
        .collect();
    let wall = |name: &str| match ports.as_slice() {
        [] => format!("A firewall ({name}) lets nothing in."),
        ports => format!("A firewall ({name}) lets in {} only.", list(ports)),
    };
    let firewall = match security.firewall {
        Firewall::None => None,
        Firewall::Nftables => Some(wall("nftables")),
        Firewall::Ufw => Some(wall("ufw")),
    };
    let on: Vec<String> = [
        (security.apparmor, "AppArmor"),
        (security.hardening, "hardened kernel settings"),
        (security.automatic_updates, "automatic security updates"),
        (security.fail2ban, "fail2ban for SSH"),
        (security.dns_over_tls, "DNS over TLS"),
        (security.random_mac, "random hardware addresses"),
    ]
    .into_iter()
    .filter(|(on, _)| *on)
    .map(|(_, what)| what.to_owned())
    .collect();
    let on = (!on.is_empty()).then(|| format!("Switched on: {}.", list(&on)));
    let ssh = security.ssh.map(|ssh| {
        let who = match ssh.root {
            true => "root included",
            false => "but not root",
        };
        match ssh.password {
            true => format!("SSH lets people in with a key or a password, {who}."),
            false => format!("SSH lets people in with a key only, {who}."),
        }
    });
    let signing = security
        .signing
        .as_ref()
        .map(|_| "Boot loader and kernel are signed with your own key, too.".to_owned());
    let parts: Vec<String> = [firewall, on, ssh, signing].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

pub(super) fn assistant(assistant: &Assistant) -> String {
    format!(
        "The AI helper asks the model “{}” at {}.",
        assistant.model, assistant.endpoint
    )
}
