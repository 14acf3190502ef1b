//! Which files a package has, and where they come from.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use xshell::Shell;

use crate::cargo::cargo;

use super::{Identity, Programs, icon};

/// Files of the service and the command line that are installed as they are in the repository.
const SERVICE_FILES: &[(&str, &str)] = &[
    (
        "packaging/org.isosmith.policy",
        "usr/share/polkit-1/actions/org.isosmith.policy",
    ),
    (
        "packaging/org.isosmith.Helper1.conf",
        "usr/share/dbus-1/system.d/org.isosmith.Helper1.conf",
    ),
    (
        "packaging/org.isosmith.Helper1.service",
        "usr/share/dbus-1/system-services/org.isosmith.Helper1.service",
    ),
    (
        "packaging/isosmith-helper.service",
        "usr/lib/systemd/system/isosmith-helper.service",
    ),
    ("packaging/apparmor", "usr/share/isosmith/apparmor"),
    (
        "packaging/debian/lintian-overrides",
        "usr/share/lintian/overrides/isosmith",
    ),
    (
        "packaging/debian/copyright",
        "usr/share/doc/isosmith/copyright",
    ),
    (
        "profiles/schema.json",
        "usr/share/isosmith/profiles/schema.json",
    ),
];

/// Files of the window that are installed as they are in the repository.
const WINDOW_FILES: &[(&str, &str)] = &[
    (
        "packaging/org.isosmith.Isosmith.desktop",
        "usr/share/applications/org.isosmith.Isosmith.desktop",
    ),
    (
        "packaging/org.isosmith.Isosmith.metainfo.xml",
        "usr/share/metainfo/org.isosmith.Isosmith.metainfo.xml",
    ),
    (
        "packaging/isosmith.mime.xml",
        "usr/share/mime/packages/isosmith.xml",
    ),
    (
        "packaging/debian/copyright",
        "usr/share/doc/isosmith-gui/copyright",
    ),
    (
        "packaging/debian/lintian-overrides-gui",
        "usr/share/lintian/overrides/isosmith-gui",
    ),
    (ICON, "usr/share/icons/hicolor/scalable/apps/isosmith.svg"),
];

/// What every size of the icon is drawn from.
const ICON: &str = "icons/isosmith.svg";

/// What the service offers, for programs that want to call it: what it has built in, as a
/// document of its own (D-Bus specification, "Introspection Data Format").
const INTERFACE: (&str, &str) = (
    "crates/helper/org.isosmith.Helper1.xml",
    "usr/share/dbus-1/interfaces/org.isosmith.Helper1.xml",
);

const INTRODUCTION: &str = "<!DOCTYPE node PUBLIC
 \"-//freedesktop//DTD D-BUS Object Introspection 1.0//EN\"
 \"http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd\">
";

/// Documents that are installed compressed, as Debian's policy wants it (12.7, 12.3).
const DOCUMENTS: &[(&str, &str)] = &[
    ("CHANGELOG.md", "changelog"),
    ("README.md", "README.md"),
    ("SECURITY.md", "SECURITY.md"),
];

/// Manual pages that are written by hand; the others are the command line's own.
const MANUAL: &[(&str, &str)] = &[(
    "packaging/isosmith-helper.8",
    "usr/share/man/man8/isosmith-helper.8.gz",
)];

/// Completions, by the names that `isosmith completions` knows.
const COMPLETIONS: &[(&str, &str)] = &[
    ("bash", "usr/share/bash-completion/completions/isosmith"),
    ("zsh", "usr/share/zsh/vendor-completions/_isosmith"),
    ("fish", "usr/share/fish/vendor_completions.d/isosmith.fish"),
];

/// Whoever answers for the package.
pub const MAINTAINER: &str = "The Isosmith contributors <isosmith@users.noreply.github.com>";

/// Where and of what a package is made.
#[derive(Debug)]
pub struct Stage<'a> {
    pub shell: &'a Shell,
    pub repository: PathBuf,
    pub scratch: PathBuf,
    pub identity: &'a Identity,
}

/// A package's files, laid out as they will be installed.
#[derive(Debug)]
pub struct Tree(PathBuf);

impl Tree {
    pub fn root(&self) -> &Path {
        &self.0
    }

