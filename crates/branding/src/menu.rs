//! A boot menu as a person sees it.

use isosmith_spec::model::MenuEntry;

/// What a line of the menu is called, on the medium and in the preview, for a product of this
/// name.
pub fn title(entry: MenuEntry, name: &str) -> String {
    match entry {
        MenuEntry::Live => name.to_owned(),
        MenuEntry::LiveToRam => format!("{name} (copied to memory)"),
        MenuEntry::SafeGraphics => format!("{name} (safe graphics)"),
        MenuEntry::Install => format!("Install {name}"),
        MenuEntry::DebianInstaller => format!("Install {name} in text mode"),
        MenuEntry::VerifyMedium => "Verify this medium".to_owned(),
        MenuEntry::MemoryTest => "Memory test".to_owned(),
        MenuEntry::LocalDisk => "Start from the first disk".to_owned(),
    }
}

/// The last line where the owner's key has signed, on UEFI; in words that MokManager uses, too.
pub const ENROL: &str = "Enroll the owner's key";

/// The entries of a boot menu and what is highlighted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Menu {
    /// Labels from top to bottom.
    pub entries: Vec<String>,
    /// Index of the highlighted entry, from 0.
    pub selected: usize,
    /// The countdown, where one runs.
    pub countdown: Option<Countdown>,
}

/// Seconds until the highlighted entry starts by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Countdown {
    /// Where it began, in seconds.
    pub total: u32,
    /// What is left, in seconds.
    pub left: u32,
}

impl Countdown {
    /// A countdown that has just begun.
    pub fn starting(total: u32) -> Self {
        Self { total, left: total }
    }
}

impl Menu {
    /// A menu with its first entry highlighted.
    pub fn new(entries: Vec<String>, countdown: Option<Countdown>) -> Self {
        Self {
            entries,
            selected: 0,
            countdown,
        }
    }
}

#[cfg(test)]
impl Menu {
    /// A menu of `count` entries that begins to count down from 10.
    pub(crate) fn sample(count: usize) -> Menu {
        let entries = (1..=count)
            .map(|number| format!("Entry {number}"))
            .collect();
        Menu::new(entries, Some(Countdown::starting(10)))
    }
}
