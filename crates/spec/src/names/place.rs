//! Where things are: web addresses, files beside a profile, paths in the image.

use super::{at_most, name, nothing_hidden, only, refuse_if, visible};
use crate::problem::{Reason, quote};

name! {
    /// An `http`, `https` or `file` address (RFC 3986) without user, password, fragment,
    /// brackets, quotes or white space, so that it can stand in apt's sources as it is.
    Uri, uri, "^(https?://[A-Za-z0-9]|file:///)[A-Za-z0-9._~/:?&=%+,@-]*$"
}

name! {
    /// A file or folder that a profile brings along: relative to the profile's folder or
    /// absolute, without `..`.
    MaterialPath, material, "^[^-]"
}

name! {
    /// An absolute, normalised path in the image; not `/` and not below a folder that is
    /// empty in a finished image (`/proc`, `/sys`, `/dev`, `/run`, `/tmp`).
    TargetPath, target, "^/[^/].*[^/]$"
}

impl Uri {
    /// `http`, `https` or `file`.
    pub fn scheme(&self) -> &str {
        self.as_str().split(':').next().unwrap_or_default()
    }

    /// Whether it names a file of this machine.
    pub fn is_file(&self) -> bool {
        self.scheme() == "file"
    }
}

impl MaterialPath {
    /// Whether it begins at the root and not in the profile's folder.
    pub fn is_absolute(&self) -> bool {
        self.as_str().starts_with('/')
    }
}

const EXAMPLE: &str = "write an address such as `https://deb.debian.org/debian`";

fn uri(text: &str) -> Result<(), Reason> {
    visible(text, "address")?;
    at_most(text, 2048, "address")?;
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(Reason::new(
            format!("{} is not a full address", quote(text)),
            EXAMPLE,
        ));
    };
    refuse_if(
        !["http", "https", "file"].contains(&scheme),
        || format!("addresses of the kind {} are not supported", quote(scheme)),
        "use `https://`, `http://` or `file://`",
    )?;
    only(
        rest,
        |c| c.is_ascii_alphanumeric() || "._~/:?&=%+,@-".contains(c),
        "address",
        "letters, digits and `. _ ~ / : ? & = % + , @ -`",
    )?;
    escapes(rest)?;
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    refuse_if(
        authority.contains('@'),
        || "the address holds a user name or password, which would end up in the image".to_owned(),
        "remove everything between `//` and `@`",
    )?;
    refuse_if(
        path.split('/').any(|part| part == ".." || part == "."),
        || format!("the address {} holds `.` or `..` as a folder", quote(text)),
        "write the address without detours",
    )?;
    match scheme == "file" {
        true => refuse_if(
            !authority.is_empty() || path.len() < 2,
            || format!("{} does not name a file of this machine", quote(text)),
            "write three slashes, such as `file:///srv/mirror`",
        ),
        false => host_and_port(authority, text),
    }
}

/// Percent escapes are two hexadecimal digits and hide no control character.
fn escapes(text: &str) -> Result<(), Reason> {
    for (at, _) in text.match_indices('%') {
        let byte = text
            .get(at + 1..at + 3)
            .filter(|digits| digits.chars().all(|c| c.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        refuse_if(
            byte.is_none_or(|byte| byte.is_ascii_control()),
            || format!("the address {} holds a wrong `%` escape", quote(text)),
            "write `%` with the two hexadecimal digits of a visible character, such as `%2B`",
        )?;
    }
    Ok(())
}

fn host_and_port(authority: &str, text: &str) -> Result<(), Reason> {
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    refuse_if(
        port.is_some_and(|port| !matches!(port.parse::<u16>(), Ok(1..)) || port.starts_with('+')),
        || format!("the address {} has a wrong port", quote(text)),
        "write a port from 1 to 65535, or none",
    )?;
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    refuse_if(
        host.is_empty() || host.len() > 253 || !host.split('.').all(label),
        || format!("the address {} has no valid host name", quote(text)),
        EXAMPLE,
    )
}

fn material(text: &str) -> Result<(), Reason> {
    visible(text, "path")?;
    at_most(text, 4096, "path")?;
    refuse_if(
        text.starts_with("~/") || text == "~",
        || format!("`~` in {} is not a folder here", quote(text)),
        "write a path beside the profile, or the whole path from `/`",
    )?;
    refuse_if(
        text.split('/').any(|part| part == ".."),
        || format!("{} leaves the profile's folder with `..`", quote(text)),
        "put the file beside the profile, or write the whole path from `/`",
    )?;
    components(text)
}

fn components(text: &str) -> Result<(), Reason> {
    refuse_if(
        text.split('/').any(|part| part.len() > 255),
        || format!("{} has a part longer than 255 bytes", quote(text)),
        "shorten the part between two slashes",
    )
}

/// Folders that a finished image has only as empty mount points, or that link to one.
const VOLATILE: [&str; 7] = [
    "/proc",
    "/sys",
    "/dev",
    "/run",
    "/tmp",
    "/var/run",
    "/var/lock",
];

/// Links to folders of `/usr` in every Debian since bookworm (`usrmerge`).
const MERGED: [&str; 4] = ["/bin", "/lib", "/lib64", "/sbin"];

fn target(text: &str) -> Result<(), Reason> {
    refuse_if(
        text.is_empty(),
        || "the path is empty".to_owned(),
        "write a path such as `/etc/motd`",
    )?;
    nothing_hidden(text)?;
    at_most(text, 4096, "path")?;
    refuse_if(
        !text.starts_with('/'),
        || format!("{} does not begin at the image's root", quote(text)),
        format!("write {}", quote(&format!("/{text}"))),
    )?;
    refuse_if(
        text == "/",
        || "`/` itself cannot be laid over".to_owned(),
        "name the folder that is meant, such as `/etc`",
    )?;
    refuse_if(
        text[1..]
            .split('/')
            .any(|part| part.is_empty() || part == "." || part == ".."),
        || format!("{} is not a normalised path", quote(text)),
        "write it without `.`, `..`, double slashes and a slash at the end",
    )?;
    refuse_if(
        VOLATILE.iter().any(|folder| {
            text.strip_prefix(folder)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        }),
        || {
            format!(
                "{} is on a file system that exists only while a machine runs",
                quote(text)
            )
        },
        "choose another folder; files below /run and /tmp can be made at boot by tmpfiles.d(5)",
    )?;
    refuse_if(
        MERGED.contains(&text),
        || format!("{} is a link that the whole system stands on", quote(text)),
        format!("write {}", quote(&format!("/usr{text}"))),
    )?;
    components(text)
}
