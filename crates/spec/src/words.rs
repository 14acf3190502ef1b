//! How the choices of the model are written in a profile, and back.

use std::fmt;
use std::str::FromStr;

use crate::model::{
    Architecture, BiosLoader, Checksum, Colour, Compression, DesktopSize, DisplayManager,
    Encryption, Environment, Filesystem, Firewall, FirmwareSet, InstallerPage, KernelFlavour, Luks,
    MenuEntry, Mirror, ModelInterface, ScriptPoint, SessionKind, SudoPolicy, Suite, Swap,
};
use crate::problem::{Reason, nearest, quote};

/// Gives a plain enum its words.
macro_rules! words {
    ($($kind:ident is a $what:literal { $($variant:ident = $word:literal),+ $(,)? })+) => {$(
        impl $kind {
            /// Every value, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Every word, in the same order.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word that stands for it in a profile.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }
        }

        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $kind {
            type Err = Reason;

            fn from_str(text: &str) -> Result<Self, Reason> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    other => Err(unknown($what, other, Self::WORDS)),
                }
            }
        }
    )+};
}

words! {
    Suite is a "suite" { Bookworm = "bookworm", Trixie = "trixie", Forky = "forky", Sid = "sid" }
    Architecture is a "architecture" { Amd64 = "amd64" }
    KernelFlavour is a "kernel flavour" {
        Stable = "stable", Backports = "backports", Rt = "rt", Cloud = "cloud"
    }
    FirmwareSet is a "firmware set" {
        Free = "free", Graphics = "graphics", Wireless = "wireless", Ethernet = "ethernet",
        Sound = "sound", Microcode = "microcode", Misc = "misc"
    }
    SudoPolicy is a "sudo policy" {
        NoPassword = "nopasswd", Password = "password", None = "none"
    }
    ScriptPoint is a "script point" {
        AfterBase = "after-base", AfterPackages = "after-packages",
        BeforeImage = "before-image", FirstBoot = "first-boot"
    }
    BiosLoader is a "BIOS loader" { Isolinux = "isolinux", Grub = "grub", None = "none" }
    MenuEntry is a "menu entry" {
        Live = "live", LiveToRam = "live-to-ram", SafeGraphics = "safe-graphics",
        Install = "install", DebianInstaller = "debian-installer",
        VerifyMedium = "verify-medium", MemoryTest = "memory-test", LocalDisk = "local-disk"
    }
    Environment is a "desktop" {
        Kde = "kde", Gnome = "gnome", Xfce = "xfce", Lxqt = "lxqt", Cinnamon = "cinnamon",
        Mate = "mate", Kiosk = "kiosk"
    }
    DesktopSize is a "size of a desktop" {
        Minimal = "minimal", Standard = "standard", Full = "full"
    }
    DisplayManager is a "display manager" {
        Sddm = "sddm", Gdm = "gdm", Lightdm = "lightdm", None = "none"
    }
    SessionKind is a "kind of session" { Wayland = "wayland", X11 = "x11" }
    InstallerPage is a "page of the installer" {
        Welcome = "welcome", Locale = "locale", Keyboard = "keyboard", Partition = "partition",
        Users = "users", Summary = "summary"
    }
    Filesystem is a "filesystem" { Ext4 = "ext4", Btrfs = "btrfs", Xfs = "xfs" }
    Swap is a "kind of swap" {
        None = "none", Small = "small", Suspend = "suspend", File = "file"
    }
    Encryption is a "way to offer encryption" {
        Offered = "offered", Preselected = "preselected", Hidden = "hidden"
    }
    Luks is a "version of LUKS" { Luks1 = "luks1", Luks2 = "luks2" }
    Firewall is a "firewall" { None = "none", Nftables = "nftables", Ufw = "ufw" }
    ModelInterface is a "model interface" { Ollama = "ollama", OpenAi = "openai" }
    Checksum is a "checksum" { Sha256 = "sha256", Sha512 = "sha512", Md5 = "md5" }
}

