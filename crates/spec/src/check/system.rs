//! `[base]`, `[software]` and `[kernel]`.

use super::read::Place;
use crate::model::{Base, DebconfAnswer, Kernel, Mirror, Repository, Snapshot, Software};
use crate::names::{
    Component, DebconfQuestion, KernelParameter, MaterialPath, ModuleName, PackageName,
    SnapshotTime, Uri, at_most, nothing_hidden, only, refuse_if, slug, visible,
};
use crate::problem::{Reason, quote};
use crate::raw::DEBCONF_KINDS;
use crate::words::unknown;

/// Archive areas of the suites (Debian Policy 2.2).
const COMPONENTS: [&str; 4] = ["main", "contrib", "non-free", "non-free-firmware"];

pub(super) fn base(at: &Place<'_>) -> Option<Base> {
    let suite = at.get("suite").parse(str::parse);
    let architecture = at.get("architecture").parse(str::parse);
    let components = components(&at.get("components"));
    let mirrors = at.get("mirrors").distinct(str::parse);
    if mirrors
        .as_ref()
        .is_some_and(|mirrors: &Vec<Mirror>| mirrors.is_empty())
    {
        at.get("mirrors").refuse(
            "the list of mirrors is empty",
            "write `mirrors = [\"auto\"]` or leave the line out",
        );
    }
    let security = security(&at.get("security"));
    let updates = at.get("updates").switch();
    let key = at.get("key").optional(MaterialPath::parse);
    let time = at.get("snapshot").optional(SnapshotTime::parse);
    let snapshot_base = at.get("snapshot_base").parse(Uri::parse);
    let proxy = at.get("proxy").optional(web);
    let repositories = at.get("repositories").list(repository);
    Some(Base {
        suite: suite?,
        architecture: architecture?,
        components: components?,
        mirrors: mirrors?,
        security: security?,
        updates: updates?,
        key: key?,
        snapshot: match time? {
            None => None,
            Some(time) => Some(Snapshot {
                time,
                base: snapshot_base?,
            }),
        },
        repositories: repositories?,
        proxy: proxy?,
    })
}

/// An address that is not a file of this machine.
pub(super) fn web(text: &str) -> Result<Uri, Reason> {
    let uri = Uri::parse(text)?;
    refuse_if(
        uri.is_file(),
        || format!("{} is a file of the machine that builds", quote(text)),
        "write an address that begins with `https://` or `http://`",
    )?;
    Ok(uri)
}

fn components(at: &Place<'_>) -> Option<Vec<Component>> {
    let mut components = at.distinct(|text| {
        let component = Component::parse(text)?;
        match COMPONENTS.contains(&text) {
            true => Ok(component),
            false => Err(unknown("component", text, &COMPONENTS)),
        }
    })?;
    if !components
        .iter()
        .any(|component| component.as_str() == "main")
    {
        at.refuse(
            "the component `main` is missing, and no system can be built without it",
            "add `\"main\"`",
        );
        return None;
    }
    components.sort_by_key(|component| component.as_str() != "main");
    Some(components)
}

fn security(at: &Place<'_>) -> Option<Option<Mirror>> {
    match at.switch() {
        Some(true) => Some(Some(Mirror::Auto)),
        Some(false) => Some(None),
        None => at.parse(str::parse).map(Some),
    }
}

fn repository(at: &Place<'_>) -> Option<Repository> {
    let name = at.get("name").parse(repository_name);
    let uri = at.get("uri").parse(Uri::parse);
    let suite = at.get("suite").parse(repository_suite);
    let components = match at.get("components").is_written() {
        true => at.get("components").distinct(Component::parse),
        false => Some(Vec::new()),
    };
    let key = at.get("key");
    if !key.is_written() {
        key.refuse(
            "the repository has no key, so nothing that comes from it could be checked",
            "save the repository's public key beside the profile and name the file as `key`",
        );
    }
    let key = key
        .is_written()
        .then(|| key.parse(MaterialPath::parse))
        .flatten();
    let keep = at.get("keep").switch();
    if let (Some(suite), Some(components)) = (&suite, &components) {
        match (suite.ends_with('/'), components.is_empty()) {
            (false, true) => at.get("components").refuse(
                format!("the suite {} needs components", quote(suite)),
                "write `components = [\"main\"]`, or a suite that ends in `/` for a flat repository",
            ),
            (true, false) => at.get("components").refuse(
                format!("{} is a flat repository and has no components", quote(suite)),
                "remove `components`, or the `/` at the end of the suite",
            ),
            (true, true) | (false, false) => {}
        }
    }
    Some(Repository {
        name: name?,
        uri: uri?,
        suite: suite?,
        components: components?,
        key: key?,
        keep: keep?,
    })
}

