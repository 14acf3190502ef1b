//! A whole system that builds in seconds: Debian's real base, and made packages in the place
//! of kernel, initramfs and everything else that is large. It does not boot.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::Result;

use crate::{
    archive::{Archive, Dates, Signing},
    kit::Kit,
    made::Made,
    server::Server,
};

/// An archive that is being served, with profiles for it.
#[derive(Debug)]
pub struct Small {
    /// What is served.
    pub archive: Archive,
    /// Who serves it.
    pub server: Server,
    /// Where profiles lie.
    pub folder: PathBuf,
}

impl Small {
    /// The small system and `more` packages, served from `folder`.
    ///
    /// # Errors
    ///
    /// When the real packages are not there, or something cannot be made.
    pub fn serve(kit: &Kit, folder: &Path, more: &[Made]) -> Result<Self> {
        let debs = folder.join("debs");
        let root = folder.join("www/debian");
        fs::create_dir_all(&debs)?;
        let mut archive = Archive::new(&root, "trixie", &kit.root.join("keys"))?;
        let stand_ins = stand_ins();
        let replaced: BTreeSet<&str> = REPLACED.iter().copied().collect();
        archive.from_pool(&kit.cache().join("pool"), &replaced)?;
        for made in stand_ins.iter().chain(more) {
            archive.add(&made.build(&debs)?)?;
        }
        archive.publish(Dates::default(), Signing::Own)?;
        let server = Server::start(&folder.join("www"))?;
        let small = Self {
            archive,
            server,
            folder: folder.to_owned(),
        };
        fs::copy(small.archive.key(), folder.join("archive.asc"))?;
        Ok(small)
    }

    /// Writes a profile for the small system; `more` is TOML that goes after it, `base` goes
    /// into its `[base]`, `packages` is what it asks for.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn profile_with(
        &self,
        name: &str,
        base: &str,
        packages: &[&str],
        more: &str,
    ) -> Result<PathBuf> {
        let mirrors = if base.contains("mirrors") || base.contains("snapshot") {
            String::new()
        } else {
            format!("mirrors = [\"{}\"]\n", self.mirror())
        };
        let text = format!(
            "format = 1\n[profile]\nname = \"{name}\"\n\
             [base]\nsuite = \"trixie\"\ncomponents = [\"main\"]\nkey = \"archive.asc\"\nsecurity = false\nupdates = false\n{mirrors}{base}\n\
             [software]\npackages = {packages:?}\n\
             [boot]\nbios = \"isolinux\"\nsecure_boot = false\n\
             [branding]\nversion = \"1\"\n\
             {more}\n{}",
            DEFAULTS
                .iter()
                .filter(|(table, _)| !more.contains(table))
                .map(|(table, text)| format!("{table}\n{text}\n"))
                .collect::<String>()
        );
        let path = self.folder.join(format!("{name}.toml"));
        fs::write(&path, text)?;
        Ok(path)
    }

    /// The same with nothing special.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn profile(&self, name: &str) -> Result<PathBuf> {
        self.profile_with(name, "", &[], "")
    }

    /// Where the archive is served.
    pub fn mirror(&self) -> String {
        format!("http://127.0.0.1:{}/debian", self.server.port())
    }
}

/// Tables that a profile of the small system has where it says nothing else.
const DEFAULTS: &[(&str, &str)] = &[
    ("[region]", "locales = [\"C.UTF-8\"]"),
    ("[users.live]", "groups = [\"audio\", \"users\"]"),
    ("[image]", "compression = \"lz4\""),
];

/// Real packages that must not come in beside the made ones.
const REPLACED: &[&str] = &[
    "console-setup",
    "console-setup-linux",
    "dbus",
    "dbus-system-bus-common",
    "initramfs-tools",
    "initramfs-tools-bin",
    "initramfs-tools-core",
    "kbd",
    "keyboard-configuration",
    "linux-image-amd64",
    "live-boot",
    "live-boot-initramfs-tools",
    "live-config",
    "live-config-systemd",
    "locales",
    "sudo",
    "systemd",
    "systemd-sysv",
    "udev",
    "user-setup",
];

