//! What a result depends on, as JSON that a person can read and compare.

use std::{collections::BTreeMap, fmt::Write as _};

use isosmith_protocol::StepId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Everything that a step's result depends on. Equal keys mean interchangeable results.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CacheKey {
    /// Which step.
    pub step: StepId,
    /// [`crate::StepDef::version`].
    pub version: u32,
    /// [`crate::StepDef::inputs`].
    pub inputs: Value,
    /// The hashes of the keys that this one builds on, by step.
    pub parents: BTreeMap<String, String>,
}

impl CacheKey {
    /// SHA-256 of the key's canonical form (members sorted, nothing between tokens), in
    /// lower-case hexadecimal.
    pub fn hash(&self) -> String {
        let mut text = String::new();
        canonical(&self.value(), &mut text);
        let mut hex = String::with_capacity(64);
        for byte in Sha256::digest(text.as_bytes()) {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
        }
        hex
    }

    /// Each place in which `older` differs from this key, as `place: old → new`.
    pub fn differences(&self, older: &Self) -> Vec<String> {
        let mut found = Vec::new();
        differ("", &older.value(), &self.value(), &mut found);
        let more = found.len().saturating_sub(MOST_DIFFERENCES);
        found.truncate(MOST_DIFFERENCES);
        if more > 0 {
            found.push(format!("and {more} more"));
        }
        found
    }

    fn value(&self) -> Value {
        let parents: serde_json::Map<String, Value> = self
            .parents
            .iter()
            .map(|(id, hash)| (id.clone(), Value::from(hash.clone())))
            .collect();
        serde_json::json!({
            "step": self.step.as_str(),
            "version": self.version,
            "inputs": self.inputs,
            "parents": parents,
        })
    }
}

/// A change of suite alters every package; nobody reads thousands of lines.
const MOST_DIFFERENCES: usize = 40;

/// Writes members in the order of their names: `serde_json` keeps either that order or the
/// order of insertion, depending on features that any crate of the program may switch on.
fn canonical(value: &Value, to: &mut String) {
    match value {
        Value::Object(members) => {
            let sorted: BTreeMap<_, _> = members.iter().collect();
            to.push('{');
            for (index, (name, member)) in sorted.into_iter().enumerate() {
                if index > 0 {
                    to.push(',');
                }
                canonical(&Value::from(name.as_str()), to);
                to.push(':');
                canonical(member, to);
            }
            to.push('}');
        }
        Value::Array(items) => {
            to.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    to.push(',');
                }
                canonical(item, to);
            }
            to.push(']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            // Writing to a string cannot fail.
            let _ = write!(to, "{value}");
        }
    }
}

fn differ(place: &str, old: &Value, new: &Value, found: &mut Vec<String>) {
    match (old, new) {
        (old, new) if old == new => {}
        (Value::Object(old), Value::Object(new)) => {
            let names: std::collections::BTreeSet<_> = old.keys().chain(new.keys()).collect();
            for name in names {
                let place = if place.is_empty() {
                    name.clone()
                } else {
                    format!("{place}.{name}")
                };
                match (old.get(name), new.get(name)) {
                    (Some(old), Some(new)) => differ(&place, old, new, found),
                    (Some(old), None) => found.push(format!("{place}: {old} removed")),
                    (None, Some(new)) => found.push(format!("{place}: {new} added")),
                    (None, None) => {}
                }
            }
        }
        (Value::Array(old), Value::Array(new)) => differ_in_lists(place, old, new, found),
        (old, new) => found.push(format!("{place}: {old} → {new}")),
    }
}

