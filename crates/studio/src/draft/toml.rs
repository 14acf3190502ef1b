//! Changes of a profile's text that leave its comments and its order alone.

use serde_json::Value as Json;
use toml_edit::{
    Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, TableLike, Value, value,
};

use crate::tree::Tree;

/// What stands at a dotted path.
pub(crate) fn at<'d>(doc: &'d DocumentMut, path: &str) -> Option<&'d Item> {
    path.split('.')
        .try_fold(doc.as_item(), |item, key| item.get(key))
}

/// Takes a field out, with tables that are empty then; `[profile]` stays.
pub(crate) fn remove(doc: &mut DocumentMut, path: &str) {
    let keys: Vec<&str> = path.split('.').collect();
    take(doc.as_table_mut(), &keys);
}

/// Whether the table is empty afterwards.
fn take(table: &mut dyn TableLike, keys: &[&str]) -> bool {
    let Some((key, rest)) = keys.split_first() else {
        return false;
    };
    let gone = match table.get_mut(key) {
        None => return false,
        Some(_) if rest.is_empty() => true,
        Some(item) => item
            .as_table_like_mut()
            .is_some_and(|inner| take(inner, rest)),
    };
    if gone && (rest.is_empty() || *key != "profile") {
        table.remove(key);
    }
    table.is_empty()
}

/// Writes a value that is neither table nor `null`. A value in its place keeps its comments,
/// entries of lists keep theirs.
pub(crate) fn set(doc: &mut DocumentMut, path: &str, new: &Json) {
    match new {
        Json::Array(list) => set_list(doc, path, list),
        Json::Bool(_) | Json::Number(_) | Json::String(_) => {
            let Some(new) = plain(new) else { return };
            put(doc, path, new);
        }
        Json::Null | Json::Object(_) => {}
    }
}

/// Makes sure that a table is there.
pub(crate) fn set_table(doc: &mut DocumentMut, path: &str) {
    let keys: Vec<&str> = path.split('.').collect();
    enter(doc.as_table_mut(), &keys, false);
}

fn put(doc: &mut DocumentMut, path: &str, mut new: Value) {
    let keys: Vec<&str> = path.split('.').collect();
    let Some((last, around)) = keys.split_last() else {
        return;
    };
    let Some(table) = enter(doc.as_table_mut(), around, false) else {
        return;
    };
    match table.get_mut(last) {
        Some(Item::Value(old)) => {
            *new.decor_mut() = old.decor().clone();
            *old = new;
        }
        Some(_) | None => drop(table.insert(last, value(new))),
    }
}

/// The table at `keys`, made where it is not.
fn enter<'t>(
    table: &'t mut dyn TableLike,
    keys: &[&str],
    inline: bool,
) -> Option<&'t mut dyn TableLike> {
    let Some((key, rest)) = keys.split_first() else {
        return Some(table);
    };
    let fresh = || {
        if inline {
            return value(InlineTable::new());
        }
        let mut table = Table::new();
        table.set_implicit(!rest.is_empty());
        Item::Table(table)
    };
    if !table.get(key).is_some_and(Item::is_table_like) {
        table.remove(key);
        table.insert(key, fresh());
    }
    let item = table.get_mut(key)?;
    let inline = item.is_inline_table();
    enter(item.as_table_like_mut()?, rest, inline)
}

fn set_list(doc: &mut DocumentMut, path: &str, list: &[Json]) {
    if let Some(Item::Value(Value::Array(old))) = at_mut(doc, path) {
        return arrange(old, list);
    }
    let rows: Option<Vec<&Tree>> = list.iter().map(Json::as_object).collect();
    match rows {
        Some(rows) if !rows.is_empty() => set_rows(doc, path, &rows),
        Some(_) | None => {
            let mut array = Array::new();
            arrange(&mut array, list);
            put(doc, path, Value::Array(array));
        }
    }
}

fn set_rows(doc: &mut DocumentMut, path: &str, rows: &[&Tree]) {
    let keys: Vec<&str> = path.split('.').collect();
    let Some((last, around)) = keys.split_last() else {
        return;
    };
    let Some(table) = enter(doc.as_table_mut(), around, false) else {
        return;
    };
    let old = match table.remove(last) {
        Some(Item::ArrayOfTables(old)) => old,
        Some(_) | None => ArrayOfTables::new(),
    };
    let mut new = ArrayOfTables::new();
    for (index, row) in rows.iter().enumerate() {
        let same = old.iter().find(|old| json_of_table(*old) == **row);
        let mut table = same.or_else(|| old.get(index)).cloned().unwrap_or_default();
        table.set_position(None);
        let stale: Vec<String> = table
            .iter()
            .map(|(key, _)| key.to_owned())
            .filter(|key| !row.contains_key(key))
            .collect();
        stale.iter().for_each(|key| drop(table.remove(key)));
        for (key, wanted) in row.iter() {
            let now = table.get(key).and_then(json);
            if now.as_ref() != Some(wanted)
                && let Some(wanted) = plain(wanted)
            {
                table.insert(key, value(wanted));
            }
        }
        new.push(table);
    }
    table.insert(last, Item::ArrayOfTables(new));
}

