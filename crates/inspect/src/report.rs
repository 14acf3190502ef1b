//! Everything that is known about an image, in one value.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use crate::efi::{self, EfiReport};
use crate::eltorito::{self, BootCatalogue};
use crate::error::InspectError;
use crate::iso9660::{Iso, SECTOR, Volume};
use crate::source::{Disk, ReadAt};
use crate::squashfs::{Census, Squashfs, Superblock};
use crate::system_area::{self, SystemArea};

const SMALL_FILE_LIMIT: u64 = 64 << 10;
/// dpkg's status of a full desktop is 4 MB.
const STATUS_LIMIT: u64 = 64 << 20;

/// What a medium is and holds.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Length of the image in bytes.
    pub size: u64,
    /// Its primary volume descriptor.
    pub volume: Volume,
    /// Whether names and modes come from Rock Ridge.
    pub rock_ridge: bool,
    /// Whether there is a Joliet tree for Windows.
    pub joliet: bool,
    /// How it boots from a CD.
    pub el_torito: Option<BootCatalogue>,
    /// How it boots from a stick.
    pub hybrid: SystemArea,
    /// What UEFI firmware finds.
    pub efi: Option<EfiReport>,
    /// The live system.
    pub live: LiveReport,
    /// Boot menus.
    pub menus: Vec<Menu>,
    /// First line of `/.disk/info`, by which GRUB finds the medium.
    pub disk_info: Option<String>,
    /// Paths of checksum lists on the medium.
    pub checksum_lists: Vec<String>,
    /// Parts that could not be read.
    pub damage: Vec<Damage>,
}

/// A part that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Damage {
    /// Code of the error, as [`InspectError::code`].
    pub code: &'static str,
    /// The error in words.
    pub message: String,
}

/// The live system's files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LiveReport {
    /// Kernels.
    pub kernels: Vec<String>,
    /// Initial RAM file systems.
    pub initrds: Vec<String>,
    /// Root file systems.
    pub squashfs: Vec<SquashfsReport>,
}

/// A root file system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SquashfsReport {
    /// Path on the medium.
    pub path: String,
    /// Length of its file.
    pub file_size: u64,
    /// Its superblock.
    pub superblock: Superblock,
    /// What its tables hold.
    pub census: Option<Census>,
    /// `os-release`, unquoted.
    pub os_release: BTreeMap<String, String>,
    /// Number of installed Debian packages.
    pub packages: Option<usize>,
}

/// Whose menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MenuKind {
    /// `grub.cfg`.
    Grub,
    /// `loopback.cfg`, which multi-boot sticks use.
    Loopback,
    /// `isolinux.cfg`.
    Isolinux,
}

/// A boot menu.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Menu {
    /// Whose.
    pub kind: MenuKind,
    /// Path on the medium.
    pub path: String,
}

/// Reads the image at `path`. Only an image without a readable ISO 9660 tree
/// is an error; damaged parts are listed in [`Report::damage`].
///
/// # Errors
/// [`InspectError::Read`], [`InspectError::NotIso`], or damage in the tree.
pub fn inspect(path: &Path) -> Result<Report, InspectError> {
    let disk = Disk::open(path).map_err(InspectError::read(path.display().to_string()))?;
    inspect_source(&disk)
}

fn inspect_source(source: &dyn ReadAt) -> Result<Report, InspectError> {
    let iso = Iso::open(source)?;
    let mut damage = Vec::new();
    let tree = Tree::gather(&iso)?;
    let hybrid = system_area::read(source)?;
    let el_torito = iso
        .boot_catalogue()
        .and_then(|block| keep(eltorito::read(source, block), &mut damage));
    let el_torito = el_torito.map(|catalogue| locate(catalogue, &tree, &hybrid));
    let efi = efi::find_image(source, el_torito.as_ref(), &hybrid);
    let efi = efi.and_then(|image| keep(efi::read(&image, &iso, &tree, &mut damage), &mut damage));
    let live = live_report(&iso, &tree, &mut damage);
    let disk_info = iso.read(".disk/info", SMALL_FILE_LIMIT).ok();
    Ok(Report {
        size: source.size(),
        volume: iso.volume().clone(),
        rock_ridge: iso.rock_ridge(),
        joliet: iso.joliet(),
        el_torito,
        hybrid,
        efi,
        live,
        menus: tree.menus(),
        disk_info: disk_info.map(|bytes| first_line(&bytes)),
        checksum_lists: crate::checksums::lists_on(&iso)?,
        damage,
    })
}

/// The paths that matter, from one walk over the medium.
pub(crate) struct Tree {
    paths: Vec<(String, u64, u64)>,
}

impl Tree {
    fn gather(iso: &Iso<'_>) -> Result<Self, InspectError> {
        let mut paths = Vec::new();
        iso.walk(&mut |path, entry| {
            if let Some(block) = iso.open_entry(entry).and(entry.first_block()) {
                paths.push((path.to_owned(), block, entry.size()));
            }
            paths.len() < 1 << 20
        })?;
        paths.sort();
        Ok(Self { paths })
    }

    pub(crate) fn matching(&self, test: impl Fn(&str) -> bool) -> Vec<String> {
        let names = self
            .paths
            .iter()
            .filter(|(path, _, _)| test(&path.to_ascii_lowercase()));
        names.map(|(path, _, _)| path.clone()).collect()
    }

