//! apt as a solver and installer: its settings, its command lines, and what its output means.
//!
//! The same folder serves two views. On the outside it belongs to the build; inside a sandbox
//! it is [`INSIDE`], below `/run`, so that nothing of it can stay in an image.

use std::path::Path;

use isosmith_engine::Failure;
use isosmith_host::{Cmd, Sandbox};
use isosmith_protocol::Code;
use serde::{Deserialize, Serialize};

/// Where a sandbox finds the apt folder.
pub const INSIDE: &str = "/run/isosmith";

/// A package as the solver chose it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its architecture: `amd64` or `all`.
    pub arch: String,
    /// Where it is, as the chosen mirror has it; `file:` for a local one.
    pub uri: String,
    /// apt's name for the file: `NAME_VERSION_ARCH.deb`, the version's colon escaped.
    pub file: String,
    /// In bytes.
    pub size: u64,
    /// SHA-256 that the signed index promises, lower-case hexadecimal.
    pub sha256: String,
}

/// Settings that hold for every call, whichever apt reads them. Nothing of the machine's own
/// configuration is read: its hooks call services on the machine's bus.
pub fn settings(recommends: bool, proxy: Option<&str>) -> String {
    let proxy = proxy.map_or(String::new(), |proxy| {
        format!("Acquire::http::Proxy \"{proxy}\";\nAcquire::https::Proxy \"{proxy}\";\n")
    });
    format!(
        r#"APT::Architecture "amd64";
APT::Architectures {{ "amd64"; }};
APT::Install-Recommends "{recommends}";
APT::Install-Suggests "false";
APT::Sandbox::User "root";
APT::Get::Assume-Yes "true";
APT::Update::Error-Mode "any";
APT::Color "0";
Acquire::ForceHash "SHA256";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::http::Timeout "30";
Acquire::https::Timeout "30";
Acquire::AllowInsecureRepositories "false";
Acquire::AllowWeakRepositories "false";
Acquire::AllowDowngradeToInsecureRepositories "false";
{proxy}Dir::Etc::main "/dev/null";
Dir::Etc::parts "/dev/null";
Dir::Etc::sourcelist "{INSIDE}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "{INSIDE}/preferences";
Dir::Etc::preferencesparts "/dev/null";
Dir::Etc::trusted "{INSIDE}/none.gpg";
Dir::Etc::trustedparts "{INSIDE}/none.d/";
Dir::Etc::netrc "/dev/null";
Dir::Etc::netrcparts "/dev/null";
Dir::State::lists "{INSIDE}/lists/";
Dir::Cache::archives "{INSIDE}/archives/";
Dir::Log "/tmp";
DPkg::Use-Pty "0";
DPkg::Options:: "--force-unsafe-io";
DPkg::Options:: "--force-confdef";
DPkg::Options:: "--force-confold";
DPkg::Lock::Timeout "0";
"#
    )
}

/// Pins that keep `excluded` packages out whatever asks for them (apt_preferences(5)).
pub fn preferences(excluded: impl IntoIterator<Item = impl std::fmt::Display>) -> String {
    excluded
        .into_iter()
        .map(|name| format!("Package: {name}\nPin: release *\nPin-Priority: -1\n\n"))
        .collect()
}

/// A command of apt in `sandbox`, which gets the apt folder.
pub fn command(program: &str, sandbox: Sandbox, folder: &Path) -> Cmd {
    Cmd::new(program)
        .env("APT_CONFIG", format!("{INSIDE}/apt.conf"))
        .env("DEBIAN_FRONTEND", "noninteractive")
        .inside(sandbox.bind(folder, INSIDE))
}

/// A command of apt that solves for a system with nothing installed, and touches none.
pub fn solver(program: &str, sandbox: Sandbox, folder: &Path) -> Cmd {
    command(program, sandbox, folder)
        .args(["-o".to_owned(), format!("Dir::State={INSIDE}/state/")])
        .args([
            "-o".to_owned(),
            format!("Dir::State::status={INSIDE}/state/status"),
        ])
        .args(["-o".to_owned(), format!("Dir::Cache={INSIDE}/cache/")])
        .args(["-o", "Debug::NoLocking=true"])
}

