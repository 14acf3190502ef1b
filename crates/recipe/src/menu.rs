//! Boot menus as texts.

use isosmith_catalogue::wanted::has_splash;
use isosmith_spec::model::{Boot, BuildSpec, MenuEntry};

use crate::installer;

/// What a live entry of the menu starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// As people see it.
    pub(crate) title: String,
    /// What it does.
    pub(crate) action: Action,
}

impl Entry {
    /// Whether a BIOS can do it.
    pub(crate) fn is_for_bios(&self) -> bool {
        isolinux_action(&self.action).is_some()
    }
}

/// What a menu entry does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// Starts the kernel with these parameters.
    Linux(String),
    /// Starts Debian's installer with these parameters.
    DebianInstaller(String),
    /// Starts memtest86+.
    MemoryTest,
    /// Starts the system on the first disk.
    LocalDisk,
    /// Starts MokManager, where a machine learns the owner's key. By itself it comes only when
    /// shim refuses GRUB, and not when GRUB is refused a kernel.
    EnrolKey,
}

/// Where things lie on the medium.
pub(crate) const KERNEL: &str = "/live/vmlinuz";
pub(crate) const INITRD: &str = "/live/initrd.img";
pub(crate) const DEBIAN_INITRD: &str = "/install/initrd.gz";
pub(crate) const MEMTEST_BIOS: &str = "/boot/memtest86+x64.bin";
pub(crate) const MEMTEST_EFI: &str = "/boot/memtest86+x64.efi";
pub(crate) const MOK_MANAGER: &str = "/EFI/boot/mmx64.efi";

/// The menu of `spec`. `always` are parameters of every entry.
pub(crate) fn entries(spec: &BuildSpec, always: &[String]) -> Vec<Entry> {
    let (boot, name) = (&spec.boot, &spec.branding.name);
    // A picture, where nothing has to be read.
    let splash = has_splash(spec);
    let mut parameters = vec!["boot=live".to_owned()];
    parameters.extend(always.iter().cloned());
    parameters.extend(boot.parameters.iter().map(ToString::to_string));
    if let Some(serial) = boot.serial {
        // The last console is the one that gets /dev/console; people at a screen need theirs too.
        parameters.push("console=tty0".to_owned());
        parameters.push(format!("console=ttyS{},{}n8", serial.unit, serial.speed));
        if splash {
            // Else Plymouth shows text on every console there is.
            parameters.push("plymouth.ignore-serial-consoles".to_owned());
        }
    }
    let quiet = if splash { "quiet splash" } else { "quiet" };
    let base = parameters.join(" ");
    let linux = |more: &str| Action::Linux(format!("{base} {more}").trim_end().to_owned());
    let entry = |kind: &MenuEntry| Entry {
        title: isosmith_branding::menu::title(*kind, name),
        action: match kind {
            MenuEntry::Live => linux(quiet),
            MenuEntry::LiveToRam => linux(&format!("toram {quiet}")),
            // Without the splash: it is chosen when graphics fail.
            MenuEntry::SafeGraphics => linux("nomodeset quiet"),
            // Without "quiet": its result is what the person came for.
            MenuEntry::VerifyMedium => linux("verify-checksums"),
            MenuEntry::Install => linux(&format!("{} {quiet}", installer::parameters(spec))),
            // The kernel's own words after "---" are kept for the installed system. Its first
            // questions come before the answers are read, so that they are here, too.
            MenuEntry::DebianInstaller => Action::DebianInstaller(debian(spec)),
            MenuEntry::MemoryTest => Action::MemoryTest,
            MenuEntry::LocalDisk => Action::LocalDisk,
        },
    };
    let enrol = spec.security.signing.is_some().then(|| Entry {
        title: isosmith_branding::menu::ENROL.to_owned(),
        action: Action::EnrolKey,
    });
    boot.entries.iter().map(entry).chain(enrol).collect()
}

/// Parameters of Debian's installer.
fn debian(spec: &BuildSpec) -> String {
    let mut words = vec!["vga=normal".to_owned()];
    if let Some(serial) = spec.boot.serial {
        words.push(format!("console=ttyS{},{}n8", serial.unit, serial.speed));
    }
    words.push("---".to_owned());
    words.extend(spec.kernel.cmdline.iter().map(ToString::to_string));
    words.push("quiet".to_owned());
    words.join(" ")
}

/// `grub.cfg`, the same for BIOS and UEFI.
pub(crate) fn grub(boot: &Boot, entries: &[Entry]) -> String {
    let timeout = boot
        .timeout
        .map_or("-1".to_owned(), |seconds| seconds.to_string());
    let serial = boot.serial.map_or(String::new(), |serial| {
        format!(
            "serial --unit={} --speed={}\nterminal_input console serial\nterminal_output $isosmith_screen serial\n",
            serial.unit, serial.speed
        )
    });
    let body: String = entries.iter().map(grub_entry).collect();
    format!(
        r#"# Made by Isosmith.
set timeout={timeout}
set default=0
set isosmith_screen=console
if loadfont unicode ; then
    set gfxmode=1024x768,1280x800,800x600,auto
    set gfxpayload=keep
    insmod all_video
    insmod gfxterm
    insmod png
    insmod jpeg
    set isosmith_screen=gfxterm
    terminal_output gfxterm
    set theme=$prefix/theme/theme.txt
    export theme
fi
{serial}
{body}"#
    )
}

