//! Names that cannot be wrong: each type holds a text that obeys one rule.
//!
//! None of them can begin with `-`, so none can be read as an option by a command; none
//! holds control or invisible characters.

use crate::problem::{Reason, invisible, quote};

mod brand;
mod debian;
mod place;
mod port;
mod system;
mod time;

pub use brand::{Codename, Label, OsId};
pub(crate) use brand::{label_like, os_word};
pub use debian::{Component, DebconfQuestion, PackageName};
pub use place::{MaterialPath, TargetPath, Uri};
pub use port::{Port, Protocol};
pub use system::{
    DesktopFileId, GroupName, Hostname, KernelParameter, Locale, ModuleName, Timezone, UnitName,
    UserName, XkbName,
};
pub use time::{SnapshotTime, SourceDate};

/// Defines a name: a text in a private field that only its rule lets in.
macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $rule:expr, $pattern:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// A regular expression for the schema; it may let in a little more than
            /// [`Self::parse`], never less.
            pub const PATTERN: &'static str = $pattern;

            /// Takes a text that obeys the rule of this type.
            ///
            /// # Errors
            /// Why it does not, and what to write instead.
            pub fn parse(text: &str) -> Result<Self, Reason> {
                let rule: fn(&str) -> Result<(), Reason> = $rule;
                rule(text)?;
                Ok(Self(text.to_owned()))
            }

            /// The text as written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = Reason;

            fn from_str(text: &str) -> Result<Self, Reason> {
                Self::parse(text)
            }
        }
    };
}
pub(crate) use name;

/// A refusal, if `wrong`.
pub(crate) fn refuse_if(
    wrong: bool,
    message: impl FnOnce() -> String,
    fix: impl Into<String>,
) -> Result<(), Reason> {
    match wrong {
        true => Err(Reason::new(message(), fix)),
        false => Ok(()),
    }
}

/// The rule under every other: something is there, nothing is hidden in it, and it cannot
/// be taken for an option.
pub(crate) fn visible(text: &str, what: &str) -> Result<(), Reason> {
    refuse_if(
        text.is_empty(),
        || format!("the {what} is empty"),
        format!("write the {what}, or leave the line out"),
    )?;
    nothing_hidden(text)?;
    refuse_if(
        text.starts_with('-'),
        || {
            format!(
                "{} begins with `-` and would be read as an option",
                quote(text)
            )
        },
        format!("write the {what} without the leading `-`"),
    )
}

/// Refuses control and invisible characters.
pub(crate) fn nothing_hidden(text: &str) -> Result<(), Reason> {
    let Some(hidden) = text.chars().find(|c| invisible(*c)) else {
        return Ok(());
    };
    Err(Reason::new(
        format!(
            "{} holds the invisible character U+{:04X}",
            quote(text),
            u32::from(hidden)
        ),
        "remove the character; text copied from a web page often brings one along",
    ))
}

/// Refuses a text longer than `most` bytes.
pub(crate) fn at_most(text: &str, most: usize, what: &str) -> Result<(), Reason> {
    refuse_if(
        text.len() > most,
        || {
            format!(
                "the {what} {} is {} characters long; the most is {most}",
                quote(text),
                text.len()
            )
        },
        format!("shorten it to {most} characters"),
    )
}

/// Refuses the first character that `allowed` does not know.
pub(crate) fn only(
    text: &str,
    allowed: impl Fn(char) -> bool,
    what: &str,
    those: &str,
) -> Result<(), Reason> {
    let Some(wrong) = text.chars().find(|c| !allowed(*c)) else {
        return Ok(());
    };
    Err(Reason::new(
        format!(
            "the {what} {} holds {}, which is not allowed there",
            quote(text),
            match wrong {
                ' ' => "a space".to_owned(),
                other => quote(&other.to_string()),
            }
        ),
        format!("use only {those}"),
    ))
}

/// One line of free text which is written into several configuration formats.
///
/// Quotes, back quotes, backslashes and dollar signs are refused because os-release(5),
/// GRUB's and ISOLINUX's menus each give them another meaning.
pub(crate) fn one_line(text: &str, what: &str, most: usize) -> Result<(), Reason> {
    if text.is_empty() {
        return Ok(());
    }
    visible(text, what)?;
    refuse_if(
        text.chars().count() > most,
        || {
            format!(
                "the {what} is {} characters long; the most is {most}",
                text.chars().count()
            )
        },
        format!("shorten it to {most} characters"),
    )?;
    only(
        text,
        |c| !"\"\\$`".contains(c),
        what,
        "letters, digits, spaces and punctuation other than `\"`, `\\`, `$` and back quotes",
    )
}

pub(crate) fn lower(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit()
}

/// a-z, 0-9 and `-`, the first a letter or digit.
pub(crate) fn slug(text: &str, what: &str) -> Result<String, Reason> {
    visible(text, what)?;
    at_most(text, 64, what)?;
    refuse_if(
        text.contains(|c: char| c.is_ascii_uppercase() || "_ ".contains(c)),
        || {
            format!(
                "the {what} {} has capital letters, spaces or `_`",
                quote(text)
            )
        },
        format!(
            "write {}",
            quote(&text.to_ascii_lowercase().replace(['_', ' '], "-"))
        ),
    )?;
    only(text, |c| lower(c) || c == '-', what, "a-z, 0-9 and `-`")?;
    Ok(text.to_owned())
}
