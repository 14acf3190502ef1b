//! Reads lists of packages (`Packages`) into an index.

use std::{
    collections::HashMap,
    io::{self, BufRead},
    str,
};

use crate::{
    index::{FIELDS, Field, Index, Priority, Row, Span},
    limits,
    text::plain,
    version,
};

/// What a list says besides its packages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing<'a> {
    /// Whether it says what every system begins with: `main` of the distribution itself.
    pub(crate) base: bool,
    /// Whether its packages are taken without being asked for.
    pub(crate) automatic: bool,
    /// Packages that are taken from here even if others have them, too.
    pub(crate) preferred: &'a [String],
}

/// An index in the making. Of each package one version stays, as apt chooses: the newest, but
/// one that is taken without being asked for before one that is not (apt_preferences(5)).
#[derive(Debug, Default)]
pub(crate) struct Builder {
    text: String,
    rows: Vec<Row>,
    /// How each row's list is to be preferred.
    ranks: Vec<(bool, bool)>,
    by_name: HashMap<String, usize>,
    sections: HashMap<String, Span>,
}

/// No line of a list is longer; what is, is passed over with its package.
const LONGEST_LINE: u64 = 1 << 20;

/// A package that is being read.
#[derive(Debug, Default)]
struct Draft {
    fields: [String; FIELDS],
    installed: u32,
    download: u64,
    priority: Option<Priority>,
    essential: bool,
}

impl Builder {
    /// Adds the packages of a list.
    ///
    /// # Errors
    ///
    /// When the list cannot be read to its end, or there is too much of everything.
    pub(crate) fn add(&mut self, list: impl BufRead, standing: Standing<'_>) -> io::Result<()> {
        let mut list = list;
        let mut line = Vec::new();
        let mut draft = Draft::default();
        loop {
            line.clear();
            let read = io::Read::take(&mut list, LONGEST_LINE).read_until(b'\n', &mut line)?;
            if line.last() == Some(&b'\n') {
                line.pop();
            } else if read as u64 == LONGEST_LINE {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "a line is too long",
                ));
            }
            if line.is_empty() {
                self.take(&draft, standing)?;
                draft.clear();
            }
            if read == 0 {
                return Ok(());
            }
            if let Ok(text) = str::from_utf8(&line) {
                draft.read(text);
            }
        }
    }

    /// All that was added.
    pub(crate) fn finish(mut self) -> Index {
        self.text.shrink_to_fit();
        self.rows.shrink_to_fit();
        Index::new(self.text, self.rows)
    }

    fn take(&mut self, draft: &Draft, standing: Standing<'_>) -> io::Result<()> {
        let (name, version) = (draft.get(Field::Name), draft.get(Field::Version));
        if !is_name(name) || !is_version(version) {
            return Ok(());
        }
        let rank = (
            standing.preferred.iter().any(|wanted| wanted == name),
            standing.automatic,
        );
        let known = self.by_name.get(name).copied();
        if let Some(known) = known {
            let newer = self.ranks[known]
                .cmp(&rank)
                .then_with(|| version::compare(self.version(known), version))
                .is_lt();
            if !newer {
                return Ok(());
            }
        }
        let mut spans = [Span::default(); FIELDS];
        for (span, text) in spans.iter_mut().zip(&draft.fields) {
            *span = self.keep(text)?;
        }
        spans[Field::Section as usize] = self.section(draft.get(Field::Section))?;
        let priority = draft.priority.unwrap_or(Priority::Optional);
        let row = Row {
            spans,
            installed: draft.installed,
            download: draft.download,
            priority,
            base: (standing.base && (draft.essential || priority == Priority::Required))
                || known.is_some_and(|known| self.rows[known].base),
        };
        match known {
            Some(known) => {
                self.rows[known] = row;
                self.ranks[known] = rank;
            }
            None => {
                self.by_name.insert(name.to_owned(), self.rows.len());
                self.rows.push(row);
                self.ranks.push(rank);
            }
        }
        Ok(())
    }

    fn version(&self, row: usize) -> &str {
        let span = self.rows[row].spans[Field::Version as usize];
        let start = span.start as usize;
        &self.text[start..start + span.len as usize]
    }

    fn keep(&mut self, text: &str) -> io::Result<Span> {
        let full = self.rows.len() >= limits::PACKAGES
            || self.text.len().saturating_add(text.len()) > limits::TEXT;
        let number = |number: usize| u32::try_from(number).ok().filter(|_| !full);
        let span = number(self.text.len()).zip(number(text.len()));
        let Some((start, len)) = span else {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                "it has too many packages",
            ));
        };
        self.text.push_str(text);
        Ok(Span { start, len })
    }

    fn section(&mut self, name: &str) -> io::Result<Span> {
        if let Some(span) = self.sections.get(name) {
            return Ok(*span);
        }
        let span = self.keep(name)?;
        self.sections.insert(name.to_owned(), span);
        Ok(span)
    }
}

impl Draft {
    fn get(&self, field: Field) -> &str {
        &self.fields[field as usize]
    }

