//! Defaults that depend on other values.
//!
//! They are filled in after merging, so that `explain` shows them, and a merged profile
//! that is written down holds them.

use std::collections::BTreeMap;

use crate::layer::Origin;
use crate::names::label_like;
use crate::raw::{self, Field, Kind};
use crate::tree::{Node, Written};

/// Fills in what was left open.
pub(crate) fn settle(root: &mut Node, origins: &[Origin]) {
    if let Written::Table(table) = &mut root.value {
        fill_table(table, raw::PROFILE);
    }
    sid_has_no_pockets(root, origins);
    snapshot_over_settings(root, origins);
    secure_boot_follows_uefi(root, origins);
    names(root);
}

/// Gives entries of lists, and optional tables, the defaults of their fields.
fn fill(node: &mut Node, kind: &'static Kind) {
    if let Written::Table(table) = &mut node.value {
        fill_table(table, kind.fields().unwrap_or(&[]));
    }
    if let (Written::List(list), Kind::List { item, .. }) = (&mut node.value, kind) {
        list.iter_mut().for_each(|node| fill(node, item));
    }
}

fn fill_table(table: &mut BTreeMap<String, Node>, fields: &'static [Field]) {
    for field in fields {
        match (table.get_mut(field.name), field.default) {
            (Some(node), _) => fill(node, &field.kind),
            (None, Some(default)) => {
                table.insert(field.name.to_owned(), built_in(default_value(default)));
            }
            (None, None) => {}
        }
    }
}

/// The value of a field's default: `true`, `0` or `"text"`.
fn default_value(toml: &str) -> Written {
    match toml::from_str::<toml::Table>(&format!("v = {toml}"))
        .ok()
        .and_then(|mut table| table.remove("v"))
    {
        Some(toml::Value::Boolean(switch)) => Written::Switch(switch),
        Some(toml::Value::Integer(number)) => Written::Number(number),
        Some(toml::Value::String(text)) => Written::Text(text),
        Some(
            toml::Value::Array(_)
            | toml::Value::Float(_)
            | toml::Value::Datetime(_)
            | toml::Value::Table(_),
        )
        | None => Written::Refused,
    }
}

fn built_in(value: Written) -> Node {
    Node {
        value,
        layer: 0,
        at: String::new(),
    }
}

/// Unstable has neither pocket; only where someone asked for one is that a problem.
fn sid_has_no_pockets(root: &mut Node, origins: &[Origin]) {
    if text(root, "base.suite") != Some("sid") {
        return;
    }
    for key in ["security", "updates"] {
        let node = root.nearest_to(&format!("base.{key}"));
        if origins.get(node.layer) == Some(&Origin::BuiltIn) {
            put(root, "base", key, Written::Switch(false));
        }
    }
}

/// A mirror of the settings is where packages usually come from; a profile's snapshot is
/// where these ones come from.
fn snapshot_over_settings(root: &mut Node, origins: &[Origin]) {
    let mirrors = root.nearest_to("base.mirrors");
    let from_settings = origins.get(mirrors.layer).is_some_and(Origin::is_settings);
    if from_settings && root.has("base.snapshot") {
        let auto = built_in(Written::Text("auto".to_owned()));
        put(root, "base", "mirrors", Written::List(vec![auto]));
    }
}

/// Without UEFI there is nothing to sign; only where someone asked for both is that a problem.
fn secure_boot_follows_uefi(root: &mut Node, origins: &[Origin]) {
    let node = root.nearest_to("boot.secure_boot");
    let open = origins.get(node.layer) == Some(&Origin::BuiltIn);
    if open && root.nearest_to("boot.uefi").value == Written::Switch(false) {
        put(root, "boot", "secure_boot", Written::Switch(false));
    }
}

fn names(root: &mut Node) {
    let Some(profile) = text(root, "profile.name").map(str::to_owned) else {
        return;
    };
    let derived = |root: &Node, path: &str, make: &dyn Fn() -> String| match root.has(path) {
        true => None,
        false => Some(Written::Text(make())),
    };
    if let Some(name) = derived(root, "branding.name", &|| title(&profile)) {
        put(root, "branding", "name", name);
    }
    let name = text(root, "branding.name").unwrap_or(&profile).to_owned();
    if let Some(short) = derived(root, "branding.short_name", &|| cut(&name, 32)) {
        put(root, "branding", "short_name", short);
    }
    if let Some(id) = derived(root, "branding.id", &|| profile.clone()) {
        put(root, "branding", "id", id);
    }
    let version = text(root, "branding.version").unwrap_or("").to_owned();
    if let Some(label) = derived(root, "image.label", &|| label(&name, &version, &profile)) {
        put(root, "image", "label", label);
    }
}

/// `my-rescue` as a name for people: `My Rescue`.
fn title(name: &str) -> String {
    let words = name.split('-').filter(|word| !word.is_empty()).map(|word| {
        let (first, rest) = word.split_at(1.min(word.len()));
        first.to_uppercase() + rest
    });
    words.collect::<Vec<_>>().join(" ")
}

fn cut(text: &str, most: usize) -> String {
    let cut: String = text.chars().take(most).collect();
    cut.trim_end().to_owned()
}

/// `NAME_VERSION` in the characters of a volume label; a long name gives way to the version.
fn label(name: &str, version: &str, profile: &str) -> String {
    let version: String = label_like(version).chars().take(16).collect();
    let room = match version.is_empty() {
        true => 32,
        false => 31 - version.len(),
    };
    let name = Some(label_like(name)).filter(|name| !name.is_empty());
    let name: String = name
        .unwrap_or_else(|| label_like(profile))
        .chars()
        .take(room)
        .collect();
    match version.is_empty() {
        true => name,
        false => format!("{}_{version}", name.trim_end_matches(['_', '-', '.'])),
    }
}

fn text<'n>(root: &'n Node, path: &str) -> Option<&'n str> {
    root.has(path)
        .then(|| root.nearest_to(path).text())
        .flatten()
}

fn put(root: &mut Node, section: &str, key: &str, value: Written) {
    let Written::Table(sections) = &mut root.value else {
        return;
    };
    if let Some(Written::Table(table)) = sections.get_mut(section).map(|node| &mut node.value) {
        table.insert(key.to_owned(), built_in(value));
    }
}
