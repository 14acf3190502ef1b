//! Which files a profile names whose other fields are wrong, so that there is no spec.

use isosmith_spec::{Material, MaterialKind, names::MaterialPath};
use toml::Value;

/// As `BuildSpec::materials` has them; `[]` stands for every entry of a list.
const FIELDS: &[(&str, MaterialKind)] = &[
    ("base.key", MaterialKind::Key),
    ("base.repositories[].key", MaterialKind::Key),
    ("software.debs[]", MaterialKind::Deb),
    ("files[].source", MaterialKind::Overlay),
    ("scripts[].source", MaterialKind::Script),
    ("security.signing.key", MaterialKind::SigningKey),
    ("security.signing.certificate", MaterialKind::Certificate),
    ("branding.logo", MaterialKind::Logo),
    ("branding.wallpaper", MaterialKind::Wallpaper),
    ("branding.wallpaper_dark", MaterialKind::Wallpaper),
    ("branding.slides[].picture", MaterialKind::Wallpaper),
];

/// Every file with a usable name in a merged profile; those without have their problem already.
pub fn materials(profile: &str) -> Vec<Material> {
    let Ok(table) = profile.parse::<toml::Table>() else {
        return Vec::new();
    };
    let root = Value::Table(table);
    let mut found = Vec::new();
    for (field, kind) in FIELDS {
        let keys: Vec<&str> = field.split('.').collect();
        collect(&root, &keys, "", &mut |field, path| {
            found.push(Material {
                path,
                kind: *kind,
                field,
            });
        });
    }
    found
}

fn collect(value: &Value, keys: &[&str], at: &str, take: &mut dyn FnMut(String, MaterialPath)) {
    let Some((key, rest)) = keys.split_first() else {
        if let Some(path) = value.as_str().and_then(|text| text.parse().ok()) {
            take(at.to_owned(), path);
        }
        return;
    };
    let name = key.trim_end_matches("[]");
    let Some(inner) = value.get(name) else { return };
    let here = match at {
        "" => name.to_owned(),
        _ => format!("{at}.{name}"),
    };
    if !key.ends_with("[]") {
        return collect(inner, rest, &here, take);
    }
    for (index, entry) in inner.as_array().into_iter().flatten().enumerate() {
        collect(entry, rest, &format!("{here}[{index}]"), take);
    }
}

#[cfg(test)]
mod tests {
    use isosmith_spec::{Layer, Origin, set};

    use super::*;

    /// A field that is added to the spec's list must be found here, too.
    #[test]
    fn the_same_files_are_found_as_in_a_spec() {
        let text = include_str!("../../spec/tests/every_field.toml");
        let layers = vec![
            Layer::new(Origin::Profile("every-field".into()), "/srv", text),
            set("base.key", "/srv/archive.gpg").expect("an assignment"),
        ];
        let (spec, merged) = isosmith_spec::load(layers, &|_| None).expect("a good profile");
        let (mut found, mut want) = (materials(&merged.to_toml()), spec.materials());
        found.sort();
        want.sort();
        assert_eq!(found, want);
        for (field, kind) in FIELDS {
            assert!(found.iter().any(|one| one.kind == *kind), "{field}");
        }
    }
}
