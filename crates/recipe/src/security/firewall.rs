//! Rule sets that let in nothing but answers, what a network needs, and the ports that are named.

use isosmith_spec::names::Port;

use crate::tree_file::TreeFile;

/// Rules of ufw(8): the file, the chain, and what stands for any address.
pub(crate) const UFW_RULES: [(&str, &str, &str); 2] = [
    ("/etc/ufw/user.rules", "ufw-user-input", "0.0.0.0/0"),
    ("/etc/ufw/user6.rules", "ufw6-user-input", "::/0"),
];

/// `/etc/nftables.conf`, which `nftables.service` loads. Its own table only: what fail2ban or
/// containers have added stays when it is loaded again.
pub(super) fn nftables(open: &[Port]) -> TreeFile {
    let ports: String = open
        .iter()
        .map(|port| {
            format!(
                "\t\t{} dport {} accept\n",
                port.protocol().as_str(),
                port.number()
            )
        })
        .collect();
    TreeFile::program(
        "/etc/nftables.conf",
        format!(
            "#!/usr/sbin/nft -f\n\
             # Lets in answers, what a network needs, and the ports below.\n\n\
             table inet isosmith\n\
             delete table inet isosmith\n\n\
             table inet isosmith {{\n\
             \tchain input {{\n\
             \t\ttype filter hook input priority filter; policy drop;\n\
             \t\tct state established,related accept\n\
             \t\tct state invalid drop\n\
             \t\tiifname \"lo\" accept\n\
             \t\t# Errors, echo, and IPv6's neighbours and routers.\n\
             \t\tmeta l4proto {{ icmp, ipv6-icmp }} accept\n\
             \t\tip protocol igmp accept\n\
             \t\t# Answers of DHCP servers, which come from an address that nobody asked.\n\
             \t\tudp sport 67 udp dport 68 accept\n\
             \t\tip6 saddr fe80::/10 udp sport 547 udp dport 546 accept\n\
             {ports}\
             \t}}\n\
             \tchain forward {{\n\
             \t\ttype filter hook forward priority filter; policy drop;\n\
             \t}}\n\
             }}\n"
        ),
    )
}

/// Starts with the system, with ufw's own defaults: in nothing, out everything.
pub(super) fn ufw_on() -> TreeFile {
    TreeFile::new("/etc/ufw/ufw.conf", "ENABLED=yes\nLOGLEVEL=low\n")
}

/// ufw's file of rules `text` with one for each port in `open`, in ufw's own words, so that
/// `ufw status` shows them and `ufw delete` finds them. What is there already stays.
pub(crate) fn with_rules(text: &str, open: &[Port], chain: &str, any: &str) -> String {
    let rules: String = open
        .iter()
        .map(|port| {
            let (protocol, number) = (port.protocol().as_str(), port.number());
            format!(
                "\n### tuple ### allow {protocol} {number} {any} any {any} in\n\
                 -A {chain} -p {protocol} --dport {number} -j ACCEPT\n"
            )
        })
        .collect();
    let mut changed = String::new();
    for line in text.lines() {
        changed.push_str(line);
        changed.push('\n');
        if line == "### RULES ###" {
            changed.push_str(&rules);
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(text: &str) -> Port {
        Port::parse(text).expect("a port")
    }

    #[test]
    fn ports_are_opened_where_they_are_named() {
        let text = nftables(&[port("22/tcp"), port("51820/udp")]).text;
        assert!(text.contains("tcp dport 22 accept"), "{text}");
        assert!(text.contains("udp dport 51820 accept"), "{text}");
        assert!(!nftables(&[]).text.contains("tcp dport"));
        assert!(text.contains("policy drop"));
    }

    #[test]
    fn rules_go_where_ufw_keeps_its_own() {
        let text = "*filter\n:ufw-user-input - [0:0]\n### RULES ###\n-A x\nCOMMIT\n";
        let changed = with_rules(text, &[port("22/tcp")], "ufw-user-input", "0.0.0.0/0");
        assert_eq!(
            changed,
            "*filter\n:ufw-user-input - [0:0]\n### RULES ###\n\n\
             ### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in\n\
             -A ufw-user-input -p tcp --dport 22 -j ACCEPT\n-A x\nCOMMIT\n"
        );
        assert_eq!(with_rules(text, &[], "c", "a"), text);
    }
}
