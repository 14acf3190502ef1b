//! What is drawn: names, colours and pictures of one product.

use crate::{colour::Rgb, picture::Picture};

/// Names, colours and pictures of the product whose medium is being made.
///
/// Texts are single lines; control characters in them are shown as spaces wherever a
/// surface would otherwise break.
#[derive(Debug, Clone)]
pub struct Brand {
    /// Full name, as on the boot menu.
    pub name: String,
    /// Short name for narrow places.
    pub short_name: String,
    /// os-release `ID`: a-z, 0-9, `.`, `_`, `-`.
    pub id: String,
    /// Version such as `1.0`; empty for a rolling product.
    pub version: String,
    /// Codename; may be empty.
    pub codename: String,
    /// Who makes it; may be empty.
    pub vendor: String,
    /// Web addresses.
    pub urls: Urls,
    /// Highlights and selections.
    pub accent: Rgb,
    /// Background where there is no wallpaper.
    pub background: Rgb,
    /// Text on the background.
    pub text: Rgb,
    /// Shown above or beside the name.
    pub logo: Option<Picture>,
    /// Fills the background.
    pub wallpaper: Option<Picture>,
    /// Fills the background of a dark desktop; `None` takes `wallpaper` there, too.
    pub wallpaper_dark: Option<Picture>,
    /// Text after login on a console; `None` makes one from the name.
    pub motd: Option<String>,
}

/// Web addresses for os-release; all optional.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Urls {
    /// `HOME_URL`.
    pub home: Option<String>,
    /// `SUPPORT_URL`.
    pub support: Option<String>,
    /// `BUG_REPORT_URL`.
    pub bugs: Option<String>,
    /// `DOCUMENTATION_URL`.
    pub documentation: Option<String>,
}

impl Brand {
    /// The brand of a checked profile, with the two pictures that it names.
    pub fn from_spec(
        branding: &isosmith_spec::model::Branding,
        logo: Option<Picture>,
        wallpaper: Option<Picture>,
    ) -> Self {
        let url = |uri: &Option<isosmith_spec::names::Uri>| uri.as_ref().map(ToString::to_string);
        Self {
            name: branding.name.clone(),
            short_name: branding.short_name.clone(),
            id: branding.id.to_string(),
            version: branding.version.clone(),
            codename: branding.codename.to_string(),
            vendor: branding.vendor.clone(),
            urls: Urls {
                home: url(&branding.urls.home),
                support: url(&branding.urls.support),
                bugs: url(&branding.urls.bugs),
                documentation: url(&branding.urls.documentation),
            },
            accent: branding.accent.into(),
            background: branding.background.into(),
            text: branding.text.into(),
            logo,
            wallpaper,
            wallpaper_dark: None,
            motd: branding.motd.clone(),
        }
    }

    /// The same brand with another wallpaper where the desktop is dark.
    #[must_use]
    pub fn with_wallpaper_dark(mut self, wallpaper_dark: Option<Picture>) -> Self {
        self.wallpaper_dark = wallpaper_dark;
        self
    }

    /// Name and version as one line: what people call the product.
    pub fn title(&self) -> String {
        let (name, version) = (one_line(&self.name), one_line(&self.version));
        format!("{name} {version}").trim().to_owned()
    }

    /// Version and codename as one short line: `1.0 · Codename`, one of them, or empty.
    pub fn version_line(&self) -> String {
        match (self.version.as_str(), self.codename.as_str()) {
            ("", "") => String::new(),
            (version, "") => version.to_owned(),
            ("", codename) => codename.to_owned(),
            (version, codename) => format!("{version} · {codename}"),
        }
    }
}

/// `text` on one line: each control character becomes a space.
pub(crate) fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect::<String>()
        .trim()
        .to_owned()
}

#[cfg(test)]
impl Brand {
    /// A dark brand without pictures.
    pub(crate) fn sample() -> Brand {
        Brand {
            name: "Aurora OS".to_owned(),
            short_name: "Aurora".to_owned(),
            id: "aurora".to_owned(),
            version: "1.0".to_owned(),
            codename: "Boreas".to_owned(),
            vendor: String::new(),
            urls: Urls::default(),
            accent: Rgb::new(0xf5, 0x9e, 0x2e),
            background: Rgb::new(0x12, 0x1b, 0x2b),
            text: Rgb::new(0xf2, 0xf5, 0xf9),
            logo: None,
            wallpaper: None,
            wallpaper_dark: None,
            motd: None,
        }
    }
}