    /// Writes a file that everybody may read.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn write(&self, to: &str, bytes: impl AsRef<[u8]>) -> Result<()> {
        self.write_as(to, bytes, 0o644)
    }

    /// Writes a file with these permissions.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn write_as(&self, to: &str, bytes: impl AsRef<[u8]>, mode: u32) -> Result<()> {
        let place = self.0.join(to);
        let parent = place.parent().context("a file has a folder")?;
        fs::create_dir_all(parent)?;
        fs::write(&place, bytes).with_context(|| place.display().to_string())?;
        fs::set_permissions(&place, fs::Permissions::from_mode(mode))?;
        Ok(())
    }

    /// Every file below the root but those that are about the package itself, sorted.
    ///
    /// # Errors
    ///
    /// When a folder cannot be read.
    pub fn files(&self) -> Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        collect(&self.0, &mut found)?;
        found.retain(|file| !file.starts_with(self.0.join("DEBIAN")));
        found.sort();
        Ok(found)
    }

    /// Folders are open to everybody, whatever umask made them.
    fn open_folders(&self) -> Result<()> {
        let mut open = vec![self.0.clone()];
        while let Some(folder) = open.pop() {
            fs::set_permissions(&folder, fs::Permissions::from_mode(0o755))?;
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                if entry.file_type()?.is_dir() {
                    open.push(entry.path());
                }
            }
        }
        Ok(())
    }
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), found)?;
        } else {
            found.push(entry.path());
        }
    }
    Ok(())
}

impl Stage<'_> {
    /// Lays out the package of the command line and the service: everything but what is about the
    /// package itself.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, made or written.
    pub fn service(&self, programs: &Programs) -> Result<Tree> {
        const DOC: &str = "usr/share/doc/isosmith";

        let tree = Tree(self.scratch.join("isosmith"));
        for (program, to) in [
            (&programs.isosmith, "usr/bin/isosmith"),
            (&programs.helper, "usr/libexec/isosmith-helper"),
            (&programs.assistant, "usr/lib/isosmith/ai-helper/ai"),
        ] {
            self.install_program(&tree, program, to)?;
        }
        for (from, to) in SERVICE_FILES {
            tree.write(to, self.read(from)?)?;
        }
        let interface = String::from_utf8(self.read(INTERFACE.0)?)?;
        let interface = format!("{INTRODUCTION}<node>\n{interface}</node>\n");
        tree.write(INTERFACE.1, interface)?;
        self.install_profiles(&tree)?;
        for (from, name) in DOCUMENTS {
            self.write_packed(&tree, &format!("{DOC}/{name}.gz"), &self.read(from)?)?;
        }
        let log = self.debian_changelog("isosmith")?;
        self.write_packed(&tree, &format!("{DOC}/changelog.Debian.gz"), log.as_bytes())?;
        let crates = self.crates(&["isosmith-cli", "isosmith-helper"])?;
        tree.write(&format!("{DOC}/crates.txt"), crates)?;
        let crates = self.crates(&["isosmith-ai-helper"])?;
        tree.write("usr/lib/isosmith/ai-helper/crates.txt", crates)?;
        for (name, to) in COMPLETIONS {
            let isosmith = self.shell.cmd(&programs.isosmith);
            let text = isosmith.args(["completions", name]).quiet().read()?;
            tree.write(to, text + "\n")?;
        }
        self.install_manual(&tree, &programs.isosmith)?;
        tree.open_folders()?;
        Ok(tree)
    }

    /// Lays out the package of the window.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, made or written.
    pub fn window(&self, program: &Path) -> Result<Tree> {
        const DOC: &str = "usr/share/doc/isosmith-gui";

        let tree = Tree(self.scratch.join("isosmith-gui"));
        self.install_program(&tree, program, "usr/bin/isosmith-gui")?;
        for (from, to) in WINDOW_FILES {
            tree.write(to, self.read(from)?)?;
        }
        for (size, png) in icon::drawn(&self.read(ICON)?)? {
            let to = format!("usr/share/icons/hicolor/{size}x{size}/apps/isosmith.png");
            tree.write(&to, png)?;
        }
        self.write_packed(
            &tree,
            "usr/share/man/man1/isosmith-gui.1.gz",
            &self.read("packaging/isosmith-gui.1")?,
        )?;
        let changes = self.read("CHANGELOG.md")?;
        self.write_packed(&tree, &format!("{DOC}/changelog.gz"), &changes)?;
        let log = self.debian_changelog("isosmith-gui")?;
        self.write_packed(&tree, &format!("{DOC}/changelog.Debian.gz"), log.as_bytes())?;
        tree.write(
            &format!("{DOC}/crates.txt"),
            self.crates(&["isosmith-gui"])?,
        )?;
        tree.open_folders()?;
        Ok(tree)
    }

    fn read(&self, path: &str) -> Result<Vec<u8>> {
        fs::read(self.repository.join(path)).with_context(|| path.to_owned())
    }

    /// Without its symbols, as dh_strip(1) does: names of functions are of use to nobody who
    /// has no source, and are most of the size.
    fn install_program(&self, tree: &Tree, program: &Path, to: &str) -> Result<()> {
        let bytes = fs::read(program).with_context(|| program.display().to_string())?;
        // A stand-in of a test may be a script.
        let is_elf = bytes.starts_with(b"\x7fELF");
        tree.write_as(to, bytes, 0o755)?;
        if is_elf {
            let strip = self.shell.cmd("strip").args([
                "--strip-unneeded",
                "--remove-section=.comment",
                "--remove-section=.note",
            ]);
            strip.arg(tree.root().join(to)).quiet().run()?;
        }
        Ok(())
    }

    /// Every profile that git knows, so that a draft beside them is not shipped.
    fn install_profiles(&self, tree: &Tree) -> Result<()> {
        let list = self.shell.cmd("git").args(["ls-files", "profiles/*/*"]);
        let list = list.quiet().read()?;
        ensure!(!list.trim().is_empty(), "git lists no profiles");
        for path in list.lines() {
            tree.write(&format!("usr/share/isosmith/{path}"), self.read(path)?)?;
        }
        Ok(())
    }

    fn install_manual(&self, tree: &Tree, isosmith: &Path) -> Result<()> {
        for (from, to) in MANUAL {
            self.write_packed(tree, to, &self.read(from)?)?;
        }
        let folder = self.scratch.join("man");
        let cmd = self.shell.cmd(isosmith).arg("man").arg(&folder);
        cmd.quiet().ignore_stdout().run()?;
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let to = format!("usr/share/man/man1/{name}.gz");
            self.write_packed(tree, &to, &fs::read(entry.path())?)?;
        }
        Ok(())
    }

    /// Writes `bytes` with gzip, as small as it can and without a date.
    fn write_packed(&self, tree: &Tree, to: &str, bytes: &[u8]) -> Result<()> {
        let plain = self.scratch.join("plain");
        fs::write(&plain, bytes)?;
        let gzip = self.shell.cmd("gzip").args(["-9", "-n", "-c"]).arg(&plain);
        tree.write(to, gzip.quiet().output()?.stdout)
    }

    /// deb-changelog(5). What has changed is in the other changelog.
    fn debian_changelog(&self, package: &str) -> Result<String> {
        let date = self.shell.cmd("date").args(["--utc", "--rfc-email"]);
        let date = date
            .arg(format!("--date=@{}", self.identity.epoch))
            .env("LC_ALL", "C")
            .quiet()
            .read()?;
        Ok(format!(
            "{package} ({}) unstable; urgency=medium\n\n  * changelog.gz has what is new.\n\n -- {MAINTAINER}  {date}\n",
            self.identity.version
        ))
    }

    /// Crates of other authors that the programs contain: name, version, licence.
    fn crates(&self, packages: &[&str]) -> Result<String> {
        const HOW: [&str; 6] = [
            "--edges", "normal", "--prefix", "none", "--format", "{p}\t{l}",
        ];

        let named = packages.iter().flat_map(|package| ["--package", package]);
        let tree = cargo(self.shell, &["tree"]).args(named).args(HOW);
        let listed = list_crates(&tree.quiet().read()?);
        ensure!(!listed.is_empty(), "cargo lists no crates");
        Ok(listed)
    }
}