/// Reads the lines of `apt-get --print-uris`: `'URI' FILE SIZE HASH`. Other lines are passed over.
///
/// # Errors
///
/// [`Code::BadSignature`] for a package that the index gives no SHA-256 for.
pub fn parse_uris(text: &str) -> Result<Vec<Package>, Failure> {
    let mut packages = Vec::new();
    for line in text.lines().filter(|line| line.starts_with('\'')) {
        let Some(package) = parse_uri(line) else {
            continue;
        };
        // A local file is no part of an index; what it is was hashed when it was collected.
        if package.sha256.is_empty() && !package.uri.starts_with("file:") {
            return Err(Failure::new(
                Code::BadSignature,
                format!("the index gives no SHA-256 for {}", package.file),
                "Ask the repository's owner to sign it with SHA-256 checksums.",
            ));
        }
        packages.push(package);
    }
    packages.sort();
    Ok(packages)
}

fn parse_uri(line: &str) -> Option<Package> {
    let (uri, rest) = line.strip_prefix('\'')?.split_once("' ")?;
    let mut fields = rest.split(' ');
    let file = fields.next()?;
    let size = fields.next()?.parse().ok()?;
    let hash = fields.next().unwrap_or_default();
    let mut parts = file.strip_suffix(".deb")?.split('_');
    let (name, version, arch) = (parts.next()?, parts.next()?, parts.next()?);
    Some(Package {
        name: name.to_owned(),
        version: version.replace("%3a", ":"),
        arch: arch.to_owned(),
        uri: uri.to_owned(),
        file: file.to_owned(),
        size,
        sha256: hash
            .strip_prefix("SHA256:")
            .unwrap_or_default()
            .to_ascii_lowercase(),
    })
}

/// Reads what dpkg says of a package: its name, when it is unpacked or set up. `APT::Status-Fd`
/// would say the same, but makes a shared standard output non-blocking, which scripts take
/// for an error.
pub fn parse_dpkg(line: &str) -> Option<&str> {
    let rest = line
        .strip_prefix("Unpacking ")
        .or_else(|| line.strip_prefix("Setting up "))?;
    let name = rest.split(' ').next()?;
    Some(name.split(':').next().unwrap_or(name))
}

/// Names of the packages that a Packages index marks `Essential: yes`.
pub fn essential(index: &str) -> impl Iterator<Item = &str> {
    marked(index, |line| line == "Essential: yes")
}

/// Names of the packages that a Packages index gives the priority `required`.
pub fn required(index: &str) -> impl Iterator<Item = &str> {
    marked(index, |line| line == "Priority: required")
}

fn marked(index: &str, wanted: impl Fn(&str) -> bool) -> impl Iterator<Item = &str> {
    let mut name = "";
    index.lines().filter_map(move |line| {
        if let Some(found) = line.strip_prefix("Package: ") {
            name = found;
        }
        wanted(line).then_some(name)
    })
}