/// `written` is none of `known`: says so, and which one was probably meant.
pub(crate) fn unknown(what: &str, written: &str, known: &[&str]) -> Reason {
    let message = match nearest(written, known.iter().copied()) {
        Some(near) => format!("unknown {what} {}; did you mean `{near}`?", quote(written)),
        None => format!("unknown {what} {}", quote(written)),
    };
    let listed: Vec<String> = known.iter().map(|word| format!("`{word}`")).collect();
    let fix = match listed.as_slice() {
        [single] => format!("write {single}"),
        several => format!("write one of {}", several.join(", ")),
    };
    Reason::new(message, fix)
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zstd(level) => write!(f, "zstd:{level}"),
            Self::Xz => f.write_str("xz"),
            Self::Gzip(level) => write!(f, "gzip:{level}"),
            Self::Lz4(true) => f.write_str("lz4:hc"),
            Self::Lz4(false) => f.write_str("lz4"),
            Self::Lzo(level) => write!(f, "lzo:{level}"),
        }
    }
}

impl Compression {
    /// A regular expression for the schema.
    pub const PATTERN: &'static str =
        "^(zstd(:([1-9]|1[0-9]|2[0-2]))?|xz|gzip(:[1-9])?|lz4(:hc)?|lzo(:[1-9])?)$";
}

impl FromStr for Compression {
    type Err = Reason;

    /// `NAME` or `NAME:LEVEL`; without a level the default of mksquashfs(1) is taken.
    fn from_str(text: &str) -> Result<Self, Reason> {
        let (name, level) = match text.split_once(':') {
            Some((name, level)) => (name, Some(level)),
            None => (text, None),
        };
        let leveled = |default: u8, most: u8| match level {
            None => Ok(default),
            Some(level) => level
                .parse::<u8>()
                .ok()
                .filter(|number| (1..=most).contains(number) && !level.starts_with('+'))
                .ok_or_else(|| {
                    Reason::new(
                        format!("{name} has no level {}", quote(level)),
                        format!("write `{name}:1` to `{name}:{most}`"),
                    )
                }),
        };
        match (name, level) {
            ("zstd", _) => Ok(Self::Zstd(leveled(15, 22)?)),
            ("gzip", _) => Ok(Self::Gzip(leveled(9, 9)?)),
            ("lzo", _) => Ok(Self::Lzo(leveled(8, 9)?)),
            ("xz", None) => Ok(Self::Xz),
            ("xz", Some(_)) => Err(Reason::new("xz has no level in SquashFS", "write `xz`")),
            ("lz4", None) => Ok(Self::Lz4(false)),
            ("lz4", Some("hc")) => Ok(Self::Lz4(true)),
            ("lz4", Some(other)) => Err(Reason::new(
                format!("lz4 has no level {}", quote(other)),
                "write `lz4`, or `lz4:hc` for high compression",
            )),
            (other, _) => Err(unknown(
                "compression",
                other,
                &["zstd", "xz", "gzip", "lz4", "lzo"],
            )),
        }
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.r, self.g, self.b)
    }
}

impl Colour {
    /// A regular expression for the schema.
    pub const PATTERN: &'static str = "^#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})$";
}

impl FromStr for Colour {
    type Err = Reason;

    /// `#rgb` or `#rrggbb`.
    fn from_str(text: &str) -> Result<Self, Reason> {
        let digits: Option<Vec<u8>> = text.strip_prefix('#').and_then(|digits| {
            digits
                .chars()
                .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
                .collect()
        });
        match digits.as_deref() {
            Some(&[r, g, b]) => Ok(Self {
                r: r * 17,
                g: g * 17,
                b: b * 17,
            }),
            Some(&[r1, r2, g1, g2, b1, b2]) => Ok(Self {
                r: r1 * 16 + r2,
                g: g1 * 16 + g2,
                b: b1 * 16 + b2,
            }),
            _ => Err(Reason::new(
                format!("{} is not a colour", quote(text)),
                "write `#rrggbb`, such as `#1b6acb`",
            )),
        }
    }
}

impl fmt::Display for Mirror {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::At(uri) => uri.fmt(f),
        }
    }
}

impl FromStr for Mirror {
    type Err = Reason;

    /// `auto` or an address.
    fn from_str(text: &str) -> Result<Self, Reason> {
        match text {
            "auto" => Ok(Self::Auto),
            address => address.parse().map(Self::At),
        }
    }
}
