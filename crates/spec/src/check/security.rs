//! `[security]` and `[ai]`.

use super::read::Place;
use super::system::web;
use crate::model::{Assistant, Security, SigningKey, SshPolicy};
use crate::names::{MaterialPath, Port, Uri, at_most, only, refuse_if, visible};
use crate::problem::Reason;

pub(super) fn security(at: &Place<'_>) -> Option<Security> {
    let firewall = at.get("firewall").parse(str::parse);
    let open_ports = at.get("open_ports").distinct(Port::parse);
    let fail2ban = at.get("fail2ban").switch();
    let hardening = at.get("hardening").switch();
    let apparmor = at.get("apparmor").switch();
    let automatic_updates = at.get("automatic_updates").switch();
    let dns_over_tls = at.get("dns_over_tls").switch();
    let random_mac = at.get("random_mac").switch();
    let ssh = unless_off(&at.get("ssh"), ssh);
    let signing = unless_off(&at.get("signing"), signing);
    Some(Security {
        firewall: firewall?,
        open_ports: open_ports?,
        fail2ban: fail2ban?,
        hardening: hardening?,
        apparmor: apparmor?,
        automatic_updates: automatic_updates?,
        ssh: ssh?,
        dns_over_tls: dns_over_tls?,
        random_mac: random_mac?,
        signing: signing?,
    })
}

/// A table that `false` switches off.
fn unless_off<'r, T>(at: &Place<'r>, read: impl Fn(&Place<'r>) -> Option<T>) -> Option<Option<T>> {
    match at.is_off() {
        true => Some(None),
        false => read(at).map(Some),
    }
}

fn ssh(at: &Place<'_>) -> Option<SshPolicy> {
    let password = at.get("password").switch();
    let root = at.get("root").switch();
    Some(SshPolicy {
        password: password?,
        root: root?,
    })
}

fn signing(at: &Place<'_>) -> Option<SigningKey> {
    let key = at.get("key").parse(MaterialPath::parse);
    let certificate = at.get("certificate").parse(MaterialPath::parse);
    Some(SigningKey {
        key: key?,
        certificate: certificate?,
    })
}

pub(super) fn assistant(at: &Place<'_>) -> Option<Option<Assistant>> {
    unless_off(at, |at| {
        let interface = at.get("interface").parse(str::parse);
        let endpoint = at.get("endpoint").parse(endpoint);
        let model = at.get("model").parse(model);
        Some(Assistant {
            interface: interface?,
            endpoint: endpoint?,
            model: model?,
        })
    })
}

/// A plain address: programs put the interface's paths after it, and whatever stands in it, such as
/// a key, can be read by everybody who has the image.
fn endpoint(text: &str) -> Result<Uri, Reason> {
    let uri = web(text)?;
    refuse_if(
        text.contains(['?', '&', '=']),
        || "the address holds a query, which would end up in the image".to_owned(),
        "write the plain address of the server; a key is asked for by `ai` itself",
    )?;
    Ok(uri)
}

/// What servers call their models: `llama3.2:3b`, `hf.co/owner/name:Q4_K_M`, `gpt-4o`.
fn model(text: &str) -> Result<String, Reason> {
    visible(text, "model name")?;
    at_most(text, 200, "model name")?;
    only(
        text,
        |c| c.is_ascii_alphanumeric() || "._:/@+-".contains(c),
        "model name",
        "letters, digits and `. _ : / @ + -`",
    )?;
    Ok(text.to_owned())
}
