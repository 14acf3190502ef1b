//! Profile cards, and the real picture of each profile and each build, kept in the cache.

use std::path::PathBuf;

use isosmith_protocol::{BuildId, Code};
use serde_json::Value as Json;

use crate::{
    Drafts, Error, History, Places, Renderer, Result, Scene, disk,
    model::{ProfileCard, Surface},
    tree::{self, Tree},
};

/// Size of the pictures, in pixels.
const SIZE: (u32, u32) = (1280, 800);

/// What the id of a profile's picture begins with.
const PROFILE: &str = "profile:";

/// What the id of a build's picture begins with.
const BUILD: &str = "build:";

/// No kept picture is larger, in bytes.
const MOST_BYTES: u64 = 16 << 20;

/// Pictures of profiles and builds.
#[derive(Debug, Clone)]
pub struct Pictures {
    folder: PathBuf,
}

impl Pictures {
    /// Keeps pictures in the person's cache folder.
    pub fn new(places: &Places) -> Self {
        Self {
            folder: places.cache.join("pictures"),
        }
    }

    /// The PNG of a picture's id, as cards and rows of builds have them.
    ///
    /// # Errors
    ///
    /// [`Code::MaterialInvalid`] when there is no such picture or it cannot be drawn.
    pub fn get(
        &self,
        id: &str,
        drafts: &Drafts,
        history: &History,
        renderer: &mut Renderer,
    ) -> Result<Vec<u8>> {
        self.draw(&scene(id, drafts, history)?, renderer)
    }

    /// The PNG of a scene, drawn once for what it is drawn from.
    ///
    /// # Errors
    ///
    /// When it cannot be drawn. A cache that cannot be written is passed over.
    pub fn draw(&self, scene: &Scene, renderer: &mut Renderer) -> Result<Vec<u8>> {
        let file = self.folder.join(format!("{}.png", renderer.key(scene)));
        if let Ok(png) = disk::read(&file, MOST_BYTES) {
            return Ok(png);
        }
        let png = renderer.draw(scene)?.png;
        // Drawn again next time.
        let _ = disk::write_own(&file, &png);
        Ok(png)
    }
}

/// What a picture of this id shows. Nothing is drawn here, so it is quick.
///
/// # Errors
///
/// [`Code::MaterialInvalid`] for an unknown id.
pub fn scene(id: &str, drafts: &Drafts, history: &History) -> Result<Scene> {
    let unknown = || {
        Error::new(
            Code::MaterialInvalid,
            "there is no such picture",
            "Go back to the start page.",
        )
    };
    if let Some(name) = id.strip_prefix(PROFILE) {
        let values = drafts.profile(name).ok_or_else(unknown)?;
        return Ok(Scene::of(&values, &Tree::new(), Surface::Grub, 0, SIZE));
    }
    let build = id.strip_prefix(BUILD).and_then(BuildId::parse);
    let text = history.spec(build.as_ref().ok_or_else(unknown)?)?;
    match toml::from_str(&text) {
        Ok(Json::Object(values)) => Ok(Scene::of(&values, &Tree::new(), Surface::Grub, 0, SIZE)),
        Ok(_) | Err(_) => Err(unknown()),
    }
}

/// The id of a build's picture.
pub(crate) fn of_build(id: &BuildId) -> String {
    format!("{BUILD}{id}")
}

impl Drafts {
    /// The profiles to begin with. One that cannot be read has no picture.
    pub fn cards(&self) -> Vec<ProfileCard> {
        let profiles = self.places().all_profiles();
        let card = |(name, file): (String, PathBuf)| {
            let values = self.profile(&name);
            let text = |path: &str| {
                let text = values.as_ref().map(|values| tree::text(values, path));
                text.filter(|text| !text.is_empty()).map(str::to_owned)
            };
            let file = file.canonicalize().unwrap_or(file);
            ProfileCard {
                title: text("branding.name").unwrap_or_else(|| name.clone()),
                description: text("profile.description").unwrap_or_default(),
                source: file.to_string_lossy().into_owned(),
                picture: values.as_ref().map(|_| format!("{PROFILE}{name}")),
                name,
            }
        };
        profiles.into_iter().map(card).collect()
    }
}
