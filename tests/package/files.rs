//! What is in the package.

use std::{path::Path, process::Command};

use anyhow::{Context, Result, ensure};
use isosmith_tests::kit::output;

use crate::{Named, Subject};

pub const TRIALS: &[Named] = &[
    ("everything_that_belongs_to_it_is_there", whole),
    (
        "files_belong_to_root_and_nothing_has_rights_of_its_own",
        modes,
    ),
    ("what_is_installed_has_no_rights_of_its_own", installed),
    ("lintian_has_nothing_to_say", lintian),
];

/// Files that a user, the bus, polkit and systemd look for.
const PARTS: &[&str] = &[
    "/usr/bin/isosmith",
    "/usr/libexec/isosmith-helper",
    "/usr/lib/isosmith/ai-helper/ai",
    "/usr/lib/isosmith/ai-helper/crates.txt",
    "/usr/lib/systemd/system/isosmith-helper.service",
    "/usr/share/bash-completion/completions/isosmith",
    "/usr/share/dbus-1/interfaces/org.isosmith.Helper1.xml",
    "/usr/share/dbus-1/system-services/org.isosmith.Helper1.service",
    "/usr/share/dbus-1/system.d/org.isosmith.Helper1.conf",
    "/usr/share/doc/isosmith/README.md.gz",
    "/usr/share/doc/isosmith/changelog.Debian.gz",
    "/usr/share/doc/isosmith/copyright",
    "/usr/share/doc/isosmith/crates.txt",
    "/usr/share/fish/vendor_completions.d/isosmith.fish",
    "/usr/share/isosmith/apparmor",
    "/usr/share/isosmith/profiles/minimal/profile.toml",
    "/usr/share/isosmith/profiles/schema.json",
    "/usr/share/man/man1/isosmith-build.1.gz",
    "/usr/share/man/man1/isosmith.1.gz",
    "/usr/share/man/man8/isosmith-helper.8.gz",
    "/usr/share/polkit-1/actions/org.isosmith.policy",
    "/usr/share/zsh/vendor-completions/_isosmith",
];

/// Programs; everything else is data.
const PROGRAMS: &[&str] = &[
    "/usr/bin/isosmith",
    "/usr/libexec/isosmith-helper",
    "/usr/lib/isosmith/ai-helper/ai",
];

/// One line of `dpkg-deb --contents`.
struct Entry {
    mode: String,
    owner: String,
    path: String,
}

fn entries(deb: &Path) -> Result<Vec<Entry>> {
    let listed = output(Command::new("dpkg-deb").arg("--contents").arg(deb))?;
    let entry = |line: &str| {
        let mut fields = line.split_whitespace();
        let (mode, owner) = (fields.next()?.to_owned(), fields.next()?.to_owned());
        let path = fields.nth(3)?.trim_start_matches('.').to_owned();
        Some(Entry { mode, owner, path })
    };
    let entries = listed.lines().map(entry).collect::<Option<Vec<_>>>();
    entries.context("dpkg-deb lists what cannot be read")
}

fn whole(subject: &Subject) -> Result<()> {
    check_parts(&subject.deb, PARTS)
}

/// Whether a package has these files, and nothing outside `/usr`.
pub fn check_parts(deb: &Path, parts: &[&str]) -> Result<()> {
    let entries = entries(deb)?;
    let missing: Vec<_> = parts
        .iter()
        .filter(|part| !entries.iter().any(|entry| entry.path == **part))
        .collect();
    ensure!(missing.is_empty(), "not in the package: {missing:?}");
    // Configuration belongs to the administrator, state to the service.
    let astray: Vec<_> = entries
        .iter()
        .filter(|entry| !(entry.path == "/" || entry.path.starts_with("/usr/")))
        .map(|entry| &entry.path)
        .collect();
    ensure!(astray.is_empty(), "not below /usr: {astray:?}");
    Ok(())
}

fn modes(subject: &Subject) -> Result<()> {
    check_modes(&subject.deb, PROGRAMS)
}

/// Whether everything is root's, and nothing but `programs` can be run.
pub fn check_modes(deb: &Path, programs: &[&str]) -> Result<()> {
    let mut wrong = Vec::new();
    for entry in entries(deb)? {
        let want = match entry.mode.as_bytes().first() {
            Some(b'd') => "drwxr-xr-x",
            _ if programs.contains(&entry.path.as_str()) => "-rwxr-xr-x",
            _ => "-rw-r--r--",
        };
        if entry.mode != want || entry.owner != "root/root" {
            wrong.push(format!("{} {} {}", entry.mode, entry.owner, entry.path));
        }
    }
    ensure!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}

/// The row P1 of the study: no set-uid, set-gid or capability files, also not by way of the
/// scripts of the package.
fn installed(subject: &Subject) -> Result<()> {
    let room = subject.system.room(&subject.kit)?;
    let look = "find / -xdev -type f -perm /6000 -printf '%m %p\\n' | sort
        find / -xdev -type f -print0 | xargs -0 getcap | sort";
    let before = room.run(look)?;
    room.install(&subject.deb)?;
    let after = room.run(look)?;
    ensure!(before == after, "before:\n{before}\nafter:\n{after}");
    Ok(())
}

fn lintian(subject: &Subject) -> Result<()> {
    check_with_lintian(subject, &subject.deb)
}

/// Whether lintian finds neither errors nor warnings.
pub fn check_with_lintian(subject: &Subject, deb: &Path) -> Result<()> {
    let room = subject.system.room(&subject.kit)?;
    let name = deb.file_name().context("a name")?.to_string_lossy();
    // It looks at the name, too.
    room.bring(deb, &name)?;
    let said = room.try_run(&format!(
        "lintian --no-cfg --allow-root --profile debian --fail-on error,warning /{name}"
    ))?;
    ensure!(said.well && said.text.is_empty(), "{}", said.text);
    Ok(())
}
