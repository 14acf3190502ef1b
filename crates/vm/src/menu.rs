//! Typing into boot menus.

use crate::keys::Key;

/// A boot menu, as far as one must know it to change its first entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loader {
    /// ISOLINUX with a menu: Tab edits the kernel's command line (`menu.txt` of Syslinux).
    Isolinux,
    /// GRUB: `e` edits the entry's lines (GRUB's manual, "Editing menu entries").
    Grub {
        /// Which line of the first entry's body is `linux …`, from 0.
        linux_line: usize,
    },
}

impl Loader {
    /// Finds out from the text of a menu, `grub.cfg`, where the first entry has its kernel;
    /// `None` if it has none.
    #[must_use]
    pub fn grub(menu: &str) -> Option<Self> {
        let mut lines = menu.lines().map(str::trim_start);
        lines.find(|line| line.starts_with("menuentry "))?;
        let linux_line = lines
            .take_while(|line| !line.starts_with('}'))
            .position(|line| line.starts_with("linux "))?;
        Some(Self::Grub { linux_line })
    }

    /// The keys that add `parameters` to the first entry's command line and start it; `None`
    /// if a US keyboard has not got a character of it.
    #[must_use]
    pub fn start_with(self, parameters: &str) -> Option<Vec<Key>> {
        let typed = Key::text(&format!(" {parameters}"))?;
        let (before, after) = match self {
            Self::Isolinux => (vec![Key::Tab], Key::Enter),
            Self::Grub { linux_line } => {
                let mut keys = Key::text("e")?;
                // The editor's first line is `setparams`, then comes the body.
                keys.extend(std::iter::repeat_n(Key::Down, linux_line + 1));
                keys.push(Key::CtrlE);
                (keys, Key::F10)
            }
        };
        Some(before.into_iter().chain(typed).chain([after]).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(loader: Option<Loader>, expected: &str) {
        let keys = loader.and_then(|loader| loader.start_with("x=1"));
        let codes: Vec<_> = keys
            .unwrap_or_default()
            .into_iter()
            .flat_map(Key::codes)
            .collect();
        assert_eq!(codes.join(" "), expected);
    }

    #[test]
    fn a_parameter_is_added_and_the_entry_started() {
        check(Some(Loader::Isolinux), "tab spc x equal 1 ret");
        let first =
            "set timeout=5\nmenuentry 'Live' {\n    linux /live/vmlinuz\n    initrd /x\n}\n";
        check(Loader::grub(first), "e down ctrl e spc x equal 1 f10");
        let third = "menuentry 'Live' {\n  set gfxpayload=keep\n  echo x\n  linux /v quiet\n}\n";
        check(
            Loader::grub(third),
            "e down down down ctrl e spc x equal 1 f10",
        );
        let other = "menuentry 'Disk' {\n  chainloader +1\n}\nmenuentry 'Live' {\n  linux /v\n}\n";
        check(Loader::grub(other), "");
        check(Loader::grub(""), "");
    }
}
