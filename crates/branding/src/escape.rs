//! A product's texts inside the files that carry them: each format has its own quoting.
//!
//! Names come from a person and may hold quotes, backslashes, dollars, right-to-left letters
//! or emoji. Control characters are shown as spaces everywhere: each of these files is made of
//! lines.

use std::fmt::Write;

use crate::brand::one_line;

/// A string between double quotes for JSON, YAML (1.2, "Double-Quoted Style"), JavaScript, QML
/// and Plymouth's script language: all read `\"` and `\\`, and none expands anything else.
pub(crate) fn double_quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in one_line(text).chars() {
        match c {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(c);
            }
            // They end a line for JavaScript before 2019 and for YAML.
            '\u{2028}' | '\u{2029}' | '\u{85}' => quoted.push(' '),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// A paragraph for the same formats, its line breaks as `\n`.
pub(crate) fn double_quoted_lines(text: &str) -> String {
    let inner: Vec<String> = text
        .lines()
        .map(|line| {
            let quoted = double_quoted(line);
            quoted[1..quoted.len() - 1].to_owned()
        })
        .collect();
    format!("\"{}\"", inner.join("\\n"))
}

/// A value of a desktop file (freedesktop.org, "Desktop Entry Specification", value types) or
/// of a GLib key file: `\` begins an escape, and leading spaces are lost.
pub(crate) fn key_file(text: &str) -> String {
    one_line(text).replace('\\', "\\\\")
}

/// A string for GVariant's text format, as gschema overrides and dconf key files have it.
pub(crate) fn gvariant(text: &str) -> String {
    format!(
        "'{}'",
        one_line(text).replace('\\', "\\\\").replace('\'', "\\'")
    )
}

/// Text of an XML element or attribute in double quotes.
pub(crate) fn xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in one_line(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// A value of a KDE configuration file (KConfig): `\` begins an escape and `$` a variable where
/// the key asks for it.
pub(crate) fn kconfig(text: &str) -> String {
    one_line(text).replace('\\', "\\\\")
}

/// A path as a `file:` URI (RFC 3986): everything but unreserved characters and `/` escaped.
pub(crate) fn file_uri(path: &str) -> String {
    let mut uri = String::from("file://");
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => {
                uri.push(char::from(byte));
            }
            byte => {
                // Writing to a text cannot fail.
                let _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 8] = [
        "Plain",
        "Bob's \"best\" OS",
        r"back\slash\",
        "Größe & <b>",
        "عربي שלום",
        "🚀 Rocket $HOME ${x} %s",
        "two\nlines\tand\u{2028}more",
        "'",
    ];

    #[test]
    fn json_reads_back_what_was_quoted() {
        for name in NAMES {
            let read: String = serde_json::from_str(&double_quoted(name)).expect("valid JSON");
            assert_eq!(read, one_line(name).replace('\u{2028}', " "), "{name}");
        }
        let lines = "a \"quoted\"\nb\\";
        let read: String = serde_json::from_str(&double_quoted_lines(lines)).expect("valid JSON");
        assert_eq!(read, lines);
    }

    #[test]
    fn no_name_leaves_its_quotes() {
        let check = |text: &str, got: String, want: &str| assert_eq!(got, want, "{text}");
        check("it's \\", gvariant("it's \\"), r"'it\'s \\'");
        check("a\nb\\n", key_file("a\nb\\n"), r"a b\\n");
        check("<&\">", xml("<&\">"), "&lt;&amp;&quot;&gt;");
        check("/a b/ü", file_uri("/a b/ü"), "file:///a%20b/%C3%BC");
        for name in NAMES {
            for text in [
                gvariant(name),
                key_file(name),
                xml(name),
                double_quoted(name),
            ] {
                assert!(!text.contains(['\n', '\t']), "{text}");
            }
        }
    }
}
