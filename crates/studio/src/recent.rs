//! Profile files that were opened or saved, newest first.

use std::path::{Path, PathBuf};

use crate::{Error, Places, Result, disk};

/// How many are remembered.
const MOST: usize = 12;

/// The list is never longer, in bytes.
const MOST_BYTES: u64 = 256 << 10;

/// The list of recent files.
#[derive(Debug, Clone)]
pub struct Recent {
    file: PathBuf,
}

impl Recent {
    /// The person's own list.
    pub fn new(places: &Places) -> Self {
        Self {
            file: places.data.join("recent.json"),
        }
    }

    /// Those that are still there, newest first. A list that cannot be read is empty.
    pub fn list(&self) -> Vec<String> {
        let bytes = disk::read(&self.file, MOST_BYTES).unwrap_or_default();
        let mut paths: Vec<String> = serde_json::from_slice(&bytes).unwrap_or_default();
        paths.retain(|path| Path::new(path).is_file());
        paths.truncate(MOST);
        paths
    }

    /// Puts a file to the front.
    ///
    /// # Errors
    ///
    /// When the list cannot be written.
    pub fn add(&self, path: &Path) -> Result<()> {
        let Some(path) = path.to_str().filter(|path| path.starts_with('/')) else {
            return Ok(());
        };
        let mut paths = self.list();
        paths.retain(|known| known != path);
        paths.insert(0, path.to_owned());
        paths.truncate(MOST);
        let failed = |error: std::io::Error| Error::io("write", &self.file, &error);
        let bytes = serde_json::to_vec(&paths).map_err(|error| failed(error.into()))?;
        disk::write_own(&self.file, &bytes).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_newest_is_first_and_the_gone_are_left_out() {
        let root = tempfile::tempdir().unwrap();
        let recent = Recent::new(&Places::below(root.path(), &[]));
        assert!(recent.list().is_empty());
        let file = |name: &str| {
            let path = root.path().join(name);
            fs::write(&path, "").unwrap();
            recent.add(&path).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let (a, b) = (file("a"), file("b"));
        file("a");
        assert_eq!(recent.list(), [a.clone(), b.clone()]);
        fs::remove_file(&a).unwrap();
        assert_eq!(recent.list(), [b]);
        (0..40).for_each(|number| drop(file(&number.to_string())));
        assert_eq!(recent.list().len(), MOST);
        fs::write(root.path().join("data/recent.json"), "{").unwrap();
        assert!(recent.list().is_empty());
    }
}
