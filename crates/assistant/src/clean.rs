//! Text from elsewhere, without what would command a terminal.
//!
//! An answer that moves the cursor could draw over what stands above it, and one that sets the
//! window's title or the clipboard could do worse. What a log has of that says nothing to a model.

/// Takes control functions out of a stream of text, wherever it is cut into pieces.
///
/// What begins with ESC or a C1 control goes with everything that belongs to it (ECMA-48, 5.4
/// and 5.6); so do other controls but line feed and tab, and the characters that turn the
/// direction of writing (Unicode Standard Annex 9), with which a command can look like another.
#[derive(Debug, Default)]
pub struct Cleaner {
    state: State,
}

#[derive(Debug, Default, Clone, Copy)]
enum State {
    #[default]
    Text,
    /// After ESC, and its intermediate bytes.
    Escape,
    /// In a control sequence, up to its final byte.
    Sequence,
    /// In a control string, up to its terminator.
    String,
    /// In a control string, after an ESC that may be the half of its terminator.
    StringEscape,
}

impl Cleaner {
    /// What may be shown of the next piece.
    pub fn clean(&mut self, piece: &str) -> String {
        piece.chars().filter(|&char| self.keeps(char)).collect()
    }

    fn keeps(&mut self, char: char) -> bool {
        let (next, keeps) = match (self.state, char) {
            // The introducers are the same wherever they stand.
            (State::Text | State::Escape | State::Sequence, '\u{1b}') => (State::Escape, false),
            (State::Text | State::Escape | State::Sequence, '\u{9b}') => (State::Sequence, false),
            (
                State::Text | State::Escape | State::Sequence,
                '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}',
            ) => (State::String, false),
            (State::Text, char) => (State::Text, is_plain(char)),
            (State::Escape, '[') => (State::Sequence, false),
            (State::Escape, 'P' | 'X' | ']' | '^' | '_') => (State::String, false),
            (State::Escape, ' '..='/') => (State::Escape, false),
            // A line feed ends what never ended, so that a stray ESC costs no more than its line.
            (State::Escape | State::Sequence, '\n') => (State::Text, true),
            (State::Escape, _) => (State::Text, false),
            (State::Sequence, '\u{20}'..='\u{3f}') => (State::Sequence, false),
            (State::Sequence, '\u{40}'..='\u{7e}') => (State::Text, false),
            (State::Sequence, char) => (State::Text, is_plain(char)),
            (State::String | State::StringEscape, '\u{7}' | '\u{9c}' | '\u{18}' | '\u{1a}') => {
                (State::Text, false)
            }
            (State::String | State::StringEscape, '\n') => (State::Text, true),
            (State::String, '\u{1b}') => (State::StringEscape, false),
            (State::String, _) => (State::String, false),
            (State::StringEscape, '\\') => (State::Text, false),
            (State::StringEscape, '\u{1b}') => (State::StringEscape, false),
            (State::StringEscape, _) => (State::String, false),
        };
        self.state = next;
        keeps
    }
}

/// Whether a character only ever stands for itself.
fn is_plain(char: char) -> bool {
    match char {
        '\n' | '\t' => true,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            false
        }
        char => !char.is_control(),
    }
}

/// A whole text at once.
pub fn clean(text: &str) -> String {
    Cleaner::default().clean(text)
}

/// One line for a message: clean, without line feeds, not longer than `most` characters.
pub fn one_line(text: &str, most: usize) -> String {
    let clean = clean(text);
    let mut words = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((cut, _)) = words.char_indices().nth(most) {
        words.truncate(cut);
        words.push('…');
    }
    words
}

/// The end of a text: at most `most` bytes, beginning with a whole line where there is one.
/// Also says how many bytes are missing.
pub fn end_of(text: &str, most: usize) -> (&str, usize) {
    if text.len() <= most {
        return (text, 0);
    }
    let mut from = text.len() - most;
    while !text.is_char_boundary(from) {
        from += 1;
    }
    if let Some(line) = text[from..].find('\n').map(|at| from + at + 1)
        && line < text.len()
    {
        from = line;
    }
    (&text[from..], from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_commands_a_terminal_is_left() {
        for (text, left) in [
            ("plain\ttext\n", "plain\ttext\n"),
            ("grün 😀 naïve", "grün 😀 naïve"),
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{1b}[2J\u{1b}[1;1Hgone", "gone"),
            ("\u{1b}[?25l\u{1b}[38;5;1mx", "x"),
            ("\u{1b}]0;title\u{7}x", "x"),
            ("\u{1b}]52;c;cm0gLXJm\u{1b}\\x", "x"),
            (
                "\u{1b}]8;;http://evil\u{1b}\\link\u{1b}]8;;\u{1b}\\",
                "link",
            ),
            ("\u{1b}Pq#0\u{1b}\\x", "x"),
            ("\u{1b}_apc\u{9c}x", "x"),
            ("\u{9b}31mx", "x"),
            ("\u{9d}0;t\u{9c}x", "x"),
            ("\u{1b}(Bx\u{1b}cx", "xx"),
            ("\u{1b}\u{1b}[31mx", "x"),
            ("a\rb\u{8}\u{7}\u{0}\u{7f}c", "abc"),
            ("line\r\nline", "line\nline"),
            ("rm \u{202e}fdp.x\u{202c} \u{2066}y\u{2069}", "rm fdp.x y"),
            ("cut \u{1b}[3", "cut "),
            ("never ends \u{1b}]0;title\nnext", "never ends \nnext"),
            ("\u{1b}\nnext", "\nnext"),
            ("\u{1b}[31\u{1b}[0mx", "x"),
        ] {
            assert_eq!(clean(text), left, "{text:?}");
            // Wherever it is cut.
            let mut cleaner = Cleaner::default();
            let pieces: String = text
                .chars()
                .map(|char| cleaner.clean(&char.to_string()))
                .collect();
            assert_eq!(pieces, left, "{text:?} in pieces");
        }
    }

    #[test]
    fn the_end_is_kept() {
        for (text, most, left, missing) in [
            ("short", 10, "short", 0),
            ("one\ntwo\nthree\n", 9, "three\n", 8),
            ("one\ntwo\nthree\n", 10, "three\n", 8),
            ("0123456789", 4, "6789", 6),
            ("012345678\n", 4, "678\n", 6),
            ("äöü", 3, "ü", 4),
        ] {
            assert_eq!(end_of(text, most), (left, missing), "{text:?}");
        }
    }

    #[test]
    fn a_message_is_one_short_line() {
        assert_eq!(one_line("a\n\u{1b}[1mb  c\n", 10), "a b c");
        assert_eq!(one_line("0123456789", 4), "0123…");
    }
}
