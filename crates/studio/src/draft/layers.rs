//! The texts around a draft: the machine's settings, the window's, the profile it stands on.

use std::path::Path;

use isosmith_spec::{Layer, Looked, Origin};
use serde_json::Value as Json;

use crate::{Places, disk, model::Settings, tree::Tree};

/// No settings file and no profile is longer, in bytes; the checker says so with better words,
/// this only bounds memory.
const MOST_BYTES: u64 = 4 << 20;

/// The name of a draft among profiles; no profile in a folder can have it.
const OWN: &str = "this draft";

/// What lies around a draft.
#[derive(Debug)]
pub(crate) struct Around {
    pub(crate) places: Places,
    /// Mirror and proxy that were chosen for this window.
    window: Option<Layer>,
}

impl Around {
    pub(crate) fn new(places: Places) -> Self {
        Self {
            places,
            window: None,
        }
    }

    /// Takes the window's settings over. They lie below profiles: a profile with a mirror of
    /// its own means it.
    pub(crate) fn set(&mut self, settings: &Settings) {
        let mut base = toml::Table::new();
        if let Some(mirror) = &settings.mirror {
            base.insert("mirrors".into(), toml::Value::from(vec![mirror.as_str()]));
        }
        if let Some(proxy) = &settings.proxy {
            base.insert("proxy".into(), toml::Value::from(proxy.as_str()));
        }
        let text = toml::Table::from_iter([("base".to_owned(), toml::Value::from(base))]);
        let path = self.places.window_settings().display().to_string();
        self.window = Some(Layer::new(Origin::System(path), "", text.to_string()));
    }

    /// Where values of the window's settings come from.
    pub(crate) fn window_origin(&self) -> Option<&Origin> {
        self.window.as_ref().map(|layer| &layer.origin)
    }

    /// What a text gives; relative paths in it start at `folder`.
    pub(crate) fn look(&self, text: &str, folder: &str) -> Looked {
        self.stack(Layer::new(own(), folder, text))
    }

    /// What there is without the person's own text.
    pub(crate) fn below(&self, extends: Option<&str>) -> Looked {
        match extends.and_then(|name| self.find(name)) {
            Some(parent) => self.stack(parent),
            None => self.with(None),
        }
    }

    fn stack(&self, profile: Layer) -> Looked {
        self.with(Some(profile))
    }

    fn with(&self, profile: Option<Layer>) -> Looked {
        let settings = |path: &Path, origin: fn(String) -> Origin| {
            let text = disk::read_text(path, MOST_BYTES).ok()?;
            Some(Layer::new(origin(path.display().to_string()), "", text))
        };
        let layers = settings(&self.places.machine, Origin::System)
            .into_iter()
            .chain(self.window.clone())
            .chain(profile)
            .chain(settings(&self.places.own_settings(), Origin::User));
        isosmith_spec::look(layers.collect(), &|name| self.find(name))
    }

    /// The profile of this name.
    pub(crate) fn find(&self, name: &str) -> Option<Layer> {
        let file = self.places.profile(name)?;
        let folder = file.parent()?.canonicalize().ok()?;
        let text = disk::read_text(&file, MOST_BYTES).ok()?;
        let origin = Origin::Profile(name.to_owned());
        Some(Layer::new(origin, folder.to_str()?, text))
    }
}

/// The draft's own text among origins.
pub(crate) fn own() -> Origin {
    Origin::Profile(OWN.to_owned())
}

/// A merged profile in the shape of the schema; empty where there is none.
pub(crate) fn tree(looked: &Looked) -> Tree {
    let text = looked.merged.as_ref().map(isosmith_spec::Merged::to_toml);
    match text.map(|text| toml::from_str::<Json>(&text)) {
        Some(Ok(Json::Object(tree))) => tree,
        Some(_) | None => Tree::new(),
    }
}
