//! Which mirrors `auto` stands for, read off the machine's own apt settings.

use std::{fs, path::Path};

use isosmith_spec::model::{BuildSpec, Mirror};
use serde::{Deserialize, Serialize};

/// Debian's own mirror network.
pub const OFFICIAL: &str = "http://ftp.debian.org/debian";

/// Debian's own security archive.
pub const OFFICIAL_SECURITY: &str = "http://security.debian.org/debian-security";

/// Where a build downloads from; no `auto` is left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mirrors {
    /// Of the suite, best first; never empty.
    pub archive: Vec<String>,
    /// Of the security pocket.
    pub security: Vec<String>,
    /// For every download.
    pub proxy: Option<String>,
}

/// What the machine's own apt uses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Machine {
    /// Mirrors of the archive.
    pub archive: Vec<String>,
    /// Mirrors of the security archive.
    pub security: Vec<String>,
    /// HTTP proxy.
    pub proxy: Option<String>,
}

impl Mirrors {
    /// Puts what `machine` uses in the place of `auto`.
    pub fn of(spec: &BuildSpec, machine: &Machine) -> Self {
        let base = &spec.base;
        let proxy = base
            .proxy
            .as_ref()
            .map(ToString::to_string)
            .or_else(|| machine.proxy.clone());
        if let Some(snapshot) = &base.snapshot {
            let at = |archive: &str| {
                let base = snapshot.base.as_str().trim_end_matches('/');
                vec![format!("{base}/archive/{archive}/{}", snapshot.time)]
            };
            return Self {
                archive: at("debian"),
                security: at("debian-security"),
                proxy,
            };
        }
        Self {
            archive: expand(&base.mirrors, &machine.archive, OFFICIAL),
            security: expand(
                base.security.as_slice(),
                &machine.security,
                OFFICIAL_SECURITY,
            ),
            proxy,
        }
    }

    /// Debian's own archive, as near as `machine` knows it; what the tools come from.
    pub fn of_debian(spec: &BuildSpec, machine: &Machine) -> Self {
        let proxy = spec
            .base
            .proxy
            .as_ref()
            .map(ToString::to_string)
            .or_else(|| machine.proxy.clone());
        Self {
            archive: expand(&[Mirror::Auto], &machine.archive, OFFICIAL),
            security: expand(&[Mirror::Auto], &machine.security, OFFICIAL_SECURITY),
            proxy,
        }
    }
}

fn expand(mirrors: &[Mirror], machine: &[String], official: &str) -> Vec<String> {
    let mut all = Vec::new();
    for mirror in mirrors {
        match mirror {
            Mirror::At(uri) => all.push(uri.as_str().trim_end_matches('/').to_owned()),
            Mirror::Auto if machine.is_empty() => all.push(official.to_owned()),
            Mirror::Auto => all.extend(machine.iter().cloned()),
        }
    }
    all.dedup();
    all
}

impl Machine {
    /// Reads `/etc/os-release` and apt's settings below `root` (`/` on a real machine).
    /// What cannot be read is as if it were not there.
    pub fn read(root: &Path) -> Self {
        let text = |path: &Path| fs::read_to_string(path).unwrap_or_default();
        let apt = root.join("etc/apt");
        let proxy = folder(&apt.join("apt.conf.d"), "")
            .iter()
            .chain([&apt.join("apt.conf")])
            .find_map(|path| proxy_of(&text(path)));
        if !text(&root.join("etc/os-release"))
            .lines()
            .any(|line| line == "ID=debian")
        {
            return Self {
                proxy,
                ..Self::default()
            };
        }
        let mut uris = one_line_uris(&text(&apt.join("sources.list")));
        for path in folder(&apt.join("sources.list.d"), ".list") {
            uris.extend(one_line_uris(&text(&path)));
        }
        for path in folder(&apt.join("sources.list.d"), ".sources") {
            uris.extend(deb822_uris(&text(&path)));
        }
        let ending = |ending: &str| {
            let mut chosen: Vec<String> = uris
                .iter()
                .map(|uri| uri.trim_end_matches('/').to_owned())
                .filter(|uri| uri.starts_with("http") && uri.ends_with(ending))
                .collect();
            chosen.dedup();
            chosen
        };
        Self {
            archive: ending("/debian"),
            security: ending("/debian-security"),
            proxy,
        }
    }
}

