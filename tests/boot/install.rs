//! Installations without any network, onto an empty disk, and the first start from it.

use std::{fs, path::Path, time::Duration};

use anyhow::{Result, ensure};
use isosmith_tests::{Kit, kit::workspace};

use super::guest::Guest;

/// Software emulation on a machine with two busy cores; a good run takes a third of each.
const BOOT: Duration = Duration::from_secs(1200);
const PAGE: Duration = Duration::from_secs(300);
const COPY: Duration = Duration::from_secs(5400);

/// What the person types; long enough for the installer, letters and digits that every layout
/// has in the same place.
const PASSWORD: &str = "kebab4forest";

/// Who installs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Installer {
    /// Keys are pressed.
    Calamares,
    /// Every question is answered by the profile; it switches the machine off at the end.
    Debian,
}

impl Installer {
    const fn fixture(self) -> &'static str {
        match self {
            Self::Calamares => "tests/fixtures/install/profile.toml",
            Self::Debian => "tests/fixtures/install-text/profile.toml",
        }
    }
}

/// The screen of the machine, and where Calamares has the box for encryption on it.
const SCREEN: (u32, u32) = (1280, 800);
const ENCRYPT: (u32, u32) = (184, 615);

/// Which machine, and what is asked of the installer.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// Names the run's folder.
    pub name: &'static str,
    /// Who installs.
    pub installer: Installer,
    /// UEFI that starts nothing unsigned; else a BIOS.
    pub secure_boot: bool,
    /// Whether the disk is encrypted.
    pub encrypted: bool,
}

/// Installs, starts what was installed, and reads it back.
pub fn installs(kit: &Kit, case: Case) -> Result<()> {
    let folder = kit.root.join("install").join(case.name);
    fs::create_dir_all(&folder)?;
    let isosmith = kit.isosmith(&kit.root.join("install")).env(
        "ISOSMITH_PROFILES",
        &workspace().join("profiles").display().to_string(),
    );
    let iso = isosmith
        .build(&workspace().join(case.installer.fixture()))?
        .iso()?;
    let disk = folder.join("disk.raw");
    // The same medium is installed once, however often its first start has to be tried.
    let installed = folder.join("installed.sha256");
    let sum = fs::read_to_string(format!("{}.sha256", iso.display()))?;
    if fs::read_to_string(&installed).is_ok_and(|last| last == sum) {
        eprintln!("{}: was installed before", case.name);
    } else {
        empty(&disk)?;
        match case.installer {
            Installer::Calamares => install(&folder, &iso, &disk, case)?,
            Installer::Debian => install_in_text_mode(&folder, &iso, &disk, case)?,
        }
        fs::write(&installed, sum)?;
    }
    first_start(&folder, &disk, case)?;
    fs::remove_file(&installed)?;
    Ok(fs::remove_file(&disk)?)
}

fn empty(disk: &Path) -> Result<()> {
    Ok(fs::File::create(disk)?.set_len(16 << 30)?)
}

fn install(folder: &Path, iso: &Path, disk: &Path, case: Case) -> Result<()> {
    let mut guest = Guest::start(folder, Some(iso), Some(disk), case.secure_boot)?;
    let next = &["alt", "n"];
    let shown = guest.settled("welcome", None, BOOT)?;
    let mut shown = guest.turn(next, "partition", &shown)?;
    if case.encrypted {
        // Its letter is that of "Cancel", too.
        guest.click(ENCRYPT, SCREEN)?;
        shown = guest.settled("encryption", Some(&shown), PAGE)?;
        // The passphrase, and once more.
        guest.press(&["tab"])?;
        guest.write(PASSWORD)?;
        guest.press(&["tab"])?;
        guest.write(PASSWORD)?;
        shown = guest.settled("passphrase", Some(&shown), PAGE)?;
    }
    guest.turn(next, "users", &shown)?;
    guest.write("ada")?;
    for _ in 0..3 {
        guest.press(&["tab"])?;
    }
    guest.write(PASSWORD)?;
    guest.press(&["tab"])?;
    guest.write(PASSWORD)?;
    let shown = guest.settled("users-filled", None, PAGE)?;
    guest.turn(next, "summary", &shown)?;
    guest.press(&["alt", "i"])?;
    guest.hear("the last job", COPY, |log| last_job(log).then_some(()))?;
    guest.settled("finished", None, PAGE)?;
    Ok(())
}

fn install_in_text_mode(folder: &Path, iso: &Path, disk: &Path, case: Case) -> Result<()> {
    let mut guest = Guest::start(folder, Some(iso), Some(disk), case.secure_boot)?;
    let ended = guest.switched_off(COPY);
    if ended.is_err() {
        // What it asks instead.
        guest.look("stopped")?;
    }
    ended
}

