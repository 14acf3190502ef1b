//! What is to be built, checked: [`BuildSpec`] and its parts.
//!
//! Only [`crate::check()`] makes a [`BuildSpec`], so every value in here already obeys the
//! rules of its type and of the whole (no contradictions between fields).

mod assistant;
mod branding;
mod desktop;
mod installer;
mod security;

pub use assistant::{Assistant, ModelInterface};
pub use branding::{Branding, Colour, Slide, Urls};
pub use desktop::{Applications, Desktop, DesktopSize, DisplayManager, Environment, SessionKind};
pub use installer::{Encryption, Filesystem, Installer, InstallerPage, Luks, Swap};
pub use security::{Firewall, Security, SigningKey, SshPolicy};

use crate::names::{
    Component, DebconfQuestion, GroupName, Hostname, KernelParameter, Label, Locale, MaterialPath,
    ModuleName, PackageName, SnapshotTime, SourceDate, TargetPath, Timezone, UnitName, Uri,
    UserName, XkbName,
};

/// Everything a build needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildSpec {
    /// The profile's own name, for people and for file names.
    pub profile: ProfileInfo,
    /// Which distribution, from where.
    pub base: Base,
    /// What is installed on top of the base system.
    pub software: Software,
    /// Which kernel, with which parameters and firmware.
    pub kernel: Kernel,
    /// Language, keyboard, time zone, host name.
    pub region: Region,
    /// What a person sees after the start.
    pub desktop: Desktop,
    /// Who can log in, and how.
    pub users: Users,
    /// Which units are switched on or off.
    pub services: Services,
    /// Files laid over the tree, in the order written.
    pub files: Vec<FileOverlay>,
    /// Scripts run inside the tree, in the order written.
    pub scripts: Vec<Script>,
    /// What protects the running system.
    pub security: Security,
    /// The AI helper; `None` for a system without.
    pub assistant: Option<Assistant>,
    /// How the system gets onto a disk.
    pub installer: Installer,
    /// How the medium boots.
    pub boot: Boot,
    /// Names, colours and pictures.
    pub branding: Branding,
    /// The ISO itself.
    pub image: Image,
}

/// What the profile says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileInfo {
    /// Short machine-friendly name (`minimal`); a-z, 0-9 and `-`.
    pub name: String,
    /// One line for people.
    pub description: String,
}

/// A Debian suite that the recipe knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Suite {
    /// Debian 12.
    Bookworm,
    /// Debian 13.
    Trixie,
    /// Debian 14, in preparation.
    Forky,
    /// Unstable; has no updates and no security pocket.
    Sid,
}

/// A machine architecture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Architecture {
    /// 64-bit x86 (`x86_64`).
    Amd64,
}

/// Where the base system comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// Which suite.
    pub suite: Suite,
    /// For which machines.
    pub architecture: Architecture,
    /// Archive areas, the first always `main`.
    pub components: Vec<Component>,
    /// Mirrors, best first; never empty.
    pub mirrors: Vec<Mirror>,
    /// Where `SUITE-security` comes from; `None` leaves the pocket out.
    pub security: Option<Mirror>,
    /// Whether the `SUITE-updates` pocket is used.
    pub updates: bool,
    /// The key that signs the archive and its pockets, where they are not signed by Debian
    /// itself: an archive of one's own, or a mirror that signs again.
    pub key: Option<MaterialPath>,
    /// Packages as they were at this time, from a snapshot archive.
    pub snapshot: Option<Snapshot>,
    /// Further repositories, each with its key.
    pub repositories: Vec<Repository>,
    /// HTTP proxy for every download; `None` takes the machine's own apt setting.
    pub proxy: Option<Uri>,
}

/// A Debian mirror as a profile names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mirror {
    /// What the machine's own apt uses where it is a Debian, else the official mirror.
    Auto,
    /// This one.
    At(Uri),
}

/// A point in time of a snapshot archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The time, `YYYYMMDDThhmmssZ`.
    pub time: SnapshotTime,
    /// The archive's base; the suite's mirror is `BASE/archive/debian/TIME/`,
    /// its security mirror `BASE/archive/debian-security/TIME/`.
    pub base: Uri,
}

/// A repository beside the distribution's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// File name stem under `/etc/apt/sources.list.d`; a-z, 0-9 and `-`.
    pub name: String,
    /// Where.
    pub uri: Uri,
    /// Suite, or a path ending in `/` for a flat repository.
    pub suite: String,
    /// Components; empty only for a flat repository.
    pub components: Vec<Component>,
    /// The OpenPGP public key (armoured or binary) that must have signed its Release.
    pub key: MaterialPath,
    /// Whether the finished image keeps the repository in its apt sources.
    pub keep: bool,
}

/// Packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Software {
    /// Package names to install, sorted, without repeats.
    pub packages: Vec<PackageName>,
    /// Packages that must never be installed, sorted.
    pub exclude: Vec<PackageName>,
    /// Whether Recommends are installed too.
    pub recommends: bool,
    /// Local `.deb` files.
    pub debs: Vec<MaterialPath>,
    /// Answers given to packages before they are configured.
    pub debconf: Vec<DebconfAnswer>,
}

/// One line for `debconf-set-selections`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DebconfAnswer {
    /// The package that asks; `d-i` for questions of Debian's installer.
    pub package: PackageName,
    /// The question, such as `keyboard-configuration/layoutcode`.
    pub question: DebconfQuestion,
    /// `boolean`, `string`, `select`, `multiselect`, `password` or `note`.
    pub kind: String,
    /// The answer; one line.
    pub value: String,
}

/// Which kernel packages are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KernelFlavour {
    /// `linux-image-amd64` of the suite.
    Stable,
    /// The same from `SUITE-backports`.
    Backports,
    /// `linux-image-rt-amd64`.
    Rt,
    /// `linux-image-cloud-amd64`.
    Cloud,
}

/// A named group of firmware packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FirmwareSet {
    /// Free firmware only: `firmware-linux-free`.
    Free,
    /// `firmware-amd-graphics firmware-intel-graphics firmware-nvidia-graphics` (or what the suite calls them).
    Graphics,
    /// Wireless cards: iwlwifi, realtek, atheros, brcm80211 and others.
    Wireless,
    /// Wired cards: bnx2, bnx2x, realtek, netronome and others.
    Ethernet,
    /// Sound: `firmware-sof-signed`.
    Sound,
    /// Processor microcode: `intel-microcode amd64-microcode`.
    Microcode,
    /// `firmware-misc-nonfree` and `firmware-linux-nonfree`.
    Misc,
}

/// The kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kernel {
    /// Which packages.
    pub flavour: KernelFlavour,
    /// Parameters for every boot entry, after the ones that live-boot needs.
    pub cmdline: Vec<KernelParameter>,
    /// Modules never loaded (`/etc/modprobe.d/isosmith-blacklist.conf`), in the initramfs too.
    pub blacklist: Vec<ModuleName>,
    /// Firmware to install.
    pub firmware: Vec<FirmwareSet>,
}

/// Language and place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// Locales to generate; the first is the default. Never empty.
    pub locales: Vec<Locale>,
    /// Keyboard of console and desktop.
    pub keyboard: Keyboard,
    /// Time zone, such as `Europe/Berlin`.
    pub timezone: Timezone,
    /// Name of the running system.
    pub hostname: Hostname,
}

/// XKB names, as in `/etc/default/keyboard` (see keyboard(5)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyboard {
    /// `XKBMODEL`, such as `pc105`.
    pub model: XkbName,
    /// `XKBLAYOUT`, such as `us` or `de,us`.
    pub layout: XkbName,
    /// `XKBVARIANT`; may be empty.
    pub variant: XkbName,
    /// `XKBOPTIONS`; may be empty.
    pub options: XkbName,
}

/// Who can log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Users {
    /// The live user; `None` makes none.
    pub live: Option<LiveUser>,
    /// How root logs in.
    pub root: Login,
    /// Further accounts, made while the image is built; their names differ from each other
    /// and from the live user's.
    pub accounts: Vec<Account>,
}

impl Users {
    /// How each account logs in, root's too.
    pub fn logins(&self) -> impl Iterator<Item = &Login> {
        let live = self.live.iter().map(|user| &user.password);
        let accounts = self.accounts.iter().map(|account| &account.password);
        live.chain([&self.root]).chain(accounts)
    }
}

/// An account that is part of the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Login name.
    pub name: UserName,
    /// GECOS full name; may be empty.
    pub full_name: String,
    /// Password.
    pub password: Login,
    /// Supplementary groups; those that do not exist in the image are an error of the build.
    pub groups: Vec<GroupName>,
    /// Whether the account may do everything with sudo, with its own password.
    pub sudo: bool,
    /// Whether the home folder is as new after each logout.
    pub reset: bool,
}

/// The user that exists in the live system, made at boot by live-config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveUser {
    /// Login name.
    pub name: UserName,
    /// GECOS full name; may be empty.
    pub full_name: String,
    /// Password.
    pub password: Login,
    /// Supplementary groups; those that do not exist in the image are an error of the build.
    pub groups: Vec<GroupName>,
    /// Whether consoles and the display manager log the user in by themselves.
    pub autologin: bool,
    /// What sudo allows.
    pub sudo: SudoPolicy,
    /// Lines for `~/.ssh/authorized_keys`.
    pub ssh_keys: Vec<String>,
}

/// How an account's password works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Login {
    /// No password opens it.
    Locked,
    /// crypt(5) hash, such as `$y$…` or `$6$…`.
    Hash(String),
    /// To be asked on the terminal before the build; becomes a [`Login::Hash`].
    Prompt,
}

