//! A profile as a tree of values which know where they were written.

use std::collections::BTreeMap;

/// A value and where it was written.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) value: Written,
    /// Index of its layer.
    pub(crate) layer: usize,
    /// Its path in that layer's own text.
    pub(crate) at: String,
}

/// A value of the right TOML type; its meaning is not checked yet.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Written {
    Text(String),
    Number(i64),
    Switch(bool),
    Table(BTreeMap<String, Node>),
    List(Vec<Node>),
    /// Something was written here that already is a [`crate::Problem`].
    Refused,
}

impl PartialEq for Node {
    /// Two values are the same wherever they were written.
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl Node {
    /// The keys, if it is a table.
    pub(crate) fn table(&self) -> Option<&BTreeMap<String, Node>> {
        match &self.value {
            Written::Table(table) => Some(table),
            Written::Text(_)
            | Written::Number(_)
            | Written::Switch(_)
            | Written::List(_)
            | Written::Refused => None,
        }
    }

    /// The text, if it is one.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Written::Text(text) => Some(text),
            Written::Table(_)
            | Written::Number(_)
            | Written::Switch(_)
            | Written::List(_)
            | Written::Refused => None,
        }
    }

    /// The entries, if it is a list.
    pub(crate) fn list(&self) -> Option<&[Node]> {
        match &self.value {
            Written::List(list) => Some(list),
            Written::Table(_)
            | Written::Number(_)
            | Written::Switch(_)
            | Written::Text(_)
            | Written::Refused => None,
        }
    }

    /// The value at a path such as `files[0].source` below this one, and no further than
    /// what exists.
    pub(crate) fn nearest_to(&self, path: &str) -> &Node {
        let mut node = self;
        for key in path.split(['.', '[']).filter(|key| !key.is_empty()) {
            let below = match key.strip_suffix(']') {
                Some(index) => index
                    .parse::<usize>()
                    .ok()
                    .and_then(|index| node.list()?.get(index)),
                None => node.table().and_then(|table| table.get(key)),
            };
            match below {
                Some(below) => node = below,
                None => return node,
            }
        }
        node
    }

    /// The same as TOML; what was refused is left out.
    pub(crate) fn to_toml(&self) -> Option<toml::Value> {
        match &self.value {
            Written::Text(text) => Some(toml::Value::String(text.clone())),
            Written::Number(number) => Some(toml::Value::Integer(*number)),
            Written::Switch(switch) => Some(toml::Value::Boolean(*switch)),
            Written::List(list) => Some(toml::Value::Array(
                list.iter().filter_map(Node::to_toml).collect(),
            )),
            Written::Table(table) => Some(toml::Value::Table(
                table
                    .iter()
                    .filter_map(|(key, node)| Some((key.clone(), node.to_toml()?)))
                    .collect(),
            )),
            Written::Refused => None,
        }
    }

    /// Whether something stands at `path` below this node.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.nearest_to(path).at_end_of(self, path)
    }

    /// Whether `path` leads from `root` exactly here.
    pub(crate) fn at_end_of(&self, root: &Node, path: &str) -> bool {
        let (around, key) = path.rsplit_once('.').unwrap_or(("", path));
        let table = root.nearest_to(around).table();
        table
            .and_then(|table| table.get(key))
            .is_some_and(|node| std::ptr::eq(node, self))
    }
}
