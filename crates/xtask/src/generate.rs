//! Files of the repository that are made from code.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use xshell::Shell;

use crate::cargo::cargo;

/// The format of profiles, for editors.
const SCHEMA: &str = "profiles/schema.json";

/// Paths in the repository, and what the files should hold.
type Files = BTreeMap<String, String>;

/// Every generated file.
fn files(shell: &Shell) -> Result<Files> {
    let mut files = schema()?;
    files.extend(types(shell)?);
    Ok(files)
}

fn schema() -> Result<Files> {
    let schema = serde_json::to_string_pretty(&isosmith_spec::schema())
        .context("the schema cannot be written")?;
    Ok(Files::from([(SCHEMA.to_owned(), schema + "\n")]))
}

/// The types of the page. An example writes them, so that no other program is compiled with
/// what that needs.
fn types(shell: &Shell) -> Result<Files> {
    let run = cargo(shell, &["run", "--quiet", "--package", "isosmith-studio"]);
    let text = run
        .args(["--features", "ts", "--example", "typescript"])
        .quiet()
        .read()?;
    serde_json::from_str(&text).context("the page's types are not JSON")
}

/// Writes those that are not as they should be.
///
/// # Errors
///
/// When a file cannot be written.
pub fn write(shell: &Shell) -> Result<()> {
    write_stale(shell, files(shell)?)
}

/// Looks whether every file is as it should be.
///
/// # Errors
///
/// When one is not.
pub fn check(shell: &Shell) -> Result<()> {
    refuse_stale(shell, files(shell)?)
}

fn write_stale(shell: &Shell, files: Files) -> Result<()> {
    for (path, text) in stale(shell, files) {
        shell.write_file(&path, text)?;
        println!("wrote {path}");
    }
    Ok(())
}

fn refuse_stale(shell: &Shell, files: Files) -> Result<()> {
    let stale: Vec<_> = stale(shell, files).into_keys().collect();
    if stale.is_empty() {
        return Ok(());
    }
    bail!(
        "not as the code would write it: {}. Run `cargo xtask generate`.",
        stale.join(", ")
    )
}

fn stale(shell: &Shell, mut files: Files) -> Files {
    files.retain(|path, text| shell.read_file(path).ok().as_ref() != Some(text));
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_file_is_found_and_written() {
        let folder = tempfile::tempdir().unwrap();
        let shell = Shell::new().unwrap();
        shell.change_dir(folder.path());
        let check = || refuse_stale(&shell, schema().unwrap());
        let refused = check().unwrap_err().to_string();
        assert!(refused.contains(SCHEMA), "{refused}");

        write_stale(&shell, schema().unwrap()).unwrap();
        check().unwrap();

        let text = shell.read_file(SCHEMA).unwrap();
        shell.write_file(SCHEMA, text.trim_end()).unwrap();
        assert!(check().is_err(), "a missing line end is a difference");
    }
}