fn at_mut<'d>(doc: &'d mut DocumentMut, path: &str) -> Option<&'d mut Item> {
    path.split('.')
        .try_fold(doc.as_item_mut(), |item, key| item.get_mut(key))
}

/// An entry with the comments that belong to it.
struct Entry {
    value: Value,
    /// Everything before it from its own line on.
    lead: String,
    /// The rest of its line: ` # why`.
    tail: String,
}

/// Makes `array` read as `wanted`. Entries that were there stay as they were written.
fn arrange(array: &mut Array, wanted: &[Json]) {
    let (mut old, end) = take_apart(array);
    let indent = old
        .iter()
        .find_map(|entry| entry.lead.rsplit_once('\n'))
        .map(|(_, indent)| format!("\n{indent}"));
    array.clear();
    let mut carried = String::new();
    for wanted in wanted {
        let known = old
            .iter()
            .position(|entry| json_of(&entry.value).as_ref() == Some(wanted));
        let entry = match known {
            Some(index) => old.remove(index),
            None => match plain(wanted) {
                Some(value) => Entry {
                    value,
                    lead: String::new(),
                    tail: String::new(),
                },
                None => continue,
            },
        };
        let lead = match &indent {
            Some(indent) if !entry.lead.contains('\n') => indent.clone(),
            Some(_) => entry.lead,
            None if array.is_empty() => String::new(),
            None => " ".to_owned(),
        };
        let Entry {
            mut value, tail, ..
        } = entry;
        value.decor_mut().set_prefix(format!("{carried}{lead}"));
        value.decor_mut().set_suffix("");
        array.push_formatted(value);
        carried = tail;
    }
    let end = match indent.is_some() && !end.contains('\n') {
        true => format!("{end}\n"),
        false => end,
    };
    array.set_trailing(format!("{carried}{end}"));
    array.set_trailing_comma(indent.is_some() && !array.is_empty());
}

/// Entries, and what stands before the closing bracket.
fn take_apart(array: &Array) -> (Vec<Entry>, String) {
    let mut entries: Vec<Entry> = Vec::new();
    let mut rest = String::new();
    for value in array {
        let before = format!("{rest}{}", raw(value.decor().prefix()));
        rest = raw(value.decor().suffix());
        let lead = hand_over(entries.last_mut(), &before);
        entries.push(Entry {
            value: value.clone(),
            lead,
            tail: String::new(),
        });
    }
    let before = format!("{rest}{}", raw(Some(array.trailing())));
    let end = hand_over(entries.last_mut(), &before);
    (entries, end)
}

/// What stands on the line of the entry before belongs to that; the rest is returned.
fn hand_over(last: Option<&mut Entry>, before: &str) -> String {
    match (last, before.split_once('\n')) {
        (Some(last), Some((tail, lead))) => {
            last.tail = tail.to_owned();
            format!("\n{lead}")
        }
        (_, _) => before.to_owned(),
    }
}

