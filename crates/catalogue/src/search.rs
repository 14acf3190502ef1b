//! Finding packages by words.

use std::time::{Duration, Instant};

use memchr::memmem::Finder;
use serde::{Deserialize, Serialize};

use crate::index::{Field, Index};

/// A package that fits a query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hit {
    /// Its name.
    pub name: String,
    /// The version that would be installed.
    pub version: String,
    /// Such as `net` or `non-free-firmware/kernel`.
    pub section: String,
    /// One line of plain text.
    pub description: String,
    /// Unpacked, in bytes, as the package estimates it.
    pub size: u64,
    /// Whether it is in the selection that the search was told of.
    pub installed: bool,
}

/// What a search found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hits {
    /// The best first.
    pub hits: Vec<Hit>,
    /// How many there are in all.
    pub total: usize,
    /// How long it took.
    #[serde(with = "milliseconds")]
    pub took: Duration,
}

/// Durations as milliseconds.
mod milliseconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(took: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(took.as_secs_f64() * 1000.0)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        let took = f64::deserialize(from)?;
        Duration::try_from_secs_f64(took / 1000.0).map_err(serde::de::Error::custom)
    }
}

/// How a word fits a package, the best first. Where it fits in several ways, the best counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Name,
    NameBegins,
    NameWordBegins,
    NameContains,
    DescriptionWordBegins,
    DescriptionContains,
}

/// More words than this do not make a query any clearer.
const MOST_WORDS: usize = 16;

/// Names and descriptions in lower case, in the order of an index.
#[derive(Debug)]
pub(crate) struct Words {
    text: String,
    /// For each package, where its name begins and where its description.
    starts: Vec<(u32, u32)>,
}

impl Words {
    pub(crate) fn new(index: &Index) -> Self {
        let mut text = String::new();
        let mut starts = Vec::with_capacity(index.rows().len());
        // The names and descriptions of an index come to less than 4 GiB.
        let at = |text: &String| u32::try_from(text.len()).unwrap_or(u32::MAX);
        for (row, _) in (0_u32..).zip(index.rows()) {
            let name = at(&text);
            text.push_str(&index.get(row, Field::Name).to_lowercase());
            starts.push((name, at(&text)));
            text.push_str(&index.get(row, Field::Description).to_lowercase());
        }
        text.shrink_to_fit();
        Self { text, starts }
    }

    /// Rows in which every word of `query` is, the best `limit` of them first, and how many
    /// there are in all.
    fn find(&self, index: &Index, query: &str, limit: usize) -> (Vec<u32>, usize) {
        let query = query.to_lowercase();
        let words: Vec<&str> = query.split_whitespace().take(MOST_WORDS).collect();
        if words.is_empty() {
            return (Vec::new(), 0);
        }
        let whole = words.join("-");
        let finders: Vec<Finder<'_>> = words.iter().map(Finder::new).collect();
        let mut found = Vec::new();
        for (row, &(start, middle)) in (0_u32..).zip(&self.starts) {
            let next = self.starts.get(row as usize + 1);
            let end = next.map_or(self.text.len(), |(start, _)| *start as usize);
            let name = &self.text[start as usize..middle as usize];
            let description = &self.text[middle as usize..end];
            let score = finders.iter().try_fold(0, |sum, finder| {
                fit(finder, name, description).map(|fit| sum + fit as usize)
            });
            let Some(score) = score else { continue };
            let score = if name == whole { 0 } else { score };
            let part = !whole_word(name, words[0]);
            let section = index.get(row, Field::Section);
            found.push((score, part, aside(section), name.len(), row));
        }
        let total = found.len();
        if total > limit && limit > 0 {
            found.select_nth_unstable(limit - 1);
        }
        found.truncate(limit);
        // Rows are in the order of names, so equals stay in it.
        found.sort_unstable();
        (found.into_iter().map(|(.., row)| row).collect(), total)
    }

    /// Bytes of memory.
    pub(crate) fn memory(&self) -> usize {
        self.text.capacity() + self.starts.capacity() * size_of::<(u32, u32)>()
    }
}

/// Whether `word` stands for itself where `text` has it first: `vim` does in `vim-tiny`, not in
/// `vimb`.
fn whole_word(text: &str, word: &str) -> bool {
    let after = text.split_once(word).map(|(_, after)| after);
    after.is_some_and(|after| !after.starts_with(char::is_alphanumeric))
}

fn fit(finder: &Finder<'_>, name: &str, description: &str) -> Option<Fit> {
    let word = finder.needle();
    let within = |text: &str, begins: Fit, contains: Fit| {
        let mut first = None;
        for at in finder.find_iter(text.as_bytes()) {
            let before = text.as_bytes()[..at].last();
            // Bytes of other scripts belong to words.
            if before.is_none_or(|byte| byte.is_ascii() && !byte.is_ascii_alphanumeric()) {
                return Some(begins);
            }
            first = Some(contains);
        }
        first
    };
    if name.as_bytes() == word {
        return Some(Fit::Name);
    }
    if name.as_bytes().starts_with(word) {
        return Some(Fit::NameBegins);
    }
    within(name, Fit::NameWordBegins, Fit::NameContains).or_else(|| {
        within(
            description,
            Fit::DescriptionWordBegins,
            Fit::DescriptionContains,
        )
    })
}

