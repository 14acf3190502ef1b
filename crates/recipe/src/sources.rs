//! apt sources as texts: for the build, and for the finished image.

use isosmith_spec::{
    model::{BuildSpec, KernelFlavour, Repository, Suite},
    names::Component,
};

use crate::mirrors::{self, Mirrors};

/// Debian's own keys, inside the tools tree, the machine and the image alike.
pub const DEBIAN_KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// One place that packages come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Same content at each, best first; without a slash at the end.
    pub uris: Vec<String>,
    /// Such as `trixie-security`, or a path ending in `/`.
    pub suite: String,
    /// Empty for a flat repository.
    pub components: Vec<String>,
    /// Key file, as apt finds it.
    pub signed_by: String,
    /// A snapshot's Release is past its Valid-Until by nature.
    pub may_be_old: bool,
    /// Whether the components of Debian's installer are taken from it.
    pub installer: bool,
}

impl Source {
    /// Path of its Release file below `uri`.
    pub fn release_url(&self, uri: &str, name: &str) -> String {
        match self.suite.strip_suffix('/') {
            Some(flat) => format!(
                "{uri}/{}{name}",
                if flat.is_empty() || flat == "." {
                    String::new()
                } else {
                    format!("{flat}/")
                }
            ),
            None => format!("{uri}/dists/{}/{name}", self.suite),
        }
    }

    /// A one-line entry for the mirror `uri` (sources.list(5)).
    fn line(&self, uri: &str) -> String {
        let old = if self.may_be_old {
            " check-valid-until=no"
        } else {
            ""
        };
        let installer = if self.installer {
            format!(" {}=yes", crate::udebs::APT_TARGET_NAME)
        } else {
            String::new()
        };
        format!(
            "deb [arch=amd64 signed-by={}{old}{installer}] {uri} {} {}\n",
            self.signed_by,
            self.suite,
            self.components.join(" ")
        )
    }
}

/// Every source of `spec`, the suite itself first. `archive_key` is where the key of the
/// distribution's own archive lies, `key_of` where the key of each further repository lies.
pub fn of_build(
    spec: &BuildSpec,
    mirrors: &Mirrors,
    archive_key: &str,
    key_of: impl Fn(&Repository) -> String,
) -> Vec<Source> {
    let base = &spec.base;
    let suite = base.suite.as_str();
    let snapshot = base.snapshot.is_some();
    let debian = |uris: &[String], suite: String| Source {
        uris: uris.to_vec(),
        suite,
        components: names(&base.components),
        signed_by: archive_key.to_owned(),
        may_be_old: snapshot,
        installer: false,
    };
    let mut sources = vec![Source {
        installer: spec.installer.debian,
        ..debian(&mirrors.archive, suite.to_owned())
    }];
    if base.updates {
        sources.push(debian(&mirrors.archive, format!("{suite}-updates")));
    }
    if base.security.is_some() {
        sources.push(debian(&mirrors.security, format!("{suite}-security")));
    }
    if spec.kernel.flavour == KernelFlavour::Backports {
        sources.push(debian(&mirrors.archive, format!("{suite}-backports")));
    }
    sources.extend(base.repositories.iter().map(|repository| Source {
        uris: vec![repository.uri.as_str().trim_end_matches('/').to_owned()],
        suite: repository.suite.clone(),
        components: names(&repository.components),
        signed_by: key_of(repository),
        may_be_old: false,
        installer: false,
    }));
    sources
}

fn names(components: &[Component]) -> Vec<String> {
    components.iter().map(ToString::to_string).collect()
}

/// `sources.list` of the build, with the mirror that was chosen for each source.
pub fn list(sources: &[(Source, String)]) -> String {
    sources
        .iter()
        .map(|(source, uri)| source.line(uri))
        .collect()
}

/// The finished image's own sources: file names below `/etc/apt/sources.list.d` and their
/// texts, in deb822 style as in Debian 13.
pub fn of_image(spec: &BuildSpec) -> Vec<(String, String)> {
    let base = &spec.base;
    let (archive, security) = mirrors::for_image(base);
    let suite = base.suite.as_str();
    let mut suites = suite.to_owned();
    if base.updates {
        suites.push_str(&format!(" {suite}-updates"));
    }
    if spec.kernel.flavour == KernelFlavour::Backports {
        suites.push_str(&format!(" {suite}-backports"));
    }
    let components = names(&base.components).join(" ");
    let key = archive_key(spec).unwrap_or_else(|| DEBIAN_KEYRING.to_owned());
    let mut debian = stanza(&archive, &suites, &components, &key);
    if base.security.is_some() && base.suite != Suite::Sid {
        debian.push('\n');
        debian.push_str(&stanza(
            &security,
            &format!("{suite}-security"),
            &components,
            &key,
        ));
    }
    let mut files = vec![("debian.sources".to_owned(), debian)];
    for repository in base
        .repositories
        .iter()
        .filter(|repository| repository.keep)
    {
        let text = stanza(
            repository.uri.as_str(),
            &repository.suite,
            &names(&repository.components).join(" "),
            &image_key(repository),
        );
        files.push((format!("{}.sources", repository.name), text));
    }
    files
}

/// Where the key of the archive lies in the image, where it is not Debian's own.
pub fn archive_key(spec: &BuildSpec) -> Option<String> {
    spec.base
        .key
        .as_ref()
        .map(|key| keyring("archive", key.as_str()))
}

/// Where the key of a further repository lies in the image. The ending tells apt whether the
/// key is armoured; see sources.list(5), `Signed-By`.
pub fn image_key(repository: &Repository) -> String {
    keyring(&repository.name, repository.key.as_str())
}

fn keyring(name: &str, file: &str) -> String {
    let ending = if file.ends_with(".asc") { "asc" } else { "gpg" };
    format!("/etc/apt/keyrings/{name}.{ending}")
}

fn stanza(uri: &str, suites: &str, components: &str, key: &str) -> String {
    let components = if components.is_empty() {
        String::new()
    } else {
        format!("Components: {components}\n")
    };
    format!("Types: deb\nURIs: {uri}\nSuites: {suites}\n{components}Signed-By: {key}\n")
}
