//! All packages of some archives, small enough to stay in memory.

use crate::relation::{Atom, alternatives, groups};

/// The texts that are kept of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    Name,
    Version,
    Section,
    Description,
    PreDepends,
    Depends,
    Recommends,
    Provides,
    Conflicts,
    Breaks,
}

/// How many kinds of texts there are.
pub(crate) const FIELDS: usize = 10;

/// A part of the text of an index.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) len: u32,
}

/// Debian's priorities, most important first (Debian Policy Manual, section 2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Priority {
    Required,
    Important,
    Standard,
    Optional,
    Extra,
}

impl Priority {
    pub(crate) const ALL: [Self; 5] = [
        Self::Required,
        Self::Important,
        Self::Standard,
        Self::Optional,
        Self::Extra,
    ];

    pub(crate) fn parse(text: &str) -> Self {
        match text {
            "required" => Self::Required,
            "important" => Self::Important,
            "standard" => Self::Standard,
            "extra" => Self::Extra,
            _ => Self::Optional,
        }
    }
}

/// A package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) spans: [Span; FIELDS],
    /// Unpacked, in KiB, as the package estimates it.
    pub(crate) installed: u32,
    /// Packed, in bytes.
    pub(crate) download: u64,
    pub(crate) priority: Priority,
    /// Whether every system begins with it.
    pub(crate) base: bool,
}

/// Something that a package provides.
#[derive(Debug, Clone, Copy)]
struct Provided {
    name: Span,
    version: Option<Span>,
    row: u32,
}

/// All packages, one version of each, sorted by name.
#[derive(Debug)]
pub(crate) struct Index {
    text: String,
    rows: Vec<Row>,
    provided: Vec<Provided>,
}

impl Index {
    /// Puts an index together. Spans that are no parts of `text` read as empty.
    pub(crate) fn new(text: String, mut rows: Vec<Row>) -> Self {
        rows.sort_by(|left, right| part(&text, left.spans[0]).cmp(part(&text, right.spans[0])));
        let mut provided = Vec::new();
        for (number, row) in (0_u32..).zip(&rows) {
            let field = part(&text, row.spans[Field::Provides as usize]);
            let atoms = groups(field).flat_map(alternatives);
            provided.extend(atoms.map(|atom| Provided {
                name: span_in(&text, atom.name),
                version: atom.version().map(|version| span_in(&text, version)),
                row: number,
            }));
        }
        provided.shrink_to_fit();
        let best = |entry: &Provided| (rows[entry.row as usize].priority, entry.row);
        provided.sort_by(|left, right| {
            part(&text, left.name)
                .cmp(part(&text, right.name))
                .then_with(|| best(left).cmp(&best(right)))
        });
        Self {
            text,
            rows,
            provided,
        }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }

    pub(crate) fn row(&self, number: u32) -> &Row {
        &self.rows[number as usize]
    }

    /// A text of a package; empty where it has none.
    pub(crate) fn get(&self, number: u32, field: Field) -> &str {
        part(&self.text, self.row(number).spans[field as usize])
    }

    /// The package of that name.
    pub(crate) fn find(&self, name: &str) -> Option<u32> {
        self.rows
            .binary_search_by(|row| part(&self.text, row.spans[0]).cmp(name))
            .ok()
            .and_then(|number| u32::try_from(number).ok())
    }

    /// Packages that meet `atom`: the one of that name first, then those that provide it, the
    /// most important first.
    pub(crate) fn meeting<'a>(&'a self, atom: Atom<'a>) -> impl Iterator<Item = u32> + 'a {
        let real = self
            .find(atom.name)
            .filter(|number| atom.allows(self.get(*number, Field::Version)));
        let start = self
            .provided
            .partition_point(|entry| part(&self.text, entry.name) < atom.name);
        let providers = self.provided[start..]
            .iter()
            .take_while(move |entry| part(&self.text, entry.name) == atom.name)
            .filter(move |entry| {
                atom.allows_provided(entry.version.map(|version| part(&self.text, version)))
            })
            .map(|entry| entry.row);
        real.into_iter()
            .chain(providers.filter(move |row| Some(*row) != real))
    }

    /// Bytes of memory.
    pub(crate) fn memory(&self) -> usize {
        self.text.capacity()
            + self.rows.capacity() * size_of::<Row>()
            + self.provided.capacity() * size_of::<Provided>()
    }
}

fn part(text: &str, span: Span) -> &str {
    let start = span.start as usize;
    text.get(start..start + span.len as usize)
        .unwrap_or_default()
}

/// Where `inner`, a part of `text`, lies in it.
fn span_in(text: &str, inner: &str) -> Span {
    let start = inner.as_ptr().addr() - text.as_ptr().addr();
    Span {
        // Builders keep texts below 4 GiB.
        start: u32::try_from(start).unwrap_or(u32::MAX),
        len: u32::try_from(inner.len()).unwrap_or(0),
    }
}
