//! Small things about texts and bytes.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// SHA-256 in lower-case hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// A file name that stands for `what`.
pub(crate) fn name_of(what: &str) -> String {
    let mut name = sha256(what.as_bytes());
    name.truncate(24);
    name
}

/// One line of plain text: what an archive says is shown to people, and must not steer their
/// terminal or turn their text around.
pub(crate) fn plain(text: &str) -> impl Iterator<Item = char> {
    text.chars()
        .filter(|letter| !turns(*letter))
        .map(|letter| if letter.is_control() { ' ' } else { letter })
}

/// Whether it changes the direction of text, or is not to be seen at all (Unicode Standard
/// Annex 9, explicit formatting; and zero-width characters).
fn turns(letter: char) -> bool {
    matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_cannot_steer() {
        let check = |text: &str, want: &str| {
            assert_eq!(plain(text).collect::<String>(), want, "{text:?}");
        };
        check("Größe, 大きさ", "Größe, 大きさ");
        check("a\u{1b}[31mb", "a [31mb");
        check("a\u{202e}b\u{200b}c\td", "abc d");
    }
}
