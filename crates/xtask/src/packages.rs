//! Packages of the machine: which are needed, for what, and how they get here.
//!
//! Nothing of apt's configuration is changed, and nothing is installed that was not named
//! first.

use std::{
    io::{self, BufRead, IsTerminal},
    path::Path,
};

use anyhow::{Result, bail};
use xshell::Shell;

use crate::system::{self, Distribution};

/// A package, and how to see that what it brings is here, on whatever Linux.
#[derive(Debug, PartialEq, Eq)]
pub struct Package {
    /// Its name in Debian and Ubuntu.
    pub name: &'static str,
    /// A file that is there when it is installed.
    pub proof: &'static str,
    /// What it is for.
    pub why: &'static str,
}

const fn package(name: &'static str, proof: &'static str, why: &'static str) -> Package {
    Package { name, proof, why }
}

/// What `isosmith build` runs or reads; everything else comes into the tools tree.
pub const BUILD: &[Package] = &[
    package(
        "apt",
        "/usr/bin/apt-get",
        "chooses and verifies the packages of the tools tree",
    ),
    package("dpkg", "/usr/bin/dpkg-deb", "unpacks the tools tree"),
    package(
        "debian-archive-keyring",
        "/usr/share/keyrings/debian-archive-keyring.gpg",
        "the keys that Debian's packages are signed with",
    ),
    package(
        "ca-certificates",
        "/etc/ssl/certs/ca-certificates.crt",
        "mirrors that are reached over https",
    ),
];

/// What a build without root needs beside [`BUILD`].
pub const ROOTLESS: &[Package] = &[package(
    "uidmap",
    "/usr/bin/newuidmap",
    "lets an ordinary user build, with subordinate ids",
)];

/// What `isosmith test-boot` runs or reads.
pub const BOOT: &[Package] = &[
    package(
        "qemu-system-x86",
        "/usr/bin/qemu-system-x86_64",
        "starts an ISO in a virtual machine",
    ),
    package(
        "ovmf",
        "/usr/share/OVMF/OVMF_CODE_4M.fd",
        "UEFI firmware for the virtual machine",
    ),
];

/// What tests make small bootable media with.
pub const MEDIA: &[Package] = &[
    package(
        "xorriso",
        "/usr/bin/xorriso",
        "writes and lists ISOs in tests",
    ),
    package("mtools", "/usr/bin/mformat", "fills FAT images in tests"),
    package(
        "dosfstools",
        "/usr/sbin/mkfs.vfat",
        "makes FAT images in tests",
    ),
];

/// What tests make and unpack images with.
pub const IMAGES: &[Package] = &[package(
    "squashfs-tools",
    "/usr/bin/unsquashfs",
    "makes and unpacks squashfs images in tests",
)];

/// What tests sign an archive of their own with.
pub const ARCHIVE: &[Package] = &[
    package(
        "gnupg",
        "/usr/bin/gpg",
        "signs the package archive of the tests",
    ),
    package(
        "xz-utils",
        "/usr/bin/xz",
        "packs the package lists of the tests",
    ),
];

/// What tests of the service run a system bus of their own with.
pub const BUS: &[Package] = &[
    package(
        "dbus-daemon",
        "/usr/bin/dbus-daemon",
        "the private bus that the service is tested on",
    ),
    package(
        "polkitd",
        "/usr/lib/polkit-1/polkitd",
        "decides who may do what on the private bus",
    ),
];

/// What the page is looked at with in tests.
pub const BROWSER: &[Package] = &[package(
    "chromium",
    "/usr/bin/chromium",
    "shows every screen of the window's page in tests",
)];

/// What the window is compiled against. The page also needs Node.js.
pub const WINDOW_BUILD: &[Package] = &[
    package(
        "libwebkit2gtk-4.1-dev",
        "/usr/include/webkitgtk-4.1/webkit2/webkit2.h",
        "shows the window's page",
    ),
    package(
        "libgtk-3-dev",
        "/usr/include/gtk-3.0/gtk/gtk.h",
        "makes the window",
    ),
    package(
        "librsvg2-dev",
        "/usr/include/librsvg-2.0/librsvg/rsvg.h",
        "draws the window's icons",
    ),
];

/// What the window shows an ISO in.
pub const WINDOW_TRY: &[Package] = &[package(
    "qemu-system-gui",
    "/usr/lib/x86_64-linux-gnu/qemu/ui-gtk.so",
    "shows a virtual machine in a window",
)];

/// What tests show the window on, and drive it with.
pub const WINDOW_RUN: &[Package] = &[
    package("xvfb", "/usr/bin/Xvfb", "a screen without glass"),
    package(
        "webkit2gtk-driver",
        "/usr/bin/WebKitWebDriver",
        "presses the window's buttons in tests",
    ),
    package(
        "xdotool",
        "/usr/bin/xdotool",
        "reads the window's title and puts the window away in tests",
    ),
    package(
        "fonts-dejavu-core",
        "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
        "the window's words in tests",
    ),
];

/// What makes the tree that a finished root tree is compared with.
pub const OTHER_TREE: &[Package] = &[package(
    "mmdebstrap",
    "/usr/bin/mmdebstrap",
    "makes a plain Debian tree to compare with",
)];

