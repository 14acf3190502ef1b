//! What a finished ISO is, and whether it starts.

use std::{path::Path, time::Duration};

use isosmith_engine::Failure;
use isosmith_inspect::{ChecksumResult, Expect};
use isosmith_protocol::Code;
use isosmith_vm::{
    Accel, Act, Attach, BootError, Display, Firmware, Key, Marker, Network, Trigger, Watch,
    isolinux_start_with,
};
use serde_json::json;

use super::{print, print_json};
use crate::{
    Command, Ended,
    args::{Machine, TestBootArgs, TryArgs},
};

/// Looks at an ISO and at its checksums.
pub fn verify(iso: &Path, as_json: bool, bios: bool, uefi: bool, secure_boot: bool) -> Command {
    let invalid = |error: isosmith_inspect::InspectError| {
        Failure::new(
            Code::ImageInvalid,
            format!("{}: {error}", iso.display()),
            error.advice(),
        )
    };
    let report = isosmith_inspect::inspect(iso).map_err(invalid)?;
    let sums = isosmith_inspect::verify_checksums(iso).map_err(invalid)?;
    let expect = if bios || uefi || secure_boot {
        Expect {
            label: None,
            bios,
            uefi,
            secure_boot,
        }
    } else {
        report.claims()
    };
    let problems = report.problems(&expect);
    let good = problems.is_empty() && sums.iter().all(ChecksumResult::is_match);
    if as_json {
        print_json(
            &json!({ "report": report, "checksums": sums, "problems": problems, "good": good }),
        )?;
    } else {
        print(&format!("label        {}", report.volume.label))?;
        for (name, wanted) in [
            ("BIOS", expect.bios),
            ("UEFI", expect.uefi),
            ("Secure Boot", expect.secure_boot),
        ] {
            print(&format!(
                "{name:<12} {}",
                if wanted { "looked at" } else { "not claimed" }
            ))?;
        }
        for squashfs in &report.live.squashfs {
            let name = squashfs
                .os_release
                .get("PRETTY_NAME")
                .map_or("", String::as_str);
            print(&format!(
                "system       {name}  {} packages",
                squashfs.packages.unwrap_or(0)
            ))?;
        }
        print_sums(&sums)?;
        for problem in &problems {
            print(&format!(
                "problem      {problem}\n             {}",
                problem.advice
            ))?;
        }
        print(if good { "good" } else { "not good" })?;
    }
    Ok(if good { Ended::Well } else { Ended::Badly })
}

/// One line for a list that is right, one for each file that is not.
fn print_sums(sums: &[ChecksumResult]) -> Result<(), Failure> {
    let mut lists: Vec<&str> = sums.iter().map(|sum| sum.list.as_str()).collect();
    lists.dedup();
    for list in lists {
        let of_list = sums.iter().filter(|sum| sum.list == list);
        let (right, wrong): (Vec<_>, Vec<_>) = of_list.partition(|sum| sum.is_match());
        let files = if right.len() == 1 { "file" } else { "files" };
        print(&format!(
            "{:<12} {} {files} right",
            list.trim_start_matches('/'),
            right.len()
        ))?;
        for sum in wrong {
            print(&format!("{:<12} {} is WRONG", "", sum.file))?;
        }
    }
    Ok(())
}

