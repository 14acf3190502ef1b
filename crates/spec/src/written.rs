//! Reading one layer's text into a tree: TOML, known fields, right types, limits.

use std::collections::BTreeMap;

use crate::layer::Layer;
use crate::problem::{Problem, Reason, nearest, quote};
use crate::raw::{self, Field, Kind, join};
use crate::tree::{Node, Written};

/// Reads a layer's text. `None` if it is not TOML at all; every problem goes to `problems`.
pub(crate) fn read(layer: &Layer, index: usize, problems: &mut Vec<Problem>) -> Option<Node> {
    let mut reading = Reading {
        layer,
        index,
        problems,
    };
    if layer.text.len() > raw::MOST_BYTES {
        reading.refuse(
            "",
            format!(
                "the text is {} bytes long; the most is 1 MiB",
                layer.text.len()
            ),
            "move long texts into files beside the profile",
        );
        return None;
    }
    match toml::from_str::<toml::Table>(&layer.text) {
        Ok(table) => Some(reading.table(table, raw::PROFILE, "")),
        Err(error) => {
            reading.syntax(&error);
            None
        }
    }
}

/// Nobody reads more problems than this, and finding suggestions for each takes time.
const MOST_PROBLEMS: usize = 1000;

struct Reading<'a> {
    layer: &'a Layer,
    index: usize,
    problems: &'a mut Vec<Problem>,
}

impl Reading<'_> {
    fn refuse(&mut self, path: &str, message: impl Into<String>, fix: impl Into<String>) {
        if self.problems.len() >= MOST_PROBLEMS {
            return;
        }
        self.problems.push(Problem::new(
            path,
            Reason::new(message, fix),
            Some(self.layer.origin.clone()),
        ));
    }

    fn syntax(&mut self, error: &toml::de::Error) {
        let start = error.span().map_or(0, |span| span.start);
        let before = self.layer.text.get(..start).unwrap_or(&self.layer.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        // The parser's message can have several lines and quote what was written.
        let what = quote(&error.message().replace('\n', ", "));
        self.refuse(
            "",
            format!(
                "line {line}, column {column} is not TOML: {}",
                what.trim_matches('`')
            ),
            "correct this place; https://toml.io shows how TOML is written",
        );
    }

    fn node(&self, path: &str, value: Written) -> Node {
        Node {
            value,
            layer: self.index,
            at: path.to_owned(),
        }
    }

    fn table(&mut self, table: toml::Table, fields: &'static [Field], path: &str) -> Node {
        let mut read = BTreeMap::new();
        for (key, value) in table {
            let here = join(path, &key);
            match fields.iter().find(|field| field.name == key) {
                Some(field) => {
                    let node = self.value(value, field, &field.kind, &here);
                    read.insert(key, node);
                }
                None => self.unknown(&key, fields, path),
            }
        }
        self.node(path, Written::Table(read))
    }

    fn unknown(&mut self, key: &str, fields: &[Field], path: &str) {
        if self.problems.len() >= MOST_PROBLEMS {
            return;
        }
        let here = join(path, &shown(key));
        let plain = key.to_lowercase().replace('_', "-");
        if path.starts_with("base.repositories")
            && (plain.contains("trusted") || plain.starts_with("allow-"))
        {
            return self.refuse(
                &here,
                format!(
                    "{} would switch off signature checks, which Isosmith never does",
                    quote(key)
                ),
                "remove it and give the repository's public key as `key`",
            );
        }
        let elsewhere = || {
            raw::leaves()
                .into_iter()
                .map(|(path, _)| path)
                .find(|known| known.rsplit('.').next() == Some(key))
        };
        if let Some(near) = nearest(key, fields.iter().map(|field| field.name)) {
            return self.refuse(
                &here,
                format!(
                    "unknown field {}; did you mean `{near}`?",
                    quote(&join(path, key))
                ),
                format!("write `{near}`"),
            );
        }
        if let Some(known) = elsewhere() {
            return self.refuse(
                &here,
                format!(
                    "unknown field {}; did you mean `{known}`?",
                    quote(&join(path, key))
                ),
                format!("move it to `{known}`"),
            );
        }
        let names: Vec<String> = fields
            .iter()
            .map(|field| format!("`{}`", field.name))
            .collect();
        self.refuse(
            &here,
            format!("unknown field {}", quote(&join(path, key))),
            format!("remove it; known here are {}", names.join(", ")),
        );
    }

    fn value(
        &mut self,
        value: toml::Value,
        field: &'static Field,
        kind: &'static Kind,
        path: &str,
    ) -> Node {
        let written = match (kind, value) {
            (Kind::Either(kinds), value) => match kinds.iter().find(|kind| takes(kind, &value)) {
                Some(kind) => return self.value(value, field, kind, path),
                None => self.wrong_type(&value, field, kind, path),
            },
            (Kind::Table(fields), toml::Value::Table(table)) => {
                return self.table(table, fields, path);
            }
            (Kind::List { item, .. }, toml::Value::Array(array)) => {
                self.list(array, field, item, path)
            }
            (Kind::Text { most, .. }, toml::Value::String(text)) => self.text(text, *most, path),
            (Kind::Word(_) | Kind::Date, toml::Value::String(text)) => {
                self.text(text, raw::MOST_CHARACTERS, path)
            }
            (Kind::Material, toml::Value::String(text)) => {
                let text = self.material(&text);
                self.text(text, raw::MOST_CHARACTERS, path)
            }
            (Kind::Date, toml::Value::Datetime(date)) => Written::Text(date.to_string()),
            (Kind::Date, toml::Value::Integer(number)) => Written::Number(number),
            (Kind::Switch, toml::Value::Boolean(switch)) => Written::Switch(switch),
            (Kind::Off, toml::Value::Boolean(false)) => Written::Switch(false),
            (Kind::Number { from, to }, toml::Value::Integer(number)) => {
                self.number(number, *from, *to, path)
            }
            (kind, value) => self.wrong_type(&value, field, kind, path),
        };
        self.node(path, written)
    }

    fn list(
        &mut self,
        array: toml::value::Array,
        field: &'static Field,
        item: &'static Kind,
        path: &str,
    ) -> Written {
        if array.len() > raw::MOST_ENTRIES {
            self.refuse(
                path,
                format!(
                    "the list has {} entries; the most is {}",
                    array.len(),
                    raw::MOST_ENTRIES
                ),
                "shorten the list",
            );
            return Written::Refused;
        }
        let items = array
            .into_iter()
            .enumerate()
            .map(|(index, value)| self.value(value, field, item, &format!("{path}[{index}]")));
        Written::List(items.collect())
    }

    fn text(&mut self, text: String, most: usize, path: &str) -> Written {
        let length = text.chars().count();
        if length <= most {
            return Written::Text(text);
        }
        self.refuse(
            path,
            format!("the text is {length} characters long; the most is {most}"),
            format!("shorten it to {most} characters"),
        );
        Written::Refused
    }

    fn number(&mut self, number: i64, from: i64, to: i64, path: &str) -> Written {
        if (from..=to).contains(&number) {
            return Written::Number(number);
        }
        match path {
            "format" => self.refuse(
                path,
                format!("profile format {number} is not known to this version of Isosmith"),
                format!(
                    "write `format = {to}`, or use a version of Isosmith that knows format {number}"
                ),
            ),
            _ => self.refuse(
                path,
                format!("{number} is not between {from} and {to}"),
                format!("write a number from {from} to {to}"),
            ),
        }
        Written::Refused
    }

    /// Joins a relative path to the layer's folder, because a merged profile has no folder.
    fn material(&self, text: &str) -> String {
        let text = text.strip_prefix("./").unwrap_or(text);
        // What the checker refuses must still look like it was written.
        let leave = text.is_empty() || text.starts_with(['/', '~', '-', '!']);
        match leave || self.layer.folder.is_empty() {
            true => text.to_owned(),
            false => format!("{}/{text}", self.layer.folder.trim_end_matches('/')),
        }
    }

    fn wrong_type(
        &mut self,
        value: &toml::Value,
        field: &Field,
        kind: &Kind,
        path: &str,
    ) -> Written {
        let fix = match field.examples.first() {
            Some(example) => format!("write it like `{} = {example}`", field.name),
            None => format!("write it as a section, `{}`", header(field, path)),
        };
        self.refuse(
            path,
            format!("expected {}, found {}", expected(kind), found(value)),
            fix,
        );
        Written::Refused
    }
}