    fn menus(&self) -> Vec<Menu> {
        let kinds = [
            (MenuKind::Grub, "boot/grub/grub.cfg"),
            (MenuKind::Loopback, "boot/grub/loopback.cfg"),
            (MenuKind::Isolinux, "isolinux/isolinux.cfg"),
        ];
        let found = kinds.into_iter().flat_map(|(kind, wanted)| {
            self.matching(|path| path == wanted)
                .into_iter()
                .map(move |path| Menu { kind, path })
        });
        found.collect()
    }
}

/// Finds the file, or else the partition, that each boot image lies in.
fn locate(mut catalogue: BootCatalogue, tree: &Tree, hybrid: &SystemArea) -> BootCatalogue {
    for entry in &mut catalogue.entries {
        let block = u64::from(entry.block);
        if let Some((path, _, size)) = tree
            .paths
            .iter()
            .find(|(_, start, size)| *start == block && *size > 0)
        {
            entry.path = Some(path.clone());
            entry.size = Some(*size);
            continue;
        }
        let start = block * SECTOR / 512;
        let in_gpt = hybrid.gpt.iter().flat_map(|gpt| &gpt.partitions);
        let in_gpt = in_gpt
            .filter(|p| p.first == start)
            .map(|p| p.last.saturating_sub(p.first).saturating_add(1));
        let in_mbr = hybrid.mbr.iter().flat_map(|mbr| &mbr.partitions);
        let in_mbr = in_mbr
            .filter(|p| u64::from(p.start) == start)
            .map(|p| u64::from(p.sectors));
        entry.size = in_gpt
            .chain(in_mbr)
            .next()
            .and_then(|sectors| sectors.checked_mul(512));
    }
    catalogue
}

fn live_report(iso: &Iso<'_>, tree: &Tree, damage: &mut Vec<Damage>) -> LiveReport {
    let mut squashfs = Vec::new();
    for path in tree.matching(|path| path.starts_with("live/") && path.ends_with(".squashfs")) {
        squashfs.extend(keep_named(
            squashfs_report(iso, &path, damage),
            &path,
            damage,
        ));
    }
    LiveReport {
        kernels: tree.matching(|path| path.starts_with("live/vmlinuz")),
        initrds: tree.matching(|path| path.starts_with("live/initrd")),
        squashfs,
    }
}

fn squashfs_report(
    iso: &Iso<'_>,
    path: &str,
    damage: &mut Vec<Damage>,
) -> Result<SquashfsReport, InspectError> {
    let file = iso.open_file(path)?;
    let image = Squashfs::open(&file)?;
    let status = image.read("var/lib/dpkg/status", STATUS_LIMIT).ok();
    Ok(SquashfsReport {
        path: path.to_owned(),
        file_size: file.size(),
        superblock: image.superblock().clone(),
        census: keep_named(image.census(), path, damage),
        os_release: image
            .read("etc/os-release", SMALL_FILE_LIMIT)
            .map(|b| os_release(&b))
            .unwrap_or_default(),
        packages: status.map(|bytes| installed_packages(&bytes)),
    })
}

/// os-release(5): `KEY=value`, the value perhaps quoted.
fn os_release(bytes: &[u8]) -> BTreeMap<String, String> {
    let text = String::from_utf8_lossy(bytes);
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'));
    let pairs = lines.filter_map(|line| {
        let (key, value) = line.split_once('=')?;
        let value = value.trim();
        let quoted = ['"', '\'']
            .iter()
            .find_map(|&q| value.strip_prefix(q)?.strip_suffix(q));
        Some((key.trim().to_owned(), quoted.unwrap_or(value).to_owned()))
    });
    pairs.collect()
}

fn installed_packages(status: &[u8]) -> usize {
    String::from_utf8_lossy(status)
        .lines()
        .filter(|line| *line == "Status: install ok installed")
        .count()
}

fn first_line(bytes: &[u8]) -> String {
    let line = bytes.split(|&b| b == b'\n').next().unwrap_or_default();
    crate::bytes::padded_text(line)
}

fn keep<T>(result: Result<T, InspectError>, damage: &mut Vec<Damage>) -> Option<T> {
    result
        .map_err(|error| {
            damage.push(Damage {
                code: error.code(),
                message: error.to_string(),
            })
        })
        .ok()
}

pub(crate) fn keep_named<T>(
    result: Result<T, InspectError>,
    path: &str,
    damage: &mut Vec<Damage>,
) -> Option<T> {
    let named = |error: InspectError| Damage {
        code: error.code(),
        message: format!("{path}: {error}"),
    };
    result.map_err(|error| damage.push(named(error))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn os_release_values_lose_their_quotes() {
        let found =
            os_release(b"# comment\nPRETTY_NAME=\"A Linux\"\nID=a\nX='y z'\nBAD\nQ=\"open\n");
        let expected = [
            ("PRETTY_NAME", "A Linux"),
            ("ID", "a"),
            ("X", "y z"),
            ("Q", "\"open"),
        ];
        assert_eq!(
            found,
            expected.map(|(k, v)| (k.to_owned(), v.to_owned())).into()
        );
    }

    #[test]
    fn only_installed_packages_count() {
        let status = b"Package: a\nStatus: install ok installed\n\nPackage: b\nStatus: deinstall ok config-files\n";
        assert_eq!(installed_packages(status), 1);
    }
}
