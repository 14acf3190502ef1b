//! The initramfs of Debian's installer: that of the archive's package, with what it needs to install
//! the system on the medium.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Read, Write},
    path::Path,
};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use isosmith_catalogue::wanted;
use isosmith_engine::Failure;
use isosmith_host::fs::Tree;
use isosmith_protocol::Code;
use serde_json::{Value, json};

use crate::{
    cpio::{self, Entry, File},
    debian_installer::{self, FOLDER},
    fetch::Pool,
    preseed::preseed,
    state::Debian,
    udebs,
};

/// Components, texts and answers; the kernel's modules come in through the layers' keys.
pub(crate) fn inputs(state: &Debian) -> Value {
    let Some(resolution) = &state.resolution else {
        return isosmith_engine::step::unknown();
    };
    json!({
        "components": resolution.installer.iter().map(|package| format!("{} {} {}", package.name, package.version, package.sha256)).collect::<Vec<_>>(),
        "files": debian_installer::files(&state.spec, &packages(state), ""),
        "answers": preseed(&state.spec),
    })
}

/// Names of the packages of the live system.
fn packages(state: &Debian) -> BTreeSet<String> {
    let resolution = state.resolution.iter();
    let all = resolution.flat_map(|resolution| resolution.base.iter().chain(&resolution.packages));
    all.map(|package| package.name.clone()).collect()
}

/// The initramfs. `loaders` is where the archive's package is unpacked, `tree` the live system, and
/// `kernel` the version of its kernel.
pub(crate) fn initramfs(
    state: &Debian,
    pool: &Pool,
    loaders: &Path,
    tree: &Tree,
    kernel: &str,
) -> Result<Vec<u8>, Failure> {
    let (_, folder) = wanted::debian_installer(state.spec.base.suite);
    let from = loaders.join(folder).join("initrd.gz");
    let packed =
        fs::read(&from).map_err(|error| Failure::io_at("read the loader", &from, error))?;
    let mut plain = Vec::new();
    GzDecoder::new(packed.as_slice())
        .read_to_end(&mut plain)
        .map_err(|error| Failure::io_at("unpack the loader", &from, error))?;
    let entries = cpio::entries(&plain).map_err(|problem| {
        let message = format!("the initramfs of Debian's installer cannot be read: {problem}");
        Failure::plain(Code::ImageInvalid, message)
    })?;
    let library = library(&entries);
    let components = missing_components(&entries, &state.resolution()?.installer)?;

    // Its own kernel's modules are of no use to another one.
    let modules = format!("{}/modules/", library.trim_start_matches('/'));
    let kept = entries
        .iter()
        .filter(|entry| !entry.path.starts_with(&modules))
        .copied();
    let date = state.source_date();
    let mut bytes = pack(&cpio::rewrite(kept, date))?;

    let mut files: Vec<(String, Vec<u8>, u32)> =
        debian_installer::files(&state.spec, &packages(state), library)
            .into_iter()
            .map(|file| (file.path, file.text.into_bytes(), file.mode))
            .collect();
    files.push((
        "/preseed.cfg".to_owned(),
        preseed(&state.spec).into_bytes(),
        0o644,
    ));
    for (path, bytes) in kernel_modules(tree, kernel)? {
        files.push((format!("{library}/modules/{kernel}/{path}"), bytes, 0o644));
    }
    for package in components {
        let from = pool.path(package);
        let bytes = fs::read(&from).map_err(|error| Failure::io_at("read", &from, error))?;
        files.push((format!("{FOLDER}/udebs/{}", package.file), bytes, 0o644));
    }
    let files = files.iter().map(|(path, bytes, mode)| File {
        path,
        bytes,
        mode: *mode,
    });
    cpio::append(&mut bytes, &pack(&cpio::archive_files(files, date))?);
    Ok(bytes)
}