/// A key that is safe to show in a path.
fn shown(key: &str) -> String {
    quote(key).trim_matches('`').to_owned()
}

fn header(field: &Field, path: &str) -> String {
    match &field.kind {
        Kind::List { .. } => format!("[[{}]]", field.name),
        Kind::Text { .. }
        | Kind::Word(_)
        | Kind::Date
        | Kind::Material
        | Kind::Switch
        | Kind::Off
        | Kind::Number { .. }
        | Kind::Table(_)
        | Kind::Either(_) => format!("[{path}]"),
    }
}

fn takes(kind: &Kind, value: &toml::Value) -> bool {
    match kind {
        Kind::Text { .. } | Kind::Material => value.is_str(),
        Kind::Word(words) => value.as_str().is_some_and(|text| words.contains(&text)),
        Kind::Date => value.is_str() || value.is_integer() || value.is_datetime(),
        Kind::Switch => value.is_bool(),
        Kind::Off => value.as_bool() == Some(false),
        Kind::Number { .. } => value.is_integer(),
        Kind::Table(_) => value.is_table(),
        Kind::List { .. } => value.is_array(),
        Kind::Either(kinds) => kinds.iter().any(|kind| takes(kind, value)),
    }
}

fn expected(kind: &Kind) -> String {
    match kind {
        Kind::Text { .. } => "a text".to_owned(),
        Kind::Word(words) if words.len() == 1 => format!("`\"{}\"`", words[0]),
        Kind::Word(_) => "a word".to_owned(),
        Kind::Date => "a date".to_owned(),
        Kind::Material => "a path".to_owned(),
        Kind::Switch => "`true` or `false`".to_owned(),
        Kind::Off => "`false`".to_owned(),
        Kind::Number { .. } => "a number".to_owned(),
        Kind::Table(_) => "a table".to_owned(),
        Kind::List { .. } => "a list".to_owned(),
        Kind::Either(kinds) => {
            let all: Vec<String> = kinds.iter().map(expected).collect();
            all.join(" or ")
        }
    }
}

fn found(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => format!("the text {}", quote(text)),
        toml::Value::Integer(number) => format!("the number {number}"),
        toml::Value::Float(number) => format!("the number {number}"),
        toml::Value::Boolean(switch) => format!("`{switch}`"),
        toml::Value::Datetime(_) => "a date".to_owned(),
        toml::Value::Array(_) => "a list".to_owned(),
        toml::Value::Table(_) => "a table".to_owned(),
    }
}
