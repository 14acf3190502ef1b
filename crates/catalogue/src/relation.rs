//! What packages say of each other: `Depends: a (>= 1) | b, c`.

use std::cmp::Ordering;

use crate::version;

/// One alternative of a relation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Atom<'a> {
    /// A package, or something that packages provide.
    pub(crate) name: &'a str,
    /// Which versions will do; any where there is none.
    pub(crate) bound: Option<Bound<'a>>,
}

/// A limit to versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bound<'a> {
    comparison: Comparison,
    version: &'a str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Earlier,
    UpTo,
    Exactly,
    From,
    Later,
}

impl Atom<'_> {
    /// Whether `version` of the package itself will do.
    pub(crate) fn allows(&self, version: &str) -> bool {
        self.bound.is_none_or(|bound| bound.holds(version))
    }

    /// Whether it is met by a package that provides it in `version`. What is provided without a
    /// version meets no bound (Debian Policy Manual, section 7.5).
    pub(crate) fn allows_provided(&self, version: Option<&str>) -> bool {
        self.bound
            .is_none_or(|bound| version.is_some_and(|version| bound.holds(version)))
    }
}

impl Bound<'_> {
    fn holds(self, version: &str) -> bool {
        let order = version::compare(version, self.version);
        match self.comparison {
            Comparison::Earlier => order == Ordering::Less,
            Comparison::UpTo => order != Ordering::Greater,
            Comparison::Exactly => order == Ordering::Equal,
            Comparison::From => order != Ordering::Less,
            Comparison::Later => order == Ordering::Greater,
        }
    }
}

impl<'a> Atom<'a> {
    /// The version in `name (= VERSION)`, as Provides has it.
    pub(crate) fn version(&self) -> Option<&'a str> {
        self.bound.map(|bound| bound.version)
    }
}

/// The groups of a field; one alternative of each must be met.
pub(crate) fn groups(field: &str) -> impl Iterator<Item = &str> {
    field
        .split(',')
        .map(str::trim)
        .filter(|group| !group.is_empty())
}

/// The alternatives of a group, best first. What cannot be read, or is meant for another
/// architecture, is passed over.
pub(crate) fn alternatives(group: &str) -> impl Iterator<Item = Atom<'_>> {
    group.split('|').filter_map(atom)
}

fn atom(text: &str) -> Option<Atom<'_>> {
    let text = text.trim();
    let end = text.find([' ', '(', '[', '<']).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let name = match name.split_once(':') {
        None => name,
        Some((name, "any" | "native" | "amd64" | "all")) => name,
        Some(_) => return None,
    };
    let bound = match rest.split_once('(') {
        None => None,
        Some((_, rest)) => Some(bound(rest.split_once(')')?.0)?),
    };
    (!name.is_empty()).then_some(Atom { name, bound })
}

fn bound(text: &str) -> Option<Bound<'_>> {
    let text = text.trim();
    let end = text.find(|letter| !matches!(letter, '<' | '>' | '='))?;
    let (sign, version) = text.split_at(end);
    let comparison = match sign {
        "<<" => Comparison::Earlier,
        // `<` and `>` are old spellings that include the version itself.
        "<=" | "<" => Comparison::UpTo,
        "=" => Comparison::Exactly,
        ">=" | ">" => Comparison::From,
        ">>" => Comparison::Later,
        _ => return None,
    };
    Some(Bound {
        comparison,
        version: version.trim(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relations_are_met_by_the_right_versions() {
        for (text, version, want) in [
            ("a", "1", true),
            ("a (>= 2)", "1", false),
            ("a (>= 2)", "2", true),
            ("a(<<2)", "2", false),
            ("a (<< 2~)", "2~rc1", false),
            ("a (= 1:2-3)", "1:2-3", true),
            ("a (<= 2)", "2-1", false),
            ("a (>> 2)", "2-1", true),
            ("a:any (>= 1)", "1", true),
            ("a:amd64", "1", true),
        ] {
            let atom = atom(text).expect("a relation");
            assert_eq!(atom.name, "a", "{text}");
            assert_eq!(atom.allows(version), want, "{text} with {version}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_passed_over() {
        for text in ["", "a:i386", "a (>= 2", "a (~ 2)", "(>= 1)"] {
            assert_eq!(atom(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_field_falls_into_groups_and_alternatives() {
        let names: Vec<Vec<&str>> = groups("a (>= 1) | b, , c")
            .map(|group| alternatives(group).map(|atom| atom.name).collect())
            .collect();
        assert_eq!(names, [vec!["a", "b"], vec!["c"]]);
    }

    #[test]
    fn provided_without_a_version_meets_no_bound() {
        let bounded = atom("a (>= 1)").expect("a relation");
        assert!(!bounded.allows_provided(None));
        assert!(bounded.allows_provided(Some("1")));
        assert!(atom("a").expect("a relation").allows_provided(None));
    }
}
