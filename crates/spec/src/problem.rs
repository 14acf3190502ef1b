//! What is wrong with a profile, in words for the person who wrote it.

use std::fmt;

use crate::layer::Origin;

/// Why a single value is refused, and what to write instead.
///
/// Both texts are one plain sentence without a capital letter or a full stop, so that
/// they can stand after a field's path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub fix: String,
}

impl Reason {
    /// A reason from its two sentences.
    pub fn new(message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            fix: fix.into(),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.message, self.fix)
    }
}

impl std::error::Error for Reason {}

/// Something that keeps a profile from becoming a spec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The field, as it stands in the text it was written in: `software.packages[3]`.
    /// Empty when the whole text is meant.
    pub path: String,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to do about it, in one sentence.
    pub fix: String,
    /// Which text holds the field; `None` when no single one does.
    pub origin: Option<Origin>,
}

impl Problem {
    pub(crate) fn new(path: impl Into<String>, reason: Reason, origin: Option<Origin>) -> Self {
        Self {
            path: path.into(),
            message: reason.message,
            fix: reason.fix,
            origin,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(origin) = &self.origin {
            write!(f, "{origin}: ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "{} ({})", self.message, self.fix)
    }
}

impl std::error::Error for Problem {}

/// The known word that was probably meant by `written`, if one is near enough.
pub(crate) fn nearest<'w>(
    written: &str,
    known: impl IntoIterator<Item = &'w str>,
) -> Option<&'w str> {
    // The distance costs the product of both lengths; no known word is longer than this.
    if written.chars().count() > 64 {
        return None;
    }
    let written = written.to_lowercase();
    known
        .into_iter()
        .map(|word| (strsim::damerau_levenshtein(&written, word), word))
        .filter(|(distance, word)| *distance <= (word.len() / 3).max(1))
        .min()
        .map(|(_, word)| word)
}

/// `written` between back quotes, short enough for a message and with nothing invisible in it.
pub(crate) fn quote(written: &str) -> String {
    let mut shown = String::from("`");
    for (count, c) in written.chars().enumerate() {
        if count == 60 {
            shown.push('…');
            break;
        }
        match invisible(c) {
            true => shown.extend(c.escape_unicode()),
            false => shown.push(c),
        }
    }
    shown.push('`');
    shown
}

/// Whether `c` is a control, format or line-separating character (Unicode general
/// categories Cc, Cf, Zl and Zp), which can hide what a text really says.
pub(crate) fn invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}'
            | '\u{890}'..='\u{891}' | '\u{8e2}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0001}'
            | '\u{e0020}'..='\u{e007f}')
}
