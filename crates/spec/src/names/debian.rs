//! Names of the Debian archive.

use super::{at_most, lower, name, only, refuse_if, visible};
use crate::problem::{Reason, quote};

name! {
    /// A binary package's name (Debian Policy 5.6.1: two or more of `a-z 0-9 + - .`, the
    /// first a letter or digit).
    ///
    /// Refused besides: `:arch`, `=version`, `/suite`, `task^` and a trailing `-`, which
    /// apt-get(8) reads as instructions ("remove this package").
    PackageName, package, "^[a-z0-9][a-z0-9+.-]*[a-z0-9+.]$"
}

name! {
    /// An archive area such as `main` or `non-free-firmware` (Debian Policy 2.2); for other
    /// repositories whatever their Release file calls a component, `/` included.
    Component, component, "^[A-Za-z0-9][A-Za-z0-9./_+-]*$"
}

name! {
    /// A debconf question, `OWNER/NAME` (debconf-devel(7)).
    DebconfQuestion, question, "^[A-Za-z0-9][A-Za-z0-9+._-]*(/[A-Za-z0-9+._-]+)+$"
}

fn package(text: &str) -> Result<(), Reason> {
    visible(text, "package name")?;
    at_most(text, 128, "package name")?;
    let bare = || {
        let end = text.find([':', '=', '/', '^']).unwrap_or(text.len());
        format!("write {}", quote(&text[..end].to_lowercase()))
    };
    refuse_if(
        text.contains(':'),
        || {
            format!(
                "{} names an architecture; packages are always taken for the image's own",
                quote(text)
            )
        },
        bare(),
    )?;
    refuse_if(
        text.contains('='),
        || {
            format!(
                "{} asks for a version; which versions are used is decided by the suite",
                quote(text)
            )
        },
        format!("{} and fix versions with `base.snapshot`", bare()),
    )?;
    refuse_if(
        text.contains('/'),
        || format!("{} is not a package name", quote(text)),
        format!("{}; a local file belongs into `software.debs`", bare()),
    )?;
    refuse_if(
        text.ends_with('^'),
        || format!("{} is a task, not a package", quote(text)),
        "name the task's package, such as `task-ssh-server`",
    )?;
    refuse_if(
        text.ends_with('-'),
        || {
            format!(
                "{} ends in `-`, which tells apt to remove the package",
                quote(text)
            )
        },
        "write the name without `-`; to keep a package out, name it in `software.exclude`",
    )?;
    refuse_if(
        text.contains(|c: char| c.is_ascii_uppercase()),
        || {
            format!(
                "package names have no capital letters, unlike {}",
                quote(text)
            )
        },
        bare(),
    )?;
    only(
        text,
        |c| lower(c) || "+.-".contains(c),
        "package name",
        "a-z, 0-9, `+`, `-` and `.`",
    )?;
    refuse_if(
        text.len() < 2 || !text.starts_with(lower),
        || format!("{} is not a package name", quote(text)),
        "write two or more characters, beginning with a letter or digit",
    )
}

fn component(text: &str) -> Result<(), Reason> {
    visible(text, "component")?;
    at_most(text, 128, "component")?;
    only(
        text,
        |c| c.is_ascii_alphanumeric() || "./_+-".contains(c),
        "component",
        "letters, digits, `.`, `/`, `_`, `+` and `-`",
    )?;
    refuse_if(
        !text.starts_with(|c: char| c.is_ascii_alphanumeric())
            || text.split('/').any(|part| part == ".."),
        || format!("{} is not a component", quote(text)),
        "write the component's name, such as `main`",
    )
}

fn question(text: &str) -> Result<(), Reason> {
    visible(text, "debconf question")?;
    at_most(text, 200, "debconf question")?;
    only(
        text,
        |c| c.is_ascii_alphanumeric() || "+._/-".contains(c),
        "debconf question",
        "letters, digits, `+`, `.`, `_`, `-` and `/`",
    )?;
    refuse_if(
        !text.contains('/')
            || !text.starts_with(|c: char| c.is_ascii_alphanumeric())
            || text.split('/').any(str::is_empty),
        || format!("{} is not a debconf question", quote(text)),
        "write it as OWNER/NAME, such as `keyboard-configuration/layoutcode`",
    )
}
