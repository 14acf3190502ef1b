//! Values of a profile by path: `branding.name`, `files[0].source`.

use serde_json::{Map, Value};

/// A merged profile in the shape of `profiles/schema.json`.
pub(crate) type Tree = Map<String, Value>;

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Key {
    /// Of a table.
    Name(String),
    /// Of a list, from 0.
    Index(usize),
}

/// Takes a path apart; `None` for what is no path.
pub(crate) fn keys(path: &str) -> Option<Vec<Key>> {
    let mut keys = Vec::new();
    for part in path.split('.') {
        let (name, indices) = part
            .split_once('[')
            .map_or((part, None), |(name, rest)| (name, Some(rest)));
        if name.is_empty() {
            return None;
        }
        keys.push(Key::Name(name.to_owned()));
        let Some(indices) = indices else { continue };
        for index in indices.strip_suffix(']')?.split("][") {
            keys.push(Key::Index(index.parse().ok()?));
        }
    }
    Some(keys)
}

/// The field that a path is in: `files[0].source` is in `files`.
pub(crate) fn field(path: &str) -> &str {
    path.split('[').next().unwrap_or(path)
}

/// What stands at `path`.
pub(crate) fn at<'t>(tree: &'t Tree, path: &str) -> Option<&'t Value> {
    let keys = keys(path)?;
    let (first, rest) = keys.split_first()?;
    let Key::Name(name) = first else { return None };
    rest.iter()
        .try_fold(tree.get(name)?, |node, key| match key {
            Key::Name(name) => node.get(name),
            Key::Index(index) => node.get(index),
        })
}

/// The text at `path`; empty where there is none.
pub(crate) fn text<'t>(tree: &'t Tree, path: &str) -> &'t str {
    at(tree, path).and_then(Value::as_str).unwrap_or_default()
}

/// `value` with `new` at `keys` below it; `null` takes an entry out. `None` where the path does
/// not fit: an index beyond the end by more than one, or a key in what is no table.
pub(crate) fn put(value: Value, keys: &[Key], new: Value) -> Option<Value> {
    let Some((key, rest)) = keys.split_first() else {
        return Some(new);
    };
    let gone = rest.is_empty() && new.is_null();
    match (value, key) {
        (Value::Array(mut list), Key::Index(index)) if *index < list.len() => {
            if gone {
                list.remove(*index);
                return Some(Value::Array(list));
            }
            list[*index] = put(list[*index].take(), rest, new)?;
            Some(Value::Array(list))
        }
        (Value::Array(mut list), Key::Index(index)) if *index == list.len() && !gone => {
            list.push(put(Value::Object(Tree::new()), rest, new)?);
            Some(Value::Array(list))
        }
        (Value::Object(mut table), Key::Name(name)) => {
            if gone {
                table.remove(name);
                return Some(Value::Object(table));
            }
            let below = table.remove(name).unwrap_or(Value::Object(Tree::new()));
            table.insert(name.clone(), put(below, rest, new)?);
            Some(Value::Object(table))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_put_and_taken_out() {
        let tree = json!({ "files": [{ "source": "a" }, { "source": "b" }] });
        let check = |path: &str, new: Value, want: Option<Value>| {
            let keys = keys(path).expect("a path");
            assert_eq!(put(tree.clone(), &keys, new), want, "{path}");
        };
        check(
            "files[1].source",
            json!("c"),
            Some(json!({ "files": [{ "source": "a" }, { "source": "c" }] })),
        );
        check(
            "files[0]",
            Value::Null,
            Some(json!({ "files": [{ "source": "b" }] })),
        );
        check(
            "files[2].source",
            json!("c"),
            Some(json!({ "files": [{ "source": "a" }, { "source": "b" }, { "source": "c" }] })),
        );
        check("files[3]", json!({}), None);
        check("files.x", json!(1), None);
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for path in ["", ".", "a.", "a[", "a[x]", "a[0", "[0]", "a[-1]", "a[0]b"] {
            assert_eq!(keys(path), None, "{path:?}");
        }
        assert_eq!(keys("a[0][1].b").expect("a path").len(), 4);
    }
}
