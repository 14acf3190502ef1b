//! Real machines that run a few instructions: the runner is tested with
//! QEMU itself, in software, so that the result is the same everywhere.
//!
//! Needs qemu-system-x86_64, ovmf, xorriso, mkfs.vfat and mtools, which the
//! project's test command installs.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use isosmith_vm::{
    Accel, Act, Attach, BootError, BootReport, Ending, Firmware, Key, Machine, Marker, Trigger,
    Watch, boot,
};
use tempfile::TempDir;

/// Prints the text at its end to the first serial port, then does `then`.
fn boot_sector(then: &[u8], text: &str) -> Vec<u8> {
    let mut code = vec![
        0xe8,
        0x00,
        0x00, // call the next instruction
        0x5e, // pop si
        0x83,
        0xc6,
        16 + then.len() as u8, // add si, the distance to the text
        0x2e,
        0xac, // next: cs lodsb
        0x84,
        0xc0, // test al, al
        0x74,
        0x06, // jz then
        0xba,
        0xf8,
        0x03, // mov dx, COM1
        0xee, // out dx, al
        0xeb,
        0xf4, // jmp next
    ];
    code.extend(then);
    code.extend(text.as_bytes());
    code.resize(510, 0);
    code.extend([0x55, 0xaa]);
    code
}

/// hlt for ever.
const STOP: [u8; 3] = [0xf4, 0xeb, 0xfd];
/// Prints each key that is pressed: int 16h, out, jmp.
const ECHO_KEYS: [u8; 10] = [0xb4, 0x00, 0xcd, 0x16, 0xba, 0xf8, 0x03, 0xee, 0xeb, 0xf6];
/// Answers each byte from the serial line with its successor.
const NEXT_LETTER: [u8; 16] = [
    0xba, 0xfd, 0x03, 0xec, 0xa8, 0x01, 0x74, 0xf8, 0xb2, 0xf8, 0xec, 0xfe, 0xc0, 0xee, 0xeb, 0xf0,
];
/// Resets the machine through port 0xcf9: mov dx; mov al, 6; out.
const RESET: [u8; 6] = [0xba, 0xf9, 0x0c, 0xb0, 0x06, 0xee];

/// A UEFI program that prints `text` to the first serial port.
fn efi_program(text: &str) -> Vec<u8> {
    let mut code = vec![
        0x48, 0x8d, 0x35, 14, 0, 0, 0,    // lea rsi, the text
        0xac, // next: lodsb
        0x84, 0xc0, // test al, al
        0x74, 0x07, // jz end
        0x66, 0xba, 0xf8, 0x03, // mov dx, COM1
        0xee, // out dx, al
        0xeb, 0xf4, // jmp next
        0xeb, 0xfe, // end: jmp end
    ];
    code.extend(text.as_bytes());
    code.resize(0x200, 0);
    let mut file = vec![0; 0x200];
    let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"MZ");
    put(0x3c, &[0x40]);
    put(0x40, b"PE\0\0\x64\x86\x01\0");
    put(0x54, &[0xf0, 0, 0x22, 0]);
    put(0x58, &[0x0b, 0x02]);
    for (at, value) in [
        (4, 0x200),
        (16, 0x1000),
        (20, 0x1000),
        (32, 0x1000),
        (36, 0x200),
        (56, 0x2000),
        (60, 0x200),
    ] {
        put(0x58 + at, &u32::to_le_bytes(value));
    }
    // Subsystem 10: an EFI application.
    put(0x58 + 68, &[10]);
    put(0x58 + 108, &[16]);
    put(0x148, b".text\0\0\0");
    for (at, value) in [
        (8, 0x200),
        (12, 0x1000),
        (16, 0x200),
        (20, 0x200),
        (36, 0x6000_0020),
    ] {
        put(0x148 + at, &u32::to_le_bytes(value));
    }
    file.extend(code);
    file
}

