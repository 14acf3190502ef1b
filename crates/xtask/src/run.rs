//! From a fresh machine to an ISO.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use anyhow::{Result, ensure};
use xshell::Shell;

use crate::{
    cargo,
    package::{self, PackageArgs, Packages},
    packages, page,
    system::{self, Distribution},
};

/// `isosmith test-boot` reads the serial line, which profiles leave off.
const SERIAL: &str = "boot.serial={ unit = 0, speed = 115200 }";

/// Exit status of `isosmith` when a right is missing: some systems let nobody but root make
/// user namespaces.
const NOT_ALLOWED: i32 = 4;

/// Where the packages' programs are.
const INSTALLED: &str = "/usr/bin/isosmith";
const WINDOW: &str = "/usr/bin/isosmith-gui";

/// Installs what is missing, then Isosmith itself as packages, and opens its window.
///
/// # Errors
///
/// When one of these fails, or nobody would see a window.
pub fn open(shell: &Shell) -> Result<()> {
    ensure!(
        !system::is_root(),
        "the window does not run as root: start this as yourself, or build in the terminal with \
         `cargo xtask run minimal`"
    );
    let screen = ["WAYLAND_DISPLAY", "DISPLAY"];
    ensure!(
        screen.iter().any(|name| env::var_os(name).is_some()),
        "there is no screen here: build in the terminal with `cargo xtask run minimal`"
    );
    packages::ensure(
        shell,
        &[packages::BUILD, packages::BOOT, packages::WINDOW_TRY],
    )?;
    let window = match installed(shell)? {
        Some(_) => PathBuf::from(WINDOW),
        // It opens, and says that there is no service.
        None => {
            packages::ensure(shell, &[packages::WINDOW_BUILD])?;
            page::build(shell)?;
            cargo::build(shell, "isosmith-gui", "isosmith-gui")?
        }
    };
    Ok(shell.cmd(window).run()?)
}

/// Installs what is missing, then Isosmith itself as packages, builds `profile` into `output`,
/// and says how to try it.
///
/// # Errors
///
/// When one of these fails.
pub fn build(shell: &Shell, profile: &str, output: &Path) -> Result<()> {
    let rootless: &[_] = if system::is_root() {
        &[]
    } else {
        packages::ROOTLESS
    };
    packages::ensure(
        shell,
        &[
            packages::BUILD,
            rootless,
            packages::BOOT,
            packages::WINDOW_TRY,
        ],
    )?;
    let isosmith = match installed(shell)? {
        Some(program) => program,
        None => cargo::build_isosmith(shell)?,
    };
    // Made here, so that it belongs to whoever started this even when root builds.
    shell.create_dir(output)?;
    let iso = make(shell, &isosmith, profile, output)?;
    println!("\nThe ISO is {iso}");
    println!("See whether it starts, without a window (a few minutes where there is no KVM):");
    println!(
        "  {} test-boot {}",
        short(shell, &isosmith),
        short(shell, Path::new(&iso))
    );
    Ok(())
}

/// The command line as a user has it, installed; [`None`] where there are no Debian packages or
/// nobody agrees.
fn installed(shell: &Shell) -> Result<Option<PathBuf>> {
    if system::distribution() == Distribution::Other {
        return Ok(None);
    }
    let debs = package::package(shell, &PackageArgs::into("target/package"))?;
    let words = install(&debs);
    println!("Isosmith is installed as packages, with its service and its window:");
    println!("  {}\n  {}", debs.service.display(), debs.window.display());
    println!(
        "  `sudo apt-get purge isosmith isosmith-gui` takes everything away again but your ISOs."
    );
    if !system::is_root() && !packages::agreed(&format!("Run this now? {}", words.join(" ")))? {
        println!("It is not installed; this goes on with the programs as they are.");
        return Ok(None);
    }
    // Root needs no sudo, and may have none.
    let words = if system::is_root() {
        &words[1..]
    } else {
        &words
    };
    shell.cmd(&words[0]).args(&words[1..]).run()?;
    Ok(Some(INSTALLED.into()))
}

/// The command that installs the packages for an ordinary user. Again where it is installed
/// already: the same version may have other contents.
fn install(debs: &Packages) -> Vec<String> {
    let words = [
        "sudo",
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        "apt-get",
        "install",
    ];
    let options = ["--yes", "--reinstall", "--no-install-recommends"];
    let all = words.iter().chain(&options).map(|word| (*word).to_owned());
    let files = [&debs.service, &debs.window].map(|deb| deb.display().to_string());
    all.chain(files).collect()
}

/// Builds, and returns where the ISO is: that is what goes to standard output. Progress and
/// questions have the terminal, which a command of xshell would not leave them.
fn make(shell: &Shell, isosmith: &Path, profile: &str, output: &Path) -> Result<String> {
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

/// As somebody would type it: relative to the repository, where it is below it, and by its
/// name, where it is installed.
fn short(shell: &Shell, path: &Path) -> String {
    if path == Path::new(INSTALLED) {
        return "isosmith".to_owned();
    }
    let root = shell.current_dir().canonicalize().unwrap_or_default();
    let real = path.canonicalize().unwrap_or_else(|_| PathBuf::from(path));
    real.strip_prefix(root)
        .unwrap_or(&real)
        .display()
        .to_string()
}
