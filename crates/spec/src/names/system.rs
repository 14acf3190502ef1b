//! Names inside the running system.

use super::{at_most, lower, name, nothing_hidden, only, refuse_if, visible};
use crate::problem::{Reason, quote};

name! {
    /// A machine's name: one label of RFC 1123 in lower case, at most 63 characters;
    /// hostname(5) asks for a name without dots.
    Hostname, hostname, "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
}

name! {
    /// A login name: `[a-z_][a-z0-9_-]*`, at most 32 characters (useradd(8)).
    UserName, user, "^[a-z_][a-z0-9_-]{0,31}$"
}

name! {
    /// A group's name: `[a-z_][a-z0-9_-]*`, at most 32 characters (groupadd(8)).
    GroupName, group, "^[a-z_][a-z0-9_-]{0,31}$"
}

name! {
    /// A locale that glibc can generate, always UTF-8: `de_DE.UTF-8`, `C.UTF-8`,
    /// `ca_ES.UTF-8@valencia`.
    Locale, locale, "^(C|[a-z]{2,3}(_[A-Z]{2})?)\\.UTF-8(@[a-z]+)?$"
}

name! {
    /// A time zone's name of the tz database in its `Area/City` shape, or `UTC`. Whether
    /// it exists is only known in the image.
    Timezone, timezone, "^(UTC|[A-Z][A-Za-z_]*(/[A-Z][A-Za-z0-9_+-]*){1,2})$"
}

name! {
    /// One kernel parameter, `NAME` or `NAME=VALUE`, without white space and without
    /// characters that GRUB's or ISOLINUX's configuration would read as their own.
    KernelParameter, parameter, "^[A-Za-z0-9_][A-Za-z0-9_.,:=/@%+*!?^~#()\\[\\]-]*$"
}

name! {
    /// A kernel module's name, at most 55 characters (`MODULE_NAME_LEN` in the kernel).
    ModuleName, module, "^[A-Za-z0-9_][A-Za-z0-9_-]{0,54}$"
}

name! {
    /// A systemd unit with its suffix (systemd.unit(5)); `foo@.service` is a template.
    UnitName, unit, "^[A-Za-z0-9:_.\\\\@][A-Za-z0-9:_.\\\\@-]*\\.(service|socket|device|mount|automount|swap|target|path|timer|slice|scope)$"
}

name! {
    /// A value of `/etc/default/keyboard` (keyboard(5)); may be empty.
    XkbName, xkb, "^([A-Za-z0-9_,:.()+][A-Za-z0-9_,:.()+-]*)?$"
}

name! {
    /// A desktop file as other files name it: its name without a folder (Desktop Entry
    /// Specification, "Desktop File ID"), such as `org.mozilla.firefox.desktop`.
    DesktopFileId, desktop_file, "^[A-Za-z0-9][A-Za-z0-9._-]*\\.desktop$"
}

fn desktop_file(text: &str) -> Result<(), Reason> {
    visible(text, "desktop file")?;
    at_most(text, 255, "desktop file")?;
    refuse_if(
        text.contains('/'),
        || format!("{} holds a folder", quote(text)),
        "write only the file's name, such as `firefox-esr.desktop`",
    )?;
    only(
        text,
        |c| c.is_ascii_alphanumeric() || "._-".contains(c),
        "desktop file",
        "letters, digits, `.`, `_` and `-`",
    )?;
    refuse_if(
        !text.ends_with(".desktop"),
        || format!("{} is not a desktop file", quote(text)),
        format!("write {}", quote(&format!("{text}.desktop"))),
    )?;
    refuse_if(
        !text.starts_with(|c: char| c.is_ascii_alphanumeric()) || text == ".desktop",
        || format!("{} does not begin with a letter or digit", quote(text)),
        "write the name of a file below /usr/share/applications, such as `firefox-esr.desktop`",
    )
}

fn hostname(text: &str) -> Result<(), Reason> {
    visible(text, "host name")?;
    at_most(text, 63, "host name")?;
    let fix = || {
        format!(
            "write {}",
            quote(&text.to_ascii_lowercase().replace(['_', ' ', '.'], "-"))
        )
    };
    refuse_if(
        text.contains('.'),
        || format!("the host name {} has a domain", quote(text)),
        "write only the part before the first dot",
    )?;
    refuse_if(
        text.contains(|c: char| c.is_ascii_uppercase() || "_ ".contains(c)),
        || {
            format!(
                "host names are of lower-case letters, digits and `-`, unlike {}",
                quote(text)
            )
        },
        fix(),
    )?;
    only(
        text,
        |c| lower(c) || c == '-',
        "host name",
        "a-z, 0-9 and `-`",
    )?;
    refuse_if(
        text.ends_with('-'),
        || format!("the host name {} ends in `-`", quote(text)),
        "end with a letter or digit",
    )
}

fn account(text: &str, what: &str) -> Result<(), Reason> {
    visible(text, what)?;
    at_most(text, 32, what)?;
    refuse_if(
        text.contains(|c: char| c.is_ascii_uppercase()),
        || format!("a {what} has no capital letters, unlike {}", quote(text)),
        format!("write {}", quote(&text.to_ascii_lowercase())),
    )?;
    only(
        text,
        |c| lower(c) || "_-".contains(c),
        what,
        "a-z, 0-9, `_` and `-`",
    )?;
    refuse_if(
        text.starts_with(|c: char| c.is_ascii_digit()),
        || format!("the {what} {} begins with a digit", quote(text)),
        "begin with a letter",
    )
}