fn raw(raw: Option<&toml_edit::RawString>) -> String {
    raw.and_then(toml_edit::RawString::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// As TOML; `None` for `null`, which TOML has not got.
fn plain(json: &Json) -> Option<Value> {
    match json {
        Json::Null => None,
        Json::Bool(switch) => Some(Value::from(*switch)),
        Json::Number(number) => number
            .as_i64()
            .map(Value::from)
            .or_else(|| number.as_f64().map(Value::from)),
        Json::String(text) => Some(Value::from(text.as_str())),
        Json::Array(list) => Some(Value::Array(list.iter().filter_map(plain).collect())),
        Json::Object(table) => {
            let mut inline = InlineTable::new();
            for (key, json) in table {
                if let Some(value) = plain(json) {
                    inline.insert(key, value);
                }
            }
            Some(Value::InlineTable(inline))
        }
    }
}

/// A value on one line; a plain text without quotes, as `--set` takes it.
pub(crate) fn inline(json: &Json) -> String {
    let bare = |text: &str| {
        let odd = text.is_empty() || text.starts_with(['"', '\'', ' ']) || text.ends_with(' ');
        !odd && !text.contains(char::is_control)
    };
    match json.as_str().filter(|text| bare(text)) {
        Some(text) => text.to_owned(),
        None => plain(json)
            .map(|value| value.to_string())
            .unwrap_or_default(),
    }
}

/// As JSON; dates become texts, as they do in a merged profile.
pub(crate) fn json(item: &Item) -> Option<Json> {
    match item {
        Item::None => None,
        Item::Value(value) => json_of(value),
        Item::Table(table) => Some(Json::Object(json_of_table(table))),
        Item::ArrayOfTables(rows) => {
            let rows = rows.iter().map(|row| Json::Object(json_of_table(row)));
            Some(Json::Array(rows.collect()))
        }
    }
}

fn json_of(value: &Value) -> Option<Json> {
    match value {
        Value::String(text) => Some(Json::from(text.value().as_str())),
        Value::Integer(number) => Some(Json::from(*number.value())),
        Value::Float(number) => Some(Json::from(*number.value())),
        Value::Boolean(switch) => Some(Json::from(*switch.value())),
        Value::Datetime(date) => Some(Json::from(date.value().to_string())),
        Value::Array(list) => Some(Json::Array(list.iter().filter_map(json_of).collect())),
        Value::InlineTable(table) => Some(Json::Object(json_of_table(table))),
    }
}

fn json_of_table(table: &dyn TableLike) -> Tree {
    table
        .iter()
        .filter_map(|(key, item)| Some((key.to_owned(), json(item)?)))
        .collect()
}

/// Paths of all that a text sets, but for what makes it a profile. A list is one, and so is an
/// empty table, which may switch something on.
pub(crate) fn paths(doc: &DocumentMut) -> Vec<String> {
    let mut found = Vec::new();
    walk(doc.as_table(), "", &mut found);
    found.retain(|path| path != "format" && path != "extends");
    found
}

fn walk(table: &dyn TableLike, prefix: &str, found: &mut Vec<String>) {
    for (key, item) in table.iter() {
        let path = match prefix {
            "" => key.to_owned(),
            prefix => format!("{prefix}.{key}"),
        };
        match item.as_table_like() {
            Some(inner) if !inner.is_empty() => walk(inner, &path, found),
            Some(_) | None => found.push(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(text: &str, change: impl FnOnce(&mut DocumentMut), want: &str) {
        let mut doc: DocumentMut = text.parse().unwrap();
        change(&mut doc);
        let now = doc.to_string();
        assert_eq!(now, want);
        now.parse::<DocumentMut>().expect("still TOML");
    }

    #[test]
    fn comments_and_order_stay() {
        check(
            "# top\n[b]\nx = 1 # why\n\n[a]\n# before\ny = 'z'\n",
            |doc| {
                set(doc, "b.x", &json!(2));
                set(doc, "a.y", &json!("q"));
            },
            "# top\n[b]\nx = 2 # why\n\n[a]\n# before\ny = \"q\"\n",
        );
    }

    #[test]
    fn tables_come_and_go() {
        check(
            "format = 1\n",
            |doc| set(doc, "users.live.name", &json!("kim")),
            "format = 1\n\n[users.live]\nname = \"kim\"\n",
        );
        check(
            "[users.live]\nname = 'kim'\n[users]\n",
            |doc| remove(doc, "users.live.name"),
            "",
        );
        check(
            "[profile]\nname = 'x'\n",
            |doc| remove(doc, "profile.name"),
            "[profile]\n",
        );
        check(
            "[users]\nlive = false\n",
            |doc| set(doc, "users.live.name", &json!("kim")),
            "[users]\n\n[users.live]\nname = \"kim\"\n",
        );
        check(
            "users = { live = { name = 'a' } }\n",
            |doc| set(doc, "users.root.password", &json!("locked")),
            "users = { live = { name = 'a' } , root = { password = \"locked\" } }\n",
        );
    }

    #[test]
    fn entries_of_lists_keep_their_comments() {
        let text = "a = [\n    # rescue\n    \"x\", # why x\n    \"y\",\n\n    # more\n    \"z\", # why z\n]\n";
        check(text, |doc| set(doc, "a", &json!(["x", "y", "z"])), text);
        check(
            text,
            |doc| set(doc, "a", &json!(["x", "z", "new"])),
            "a = [\n    # rescue\n    \"x\", # why x\n\n    # more\n    \"z\", # why z\n    \"new\",\n]\n",
        );
        check(
            "a = [\"x\", \"y\"] # end\n",
            |doc| set(doc, "a", &json!(["y", "z"])),
            "a = [\"y\", \"z\"] # end\n",
        );
        check(
            "a = [\n  \"x\" # last\n]\n",
            |doc| set(doc, "a", &json!(["x", "y"])),
            "a = [\n  \"x\", # last\n  \"y\",\n]\n",
        );
    }

    #[test]
    fn rows_are_changed_in_their_place() {
        let text = "# first\n[[files]]\nsource = 'a' # kept\ntarget = '/a'\n\n# second\n[[files]]\nsource = 'b'\ntarget = '/b'\n";
        check(
            text,
            |doc| {
                let rows =
                    json!([{ "source": "a", "target": "/x" }, { "source": "b", "target": "/b" }]);
                set(doc, "files", &rows);
            },
            &text.replace("'/a'", "\"/x\""),
        );
        check(
            text,
            |doc| set(doc, "files", &json!([{ "source": "b", "target": "/b" }])),
            "\n# second\n[[files]]\nsource = 'b'\ntarget = '/b'\n",
        );
    }

    #[test]
    fn what_a_text_sets_is_listed() {
        let doc: DocumentMut =
            "format = 1\nextends = 'a'\nfiles = []\n[users]\nlive = {}\nroot = { password = 'x' }\n"
                .parse()
                .unwrap();
        assert_eq!(paths(&doc), ["files", "users.live", "users.root.password"]);
    }
}
