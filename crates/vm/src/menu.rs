//! Typing into boot menus.

use crate::keys::Key;

/// The keys that add `parameters` to the command line of the chosen entry of an ISOLINUX menu
/// and start it: Tab edits it (`menu.txt` of Syslinux). `None` if a US keyboard has not got a
/// character of it.
#[must_use]
pub fn isolinux_start_with(parameters: &str) -> Option<Vec<Key>> {
    let typed = Key::text(&format!(" {parameters}"))?;
    let keys = [Key::Tab].into_iter().chain(typed).chain([Key::Enter]);
    Some(keys.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_added_and_the_entry_started() {
        let keys = isolinux_start_with("x=1").expect("typed");
        let codes: Vec<_> = keys.into_iter().flat_map(Key::codes).collect();
        assert_eq!(codes.join(" "), "tab spc x equal 1 ret");
        assert_eq!(isolinux_start_with("ä"), None);
    }
}
