//! From a fresh machine to an ISO.

use std::path::{Path, PathBuf};

use anyhow::Result;
use xshell::Shell;

use crate::{cargo, packages, system};

/// `isosmith test-boot` reads the serial line, which profiles leave off.
const SERIAL: &str = "boot.serial={ unit = 0, speed = 115200 }";

/// Installs what is missing, builds Isosmith, builds `profile` into `output`, and says how
/// to try it.
///
/// # Errors
///
/// When one of these fails.
pub fn run(shell: &Shell, profile: &str, output: &Path) -> Result<()> {
    let rootless: &[_] = if system::is_root() {
        &[]
    } else {
        packages::ROOTLESS
    };
    packages::ensure(shell, &[packages::BUILD, rootless, packages::BOOT])?;
    let isosmith = cargo::build_isosmith(shell)?;
    // Its progress goes to standard error; what it prints is where the ISO is.
    let iso = shell
        .cmd(&isosmith)
        .arg("build")
        .arg(profile)
        .args(["--set", SERIAL, "--output"])
        .arg(output)
        .read()?;
    println!("\nThe ISO is {iso}");
    println!("See whether it starts, without a window (a few minutes where there is no KVM):");
    println!(
        "  {} test-boot {}",
        short(shell, &isosmith),
        short(shell, Path::new(&iso))
    );
    Ok(())
}

/// Relative to the repository, where it is below it.
fn short(shell: &Shell, path: &Path) -> String {
    let root = shell.current_dir().canonicalize().unwrap_or_default();
    let real = path.canonicalize().unwrap_or_else(|_| PathBuf::from(path));
    real.strip_prefix(root)
        .unwrap_or(&real)
        .display()
        .to_string()
}
