//! KVM where it really works, software emulation else.
//!
//! That `/dev/kvm` opens says little: in nested or sandboxed machines it may
//! be there and fail or hang. So a machine of a few instructions is tried first.

use std::ffi::OsString;
use std::io::Read;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::machine::with_path;
use crate::process::{Guard, find_program};

/// A working KVM answers within a second.
const TRIAL_TIME: Duration = Duration::from_secs(8);
const TRIAL_ANSWER: u8 = b'K';

/// What the caller wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Accel {
    /// KVM if a trial shows that it works, else software.
    Auto,
    /// KVM, tried or not.
    Kvm,
    /// Software.
    Tcg,
}

/// What is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Acceleration {
    /// The processor runs the guest.
    Kvm,
    /// QEMU translates it: ten to thirty times slower.
    Tcg,
}

impl Acceleration {
    /// What QEMU is told.
    ///
    /// Without AVX in software: QEMU 7.2 reads wrong addresses for AVX2's gather instructions,
    /// on which Mesa's llvmpipe crashes, and with it every desktop that draws by OpenGL. SSE4 is
    /// left, and translates faster.
    #[must_use]
    pub const fn arguments(self) -> [&'static str; 4] {
        match self {
            Self::Kvm => ["-accel", "kvm", "-cpu", "host"],
            Self::Tcg => [
                "-accel",
                "tcg,thread=multi",
                "-cpu",
                "max,avx=off,avx2=off,f16c=off,fma=off",
            ],
        }
    }
}

/// Decides; the trial is made once per program run.
#[must_use]
pub fn choose(accel: Accel) -> Acceleration {
    static WORKS: OnceLock<bool> = OnceLock::new();
    match accel {
        Accel::Kvm => Acceleration::Kvm,
        Accel::Tcg => Acceleration::Tcg,
        Accel::Auto if *WORKS.get_or_init(kvm_works) => Acceleration::Kvm,
        Accel::Auto => Acceleration::Tcg,
    }
}

fn kvm_works() -> bool {
    let opens = std::fs::File::options()
        .read(true)
        .write(true)
        .open("/dev/kvm")
        .is_ok();
    opens && find_program("qemu-system-x86_64").is_some_and(|qemu| trial(&qemu, "kvm", "host"))
}

/// A disk whose boot sector sleeps through three timer interrupts and then writes
/// one byte to the serial port. The firmware before it uses protected mode,
/// SMM and disks, as a real system does.
fn payload() -> Vec<u8> {
    // sti; hlt; hlt; hlt; mov al, 'K'; mov dx, COM1; out dx, al; hlt; jmp to the hlt
    let mut sector = vec![
        0xfb,
        0xf4,
        0xf4,
        0xf4,
        0xb0,
        TRIAL_ANSWER,
        0xba,
        0xf8,
        0x03,
        0xee,
        0xf4,
        0xeb,
        0xfd,
    ];
    sector.resize(510, 0);
    sector.extend([0x55, 0xaa]);
    // SeaBIOS does not start a disk of a single sector.
    sector.resize(1 << 20, 0);
    sector
}

/// Whether a machine with this accelerator runs the payload. Every failure
/// means no: emulation always works.
fn trial(qemu: &Path, accel: &str, cpu: &str) -> bool {
    let Ok(dir) = tempfile::tempdir() else {
        return false;
    };
    let disk = dir.path().join("trial.img");
    if std::fs::write(&disk, payload()).is_err() {
        return false;
    }
    let mut args: Vec<OsString> = Vec::new();
    args.extend(
        [
            "-no-user-config",
            "-nodefaults",
            "-display",
            "none",
            "-machine",
            "q35",
            "-m",
            "64M",
        ]
        .map(Into::into),
    );
    args.extend(["-accel", accel, "-cpu", cpu, "-smp", "2", "-no-reboot"].map(Into::into));
    args.extend(
        [
            "-chardev",
            "stdio,id=port,signal=off",
            "-serial",
            "chardev:port",
        ]
        .map(Into::into),
    );
    args.extend(["-device", "ide-hd,drive=trial", "-drive"].map(Into::into));
    args.push(with_path(
        "if=none,id=trial,readonly=off,format=raw,file=",
        &disk,
    ));
    let Ok(mut guard) = Guard::spawn(qemu, &args) else {
        return false;
    };
    let Some(mut stdout) = guard.take_stdout() else {
        return false;
    };
    let (sender, receiver) = mpsc::channel();
    // Ends with the machine, whose output it reads.
    thread::spawn(move || {
        let mut byte = [0];
        let read = stdout.read_exact(&mut byte).is_ok();
        let _ = sender.send(read && byte[0] == TRIAL_ANSWER);
    });
    receiver.recv_timeout(TRIAL_TIME).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trial_tells_a_working_accelerator_from_a_broken_one() {
        let qemu = find_program("qemu-system-x86_64").expect("this test needs qemu-system-x86_64");
        assert!(trial(&qemu, "tcg", "max"));
        assert!(!trial(&qemu, "no-such-accelerator", "max"));
        assert!(!trial(Path::new("/bin/true"), "tcg", "max"));
        assert!(!trial(Path::new("/nonexistent"), "tcg", "max"));
    }

    #[test]
    fn a_wish_is_obeyed() {
        assert_eq!(choose(Accel::Tcg), Acceleration::Tcg);
        assert_eq!(choose(Accel::Kvm), Acceleration::Kvm);
    }

    #[test]
    fn auto_takes_kvm_only_when_the_trial_passes() {
        let expected = if kvm_works() {
            Acceleration::Kvm
        } else {
            Acceleration::Tcg
        };
        assert_eq!(choose(Accel::Auto), expected);
    }
}
