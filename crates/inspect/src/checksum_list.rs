//! The lines of a checksum list.

use crate::checksums::Algorithm;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Line {
    Entry { digest: String, file: String },
    Malformed(String),
}

impl Line {
    pub(crate) fn into_name(self) -> String {
        match self {
            Self::Entry { file, .. } => file,
            Self::Malformed(line) => line,
        }
    }
}

/// Lines of coreutils (`DIGEST  NAME`, `DIGEST *NAME`), of BSD
/// (`SHA256 (NAME) = DIGEST`). A bare digest names nothing and
/// is malformed. Empty lines and comments are skipped.
pub(crate) fn parse(text: &str, algorithm: Algorithm) -> Vec<Line> {
    let lines = text
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let gnu = line.split_once([' ', '\t']).map(|(digest, name)| {
                let name = name.strip_prefix([' ', '*']).unwrap_or(name);
                (digest, name)
            });
            let bsd = line
                .split_once(" (")
                .and_then(|(_, rest)| rest.rsplit_once(") = "))
                .map(|(name, digest)| (digest, name));
            let pair = [bsd, gnu]
                .into_iter()
                .flatten()
                .find(|(digest, _)| is_digest(digest, algorithm));
            pair.map_or_else(
                || Line::Malformed(line.to_owned()),
                |(digest, file)| Line::Entry {
                    digest: digest.to_owned(),
                    file: file.to_owned(),
                },
            )
        })
        .collect()
}

fn is_digest(text: &str, algorithm: Algorithm) -> bool {
    text.len() == algorithm.bytes() * 2 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC_MD5: &str = "900150983cd24fb0d6963f7d28e17f72";

    fn check(line: &str, expected: Option<&str>) {
        let parsed = parse(line, Algorithm::Md5);
        let name = match &parsed[..] {
            [Line::Entry { file, .. }] => Some(file.as_str()),
            [Line::Malformed(_)] => None,
            other => panic!("{other:?}"),
        };
        assert_eq!(name, expected, "{line}");
    }

    #[test]
    fn lines_of_coreutils_and_bsd() {
        check(&format!("{ABC_MD5}  a b.iso"), Some("a b.iso"));
        check(&format!("{ABC_MD5} *./live/x"), Some("./live/x"));
        check(&format!("MD5 (a (1).iso) = {ABC_MD5}"), Some("a (1).iso"));
        check(ABC_MD5, None);
        check(&format!("{}  short", &ABC_MD5[1..]), None);
        check("not a digest", None);
        assert_eq!(parse("\n# comment\n\n", Algorithm::Md5), []);
    }
}
