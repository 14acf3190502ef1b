//! Components of Debian's installer (udebs): which ones of the archive's index it takes to install
//! the system that is on the medium.
//!
//! Debian's own media solve this the same simple way: what is named, and all that it depends on
//! (Debian Installer internals, "Udebs").

use std::collections::{BTreeSet, VecDeque};

use isosmith_engine::Failure;
use isosmith_protocol::Code;
use isosmith_spec::model::{BuildSpec, Encryption, Suite};

use crate::apt::Package;

/// Entries of the installer's menu and what they ask with.
const DIALOGUES: &[&str] = &[
    "cdrom-detect",
    "clock-setup",
    "disk-detect",
    "finish-install",
    "live-installer",
    "partman-auto",
    "partman-auto-lvm",
    "partman-base",
    "partman-basicfilesystems",
    "partman-basicmethods",
    "partman-btrfs",
    "partman-efi",
    "partman-ext3",
    "partman-lvm",
    "partman-partitioning",
    "partman-target",
    "partman-utils",
    "partman-xfs",
    "user-setup-udeb",
];

/// The same for encrypted disks.
const ENCRYPTION: &[&str] = &["partman-auto-crypto", "partman-crypto", "partman-crypto-dm"];

/// Components that the installer's initramfs has.
pub(crate) const IN_THE_INITRAMFS: &[&str] = &[
    "anna",
    "archdetect",
    "busybox-udeb",
    "cdebconf-udeb",
    "di-utils",
    "hw-detect",
    "kmod-udeb",
    "libacl1-udeb",
    "libblkid1-udeb",
    "libc6-udeb",
    "libcap2-udeb",
    "libcrypto3-udeb",
    "libdebconfclient0-udeb",
    "libdebian-installer4-udeb",
    "libgcrypt20-udeb",
    "libgpg-error0-udeb",
    "liblzma5-udeb",
    "libpcre2-8-0-udeb",
    "libselinux1-udeb",
    "libssl3-udeb",
    "libudev1-udeb",
    "libuuid1-udeb",
    "localechooser",
    "netcfg",
    "pciutils-udeb",
    "rootskel",
    "udev-udeb",
    "udpkg",
    "util-linux-udeb",
    "zlib1g-udeb",
];

/// Components whose programs are those of the system on the medium, so that a filesystem is made
/// by the programs that will mend it; and what stands for several components or none.
const ELSEWHERE: &[&str] = &[
    "bootable-system",
    "btrfs-progs-udeb",
    "configured-network",
    "dosfstools-udeb",
    "e2fsprogs-udeb",
    "kbd-udeb",
    "ntfs-3g-udeb",
    "xfsprogs-udeb",
];

/// What a spec's installer consists of, before dependencies.
pub(crate) fn named(spec: &BuildSpec) -> Vec<&'static str> {
    let encryption = match spec.installer.encryption {
        Encryption::Hidden => &[][..],
        Encryption::Offered | Encryption::Preselected => ENCRYPTION,
    };
    DIALOGUES.iter().chain(encryption).copied().collect()
}

/// Ending of apt's name for the index of a suite's components.
pub(crate) fn index_ending(suite: Suite) -> String {
    format!("_dists_{suite}_main_debian-installer_binary-amd64_Packages")
}

/// Names [`apt_target`], in apt's settings and in a source that it is for.
pub(crate) const APT_TARGET_NAME: &str = "isosmith-installer";

/// Makes apt download the index of components where a source asks for it, and check it as it checks
/// the lists of packages (apt's `acquire-additional-files`). apt itself does not choose from it.
pub(crate) fn apt_target() -> String {
    format!(
        r#"Acquire::IndexTargets::deb::{APT_TARGET_NAME} {{
  MetaKey "$(COMPONENT)/debian-installer/binary-amd64/Packages";
  ShortDescription "Installer";
  Description "$(RELEASE)/$(COMPONENT) components of the installer";
  KeepCompressed "false";
  DefaultEnabled "false";
}};
"#
    )
}

/// One entry of the index.
#[derive(Debug, Default)]
struct Udeb<'a> {
    name: &'a str,
    version: &'a str,
    arch: &'a str,
    depends: &'a str,
    provides: &'a str,
    file: &'a str,
    size: u64,
    sha256: &'a str,
}

impl Udeb<'_> {
    fn package(&self, archive: &str) -> Package {
        Package {
            name: self.name.to_owned(),
            version: self.version.to_owned(),
            arch: self.arch.to_owned(),
            uri: format!("{archive}/{}", self.file),
            file: self.file.rsplit('/').next().unwrap_or(self.file).to_owned(),
            size: self.size,
            sha256: self.sha256.to_ascii_lowercase(),
        }
    }

    fn provides(&self, wanted: &str) -> bool {
        self.name == wanted || relations(self.provides).any(|name| name == wanted)
    }
}

