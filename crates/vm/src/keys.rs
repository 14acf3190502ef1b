//! Keys of a US keyboard, as QEMU names them (`QKeyCode`).

/// A key to press.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key {
    /// Return.
    Enter,
    /// Escape.
    Escape,
    /// Tabulator; ISOLINUX edits an entry with it.
    Tab,
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
    /// Arrow left.
    Left,
    /// Arrow right.
    Right,
    /// F10; GRUB starts an edited entry with it.
    F10,
    /// Ctrl, Alt and Delete together.
    CtrlAltDelete,
    /// A character, made by [`Key::text`].
    Printed(Printed),
}

/// A character that a US keyboard has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Printed {
    code: &'static str,
    shift: bool,
}

impl Key {
    /// The keys that type `text`; `None` if it holds a character that a US
    /// keyboard has not.
    #[must_use]
    pub fn text(text: &str) -> Option<Vec<Self>> {
        text.chars()
            .map(|c| {
                if c == '\n' {
                    Some(Self::Enter)
                } else {
                    printed(c).map(Self::Printed)
                }
            })
            .collect()
    }

    /// QEMU's names of the keys that go down together.
    #[must_use]
    pub fn codes(self) -> Vec<&'static str> {
        match self {
            Self::Enter => vec!["ret"],
            Self::Escape => vec!["esc"],
            Self::Tab => vec!["tab"],
            Self::Up => vec!["up"],
            Self::Down => vec!["down"],
            Self::Left => vec!["left"],
            Self::Right => vec!["right"],
            Self::F10 => vec!["f10"],
            Self::CtrlAltDelete => vec!["ctrl", "alt", "delete"],
            Self::Printed(Printed { code, shift: true }) => vec!["shift", code],
            Self::Printed(Printed { code, shift: false }) => vec![code],
        }
    }
}

/// Each key: its code, its character, its character with shift.
const KEYS: [(&str, char, char); 48] = [
    ("a", 'a', 'A'),
    ("b", 'b', 'B'),
    ("c", 'c', 'C'),
    ("d", 'd', 'D'),
    ("e", 'e', 'E'),
    ("f", 'f', 'F'),
    ("g", 'g', 'G'),
    ("h", 'h', 'H'),
    ("i", 'i', 'I'),
    ("j", 'j', 'J'),
    ("k", 'k', 'K'),
    ("l", 'l', 'L'),
    ("m", 'm', 'M'),
    ("n", 'n', 'N'),
    ("o", 'o', 'O'),
    ("p", 'p', 'P'),
    ("q", 'q', 'Q'),
    ("r", 'r', 'R'),
    ("s", 's', 'S'),
    ("t", 't', 'T'),
    ("u", 'u', 'U'),
    ("v", 'v', 'V'),
    ("w", 'w', 'W'),
    ("x", 'x', 'X'),
    ("y", 'y', 'Y'),
    ("z", 'z', 'Z'),
    ("1", '1', '!'),
    ("2", '2', '@'),
    ("3", '3', '#'),
    ("4", '4', '$'),
    ("5", '5', '%'),
    ("6", '6', '^'),
    ("7", '7', '&'),
    ("8", '8', '*'),
    ("9", '9', '('),
    ("0", '0', ')'),
    ("spc", ' ', ' '),
    ("minus", '-', '_'),
    ("equal", '=', '+'),
    ("bracket_left", '[', '{'),
    ("bracket_right", ']', '}'),
    ("semicolon", ';', ':'),
    ("apostrophe", '\'', '"'),
    ("grave_accent", '`', '~'),
    ("backslash", '\\', '|'),
    ("comma", ',', '<'),
    ("dot", '.', '>'),
    ("slash", '/', '?'),
];

fn printed(c: char) -> Option<Printed> {
    KEYS.iter().find_map(|&(code, plain, shifted)| match c {
        c if c == plain => Some(Printed { code, shift: false }),
        c if c == shifted => Some(Printed { code, shift: true }),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&[&[&str]]>) {
        let found =
            Key::text(text).map(|keys| keys.into_iter().map(Key::codes).collect::<Vec<_>>());
        let expected =
            expected.map(|keys| keys.iter().map(|codes| codes.to_vec()).collect::<Vec<_>>());
        assert_eq!(found, expected);
    }

    #[test]
    fn text_becomes_keys() {
        check(
            "a B\n",
            Some(&[&["a"], &["spc"], &["shift", "b"], &["ret"]]),
        );
        check(
            "x=\"/\"",
            Some(&[
                &["x"],
                &["equal"],
                &["shift", "apostrophe"],
                &["slash"],
                &["shift", "apostrophe"],
            ]),
        );
        check("ä", None);
        assert_eq!(Key::CtrlAltDelete.codes(), ["ctrl", "alt", "delete"]);
    }
}