/// Whether a package of this section is rarely what somebody looks for by name: parts of other
/// packages come after equals that are programs.
fn aside(section: &str) -> bool {
    let section = section.rsplit('/').next().unwrap_or_default();
    matches!(
        section,
        "libs"
            | "libdevel"
            | "oldlibs"
            | "debug"
            | "doc"
            | "localization"
            | "introspection"
            | "python"
            | "perl"
            | "ruby"
            | "rust"
            | "golang"
            | "haskell"
            | "java"
            | "javascript"
            | "ocaml"
            | "php"
            | "lisp"
            | "gnu-r"
    )
}

/// Looks for packages whose name or description has every word of `query`.
///
/// Fits of names come before those of descriptions; equals have names with the whole word first,
/// then programs before libraries, then short names before long ones, then the alphabet.
pub(crate) fn search(
    index: &Index,
    words: &Words,
    query: &str,
    limit: usize,
    installed: impl Fn(&str) -> bool,
) -> Hits {
    let begun = Instant::now();
    let (rows, total) = words.find(index, query, limit);
    let hits = rows
        .into_iter()
        .map(|row| Hit {
            name: index.get(row, Field::Name).to_owned(),
            version: index.get(row, Field::Version).to_owned(),
            section: index.get(row, Field::Section).to_owned(),
            description: index.get(row, Field::Description).to_owned(),
            size: u64::from(index.row(row).installed) * 1024,
            installed: installed(index.get(row, Field::Name)),
        })
        .collect();
    Hits {
        hits,
        total,
        took: begun.elapsed(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packages::{Builder, Standing};

    /// Name, section and description of each package.
    const PACKAGES: &[(&str, &str, &str)] = &[
        ("vim", "editors", "Vi IMproved - enhanced vi editor"),
        ("vimb", "web", "like it"),
        ("vim-tiny", "editors", "Vi IMproved - compact version"),
        ("vim-runtime", "editors", "Runtime files"),
        ("gvim", "editors", "graphical"),
        ("neovim", "editors", "heavily refactored fork"),
        ("python3-vim", "python", "python"),
        ("elpa-evim", "editors", "emacs"),
        ("nano", "editors", "small, friendly text editor, not vim"),
        ("live-boot", "misc", "Live System Boot Components"),
        ("live-boot-doc", "doc", "boot of a live system explained"),
        ("grub", "admin", "boots live systems"),
        ("libcurl4", "libs", "client-side URL library"),
        ("curl", "web", "tool for URL transfer"),
        ("groesse", "misc", "Größe von Dateien"),
    ];

    fn check(query: &str, want: &[&str]) {
        let mut list = String::new();
        for (name, section, description) in PACKAGES {
            list += &format!(
                "Package: {name}\nVersion: 1\nSection: {section}\nDescription: {description}\n\n"
            );
        }
        let standing = Standing {
            base: true,
            automatic: true,
            preferred: &[],
        };
        let mut builder = Builder::default();
        builder.add(list.as_bytes(), standing).expect("a list");
        let index = builder.finish();
        let words = Words::new(&index);
        let hits = search(&index, &words, query, 100, |_| false);
        let names: Vec<_> = hits.hits.iter().map(|hit| hit.name.as_str()).collect();
        assert_eq!(names, want, "{query:?}");
        assert_eq!(hits.total, want.len());
        let few = search(&index, &words, query, 2, |_| false);
        assert_eq!(
            few.total,
            want.len(),
            "the total does not depend on the limit"
        );
        assert_eq!(few.hits[..], hits.hits[..want.len().min(2)], "{query:?}");
    }

    #[test]
    fn the_best_fits_come_first() {
        check(
            "vim",
            &[
                "vim",
                "vim-tiny",
                "vim-runtime",
                "vimb",
                "python3-vim",
                "gvim",
                "neovim",
                "elpa-evim",
                "nano",
            ],
        );
        check("VIM ru", &["vim-runtime"]);
        check("editor", &["vim", "nano"]);
        check("live boot", &["live-boot", "live-boot-doc", "grub"]);
        check("boot live", &["live-boot", "live-boot-doc", "grub"]);
        check("url", &["curl", "libcurl4"]);
        check("GRÖSSE", &[]);
        check("größe", &["groesse"]);
        check("", &[]);
        check("  ", &[]);
        check("nonesuch vim", &[]);
    }

    #[test]
    fn a_result_reads_as_the_window_expects() {
        let hits = Hits {
            took: Duration::from_micros(1500),
            ..Hits::default()
        };
        let text = serde_json::to_string(&hits).expect("JSON");
        assert_eq!(text, r#"{"hits":[],"total":0,"took":1.5}"#);
    }
}
