//! Files of the repository that are made from code.

use anyhow::{Context, Result, bail};
use xshell::Shell;

/// The format of profiles, for editors.
const SCHEMA: &str = "profiles/schema.json";

/// Every generated file with what it should hold.
fn files() -> Result<Vec<(&'static str, String)>> {
    let schema = serde_json::to_string_pretty(&isosmith_spec::schema())
        .context("the schema cannot be written")?;
    Ok(vec![(SCHEMA, schema + "\n")])
}

/// Writes those that are not as they should be.
///
/// # Errors
///
/// When a file cannot be written.
pub fn write(shell: &Shell) -> Result<()> {
    for (path, text) in stale(shell)? {
        shell.write_file(path, text)?;
        println!("wrote {path}");
    }
    Ok(())
}

/// Looks whether every file is as it should be.
///
/// # Errors
///
/// When one is not.
pub fn check(shell: &Shell) -> Result<()> {
    let stale: Vec<_> = stale(shell)?.into_iter().map(|(path, _)| path).collect();
    if stale.is_empty() {
        return Ok(());
    }
    bail!(
        "not as the code would write it: {}. Run `cargo xtask generate`.",
        stale.join(", ")
    )
}

fn stale(shell: &Shell) -> Result<Vec<(&'static str, String)>> {
    let mut files = files()?;
    files.retain(|(path, text)| shell.read_file(path).ok().as_ref() != Some(text));
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_file_is_found_and_written() {
        let folder = tempfile::tempdir().unwrap();
        let shell = Shell::new().unwrap();
        shell.change_dir(folder.path());
        let refused = check(&shell).unwrap_err().to_string();
        assert!(refused.contains(SCHEMA), "{refused}");

        write(&shell).unwrap();
        check(&shell).unwrap();

        let text = shell.read_file(SCHEMA).unwrap();
        shell.write_file(SCHEMA, text.trim_end()).unwrap();
        assert!(check(&shell).is_err(), "a missing line end is a difference");
    }
}