/// The components `named` with all that they need and that is not there otherwise, sorted by
/// name. `index` is a Packages file, `archive` the address that its file names are below.
///
/// # Errors
///
/// [`Code::PackageUnknown`] with the component that the archive lacks, [`Code::BadSignature`]
/// where the index gives no SHA-256.
pub(crate) fn choose(index: &str, named: &[&str], archive: &str) -> Result<Vec<Package>, Failure> {
    let all: Vec<Udeb<'_>> = index.split("\n\n").filter_map(parse).collect();
    let mut chosen: Vec<&Udeb<'_>> = Vec::new();
    // What is named comes first, so that it is what stands for something.
    let mut open: VecDeque<(&str, &str)> =
        named.iter().map(|&name| (name, "the installer")).collect();
    while let Some((wanted, by)) = open.pop_front() {
        let here = |name: &str| {
            IN_THE_INITRAMFS.contains(&name)
                || ELSEWHERE.contains(&name)
                // The kernel is that of the medium, and so are its modules.
                || name.ends_with("-modules")
                || chosen.iter().any(|udeb| udeb.provides(name))
        };
        let alternatives: Vec<&str> = wanted.split('|').map(bare).collect();
        if alternatives.iter().any(|name| here(name)) {
            continue;
        }
        let real = |name: &&str| all.iter().find(|udeb| udeb.name == *name);
        let standing_for = |name: &&str| all.iter().find(|udeb| udeb.provides(name));
        let found = alternatives.iter().find_map(real);
        let Some(udeb) = found.or_else(|| alternatives.iter().find_map(standing_for)) else {
            return Err(Failure::new(
                Code::PackageUnknown,
                format!("the archive has no {wanted} for Debian's installer, which {by} needs"),
                "Write debian = false in [installer], or take another suite or mirror.",
            ));
        };
        chosen.push(udeb);
        let needs = udeb.depends.split(',').map(str::trim);
        open.extend(
            needs
                .filter(|need| !need.is_empty())
                .map(|need| (need, udeb.name)),
        );
    }
    if let Some(weak) = chosen.iter().find(|udeb| udeb.sha256.is_empty()) {
        return Err(Failure::plain(
            Code::BadSignature,
            format!("the index gives no SHA-256 for {}", weak.file),
        ));
    }
    let packages: BTreeSet<Package> = chosen.iter().map(|udeb| udeb.package(archive)).collect();
    Ok(packages.into_iter().collect())
}

fn parse(stanza: &str) -> Option<Udeb<'_>> {
    let mut udeb = Udeb::default();
    for (field, value) in stanza.lines().filter_map(|line| line.split_once(": ")) {
        match field {
            "Package" => udeb.name = value,
            "Version" => udeb.version = value,
            "Architecture" => udeb.arch = value,
            "Depends" => udeb.depends = value,
            "Provides" => udeb.provides = value,
            "Filename" => udeb.file = value,
            "Size" => udeb.size = value.parse().ok()?,
            "SHA256" => udeb.sha256 = value,
            _ => {}
        }
    }
    (!udeb.name.is_empty()).then_some(udeb)
}

/// Names in a field of relations, without their versions.
fn relations(field: &str) -> impl Iterator<Item = &str> {
    field.split(',').map(bare).filter(|name| !name.is_empty())
}

fn bare(relation: &str) -> &str {
    relation.trim().split(' ').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const INDEX: &str = "\
Package: partman-base
Version: 237
Architecture: amd64
Depends: libc6-udeb (>= 2.41), partman-utils, harddrive-detection | none
Provides: created-fstab, made-filesystems
Filename: pool/main/p/partman-base/partman-base_237_amd64.udeb
Size: 12
SHA256: AB

Package: partman-utils
Version: 237
Architecture: all
Depends: created-fstab, e2fsprogs-udeb
Filename: pool/main/p/partman-base/partman-utils_237_all.udeb
Size: 3
SHA256: cd

Package: disk-detect
Version: 1:1
Architecture: amd64
Provides: harddrive-detection
Filename: pool/main/h/hw-detect/disk-detect_1_amd64.udeb
Size: 4
SHA256: ef

Package: broken
Version: 1
Architecture: all
Depends: nonesuch
Filename: pool/b.udeb
Size: 1
SHA256: 00

Package: weak
Version: 1
Architecture: all
Filename: pool/w.udeb
Size: 1
";

    /// Names that `named` comes to, or the code of the failure.
    fn names(named: &[&str]) -> Result<Vec<String>, Code> {
        choose(INDEX, named, "http://m/debian")
            .map(|all| all.into_iter().map(|package| package.name).collect())
            .map_err(|failure| failure.code)
    }

    #[test]
    fn a_component_comes_with_what_it_needs() {
        for (named, want) in [
            (
                &["partman-base"][..],
                Ok(&["disk-detect", "partman-base", "partman-utils"][..]),
            ),
            (&["disk-detect"], Ok(&["disk-detect"])),
            // There already, in the initramfs or on the medium.
            (&["libc6-udeb", "e2fsprogs-udeb"], Ok(&[])),
            (&["broken"], Err(Code::PackageUnknown)),
            (&["nonesuch"], Err(Code::PackageUnknown)),
            (&["weak"], Err(Code::BadSignature)),
        ] {
            let want = want.map(|names| names.iter().map(|&name| name.to_owned()).collect());
            assert_eq!(names(named), want, "{named:?}");
        }
    }

    #[test]
    fn a_component_is_where_the_index_says() {
        let found = choose(INDEX, &["disk-detect"], "http://m/debian").expect("it is there");
        assert_eq!(
            (
                found[0].uri.as_str(),
                found[0].file.as_str(),
                found[0].size,
                found[0].sha256.as_str()
            ),
            (
                "http://m/debian/pool/main/h/hw-detect/disk-detect_1_amd64.udeb",
                "disk-detect_1_amd64.udeb",
                4,
                "ef"
            )
        );
    }
}
