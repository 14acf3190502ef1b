//! The serial console: cleaned of escapes, searched for markers, kept.

use std::collections::VecDeque;

/// Lines kept for reports.
const TAIL_LINES: usize = 60;
/// A line without end (a progress bar) is cut here.
const LINE_LIMIT: usize = 4096;

/// A text to wait for on the serial console.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Marker(String);

impl Marker {
    /// `None` for an empty text, which everything contains.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Option<Self> {
        let text = text.into();
        (!text.is_empty()).then_some(Self(text))
    }

    /// The prompt of getty and of most display-less systems.
    #[must_use]
    pub fn login() -> Self {
        Self("login:".to_owned())
    }

    /// Texts after which a Debian live system does not come up any more.
    #[must_use]
    pub fn usual_failures() -> Vec<Self> {
        let texts = [
            "Kernel panic",
            "(initramfs)",
            "dracut-emergency",
            "You are in emergency mode",
            "Unable to find a medium containing a live file system",
            "SBAT self-check failed",
            "Security Violation",
            "Access Denied",
            "grub rescue>",
            "No bootable device",
        ];
        texts.map(|text| Self(text.to_owned())).into()
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}

/// What came over the line so far.
#[derive(Debug, Default)]
pub(crate) struct Serial {
    lines: VecDeque<String>,
    current: Vec<u8>,
    escape: Escape,
    /// Cleaned text that has not been searched wholly.
    fresh: String,
    /// The longest marker, so that one cut in two is still found.
    longest: usize,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Escape {
    #[default]
    None,
    /// After ESC.
    Started,
    /// In a control sequence, until its final letter (ECMA-48 5.4).
    Sequence,
    /// In a string such as a window title, until BEL or ESC.
    Text,
}

impl Serial {
    /// `longest` is the length in bytes of the longest text to search for.
    pub(crate) fn new(longest: usize) -> Self {
        Self {
            longest,
            ..Self::default()
        }
    }

    /// Takes what was read.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        let clean: Vec<u8> = bytes
            .iter()
            .copied()
            .filter_map(|byte| self.clean(byte))
            .collect();
        for &byte in &clean {
            if byte == b'\n' || self.current.len() >= LINE_LIMIT {
                self.end_line();
            }
            if byte != b'\n' {
                self.current.push(byte);
            }
        }
        self.fresh.push_str(&String::from_utf8_lossy(&clean));
    }

    /// Marks the text so far as searched, but for the length of a marker.
    pub(crate) fn searched(&mut self) {
        let keep = self.longest.saturating_sub(1).min(self.fresh.len());
        let mut cut = self.fresh.len() - keep;
        while !self.fresh.is_char_boundary(cut) {
            cut -= 1;
        }
        self.fresh.drain(..cut);
    }

    /// Whether `text` has come since the last search.
    pub(crate) fn has(&self, text: &str) -> bool {
        self.fresh.contains(text)
    }

    /// The last lines, oldest first.
    pub(crate) fn tail(&self) -> Vec<String> {
        let unfinished = String::from_utf8_lossy(&self.current).into_owned();
        self.lines
            .iter()
            .cloned()
            .chain((!unfinished.is_empty()).then_some(unfinished))
            .collect()
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.current);
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        // Menus that are drawn again and again would fill the tail with gaps.
        if line.is_empty() && self.lines.back().is_none_or(String::is_empty) {
            return;
        }
        if self.lines.len() == TAIL_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    fn clean(&mut self, byte: u8) -> Option<u8> {
        let (next, output) = match (self.escape, byte) {
            (_, 0x1b) => (Escape::Started, None),
            (Escape::Started, b'[') => (Escape::Sequence, None),
            (Escape::Started, b']' | b'P' | b'X' | b'^' | b'_') => (Escape::Text, None),
            (Escape::Started, 0x20..=0x2f) => (Escape::Started, None),
            (Escape::Started, _) => (Escape::None, None),
            // The cursor goes elsewhere, as GRUB's menu does for each line.
            (Escape::Sequence, b'H' | b'f') => (Escape::None, Some(b'\n')),
            (Escape::Sequence, 0x40..=0x7e) => (Escape::None, None),
            (Escape::Sequence, _) => (Escape::Sequence, None),
            (Escape::Text, 0x07) => (Escape::None, None),
            (Escape::Text, _) => (Escape::Text, None),
            (Escape::None, b'\n' | b'\t' | 0x20..=0x7e | 0x80..) => (Escape::None, Some(byte)),
            (Escape::None, _) => (Escape::None, None),
        };
        self.escape = next;
        output
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(chunks: &[&str], marker: &str, expected: bool) {
        let mut serial = Serial::new(marker.len());
        let found = chunks.iter().any(|chunk| {
            serial.feed(chunk.as_bytes());
            let found = serial.has(marker);
            serial.searched();
            found
        });
        assert_eq!(found, expected, "{chunks:?}");
    }

    #[test]
    fn markers_are_found_through_cuts_and_escapes() {
        check(&["debian login: "], "login:", true);
        check(&["debian lo", "gin", ": "], "login:", true);
        check(
            &["\x1b[0;1;32m lo\x1b[0mgin\x1b]0;title\x07:"],
            "login:",
            true,
        );
        check(&["log\r", "in:"], "login:", true);
        check(&["log\nin:"], "login:", false);
        check(&["no prompt"], "login:", false);
        check(&["fertig ü", "ber alles"], "über", true);
        // What was searched once is not found again.
        let mut serial = Serial::new(2);
        serial.feed(b"ok then");
        serial.searched();
        assert!(!serial.has("ok"));
    }

    #[test]
    fn the_tail_is_short_and_readable() {
        let mut serial = Serial::new(1);
        for line in 0..200 {
            serial.feed(format!("line {line}\r\n").as_bytes());
        }
        serial.feed(b"half");
        let tail = serial.tail();
        assert_eq!(tail.len(), TAIL_LINES + 1);
        assert_eq!(tail[TAIL_LINES - 1..], ["line 199", "half"]);
        serial.feed(b"\x1b[2;1H\x1b[3;1H\n\nmenu\x1b[4;1H");
        assert!(
            serial
                .tail()
                .ends_with(&["half".to_owned(), String::new(), "menu".to_owned()])
        );
        serial.feed(&vec![b'x'; 3 * LINE_LIMIT]);
        assert!(serial.tail().iter().all(|line| line.len() <= LINE_LIMIT));
    }

    #[test]
    fn an_empty_marker_does_not_exist() {
        assert_eq!(Marker::new(""), None);
        assert_eq!(Marker::new("x").unwrap().text(), "x");
    }
}
