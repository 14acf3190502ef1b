//! A machine as a value, and the QEMU command line it means.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::accel::{Accel, Acceleration};
use crate::firmware::Firmware;
use crate::window::Toolkit;

/// How the image is plugged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Attach {
    /// As a CD in a SATA drive.
    Cdrom,
    /// As a USB stick, which firmware reads through the partition tables.
    UsbStick,
}

/// What the machine is connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Network {
    /// Nothing.
    None,
    /// QEMU's own NAT; the host's services stay out of reach of others.
    User,
}

/// Where the screen is shown. Pictures can be taken in both cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Display {
    /// Nowhere.
    Headless,
    /// In a window; see [`boot()`](crate::boot()).
    Window,
}

/// What to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// The image; opened read-only.
    pub iso: PathBuf,
    /// How it is plugged in.
    pub attach: Attach,
    /// How the machine starts.
    pub firmware: Firmware,
    /// Memory in MiB.
    pub memory_mib: u32,
    /// Number of processors.
    pub cpus: u32,
    /// How fast it may be.
    pub accel: Accel,
    /// What it is connected to.
    pub network: Network,
    /// Where its screen is shown.
    pub display: Display,
}

impl Machine {
    /// A headless machine without network: 2 GiB, 2 processors, a CD.
    #[must_use]
    pub fn new(iso: impl Into<PathBuf>, firmware: Firmware) -> Self {
        Self {
            iso: iso.into(),
            attach: Attach::Cdrom,
            firmware,
            memory_mib: 2048,
            cpus: 2,
            accel: Accel::Auto,
            network: Network::None,
            display: Display::Headless,
        }
    }

    /// The arguments of `qemu-system-x86_64`. The first serial port is
    /// QEMU's standard output, a QMP server listens on the socket.
    ///
    /// Secure Boot needs SMM and a flash that only SMM can write, or the
    /// guest could change the key variables (edk2's `OvmfPkg/README`).
    #[must_use]
    pub fn qemu_args(&self, acceleration: Acceleration, files: &RuntimeFiles) -> Vec<OsString> {
        let mut args = Args::default();
        args.add(["-no-user-config", "-nodefaults", "-no-reboot"]);
        args.add(["-name", "isosmith-test", "-rtc", "base=utc"]);
        match self.firmware {
            Firmware::Bios | Firmware::Uefi => args.add(["-machine", "q35"]),
            Firmware::SecureBoot => {
                args.add(["-machine", "q35,smm=on"]);
                args.add(["-global", "driver=cfi.pflash01,property=secure,value=on"]);
                // Waking from S3 is not covered by the lock of the flash.
                args.add(["-global", "ICH9-LPC.disable_s3=1"]);
            }
        }
        args.add(acceleration.arguments());
        args.add(["-m".into(), format!("{}M", self.memory_mib)]);
        args.add(["-smp".into(), self.cpus.to_string()]);
        if let Some(firmware) = &files.firmware {
            let format = firmware.format.name();
            args.drive(
                &format!("if=pflash,unit=0,readonly=on,format={format},file="),
                &firmware.code,
            );
            args.drive(
                &format!("if=pflash,unit=1,format={format},file="),
                &firmware.variables,
            );
        }
        args.add(["-device", "qemu-xhci,id=usb"]);
        match self.attach {
            Attach::Cdrom => {
                args.drive(
                    "if=none,id=iso,media=cdrom,readonly=on,format=raw,file=",
                    &self.iso,
                );
                args.add(["-device", "ide-cd,drive=iso,bootindex=0"]);
            }
            Attach::UsbStick => {
                args.drive("if=none,id=iso,readonly=on,format=raw,file=", &self.iso);
                args.add([
                    "-device",
                    "usb-storage,bus=usb.0,drive=iso,removable=on,bootindex=0",
                ]);
            }
        }
        match self.network {
            Network::None => args.add(["-nic", "none"]),
            Network::User => args.add(["-nic", "user,model=virtio-net-pci"]),
        }
        args.add(["-vga", "std"]);
        match self.display {
            Display::Headless => args.add(["-display", "none"]),
            Display::Window => {
                args.add(["-display", files.window.map_or("gtk", Toolkit::name)]);
                // A tablet follows the pointer of the window without a grab.
                args.add(["-device", "usb-tablet,bus=usb.0"]);
            }
        }
        // Without entropy a young system waits for minutes.
        args.add(["-device", "virtio-rng-pci"]);
        args.add([
            "-chardev",
            "stdio,id=serial,signal=off",
            "-serial",
            "chardev:serial",
        ]);
        args.chardev("socket,id=qmp,server=on,wait=off,path=", &files.qmp_socket);
        args.add(["-mon", "chardev=qmp,mode=control"]);
        args.0
    }
}

