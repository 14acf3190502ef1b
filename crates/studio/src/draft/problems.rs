//! The checker's problems as the page shows them, with what a button can do about them.

use isosmith_spec::{Origin, Problem as Found};
use serde_json::Value as Json;
use toml_edit::DocumentMut;

use super::{layers, materials, toml};
use crate::{
    model::{Fix, Problem},
    tree::{self, Tree},
};

/// The page shows no more; the first ones say enough.
const MOST: usize = 200;

/// What is known about the draft that has the problems.
pub(crate) struct Around<'a> {
    /// The person's own text; `None` if it is not TOML.
    pub(crate) doc: Option<&'a DocumentMut>,
    /// The merged profile.
    pub(crate) values: &'a Tree,
    /// Folder that the text's own relative paths start from.
    pub(crate) folder: &'a str,
}

impl Around<'_> {
    /// Every problem for the page.
    pub(crate) fn shown(&self, found: &[Found]) -> Vec<Problem> {
        found
            .iter()
            .take(MOST)
            .map(|found| self.show(found))
            .collect()
    }

    fn show(&self, found: &Found) -> Problem {
        let mine = found.origin == Some(layers::own());
        let field = tree::field(&found.path);
        let adds = isosmith_spec::adds(field) == Some(true);
        let index = match mine {
            true => self.index_in_values(&found.path),
            false => tree::keys(&found.path).and_then(|keys| first_index(&keys)),
        };
        let path = match (adds, mine, index) {
            // An index of a parent's text says nothing about the list as it reads.
            (true, false, _) | (true, true, None) => field.to_owned(),
            (true, true, Some(index)) => moved(&found.path, index),
            (false, _, _) => found.path.clone(),
        };
        let from = match (&found.origin, mine) {
            (Some(origin @ (Origin::System(_) | Origin::User(_) | Origin::Profile(_))), false) => {
                format!(" ({origin})")
            }
            (_, _) => String::new(),
        };
        Problem {
            message: format!("{}; {}{from}.", capital(&found.message), found.fix),
            fix: self.fix(found, field, index),
            path,
        }
    }

    /// Where the entry of the own text's list stands in the list as it reads.
    fn index_in_values(&self, path: &str) -> Option<usize> {
        let field = tree::field(path);
        let index = tree::keys(path).and_then(|keys| first_index(&keys))?;
        if isosmith_spec::adds(field) != Some(true) {
            return Some(index);
        }
        let own = toml::at(self.doc?, field).and_then(toml::json)?;
        let (own, list) = (own.as_array()?, tree::at(self.values, field)?.as_array()?);
        let entry = own.get(index)?;
        match entry.is_string() {
            true => {
                let entry = materials::resolved(field, entry, self.folder);
                list.iter().position(|value| *value == entry)
            }
            false => (list.len() + index).checked_sub(own.len()),
        }
    }

    /// What the problem itself suggests, where that is a value. It is the value of the whole
    /// field, such as `software.packages`, wherever in it the problem is.
    fn fix(&self, found: &Found, field: &str, index: Option<usize>) -> Option<Fix> {
        isosmith_spec::adds(field)?;
        let now = tree::at(self.values, field);
        let suggestion = Suggestion::read(found, now)?;
        match (now, found.path.contains('[')) {
            (Some(Json::Array(list)), true) => self.fix_entry(list, found, index, suggestion),
            (_, true) => None,
            (_, false) => match suggestion {
                Suggestion::Value(value) => Some(Fix {
                    label: label(&value),
                    value,
                }),
                Suggestion::Nothing => Some(Fix {
                    label: "Use the profile's own".to_owned(),
                    value: Json::Null,
                }),
                Suggestion::NotThis => None,
            },
        }
    }

    fn fix_entry(
        &self,
        list: &[Json],
        found: &Found,
        index: Option<usize>,
        suggestion: Suggestion,
    ) -> Option<Fix> {
        let mut list = list.to_vec();
        let deeper = tree::keys(&found.path)?;
        let at = deeper
            .iter()
            .position(|key| matches!(key, tree::Key::Index(_)))?;
        let inside = deeper.get(at + 1..)?;
        match suggestion {
            Suggestion::Value(Json::String(text)) if text.starts_with('!') => {
                let name = Json::from(text.trim_start_matches('!'));
                list.retain(|entry| *entry != name);
                Some(Fix {
                    label: label(&Json::from(text)),
                    value: Json::Array(list),
                })
            }
            Suggestion::Value(value) => {
                let place = list.get_mut(index?)?;
                *place = tree::put(place.take(), inside, value.clone())?;
                Some(Fix {
                    label: label(&value),
                    value: Json::Array(list),
                })
            }
            Suggestion::NotThis => {
                let name = match index {
                    Some(index) if index < list.len() => short(&list.remove(index)),
                    // An entry that has no place in the list goes when the list is written.
                    Some(_) | None => "it".to_owned(),
                };
                Some(Fix {
                    label: format!("Remove {name}"),
                    value: Json::Array(list),
                })
            }
            Suggestion::Nothing => Some(Fix {
                label: "Use the profile's own".to_owned(),
                value: Json::Null,
            }),
        }
    }
}

