//! From "this field shall read so" to what a profile's own text must say for it.

use isosmith_protocol::Code;
use serde_json::Value as Json;
use toml_edit::DocumentMut;

use super::{materials, toml};
use crate::{
    Error, Result,
    tree::{self, Tree},
};

/// What is known while a field is changed.
pub(crate) struct Change<'a> {
    /// The merged profile that a text gives; `None` if it is not TOML.
    pub(crate) read: &'a dyn Fn(&str) -> Option<Tree>,
    /// Folder that the text's own relative paths start from.
    pub(crate) folder: &'a str,
}

impl Change<'_> {
    /// The text in which the field at `path` reads `wanted`; `null` goes back to what stands
    /// below the text.
    ///
    /// # Errors
    ///
    /// [`Code::ProfileInvalid`] when there is no such field, the text is not TOML, or the
    /// change is to what a parent's list has and cannot be taken out of.
    pub(crate) fn text(&self, text: &str, path: &str, wanted: Json) -> Result<String> {
        let field = tree::field(path);
        if isosmith_spec::adds(field).is_none() {
            return Err(no_field(path));
        }
        let now = (self.read)(text).ok_or_else(not_toml)?;
        let wanted = self
            .whole(&now, path, wanted)
            .ok_or_else(|| no_field(path))?;
        self.field(text, field, &wanted)
    }

    /// The value of the whole field when `wanted` is that of `path` in it.
    fn whole(&self, now: &Tree, path: &str, wanted: Json) -> Option<Json> {
        let field = tree::field(path);
        let deeper = path.strip_prefix(field)?;
        if deeper.is_empty() {
            return Some(wanted);
        }
        let list = tree::at(now, field)
            .cloned()
            .unwrap_or(Json::Array(Vec::new()));
        let keys = tree::keys(&format!("x{deeper}"))?;
        tree::put(list, keys.get(1..)?, wanted)
    }

    fn field(&self, text: &str, field: &str, wanted: &Json) -> Result<String> {
        let mut doc: DocumentMut = text.parse().map_err(|_| not_toml())?;
        let mut without = doc.clone();
        toml::remove(&mut without, field);
        let below = (self.read)(&without.to_string()).ok_or_else(not_toml)?;
        let before = tree::at(&below, field);
        // A profile must have a name of its own, be it its parent's.
        if wanted.is_null() && field == "profile.name" {
            return match before.cloned() {
                Some(before) => {
                    toml::set(&mut doc, field, &before);
                    Ok(doc.to_string())
                }
                None => Ok(text.to_owned()),
            };
        }
        if wanted.is_null() || (before == Some(wanted) && field != "profile.name") {
            return Ok(without.to_string());
        }
        if let Json::Object(table) = wanted {
            return self.table(doc, field, table);
        }
        match (isosmith_spec::adds(field), before, wanted) {
            (Some(true), Some(Json::Array(before)), Json::Array(wanted)) => {
                let own = self.to_add(&doc, &now_list(self, text, field), field, before, wanted)?;
                match own.is_empty() {
                    true => return Ok(without.to_string()),
                    false => toml::set(&mut doc, field, &Json::Array(own)),
                }
            }
            _ => {
                let written = self.as_written(&doc, field, wanted);
                toml::set(&mut doc, field, &written);
            }
        }
        Ok(doc.to_string())
    }

    /// A table: each of its keys, and none that it has not got.
    fn table(&self, mut doc: DocumentMut, field: &str, table: &Tree) -> Result<String> {
        toml::set_table(&mut doc, field);
        let own: Vec<String> = toml::at(&doc, field)
            .and_then(|item| item.as_table_like())
            .map(|own| own.iter().map(|(key, _)| key.to_owned()).collect())
            .unwrap_or_default();
        for key in own.iter().filter(|key| !table.contains_key(*key)) {
            toml::remove(&mut doc, &format!("{field}.{key}"));
            toml::set_table(&mut doc, field);
        }
        table
            .iter()
            .try_fold(doc.to_string(), |text, (key, value)| {
                let path = format!("{field}.{key}");
                match isosmith_spec::adds(&path) {
                    Some(_) => self.field(&text, &path, value),
                    None => Err(no_field(&path)),
                }
            })
    }

    /// A value as the text has it where it means the same: relative paths stay relative.
    fn as_written(&self, doc: &DocumentMut, field: &str, wanted: &Json) -> Json {
        let own = toml::at(doc, field).and_then(toml::json);
        match (own, wanted) {
            (Some(own), _) if materials::resolved(field, &own, self.folder) == *wanted => own,
            (_, _) => wanted.clone(),
        }
    }

    /// What the text's own list must be, so that it reads `wanted` on top of `before`.
    fn to_add(
        &self,
        doc: &DocumentMut,
        now: &[Json],
        field: &str,
        before: &[Json],
        wanted: &[Json],
    ) -> Result<Vec<Json>> {
        let own = match toml::at(doc, field).and_then(toml::json) {
            Some(Json::Array(own)) => own,
            Some(_) | None => Vec::new(),
        };
        let names = wanted.iter().chain(before).chain(&own).all(Json::is_string);
        match names {
            true => Ok(self.names(field, &own, before, wanted)),
            false => self.rows(field, &own, now, before, wanted),
        }
    }

    fn names(&self, field: &str, own: &[Json], before: &[Json], wanted: &[Json]) -> Vec<Json> {
        let out = |name: &Json| Json::from(format!("!{}", name.as_str().unwrap_or_default()));
        let takes_out = |entry: &Json| {
            let name = entry.as_str()?.strip_prefix('!')?;
            Some(Json::from(name))
        };
        let means = |entry: &Json| materials::resolved(field, entry, self.folder);
        let stays = |entry: &&Json| match takes_out(entry) {
            Some(name) => before.contains(&name) && !wanted.contains(&name),
            None => wanted.contains(&means(entry)),
        };
        let mut list: Vec<Json> = Vec::new();
        for entry in own.iter().filter(stays) {
            if !list.contains(entry) {
                list.push(entry.clone());
            }
        }
        for name in wanted {
            let there = before.contains(name) || list.iter().any(|entry| means(entry) == *name);
            if !there {
                list.push(name.clone());
            }
        }
        for name in before.iter().filter(|name| !wanted.contains(name)) {
            if !list.contains(&out(name)) {
                list.push(out(name));
            }
        }
        list
    }

    /// Rows come after the parent's, which stay. A row that reads as it did is left as it was
    /// written; of a changed one, only what changed is written.
    fn rows(
        &self,
        field: &str,
        own: &[Json],
        now: &[Json],
        before: &[Json],
        wanted: &[Json],
    ) -> Result<Vec<Json>> {
        let Some(mine) = wanted.strip_prefix(before) else {
            return Err(Error::new(
                Code::ProfileInvalid,
                format!(
                    "entries of `{field}` that come from the profile below cannot be changed or taken out"
                ),
                "Add entries of your own after them, or start from another profile.",
            ));
        };
        let shown = now.get(before.len()..).unwrap_or_default();
        let rows = mine.iter().enumerate().map(|(index, wanted)| {
            if let Some(same) = shown.iter().position(|shown| shown == wanted) {
                return own.get(same).unwrap_or(wanted).clone();
            }
            match (own.get(index), shown.get(index), wanted) {
                (Some(Json::Object(own)), Some(Json::Object(shown)), Json::Object(wanted)) => {
                    Json::Object(row(own, shown, wanted))
                }
                _ => wanted.clone(),
            }
        });
        Ok(rows.collect())
    }
}

fn now_list(change: &Change<'_>, text: &str, field: &str) -> Vec<Json> {
    let now = (change.read)(text).unwrap_or_default();
    match tree::at(&now, field) {
        Some(Json::Array(list)) => list.clone(),
        Some(_) | None => Vec::new(),
    }
}

fn row(own: &Tree, shown: &Tree, wanted: &Tree) -> Tree {
    let mut row = own.clone();
    row.retain(|key, _| wanted.contains_key(key));
    for (key, value) in wanted {
        if shown.get(key) != Some(value) {
            row.insert(key.clone(), value.clone());
        }
    }
    row
}

fn no_field(path: &str) -> Error {
    Error::new(
        Code::ProfileInvalid,
        format!("there is no field `{path}`"),
        "This is a fault of the window; please report it.",
    )
}

fn not_toml() -> Error {
    Error::new(
        Code::ProfileInvalid,
        "the profile's text is not TOML at the moment",
        "Correct the text first; what is wrong stands beside it.",
    )
}
