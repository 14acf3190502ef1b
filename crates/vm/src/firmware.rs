//! Firmware images, where distributions keep them.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::BootError;

/// How the machine starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Firmware {
    /// SeaBIOS, which QEMU brings.
    Bios,
    /// OVMF without Secure Boot.
    Uefi,
    /// OVMF with Microsoft's keys enrolled and Secure Boot enforced.
    SecureBoot,
}

impl fmt::Display for Firmware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bios => "BIOS",
            Self::Uefi => "UEFI",
            Self::SecureBoot => "UEFI with Secure Boot",
        })
    }
}

/// How a firmware image is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageFormat {
    /// As it is.
    Raw,
    /// QEMU's own format, as Fedora ships.
    Qcow2,
}

impl ImageFormat {
    /// QEMU's name for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Qcow2 => "qcow2",
        }
    }

    fn of(path: &str) -> Self {
        if path.ends_with(".qcow2") {
            Self::Qcow2
        } else {
            Self::Raw
        }
    }
}

/// The two halves of a UEFI firmware.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirmwareFiles {
    /// The program; never written.
    pub code: PathBuf,
    /// The variables a machine starts with; copied for each run.
    pub variables: PathBuf,
    /// How both are stored.
    pub format: ImageFormat,
}

/// Debian and Ubuntu (4M first: the 2M images are gone after bookworm),
/// Fedora, Arch, openSUSE.
const UEFI: &[(&str, &str)] = &[
    (
        "usr/share/OVMF/OVMF_CODE_4M.fd",
        "usr/share/OVMF/OVMF_VARS_4M.fd",
    ),
    ("usr/share/OVMF/OVMF_CODE.fd", "usr/share/OVMF/OVMF_VARS.fd"),
    (
        "usr/share/edk2/ovmf/OVMF_CODE.fd",
        "usr/share/edk2/ovmf/OVMF_VARS.fd",
    ),
    (
        "usr/share/edk2/ovmf/OVMF_CODE_4M.qcow2",
        "usr/share/edk2/ovmf/OVMF_VARS_4M.qcow2",
    ),
    (
        "usr/share/edk2/x64/OVMF_CODE.4m.fd",
        "usr/share/edk2/x64/OVMF_VARS.4m.fd",
    ),
    (
        "usr/share/edk2-ovmf/x64/OVMF_CODE.fd",
        "usr/share/edk2-ovmf/x64/OVMF_VARS.fd",
    ),
    (
        "usr/share/qemu/ovmf-x86_64-code.bin",
        "usr/share/qemu/ovmf-x86_64-vars.bin",
    ),
];

/// As above, with variables in which Microsoft's keys are enrolled. Arch has
/// none.
const SECURE_BOOT: &[(&str, &str)] = &[
    (
        "usr/share/OVMF/OVMF_CODE_4M.secboot.fd",
        "usr/share/OVMF/OVMF_VARS_4M.ms.fd",
    ),
    (
        "usr/share/OVMF/OVMF_CODE.secboot.fd",
        "usr/share/OVMF/OVMF_VARS.ms.fd",
    ),
    (
        "usr/share/edk2/ovmf/OVMF_CODE.secboot.fd",
        "usr/share/edk2/ovmf/OVMF_VARS.secboot.fd",
    ),
    (
        "usr/share/edk2/ovmf/OVMF_CODE_4M.secboot.qcow2",
        "usr/share/edk2/ovmf/OVMF_VARS_4M.secboot.qcow2",
    ),
    (
        "usr/share/qemu/ovmf-x86_64-smm-ms-code.bin",
        "usr/share/qemu/ovmf-x86_64-smm-ms-vars.bin",
    ),
];

impl Firmware {
    /// The installed files for it; `None` for BIOS, which needs none.
    ///
    /// # Errors
    /// [`BootError::FirmwareMissing`].
    pub fn find(self) -> Result<Option<FirmwareFiles>, BootError> {
        self.find_below(Path::new("/"))
    }

    fn find_below(self, root: &Path) -> Result<Option<FirmwareFiles>, BootError> {
        let (places, example) = match self {
            Self::Bios => return Ok(None),
            Self::Uefi => (UEFI, "/usr/share/OVMF/OVMF_CODE_4M.fd"),
            Self::SecureBoot => (SECURE_BOOT, "/usr/share/OVMF/OVMF_VARS_4M.ms.fd"),
        };
        let found = places
            .iter()
            .find(|(code, variables)| root.join(code).is_file() && root.join(variables).is_file());
        let (code, variables) = found.ok_or(BootError::FirmwareMissing {
            firmware: self,
            example,
        })?;
        Ok(Some(FirmwareFiles {
            code: root.join(code),
            variables: root.join(variables),
            format: ImageFormat::of(code),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(firmware: Firmware, present: &[&str], expected: Option<(&str, ImageFormat)>) {
        let root = tempfile::tempdir().unwrap();
        for path in present {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let found = firmware.find_below(root.path()).ok().flatten();
        let found = found.map(|files| {
            (
                files.code.strip_prefix(root.path()).unwrap().to_owned(),
                files.format,
            )
        });
        assert_eq!(
            found,
            expected.map(|(code, format)| (PathBuf::from(code), format))
        );
    }

    #[test]
    fn both_halves_must_be_there() {
        let debian = [
            "usr/share/OVMF/OVMF_CODE_4M.fd",
            "usr/share/OVMF/OVMF_VARS_4M.fd",
        ];
        check(Firmware::Uefi, &debian, Some((debian[0], ImageFormat::Raw)));
        check(Firmware::Uefi, &debian[..1], None);
        check(Firmware::SecureBoot, &debian, None);
        check(Firmware::Bios, &[], None);
        let fedora = [
            "usr/share/edk2/ovmf/OVMF_CODE_4M.secboot.qcow2",
            "usr/share/edk2/ovmf/OVMF_VARS_4M.secboot.qcow2",
        ];
        check(
            Firmware::SecureBoot,
            &fedora,
            Some((fedora[0], ImageFormat::Qcow2)),
        );
    }

    #[test]
    fn a_missing_firmware_names_its_package() {
        let root = tempfile::tempdir().unwrap();
        let error = Firmware::SecureBoot.find_below(root.path()).unwrap_err();
        assert_eq!(error.code(), "vm_firmware_missing");
        assert!(error.advice().contains("ovmf"));
        assert!(Firmware::Bios.find_below(root.path()).unwrap().is_none());
    }
}
