//! The files of the finished system that `[security]` comes to. Spec in, text out; the step
//! `security` writes them.

mod firewall;
mod sysctl;

use isosmith_spec::model::{Firewall, Security, SshPolicy, Suite};

use crate::tree_file::{TreeFile, preset};

pub(crate) use firewall::{UFW_RULES, with_rules};

/// What the step does with the tree.
pub(crate) struct Plan {
    /// Written.
    pub files: Vec<TreeFile>,
    /// Switched on.
    pub units: Vec<&'static str>,
}

/// Everything for `security` in `suite`; `None` where every switch is off.
pub(crate) fn plan(security: &Security, suite: Suite) -> Option<Plan> {
    let mut plan = Plan {
        files: Vec::new(),
        units: Vec::new(),
    };
    match security.firewall {
        Firewall::None => {}
        Firewall::Nftables => {
            plan.files.push(firewall::nftables(&security.open_ports));
            plan.units.push("nftables.service");
        }
        Firewall::Ufw => {
            plan.files.push(firewall::ufw_on());
            plan.units.push("ufw.service");
        }
    }
    if security.fail2ban {
        plan.files.push(jail());
        plan.units.push("fail2ban.service");
    }
    if security.hardening {
        plan.files.push(sysctl::hardening());
    }
    if security.apparmor {
        plan.files.push(apparmor());
        plan.units.push("apparmor.service");
    }
    if security.automatic_updates {
        plan.files.push(automatic_updates(suite));
        plan.units
            .extend(["apt-daily.timer", "apt-daily-upgrade.timer"]);
    }
    plan.files.extend(security.ssh.map(ssh));
    if security.dns_over_tls {
        plan.files.extend(dns_over_tls());
        plan.units.push("systemd-resolved.service");
    }
    if security.random_mac {
        plan.files.push(random_mac());
        plan.units.push("NetworkManager.service");
    }
    if plan.files.is_empty() {
        return None;
    }
    if !plan.units.is_empty() {
        plan.files.push(preset("security", &plan.units));
    }
    Some(plan)
}

/// Debian has no log file of SSH without rsyslog, and bans with nftables since Debian 13 only.
fn jail() -> TreeFile {
    TreeFile::new(
        "/etc/fail2ban/jail.d/isosmith.local",
        "[DEFAULT]\n\
         banaction = nftables\n\
         banaction_allports = nftables[type=allports]\n\n\
         [sshd]\n\
         enabled = true\n\
         backend = systemd\n\
         maxretry = 5\n\
         findtime = 10m\n\
         bantime = 1h\n",
    )
}

/// Debian's unit skips live systems, for union filesystems that lost the paths of files. With
/// the kernel's own overlay that live-boot uses paths are whole, and profiles hold.
fn apparmor() -> TreeFile {
    TreeFile::new(
        "/etc/systemd/system/apparmor.service.d/isosmith-live.conf",
        "[Unit]\n\
         # An empty line takes away the conditions about live systems.\n\
         ConditionPathExists=\n",
    )
}

/// Only from the security pocket, which is named by its codename: what `${distro_codename}`
/// stands for comes from os-release, and that is the product's. A list in apt.conf grows with
/// each file, so Debian's own is cleared first (apt.conf(5)).
fn automatic_updates(suite: Suite) -> TreeFile {
    TreeFile::new(
        "/etc/apt/apt.conf.d/60isosmith-automatic-updates",
        format!(
            "APT::Periodic::Update-Package-Lists \"1\";\n\
             APT::Periodic::Unattended-Upgrade \"1\";\n\
             #clear Unattended-Upgrade::Origins-Pattern;\n\
             Unattended-Upgrade::Origins-Pattern {{\n\
             \t\"origin=Debian,codename={suite}-security,label=Debian-Security\";\n\
             }};\n"
        ),
    )
}

/// Debian's `sshd_config` reads this folder first, and the first value counts (sshd_config(5)).
fn ssh(policy: SshPolicy) -> TreeFile {
    let word = |yes: bool| if yes { "yes" } else { "no" };
    let root = match policy.root {
        true => "prohibit-password",
        false => "no",
    };
    TreeFile::new(
        "/etc/ssh/sshd_config.d/10-isosmith.conf",
        format!(
            "PasswordAuthentication {password}\n\
             KbdInteractiveAuthentication {password}\n\
             PermitRootLogin {root}\n\
             PermitEmptyPasswords no\n\
             MaxAuthTries 4\n",
            password = word(policy.password),
        ),
    )
}