/// One more item at the front must not make every later one look changed: what is equal at
/// both ends is left out first.
fn differ_in_lists(place: &str, old: &[Value], new: &[Value], found: &mut Vec<String>) {
    let head = old
        .iter()
        .zip(new)
        .take_while(|(old, new)| old == new)
        .count();
    let (old, new) = (&old[head..], &new[head..]);
    let tail = old
        .iter()
        .rev()
        .zip(new.iter().rev())
        .take_while(|(old, new)| old == new)
        .count();
    let (old, new) = (&old[..old.len() - tail], &new[..new.len() - tail]);
    if old.len() == new.len() {
        for (index, (old, new)) in old.iter().zip(new).enumerate() {
            differ(&format!("{place}[{}]", head + index), old, new, found);
        }
        return;
    }
    let removed = old.iter().filter(|item| !new.contains(item));
    let added = new.iter().filter(|item| !old.contains(item));
    let before = found.len();
    found.extend(removed.map(|item| format!("{place}: {item} removed")));
    found.extend(added.map(|item| format!("{place}: {item} added")));
    if found.len() == before {
        found.push(format!(
            "{place}: {} items → {} items",
            old.len(),
            new.len()
        ));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn key(inputs: Value) -> CacheKey {
        CacheKey {
            step: StepId::new("packages"),
            version: 1,
            inputs,
            parents: BTreeMap::new(),
        }
    }

    #[test]
    fn the_hash_is_that_of_the_canonical_form() {
        let text = r#"{"inputs":{"a":[1,"\"x\"",null],"b":true},"parents":{},"step":"packages","version":1}"#;
        let want: String = Sha256::digest(text)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(
            key(json!({"b": true, "a": [1, "\"x\"", null]})).hash(),
            want
        );
    }

    #[test]
    fn everything_in_a_key_counts() {
        let base = key(json!({"a": 1}));
        let others = [
            key(json!({"a": 2})),
            CacheKey {
                version: 2,
                ..base.clone()
            },
            CacheKey {
                step: StepId::new("other"),
                ..base.clone()
            },
            CacheKey {
                parents: [("base".to_owned(), "00".to_owned())].into(),
                ..base.clone()
            },
        ];
        for other in others {
            assert_ne!(base.hash(), other.hash(), "{other:?}");
        }
    }

    #[test]
    fn differences_name_the_place_and_both_values() {
        for (old, new, want) in [
            (json!({"a": 1}), json!({"a": 1}), vec![]),
            (
                json!({"packages": ["git 1", "vim 9.1-1"]}),
                json!({"packages": ["git 1", "vim 9.1-2"]}),
                vec![r#"inputs.packages[1]: "vim 9.1-1" → "vim 9.1-2""#],
            ),
            (
                json!({"packages": ["a", "b", "c"]}),
                json!({"packages": ["new", "a", "b", "c"]}),
                vec![r#"inputs.packages: "new" added"#],
            ),
            (
                json!({"packages": ["a", "b", "c"]}),
                json!({"packages": ["a", "c"]}),
                vec![r#"inputs.packages: "b" removed"#],
            ),
            (
                json!({"l": ["a", "b", "a", "b"]}),
                json!({"l": ["b", "a"]}),
                vec!["inputs.l: 4 items → 2 items"],
            ),
            (
                json!({"a": 1}),
                json!({"b": {"c": 2}}),
                vec!["inputs.a: 1 removed", r#"inputs.b: {"c":2} added"#],
            ),
            (
                json!({"a": {"b": null}}),
                json!({"a": {"b": [1]}}),
                vec!["inputs.a.b: null → [1]"],
            ),
            (json!(null), json!([]), vec!["inputs: null → []"]),
        ] {
            assert_eq!(
                key(new.clone()).differences(&key(old.clone())),
                want,
                "{old} {new}"
            );
        }
    }

    #[test]
    fn a_flood_of_differences_is_cut() {
        let list =
            |suffix: &str| -> Vec<String> { (0..100).map(|n| format!("{n}{suffix}")).collect() };
        let differences = key(json!(list("b"))).differences(&key(json!(list("a"))));
        assert_eq!(differences.len(), MOST_DIFFERENCES + 1);
        assert_eq!(differences.last().map(String::as_str), Some("and 60 more"));
    }
}