/// Turns what `cargo tree` prints into a sorted list without ours and without repetition.
fn list_crates(printed: &str) -> String {
    let mut lines: Vec<String> = printed
        .lines()
        .filter_map(|line| {
            let (package, licence) = line.split_once('\t')?;
            // "name v1.2.3", then "(proc-macro)" or where it lies.
            let mut words = package.split(' ');
            let (name, version) = (words.next()?, words.next()?.trim_start_matches('v'));
            // "(*)" stands for a part of the tree that has been printed before.
            let licence = licence.trim_end_matches("(*)").trim();
            (!name.starts_with("isosmith-")).then(|| format!("{name} {version}: {licence}\n"))
        })
        .collect();
    lines.sort();
    lines.dedup();
    lines.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crates_of_others_are_listed_once() {
        let printed = "isosmith-cli v0.1.0 (/home/ada/isosmith/crates/cli)\tMIT OR Apache-2.0\n\
            serde v1.0.1\tMIT OR Apache-2.0\n\
            anyhow v1.0.9\tMIT\n\
            serde_derive v1.0.1 (proc-macro)\tMIT (*)\n\
            serde v1.0.1\tMIT OR Apache-2.0 (*)\n\
            \n";
        assert_eq!(
            list_crates(printed),
            "anyhow 1.0.9: MIT\nserde 1.0.1: MIT OR Apache-2.0\nserde_derive 1.0.1: MIT\n"
        );
        assert_eq!(list_crates(""), "");
    }
}