/// What the checker's sentence proposes.
#[derive(Debug, Clone, PartialEq)]
enum Suggestion {
    /// This instead.
    Value(Json),
    /// Leaving the field to the profile.
    Nothing,
    /// Leaving the entry out.
    NotThis,
}

impl Suggestion {
    /// Reads the sentences that `isosmith_spec` writes. A sentence that is not understood gives
    /// no button; the sentence itself is shown all the same.
    fn read(found: &Found, now: Option<&Json>) -> Option<Self> {
        let key = found.path.rsplit('.').next().unwrap_or_default();
        if found.message.starts_with("unknown field") {
            return None;
        }
        if let Some((_, near)) = found.message.split_once("did you mean `") {
            let near = near.split('`').next()?;
            return (!near.starts_with('{')).then(|| Self::Value(Json::from(near)));
        }
        let assigned = found
            .fix
            .split('`')
            .skip(1)
            .step_by(2)
            .find_map(|code| assignment(code, key));
        if let Some(value) = assigned {
            return Some(Self::Value(value));
        }
        let leave = ["remove it", "remove the entry", "remove one of the two"];
        let fix = found.fix.as_str();
        if fix.ends_with("or leave the line out") {
            return Some(Self::Nothing);
        }
        if leave.iter().any(|start| fix.starts_with(start)) || fix.ends_with("or remove the set") {
            return Some(Self::NotThis);
        }
        if let Some(rest) = fix.strip_prefix("write `") {
            let (value, after) = rest.split_once('`')?;
            let whole = after.is_empty() || after.starts_with(',');
            return (whole && !value.contains(" = ")).then(|| Self::Value(unquoted(value)));
        }
        if let Some(range) = fix.strip_prefix("write a number from ") {
            let written: i64 = found.message.split(' ').next()?.parse().ok()?;
            let (from, to) = range.split_once(" to ")?;
            let nearest = written.max(from.parse().ok()?).min(to.parse().ok()?);
            return Some(Self::Value(Json::from(nearest)));
        }
        let text = now.and_then(Json::as_str);
        if let (Some(text), Some(rest)) = (text, fix.strip_prefix("shorten it to ")) {
            let most: usize = rest.split(' ').next()?.parse().ok()?;
            let cut: String = text.chars().take(most).collect();
            return Some(Self::Value(Json::from(cut.trim_end())));
        }
        match (text, fix) {
            (Some(text), "add `.iso`") => Some(Self::Value(Json::from(format!("{text}.iso")))),
            (_, _) => None,
        }
    }
}

/// The value in `key = value`.
fn assignment(code: &str, key: &str) -> Option<Json> {
    let table: toml_edit::DocumentMut = code.parse().ok()?;
    toml::json(table.get(key)?)
}

/// `"0644"` with its quotes is a text in TOML; without quotes it stands as it is.
fn unquoted(code: &str) -> Json {
    assignment(&format!("v = {code}"), "v")
        .filter(|value| value.is_string() || value.is_array())
        .unwrap_or_else(|| Json::from(code))
}

fn first_index(keys: &[tree::Key]) -> Option<usize> {
    keys.iter().find_map(|key| match key {
        tree::Key::Index(index) => Some(*index),
        tree::Key::Name(_) => None,
    })
}

/// `a[1].b` with another first index.
fn moved(path: &str, index: usize) -> String {
    let (field, rest) = path.split_once('[').unwrap_or((path, ""));
    let rest = rest.split_once(']').map_or("", |(_, rest)| rest);
    format!("{field}[{index}]{rest}")
}

fn label(value: &Json) -> String {
    format!("Write {}", short(value))
}

fn short(value: &Json) -> String {
    let text = match value {
        Json::String(text) => format!("“{text}”"),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => {
            value.to_string()
        }
    };
    match text.chars().count() > 48 {
        true => format!("{}…", text.chars().take(47).collect::<String>()),
        false => text,
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) if first.is_lowercase() => first.to_uppercase().chain(chars).collect(),
        Some(_) | None => text.to_owned(),
    }
}
