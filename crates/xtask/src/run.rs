//! From a fresh machine to an ISO.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use anyhow::{Result, ensure};
use xshell::Shell;

use crate::{cargo, packages, system};

/// `isosmith test-boot` reads the serial line, which profiles leave off.
const SERIAL: &str = "boot.serial={ unit = 0, speed = 115200 }";

/// Exit status of `isosmith` when a right is missing: some systems let nobody but root make
/// user namespaces.
const NOT_ALLOWED: i32 = 4;

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
    // Made here, so that it belongs to whoever started this even when root builds.
    shell.create_dir(output)?;
    let iso = build(shell, &isosmith, profile, output)?;
    println!("\nThe ISO is {iso}");
    println!("See whether it starts, without a window (a few minutes where there is no KVM):");
    println!(
        "  {} test-boot {}",
        short(shell, &isosmith),
        short(shell, Path::new(&iso))
    );
    Ok(())
}

/// Builds, and returns where the ISO is: that is what goes to standard output. Progress and
/// questions have the terminal, which a command of xshell would not leave them.
fn build(shell: &Shell, isosmith: &Path, profile: &str, output: &Path) -> Result<String> {
    let build = |mut program: Command| -> Result<Output> {
        program
            .current_dir(shell.current_dir())
            .stdin(Stdio::inherit())
            .stderr(Stdio::inherit());
        program
            .arg("build")
            .arg(profile)
            .args(["--set", SERIAL, "--output"])
            .arg(output);
        Ok(program.output()?)
    };
    let mut ended = build(Command::new(isosmith))?;
    let only_root = ended.status.code() == Some(NOT_ALLOWED) && !system::is_root();
    if only_root && packages::agreed("Build with sudo?")? {
        let mut sudo = Command::new("sudo");
        sudo.arg(isosmith);
        ended = build(sudo)?;
    }
    ensure!(ended.status.success(), "the build has failed");
    Ok(String::from_utf8(ended.stdout)?.trim().to_owned())
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