/// Turns apt's own words into a code, as far as they say more than that it failed.
pub fn explain(mut failure: Failure) -> Failure {
    const WORDS: &[(&str, Code)] = &[
        ("is not valid yet", Code::ClockWrong),
        ("is expired", Code::ReleaseExpired),
        ("no longer valid", Code::ReleaseExpired),
        ("NO_PUBKEY", Code::BadSignature),
        ("BADSIG", Code::BadSignature),
        ("EXPKEYSIG", Code::BadSignature),
        ("is not signed", Code::BadSignature),
        ("Missing key", Code::BadSignature),
        ("signatures couldn't be verified", Code::BadSignature),
        ("Bad signature", Code::BadSignature),
        ("Verifying signature", Code::BadSignature),
        ("does not have a Release file", Code::FileMissingOnMirror),
        ("404  Not Found", Code::FileMissingOnMirror),
        ("Hash Sum mismatch", Code::HashMismatch),
        ("File has unexpected size", Code::HashMismatch),
        ("Could not resolve", Code::MirrorUnreachable),
        ("Temporary failure resolving", Code::MirrorUnreachable),
        ("Could not connect", Code::MirrorUnreachable),
        ("Unable to connect", Code::MirrorUnreachable),
        ("Cannot initiate the connection", Code::MirrorUnreachable),
        ("Connection failed", Code::DownloadFailed),
        ("Connection timed out", Code::MirrorUnreachable),
        ("Failed to fetch", Code::DownloadFailed),
        ("Unable to locate package", Code::PackageUnknown),
        ("has no installation candidate", Code::PackageUnknown),
        ("was not found", Code::PackageUnknown),
        ("unmet dependencies", Code::PackageConflict),
        ("Unable to satisfy dependencies", Code::PackageConflict),
        ("held broken packages", Code::PackageConflict),
        ("Broken packages", Code::PackageConflict),
        ("Conflicts:", Code::PackageConflict),
        ("dpkg: error processing", Code::PackageFailed),
        (
            "Sub-process /usr/bin/dpkg returned an error",
            Code::PackageFailed,
        ),
    ];
    if failure.code != Code::CommandFailed {
        return failure;
    }
    let said = |words: &str| failure.tail.iter().find(|line| line.contains(words));
    let Some((line, code)) = WORDS
        .iter()
        .find_map(|(words, code)| Some((said(words)?.clone(), *code)))
    else {
        return failure;
    };
    let advised = Failure::plain(
        code,
        line.trim_start_matches("E: ").trim_start_matches("W: "),
    );
    failure.code = advised.code;
    failure.message = advised.message;
    failure.advice = advised.advice;
    if code == Code::PackageConflict {
        // apt explains in indented lines, some before and some after the one that names it.
        let reasons = failure.tail.iter().filter(|line| line.starts_with(' '));
        failure
            .causes
            .extend(reasons.map(|line| line.trim().to_owned()));
    }
    failure
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uri_lines_become_packages() {
        let text = "Reading package lists...\n\
            'http://m/debian/pool/v/vim_9.1-1_amd64.deb' vim_2%3a9.1-1_amd64.deb 1700 SHA256:ABCD\n\
            'file:/x/y.deb' y_1_all.deb 5 SHA256:ef\n";
        let packages = parse_uris(text).expect("well-formed");
        assert_eq!(packages.len(), 2);
        assert_eq!(
            (packages[0].name.as_str(), packages[0].version.as_str()),
            ("vim", "2:9.1-1")
        );
        assert_eq!(
            (packages[0].size, packages[0].sha256.as_str()),
            (1700, "abcd")
        );
        assert_eq!(packages[1].arch, "all");
    }

    #[test]
    fn a_package_without_a_strong_checksum_is_refused() {
        let failure =
            parse_uris("'http://m/x_1_all.deb' x_1_all.deb 5 MD5Sum:00\n").expect_err("weak");
        assert_eq!(failure.code, Code::BadSignature);
    }

    #[test]
    fn dpkg_says_which_package_it_is_at() {
        for (line, want) in [
            ("Unpacking vim (2:9.1-1) ...", Some("vim")),
            ("Setting up libc6:amd64 (2.41-12) ...", Some("libc6")),
            ("Selecting previously unselected package vim.", None),
            ("", None),
        ] {
            assert_eq!(parse_dpkg(line), want, "{line:?}");
        }
    }

    #[test]
    fn essential_and_required_packages_are_told_apart() {
        let index = "Package: a\nEssential: yes\nPriority: required\n\nPackage: b\nPriority: required\n\nPackage: c\nPriority: optional\n";
        assert_eq!(essential(index).collect::<Vec<_>>(), ["a"]);
        assert_eq!(required(index).collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn apt_says_why_and_we_listen() {
        for (line, want) in [
            (
                "E: Release file for http://m/InRelease is expired (invalid since 3d).",
                Code::ReleaseExpired,
            ),
            (
                "E: Release file for http://m/InRelease is not valid yet (invalid for another 2h).",
                Code::ClockWrong,
            ),
            ("E: Unable to locate package nonesuch", Code::PackageUnknown),
            (
                " a : Depends: b (>= 2) but it is not going to be installed",
                Code::CommandFailed,
            ),
            (
                "E: Unable to correct problems, you have held broken packages.",
                Code::PackageConflict,
            ),
            (
                "E: Failed to fetch http://m/x  404  Not Found [IP: 1.2.3.4 80]",
                Code::FileMissingOnMirror,
            ),
            ("something else", Code::CommandFailed),
        ] {
            let mut failure =
                Failure::plain(Code::CommandFailed, "apt-get ended with exit status 100");
            failure.tail = vec!["Reading...".to_owned(), line.to_owned()];
            assert_eq!(explain(failure).code, want, "{line}");
        }
    }
}
