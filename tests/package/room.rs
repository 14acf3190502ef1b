//! A small system to install packages on, and rooms in which that is done.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};
use isosmith_tests::{Kit, kit::output};
use tempfile::TempDir;

/// What the tests themselves run in the system.
const TOOLS: &[&str] = &[
    "apparmor",
    "appstream",
    "dbus",
    "desktop-file-utils",
    "libcap2-bin",
    "libxml2-utils",
    "lintian",
    "polkitd",
    "shared-mime-info",
    "systemd",
];

/// A Debian or Ubuntu of the machine's own release, made once and never changed.
#[derive(Debug, Clone)]
pub struct System {
    tree: PathBuf,
    packages: Vec<String>,
}

impl System {
    /// The one that has what `deb` depends on.
    pub fn of(kit: &Kit, deb: &Path) -> Self {
        let depends = output(Command::new("dpkg-deb").arg("-f").arg(deb).arg("Depends"));
        let depends = depends.unwrap_or_default();
        let mut packages: Vec<String> = depends
            .split(',')
            .map(first_choice)
            .chain(TOOLS.iter().copied())
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect();
        packages.sort();
        packages.dedup();
        Self {
            tree: kit.root.join("package-system"),
            packages,
        }
    }

    /// Makes it, unless one with the same packages is there.
    ///
    /// # Errors
    ///
    /// When mmdebstrap fails.
    pub fn make(&self) -> Result<()> {
        let wanted = self.packages.join("\n");
        let mark = self.tree.with_extension("packages");
        if fs::read_to_string(&mark).is_ok_and(|found| found == wanted) {
            return Ok(());
        }
        let _ = fs::remove_file(&mark);
        if self.tree.exists() {
            remove(&self.tree)?;
        }
        let (suite, sources) = sources()?;
        let mut command = namespaces();
        command
            .args(["--mount-proc", "mmdebstrap", "--quiet", "--mode=root"])
            .args(["--variant=minbase", "--format=directory"])
            .args(["--aptopt=APT::Install-Recommends \"false\""])
            .arg(format!("--include={}", self.packages.join(",")))
            .arg(suite)
            .arg(&self.tree)
            .args(sources);
        output(&mut command)?;
        fs::write(mark, wanted)?;
        Ok(())
    }

    /// A room with this system in it.
    ///
    /// # Errors
    ///
    /// When its folders cannot be made.
    pub fn room(&self, kit: &Kit) -> Result<Room> {
        let scratch = kit.scratch("room")?;
        for name in ["upper", "work", "root"] {
            fs::create_dir(scratch.path().join(name))?;
        }
        Ok(Room {
            lower: self.tree.clone(),
            scratch,
        })
    }
}

/// A system that a test may change: a layer over the one that is kept, mounted in namespaces
/// that go with each command.
#[derive(Debug)]
pub struct Room {
    lower: PathBuf,
    scratch: TempDir,
}

impl Room {
    /// Puts a file into the room.
    ///
    /// # Errors
    ///
    /// When it cannot be copied.
    pub fn bring(&self, file: &Path, to: &str) -> Result<()> {
        let place = self.scratch.path().join("upper").join(to);
        fs::create_dir_all(place.parent().unwrap_or(&place))?;
        fs::copy(file, &place).with_context(|| file.display().to_string())?;
        Ok(())
    }

    /// Runs a script of sh in the room and gives what it printed. What it changes stays for
    /// the next one; what it starts does not.
    ///
    /// # Errors
    ///
    /// When a command of it fails; with what was printed.
    pub fn run(&self, script: &str) -> Result<String> {
        let said = self.try_run(script)?;
        ensure!(said.well, "{script}\nfailed:\n{}", said.text);
        Ok(said.text)
    }

    /// The same for a script that may fail.
    ///
    /// # Errors
    ///
    /// When the room cannot be entered.
    pub fn try_run(&self, script: &str) -> Result<Said> {
        const ENTER: &str = r#"set -e
            mount -t overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" overlay "$2/root"
            mount -t proc proc "$2/root/proc"
            mount -t tmpfs -o mode=755 tmpfs "$2/root/run"
            exec chroot "$2/root" env -i HOME=/root LC_ALL=C.UTF-8 \
                PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive \
                sh -e -c "$3" 2>&1"#;
        let mut command = namespaces();
        command
            .args(["--net", "--ipc", "--uts", "sh", "-c", ENTER, "sh"])
            .arg(&self.lower)
            .arg(self.scratch.path())
            .arg(script);
        let ended = command.output().context("unshare")?;
        let text = [ended.stdout, ended.stderr].concat();
        Ok(Said {
            well: ended.status.success(),
            text: String::from_utf8_lossy(&text).trim().to_owned(),
        })
    }

    /// Installs a package that was brought as `/deb`.
    ///
    /// # Errors
    ///
    /// When dpkg refuses.
    pub fn install(&self, deb: &Path) -> Result<String> {
        self.bring(deb, "deb")?;
        self.run("dpkg --install /deb; rm /deb")
    }
}

/// What a script said.
#[derive(Debug)]
pub struct Said {
    /// Whether every command of it went well.
    pub well: bool,
    /// On both outputs.
    pub text: String,
}

/// unshare(1) for a command that mounts and starts things, none of which outlive it.
fn namespaces() -> Command {
    let mut command = Command::new("unshare");
    command.args([
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "--propagation",
        "private",
    ]);
    command
}

/// Nothing is ever mounted below the tree outside of namespaces that are gone.
fn remove(tree: &Path) -> Result<()> {
    let mut command = Command::new("rm");
    output(command.args(["-rf", "--one-file-system"]).arg(tree)).map(drop)
}

/// A package's name out of `libc6 (>= 2.36)` or `polkitd | policykit-1`.
fn first_choice(dependency: &str) -> &str {
    let choice = dependency.split('|').next().unwrap_or_default();
    choice.trim().split([' ', ':']).next().unwrap_or_default()
}

/// The machine's suite, and its own sources of Debian or Ubuntu, one line each.
fn sources() -> Result<(String, Vec<String>)> {
    const FORMAT: &str = "$(ORIGIN)|$(REPO_URI)|$(CODENAME)|$(COMPONENT)";
    let mut command = Command::new("apt-get");
    let listed =
        output(command.args(["indextargets", "--format", FORMAT, "Created-By: Packages"]))?;
    let release = fs::read_to_string("/etc/os-release")?;
    let suite = release
        .lines()
        .find_map(|line| line.strip_prefix("VERSION_CODENAME="))
        .context("os-release names no suite")?
        .trim_matches('"');
    let mut lines: Vec<String> = listed
        .lines()
        .filter_map(|line| {
            let mut fields = line.split('|');
            let origin = fields.next()?;
            let (address, codename, part) = (fields.next()?, fields.next()?, fields.next()?);
            let ours = matches!(origin, "Debian" | "Ubuntu") && codename.starts_with(suite);
            ours.then(|| format!("deb {address} {codename} {part}"))
        })
        .collect();
    lines.sort();
    lines.dedup();
    if lines.is_empty() {
        bail!("apt knows no sources of {suite}; run `apt-get update`");
    }
    Ok((suite.to_owned(), lines))
}
