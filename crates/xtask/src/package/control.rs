//! What a package says about itself (deb-control(5)).

use std::{fs, path::Path};

use anyhow::{Context, Result};

use crate::packages;

use super::contents::{MAINTAINER, Stage, Tree};

/// What the service needs beside what builds do: a bus, and somebody who asks for passwords.
const FOR_THE_SERVICE: &[&str] = &[
    "default-dbus-system-bus | dbus-system-bus | dbus",
    "polkitd | policykit-1",
];

/// Packages that every Debian has; naming them is an error (policy 3.5).
const ESSENTIAL: &[&str] = &["dpkg"];

/// What a package says of itself.
#[derive(Debug)]
pub struct About {
    name: &'static str,
    section: &'static str,
    depends: String,
    recommends: String,
    description: &'static str,
    /// The programs in it.
    programs: &'static [&'static str],
    /// Scripts of dpkg that come with it.
    scripts: &'static [&'static str],
}

impl About {
    /// The command line and the service.
    pub fn service() -> Self {
        Self {
            name: "isosmith",
            section: "admin",
            depends: depends(),
            recommends: names(&[packages::BOOT]).join(", "),
            description: SERVICE,
            programs: &[
                "usr/bin/isosmith",
                "usr/libexec/isosmith-helper",
                "usr/lib/isosmith/ai-helper/ai",
            ],
            scripts: &["postinst", "prerm", "postrm"],
        }
    }

    /// The window. It and the service must understand each other, so they come together.
    pub fn window(version: &str) -> Self {
        Self {
            name: "isosmith-gui",
            section: "admin",
            // Loaded while it runs, for dialogs, which is why dpkg-shlibdeps does not see it.
            depends: format!("libdbus-1-3, isosmith (= {version})"),
            // Who shows those dialogs.
            recommends: format!(
                "xdg-desktop-portal, {}",
                names(&[packages::WINDOW_TRY]).join(", ")
            ),
            description: WINDOW,
            programs: &["usr/bin/isosmith-gui"],
            scripts: &[],
        }
    }