fn run(program: &str, args: &[&str], dir: &Path) {
    let output = Command::new(program).args(args).current_dir(dir).output();
    let output = output.unwrap_or_else(|error| panic!("{program} is needed by this test: {error}"));
    assert!(
        output.status.success(),
        "{program}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// An ISO that starts `sector` on a BIOS and prints `efi` on UEFI.
fn iso(dir: &Path, sector: &[u8], efi: Option<&str>) -> PathBuf {
    let tree = dir.join("tree");
    fs::create_dir(&tree).unwrap();
    fs::write(tree.join("boot.bin"), sector).unwrap();
    let mut args = vec![
        "-as",
        "mkisofs",
        "-quiet",
        "-b",
        "boot.bin",
        "-no-emul-boot",
        "-boot-load-size",
        "1",
    ];
    if let Some(text) = efi {
        fs::write(dir.join("boot.efi"), efi_program(text)).unwrap();
        run("mkfs.vfat", &["-C", "tree/efi.img", "1024"], dir);
        run("mmd", &["-i", "tree/efi.img", "::EFI", "::EFI/BOOT"], dir);
        run(
            "mcopy",
            &["-i", "tree/efi.img", "boot.efi", "::EFI/BOOT/BOOTX64.EFI"],
            dir,
        );
        args.extend(["-eltorito-alt-boot", "-e", "efi.img", "-no-emul-boot"]);
    }
    args.extend(["-o", "test.iso", "tree"]);
    run("xorriso", &args, dir);
    dir.join("test.iso")
}

fn machine(iso: PathBuf, firmware: Firmware) -> Machine {
    Machine {
        memory_mib: 256,
        cpus: 1,
        accel: Accel::Tcg,
        ..Machine::new(iso, firmware)
    }
}

fn marker(text: &str) -> Marker {
    Marker::new(text).unwrap()
}

fn watch(text: &str) -> Watch {
    Watch::until(marker(text), Duration::from_secs(120))
}

/// Runs a boot sector; the caller says what to watch for.
fn check(then: &[u8], watch: &Watch) -> Result<BootReport, BootError> {
    let dir = TempDir::new().unwrap();
    let iso = iso(
        dir.path(),
        &boot_sector(then, "\x1b[1mISOSMITH\x1b[0m is ready\r\n"),
        None,
    );
    boot(&machine(iso, Firmware::Bios), watch)
}

#[test]
fn a_marker_ends_the_run_with_a_picture_and_a_log() {
    let dir = TempDir::new().unwrap();
    let watch = Watch {
        screendump: Some(dir.path().join("end.png")),
        serial_log: Some(dir.path().join("serial.log")),
        ..watch("ISOSMITH is ready")
    };
    let report = check(&STOP, &watch).unwrap();
    assert_eq!(
        report.ending,
        Ending::Marker("ISOSMITH is ready".to_owned())
    );
    assert!(
        report
            .serial_tail
            .iter()
            .any(|line| line.contains("ISOSMITH is ready"))
    );
    assert!(
        fs::read(dir.path().join("serial.log"))
            .unwrap()
            .windows(13)
            .any(|w| w == b"\x1b[1mISOSMITH\x1b")
    );
    // The BIOS text mode: 80 by 25 characters of 9 by 16 pixels.
    assert_eq!(report.shots.len(), 1);
    assert_eq!((report.shots[0].width, report.shots[0].height), (720, 400));
    assert!(fs::metadata(&report.shots[0].path).unwrap().len() > 100);
}

#[test]
fn keys_are_pressed_and_text_is_sent_when_triggers_fire() {
    let on = |text: &str, act: Act| (Trigger::Serial(marker(text)), act);
    let keys = Act::Press(Key::text("Go!").unwrap());
    let watch = Watch {
        acts: vec![on("ready", keys)],
        ..watch("Go!")
    };
    check(&ECHO_KEYS, &watch).unwrap();

    let watch = Watch {
        acts: vec![on("ready", Act::Send("HAL".to_owned()))],
        ..self::watch("IBM")
    };
    check(&NEXT_LETTER, &watch).unwrap();
}

#[test]
fn a_still_screen_is_photographed_before_the_run_goes_on() {
    let dir = TempDir::new().unwrap();
    let still = || Trigger::Still {
        looks: 3,
        colours: 2,
        size: Some((720, 400)),
    };
    let acts = vec![
        (still(), Act::Screendump(dir.path().join("menu.png"))),
        (
            still(),
            Act::Press(vec![Key::Printed(printed('x')), Key::Enter]),
        ),
        (
            Trigger::After(Duration::ZERO),
            Act::Screendump(dir.path().join("first.png")),
        ),
    ];
    let report = check(&ECHO_KEYS, &Watch { acts, ..watch("x") }).unwrap();
    let names: Vec<_> = report
        .shots
        .iter()
        .map(|shot| shot.path.file_stem().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["first", "menu"]);
}

fn printed(c: char) -> isosmith_vm::Printed {
    match Key::text(&c.to_string()).unwrap()[..] {
        [Key::Printed(printed)] => printed,
        ref other => panic!("{other:?}"),
    }
}

#[test]
fn failures_resets_timeouts_and_cancels_are_told_apart() {
    let failing = Watch {
        failure: vec![marker("is ready")],
        ..watch("never")
    };
    let error = check(&STOP, &failing).unwrap_err();
    assert_eq!(error.code(), "vm_failed");
    assert!(
        error
            .evidence()
            .unwrap()
            .serial_tail
            .iter()
            .any(|line| line.contains("ISOSMITH"))
    );

    let error = check(&RESET, &watch("never")).unwrap_err();
    assert_eq!(error.code(), "vm_ended");

    let dir = TempDir::new().unwrap();
    let short = Watch {
        timeout: Duration::from_secs(1),
        screendump: Some(dir.path().join("end.png")),
        ..watch("never")
    };
    let error = check(&STOP, &short).unwrap_err();
    assert_eq!(error.code(), "vm_timed_out");
    assert_eq!(error.evidence().unwrap().shots.len(), 1);

    let cancel = Arc::new(AtomicBool::new(false));
    let watch = Watch {
        cancel: cancel.clone(),
        ..watch("never")
    };
    let setter = thread::spawn(move || {
        thread::sleep(Duration::from_millis(500));
        cancel.store(true, Ordering::Relaxed);
    });
    let error = check(&STOP, &watch).unwrap_err();
    setter.join().unwrap();
    assert_eq!(error.code(), "vm_cancelled");
}

#[test]
fn what_qemu_says_is_in_the_error() {
    let dir = TempDir::new().unwrap();
    let iso = iso(dir.path(), &boot_sector(&STOP, "x"), None);
    let broken = Machine {
        memory_mib: 0,
        cpus: 100_000,
        ..machine(iso, Firmware::Bios)
    };
    let error = boot(&broken, &watch("x")).unwrap_err();
    assert_eq!(error.code(), "vm_qemu");
    assert!(error.to_string().to_lowercase().contains("cpu"), "{error}");
    let error = boot(
        &machine("/nonexistent.iso".into(), Firmware::Bios),
        &watch("x"),
    )
    .unwrap_err();
    assert_eq!(error.code(), "vm_file");
}

#[test]
fn a_stick_boots_too() {
    let dir = TempDir::new().unwrap();
    let image = dir.path().join("stick,1.img");
    let mut bytes = boot_sector(&STOP, "from a stick");
    bytes.resize(1 << 20, 0);
    fs::write(&image, bytes).unwrap();
    let machine = Machine {
        attach: Attach::UsbStick,
        ..machine(image, Firmware::Bios)
    };
    boot(&machine, &watch("from a stick")).unwrap();
}

#[test]
fn uefi_runs_an_unsigned_program_and_secure_boot_refuses_it() {
    let dir = TempDir::new().unwrap();
    let iso = iso(
        dir.path(),
        &boot_sector(&STOP, "bios"),
        Some("EFI PROGRAM RUNS"),
    );
    let report = boot(
        &machine(iso.clone(), Firmware::Uefi),
        &watch("EFI PROGRAM RUNS"),
    )
    .unwrap();
    assert_eq!(report.firmware, Firmware::Uefi);
    match boot(
        &machine(iso, Firmware::SecureBoot),
        &watch("EFI PROGRAM RUNS"),
    ) {
        Err(BootError::Failed { marker, .. }) => assert_eq!(marker, "Access Denied"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn no_machine_outlives_its_run() {
    let dir = TempDir::new().unwrap();
    let iso = iso(dir.path(), &boot_sector(&STOP, "ready"), None);
    let name = iso.to_str().unwrap().to_owned();
    let running = move || {
        let lines = fs::read_dir("/proc").unwrap().flatten();
        let lines = lines.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
        lines
            .filter(|line| line.windows(name.len()).any(|w| w == name.as_bytes()))
            .count()
    };
    let cancel = Arc::new(AtomicBool::new(false));
    let watch = Watch {
        cancel: cancel.clone(),
        ..watch("never")
    };
    let runner = thread::spawn(move || boot(&machine(iso, Firmware::Bios), &watch));
    let start = Instant::now();
    while running() == 0 && start.elapsed() < Duration::from_secs(30) {
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(running(), 1);
    cancel.store(true, Ordering::Relaxed);
    assert!(runner.join().unwrap().is_err());
    assert_eq!(running(), 0);
}
