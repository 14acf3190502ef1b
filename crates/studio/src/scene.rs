//! What a preview shows, taken from a profile that need not be right.

use std::path::{Path, PathBuf};

use isosmith_branding::menu;
use isosmith_spec::model::{Colour, MenuEntry};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::{
    Drafts, Result,
    model::Surface,
    tree::{self, Tree},
};

/// Smallest and largest screen that is drawn, in pixels.
const WIDTHS: (u32, u32) = (320, 3840);
const HEIGHTS: (u32, u32) = (240, 2160);

/// Menus have no more lines; a hostile profile might.
const MOST_ENTRIES: usize = 64;

/// No text is longer, in characters, where it is drawn.
const MOST_CHARACTERS: usize = 200;

/// The installer shows no more slides.
const MOST_SLIDES: usize = 5;

/// One of the installer's slides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SceneSlide {
    /// One line.
    pub title: String,
    /// A sentence or two.
    pub text: String,
    /// File of its picture.
    pub picture: Option<PathBuf>,
}

/// Names, colours and pictures on one surface of a given size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Scene {
    /// Which.
    pub surface: Surface,
    /// Of a surface that moves: thousandths of the start that are done, or which slide.
    pub moment: u16,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// The product's name.
    pub name: String,
    /// Its short name.
    pub short_name: String,
    /// Its version; may be empty.
    pub version: String,
    /// Its codename; may be empty.
    pub codename: String,
    /// Red, green, blue.
    pub accent: [u8; 3],
    /// Red, green, blue.
    pub background: [u8; 3],
    /// Red, green, blue.
    pub text: [u8; 3],
    /// The menu's lines.
    pub entries: Vec<String>,
    /// Seconds until the first entry starts by itself.
    pub timeout: Option<u32>,
    /// The word of the desktop; empty or `none` where there is none.
    pub environment: String,
    /// The word of what shows the login screen; empty or `none` where there is none.
    pub display_manager: String,
    /// Who logs in.
    pub user: String,
    /// What the installer shows meanwhile.
    pub slides: Vec<SceneSlide>,
    /// File of the logo.
    pub logo: Option<PathBuf>,
    /// File of the wallpaper.
    pub wallpaper: Option<PathBuf>,
    /// File of the wallpaper of a dark desktop.
    pub wallpaper_dark: Option<PathBuf>,
}

impl Scene {
    /// A surface as `values` have it. What is wrong in them is as in `base`, and what is wrong
    /// there, too, as Isosmith has it.
    pub(crate) fn of(
        values: &Tree,
        base: &Tree,
        surface: Surface,
        moment: u16,
        (width, height): (u32, u32),
    ) -> Self {
        let text = |path: &str| -> String {
            let text = tree::text(values, path).chars();
            text.take(MOST_CHARACTERS).collect()
        };
        let colour = |path: &str, usual: &str| {
            [tree::text(values, path), tree::text(base, path), usual]
                .into_iter()
                .find_map(|text| text.parse::<Colour>().ok())
                .map_or([0; 3], |Colour { r, g, b }| [r, g, b])
        };
        let file = |path: &str| {
            Some(PathBuf::from(tree::text(values, path))).filter(|path| path.is_absolute())
        };
        let name = text("branding.name");
        // On a BIOS it is not there; nor is Secure Boot.
        let signs = surface != Surface::Isolinux
            && tree::at(values, "security.signing").is_some_and(Json::is_object);
        let words = tree::at(values, "boot.entries").and_then(Json::as_array);
        let entries = words
            .into_iter()
            .flatten()
            .filter_map(|word| word.as_str()?.parse::<MenuEntry>().ok())
            .take(MOST_ENTRIES)
            .map(|entry| menu::title(entry, &name))
            .chain(signs.then(|| menu::ENROL.to_owned()))
            .collect();
        let user = [text("users.live.full_name"), text("users.live.name")];
        let slide = |number: usize| {
            let at = |field: &str| format!("branding.slides[{number}].{field}");
            tree::at(values, &format!("branding.slides[{number}]"))?;
            Some(SceneSlide {
                title: text(&at("title")),
                text: text(&at("text")),
                picture: file(&at("picture")),
            })
        };
        let timeout = tree::at(values, "boot.timeout").and_then(Json::as_u64);
        Self {
            surface,
            moment,
            width: width.clamp(WIDTHS.0, WIDTHS.1),
            height: height.clamp(HEIGHTS.0, HEIGHTS.1),
            version: text("branding.version"),
            codename: text("branding.codename"),
            accent: colour("branding.accent", "#4f9cf0"),
            background: colour("branding.background", "#0d1b2e"),
            text: colour("branding.text", "#e8eef6"),
            entries,
            timeout: timeout.and_then(|seconds| u32::try_from(seconds).ok()),
            short_name: text("branding.short_name"),
            environment: text("desktop.environment"),
            display_manager: text("desktop.display_manager"),
            user: user
                .into_iter()
                .find(|text| !text.is_empty())
                .unwrap_or_default(),
            slides: (0..MOST_SLIDES).map_while(slide).collect(),
            logo: file("branding.logo"),
            wallpaper: file("branding.wallpaper"),
            wallpaper_dark: file("branding.wallpaper_dark"),
            name,
        }
    }