/// NetworkManager hands its servers to resolved. The link is made at each start: what is in its
/// place in an image is the building machine's affair and never part of it (tmpfiles.d(5)).
fn dns_over_tls() -> [TreeFile; 3] {
    [
        TreeFile::new(
            "/etc/systemd/resolved.conf.d/20-isosmith.conf",
            "[Resolve]\nDNSOverTLS=opportunistic\n",
        ),
        TreeFile::new(
            "/etc/NetworkManager/conf.d/20-isosmith-resolved.conf",
            "[main]\ndns=systemd-resolved\n",
        ),
        TreeFile::new(
            "/etc/tmpfiles.d/isosmith-resolved.conf",
            "L+! /etc/resolv.conf - - - - ../run/systemd/resolve/stub-resolv.conf\n",
        ),
    ]
}

/// A new address for each scan and each connection; NetworkManager.conf(5), nm-settings(5).
fn random_mac() -> TreeFile {
    TreeFile::new(
        "/etc/NetworkManager/conf.d/20-isosmith-random-mac.conf",
        "[device-isosmith-random-mac]\n\
         wifi.scan-rand-mac-address=yes\n\n\
         [connection-isosmith-random-mac]\n\
         ethernet.cloned-mac-address=random\n\
         wifi.cloned-mac-address=random\n",
    )
}

#[cfg(test)]
mod tests {
    use isosmith_spec::{Layer, Origin};

    use super::*;

    fn planned(text: &str) -> Option<Plan> {
        let text = format!(
            "format = 1\n[profile]\nname = \"demo\"\n\
             [software]\npackages = [\"openssh-server\"]\n[security]\n{text}"
        );
        let layer = Layer::new(Origin::Profile("demo".into()), "", text);
        let spec = isosmith_spec::load(vec![layer], &|_| None)
            .expect("a good profile")
            .0;
        plan(&spec.security, spec.base.suite)
    }

    #[test]
    fn each_switch_reaches_a_file_and_its_unit() {
        for (text, path, part, unit) in [
            (
                "firewall = \"nftables\"\nopen_ports = [\"53/udp\"]",
                "/etc/nftables.conf",
                "udp dport 53 accept",
                "nftables.service",
            ),
            (
                "firewall = \"ufw\"",
                "/etc/ufw/ufw.conf",
                "ENABLED=yes",
                "ufw.service",
            ),
            (
                "fail2ban = true",
                "/etc/fail2ban/jail.d/isosmith.local",
                "backend = systemd",
                "fail2ban.service",
            ),
            (
                "hardening = true",
                "/etc/sysctl.d/60-isosmith-hardening.conf",
                "kernel.kptr_restrict = 2",
                "",
            ),
            (
                "apparmor = true",
                "/etc/systemd/system/apparmor.service.d/isosmith-live.conf",
                "ConditionPathExists=\n",
                "apparmor.service",
            ),
            (
                "automatic_updates = true",
                "/etc/apt/apt.conf.d/60isosmith-automatic-updates",
                "codename=trixie-security,",
                "apt-daily-upgrade.timer",
            ),
            (
                "[security.ssh]\npassword = true",
                "/etc/ssh/sshd_config.d/10-isosmith.conf",
                "PasswordAuthentication yes\n",
                "",
            ),
            (
                "[security.ssh]\nroot = true",
                "/etc/ssh/sshd_config.d/10-isosmith.conf",
                "PermitRootLogin prohibit-password\n",
                "",
            ),
            (
                "dns_over_tls = true",
                "/etc/systemd/resolved.conf.d/20-isosmith.conf",
                "DNSOverTLS=opportunistic",
                "systemd-resolved.service",
            ),
            (
                "random_mac = true",
                "/etc/NetworkManager/conf.d/20-isosmith-random-mac.conf",
                "wifi.cloned-mac-address=random",
                "NetworkManager.service",
            ),
        ] {
            let plan = planned(text).unwrap_or_else(|| panic!("nothing for {text}"));
            let file = plan.files.iter().find(|file| file.path == path);
            let file = file.unwrap_or_else(|| panic!("no {path} for {text}"));
            assert!(file.text.contains(part), "{}", file.text);
            assert!(unit.is_empty() || plan.units.contains(&unit), "{unit}");
        }
        assert!(planned("").is_none());
    }
}
