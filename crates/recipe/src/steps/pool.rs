//! Packages on the medium: what an installed system needs and the live one cannot have, because
//! its parts exclude each other. An apt repository that needs no network.

use std::{collections::BTreeSet, fs, path::Path};

use isosmith_engine::{Done, Failure, StepCx, step};
use isosmith_host::Cmd;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    environment::{tools_sandbox, write},
    install,
};
use crate::{apt::Package, date, fetch::Pool, materials::hex, state::Debian};

/// Where a package's list lies, below the suite's folder.
const LIST: &str = "main/binary-amd64/Packages";

/// Which packages each of `alternatives` needs beside what the live system has.
///
/// `names` is what the live system was solved from. Each alternative is solved together with
/// it, as apt will find it when an installed system asks for it.
pub(crate) fn resolve(
    cx: &StepCx<'_>,
    state: &Debian,
    folder: &Path,
    names: &[String],
    have: &[&Package],
) -> Result<Vec<Package>, Failure> {
    let alternatives = state.pool_packages();
    let chosen = |name: &str| have.iter().any(|package| package.name == name);
    // Whoever installs one of them in the live system has decided.
    if alternatives.iter().any(|name| chosen(name)) {
        return Ok(Vec::new());
    }
    let mut needed = BTreeSet::new();
    for alternative in alternatives {
        let mut asked = names.to_vec();
        asked.push(alternative.to_owned());
        let recommends = state.spec.software.recommends;
        let all = install::solve(cx, state.tools()?, folder, &asked, recommends)?;
        needed.extend(
            all.into_iter()
                .filter(|package| !have.contains(&package) && !package.uri.starts_with("file:")),
        );
    }
    Ok(needed.into_iter().collect())
}

/// The chosen packages, and the date in the Release file.
pub(crate) fn inputs(state: &Debian) -> Value {
    match &state.resolution {
        Some(resolution) => json!({
            "packages": resolution.pool.iter().map(|package| format!("{} {} {}", package.name, package.version, package.sha256)).collect::<Vec<_>>(),
            "suite": state.spec.base.suite.as_str(),
            "sourceDate": state.source_date(),
        }),
        None => step::unknown(),
    }
}

/// Fills `medium/` with `pool/` and `dists/`.
pub(crate) fn make(cx: &mut StepCx<'_>, state: &mut Debian) -> Result<Done, Failure> {
    let medium = cx.out().join(FOLDER);
    let suite = state.spec.base.suite.as_str();
    let kept = Pool::new(cx.work().pool());
    let mut list = String::new();
    for package in &state.resolution()?.pool {
        let from = kept.path(package);
        let name = file_name(package);
        let to = medium.join(&name);
        make_parent(&to)?;
        fs::copy(&from, &to).map_err(|error| Failure::io_at("copy", &from, error))?;
        let control = Cmd::new("dpkg-deb")
            .args(["--field", "/run/package.deb"])
            .inside(tools_sandbox(state.tools()?).bind_ro(&from, "/run/package.deb"));
        list.push_str(&stanza(&cx.run_for_output(&control)?, package, &name));
    }
    let to = medium.join("dists").join(suite);
    for (name, text) in [
        (LIST, list.clone()),
        ("Release", release(suite, &list, state.source_date())),
    ] {
        make_parent(&to.join(name))?;
        write(&to.join(name), text.as_bytes())?;
    }
    Ok(Done::Done)
}

/// What [`make`] fills, below its own folder.
pub(crate) const FOLDER: &str = "medium";

fn make_parent(path: &Path) -> Result<(), Failure> {
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent).map_err(|error| Failure::io_at("make", parent, error))
}

/// Without the version's epoch, as Debian's archive names its files.
fn file_name(package: &Package) -> String {
    let version = package
        .version
        .split_once(':')
        .map_or(package.version.as_str(), |(_, rest)| rest);
    format!("pool/main/{}_{version}_{}.deb", package.name, package.arch)
}

/// An entry of a Packages file (deb822(5), "Debian Repository Format").
fn stanza(control: &str, package: &Package, file: &str) -> String {
    format!(
        "{}\nFilename: {file}\nSize: {}\nSHA256: {}\n\n",
        control.trim_end(),
        package.size,
        package.sha256
    )
}

fn release(suite: &str, list: &str, seconds: i64) -> String {
    format!(
        "Origin: Isosmith\nLabel: Isosmith\nSuite: {suite}\nCodename: {suite}\n\
         Architectures: amd64\nComponents: main\nDate: {}\nSHA256:\n {} {} {LIST}\n",
        date::rfc5322(seconds),
        hex(&Sha256::digest(list.as_bytes())),
        list.len(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package() -> Package {
        Package {
            name: "grub-pc".to_owned(),
            version: "1:2.12-9".to_owned(),
            arch: "amd64".to_owned(),
            uri: "http://m/grub-pc.deb".to_owned(),
            file: "grub-pc_1%3a2.12-9_amd64.deb".to_owned(),
            size: 7,
            sha256: "ab".to_owned(),
        }
    }

    #[test]
    fn a_list_says_where_a_package_is_and_what_it_must_be() {
        let name = file_name(&package());
        assert_eq!(name, "pool/main/grub-pc_2.12-9_amd64.deb");
        assert_eq!(
            stanza("Package: grub-pc\nVersion: 1:2.12-9\n", &package(), &name),
            "Package: grub-pc\nVersion: 1:2.12-9\nFilename: pool/main/grub-pc_2.12-9_amd64.deb\nSize: 7\nSHA256: ab\n\n"
        );
    }

    #[test]
    fn the_release_file_vouches_for_the_list() {
        let text = release("trixie", "abc", 0);
        assert!(
            text.contains("Date: Thu, 01 Jan 1970 00:00:00 UTC\n"),
            "{text}"
        );
        assert!(
            text.contains(" ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad 3 main/binary-amd64/Packages\n"),
            "{text}"
        );
    }
}