/// What the hand-written script of the bench runs beside the others.
pub const HAND_SCRIPT: &[Package] = &[
    package(
        "grub-common",
        "/usr/bin/grub-mkrescue",
        "makes the hand script's ISO",
    ),
    package(
        "grub-pc-bin",
        "/usr/lib/grub/i386-pc/moddep.lst",
        "BIOS boot of the hand script's ISO",
    ),
    package(
        "grub-efi-amd64-bin",
        "/usr/lib/grub/x86_64-efi/moddep.lst",
        "UEFI boot of the hand script's ISO",
    ),
];

/// What `bench --with-live-build` runs.
pub const LIVE_BUILD: &[Package] = &[package(
    "live-build",
    "/usr/bin/lb",
    "Debian's own way to make a live image",
)];

/// What `cargo xtask package` runs.
pub const PACKAGING: &[Package] = &[
    package(
        "dpkg-dev",
        "/usr/bin/dpkg-shlibdeps",
        "finds the packages of the libraries that the programs use",
    ),
    package(
        "binutils",
        "/usr/bin/strip",
        "takes what only debuggers read out of the programs",
    ),
];

/// Installs what is missing of `groups`, after saying which packages and why.
///
/// # Errors
///
/// When something is missing and cannot be installed; the message says what to do.
pub fn ensure(shell: &Shell, groups: &[&'static [Package]]) -> Result<()> {
    let missing = missing(groups, |package| Path::new(package.proof).exists());
    if missing.is_empty() {
        return Ok(());
    }
    println!("These system packages are missing:");
    for package in &missing {
        println!("  {:<24} {}", package.name, package.why);
    }
    let names: Vec<&str> = missing.iter().map(|package| package.name).collect();
    if system::distribution() == Distribution::Other {
        let files: Vec<&str> = missing.iter().map(|package| package.proof).collect();
        bail!(
            "packages are installed by themselves on Debian 12, Debian 13 and Ubuntu 24.04 only. \
             Install by hand what brings: {}",
            files.join(" ")
        );
    }
    let sudo: &[&str] = if system::is_root() { &[] } else { &["sudo"] };
    if !system::is_root() {
        let command = format!(
            "sudo apt-get install -y --no-install-recommends {}",
            names.join(" ")
        );
        if !agreed(&format!("Run this now? {command}"))? {
            bail!("only root can install them. Run this, then start again:\n  {command}");
        }
    }
    if !all_known(shell, &names)? {
        apt_get(shell, sudo, &["update"])?;
    }
    apt_get(
        shell,
        sudo,
        &["install", "-y", "--no-install-recommends"]
            .into_iter()
            .chain(names)
            .collect::<Vec<_>>(),
    )
}

/// Which of `groups` are not here, each once, in the order of the tables.
fn missing(
    groups: &[&'static [Package]],
    here: impl Fn(&Package) -> bool,
) -> Vec<&'static Package> {
    let mut found: Vec<&'static Package> = Vec::new();
    for package in groups.iter().copied().flatten() {
        if !found.contains(&package) && !here(package) {
            found.push(package);
        }
    }
    found
}

/// Asks on the terminal; where there is none, nobody agrees.
///
/// # Errors
///
/// When the answer cannot be read.
pub fn agreed(question: &str) -> Result<bool> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    println!("{question} [Y/n]");
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer)?;
    Ok(read > 0 && matches!(answer.trim().to_lowercase().as_str(), "" | "y" | "yes"))
}

fn apt_get(shell: &Shell, sudo: &[&str], words: &[&str]) -> Result<()> {
    let environment: &[&str] = &["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"];
    let line: Vec<&str> = [sudo, environment, words].concat();
    let (program, rest) = (line[0], &line[1..]);
    Ok(shell.cmd(program).args(rest).run()?)
}

/// Whether apt has heard of every package; a fresh machine or container often has no lists.
fn all_known(shell: &Shell, names: &[&str]) -> Result<bool> {
    let text = shell
        .cmd("apt-cache")
        .arg("policy")
        .args(names)
        .env("LC_ALL", "C")
        .quiet()
        .read()?;
    Ok(candidates(&text) == names.len())
}

/// How many packages in the output of `apt-cache policy` (apt-cache(8)) could be installed.
fn candidates(text: &str) -> usize {
    let found = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Candidate:"));
    found.filter(|version| version.trim() != "(none)").count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_once_and_in_order() {
        let groups: &[&[Package]] = &[BOOT, MEDIA, BOOT];
        let names = |found: Vec<&Package>| {
            found
                .iter()
                .map(|package| package.name)
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(names(missing(groups, |_| true)), "");
        assert_eq!(
            names(missing(groups, |_| false)),
            "qemu-system-x86 ovmf xorriso mtools dosfstools"
        );
        assert_eq!(
            names(missing(groups, |package| package.name != "ovmf")),
            "ovmf"
        );
    }

    #[test]
    fn only_packages_with_a_candidate_are_known() {
        let known = "ovmf:\n  Installed: (none)\n  Candidate: 2022.11-6\n  Version table:\n";
        let unknown = "xorriso:\n  Installed: (none)\n  Candidate: (none)\n";
        for (text, want) in [
            ("", 0),
            (known, 1),
            (unknown, 0),
            (&format!("{known}{unknown}"), 1),
        ] {
            assert_eq!(candidates(text), want, "{text}");
        }
    }
}
