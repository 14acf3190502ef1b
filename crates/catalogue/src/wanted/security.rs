//! What the switches of `[security]` need.

use isosmith_spec::model::{Firewall, Security};

use super::need::{Need, needs};

/// Names in Debian 13 of what `security` needs.
pub(super) fn packages(security: &Security) -> Vec<Need> {
    let mut all = match security.firewall {
        Firewall::None => Vec::new(),
        Firewall::Nftables => needs("security.firewall", &["nftables"]),
        Firewall::Ufw => needs("security.firewall", &["ufw"]),
    };
    for (field, on, names) in [
        // It bans with nftables, whatever the firewall is, and reads the journal.
        (
            "security.fail2ban",
            security.fail2ban,
            &["fail2ban", "nftables", "python3-systemd"][..],
        ),
        (
            "security.apparmor",
            security.apparmor,
            &["apparmor", "apparmor-profiles-extra", "apparmor-utils"],
        ),
        (
            "security.automatic_updates",
            security.automatic_updates,
            &["unattended-upgrades"],
        ),
        (
            "security.dns_over_tls",
            security.dns_over_tls,
            &["libnss-resolve", "systemd-resolved"],
        ),
        (
            "security.random_mac",
            security.random_mac,
            &["network-manager"],
        ),
    ] {
        if on {
            all.extend(needs(field, names));
        }
    }
    all
}
