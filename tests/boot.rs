//! The real ISO on real firmware: QEMU with a BIOS, with UEFI, with Secure Boot enforced.
//!
//! What the profile says is read back from the booted system, and the boot menus are compared
//! with the previews. Touches: folders below `ISOSMITH_TEST_DIR`, QEMU, the network while
//! the ISO is built. Needs root for the build.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on stops with a message"
)]

#[path = "boot/guest.rs"]
mod guest;
#[path = "boot/install.rs"]
mod install;
#[path = "boot/kiosk.rs"]
mod kiosk;
#[path = "boot/receipt.rs"]
mod receipt;
#[path = "boot/shipped.rs"]
mod shipped;
#[path = "boot/signing.rs"]
mod signing;
#[path = "boot/surfaces.rs"]
mod surfaces;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    sync::OnceLock,
};

use anyhow::{Context, Result, ensure};
use isosmith_spec::BuildSpec;
use isosmith_tests::{
    Kit,
    kit::{output, workspace},
    menus::{compare_menu, spec},
};
use libtest_mimic::{Arguments, Failed, Trial};

/// Software emulation on a busy machine; a good run takes a third of it.
const TIMEOUT: &str = "600";

static ISO: OnceLock<Result<PathBuf, String>> = OnceLock::new();

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // One machine at a time: software emulation takes all that there is.
    arguments.test_threads = Some(1);
    let kit = match Kit::new().and_then(|kit| kit.need_root().map(|()| kit)) {
        Ok(kit) => kit,
        Err(error) => {
            eprintln!("{error:#}");
            return ExitCode::FAILURE;
        }
    };
    let trial = |name: &str, firmware: &'static str| {
        let kit = kit.clone();
        Trial::test(name, move || {
            boots(&kit, firmware).map_err(|error| Failed::from(format!("{error:#}")))
        })
    };
    let small = |name: &str, until: kiosk::Until| {
        let kit = kit.clone();
        Trial::test(name, move || {
            kiosk::starts(&kit, until).map_err(|error| Failed::from(format!("{error:#}")))
        })
    };
    let shipped = |name: &'static str| {
        let kit = kit.clone();
        Trial::test(name, move || {
            shipped::boots(&kit, name).map_err(|error| Failed::from(format!("{error:#}")))
        })
        // Minutes each: on demand.
        .with_ignored_flag(true)
    };
    let looks = |name: &'static str, profile: &'static str, but: &'static str| {
        let kit = kit.clone();
        Trial::test(format!("surfaces_{name}"), move || {
            surfaces::compare(&kit, name, profile, but)
                .map_err(|error| Failed::from(format!("{error:#}")))
        })
        // Half an hour each: on demand.
        .with_ignored_flag(true)
    };
    let installs = |case: install::Case| {
        let kit = kit.clone();
        Trial::test(format!("install_{}", case.name), move || {
            install::installs(&kit, case).map_err(|error| Failed::from(format!("{error:#}")))
        })
        // An hour each: on demand.
        .with_ignored_flag(true)
    };
    let own_key = |name: &str, test: fn(&Kit) -> Result<()>| {
        let kit = kit.clone();
        Trial::test(format!("own_key_{name}"), move || {
            test(&kit).map_err(|error| Failed::from(format!("{error:#}")))
        })
        // A medium of its own, and minutes of software emulation each: on demand.
        .with_ignored_flag(true)
    };
    let trials = vec![
        own_key("on_the_medium", is_signed).with_ignored_flag(false),
        own_key("own_firmware", signing::on_firmware_of_ones_own),
        own_key("enrolled", signing::after_enrolment),
        trial("bios", "bios"),
        // Under Secure Boot the same GRUB starts the same system: on demand.
        trial("uefi", "uefi").with_ignored_flag(true),
        trial("secure_boot", "secure-boot"),
        small("kiosk_menu_and_splash", kiosk::Until::Splash),
        // A browser takes minutes under software emulation: on demand.
        small("kiosk_from_menu_to_page", kiosk::Until::Page).with_ignored_flag(true),
        shipped("standard"),
        shipped("rescue"),
        looks("ailinux", "ailinux", surfaces::WHOLE),
        looks("kde", "kde", surfaces::SMALL),
        looks("gnome", "gnome", surfaces::SMALL),
        looks("xfce", "xfce", surfaces::SMALL),
        looks("lxqt", "minimal", surfaces::LXQT),
        looks("cinnamon", "minimal", surfaces::CINNAMON),
        looks("mate", "minimal", surfaces::MATE),
        installs(install::Case {
            name: "bios",
            installer: install::Installer::Calamares,
            secure_boot: false,
            encrypted: false,
        }),
        installs(install::Case {
            name: "secure_boot",
            installer: install::Installer::Calamares,
            secure_boot: true,
            encrypted: false,
        }),
        installs(install::Case {
            name: "encrypted",
            installer: install::Installer::Calamares,
            secure_boot: true,
            encrypted: true,
        }),
        installs(install::Case {
            name: "text_bios",
            installer: install::Installer::Debian,
            secure_boot: false,
            encrypted: false,
        }),
        installs(install::Case {
            name: "text_secure_boot",
            installer: install::Installer::Debian,
            secure_boot: true,
            encrypted: false,
        }),
        shipped("server"),
        shipped("xfce"),
        shipped("kiosk"),
        shipped("classroom"),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The fixture, signed with an owner's key: each firmware must start that as it starts any other.
fn profile(kit: &Kit) -> Result<PathBuf> {
    let fixture = workspace().join("tests/fixtures/boot");
    let folder = kit.root.join("boot/profile");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    output(
        Command::new("cp")
            .arg("--archive")
            .arg(fixture.join("."))
            .arg(&folder),
    )?;
    let profile = folder.join("profile.toml");
    let text = fs::read_to_string(&profile)?;
    fs::write(&profile, text + &signing::Pair::owner().section())?;
    Ok(profile)
}

/// Built once for all firmwares.
fn iso(kit: &Kit) -> Result<PathBuf> {
    let build = || {
        let isosmith = kit.isosmith(&kit.root.join("boot")).env(
            "ISOSMITH_PROFILES",
            &workspace().join("profiles").display().to_string(),
        );
        isosmith.build(&profile(kit)?)?.iso()
    };
    let built = ISO.get_or_init(|| build().map_err(|error| format!("{error:#}")));
    built.clone().map_err(anyhow::Error::msg)
}

/// What is on the medium that was signed with the owner's key.
fn is_signed(kit: &Kit) -> Result<()> {
    signing::on_the_medium(kit, &iso(kit)?, &kit.root.join("boot"))
}

fn boots(kit: &Kit, firmware: &str) -> Result<()> {
    let iso = iso(kit)?;
    let shots = start(kit, &iso, &kit.root.join("boot"), firmware)?;
    let spec = spec(&profile(kit)?)?;
    let mut wrong = compare_system(&spec, firmware, &read_back(&shots.serial)?);
    match compare_menu(&iso, firmware, &shots.menu, &spec, Path::new("")) {
        Ok(likeness) => eprintln!("{firmware}: the menu is like its preview by {likeness:.3}"),
        Err(error) => wrong.push(format!("{error:#}")),
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// What a machine showed.
struct Shots {
    menu: PathBuf,
    serial: PathBuf,
}

/// Starts an ISO and waits until it has told what it is.
fn start(kit: &Kit, iso: &Path, folder: &Path, firmware: &str) -> Result<Shots> {
    let [menu, screen, serial] = ["menu.png", "screen.png", "serial.log"]
        .map(|name| folder.join(format!("{firmware}-{name}")));
    for old in [&menu, &screen, &serial] {
        let _ = fs::remove_file(old);
    }
    let run = Command::new(&kit.program)
        .arg("test-boot")
        .arg(iso)
        .args(["--firmware", firmware, "--timeout", TIMEOUT, "--json"])
        .args(["--marker", "ISOSMITH-READ-BACK-END"])
        .arg("--menu-screendump")
        .arg(&menu)
        .arg("--screendump")
        .arg(&screen)
        .arg("--serial-log")
        .arg(&serial)
        .output()?;
    ensure!(
        run.status.success(),
        "it did not come up: {}; see {}",
        String::from_utf8_lossy(&run.stderr),
        serial.display()
    );
    let report: serde_json::Value =
        serde_json::from_slice(&run.stdout).context("the report is no JSON")?;
    eprintln!("{firmware}: up after {} s", report["seconds"]);
    Ok(Shots { menu, serial })
}

/// What the unit in the system printed.
fn read_back(serial: &Path) -> Result<BTreeMap<String, String>> {
    let log = fs::read(serial)?;
    let text = String::from_utf8_lossy(&log);
    text.lines()
        .filter_map(|line| line.split_once("ISOSMITH-READ-BACK {"))
        .find_map(|(_, json)| serde_json::from_str(&format!("{{{}", json.trim_end())).ok())
        .with_context(|| format!("no whole read-back in {}", serial.display()))
}

/// Every way in which the booted system is not what its profile says.
fn compare_system(
    spec: &BuildSpec,
    firmware: &str,
    found: &BTreeMap<String, String>,
) -> Vec<String> {
    let of = |name: &str| found.get(name).map_or("", |value| value.trim());
    let words = |name: &str| of(name).split_whitespace().collect::<BTreeSet<_>>();
    let mut wrong = Vec::new();
    let mut check = |what: &str, good: bool, found: &str| {
        if !good {
            wrong.push(format!("{what}: the system says {found:?}"));
        }
    };
    let user = spec
        .users
        .live
        .as_ref()
        .expect("the test's profile has a live user");
    let region = &spec.region;

    for (what, want) in [
        ("hostname", region.hostname.to_string()),
        ("locale", region.locales[0].to_string()),
        ("timezone", region.timezone.to_string()),
        (
            "keyboard",
            format!("{} {}", region.keyboard.layout, region.keyboard.variant),
        ),
        ("sudo", "root".to_owned()),
        ("root", "*".to_owned()),
        ("active", "active".to_owned()),
        ("enabled", "enabled enabled enabled disabled".to_owned()),
        ("failed", String::new()),
        ("pcspkr", "0".to_owned()),
        ("first_boot", "ran as root".to_owned()),
        ("dpkg_audit", String::new()),
    ] {
        check(what, of(what) == want, of(what));
    }
    let passwd = format!("{}:", user.name);
    check(
        "user",
        of("user").starts_with(&passwd) && of("user").contains(&user.full_name),
        of("user"),
    );
    for group in &user.groups {
        check(
            "groups",
            words("groups").contains(group.as_str()),
            of("groups"),
        );
    }
    for locale in ["de_DE.utf8", "en_US.utf8"] {
        check("locales", words("locales").contains(locale), of("locales"));
    }
    for package in &spec.software.packages {
        check(
            package.as_str(),
            words("packages").contains(package.as_str()),
            "not installed",
        );
    }
    check("machine_id", of("machine_id").len() == 32, of("machine_id"));
    check("ssh_keys", of("ssh_keys") != "0", of("ssh_keys"));
    for line in [
        "NAME=\"Boot Test Linux\"",
        "ID=boottest",
        "ID_LIKE=debian",
        "VERSION_ID=3.1",
        "HOME_URL=\"https://example.org\"",
    ] {
        check(
            "os-release",
            of("os_release").contains(line),
            of("os_release"),
        );
    }
    for parameter in ["boot=live", "isosmith.test=1", "console=ttyS0,115200n8"] {
        check(
            "cmdline",
            words("cmdline").contains(parameter),
            of("cmdline"),
        );
    }
    let state = match firmware {
        "secure-boot" => "SecureBoot enabled",
        "uefi" => "SecureBoot disabled",
        _ => "EFI variables are not supported",
    };
    check(
        "secure boot",
        of("secure_boot").contains(state),
        of("secure_boot"),
    );
    wrong
}
