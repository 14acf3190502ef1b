//! Which server is asked, and where it is.

use std::{fmt, net::IpAddr, str::FromStr};

use ureq::http::Uri;

/// The base address of a server: `http` or `https`, a host, no name or password in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Without a slash at the end.
    text: String,
    host: String,
    encrypted: bool,
}

/// Whether what is sent leaves this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The server is on this machine.
    Here,
    /// The server has an address that is not routed on the Internet (RFC 1918, RFC 4193,
    /// RFC 6762).
    Nearby,
    /// It may be anywhere.
    Away,
}

impl Endpoint {
    /// Where the server is, as far as its name tells.
    pub fn place(&self) -> Place {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let name = host.trim_end_matches('.').to_ascii_lowercase();
        if name == "localhost" || name.ends_with(".localhost") {
            return Place::Here;
        }
        match host.parse::<IpAddr>() {
            Ok(address) if address.is_loopback() => Place::Here,
            Ok(IpAddr::V4(address)) if address.is_private() || address.is_link_local() => {
                Place::Nearby
            }
            Ok(IpAddr::V6(address))
                if address.is_unique_local() || address.is_unicast_link_local() =>
            {
                Place::Nearby
            }
            Ok(_) => Place::Away,
            Err(_) if name.ends_with(".local") => Place::Nearby,
            Err(_) => Place::Away,
        }
    }

    /// Whether nobody on the way can read along.
    pub const fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// The address of `path`, which begins with a slash. Where the base ends with the first
    /// part of `path`, as `…/v1` does that many programs want, it is not there twice.
    pub fn join(&self, path: &str) -> String {
        let first = path.split_inclusive('/').nth(1).unwrap_or_default();
        let first = format!("/{}", first.trim_end_matches('/'));
        match self.text.strip_suffix(&first) {
            Some(base) => format!("{base}{path}"),
            None => format!("{}{path}", self.text),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim().trim_end_matches('/');
        let uri: Uri = text
            .parse()
            .map_err(|_| "is not an address such as http://127.0.0.1:11434".to_owned())?;
        let encrypted = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err("must begin with http:// or https://".to_owned()),
        };
        let authority = uri.authority().ok_or("names no host")?;
        if authority.as_str().contains('@') {
            return Err(
                "must not have a name or password in it; the key is a setting of its own (api_key)"
                    .to_owned(),
            );
        }
        if authority.host().is_empty() {
            return Err("names no host".to_owned());
        }
        if uri.query().is_some() || text.contains('#') {
            return Err("must be a plain address, without ? and #".to_owned());
        }
        Ok(Self {
            text: text.to_owned(),
            host: authority.host().to_owned(),
            encrypted,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_known_what_leaves_the_machine() {
        for (text, place) in [
            ("http://127.0.0.1:11434", Place::Here),
            ("http://127.8.9.1", Place::Here),
            ("http://[::1]:11434", Place::Here),
            ("http://LocalHost:1", Place::Here),
            ("http://localhost.:1", Place::Here),
            ("http://192.168.1.5:11434", Place::Nearby),
            ("http://10.0.0.1", Place::Nearby),
            ("http://169.254.1.1", Place::Nearby),
            ("http://[fd00::1]", Place::Nearby),
            ("http://[fe80::1]", Place::Nearby),
            ("http://brain.local:11434", Place::Nearby),
            ("https://api.example.org/v1", Place::Away),
            ("http://8.8.8.8", Place::Away),
            ("http://localhost.example.org", Place::Away),
            ("http://127.0.0.1.example.org", Place::Away),
        ] {
            let endpoint: Endpoint = text.parse().expect(text);
            assert_eq!(endpoint.place(), place, "{text}");
        }
    }

    #[test]
    fn what_is_no_base_address_is_refused() {
        for text in [
            "",
            "127.0.0.1:11434",
            "ftp://example.org",
            "file:///etc/passwd",
            "http://",
            "http://ada:secret@example.org",
            "http://example.org/?key=1",
            "http://example.org/#x",
            "http://exa mple.org",
        ] {
            assert!(text.parse::<Endpoint>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_path_is_not_there_twice() {
        for (base, path, joined) in [
            ("http://h:1", "/api/chat", "http://h:1/api/chat"),
            ("http://h:1/", "/api/chat", "http://h:1/api/chat"),
            (
                "https://h/v1",
                "/v1/chat/completions",
                "https://h/v1/chat/completions",
            ),
            ("https://h/v1/", "/v1/models", "https://h/v1/models"),
            ("https://h/x", "/v1/models", "https://h/x/v1/models"),
            ("https://h/api/v1", "/v1/models", "https://h/api/v1/models"),
        ] {
            let endpoint: Endpoint = base.parse().expect(base);
            assert_eq!(endpoint.join(path), joined, "{base}");
        }
    }
}