fn folder(path: &Path, ending: &str) -> Vec<std::path::PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(path)
        .map(|entries| {
            entries
                .filter_map(Result::ok)
                .map(|entry| entry.path())
                .collect()
        })
        .unwrap_or_default();
    paths.retain(|path| path.to_string_lossy().ends_with(ending));
    paths.sort();
    paths
}

/// URIs of `deb` lines (sources.list(5), one-line style).
fn one_line_uris(text: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| {
            let line = line.split('#').next()?.trim();
            let rest = line.strip_prefix("deb")?;
            if !rest.starts_with([' ', '\t', '[']) {
                return None;
            }
            let rest = match rest.trim_start().strip_prefix('[') {
                Some(options) => options.split_once(']')?.1,
                None => rest,
            };
            rest.split_whitespace().next().map(str::to_owned)
        })
        .collect()
}

/// URIs of `deb` stanzas (sources.list(5), deb822 style).
fn deb822_uris(text: &str) -> Vec<String> {
    let mut uris = Vec::new();
    for stanza in text.split("\n\n") {
        let lines: Vec<&str> = stanza
            .lines()
            .filter(|line| !line.starts_with('#'))
            .collect();
        let field = |name: &str| {
            lines.iter().find_map(|line| {
                let (key, value) = line.split_once(':')?;
                key.eq_ignore_ascii_case(name).then(|| value.trim())
            })
        };
        let binary =
            field("Types").is_some_and(|types| types.split_whitespace().any(|kind| kind == "deb"));
        let enabled = field("Enabled").is_none_or(|value| !value.eq_ignore_ascii_case("no"));
        if binary && enabled {
            uris.extend(
                field("URIs")
                    .unwrap_or_default()
                    .split_whitespace()
                    .map(str::to_owned),
            );
        }
    }
    uris
}

/// `Acquire::http::Proxy "…";` of an apt.conf(5).
fn proxy_of(text: &str) -> Option<String> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .find_map(|line| {
            let (_, value) = line.split_once("Acquire::http::Proxy")?;
            let value = value.trim().trim_end_matches(';').trim().trim_matches('"');
            (value.starts_with("http://") || value.starts_with("https://"))
                .then(|| value.to_owned())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_sources_give_their_uris() {
        let text = "# deb http://no/debian x main\ndeb http://a/debian trixie main # why\n\
                    deb [arch=amd64 signed-by=/x] http://b/debian-security trixie-security main\n\
                    deb-src http://c/debian trixie main\n";
        assert_eq!(
            one_line_uris(text),
            ["http://a/debian", "http://b/debian-security"]
        );
    }

    #[test]
    fn deb822_sources_give_their_uris_unless_switched_off() {
        let text = "Types: deb deb-src\n# a comment\nURIs: http://a/debian http://b/debian\nSuites: x\n\n\
                    Types: deb\nURIs: http://off/debian\nEnabled: no\n\nTypes: deb-src\nURIs: http://src/debian\n";
        assert_eq!(deb822_uris(text), ["http://a/debian", "http://b/debian"]);
    }

    #[test]
    fn a_proxy_is_found_unless_it_is_a_comment() {
        for (text, want) in [
            (
                "Acquire::http::Proxy \"http://p:3142\";\n",
                Some("http://p:3142"),
            ),
            ("// Acquire::http::Proxy \"http://p:3142\";\n", None),
            ("Acquire::http::Proxy \"DIRECT\";\n", None),
            ("", None),
        ] {
            assert_eq!(proxy_of(text).as_deref(), want, "{text}");
        }
    }
}
