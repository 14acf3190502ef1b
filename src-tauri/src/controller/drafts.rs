//! Profiles at work.

use std::path::{Path, PathBuf};

use isosmith_studio::model::{Draft, DraftSource, PickKind, Plan, Preview, Surface};
use serde_json::Value;

use super::{Controller, locked, text};
use crate::fault::Answer;

impl Controller {
    /// Opens one.
    ///
    /// # Errors
    ///
    /// For what is no profile. A profile with problems is opened.
    pub fn open_draft(&self, from: &DraftSource) -> Answer<Draft> {
        let draft = locked(&self.drafts).open(from)?;
        self.remember(&draft);
        Ok(draft)
    }

    /// Makes a field read `value`; `null` goes back to the profile's.
    ///
    /// # Errors
    ///
    /// For a field that is none, or a value that it cannot have.
    pub fn edit_draft(&self, id: &str, path: &str, value: &Value) -> Answer<Draft> {
        locked(&self.drafts).edit(id, path, value.clone())
    }

    /// Replaces the whole text.
    ///
    /// # Errors
    ///
    /// When it is too long, or no text.
    pub fn edit_text(&self, id: &str, toml: &str) -> Answer<Draft> {
        locked(&self.drafts).edit_text(id, toml.to_owned())
    }

    /// Writes a draft: to `path`, else where the person says; [`None`] if they do not say.
    ///
    /// # Errors
    ///
    /// When it cannot be written; the older file stays as it was.
    pub fn save_draft(&self, id: &str, path: Option<PathBuf>) -> Answer<Option<Draft>> {
        let title = locked(&self.drafts).get(id)?.title;
        // Nothing is locked while the person looks for a place.
        let Some(path) = path.or_else(|| self.desktop.save(&file_name(&title))) else {
            return Ok(None);
        };
        let draft = locked(&self.drafts).save(id, Some(&path))?;
        self.remember(&draft);
        Ok(Some(draft))
    }

    /// Puts a draft's file among the recent ones.
    fn remember(&self, draft: &Draft) {
        let Some(path) = &draft.path else { return };
        if let Err(fault) = self.recent.add(Path::new(path)) {
            tracing::warn!(error = ?fault, "the list of recent files is not written");
        }
    }

    /// Lets the person choose something.
    pub fn pick(&self, kind: PickKind) -> Option<String> {
        let output = self.settings().output;
        let from = match kind {
            PickKind::Output | PickKind::Iso => Some(Path::new(&output)),
            PickKind::Logo
            | PickKind::Wallpaper
            | PickKind::Deb
            | PickKind::Key
            | PickKind::Pem
            | PickKind::Script
            | PickKind::Overlay
            | PickKind::Spec => None,
        };
        self.desktop.pick(kind, from).map(|path| text(&path))
    }

    /// What a build would do.
    ///
    /// # Errors
    ///
    /// When the draft has problems.
    pub fn plan(&self, id: &str) -> Answer<Plan> {
        let checked = locked(&self.drafts).checked(id)?;
        let settings = self.settings();
        Ok(isosmith_studio::plan(
            &checked,
            &settings.output,
            settings.manner(),
        ))
    }

    /// Draws a surface of a draft, at one moment where it moves.
    ///
    /// # Errors
    ///
    /// When there is nothing to draw yet, or it cannot be drawn.
    pub fn preview(
        &self,
        id: &str,
        surface: Surface,
        moment: u16,
        size: (u32, u32),
    ) -> Answer<Preview> {
        let scene = locked(&self.drafts).scene(id, surface, moment, size)?;
        locked(&self.renderer).draw(&scene)
    }
}

/// A file's name for a product.
fn file_name(title: &str) -> String {
    let plain: String = title
        .to_lowercase()
        .chars()
        .map(|c| {
            if c.is_alphanumeric() || c == '.' {
                c
            } else {
                '-'
            }
        })
        .collect();
    let name = plain.trim_matches(['-', '.']);
    match name {
        "" => "profile.toml".to_owned(),
        name => format!("{name}.toml"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_s_name_becomes_a_file_s() {
        for (title, want) in [
            ("Aurora OS 1.0", "aurora-os-1.0.toml"),
            ("../../etc/passwd", "etc-passwd.toml"),
            ("", "profile.toml"),
            ("...", "profile.toml"),
        ] {
            assert_eq!(file_name(title), want);
        }
    }
}