fn repository_name(text: &str) -> Result<String, Reason> {
    refuse_if(
        text == "debian",
        || "the name `debian` is taken by the distribution's own sources".to_owned(),
        "choose another name",
    )?;
    slug(text, "repository name")
}

fn repository_suite(text: &str) -> Result<String, Reason> {
    visible(text, "suite")?;
    at_most(text, 256, "suite")?;
    only(
        text,
        |c| c.is_ascii_alphanumeric() || "./_+~-".contains(c),
        "suite",
        "letters, digits and `. / _ + ~ -`",
    )?;
    refuse_if(
        text.split('/').any(|part| part == ".."),
        || format!("the suite {} leaves the repository with `..`", quote(text)),
        "write the suite's name",
    )?;
    Ok(text.to_owned())
}

pub(super) fn software(at: &Place<'_>) -> Option<Software> {
    let sorted = |mut names: Vec<PackageName>| {
        names.sort();
        names.dedup();
        names
    };
    let packages = at.get("packages").names(PackageName::parse);
    let exclude = at.get("exclude").names(PackageName::parse);
    let recommends = at.get("recommends").switch();
    let debs = at.get("debs").names(deb);
    let debconf = at.get("debconf").list(answer);
    Some(Software {
        packages: sorted(packages?),
        exclude: sorted(exclude?),
        recommends: recommends?,
        debs: debs?,
        debconf: debconf?,
    })
}

fn deb(text: &str) -> Result<MaterialPath, Reason> {
    let path = MaterialPath::parse(text)?;
    refuse_if(
        !text.ends_with(".deb"),
        || format!("{} is not a package file", quote(text)),
        "name a file that ends in `.deb`; packages of the archive belong into `software.packages`",
    )?;
    Ok(path)
}

fn answer(at: &Place<'_>) -> Option<DebconfAnswer> {
    let package = at.get("package").parse(PackageName::parse);
    let question = at.get("question").parse(DebconfQuestion::parse);
    let kind = at
        .get("kind")
        .parse(|text| match DEBCONF_KINDS.contains(&text) {
            true => Ok(text.to_owned()),
            false => Err(unknown("kind of question", text, DEBCONF_KINDS)),
        });
    let value = at.get("value").parse(|text| {
        nothing_hidden(text)?;
        Ok(text.to_owned())
    });
    let boolean = kind.as_deref() == Some("boolean");
    if let Some(value) = value
        .as_deref()
        .filter(|value| boolean && !["true", "false"].contains(value))
    {
        at.get("value").refuse(
            format!("{} is not an answer to a boolean question", quote(value)),
            "write `\"true\"` or `\"false\"`",
        );
    }
    Some(DebconfAnswer {
        package: package?,
        question: question?,
        kind: kind?,
        value: value?,
    })
}

pub(super) fn kernel(at: &Place<'_>) -> Option<Kernel> {
    let flavour = at.get("flavour").parse(str::parse);
    let cmdline = at.get("cmdline").distinct(parameter);
    let blacklist = at.get("blacklist").distinct(ModuleName::parse);
    let firmware = at.get("firmware").distinct(str::parse);
    Some(Kernel {
        flavour: flavour?,
        cmdline: cmdline?,
        blacklist: blacklist?,
        firmware: firmware?,
    })
}

/// Parameters with which the live system would not find itself, or nothing of the profile, any
/// more; see live-boot(7) and live-config(7).
const OURS: [&str; 8] = [
    "BOOT_IMAGE",
    "boot",
    "components",
    "init",
    "initrd",
    "live-media-path",
    "nocomponents",
    "root",
];

pub(super) fn parameter(text: &str) -> Result<KernelParameter, Reason> {
    let parameter = KernelParameter::parse(text)?;
    let name = text.split('=').next().unwrap_or(text);
    refuse_if(
        OURS.contains(&name),
        || format!("the kernel parameter `{name}` is set by the live system itself"),
        "remove it",
    )?;
    Ok(parameter)
}
