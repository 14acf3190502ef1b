//! Files that a profile names, where its text has them.

use std::path::Path;

use isosmith_spec::{Material, MaterialKind};
use serde_json::Value as Json;
use toml_edit::{DocumentMut, Item, TableLike, Value};

use crate::model::Problem;

/// Fields that name a file; in lists of rows with the row's key.
const FIELDS: [(&str, Option<&str>); 11] = [
    ("base.key", None),
    ("base.repositories", Some("key")),
    ("software.debs", None),
    ("files", Some("source")),
    ("scripts", Some("source")),
    ("branding.logo", None),
    ("security.signing.key", None),
    ("security.signing.certificate", None),
    ("branding.wallpaper", None),
    ("branding.wallpaper_dark", None),
    ("branding.slides", Some("picture")),
];

/// A field's value as a merged profile has it: relative paths joined to `folder`.
pub(crate) fn resolved(field: &str, value: &Json, folder: &str) -> Json {
    let Some((_, key)) = FIELDS.iter().find(|(name, _)| *name == field) else {
        return value.clone();
    };
    match (value, key) {
        (Json::String(text), None) => Json::from(joined(text, folder)),
        (Json::Array(list), _) => {
            let list = list.iter().map(|entry| resolved(field, entry, folder));
            Json::Array(list.collect())
        }
        (Json::Object(row), Some(key)) => {
            let mut row = row.clone();
            if let Some(Json::String(text)) = row.get_mut(*key) {
                *text = joined(text, folder);
            }
            Json::Object(row)
        }
        (value, _) => value.clone(),
    }
}

/// As the checker joins them (`isosmith_spec::Layer::folder`).
fn joined(text: &str, folder: &str) -> String {
    let text = text.strip_prefix("./").unwrap_or(text);
    let leave = text.is_empty() || text.starts_with(['/', '~', '-', '!']);
    match leave || folder.is_empty() {
        true => text.to_owned(),
        false => format!("{}/{text}", folder.trim_end_matches('/')),
    }
}

/// The text with paths that mean the same from another folder: those below it are relative,
/// all others absolute.
pub(crate) fn moved(doc: &mut DocumentMut, from: &Path, to: &Path) {
    if from == to {
        return;
    }
    let change = |text: &str| {
        let leave = text.is_empty() || text.starts_with(['/', '~', '-', '!']);
        if leave {
            return None;
        }
        let whole = from.join(text.strip_prefix("./").unwrap_or(text));
        let new = whole.strip_prefix(to).unwrap_or(&whole);
        Some(new.to_str()?.to_owned())
    };
    for (field, key) in FIELDS {
        let item = field
            .split('.')
            // Not `Item::get_mut`, which makes the tables on the way.
            .try_fold(doc.as_item_mut(), |item, key| {
                item.as_table_like_mut()?.get_mut(key)
            });
        let Some(item) = item else { continue };
        match (item, key) {
            (Item::Value(Value::Array(list)), None) => {
                list.iter_mut().for_each(|value| rewrite(value, &change));
            }
            (Item::Value(Value::Array(list)), Some(key)) => {
                for row in list.iter_mut().filter_map(Value::as_inline_table_mut) {
                    rewrite_in(row, key, &change);
                }
            }
            (Item::ArrayOfTables(rows), Some(key)) => {
                rows.iter_mut()
                    .for_each(|row| rewrite_in(row, key, &change));
            }
            (Item::Value(value), None) => rewrite(value, &change),
            (_, _) => {}
        }
    }
}

fn rewrite_in(row: &mut dyn TableLike, key: &str, change: &dyn Fn(&str) -> Option<String>) {
    if let Some(Item::Value(value)) = row.get_mut(key) {
        rewrite(value, change);
    }
}

fn rewrite(value: &mut Value, change: &dyn Fn(&str) -> Option<String>) {
    let Some(new) = value.as_str().and_then(change) else {
        return;
    };
    let mut new = Value::from(new);
    *new.decor_mut() = value.decor().clone();
    *value = new;
}

/// Those that are not there, or not what they must be.
pub(crate) fn missing(materials: &[Material]) -> Vec<Problem> {
    let problem = |material: &Material, what: &str| Problem {
        path: material.field.clone(),
        message: format!("{} {what}; choose another file.", material.path),
        fix: None,
    };
    let check = |material: &Material| {
        let folder_fits = match material.kind {
            MaterialKind::Overlay => true,
            MaterialKind::Key
            | MaterialKind::Deb
            | MaterialKind::Script
            | MaterialKind::Logo
            | MaterialKind::Wallpaper
            | MaterialKind::SigningKey
            | MaterialKind::Certificate => false,
        };
        match Path::new(material.path.as_str()).metadata() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Some(problem(material, "is not there"))
            }
            Err(error) => Some(problem(material, &format!("cannot be looked at ({error})"))),
            Ok(meta) if meta.is_dir() && !folder_fits => {
                Some(problem(material, "is a folder, and a file is wanted"))
            }
            Ok(meta) if !meta.is_dir() && !meta.is_file() => {
                Some(problem(material, "is neither a file nor a folder"))
            }
            Ok(_) => None,
        }
    };
    materials.iter().filter_map(check).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Paths of all fields that the schema has for files.
    fn of_schema(schema: &Json, path: &str, found: &mut Vec<String>) {
        if schema["pattern"] == isosmith_spec::names::MaterialPath::PATTERN {
            found.push(path.to_owned());
        }
        if schema["items"].is_object() {
            of_schema(&schema["items"], &format!("{path}[]"), found);
        }
        for schema in schema["anyOf"].as_array().into_iter().flatten() {
            of_schema(schema, path, found);
        }
        for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
            of_schema(schema, &format!("{path}.{name}"), found);
        }
    }

    #[test]
    fn every_field_that_names_a_file_is_known() {
        let mut known: Vec<String> = FIELDS
            .iter()
            .map(|(field, key)| match (*field, key) {
                ("software.debs", _) => ".software.debs[]".to_owned(),
                (field, None) => format!(".{field}"),
                (field, Some(key)) => format!(".{field}[].{key}"),
            })
            .collect();
        let mut found = Vec::new();
        of_schema(&isosmith_spec::schema(), "", &mut found);
        known.sort();
        found.sort();
        assert_eq!(known, found);
    }

    #[test]
    fn paths_mean_the_same_from_another_folder() {
        let text = "[branding]\nlogo = 'logo.svg' # ours\nwallpaper = '/abs.png'\n[software]\ndebs = ['sub/a.deb']\n[[files]]\nsource = './over'\ntarget = '/x'\n";
        let check = |to: &str, want: [&str; 4]| {
            let mut doc: DocumentMut = text.parse().unwrap();
            moved(&mut doc, Path::new("/a"), Path::new(to));
            let now = doc.to_string();
            for want in want {
                assert!(now.contains(want), "{to}: {want} in {now}");
            }
        };
        check(
            "/b",
            [
                "logo = \"/a/logo.svg\" # ours",
                "'/abs.png'",
                "\"/a/sub/a.deb\"",
                "\"/a/over\"",
            ],
        );
        check(
            "/a/sub",
            [
                "logo = \"/a/logo.svg\"",
                "'/abs.png'",
                "[\"a.deb\"]",
                "\"/a/over\"",
            ],
        );
        check(
            "/a",
            [
                "logo = 'logo.svg'",
                "'/abs.png'",
                "['sub/a.deb']",
                "'./over'",
            ],
        );
    }
}
