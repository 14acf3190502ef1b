//! What is private lies nowhere else: a copy of a key among an overlay's files would get into the
//! image.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use isosmith_engine::Failure;
use isosmith_protocol::Code;
use isosmith_spec::Reason;

use super::{Material, Materials};
use crate::signing::sentence;

impl Materials {
    /// Whether no file, and none in a folder, has the same bytes as a private one.
    ///
    /// # Errors
    ///
    /// [`Code::MaterialInvalid`] naming both; [`Code::Io`] when one cannot be read.
    pub(super) fn check_secrets(&self) -> Result<(), Failure> {
        let Some((_, reason)) = self.copies()?.into_iter().next() else {
            return Ok(());
        };
        Err(Failure::new(
            Code::MaterialInvalid,
            reason.message,
            sentence(&reason.fix),
        ))
    }

    /// The profile's path of each material that is or holds a copy of a private one, with what
    /// is to be said.
    ///
    /// # Errors
    ///
    /// [`Code::Io`] when one cannot be read.
    pub(super) fn copies(&self) -> Result<Vec<(String, Reason)>, Failure> {
        let mut found = Vec::new();
        for (name, private) in self.iter().filter(|(_, material)| material.secret) {
            for (other, material) in self.iter().filter(|(_, material)| !material.secret) {
                let copy = private
                    .copy_in(material)
                    .map_err(|error| Failure::io_at("read", &material.path, error))?;
                let Some(copy) = copy else { continue };
                // A file is all of its material, and joining nothing would add a slash.
                let shown = match copy.strip_prefix(&material.path) {
                    Ok(inside) if material.is_dir => Path::new(other).join(inside),
                    _ => other.into(),
                };
                let reason = Reason::new(
                    format!(
                        "{} is a copy of the private key {name}, and gets into the image",
                        shown.display()
                    ),
                    "remove the copy, or move it to where the profile copies nothing from",
                );
                found.push((other.to_owned(), reason));
            }
        }
        Ok(found)
    }
}

impl Material {
    /// The file of `other` that has the same bytes. Empty files are nobody's copies.
    fn copy_in(&self, other: &Self) -> io::Result<Option<PathBuf>> {
        let bytes = fs::read(&self.path)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        find(&other.path, &bytes)
    }
}

/// Links are not followed: they are copied as links.
fn find(path: &Path, bytes: &[u8]) -> io::Result<Option<PathBuf>> {
    let meta = fs::symlink_metadata(path)?;
    if meta.is_dir() {
        for entry in fs::read_dir(path)? {
            if let Some(found) = find(&entry?.path(), bytes)? {
                return Ok(Some(found));
            }
        }
        return Ok(None);
    }
    let alike = meta.is_file() && meta.len() == bytes.len() as u64 && fs::read(path)? == bytes;
    Ok(alike.then(|| path.to_owned()))
}

#[cfg(test)]
mod tests {
    use isosmith_spec::{Material as Wanted, MaterialKind};

    use super::*;

    fn wanted(path: &str, kind: MaterialKind) -> Wanted {
        Wanted {
            field: "files".to_owned(),
            path: path.parse().expect("a path"),
            kind,
        }
    }

    #[test]
    fn copies_of_a_key_are_found_wherever_they_lie() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path();
        fs::create_dir_all(root.join("over/etc/keys")).expect("made");
        fs::write(root.join("owner.key"), "a private key\n").expect("written");
        fs::write(root.join("over/etc/other"), "a private kez\n").expect("written");
        std::os::unix::fs::symlink("../../owner.key", root.join("over/etc/link")).expect("linked");
        let wanted = [
            wanted("owner.key", MaterialKind::SigningKey),
            wanted("over", MaterialKind::Overlay),
            wanted("a.sh", MaterialKind::Overlay),
        ];
        let collect = || Materials::collect(&wanted, root, None).map_err(|failure| failure.message);

        fs::write(root.join("a.sh"), "#!/bin/sh\n").expect("written");
        collect().expect("there is no copy");
        fs::write(root.join("over/etc/keys/k"), "a private key\n").expect("written");
        let said = collect().expect_err("a copy in a folder");
        assert!(
            said.contains("over/etc/keys/k") && said.contains("owner.key"),
            "{said}"
        );
        fs::remove_file(root.join("over/etc/keys/k")).expect("removed");
        fs::write(root.join("a.sh"), "a private key\n").expect("written");
        let said = collect().expect_err("a copy as a file");
        assert!(said.starts_with("a.sh is a copy"), "{said}");
    }
}