/// Kernels make no initramfs where they are told not to, as Debian's
/// `/etc/kernel/postinst.d/initramfs-tools` has it.
const KERNEL: &str = r#"#!/bin/sh
set -e
[ "$INITRD" != No ] || exit 0
case "$1" in configure) update-initramfs -c -k 6.0-test ;; esac
"#;

const UPDATE_INITRAMFS: &str = r#"#!/bin/sh
set -e
version=
while [ $# -gt 0 ]; do
  case "$1" in -k) version=$2; shift ;; esac
  shift
done
[ "$version" = all ] && version=6.0-test
echo "made $version" >> /var/lib/initramfs-made
{ printf '070701'; sha256sum /etc/hostname 2>/dev/null || true; } > "/boot/initrd.img-$version"
"#;

/// Does to links what systemctl does, as far as builds use it.
const SYSTEMCTL: &str = r#"#!/bin/sh
set -e
verb=; 
for word; do
  case "$word" in
  -*) ;;
  *) if [ -z "$verb" ]; then verb=$word; continue; fi
    unit=$word
    case "$unit" in *.*) ;; *) unit=$unit.service ;; esac
    folder=/etc/systemd/system/multi-user.target.wants
    case "$verb" in
    enable)
      [ -e "/usr/lib/systemd/system/$unit" ] || [ -e "/etc/systemd/system/$unit" ] || {
        echo "Failed to enable unit: Unit $unit does not exist" >&2; exit 1; }
      mkdir -p "$folder"; ln -sf "/usr/lib/systemd/system/$unit" "$folder/$unit" ;;
    disable) rm -f "$folder/$unit" ;;
    mask) mkdir -p /etc/systemd/system; ln -sf /dev/null "/etc/systemd/system/$unit" ;;
    esac ;;
  esac
done
exit 0
"#;

const LOCALE_GEN: &str = r#"#!/bin/sh
set -e
mkdir -p /usr/lib/locale
grep -v '^#' /etc/locale.gen > /usr/lib/locale/made || true
"#;

/// The head of a Linux kernel as far as anybody looks: the boot sector's mark and "HdrS"
/// (Documentation/arch/x86/boot.rst).
fn kernel() -> String {
    let mut image = vec![0_u8; 4096];
    image[0x1fe] = 0x55;
    // 0xaa is no character of its own; the mark is only looked for on real kernels.
    image[0x202..0x206].copy_from_slice(b"HdrS");
    String::from_utf8_lossy(&image).into_owned()
}

fn stand_ins() -> Vec<Made> {
    let empty = |name: &str| Made::new(name, "1:999");
    vec![
        Made::new("linux-image-amd64", "6.999")
            .field("Depends: initramfs-tools")
            .file("/boot/vmlinuz-6.0-test", &kernel(), 0o644)
            .script("postinst", KERNEL),
        empty("initramfs-tools").file("/usr/sbin/update-initramfs", UPDATE_INITRAMFS, 0o755),
        empty("live-boot"),
        empty("live-boot-initramfs-tools"),
        empty("live-config"),
        empty("live-config-systemd"),
        empty("systemd-sysv")
            .field("Provides: systemd, init")
            .file("/usr/bin/systemctl", SYSTEMCTL, 0o755)
            .file(
                "/usr/lib/systemd/system/one.service",
                "[Unit]\nDescription=One\n",
                0o644,
            )
            .file(
                "/etc/systemd/system/multi-user.target.wants/two.service",
                "",
                0o644,
            ),
        empty("locales")
            .file(
                "/usr/share/i18n/SUPPORTED",
                "de_DE.UTF-8 UTF-8\nen_US.UTF-8 UTF-8\n",
                0o644,
            )
            .file("/usr/sbin/locale-gen", LOCALE_GEN, 0o755),
        empty("keyboard-configuration").script("postinst", "#!/bin/sh\nexit 0\n"),
        empty("console-setup"),
        empty("kbd"),
        empty("dbus"),
        empty("udev"),
        empty("user-setup"),
        empty("sudo").file("/etc/sudoers.d/README", "#\n", 0o440),
    ]
}
