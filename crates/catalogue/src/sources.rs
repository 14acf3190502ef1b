//! Where packages come from.

use isosmith_spec::model::{BuildSpec, KernelFlavour};
use serde::{Deserialize, Serialize};

use crate::{
    mirrors::{Machine, Mirrors},
    text, wanted,
};

/// Every place that a spec takes packages from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sources {
    pub(crate) archives: Vec<Archive>,
    /// For every download.
    pub(crate) proxy: Option<String>,
}

/// One suite of one archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Archive {
    /// Same content at each, best first; without a slash at the end.
    pub(crate) uris: Vec<String>,
    /// Such as `trixie-security`, or a path ending in `/`.
    pub(crate) suite: String,
    /// Empty for a flat repository.
    pub(crate) components: Vec<String>,
    /// Whether its `main` says what every system begins with.
    pub(crate) distribution: bool,
    /// Packages that are taken from here even if others have them, too.
    pub(crate) preferred: Vec<String>,
}

impl Sources {
    /// What `spec` names, with what `machine` uses in the place of `auto`.
    pub fn of(spec: &BuildSpec, machine: &Machine) -> Self {
        let base = &spec.base;
        let mirrors = Mirrors::of(spec, machine);
        let suite = base.suite.as_str();
        let components: Vec<String> = base.components.iter().map(ToString::to_string).collect();
        let debian = |uris: &[String], suite: String| Archive {
            uris: uris.to_vec(),
            suite,
            components: components.clone(),
            distribution: true,
            preferred: Vec::new(),
        };
        let mut archives = vec![debian(&mirrors.archive, suite.to_owned())];
        if base.updates {
            archives.push(debian(&mirrors.archive, format!("{suite}-updates")));
        }
        if base.security.is_some() {
            archives.push(debian(&mirrors.security, format!("{suite}-security")));
        }
        if spec.kernel.flavour == KernelFlavour::Backports {
            archives.push(Archive {
                preferred: vec![wanted::kernel(spec.kernel.flavour).to_owned()],
                ..debian(&mirrors.archive, format!("{suite}-backports"))
            });
        }
        archives.extend(base.repositories.iter().map(|repository| {
            Archive {
                uris: vec![repository.uri.as_str().trim_end_matches('/').to_owned()],
                suite: repository.suite.clone(),
                components: repository
                    .components
                    .iter()
                    .map(ToString::to_string)
                    .collect(),
                distribution: false,
                preferred: Vec::new(),
            }
        }));
        Self {
            archives,
            proxy: mirrors.proxy,
        }
    }

    /// Names these archives and no others; the way to them does not count.
    pub fn id(&self) -> String {
        text::name_of(&format!("{:?}", self.archives))
    }
}

impl Archive {
    /// The folder of its Release file below `uri`, with a slash at the end.
    pub(crate) fn folder(&self, uri: &str) -> String {
        match self.suite.strip_suffix('/') {
            Some("" | ".") => format!("{uri}/"),
            Some(flat) => format!("{uri}/{}/", flat.trim_start_matches("./")),
            None => format!("{uri}/dists/{}/", self.suite),
        }
    }

    /// Whether it has its lists beside its Release file.
    pub(crate) fn is_flat(&self) -> bool {
        self.suite.ends_with('/')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(text: &str) -> BuildSpec {
        let text = format!("format = 1\n[profile]\nname = \"demo\"\n{text}");
        let origin = isosmith_spec::Origin::Profile("demo".into());
        let layer = isosmith_spec::Layer::new(origin, "", text);
        isosmith_spec::load(vec![layer], &|_| None)
            .expect("a good profile")
            .0
    }

    #[test]
    fn a_spec_names_its_sources() {
        let machine = Machine {
            archive: vec!["http://near/debian".to_owned()],
            ..Machine::default()
        };
        let check = |text: &str, want: &[&str]| {
            let sources = Sources::of(&spec(text), &machine);
            let found: Vec<String> = sources
                .archives
                .iter()
                .map(|archive| {
                    let folder = archive.folder(&archive.uris[0]);
                    format!("{folder} {}", archive.components.join("+"))
                })
                .collect();
            assert_eq!(found, want, "{text}");
        };
        check(
            "[base]\nsuite = \"trixie\"\ncomponents = [\"main\"]",
            &[
                "http://near/debian/dists/trixie/ main",
                "http://near/debian/dists/trixie-updates/ main",
                "http://security.debian.org/debian-security/dists/trixie-security/ main",
            ],
        );
        check(
            "[base]\nsuite = \"bookworm\"\nsecurity = false\nupdates = false\n\
             components = [\"main\", \"contrib\"]\nmirrors = [\"http://far/d/\"]\n\
             [kernel]\nflavour = \"backports\"",
            &[
                "http://far/d/dists/bookworm/ main+contrib",
                "http://far/d/dists/bookworm-backports/ main+contrib",
            ],
        );
    }

    #[test]
    fn flat_repositories_have_no_dists() {
        let archive = |suite: &str| Archive {
            uris: Vec::new(),
            suite: suite.to_owned(),
            components: Vec::new(),
            distribution: false,
            preferred: Vec::new(),
        };
        for (suite, want) in [
            ("./", "http://x/"),
            ("/", "http://x/"),
            ("deb/", "http://x/deb/"),
            ("./deb/", "http://x/deb/"),
            ("stable", "http://x/dists/stable/"),
        ] {
            assert_eq!(archive(suite).folder("http://x"), want, "{suite}");
        }
    }

    #[test]
    fn the_way_to_the_archives_is_no_part_of_their_name() {
        let direct = Sources::of(&spec(""), &Machine::default());
        let through = Sources {
            proxy: Some("http://p:1".to_owned()),
            ..direct.clone()
        };
        let other = Sources::of(&spec("[base]\nupdates = false"), &Machine::default());
        assert_eq!(direct.id(), through.id());
        assert_ne!(direct.id(), other.id());
    }
}