/// The private files of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuntimeFiles {
    /// Socket of QEMU's control protocol.
    pub qmp_socket: PathBuf,
    /// Firmware with this run's own copy of the variables.
    pub firmware: Option<crate::firmware::FirmwareFiles>,
    /// What draws the window, where there is one.
    pub window: Option<Toolkit>,
}

#[derive(Debug, Default)]
struct Args(Vec<OsString>);

impl Args {
    fn add<const N: usize>(&mut self, args: [impl Into<OsString>; N]) {
        self.0.extend(args.map(Into::into));
    }

    fn drive(&mut self, options: &str, path: &Path) {
        self.add([OsString::from("-drive"), with_path(options, path)]);
    }

    fn chardev(&mut self, options: &str, path: &Path) {
        self.add([OsString::from("-chardev"), with_path(options, path)]);
    }
}

/// In QEMU's option lists a comma in a value is written twice.
pub(crate) fn with_path(options: &str, path: &Path) -> OsString {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    let mut text = options.as_bytes().to_vec();
    for &byte in OsStr::as_bytes(path.as_os_str()) {
        text.push(byte);
        if byte == b',' {
            text.push(b',');
        }
    }
    OsString::from_vec(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::firmware::{FirmwareFiles, ImageFormat};

    fn line(machine: &Machine, acceleration: Acceleration) -> String {
        let firmware = FirmwareFiles {
            code: "/fw/code.fd".into(),
            variables: "/run/vars.fd".into(),
            format: ImageFormat::Raw,
        };
        let firmware = (machine.firmware != Firmware::Bios).then_some(firmware);
        let files = RuntimeFiles {
            qmp_socket: "/run/qmp".into(),
            firmware,
            window: (machine.display == Display::Window).then_some(Toolkit::Sdl),
        };
        let args = machine.qemu_args(acceleration, &files);
        args.iter()
            .map(|arg| arg.to_string_lossy())
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn check(change: impl FnOnce(&mut Machine), accel: Acceleration, has: &[&str], lacks: &[&str]) {
        let mut machine = Machine::new("/a.iso", Firmware::Bios);
        change(&mut machine);
        let line = line(&machine, accel);
        for part in has {
            assert!(line.contains(part), "no {part:?} in {line}");
        }
        for part in lacks {
            assert!(!line.contains(part), "{part:?} in {line}");
        }
    }

    #[test]
    fn command_lines() {
        use Acceleration::{Kvm, Tcg};
        check(
            |_| {},
            Tcg,
            &[
                "-machine q35 -accel tcg,thread=multi -cpu max,avx=off,avx2=off,f16c=off,fma=off -m 2048M -smp 2",
                "-drive if=none,id=iso,media=cdrom,readonly=on,format=raw,file=/a.iso -device ide-cd",
                "-nic none",
                "-display none",
                "-no-reboot",
            ],
            &["pflash", "smm", "kvm"],
        );
        check(|_| {}, Kvm, &["-accel kvm -cpu host"], &["tcg"]);
        check(
            |m| m.firmware = Firmware::SecureBoot,
            Tcg,
            &[
                "-machine q35,smm=on -global driver=cfi.pflash01,property=secure,value=on",
                "-drive if=pflash,unit=0,readonly=on,format=raw,file=/fw/code.fd",
                "-drive if=pflash,unit=1,format=raw,file=/run/vars.fd",
            ],
            &[],
        );
        check(
            |m| m.firmware = Firmware::Uefi,
            Tcg,
            &["file=/fw/code.fd"],
            &["smm", "secure"],
        );
        check(
            |m| m.attach = Attach::UsbStick,
            Tcg,
            &["usb-storage,bus=usb.0,drive=iso"],
            &["cdrom"],
        );
        check(
            |m| m.network = Network::User,
            Tcg,
            &["-nic user,model=virtio-net-pci"],
            &["-nic none"],
        );
        check(
            |m| m.display = Display::Window,
            Tcg,
            &["usb-tablet"],
            &["-display none"],
        );
        check(
            |m| (m.memory_mib, m.cpus) = (512, 1),
            Tcg,
            &["-m 512M -smp 1"],
            &[],
        );
        check(
            |m| m.iso = "/a,readonly=off.iso".into(),
            Tcg,
            &["file=/a,,readonly=off.iso"],
            &[],
        );
    }
}