/// What sudo allows the live user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SudoPolicy {
    /// Everything, without a password.
    NoPassword,
    /// Everything, with the user's own password.
    Password,
    /// Nothing.
    None,
}

/// systemd units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Services {
    /// Switched on.
    pub enable: Vec<UnitName>,
    /// Switched off.
    pub disable: Vec<UnitName>,
}

/// A file or folder laid over the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileOverlay {
    /// File or folder beside the profile; a folder's contents go below `target`.
    pub source: MaterialPath,
    /// Absolute path in the tree.
    pub target: TargetPath,
    /// Owner's name in the image.
    pub owner: UserName,
    /// Group's name in the image.
    pub group: GroupName,
    /// Permission bits of files, such as `0o644`; folders get the search bits added.
    /// `None` keeps the source's executable bit and is `0o644` or `0o755`.
    pub mode: Option<u32>,
}

/// When a script runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ScriptPoint {
    /// The base system is configured, nothing else is installed.
    AfterBase,
    /// All packages are installed and configured.
    AfterPackages,
    /// Everything is in place, just before the tree is cleaned and packed.
    BeforeImage,
    /// Once, when the finished system boots for the first time.
    FirstBoot,
}

/// A script of the profile's owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// When it runs.
    pub point: ScriptPoint,
    /// The script file; begins with `#!`.
    pub source: MaterialPath,
    /// Whether it may use the network (never for [`ScriptPoint::FirstBoot`], where it is the system's own affair).
    pub network: bool,
}

/// How a BIOS machine boots the medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BiosLoader {
    /// ISOLINUX with its graphical menu.
    Isolinux,
    /// GRUB, same menu as UEFI.
    Grub,
    /// Not at all.
    None,
}

/// A line of the boot menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MenuEntry {
    /// The live system.
    Live,
    /// The live system copied to memory first (`toram`).
    LiveToRam,
    /// Without kernel mode setting, for graphics that fail (`nomodeset`).
    SafeGraphics,
    /// Check the medium's checksums, then boot.
    VerifyMedium,
    /// memtest86+.
    MemoryTest,
    /// The live system with the installer open (needs [`Installer::calamares`]).
    Install,
    /// Debian's own installer in text mode (needs [`Installer::debian`]).
    DebianInstaller,
    /// The operating system on the first disk.
    LocalDisk,
}

impl MenuEntry {
    /// Whether it starts the live system for working in it.
    pub const fn is_live(self) -> bool {
        match self {
            Self::Live | Self::LiveToRam | Self::SafeGraphics => true,
            Self::VerifyMedium
            | Self::MemoryTest
            | Self::Install
            | Self::DebianInstaller
            | Self::LocalDisk => false,
        }
    }
}

/// A serial console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SerialConsole {
    /// 0 for `ttyS0` and so on, up to 3.
    pub unit: u8,
    /// Bits per second, such as 115200.
    pub speed: u32,
}

/// How the medium boots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boot {
    /// On BIOS machines.
    pub bios: BiosLoader,
    /// Whether UEFI machines can boot it.
    pub uefi: bool,
    /// Whether signed shim and GRUB are used (needs `uefi`).
    pub secure_boot: bool,
    /// Menu lines in order; never empty.
    pub entries: Vec<MenuEntry>,
    /// Seconds until the first entry starts by itself; `None` waits for ever.
    pub timeout: Option<u32>,
    /// Menu and kernel messages on a serial line too.
    pub serial: Option<SerialConsole>,
    /// Further kernel parameters for live entries, such as `toram` or `persistence`.
    pub parameters: Vec<KernelParameter>,
}

/// How the squashfs is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Level 1 to 22.
    Zstd(u8),
    /// With or without the x86 branch filter; xz has no level in SquashFS.
    Xz,
    /// Level 1 to 9.
    Gzip(u8),
    /// `true` is high compression.
    Lz4(bool),
    /// Level 1 to 9 (`lzo1x_999`).
    Lzo(u8),
}

/// A checksum that is written beside the ISO.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Checksum {
    /// `NAME.iso.sha256`.
    Sha256,
    /// `NAME.iso.sha512`.
    Sha512,
    /// `NAME.iso.md5`.
    Md5,
}

/// The ISO.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Of the squashfs.
    pub compression: Compression,
    /// ISO 9660 volume label; 1 to 32 characters of A-Z, 0-9 and `_`-like ones (see [`Label`]).
    pub label: Label,
    /// File name with every placeholder already filled in; ends in `.iso`.
    pub file_name: String,
    /// Which checksum files are written.
    pub checksums: Vec<Checksum>,
    /// `SOURCE_DATE_EPOCH`; `None` takes the date of the suite's Release file.
    pub source_date: Option<SourceDate>,
}
