//! Layers of text become one profile which knows where each value came from.
//!
//! Lowest first: the built-in defaults, the system's settings, the profile with all its
//! parents, the person's settings, the command line. One rule for every layer:
//!
//! - tables merge key by key;
//! - values replace what is below, and so do lists;
//! - but some lists *add* to what is below: `software.packages`, `software.exclude`,
//!   `software.debs`, `software.debconf`, `services.enable`, `services.disable`, `files`,
//!   `scripts` and `base.repositories`. In those of plain names, `"!nano"` takes a `nano`
//!   out that a layer below put in.

use std::collections::{BTreeMap, BTreeSet};

use crate::layer::{Layer, Origin};
use crate::problem::{Problem, Reason, nearest, quote};
use crate::raw::{self, Kind, join};
use crate::settle;
use crate::stack::Stack;
use crate::tree::{Node, Written};

/// Finds the profile that `extends` names, with the folder its paths start from.
pub type Finder<'f> = &'f dyn Fn(&str) -> Option<Layer>;

/// The defaults under every profile.
pub(crate) const DEFAULTS: &str = include_str!("defaults.toml");

/// All layers as one profile.
#[derive(Debug, Clone)]
pub struct Merged {
    /// The origins that nodes refer to by index.
    origins: Vec<Origin>,
    root: Node,
}

impl Merged {
    pub(crate) fn root(&self) -> &Node {
        &self.root
    }

    pub(crate) fn origin_of(&self, node: &Node) -> &Origin {
        self.origins.get(node.layer).unwrap_or(&Origin::BuiltIn)
    }

    /// Where the value at `path` was written, such as `image.label` or
    /// `software.packages[0]`. For a table: the last layer that wrote something in it; for
    /// a path where nothing is written: whoever wrote the nearest table around it.
    pub fn origin(&self, path: &str) -> &Origin {
        self.origin_of(self.root.nearest_to(path))
    }

    /// One complete profile text which gives the same spec when it is loaded alone: no
    /// parent, no settings, no relative path, every default spelled out.
    pub fn to_toml(&self) -> String {
        let mut table = match self.root.to_toml() {
            Some(toml::Value::Table(table)) => table,
            Some(_) | None => toml::Table::new(),
        };
        table.insert("format".to_owned(), toml::Value::Integer(raw::FORMAT));
        // Tables of plain values, with text keys only, always serialise.
        toml::to_string_pretty(&table).unwrap_or_default()
    }

    /// Every field with its value as TOML and where it was written, sorted by path. Lists
    /// that add have one line for each entry. A field without a value shows `# not set`.
    pub fn explain(&self) -> Vec<(String, String, Origin)> {
        let mut lines = Vec::new();
        for (path, field) in raw::leaves() {
            let around = path.rsplit_once('.').map_or("", |(table, _)| table);
            let off = self.root.nearest_to(around).value == Written::Switch(false);
            let node = self.root.nearest_to(&path);
            match node.at_end_of(&self.root, &path) {
                _ if path == "extends" => {}
                true => self.explain_node(&path, node, &field.kind, &mut lines),
                // The table around is `false`, which is explained by its own line below.
                false if off => {}
                false => lines.push((path, "# not set".to_owned(), Origin::BuiltIn)),
            }
        }
        for path in [
            "ai",
            "boot.serial",
            "security.signing",
            "security.ssh",
            "users.live",
        ] {
            let node = self.root.nearest_to(path);
            if node.value == Written::Switch(false) {
                self.push_line(path, node, &mut lines);
            }
        }
        lines.sort_by(|a, b| a.0.cmp(&b.0));
        lines
    }

    fn explain_node(
        &self,
        path: &str,
        node: &Node,
        kind: &Kind,
        lines: &mut Vec<(String, String, Origin)>,
    ) {
        let entries = match (kind, node.list()) {
            (Kind::List { adds: true, .. }, Some(entries)) if !entries.is_empty() => entries,
            _ => return self.push_line(path, node, lines),
        };
        for (index, entry) in entries.iter().enumerate() {
            let here = format!("{path}[{index}]");
            match entry.table() {
                None => self.push_line(&here, entry, lines),
                Some(table) => {
                    for (key, node) in table {
                        self.push_line(&join(&here, key), node, lines);
                    }
                }
            }
        }
    }

    fn push_line(&self, path: &str, node: &Node, lines: &mut Vec<(String, String, Origin)>) {
        if let Some(value) = node.to_toml() {
            lines.push((
                path.to_owned(),
                value.to_string(),
                self.origin_of(node).clone(),
            ));
        }
    }
}

/// Merges `layers`, lowest first, over the built-in defaults; profiles bring the parents
/// that they extend, which `finder` looks up.
///
/// # Errors
/// Everything that is wrong with the texts as such: syntax, unknown fields, wrong types,
/// missing or circular parents, fields that a settings file may not hold.
pub fn merge(layers: Vec<Layer>, finder: Finder<'_>) -> Result<Merged, Vec<Problem>> {
    match merge_what_can_be(layers, finder) {
        (Some(merged), problems) if problems.is_empty() => Ok(merged),
        (_, problems) => Err(problems),
    }
}