fn user(text: &str) -> Result<(), Reason> {
    account(text, "user name")
}

fn group(text: &str) -> Result<(), Reason> {
    account(text, "group name")
}

fn locale(text: &str) -> Result<(), Reason> {
    visible(text, "locale")?;
    let (name, modifier) = match text.split_once('@') {
        Some((name, modifier)) => (name, Some(modifier)),
        None => (text, None),
    };
    let (place, charset) = match name.split_once('.') {
        Some((place, charset)) => (place, Some(charset)),
        None => (name, None),
    };
    let letters =
        |text: &str, lengths: std::ops::RangeInclusive<usize>, kind: fn(&char) -> bool| {
            lengths.contains(&text.len()) && text.chars().all(|c| kind(&c))
        };
    let known = place == "C"
        || match place.split_once('_') {
            Some((language, land)) => {
                letters(language, 2..=3, char::is_ascii_lowercase)
                    && letters(land, 2..=2, char::is_ascii_uppercase)
            }
            None => letters(place, 2..=3, char::is_ascii_lowercase),
        };
    refuse_if(
        !known
            || modifier
                .is_some_and(|modifier| !letters(modifier, 1..=16, char::is_ascii_lowercase)),
        || format!("{} is not a locale", quote(text)),
        "write it as LANGUAGE_LAND.UTF-8, such as `de_DE.UTF-8`",
    )?;
    refuse_if(
        charset != Some("UTF-8"),
        || format!("the locale {} is not in UTF-8", quote(text)),
        format!(
            "write {}",
            quote(&match modifier {
                Some(modifier) => format!("{place}.UTF-8@{modifier}"),
                None => format!("{place}.UTF-8"),
            })
        ),
    )
}

fn timezone(text: &str) -> Result<(), Reason> {
    visible(text, "time zone")?;
    at_most(text, 64, "time zone")?;
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_uppercase())
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "_+-".contains(c))
    };
    let shape =
        text == "UTC" || ((2..=3).contains(&text.split('/').count()) && text.split('/').all(part));
    refuse_if(
        !shape,
        || format!("{} is not a time zone", quote(text)),
        "write it as Area/City, such as `Europe/Berlin`, or `UTC`",
    )
}

fn parameter(text: &str) -> Result<(), Reason> {
    visible(text, "kernel parameter")?;
    at_most(text, 1024, "kernel parameter")?;
    refuse_if(
        text.contains(' '),
        || {
            format!(
                "{} holds a space and would be more than one kernel parameter",
                quote(text)
            )
        },
        "write each parameter as an entry of its own",
    )?;
    only(
        text,
        |c| c.is_ascii_alphanumeric() || "_.,:=/@%+*!?^~#()[]-".contains(c),
        "kernel parameter",
        "letters, digits and `_ . , : = / @ % + * ! ? ^ ~ # ( ) [ ] -`",
    )?;
    refuse_if(
        !text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_'),
        || {
            format!(
                "the kernel parameter {} does not begin with its name",
                quote(text)
            )
        },
        "begin with a letter, such as `quiet` or `mitigations=off`",
    )
}

fn module(text: &str) -> Result<(), Reason> {
    visible(text, "module name")?;
    at_most(text, 55, "module name")?;
    refuse_if(
        text.ends_with(".ko"),
        || format!("{} is a file, not a module", quote(text)),
        format!("write {}", quote(text.trim_end_matches(".ko"))),
    )?;
    only(
        text,
        |c| c.is_ascii_alphanumeric() || "_-".contains(c),
        "module name",
        "letters, digits, `_` and `-`",
    )
}

const SUFFIXES: [&str; 11] = [
    "service",
    "socket",
    "device",
    "mount",
    "automount",
    "swap",
    "target",
    "path",
    "timer",
    "slice",
    "scope",
];

fn unit(text: &str) -> Result<(), Reason> {
    visible(text, "unit name")?;
    at_most(text, 255, "unit name")?;
    only(
        text,
        |c| c.is_ascii_alphanumeric() || ":-_.\\@".contains(c),
        "unit name",
        "letters, digits and `: - _ . \\ @`",
    )?;
    let suffix = text
        .rsplit_once('.')
        .filter(|(stem, _)| !stem.is_empty() && !stem.starts_with('@'))
        .map(|(_, suffix)| suffix);
    refuse_if(
        !suffix.is_some_and(|suffix| SUFFIXES.contains(&suffix)),
        || format!("{} has no unit suffix", quote(text)),
        format!("write {}", quote(&format!("{text}.service"))),
    )
}

fn xkb(text: &str) -> Result<(), Reason> {
    nothing_hidden(text)?;
    if text.is_empty() {
        return Ok(());
    }
    visible(text, "keyboard setting")?;
    at_most(text, 256, "keyboard setting")?;
    only(
        text,
        |c| c.is_ascii_alphanumeric() || "_,:.()+-".contains(c),
        "keyboard setting",
        "letters, digits and `_ , : . ( ) + -`",
    )
}
