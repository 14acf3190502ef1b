//! How the live system gets onto a disk.

use crate::names::PackageName;

/// A page of Calamares that people see, in its usual order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InstallerPage {
    /// Greeting, language, and whether the machine is good enough.
    Welcome,
    /// Time zone and formats.
    Locale,
    /// Keyboard.
    Keyboard,
    /// Which disk.
    Partition,
    /// Who will use the system.
    Users,
    /// What will happen.
    Summary,
}

/// A filesystem for the root of an installed system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Filesystem {
    /// ext4.
    Ext4,
    /// btrfs, with subvolumes for `/` and `/home`.
    Btrfs,
    /// XFS.
    Xfs,
}

/// Swap that is proposed (the words are those of Calamares' `partition.conf`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Swap {
    /// None.
    None,
    /// A small partition.
    Small,
    /// A partition as large as the memory, for suspending to disk.
    Suspend,
    /// A file.
    File,
}

/// Whether disks are encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Encryption {
    /// A person may ask for it.
    Offered,
    /// It is chosen unless a person says no.
    Preselected,
    /// It is not offered.
    Hidden,
}

/// A version of the LUKS format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Luks {
    /// LUKS1.
    Luks1,
    /// LUKS2.
    Luks2,
}

/// Installers on the medium.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installer {
    /// The graphical one, Calamares; needs a desktop, unless it is all that the medium does
    /// ([`Self::only`]).
    pub calamares: bool,
    /// Debian's own in text mode, as an entry of the boot menu.
    pub debian: bool,
    /// The medium installs and does nothing else: no live desktop.
    pub only: bool,
    /// Pages of Calamares that are shown; always with `Partition`, `Users` and `Summary`.
    pub pages: Vec<InstallerPage>,
    /// Of the root partition that is proposed.
    pub filesystem: Filesystem,
    /// Proposed.
    pub swap: Swap,
    /// Of the whole disk but the boot loader's part.
    pub encryption: Encryption,
    /// Its format.
    pub luks: Luks,
    /// Packages that the installed system does not keep, beside those of the live system and
    /// of the installer.
    pub remove: Vec<PackageName>,
}

impl Installer {
    /// Whether the system on the medium can be put onto a disk.
    pub const fn any(&self) -> bool {
        self.calamares || self.debian
    }
}
