//! Packages that a test writes itself.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;

use crate::kit::{output, set_mode};

/// Seconds since 1970 that every made file bears, so that the same package has the same bytes
/// whenever it is made (2026-01-01).
pub const DATE: i64 = 1_767_225_600;

/// A package in the making.
#[derive(Debug, Clone)]
pub struct Made {
    name: String,
    version: String,
    fields: Vec<String>,
    scripts: Vec<(&'static str, String)>,
    files: Vec<(String, String, u32)>,
}

impl Made {
    /// An empty package for every architecture.
    pub fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            fields: Vec::new(),
            scripts: Vec::new(),
            files: Vec::new(),
        }
    }

    /// A further line of its control file, such as `Depends: x`.
    #[must_use]
    pub fn field(mut self, line: &str) -> Self {
        self.fields.push(line.to_owned());
        self
    }

    /// A maintainer script or another file of its control archive.
    #[must_use]
    pub fn script(mut self, name: &'static str, text: &str) -> Self {
        self.scripts.push((name, text.to_owned()));
        self
    }

    /// A file, with permission bits.
    #[must_use]
    pub fn file(mut self, path: &str, text: &str, mode: u32) -> Self {
        self.files.push((path.to_owned(), text.to_owned(), mode));
        self
    }

    /// Builds it into `folder`.
    ///
    /// # Errors
    ///
    /// When `dpkg-deb` fails.
    pub fn build(&self, folder: &Path) -> Result<PathBuf> {
        let root = tempfile::tempdir_in(folder)?;
        set_mode(root.path(), 0o755)?;
        let control = root.path().join("DEBIAN");
        make(&control)?;
        let fields: String = self.fields.iter().map(|line| format!("{line}\n")).collect();
        let text = format!(
            "Package: {}\nVersion: {}\nArchitecture: all\nMaintainer: Test <test@example.org>\n{fields}Description: made by a test\n",
            self.name, self.version
        );
        fs::write(control.join("control"), text)?;
        for (name, text) in &self.scripts {
            let path = control.join(name);
            fs::write(&path, text)?;
            let plain = matches!(*name, "conffiles" | "triggers" | "templates");
            set_mode(&path, if plain { 0o644 } else { 0o755 })?;
        }
        for (path, text, mode) in &self.files {
            let path = root.path().join(path.trim_start_matches('/'));
            if let Some(parent) = path.parent() {
                make(parent)?;
            }
            fs::write(&path, text)?;
            set_mode(&path, *mode)?;
        }
        let deb = folder.join(format!("{}_{}_all.deb", self.name, self.version));
        output(
            Command::new("dpkg-deb")
                .env("SOURCE_DATE_EPOCH", DATE.to_string())
                .args(["-Zgzip", "-z1", "--root-owner-group", "--build"])
                .arg(root.path())
                .arg(&deb),
        )?;
        Ok(deb)
    }
}

/// Makes a folder that everybody may read, whatever the umask.
fn make(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        make(parent)?;
    }
    fs::create_dir(path)?;
    set_mode(path, 0o755)
}
