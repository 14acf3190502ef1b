//! In what two builds differ.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::{
    model::{
        BuildDetail, Comparison, FieldDifference, PackageDifference, PackageLine, SizeDifference,
    },
    tree::Tree,
};

/// Compares two builds; `specs` are their merged profiles.
pub(super) fn compare(a: &BuildDetail, b: &BuildDetail, specs: (&str, &str)) -> Comparison {
    Comparison {
        spec: fields(&values(specs.0), &values(specs.1)),
        packages: packages(a, b),
        sizes: sizes(a, b),
    }
}

/// Values by path. Lists that add to a parent's are compared entry by entry: their order means
/// nothing, and one more entry is one difference.
fn values(spec: &str) -> BTreeMap<(String, String), String> {
    let tree: Tree = toml::from_str(spec).unwrap_or_default();
    let mut found = BTreeMap::new();
    walk(&tree, "", &mut found);
    found
}

fn walk(tree: &Tree, prefix: &str, found: &mut BTreeMap<(String, String), String>) {
    for (key, value) in tree {
        let path = match prefix {
            "" => key.clone(),
            prefix => format!("{prefix}.{key}"),
        };
        match value {
            Json::Object(table) => walk(table, &path, found),
            Json::Array(list) if isosmith_spec::adds(&path) == Some(true) => {
                for entry in list {
                    found.insert((path.clone(), entry.to_string()), entry.to_string());
                }
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => {
                drop(found.insert((path, String::new()), value.to_string()))
            }
        }
    }
}

fn fields(
    a: &BTreeMap<(String, String), String>,
    b: &BTreeMap<(String, String), String>,
) -> Vec<FieldDifference> {
    let keys: BTreeSet<_> = a.keys().chain(b.keys()).collect();
    keys.into_iter()
        .filter(|key| a.get(*key) != b.get(*key))
        .map(|key| FieldDifference {
            path: key.0.clone(),
            a: a.get(key).cloned(),
            b: b.get(key).cloned(),
        })
        .collect()
}

fn packages(a: &BuildDetail, b: &BuildDetail) -> Vec<PackageDifference> {
    // Without a list there is nothing to compare; "all were removed" would be wrong.
    if a.packages.is_empty() || b.packages.is_empty() {
        return Vec::new();
    }
    let (a, b) = (by_name(a), by_name(b));
    let names: BTreeSet<_> = a.keys().chain(b.keys()).collect();
    let version = |line: Option<&&PackageLine>| line.map(|line| line.version.clone());
    names
        .into_iter()
        .map(|name| PackageDifference {
            name: (*name).to_owned(),
            a: version(a.get(name)),
            b: version(b.get(name)),
            grows: growth(a.get(name).copied(), b.get(name).copied()),
        })
        .filter(|one| one.a != one.b)
        .collect()
}

fn by_name(detail: &BuildDetail) -> BTreeMap<&str, &PackageLine> {
    let lines = detail.packages.iter();
    lines.map(|line| (line.name.as_str(), line)).collect()
}

/// Lists of older versions have no sizes.
fn growth(a: Option<&PackageLine>, b: Option<&PackageLine>) -> Option<i64> {
    let size = |line: Option<&PackageLine>| match line {
        None => Some(0),
        Some(line) if line.size > 0 => i64::try_from(line.size).ok(),
        Some(_) => None,
    };
    Some(size(b)? - size(a)?)
}

fn sizes(a: &BuildDetail, b: &BuildDetail) -> Vec<SizeDifference> {
    let iso = SizeDifference {
        name: "ISO".to_owned(),
        a: a.row.size.unwrap_or(0),
        b: b.row.size.unwrap_or(0),
    };
    let all = |detail: &BuildDetail| detail.packages.iter().map(|line| line.size).sum();
    let installed = SizeDifference {
        name: "installed".to_owned(),
        a: all(a),
        b: all(b),
    };
    let names: BTreeSet<_> = a.sizes.keys().chain(b.sizes.keys()).collect();
    let parts = names.into_iter().map(|name| SizeDifference {
        name: name.clone(),
        a: a.sizes.get(name).copied().unwrap_or(0),
        b: b.sizes.get(name).copied().unwrap_or(0),
    });
    let known = (installed.a > 0 && installed.b > 0).then_some(installed);
    std::iter::once(iso).chain(known).chain(parts).collect()
}
