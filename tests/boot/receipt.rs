//! The receipt: every field about desktop, accounts and security, and its effect in the booted
//! system.

use std::collections::BTreeMap;

use isosmith_spec::{
    BuildSpec,
    model::{DisplayManager, Environment, Firewall, SessionKind},
};

/// What the system must say: field of the profile, field of the read-back, and a part of that.
type Line = (String, &'static str, String);

/// Every field whose effect is not there.
pub fn missing(spec: &BuildSpec, found: &BTreeMap<String, String>) -> Vec<String> {
    let mut lines = desktop(spec);
    lines.extend(accounts(spec));
    lines.extend(security(spec));
    let lost = lines.into_iter().filter_map(|(field, of, want)| {
        let said = found.get(of).map_or("", String::as_str);
        (!said.contains(&want)).then(|| format!("{field}: {of} has no {want:?} but {said:?}"))
    });
    lost.collect()
}

fn line(field: &str, of: &'static str, want: impl Into<String>) -> Line {
    (field.to_owned(), of, want.into())
}

fn desktop(spec: &BuildSpec) -> Vec<Line> {
    let desktop = &spec.desktop;
    let Some(environment) = desktop.environment else {
        return Vec::new();
    };
    let logged_in = spec.users.live.as_ref().filter(|user| user.autologin);
    let mut lines = Vec::new();
    let (process, in_session) = match environment {
        Environment::Kde => ("plasmashell", true),
        Environment::Gnome => ("gnome-shell", true),
        Environment::Xfce => ("xfdesktop", true),
        Environment::Lxqt => ("lxqt-panel", true),
        Environment::Cinnamon => ("cinnamon", true),
        Environment::Mate => ("mate-panel", true),
        Environment::Kiosk => ("cage", false),
    };
    if !in_session || logged_in.is_some() {
        lines.push(line("desktop.environment", "processes", process));
    }
    if let Some(user) = logged_in.filter(|_| in_session) {
        let kind = match desktop.session {
            SessionKind::Wayland => "wayland",
            SessionKind::X11 => "x11",
        };
        let session = format!("Name={} Type={kind}", user.name);
        lines.push(line("desktop.session", "sessions", session));
    }
    let manager = match desktop.display_manager {
        DisplayManager::Sddm => Some("/usr/bin/sddm active"),
        DisplayManager::Gdm => Some("/usr/sbin/gdm3 active"),
        DisplayManager::Lightdm => Some("/usr/sbin/lightdm active"),
        DisplayManager::None => None,
    };
    lines.extend(manager.map(|want| line("desktop.display_manager", "display_manager", want)));
    if let Some(page) = &desktop.kiosk_page {
        lines.push(line("desktop.kiosk_page", "kiosk", page.as_str()));
        lines.push(line("desktop.kiosk_page", "processes", "firefox-esr"));
    }
    let chosen = &desktop.applications;
    for (field, id, mime) in [
        ("browser", &chosen.browser, "text/html"),
        ("mail", &chosen.mail, "x-scheme-handler/mailto"),
        ("files", &chosen.files, "inode/directory"),
        ("editor", &chosen.editor, "text/plain"),
        ("player", &chosen.player, "video/mp4"),
        ("pictures", &chosen.pictures, "image/png"),
    ] {
        if let Some(id) = id {
            let field = format!("desktop.applications.{field}");
            lines.push((field, "mime", format!("{mime}={id}")));
        }
    }
    lines
}

fn accounts(spec: &BuildSpec) -> Vec<Line> {
    let mut lines = Vec::new();
    for account in &spec.users.accounts {
        let name = account.name.as_str();
        lines.push(line("users.accounts", "accounts", format!("{name}:x:")));
        let gecos = format!(":{}:/home/{name}:/bin/bash", account.full_name);
        lines.push(line("users.accounts.full_name", "accounts", gecos));
        for group in &account.groups {
            let group = format!("({group})");
            lines.push(line("users.accounts.groups", "account_groups", group));
        }
        if account.sudo {
            lines.push(line("users.accounts.sudo", "account_groups", "(sudo)"));
        }
        if account.reset {
            lines.push(line("users.accounts.reset", "homes", name));
            let stop = format!("fresh-home end {name}");
            lines.push(line("users.accounts.reset", "resets", stop));
        }
    }
    lines
}

fn security(spec: &BuildSpec) -> Vec<Line> {
    let security = &spec.security;
    let mut lines = Vec::new();
    let (of, closed) = match security.firewall {
        Firewall::None => (None, ""),
        Firewall::Nftables => (Some("nft"), "policy drop"),
        Firewall::Ufw => (Some("ufw"), "Status: active"),
    };
    if let Some(of) = of {
        lines.push(line("security.firewall", of, closed));
        for port in &security.open_ports {
            let want = match security.firewall {
                Firewall::Ufw | Firewall::None => port.to_string(),
                Firewall::Nftables => {
                    let protocol = port.protocol().as_str();
                    format!("{protocol} dport {} accept", port.number())
                }
            };
            lines.push(line("security.open_ports", of, want));
        }
    }
    let yes = |on: bool| if on { "yes" } else { "no" };
    for (on, one) in [
        (
            security.fail2ban,
            line("security.fail2ban", "fail2ban", "sshd"),
        ),
        (
            security.apparmor,
            line("security.apparmor", "apparmor", "profiles are loaded"),
        ),
        (
            security.automatic_updates,
            line(
                "security.automatic_updates",
                "updates",
                format!("codename={}-security", spec.base.suite),
            ),
        ),
        (
            security.dns_over_tls,
            line("security.dns_over_tls", "resolved", "stub-resolv.conf"),
        ),
        (
            security.dns_over_tls,
            line(
                "security.dns_over_tls",
                "resolved",
                "DNSOverTLS=opportunistic",
            ),
        ),
        (
            security.random_mac,
            line(
                "security.random_mac",
                "network_manager",
                "wifi.cloned-mac-address=random",
            ),
        ),
    ] {
        lines.extend(on.then_some(one));
    }
    if let Some(ssh) = security.ssh {
        let password = format!("passwordauthentication {}", yes(ssh.password));
        lines.push(line("security.ssh.password", "sshd", password));
        let root = match ssh.root {
            true => "permitrootlogin without-password",
            false => "permitrootlogin no",
        };
        lines.push(line("security.ssh.root", "sshd", root));
    }
    lines
}

/// Settings that the kernel should have and has not; with the switch off there is no such file.
pub fn unhardened(spec: &BuildSpec, found: &BTreeMap<String, String>) -> Option<String> {
    let said = found.get("unhardened").map_or("", |text| text.trim());
    let want = if spec.security.hardening { "" } else { "none" };
    (said != want).then(|| format!("security.hardening: the kernel has {said:?}"))
}
