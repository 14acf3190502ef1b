//! The profile format as a JSON schema (draft 2020-12), for editors.

use serde_json::{Map, Value, json};

use crate::merge::DEFAULTS;
use crate::raw::{self, Field, Kind};

/// The schema of a profile's text. What the checker refuses by looking at one field's type,
/// name, words or shape, the schema refuses too; rules between fields are the checker's.
pub fn schema() -> Value {
    let defaults: toml::Table = toml::from_str(DEFAULTS).unwrap_or_default();
    let mut schema = table(raw::PROFILE, Some(&toml::Value::Table(defaults)));
    if let Value::Object(object) = &mut schema {
        object.insert(
            "$schema".to_owned(),
            json!("https://json-schema.org/draft/2020-12/schema"),
        );
        object.insert("title".to_owned(), json!("Isosmith profile"));
        object.insert(
            "description".to_owned(),
            json!("What to build: a Debian live image. Everything but `format` and `profile.name` has a default."),
        );
    }
    schema
}

fn table(fields: &[Field], defaults: Option<&toml::Value>) -> Value {
    let mut properties = Map::new();
    for field in fields {
        let default = defaults.and_then(|table| table.get(field.name));
        properties.insert(field.name.to_owned(), property(field, default));
    }
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("properties".to_owned(), Value::Object(properties));
    schema.insert("additionalProperties".to_owned(), json!(false));
    let required: Vec<&str> = fields
        .iter()
        .filter(|field| field.required)
        .map(|field| field.name)
        .collect();
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    Value::Object(schema)
}

fn property(field: &Field, default: Option<&toml::Value>) -> Value {
    let mut schema = of_kind(&field.kind, default);
    schema["description"] = json!(field.about);
    let examples: Vec<Value> = field
        .examples
        .iter()
        .filter_map(|toml| value(toml))
        .collect();
    if !examples.is_empty() {
        schema["examples"] = Value::Array(examples);
    }
    // Defaults of a table are those of its keys.
    let default = default
        .filter(|value| !value.is_table())
        .and_then(|value| serde_json::to_value(value).ok())
        .or_else(|| field.default.and_then(value));
    if let Some(default) = default {
        schema["default"] = default;
    }
    schema
}

/// A value written as TOML.
fn value(toml: &str) -> Option<Value> {
    let table = toml::from_str::<toml::Table>(&format!("v = {toml}")).ok()?;
    serde_json::to_value(table.get("v")?).ok()
}

fn of_kind(kind: &Kind, default: Option<&toml::Value>) -> Value {
    match kind {
        Kind::Text {
            pattern: Some(pattern),
            most,
        } => json!({ "type": "string", "pattern": pattern, "maxLength": most }),
        Kind::Text {
            pattern: None,
            most,
        } => json!({ "type": "string", "maxLength": most }),
        Kind::Word(words) => json!({ "type": "string", "enum": words }),
        Kind::Date => json!({
            "type": ["string", "integer"],
            "pattern": crate::names::SourceDate::PATTERN,
        }),
        Kind::Material => json!({
            "type": "string",
            "pattern": crate::names::MaterialPath::PATTERN,
            "maxLength": raw::MOST_CHARACTERS,
        }),
        Kind::Switch => json!({ "type": "boolean" }),
        Kind::Off => json!({ "const": false }),
        Kind::Number { from, to } => json!({ "type": "integer", "minimum": from, "maximum": to }),
        Kind::Table(fields) => table(fields, default),
        Kind::List { item, adds } => json!({
            "type": "array",
            "maxItems": raw::MOST_ENTRIES,
            "items": entry(item, *adds),
        }),
        Kind::Either(kinds) => {
            let any: Vec<Value> = kinds.iter().map(|kind| of_kind(kind, default)).collect();
            json!({ "anyOf": any })
        }
    }
}

/// An entry of a list; `!NAME` takes a parent's entry out where lists add.
fn entry(item: &Kind, adds: bool) -> Value {
    match (item, adds) {
        (Kind::Text { .. }, true) => {
            json!({ "anyOf": [of_kind(item, None), { "type": "string", "pattern": "^!." }] })
        }
        _ => of_kind(item, None),
    }
}