/// Like [`merge`], but goes on with what is left, so that all problems can be found at once.
/// `None` if a text could not be read at all.
pub(crate) fn merge_what_can_be(
    layers: Vec<Layer>,
    finder: Finder<'_>,
) -> (Option<Merged>, Vec<Problem>) {
    let defaults = Layer::new(Origin::BuiltIn, "", DEFAULTS);
    let mut stack = Stack {
        origins: Vec::new(),
        read: Vec::new(),
        problems: Vec::new(),
        complete: true,
        finder,
    };
    for layer in std::iter::once(defaults).chain(layers) {
        let mut names = Vec::new();
        if let Origin::Profile(name) = &layer.origin {
            names.push(name.clone());
        }
        stack.push(&layer, &mut names);
    }
    let Stack {
        origins,
        read,
        mut problems,
        complete,
        ..
    } = stack;
    let mut nodes = read.into_iter();
    let Some(base) = nodes.next().filter(|_| complete) else {
        return (None, problems);
    };
    let mut merging = Merging {
        origins: &origins,
        problems: &mut problems,
        defaults: base.clone(),
    };
    let mut root = base;
    for node in nodes {
        merging.over(&mut root, node, &Kind::Table(raw::PROFILE), "");
    }
    settle::settle(&mut root, &origins);
    (Some(Merged { origins, root }), problems)
}

struct Merging<'a> {
    origins: &'a [Origin],
    problems: &'a mut Vec<Problem>,
    defaults: Node,
}

impl Merging<'_> {
    fn over(&mut self, below: &mut Node, above: Node, kind: &Kind, path: &str) {
        below.layer = above.layer;
        below.at = above.at;
        match above.value {
            Written::Table(above) => self.table_over(below, above, kind, path),
            Written::List(above) if matches!(kind, Kind::List { adds: true, .. }) => {
                self.list_over(below, above);
            }
            value @ (Written::Text(_)
            | Written::Number(_)
            | Written::Switch(_)
            | Written::List(_)
            | Written::Refused) => below.value = value,
        }
    }

    fn table_over(
        &mut self,
        below: &mut Node,
        above: BTreeMap<String, Node>,
        kind: &Kind,
        path: &str,
    ) {
        if below.table().is_none() {
            // A table over `false` starts from the defaults again.
            let default = self.defaults.nearest_to(path);
            below.value = match default.at == path && default.table().is_some() {
                true => default.value.clone(),
                false => Written::Table(BTreeMap::new()),
            };
        }
        let Written::Table(table) = &mut below.value else {
            return;
        };
        for (key, above) in above {
            let here = join(path, &key);
            let field = kind
                .fields()
                .unwrap_or(&[])
                .iter()
                .find(|field| field.name == key);
            match (table.get_mut(&key), field) {
                (Some(below), Some(field)) => self.over(below, above, &field.kind, &here),
                (None, Some(field)) => {
                    let mut fresh = Node {
                        value: Written::Refused,
                        layer: above.layer,
                        at: above.at.clone(),
                    };
                    self.over(&mut fresh, above, &field.kind, &here);
                    table.insert(key, fresh);
                }
                (_, None) => {}
            }
        }
    }

    fn list_over(&mut self, below: &mut Node, above: Vec<Node>) {
        let mut list = match std::mem::replace(&mut below.value, Written::Refused) {
            Written::List(list) => list,
            Written::Table(_)
            | Written::Text(_)
            | Written::Number(_)
            | Written::Switch(_)
            | Written::Refused => Vec::new(),
        };
        let mut known: BTreeSet<String> = list
            .iter()
            .filter_map(Node::text)
            .map(str::to_owned)
            .collect();
        for node in above {
            match node.text().map(|text| (text, text.strip_prefix('!'))) {
                Some((_, Some(name))) => {
                    self.take_out(&mut list, name, &node);
                    known.remove(name);
                }
                // A repeated name changes nothing; the first keeps its place.
                Some((text, None)) if !known.insert(text.to_owned()) => {}
                Some((_, None)) | None => list.push(node),
            }
        }
        below.value = Written::List(list);
    }

    fn take_out(&mut self, list: &mut Vec<Node>, name: &str, node: &Node) {
        let before = list.len();
        list.retain(|entry| entry.layer == node.layer || entry.text() != Some(name));
        if list.len() < before {
            return;
        }
        let below = list.iter().filter(|entry| entry.layer != node.layer);
        let near = nearest(name, below.filter_map(Node::text));
        let message = match near {
            Some(near) => format!(
                "nothing below put {} in; did you mean `!{near}`?",
                quote(name)
            ),
            None => format!(
                "nothing below put {} in, so it cannot be taken out",
                quote(name)
            ),
        };
        self.problems.push(Problem::new(
            node.at.clone(),
            Reason::new(
                message,
                "remove the entry, or write the name as the parent does",
            ),
            self.origins.get(node.layer).cloned(),
        ));
    }
}