/// Starts an ISO in QEMU.
pub fn test_boot(args: &TestBootArgs) -> Command {
    let firmware = firmware(args.firmware);
    let mut machine = isosmith_vm::Machine::new(&args.iso, firmware);
    machine.memory_mib = args.memory;
    machine.accel = Accel::Auto;
    if args.usb {
        machine.attach = Attach::UsbStick;
    }
    let told = how_to_hear(&args.iso, firmware)?;
    let marker = match &args.marker {
        Some(text) => Marker::new(text.clone()).ok_or_else(|| {
            Failure::new(
                Code::ProfileInvalid,
                "the marker is empty",
                "Give the text to wait for.",
            )
        })?,
        None => Marker::login(),
    };
    let mut watch = Watch::until(marker, Duration::from_secs(args.timeout));
    watch.screendump.clone_from(&args.screendump);
    watch.serial_log.clone_from(&args.serial_log);
    // UEFI firmware shows a picture of its own first, at another size than GRUB's menu.
    let size = match firmware {
        Firmware::Bios => None,
        Firmware::Uefi | Firmware::SecureBoot => Some((1024, 768)),
    };
    let menu = Trigger::Still {
        looks: 2,
        colours: 64,
        size,
    };
    if let Some(path) = &args.menu_screendump {
        let shoot = Act::Screendump(path.clone());
        watch.acts.push((menu.clone(), shoot));
    }
    if let Some(keys) = told {
        watch.acts.push((menu, Act::Press(keys)));
    }
    let report = isosmith_vm::boot(&machine, &watch).map_err(|error| not_up(&error))?;
    if args.json {
        return print_json(&report);
    }
    print(&format!(
        "{} is up after {:.0} s",
        args.iso.display(),
        report.seconds
    ))?;
    for shot in &report.shots {
        print(&format!(
            "  {}  {}x{}  at {:.0} s",
            shot.path.display(),
            shot.width,
            shot.height,
            shot.at
        ))?;
    }
    Ok(Ended::Well)
}

/// Starts an ISO in a window of QEMU, and waits until that is closed.
pub fn try_out(args: &TryArgs) -> Command {
    let mut machine = isosmith_vm::Machine::new(&args.iso, firmware(args.firmware));
    machine.memory_mib = args.memory;
    machine.display = Display::Window;
    machine.network = match args.offline {
        true => Network::None,
        false => Network::User,
    };
    isosmith_vm::boot(&machine, &Watch::until_off()).map_err(|error| not_up(&error))?;
    Ok(Ended::Well)
}

const fn firmware(asked: Machine) -> Firmware {
    match asked {
        Machine::Bios => Firmware::Bios,
        Machine::Uefi => Firmware::Uefi,
        Machine::SecureBoot => Firmware::SecureBoot,
    }
}

/// The keys that make an ISO talk on its serial line, to be pressed in its ISOLINUX menu; `None`
/// if it does so by itself. An ISO without a menu that can be read gets the benefit of the
/// doubt.
fn how_to_hear(iso: &Path, firmware: Firmware) -> Result<Option<Vec<Key>>, Failure> {
    const GRUB: &str = "boot/grub/grub.cfg";
    const ISOLINUX: [&str; 2] = ["isolinux/isolinux.cfg", "isolinux/live.cfg"];

    let invalid = |error: isosmith_inspect::InspectError| {
        Failure::new(
            Code::ImageInvalid,
            format!("{}: {error}", iso.display()),
            error.advice(),
        )
    };
    let disk = isosmith_inspect::source::Disk::open(iso)
        .map_err(|error| Failure::io_at("open", iso, error))?;
    let medium = isosmith_inspect::iso9660::Iso::open(&disk).map_err(invalid)?;
    let read = |path: &str| {
        let bytes = medium.read(path, 1 << 20).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    };
    let grub = read(GRUB);
    let isolinux: Vec<String> = ISOLINUX.into_iter().filter_map(read).collect();
    let mut menus = grub.iter().chain(&isolinux).peekable();
    if menus.peek().is_none() || menus.any(|menu| menu.contains("console=ttyS")) {
        return Ok(None);
    }
    let keys = match firmware {
        Firmware::Bios if !isolinux.is_empty() => {
            isolinux_start_with("console=tty0 console=ttyS0,115200")
        }
        Firmware::Bios | Firmware::Uefi | Firmware::SecureBoot => None,
    };
    match keys {
        Some(keys) => Ok(Some(keys)),
        None => Err(Failure::new(
            Code::ProfileInvalid,
            format!(
                "{} says nothing on a serial line, so nobody could tell whether it came up",
                iso.display()
            ),
            "Build it with --set 'boot.serial={ unit = 0, speed = 115200 }', or boot it in a window of QEMU and look.",
        )),
    }
}

fn not_up(error: &BootError) -> Failure {
    let mut failure = Failure::new(Code::ImageInvalid, error.to_string(), error.advice());
    if let Some(evidence) = error.evidence() {
        failure.tail.clone_from(&evidence.serial_tail);
    }
    failure
}
