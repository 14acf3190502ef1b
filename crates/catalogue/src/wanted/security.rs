//! What the switches of `[security]` need.

use isosmith_spec::model::{Firewall, Security};

/// Names in Debian 13 of what `security` needs.
pub(super) fn packages(security: &Security) -> Vec<&'static str> {
    let mut names = match security.firewall {
        Firewall::None => Vec::new(),
        Firewall::Nftables => vec!["nftables"],
        Firewall::Ufw => vec!["ufw"],
    };
    for (on, needed) in [
        // It bans with nftables, whatever the firewall is, and reads the journal.
        (
            security.fail2ban,
            &["fail2ban", "nftables", "python3-systemd"][..],
        ),
        (
            security.apparmor,
            &["apparmor", "apparmor-profiles-extra", "apparmor-utils"],
        ),
        (security.automatic_updates, &["unattended-upgrades"]),
        (
            security.dns_over_tls,
            &["libnss-resolve", "systemd-resolved"],
        ),
        (security.random_mac, &["network-manager"]),
    ] {
        if on {
            names.extend(needed);
        }
    }
    names
}
