//! The product's name in text files: os-release, issue, motd, the medium's label.

use std::fmt::Write;

use crate::{Brand, Rgb, brand::one_line};

/// The Debian release that the product is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DebianFacts {
    /// Codename of the suite, such as `trixie`; `sid` for unstable.
    pub codename: String,
    /// `VERSION_ID` of Debian's own os-release, such as `13`; `None` for testing and sid.
    pub version_id: Option<String>,
    /// Point release, such as `13.1`, where known.
    pub version_full: Option<String>,
}

/// `/usr/lib/os-release`, following os-release(5).
///
/// Two fields look like the product's but are read as Debian's:
/// - `VERSION_CODENAME` stays Debian's codename. apt lines are made from it, by hand and by
///   scripts (`deb URL $(. /etc/os-release; echo "$VERSION_CODENAME") main`), `lsb_release
///   -cs` prints it, and no third-party repository has a suite named after the product. The
///   product's codename is part of `VERSION` and `PRETTY_NAME`. `DEBIAN_CODENAME` says the
///   same unmistakably, as other derivatives do.
/// - `ID_LIKE=debian` keeps tools working that ask for the family. What asks for `ID` alone
///   does not know the product: `add-apt-repository` finds no template for it and refuses;
///   repositories are added as deb822 files instead.
///
/// `logo` is the name of an icon in the image's icon theme, where it has one.
pub fn os_release(brand: &Brand, debian: &DebianFacts, logo: Option<&str>) -> String {
    let name = one_line(&brand.name);
    let version = version(brand);
    let pretty = format!("{name} {version}");
    let Rgb { r, g, b } = brand.accent;
    let vendor_url = brand
        .urls
        .home
        .as_deref()
        .filter(|_| !brand.vendor.trim().is_empty());
    let fields: [(&str, &str); 18] = [
        ("PRETTY_NAME", pretty.trim()),
        ("NAME", &name),
        ("ID", &identifier(&brand.id)),
        ("ID_LIKE", "debian"),
        ("VERSION", &version),
        ("VERSION_ID", &identifier(&brand.version)),
        ("VERSION_CODENAME", &identifier(&debian.codename)),
        ("DEBIAN_CODENAME", &identifier(&debian.codename)),
        (
            "DEBIAN_VERSION_ID",
            debian.version_id.as_deref().unwrap_or_default(),
        ),
        (
            "DEBIAN_VERSION_FULL",
            debian.version_full.as_deref().unwrap_or_default(),
        ),
        ("VENDOR_NAME", brand.vendor.trim()),
        ("VENDOR_URL", vendor_url.unwrap_or_default()),
        ("HOME_URL", brand.urls.home.as_deref().unwrap_or_default()),
        (
            "DOCUMENTATION_URL",
            brand.urls.documentation.as_deref().unwrap_or_default(),
        ),
        (
            "SUPPORT_URL",
            brand.urls.support.as_deref().unwrap_or_default(),
        ),
        (
            "BUG_REPORT_URL",
            brand.urls.bugs.as_deref().unwrap_or_default(),
        ),
        ("LOGO", logo.unwrap_or_default()),
        ("ANSI_COLOR", &format!("38;2;{r};{g};{b}")),
    ];
    let mut text = String::new();
    for (key, value) in fields.into_iter().filter(|(_, value)| !value.is_empty()) {
        let _ = writeln!(text, "{key}={}", quoted(value));
    }
    text
}

/// `/etc/issue`: shown by agetty above the login prompt, with host name and terminal.
pub fn issue(brand: &Brand) -> String {
    // A backslash starts a sequence of agetty(8).
    format!("{} \\n \\l\n\n", title(brand).replace('\\', "\\\\"))
}

/// `/etc/issue.net`: shown before a login over the network; names nothing but the product.
pub fn issue_net(brand: &Brand) -> String {
    format!("{}\n", title(brand))
}

/// `/etc/motd`: shown after a login.
pub fn motd(brand: &Brand) -> String {
    if let Some(own) = &brand.motd {
        let kept: String = own
            .chars()
            .filter(|c| matches!(c, '\n' | '\t') || !c.is_control())
            .collect();
        return format!("{}\n", kept.trim_end());
    }
    let mut text = format!("\nWelcome to {}\n", title(brand));
    let links = [
        ("Documentation", &brand.urls.documentation),
        ("Support", &brand.urls.support),
        ("Home", &brand.urls.home),
    ];
    for (label, url) in links {
        if let Some(url) = url {
            let _ = writeln!(text, "  {:<15}{}", format!("{label}:"), one_line(url));
        }
    }
    text.push('\n');
    text
}

/// `/.disk/info` on the medium: one line that installers show and that boot loaders and
/// `findiso` look for. `date` as `YYYYMMDD`, from the build's source date.
pub fn disk_info(brand: &Brand, architecture: &str, date: &str) -> String {
    let codename = one_line(&brand.codename);
    let codename = if codename.is_empty() {
        String::new()
    } else {
        format!(" \"{codename}\"")
    };
    let name = format!("{} {}", one_line(&brand.name), one_line(&brand.version));
    format!("{}{codename} - {architecture} {date}\n", name.trim())
}

/// Name and version without codename.
fn title(brand: &Brand) -> String {
    format!("{} {}", one_line(&brand.name), one_line(&brand.version))
        .trim()
        .to_owned()
}

/// `1.0 (Codename)`, one of them, or empty.
fn version(brand: &Brand) -> String {
    match (one_line(&brand.version), one_line(&brand.codename)) {
        (version, codename) if codename.is_empty() => version,
        (version, codename) => format!("{version} ({codename})").trim().to_owned(),
    }
}

/// What os-release(5) allows in `ID` and `VERSION_ID`: lower-case letters, digits, `.`,
/// `_` and `-`; anything else becomes a dash.
fn identifier(text: &str) -> String {
    let allowed = |c: char| match c.to_ascii_lowercase() {
        c @ ('a'..='z' | '0'..='9' | '.' | '_' | '-') => c,
        _ => '-',
    };
    let mapped: String = text.trim().chars().map(allowed).collect();
    mapped.trim_matches('-').to_owned()
}

/// A value as a shell reads it back: bare where that is safe, else in double quotes with
/// the four characters escaped that os-release(5) names.
fn quoted(value: &str) -> String {
    let value = one_line(value);
    if value
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
    {
        return value;
    }
    let mut text = String::from('"');
    for c in value.chars() {
        if matches!(c, '"' | '$' | '\\' | '`') {
            text.push('\\');
        }
        text.push(c);
    }
    text.push('"');
    text
}

#[cfg(test)]
#[path = "texts_tests.rs"]
mod tests;