    /// The package's name.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

const WINDOW: &str = "make your own bootable Debian live ISO, point and click
 In a window you choose packages, language, users, services, boot menu, name,
 logo and colours, see the boot menus as they will look, and press Build. What
 comes out is a live ISO, which can be tried in a virtual machine.
 .
 The window has no rights of its own; the service of the package isosmith
 builds.";

const SERVICE: &str = "make your own bootable Debian live ISO
 Isosmith turns a profile in TOML (packages, language, users, services, boot
 menu, name and colours) into a live ISO that starts from a disc or a stick, on
 a BIOS, on UEFI, and with Secure Boot.
 .
 Builds run in namespaces of their own and touch nothing of the machine. A
 service on the system bus, which asks polkit first, builds for people without
 root's rights, and goes on when they log out.";

/// Writes the folder `DEBIAN`.
///
/// # Errors
///
/// When a file cannot be written, or dpkg's tools find something wrong.
pub fn write(stage: &Stage<'_>, tree: &Tree, about: &About) -> Result<()> {
    let files = tree.files()?;
    let mut size = 0;
    for file in &files {
        size += fs::metadata(file)?.len().div_ceil(1024);
    }
    // Its folder must be there before: dpkg-shlibdeps tells by it what a package's tree is.
    fs::create_dir_all(tree.root().join("DEBIAN"))?;
    let libraries = libraries(stage, tree, about.programs)?;
    let control = text(about, &stage.identity.version, size, &libraries);
    tree.write("DEBIAN/control", control)?;
    tree.write("DEBIAN/md5sums", sums(stage, tree)?)?;
    for name in about.scripts {
        let script = stage.repository.join("packaging/debian").join(name);
        let bytes = fs::read(&script).with_context(|| script.display().to_string())?;
        tree.write_as(&format!("DEBIAN/{name}"), bytes, 0o755)?;
    }
    Ok(())
}

fn text(about: &About, version: &str, size_kib: u64, libraries: &str) -> String {
    let About {
        name,
        section,
        depends,
        recommends,
        description,
        programs: _,
        scripts: _,
    } = about;
    format!(
        "Package: {name}\n\
         Version: {version}\n\
         Architecture: amd64\n\
         Maintainer: {MAINTAINER}\n\
         Installed-Size: {size_kib}\n\
         Depends: {libraries}, {depends}\n\
         Recommends: {recommends}\n\
         Section: {section}\n\
         Priority: optional\n\
         Homepage: https://github.com/isosmith/isosmith\n\
         Description: {description}\n"
    )
}

/// What the programs run on this machine, besides the libraries that they are linked to.
fn depends() -> String {
    let tools = names(&[packages::BUILD, packages::ROOTLESS]);
    let tools = tools.into_iter().filter(|name| !ESSENTIAL.contains(name));
    let mut all: Vec<_> = tools.chain(FOR_THE_SERVICE.iter().copied()).collect();
    all.sort_unstable();
    all.join(", ")
}

fn names(groups: &[&'static [packages::Package]]) -> Vec<&'static str> {
    let all = groups.iter().copied().flatten();
    all.map(|package| package.name).collect()
}

/// What dpkg-shlibdeps(1) makes of the libraries that the programs are linked to.
fn libraries(stage: &Stage<'_>, tree: &Tree, programs: &[&str]) -> Result<String> {
    // It insists on being called where a source package is.
    let source = stage.scratch.join("source");
    fs::create_dir_all(source.join("debian"))?;
    fs::write(
        source.join("debian/control"),
        "Source: isosmith\n\nPackage: isosmith\nArchitecture: amd64\n",
    )?;
    let _in_source = stage.shell.push_dir(&source);
    let mut cmd = stage.shell.cmd("dpkg-shlibdeps").arg("-O");
    for program in programs {
        let file = tree.root().join(program);
        if is_elf(&file)? {
            cmd = cmd.arg(format!("-e{}", file.display()));
        }
    }
    let said = cmd.quiet().read()?;
    let found = said
        .lines()
        .find_map(|line| line.strip_prefix("shlibs:Depends="));
    found
        .map(str::to_owned)
        .context("dpkg-shlibdeps names no packages")
}

fn is_elf(file: &Path) -> Result<bool> {
    Ok(fs::read(file)?.starts_with(b"\x7fELF"))
}

/// deb-md5sums(5).
fn sums(stage: &Stage<'_>, tree: &Tree) -> Result<String> {
    let _in_tree = stage.shell.push_dir(tree.root());
    let files = tree.files()?;
    let relative = files
        .iter()
        .filter_map(|file| file.strip_prefix(tree.root()).ok());
    let cmd = stage.shell.cmd("md5sum").args(relative);
    Ok(cmd.quiet().read()? + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tools_of_builds_are_depended_on() {
        let depends = depends();
        for name in ["apt", "uidmap", "debian-archive-keyring", "ca-certificates"] {
            let found = depends.split(", ").any(|package| package == name);
            assert!(found, "{name} is not in {depends}");
        }
        assert!(!depends.contains("dpkg"), "{depends}");
    }

    #[test]
    fn fields_are_one_line_each_and_the_description_is_folded() {
        for about in [About::service(), About::window("1.2.3-1")] {
            check_fields(&about);
        }
    }

    fn check_fields(about: &About) {
        let text = text(about, "1.2.3-1", 7, "libc6");
        let (fields, description) = text.split_once("Description: ").unwrap();
        assert!(fields.lines().all(|line| line.contains(": ")), "{fields}");
        assert!(fields.contains("\nVersion: 1.2.3-1\n"), "{fields}");
        let folded = description.lines().skip(1);
        assert!(folded.clone().all(|line| line.starts_with(' ')), "{text}");
        assert!(folded.clone().all(|line| line.len() < 80), "{text}");
    }
}
