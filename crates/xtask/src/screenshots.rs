//! Pictures of the real window, as its test suite sees it.

use std::{fs, path::Path, process::ExitCode};

use anyhow::{Context, Result};
use xshell::Shell;

use crate::suites::{self, Suite};

/// Where the suite leaves its pictures.
const FROM: &str = "target/window-shots";

/// Where the README and the package's metadata look for them.
const TO: &str = "packaging/screenshots";

/// Which of them, and their names there.
const SHOWN: &[(&str, &str)] = &[
    ("2-branding.png", "branding.png"),
    ("real-1-build.png", "build.png"),
];

/// Runs the suite, and copies what is shown when it has passed.
///
/// # Errors
///
/// When the suite cannot run, or a picture is missing.
pub fn take(shell: &Shell) -> Result<ExitCode> {
    let code = suites::test(shell, &[Suite::Window], false)?;
    if code != ExitCode::SUCCESS {
        return Ok(code);
    }
    let root = shell.current_dir();
    shell.create_dir(TO)?;
    for (from, to) in SHOWN {
        let from = root.join(FROM).join(from);
        fs::copy(&from, root.join(TO).join(to))
            .with_context(|| format!("{} is not there", Path::display(&from)))?;
    }
    Ok(code)
}
