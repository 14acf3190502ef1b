//! What a person is told about a request.

use isosmith_spec::BuildSpec;

use crate::record::Owner;

/// Text from outside, fit to stand in a question: one line without control characters,
/// without marks that turn writing around (Unicode Standard Annex 9), and without anything
/// that a window could take for markup; at most `most` characters.
pub fn shown(text: &str, most: usize) -> String {
    let harmless = |c: char| {
        let turns = matches!(
            c,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{61c}'
        );
        if c.is_control() || turns || matches!(c, '<' | '>' | '&') {
            '\u{fffd}'
        } else {
            c
        }
    };
    let mut line: String = text.chars().take(most).map(harmless).collect();
    if text.chars().nth(most).is_some() {
        line.push('…');
    }
    line
}

/// Name and version of the product.
pub(super) fn product(spec: &BuildSpec) -> String {
    let branding = &spec.branding;
    shown(
        format!("{} {}", branding.name, branding.version).trim_end(),
        80,
    )
}

/// What it is, and how much in it is code of the profile's own.
pub(super) fn what(spec: &BuildSpec) -> String {
    let mut parts = vec![format!("Debian {}", spec.base.suite.as_str())];
    let counted = [
        (spec.scripts.len(), "script"),
        (spec.software.debs.len(), "local package"),
        (spec.base.repositories.len(), "further repository"),
        (spec.files.len(), "overlay"),
    ];
    for (count, name) in counted {
        match (count, name.strip_suffix('y')) {
            (0, _) => {}
            (1, _) => parts.push(format!("1 {name}")),
            (_, Some(stem)) if name != "overlay" => parts.push(format!("{count} {stem}ies")),
            (_, _) => parts.push(format!("{count} {name}s")),
        }
    }
    parts.join(", ")
}

/// The details of a question to polkit.
pub fn details(owner: &Owner, folder: &str) -> Vec<(&'static str, String)> {
    vec![
        ("product", owner.product.clone()),
        ("what", owner.what.clone()),
        ("packages", owner.packages.to_string()),
        ("folder", folder.to_owned()),
        ("spec-sha256", owner.spec_sha256.clone()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hostile_is_shown() {
        for (text, want) in [
            ("AILinux 1.0", "AILinux 1.0"),
            ("two\nlines\x1b[31m", "two\u{fffd}lines\u{fffd}[31m"),
            ("<b>root</b>", "\u{fffd}b\u{fffd}root\u{fffd}/b\u{fffd}"),
            ("right\u{202e}tfel", "right\u{fffd}tfel"),
            ("12345678901", "1234567890…"),
        ] {
            let most = if want.ends_with('…') { 10 } else { 80 };
            assert_eq!(shown(text, most), want);
        }
    }
}
