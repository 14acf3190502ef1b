//! Defaults that depend on other values.
//!
//! They are filled in after merging, so that `explain` shows them, and a merged profile
//! that is written down holds them.

use std::collections::BTreeMap;

use crate::layer::Origin;
use crate::model::{DisplayManager, Environment, MenuEntry, SessionKind};
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
    desktop(root);
    luks_of_bookworm(root, origins);
    installers_in_the_menu(root, origins);
    names(root, origins);
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

/// The value of a field's default: `true`, `0`, `"text"` or `[]`.
fn default_value(toml: &str) -> Written {
    match toml::from_str::<toml::Table>(&format!("v = {toml}"))
        .ok()
        .and_then(|mut table| table.remove("v"))
    {
        Some(toml::Value::Boolean(switch)) => Written::Switch(switch),
        Some(toml::Value::Integer(number)) => Written::Number(number),
        Some(toml::Value::String(text)) => Written::Text(text),
        Some(toml::Value::Array(empty)) if empty.is_empty() => Written::List(Vec::new()),
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

/// A desktop comes with its own login screen and its own kind of session.
fn desktop(root: &mut Node) {
    let Some(word) = text(root, "desktop.environment") else {
        return;
    };
    let environment = match (word, word.parse::<Environment>()) {
        (_, Ok(environment)) => Some(environment),
        ("none", Err(_)) => None,
        // An unknown word is refused later; nothing follows from it.
        (_, Err(_)) => return,
    };
    let (manager, session) = match environment {
        Some(Environment::Kde) => (DisplayManager::Sddm, SessionKind::Wayland),
        Some(Environment::Gnome) => (DisplayManager::Gdm, SessionKind::Wayland),
        Some(Environment::Lxqt) => (DisplayManager::Sddm, SessionKind::X11),
        Some(Environment::Xfce | Environment::Cinnamon | Environment::Mate) => {
            (DisplayManager::Lightdm, SessionKind::X11)
        }
        Some(Environment::Kiosk) => (DisplayManager::None, SessionKind::Wayland),
        None => (DisplayManager::None, SessionKind::X11),
    };
    for (key, word) in [
        ("display_manager", manager.as_str()),
        ("session", session.as_str()),
    ] {
        if !root.has(&format!("desktop.{key}")) {
            put(root, "desktop", key, Written::Text(word.to_owned()));
        }
    }
}

/// Its Calamares knows LUKS1 only; only where someone asked for another is that a problem.
fn luks_of_bookworm(root: &mut Node, origins: &[Origin]) {
    let bookworm = text(root, "base.suite") == Some("bookworm");
    let open = origins.get(root.nearest_to("installer.luks").layer) == Some(&Origin::BuiltIn);
    if bookworm && open && is_on(root, "installer.calamares") {
        put(root, "installer", "luks", Written::Text("luks1".to_owned()));
    }
}

fn is_on(root: &Node, path: &str) -> bool {
    root.has(path) && root.nearest_to(path).value == Written::Switch(true)
}

/// Whoever puts an installer on the medium wants it in the menu, unless the menu is written:
/// after the entries that start the live system, or instead of them.
fn installers_in_the_menu(root: &mut Node, origins: &[Origin]) {
    let on = |key: &str| is_on(root, &format!("installer.{key}"));
    let (calamares, debian, only) = (on("calamares"), on("debian"), on("only"));
    let entries = root.nearest_to("boot.entries");
    let open = origins.get(entries.layer) == Some(&Origin::BuiltIn);
    if !open || !(calamares || debian) {
        return;
    }
    let written: Vec<MenuEntry> = entries
        .list()
        .unwrap_or_default()
        .iter()
        .filter_map(|entry| entry.text()?.parse().ok())
        .collect();
    let (live, others): (Vec<_>, Vec<_>) = written.into_iter().partition(|entry| entry.is_live());
    let live = live.into_iter().filter(|_| !(only && calamares));
    let installers = [
        calamares.then_some(MenuEntry::Install),
        debian.then_some(MenuEntry::DebianInstaller),
    ];
    let all = live.chain(installers.into_iter().flatten()).chain(others);
    let list = all.map(|entry| built_in(Written::Text(entry.as_str().to_owned())));
    put(root, "boot", "entries", Written::List(list.collect()));
}

fn names(root: &mut Node, origins: &[Origin]) {
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
    let renamed = root.has("branding.short_name")
        && is_above(
            origins,
            root.nearest_to("branding.name").layer,
            root.nearest_to("branding.short_name").layer,
        );
    if renamed || !root.has("branding.short_name") {
        put(
            root,
            "branding",
            "short_name",
            Written::Text(cut(&name, 32)),
        );
    }
    if let Some(id) = derived(root, "branding.id", &|| profile.clone()) {
        put(root, "branding", "id", id);
    }
    let version = text(root, "branding.version").unwrap_or("").to_owned();
    if let Some(label) = derived(root, "image.label", &|| label(&name, &version, &profile)) {
        put(root, "image", "label", label);
    }
}

/// Whether a layer is laid over another: a profile comes before its parents, and the command line
/// over every profile. The short name of a parent is none of a product with another name.
fn is_above(origins: &[Origin], one: usize, other: usize) -> bool {
    match (origins.get(one), origins.get(other)) {
        (Some(Origin::CommandLine), Some(Origin::Profile(_))) => true,
        (Some(Origin::Profile(_)), Some(Origin::Profile(_))) => one < other,
        _ => false,
    }
}

/// `my-rescue` as a name for people: `My Rescue`.
fn title(name: &str) -> String {
    let words = name.split('-').filter(|word| !word.is_empty()).map(|word| {
        let mut rest = word.chars();
        let first: String = rest
            .next()
            .into_iter()
            .flat_map(char::to_uppercase)
            .collect();
        first + rest.as_str()
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