    /// The field of each picture that this surface shows, and its file.
    pub(crate) fn pictures(&self) -> Vec<(String, &Path)> {
        let wide = match self.surface {
            Surface::DesktopDark => self.wallpaper_dark.as_deref(),
            Surface::Grub
            | Surface::Isolinux
            | Surface::Splash
            | Surface::Password
            | Surface::Login
            | Surface::DesktopLight
            | Surface::Installer
            | Surface::Slides => None,
        };
        let mut pictures = vec![
            ("branding.logo".to_owned(), self.logo.as_deref()),
            ("branding.wallpaper".to_owned(), self.wallpaper.as_deref()),
            ("branding.wallpaper_dark".to_owned(), wide),
        ];
        if self.surface == Surface::Slides {
            let slides = self.slides.iter().enumerate();
            pictures.extend(slides.map(|(number, slide)| {
                let field = format!("branding.slides[{number}].picture");
                (field, slide.picture.as_deref())
            }));
        }
        pictures
            .into_iter()
            .filter_map(|(field, path)| Some((field, path?)))
            .collect()
    }

    /// The same without where files lie: what its picture depends on beside their contents.
    pub(crate) fn without_files(&self) -> Self {
        let mut plain = self.clone();
        (plain.logo, plain.wallpaper, plain.wallpaper_dark) = (None, None, None);
        for slide in &mut plain.slides {
            slide.picture = None;
        }
        plain
    }
}

impl Drafts {
    /// What a preview of a draft shows, problems or not; see [`Scene::moment`]. The size is in
    /// pixels.
    ///
    /// # Errors
    ///
    /// When the draft is not open.
    pub fn scene(
        &self,
        id: &str,
        surface: Surface,
        moment: u16,
        size: (u32, u32),
    ) -> Result<Scene> {
        let (values, base) = self.values(id)?;
        Ok(Scene::of(values, base, surface, moment, size))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn scene(values: Json) -> Scene {
        let Json::Object(values) = values else {
            panic!("a table")
        };
        Scene::of(&values, &Tree::new(), Surface::Grub, 0, (1, 9999))
    }

    #[test]
    fn a_key_is_enrolled_where_there_is_secure_boot() {
        let Json::Object(values) = json!({
            "boot": { "entries": ["live"] },
            "security": { "signing": { "key": "owner.key", "certificate": "owner.pem" } },
        }) else {
            panic!("a table")
        };
        for (surface, want) in [(Surface::Grub, 2), (Surface::Isolinux, 1)] {
            let scene = Scene::of(&values, &Tree::new(), surface, 0, (800, 600));
            assert_eq!(scene.entries.len(), want, "{surface:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_drawn_as_well_as_can_be() {
        let drawn = scene(json!({
            "branding": { "name": 7, "accent": "#f", "text": "#fff", "logo": "relative.png" },
            "boot": { "entries": ["live", "nonsense", 3], "timeout": "never" },
        }));
        assert_eq!((drawn.width, drawn.height), (320, 2160));
        assert_eq!((drawn.name.as_str(), drawn.entries.len()), ("", 1));
        assert_eq!((drawn.accent, drawn.text), ([0x4f, 0x9c, 0xf0], [255; 3]));
        assert_eq!((drawn.timeout, drawn.logo), (None, None));
        let long = scene(json!({ "branding": { "name": "x".repeat(5000) } }));
        assert_eq!(long.name.len(), MOST_CHARACTERS);
    }
}