fn grub_entry(entry: &Entry) -> String {
    let title = grub_quote(&entry.title);
    match &entry.action {
        // findiso lets loaders that start the ISO as a file find it again.
        Action::Linux(parameters) => format!(
            "menuentry {title} --class live {{\n    linux {KERNEL} {} ${{iso_options}}\n    initrd {INITRD}\n}}\n",
            grub_words(parameters)
        ),
        Action::DebianInstaller(parameters) => format!(
            "menuentry {title} --class debian {{\n    linux {KERNEL} {}\n    initrd {DEBIAN_INITRD}\n}}\n",
            grub_words(parameters)
        ),
        // It is not signed: under Secure Boot GRUB is locked down and would refuse it.
        Action::MemoryTest => format!(
            "if [ \"$lockdown\" != y ] ; then\nmenuentry {title} --class memtest {{\n    if [ \"$grub_platform\" = efi ] ; then\n        chainloader {MEMTEST_EFI}\n    else\n        linux16 {MEMTEST_BIOS}\n    fi\n}}\nfi\n"
        ),
        Action::LocalDisk => format!(
            "menuentry {title} --class disk {{\n    if [ \"$grub_platform\" = efi ] ; then\n        exit 1\n    else\n        set root=(hd0)\n        chainloader +1\n    fi\n}}\n"
        ),
        // It writes on the firmware's console, which shows nothing but dots in GRUB's own mode.
        Action::EnrolKey => format!(
            "if [ \"$grub_platform\" = efi ] ; then\nmenuentry {title} --class key {{\n    terminal_output console\n    chainloader {MOK_MANAGER}\n}}\nfi\n"
        ),
    }
}

/// A title in single quotes, where GRUB's script language takes everything as it is.
fn grub_quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// Parameters with what the script language would take as its own made harmless.
fn grub_words(text: &str) -> String {
    text.chars().fold(String::new(), |mut words, c| {
        if "\\$\"'`;&|<>{}".contains(c) {
            words.push('\\');
        }
        words.push(c);
        words
    })
}

/// `loopback.cfg`, for loaders that start an ISO out of a file.
pub(crate) const LOOPBACK: &str =
    "set iso_options=\"findiso=${iso_path}\"\nexport iso_options\nsource /boot/grub/grub.cfg\n";

/// `isolinux.cfg`, in the code page of its font; `look` are the renderer's own lines.
pub(crate) fn isolinux(boot: &Boot, entries: &[Entry], look: &str) -> Vec<u8> {
    let timeout = boot.timeout.map_or(0, |seconds| seconds.saturating_mul(10));
    let serial = boot.serial.map_or(String::new(), |serial| {
        format!("serial {} {}\n", serial.unit, serial.speed)
    });
    let head = format!(
        "# Made by Isosmith.\n{serial}ui vesamenu.c32\nprompt 0\ntimeout {timeout}\n{look}\n"
    );
    let mut text = head.into_bytes();
    for (number, entry) in entries.iter().enumerate() {
        if let Some(action) = isolinux_action(&entry.action) {
            text.extend(isolinux_entry(number, entry, &action));
        }
    }
    text
}

/// What an entry does on a BIOS; `None` for what only UEFI has.
fn isolinux_action(action: &Action) -> Option<String> {
    Some(match action {
        Action::Linux(parameters) => {
            format!("    linux {KERNEL}\n    initrd {INITRD}\n    append {parameters}\n")
        }
        Action::DebianInstaller(parameters) => {
            format!("    linux {KERNEL}\n    initrd {DEBIAN_INITRD}\n    append {parameters}\n")
        }
        Action::MemoryTest => format!("    linux {MEMTEST_BIOS}\n"),
        Action::LocalDisk => "    localboot 0x80\n".to_owned(),
        Action::EnrolKey => return None,
    })
}

fn isolinux_entry(number: usize, entry: &Entry, action: &str) -> Vec<u8> {
    let default = if number == 0 {
        "    menu default\n"
    } else {
        ""
    };
    let mut text = format!("label entry{number}\n    menu label ").into_bytes();
    text.extend(isosmith_branding::isolinux::label_bytes(&entry.title));
    text.extend(format!("\n{default}{action}\n").into_bytes());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_enrolled_where_there_is_secure_boot() {
        let entry = Entry {
            title: "Enroll".to_owned(),
            action: Action::EnrolKey,
        };
        let text = grub_entry(&entry);
        assert!(
            text.starts_with("if [ \"$grub_platform\" = efi ]"),
            "{text}"
        );
        assert!(text.contains("chainloader /EFI/boot/mmx64.efi"), "{text}");
        assert_eq!(isolinux_action(&entry.action), None);
    }

    #[test]
    fn titles_cannot_leave_their_quotes() {
        assert_eq!(grub_quote("Bob's {$x}"), r"'Bob'\''s {$x}'");
        assert_eq!(grub_words("a=b;reboot $x"), r"a=b\;reboot \$x");
    }
}