/// Where libraries are; a folder of an archive does not go through a symbolic link of an earlier one,
/// but takes its place (Linux, `init/initramfs.c`).
fn library(entries: &[Entry<'_>]) -> &'static str {
    const LINK: u32 = 0o120_000;
    const KIND: u32 = 0o170_000;

    let merged = entries
        .iter()
        .any(|entry| entry.path == "lib" && entry.mode & KIND == LINK);
    if merged { "/usr/lib" } else { "/lib" }
}

/// The components that the initramfs has not got, once it is known to have what they count on.
fn missing_components<'a>(
    entries: &[Entry<'_>],
    chosen: &'a [crate::apt::Package],
) -> Result<Vec<&'a crate::apt::Package>, Failure> {
    let status = entries
        .iter()
        .find(|entry| entry.path == "var/lib/dpkg/status");
    let status = status.map_or_else(String::new, |entry| {
        String::from_utf8_lossy(entry.bytes).into_owned()
    });
    let has: BTreeSet<&str> = status
        .lines()
        .filter_map(|line| line.strip_prefix("Package: "))
        .collect();
    let lacking: Vec<&str> = udebs::IN_THE_INITRAMFS
        .iter()
        .copied()
        .filter(|name| !has.contains(name))
        .collect();
    if !lacking.is_empty() {
        return Err(Failure::new(
            Code::ImageInvalid,
            format!(
                "the initramfs of Debian's installer has no {}",
                lacking.join(", ")
            ),
            "Write debian = false in [installer], or take another suite.",
        ));
    }
    Ok(chosen
        .iter()
        .filter(|package| !has.contains(package.name.as_str()))
        .collect())
}

/// The smallest initramfs that [`initramfs`] takes, for a rehearsal.
pub(crate) fn pretended() -> io::Result<Vec<u8>> {
    let status: String = udebs::IN_THE_INITRAMFS
        .iter()
        .map(|name| format!("Package: {name}\n\n"))
        .collect();
    let archive = cpio::archive([("/var/lib/dpkg/status", status.as_bytes())], 0);
    packed(&archive)
}

fn kernel_modules(tree: &Tree, kernel: &str) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let folder = format!("/usr/lib/modules/{kernel}");
    let dependencies = tree
        .read_text(&format!("{folder}/modules.dep"))?
        .unwrap_or_default();
    let chosen = debian_installer::modules(&dependencies);
    let lists = debian_installer::MODULE_LISTS.iter().copied();
    let mut found = Vec::new();
    for path in chosen.into_iter().chain(lists) {
        // Lists come and go with releases of kmod.
        if let Some(bytes) = tree.read(&format!("{folder}/{path}"))? {
            found.push((path.to_owned(), bytes));
        }
    }
    Ok(found)
}

fn pack(bytes: &[u8]) -> Result<Vec<u8>, Failure> {
    packed(bytes).map_err(|error| {
        Failure::plain(Code::Internal, "the initramfs cannot be packed").because(error)
    })
}

/// As gzip, without a date, so that the same content is the same bytes.
fn packed(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(bytes)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_status(status: &str) -> Vec<u8> {
        cpio::archive([("/var/lib/dpkg/status", status.as_bytes())], 0)
    }

    fn package(name: &str) -> crate::apt::Package {
        crate::apt::Package {
            name: name.to_owned(),
            version: "1".to_owned(),
            arch: "all".to_owned(),
            uri: String::new(),
            file: format!("{name}_1_all.udeb"),
            size: 0,
            sha256: String::new(),
        }
    }

    #[test]
    fn what_the_initramfs_has_is_not_added_and_what_it_lacks_is_said() {
        let whole: String = udebs::IN_THE_INITRAMFS
            .iter()
            .map(|name| format!("Package: {name}\nStatus: install ok unpacked\n\n"))
            .collect();
        let chosen = [package("anna"), package("partman-base")];
        let bytes = with_status(&whole);
        let entries = cpio::entries(&bytes).expect("ours");
        let names: Vec<&str> = missing_components(&entries, &chosen)
            .expect("it has everything")
            .iter()
            .map(|package| package.name.as_str())
            .collect();
        assert_eq!(names, ["partman-base"]);
        assert_eq!(library(&entries), "/lib");

        let bytes = with_status(&whole.replace("netcfg", "other"));
        let entries = cpio::entries(&bytes).expect("ours");
        let failure = missing_components(&entries, &chosen).expect_err("netcfg is missing");
        assert!(failure.message.ends_with("has no netcfg"), "{failure:?}");
    }
}