    fn clear(&mut self) {
        self.fields.iter_mut().for_each(String::clear);
        self.installed = 0;
        self.download = 0;
        self.priority = None;
        self.essential = false;
    }

    fn read(&mut self, line: &str) {
        // Further lines of a field begin with a space; none of ours has any.
        let Some((name, value)) = line.split_once(':') else {
            return;
        };
        let value = value.trim();
        let field = match name {
            "Package" => Field::Name,
            "Version" => Field::Version,
            "Section" => Field::Section,
            "Description" => Field::Description,
            "Pre-Depends" => Field::PreDepends,
            "Depends" => Field::Depends,
            "Recommends" => Field::Recommends,
            "Provides" => Field::Provides,
            "Conflicts" => Field::Conflicts,
            "Breaks" => Field::Breaks,
            "Installed-Size" => {
                self.installed = value.parse().unwrap_or(0);
                return;
            }
            "Size" => {
                self.download = value.parse().unwrap_or(0);
                return;
            }
            "Priority" => {
                self.priority = Some(Priority::parse(value));
                return;
            }
            "Essential" => {
                self.essential = value == "yes";
                return;
            }
            _ => return,
        };
        let text = &mut self.fields[field as usize];
        text.clear();
        text.extend(plain(value));
    }
}

/// Debian Policy Manual, section 5.6.1, and capitals, which some repositories have.
fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.len() <= 200
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-._".contains(&byte))
}

fn is_version(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 200
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".+-:~_".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Standing<'_> = Standing {
        base: true,
        automatic: true,
        preferred: &[],
    };

    fn index(lists: &[(&str, Standing<'_>)]) -> Index {
        let mut builder = Builder::default();
        for (list, standing) in lists {
            builder.add(list.as_bytes(), *standing).expect("a list");
        }
        builder.finish()
    }

    fn versions(index: &Index) -> Vec<String> {
        (0..)
            .zip(index.rows())
            .map(|(row, _)| {
                let (name, version) = (index.get(row, Field::Name), index.get(row, Field::Version));
                format!("{name} {version}")
            })
            .collect()
    }

    #[test]
    fn what_is_read_can_be_asked_for() {
        let list = "Package: b\nVersion: 2\nSection: net\nInstalled-Size: 7\nSize: 900\n\
                    Priority: required\nDepends: a (>= 1),\n more\nDescription: does\u{1b} things\n\
                    Provides: thing (= 3)\n\nPackage: a\nVersion: 1";
        let index = index(&[(list, PLAIN)]);
        assert_eq!(versions(&index), ["a 1", "b 2"]);
        let row = index.find("b").expect("b");
        assert_eq!(index.get(row, Field::Section), "net");
        assert_eq!(index.get(row, Field::Description), "does  things");
        let kept = index.row(row);
        assert_eq!((kept.installed, kept.download, kept.base), (7, 900, true));
        let thing = |text| {
            let atom = alternatives(text);
            index.meeting(atom).collect::<Vec<_>>()
        };
        assert_eq!(thing("thing (>= 3)"), [row]);
        assert!(thing("thing (>= 4)").is_empty());
    }

    fn alternatives(text: &str) -> crate::relation::Atom<'_> {
        crate::relation::alternatives(text)
            .next()
            .expect("a relation")
    }

    #[test]
    fn one_version_stays() {
        let backports = Standing {
            base: false,
            automatic: false,
            preferred: &[],
        };
        let kernel = ["a".to_owned()];
        let asked = Standing {
            preferred: &kernel,
            ..backports
        };
        let check = |lists: &[(&str, Standing<'_>)], want: &[&str]| {
            assert_eq!(versions(&index(lists)), want, "{lists:?}");
        };
        let (old, new) = ("Package: a\nVersion: 1.9\n", "Package: a\nVersion: 1.10\n");
        check(&[(old, PLAIN), (new, PLAIN)], &["a 1.10"]);
        check(&[(new, PLAIN), (old, PLAIN)], &["a 1.10"]);
        check(&[(old, PLAIN), (new, backports)], &["a 1.9"]);
        check(&[(new, backports), (old, PLAIN)], &["a 1.9"]);
        check(&[(old, PLAIN), (new, asked)], &["a 1.10"]);
        check(&[(new, backports)], &["a 1.10"]);
    }

    #[test]
    fn bad_packages_are_passed_over() {
        for list in [
            "Package: ../x\nVersion: 1\n",
            "Package: <b>\nVersion: 1\n",
            "Package: a\n",
            "Package: a\nVersion: 1 2\n",
            "Version: 1\n",
            "\n\n\n",
            ": :\n:\n",
        ] {
            let text = format!("{list}\nPackage: good\nVersion: 1\n");
            assert_eq!(versions(&index(&[(&text, PLAIN)])), ["good 1"], "{list:?}");
        }
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let list = format!("Package: a\nVersion: 1\nDepends: {}\n", "x".repeat(2 << 20));
        assert!(Builder::default().add(list.as_bytes(), PLAIN).is_err());
    }
}
