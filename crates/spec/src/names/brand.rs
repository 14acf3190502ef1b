//! Names of the product.

use super::{at_most, lower, name, nothing_hidden, only, refuse_if, visible};
use crate::problem::{Reason, quote};

name! {
    /// An ISO 9660 volume label: 1 to 32 of `A-Z 0-9 _` (ECMA-119, d-characters), and `-`
    /// and `.`, which xorriso writes without harm.
    Label, label, "^[A-Z0-9_.][A-Z0-9_.-]{0,31}$"
}

name! {
    /// os-release(5) `ID`: a lower-case word of `0-9 a-z . _ -`.
    OsId, os_id, "^[a-z0-9][a-z0-9._-]{0,63}$"
}

name! {
    /// os-release(5) `VERSION_CODENAME`: a lower-case word of `0-9 a-z . _ -`, or nothing.
    Codename, codename, "^([a-z0-9][a-z0-9._-]{0,63})?$"
}

fn label(text: &str) -> Result<(), Reason> {
    visible(text, "volume label")?;
    at_most(text, 32, "volume label")?;
    let suggestion = label_like(text);
    only(
        text,
        |c| c.is_ascii_uppercase() || c.is_ascii_digit() || "_.-".contains(c),
        "volume label",
        "A-Z, 0-9, `_`, `-` and `.`",
    )
    .map_err(|reason| match suggestion.is_empty() {
        true => reason,
        false => Reason::new(reason.message, format!("write {}", quote(&suggestion))),
    })
}

/// `text` in the characters of a volume label; what has no place there becomes `_`.
pub(crate) fn label_like(text: &str) -> String {
    let mut label = String::new();
    for c in text.chars().map(|c| c.to_ascii_uppercase()) {
        match c.is_ascii_uppercase() || c.is_ascii_digit() || "_.-".contains(c) {
            true => label.push(c),
            false if label.ends_with('_') => {}
            false => label.push('_'),
        }
    }
    label.trim_matches(['_', '-', '.']).to_owned()
}

/// os-release(5): the character set of `ID`, `VERSION_ID` and `VERSION_CODENAME`.
pub(crate) fn os_word(text: &str, what: &str) -> Result<(), Reason> {
    visible(text, what)?;
    at_most(text, 64, what)?;
    refuse_if(
        text.chars().any(|c| c.is_ascii_uppercase() || c == ' '),
        || {
            format!(
                "os-release knows only lower-case words, unlike {}",
                quote(text)
            )
        },
        format!(
            "write {}",
            quote(&text.to_ascii_lowercase().replace(' ', "-"))
        ),
    )?;
    only(
        text,
        |c| lower(c) || "._-".contains(c),
        what,
        "a-z, 0-9, `.`, `_` and `-`",
    )?;
    refuse_if(
        !text.starts_with(lower),
        || {
            format!(
                "the {what} {} does not begin with a letter or digit",
                quote(text)
            )
        },
        "begin with a letter or digit",
    )
}

fn os_id(text: &str) -> Result<(), Reason> {
    os_word(text, "id")
}

fn codename(text: &str) -> Result<(), Reason> {
    nothing_hidden(text)?;
    match text.is_empty() {
        true => Ok(()),
        false => os_word(text, "codename"),
    }
}
