//! Reading a merged profile field by field, collecting what is wrong on the way.

use std::cell::RefCell;

use crate::layer::Origin;
use crate::merge::Merged;
use crate::problem::{Problem, Reason};
use crate::raw::join;
use crate::tree::{Node, Written};

/// The profile being read and the problems found so far.
pub(super) struct Reader<'m> {
    merged: &'m Merged,
    problems: RefCell<Vec<Problem>>,
}

/// A place in the profile, where something may be written or not.
///
/// The reading methods return `None` only if somewhere a problem is recorded, here or at
/// the value that this one was made from.
pub(super) struct Place<'r> {
    reader: &'r Reader<'r>,
    node: Option<&'r Node>,
    /// The nearest thing around that is written, for problems of what is missing.
    around: &'r Node,
    /// Its path in the layer's own text, or where it would be.
    path: String,
}

impl<'m> Reader<'m> {
    pub(super) fn new(merged: &'m Merged) -> Self {
        Self {
            merged,
            problems: RefCell::default(),
        }
    }

    pub(super) fn root(&self) -> Place<'_> {
        let node = self.merged.root();
        Place {
            reader: self,
            node: Some(node),
            around: node,
            path: String::new(),
        }
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.problems.into_inner()
    }
}

impl<'r> Place<'r> {
    /// The value of a key, or of keys joined by dots.
    pub(super) fn get(&self, path: &str) -> Place<'r> {
        let mut place = Place {
            reader: self.reader,
            node: self.node,
            around: self.around,
            path: self.path.clone(),
        };
        for key in path.split('.') {
            place.path = join(&place.path, key);
            place.node = place.node.and_then(|node| node.table()?.get(key));
            if let Some(node) = place.node {
                place.around = node;
                if !node.at.is_empty() {
                    place.path.clone_from(&node.at);
                }
            }
        }
        place
    }

    /// Records a problem of this place.
    pub(super) fn refuse(&self, message: impl Into<String>, fix: impl Into<String>) {
        self.refuse_for(Reason::new(message, fix));
    }

    /// Records a problem of this place.
    pub(super) fn refuse_for(&self, reason: Reason) {
        let origin = self.reader.merged.origin_of(self.around).clone();
        self.reader.problems.borrow_mut().push(Problem::new(
            self.path.clone(),
            reason,
            Some(origin),
        ));
    }

    /// Whether something is written here, right or wrong.
    pub(super) fn is_written(&self) -> bool {
        self.node.is_some()
    }

    /// Whether `false` is written here.
    pub(super) fn is_off(&self) -> bool {
        self.node
            .is_some_and(|node| node.value == Written::Switch(false))
    }

    /// The text, without any problem if there is none.
    pub(super) fn text(&self) -> Option<&'r str> {
        self.node.and_then(Node::text)
    }

    /// The number, without any problem if there is none.
    pub(super) fn number(&self) -> Option<i64> {
        match self.node?.value {
            Written::Number(number) => Some(number),
            Written::Text(_)
            | Written::Switch(_)
            | Written::Table(_)
            | Written::List(_)
            | Written::Refused => None,
        }
    }

    /// A value that must be written.
    pub(super) fn parse<T>(&self, parse: impl Fn(&str) -> Result<T, Reason>) -> Option<T> {
        let Some(node) = self.node else {
            if self.around.value == Written::Refused {
                return None;
            }
            let key = self.path.rsplit('.').next().unwrap_or_default();
            self.refuse(
                format!("`{key}` is missing"),
                format!("add a line `{key} = …`"),
            );
            return None;
        };
        match parse(node.text()?) {
            Ok(value) => Some(value),
            Err(reason) => {
                self.refuse_for(reason);
                None
            }
        }
    }

    /// A value that may have been made from others: what is wrong with those is said there,
    /// and not a second time here.
    pub(super) fn derived<T>(&self, parse: impl Fn(&str) -> Result<T, Reason>) -> Option<T> {
        let node = self.node?;
        match self.reader.merged.origin_of(node) {
            Origin::BuiltIn => parse(node.text()?).ok(),
            Origin::System(_) | Origin::Profile(_) | Origin::User(_) | Origin::CommandLine => {
                self.parse(parse)
            }
        }
    }

    /// A value that may be left out: `Some(None)`.
    pub(super) fn optional<T>(
        &self,
        parse: impl Fn(&str) -> Result<T, Reason>,
    ) -> Option<Option<T>> {
        match self.node {
            None => Some(None),
            Some(_) => self.parse(parse).map(Some),
        }
    }

    /// `true` or `false`.
    pub(super) fn switch(&self) -> Option<bool> {
        match self.node?.value {
            Written::Switch(switch) => Some(switch),
            Written::Text(_)
            | Written::Number(_)
            | Written::Table(_)
            | Written::List(_)
            | Written::Refused => None,
        }
    }

    /// The entries of a list.
    pub(super) fn entries(&self) -> Vec<Place<'r>> {
        let list = self.node.and_then(Node::list).unwrap_or(&[]);
        let entry = |node: &'r Node| Place {
            reader: self.reader,
            node: Some(node),
            around: node,
            path: node.at.clone(),
        };
        list.iter().map(entry).collect()
    }

    /// A list whose entries are all read by `read`.
    pub(super) fn list<T>(&self, read: impl Fn(&Place<'r>) -> Option<T>) -> Option<Vec<T>> {
        self.node?.list()?;
        let entries: Vec<Option<T>> = self.entries().iter().map(read).collect();
        entries.into_iter().collect()
    }

    /// A list of texts.
    pub(super) fn names<T>(&self, parse: impl Fn(&str) -> Result<T, Reason>) -> Option<Vec<T>> {
        self.list(|entry| entry.parse(&parse))
    }

    /// A list of texts in which nothing is repeated.
    pub(super) fn distinct<T: PartialEq>(
        &self,
        parse: impl Fn(&str) -> Result<T, Reason>,
    ) -> Option<Vec<T>> {
        let names = self.names(parse)?;
        self.no_repeats();
        Some(names)
    }

    /// Refuses every text that an earlier entry already has.
    pub(super) fn no_repeats(&self) {
        let mut seen = std::collections::BTreeSet::new();
        for entry in self.entries() {
            entry.not_again(&mut seen, entry.text());
        }
    }

    /// Refuses `text` here if it is among those `seen`.
    pub(super) fn not_again(
        &self,
        seen: &mut std::collections::BTreeSet<&'r str>,
        text: Option<&'r str>,
    ) {
        let Some(text) = text else { return };
        if !seen.insert(text) {
            self.refuse(
                format!("{} is written twice", crate::problem::quote(text)),
                "remove one of the two",
            );
        }
    }
}
