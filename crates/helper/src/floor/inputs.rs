//! The profile's files, put where the build finds them.

use std::{fs, io, os::unix::fs::DirBuilderExt, path::Path};

use isosmith_engine::{Failure, Work};
use isosmith_host::fs::Confined;
use isosmith_recipe::Materials;

/// Copies the sealed files at `sealed` into the build's folder. Each run gets fresh ones: what
/// the last one had was its own to change.
///
/// # Errors
///
/// When the disk is full or broken.
pub fn renew(sealed: &Path, work: &Work) -> Result<(), Failure> {
    let to = work.inputs();
    Confined::new(work.state())?.remove_tree(&to)?;
    copy_folder(sealed, &to).map_err(|error| Failure::io_at("copy files to", &to, error))
}

/// Removes private keys from what came with a request: what is made is delivered without them,
/// however long or often that is tried.
pub fn forget_secrets(sealed: &Path, materials: &Materials) {
    for name in materials.secrets().filter_map(Path::file_name) {
        let removed = Confined::new(sealed).and_then(|root| root.remove_tree(&sealed.join(name)));
        if let Err(error) = removed {
            tracing::warn!(%error, "the copy of a private key is left with the request");
        }
    }
}

/// Both sides belong to root alone: nobody can put a link in the way.
fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    let meta = fs::metadata(from)?;
    fs::DirBuilder::new().mode(0o700).create(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (inner, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type()?;
        if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(&inner)?, &target)?;
        } else if kind.is_dir() {
            copy_folder(&inner, &target)?;
        } else {
            // Shares the blocks where the filesystem can.
            fs::copy(&inner, &target)?;
        }
    }
    fs::set_permissions(to, meta.permissions())
}

#[cfg(test)]
mod tests {
    use isosmith_spec::{Material, MaterialKind};

    use super::*;

    #[test]
    fn nothing_but_the_private_key_is_forgotten() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (from, sealed) = (folder.path().join("from"), folder.path().join("sealed"));
        let wanted = [
            ("a.sh", MaterialKind::Script),
            ("owner.key", MaterialKind::SigningKey),
            ("owner.pem", MaterialKind::Certificate),
        ]
        .map(|(name, kind)| Material {
            field: "a field".to_owned(),
            path: name.parse().expect("a path"),
            kind,
        });
        for folder in [&from, &sealed] {
            fs::create_dir(folder).expect("made");
        }
        for want in &wanted {
            fs::write(from.join(want.path.as_str()), format!("#!/{}", want.path)).expect("written");
        }
        let materials = Materials::collect(&wanted, &from, Some(&sealed)).expect("collected");
        let left = || {
            let entries = fs::read_dir(&sealed)
                .expect("there")
                .map(|entry| fs::read_to_string(entry.expect("an entry").path()).expect("a text"));
            entries.collect::<std::collections::BTreeSet<_>>()
        };
        assert_eq!(left().len(), 3);
        // However often.
        for _ in 0..2 {
            forget_secrets(&sealed, &materials);
            assert_eq!(
                left(),
                ["#!/a.sh", "#!/owner.pem"].map(str::to_owned).into()
            );
        }
    }
}
