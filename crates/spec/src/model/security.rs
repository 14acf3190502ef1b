//! What protects the running system.

use crate::names::{MaterialPath, Port};

/// A firewall that lets in nothing but what is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Firewall {
    /// None.
    None,
    /// A rule set in `/etc/nftables.conf`.
    Nftables,
    /// ufw, for people who want to change rules by hand.
    Ufw,
}

/// How SSH lets people in; honoured where an SSH server is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SshPolicy {
    /// Whether a password is enough.
    pub password: bool,
    /// Whether root may log in (with a key only).
    pub root: bool,
}

/// A key of one's own for Secure Boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKey {
    /// RSA private key, PEM, without a passphrase.
    pub key: MaterialPath,
    /// Its X.509 certificate, PEM or DER.
    pub certificate: MaterialPath,
}

/// Security of the finished system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Security {
    /// Which firewall.
    pub firewall: Firewall,
    /// What it lets in, beside answers and what the system itself needs (ICMP, DHCP).
    pub open_ports: Vec<Port>,
    /// Whether fail2ban watches SSH.
    pub fail2ban: bool,
    /// Whether the kernel is hardened with `/etc/sysctl.d/60-isosmith-hardening.conf`.
    pub hardening: bool,
    /// Whether AppArmor is on, with the profiles that Debian ships.
    pub apparmor: bool,
    /// Whether security updates are installed by themselves (unattended-upgrades).
    pub automatic_updates: bool,
    /// How SSH lets people in; `None` leaves it to Debian's default.
    pub ssh: Option<SshPolicy>,
    /// Whether names are resolved over TLS where the network's servers can do it
    /// (systemd-resolved, `opportunistic`).
    pub dns_over_tls: bool,
    /// Whether NetworkManager uses random hardware addresses.
    pub random_mac: bool,
    /// Signs the boot loader and the kernel on the medium, beside the vendors' signatures.
    pub signing: Option<SigningKey>,
}