/// Calamares counts its jobs: `Starting job "…" ( 31 / 32 )`.
fn last_job(log: &str) -> bool {
    log.lines().filter(|line| line.contains("Starting job")).any(|line| {
        let Some((_, count)) = line.rsplit_once("( ") else {
            return false;
        };
        let mut words = count.split_whitespace();
        matches!((words.next(), words.next(), words.next()), (Some(at), Some("/"), Some(all)) if at == all)
    })
}

fn first_start(folder: &Path, disk: &Path, case: Case) -> Result<()> {
    let mut guest = Guest::start(folder, None, Some(disk), case.secure_boot)?;
    if case.encrypted {
        // The second is asked where one passphrase opens several disks (`decrypt_keyctl` of
        // cryptsetup), here the root's and that of swap.
        guest.hear("the question for the passphrase", BOOT, |log| {
            let asked = ["Please unlock disk", "Caching passphrase for"];
            asked
                .iter()
                .any(|question| log.contains(question))
                .then_some(())
        })?;
        guest.send(PASSWORD)?;
    }
    guest.hear("a login", BOOT, |log| {
        log.contains("forge login:").then_some(())
    })?;
    guest.send("ada")?;
    guest.hear("the question for the password", PAGE, |log| {
        log.contains("Password:").then_some(())
    })?;
    guest.send(PASSWORD)?;
    guest.hear("a prompt", PAGE, |log| {
        log.contains("ada@forge").then_some(())
    })?;
    guest.look("installed")?;

    let mut wrong = Vec::new();
    for (question, expected) in questions(case) {
        guest.forget();
        guest.send(&format!("echo BEG''IN $({question}) E''ND"))?;
        let answer = guest.hear(question, PAGE, |log| {
            let (_, rest) = log.split_once("BEGIN ")?;
            Some(rest.split_once(" END")?.0.to_owned())
        });
        let answer = answer.unwrap_or_else(|error| format!("{error:#}"));
        if answer.trim() != expected {
            wrong.push(format!("{question}: {answer:?} instead of {expected:?}"));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// Commands, and what a system that was installed well says.
fn questions(case: Case) -> Vec<(&'static str, &'static str)> {
    let mut questions = vec![
        ("id -un; id -nG | tr ' ' '\\n' | grep -x sudo", "ada sudo"),
        ("hostname", "forge"),
        (". /etc/os-release; echo $NAME", "Aurora"),
        ("locale | sed -n s/^LANG=//p", "en_US.UTF-8"),
        (
            "readlink /etc/localtime",
            "/usr/share/zoneinfo/Europe/Berlin",
        ),
        ("ls /etc/apt/sources.list.d", "debian.sources"),
        ("test -e /etc/apt/sources.list || echo none", "none"),
        (
            "dpkg-query -W -f '${Package} ' 'live-*' calamares xserver-xorg-core 2>&1 | grep -c '^live\\|^cal' ; dpkg --audit",
            "0",
        ),
        (
            "ls -d /etc/calamares /usr/lib/isosmith /etc/live 2> /dev/null | wc -l",
            "0",
        ),
        ("systemctl --failed --plain --no-legend | wc -l", "0"),
        ("sudo -k; ls /etc/sudoers.d | grep -c live", "0"),
        (
            "echo kebab4forest | sudo -S -p '' grep -c Aurora /boot/grub/grub.cfg | sed 's/^[1-9].*/some/'",
            "some",
        ),
        ("test -s /initrd.img && echo there", "there"),
    ];
    if case.secure_boot {
        questions.extend([
            (
                "od -An -tu1 -j4 /sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c | tr -d ' '",
                "1",
            ),
            ("dpkg-query -W -f '${db:Status-Abbrev}${Package} ' grub-efi-amd64 shim-signed", "ii grub-efi-amd64 ii shim-signed"),
        ]);
    } else {
        questions.push((
            "dpkg-query -W -f '${db:Status-Abbrev}${Package} ' grub-pc",
            "ii grub-pc",
        ));
    }
    if case.installer == Installer::Debian {
        questions.extend([
            // Taken out by the profile, and what only making filesystems needed.
            (
                "ls /usr/bin/ping /usr/sbin/mkfs.xfs 2> /dev/null | wc -l",
                "0",
            ),
            (
                "cat /proc/cmdline | grep -o console=ttyS0,115200n8",
                "console=ttyS0,115200n8",
            ),
            ("ls /etc/apt/apt.conf.d | grep -c '^00'", "0"),
            ("grep -c '^UUID=[^ ]* */ *ext4' /etc/fstab", "1"),
        ]);
    }
    if case.encrypted {
        questions.push(("lsblk -nro TYPE | sort -u | grep crypt", "crypt"));
    }
    questions
}
