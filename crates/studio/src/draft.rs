//! Profiles at work.
//!
//! A draft is the person's own text, on top of the profile that it `extends`. It is edited as a
//! text or field by field; comments and order stay. What a field shall read is said in terms of
//! the merged profile; what must be written for that (an entry, a `!name`, nothing at all) is
//! worked out here.

mod change;
mod kept;
mod layers;
mod materials;
mod problems;
mod signing;
mod source;
pub(crate) mod toml;

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use isosmith_protocol::Code;
use isosmith_spec::{BuildSpec, Merged};
use serde_json::Value as Json;
use toml_edit::DocumentMut;

use crate::{
    Error, Places, Result, disk,
    model::{Draft, DraftSource, Settings},
    tree::{self, Tree},
};
use change::Change;
use kept::{Kept, Shelf};
use layers::Around;

/// Drafts that are looked after at the same time; the one that was used longest ago goes.
const MOST: usize = 16;

/// The open drafts.
#[derive(Debug)]
pub struct Drafts {
    around: Around,
    shelf: Shelf,
    /// The one used last stands last.
    open: Vec<Open>,
}

/// A draft with all that was worked out from its text.
#[derive(Debug)]
struct Open {
    kept: Kept,
    /// As it was when opened or saved last.
    saved: String,
    /// Whether it was changed since the window began.
    touched: bool,
    extends: Option<String>,
    values: Tree,
    base: Tree,
    own: Vec<String>,
    problems: Vec<crate::model::Problem>,
    spec: Option<BuildSpec>,
    merged: Option<Merged>,
}

/// A draft without problems: what a build needs.
#[derive(Debug, Clone)]
pub struct Checked {
    /// What is to be built.
    pub spec: BuildSpec,
    /// The merged profile as TOML: no parent, no settings, no relative path.
    pub profile: String,
    /// The draft's own text with whole paths, so that it means the same anywhere.
    pub own: String,
    /// The draft's file.
    pub path: Option<PathBuf>,
    /// The profile that it stands on.
    pub extends: Option<String>,
    /// Whether the file reads as the draft does.
    pub is_saved: bool,
    /// Settings of this window that the spec holds, as `field = value`: the command line does
    /// not know them.
    pub from_window: Vec<(String, String)>,
}

impl Checked {
    /// The product's name and version.
    pub fn title(&self) -> String {
        let branding = &self.spec.branding;
        format!("{} {}", branding.name, branding.version)
            .trim_end()
            .to_owned()
    }
}

impl Drafts {
    /// No drafts yet. `settings` give a mirror and a proxy where profiles have none.
    pub fn new(places: Places, settings: &Settings) -> Self {
        let shelf = Shelf::new(&places.data);
        let mut around = Around::new(places);
        around.set(settings);
        Self {
            around,
            shelf,
            open: Vec::new(),
        }
    }

    /// Takes changed settings over; every open draft is looked at again.
    pub fn set_settings(&mut self, settings: &Settings) {
        self.around.set(settings);
        for draft in &mut self.open {
            draft.look(&self.around);
        }
    }

    /// Opens a draft. Drafts that were changed before are not offered after a crash any more:
    /// whoever opens another one has said that they may go.
    ///
    /// # Errors
    ///
    /// [`Code::ProfileInvalid`] for what is no profile's text: binary, too long, an ISO without
    /// one. Nothing is lost then. A text with problems is opened.
    pub fn open(&mut self, from: &DraftSource) -> Result<Draft> {
        let opened = source::open(from, &self.around)?;
        for old in self.open.iter().filter(|draft| draft.touched) {
            self.shelf.forget(&old.kept.id);
        }
        let kept = Kept {
            id: fresh_id(),
            path: opened.path,
            folder: opened.folder,
            text: opened.text,
        };
        let saved = kept.text.clone();
        Ok(self.take(kept, saved))
    }

    /// The draft that had unsaved changes when the window went away, if any.
    pub fn unsaved(&mut self) -> Option<Draft> {
        let kept = self.shelf.newest()?;
        if let Some(open) = self.open.iter().find(|open| open.kept.id == kept.id) {
            return Some(open.shown());
        }
        let saved = kept
            .path
            .as_ref()
            .and_then(|path| disk::read_text(path, isosmith_spec::MOST_BYTES as u64).ok());
        Some(self.take(kept, saved.unwrap_or_default()))
    }

    fn take(&mut self, kept: Kept, saved: String) -> Draft {
        let mut draft = Open::new(kept, saved);
        draft.look(&self.around);
        let shown = draft.shown();
        self.open.push(draft);
        if self.open.len() > MOST {
            self.open.remove(0);
        }
        shown
    }

    /// A draft as it is.
    ///
    /// # Errors
    ///
    /// [`Code::WrongState`] when it is not open, as in every other call.
    pub fn get(&self, id: &str) -> Result<Draft> {
        self.find(id).map(Open::shown)
    }

    /// Makes the field at `path` read `value` in the merged profile; `null` goes back to what
    /// the profile below says.
    ///
    /// # Errors
    ///
    /// [`Code::ProfileInvalid`] for a field that does not exist, for entries of a parent's list
    /// that cannot be taken out, and while the text is not TOML. Nothing is changed then.
    pub fn edit(&mut self, id: &str, path: &str, value: Json) -> Result<Draft> {
        let draft = self.find(id)?;
        let folder = draft.folder();
        let read = |text: &str| {
            let looked = self.around.look(text, &folder);
            looked.merged.is_some().then(|| layers::tree(&looked))
        };
        let change = Change {
            read: &read,
            folder: &folder,
        };
        let text = change.text(&draft.kept.text, path, value)?;
        self.edit_text(id, text)
    }

    /// Replaces the whole text. One that is not TOML is kept, too: `values` stay those of the
    /// last one that was.
    ///
    /// # Errors
    ///
    /// [`Code::ProfileInvalid`] for more than 1 MiB or binary data; nothing is changed then.
    /// [`Code::DiskFull`] and the like when the draft cannot be kept; then it is changed, but
    /// would not outlive a crash.
    pub fn edit_text(&mut self, id: &str, text: String) -> Result<Draft> {
        let text = source::whole(text)?;
        let index = self.index(id)?;
        let mut draft = self.open.remove(index);
        draft.kept.text = text;
        draft.touched = true;
        draft.look(&self.around);
        let kept = match draft.kept.text == draft.saved {
            true => {
                self.shelf.forget(id);
                Ok(())
            }
            false => self.shelf.keep(&draft.kept),
        };
        let shown = draft.shown();
        self.open.push(draft);
        kept.map(|()| shown)
    }

    /// Writes the draft to `path`, or to its own file. Files that it names by relative paths
    /// stay the same files.
    ///
    /// # Errors
    ///
    /// [`Code::AccessDenied`], [`Code::DiskFull`], [`Code::Io`]; an older file stays as it was,
    /// and the draft is still kept. [`Code::WrongState`] when there is no path.
    pub fn save(&mut self, id: &str, path: Option<&Path>) -> Result<Draft> {
        let draft = self.find(id)?;
        let path = path.or(draft.kept.path.as_deref()).ok_or_else(|| {
            Error::new(
                Code::WrongState,
                "the draft has no file yet",
                "Choose where to save it.",
            )
        })?;
        let path = std::path::absolute(path).map_err(|error| Error::io("find", path, &error))?;
        let folder = path.parent().unwrap_or(Path::new("/"));
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let text = match draft.kept.text.parse::<DocumentMut>() {
            Ok(mut doc) => {
                materials::moved(&mut doc, &draft.kept.folder, &folder);
                doc.to_string()
            }
            // Half a text is the person's own as much as a whole one.
            Err(_) => draft.kept.text.clone(),
        };
        disk::write(&path, text.as_bytes()).map_err(|error| Error::io("write", &path, &error))?;
        self.shelf.forget(id);
        let index = self.index(id)?;
        let mut draft = self.open.remove(index);
        draft.kept = Kept {
            path: Some(path),
            folder,
            text: text.clone(),
            ..draft.kept
        };
        draft.saved = text;
        draft.look(&self.around);
        let shown = draft.shown();
        self.open.push(draft);
        Ok(shown)
    }

    /// Forgets a draft and its unsaved changes.
    pub fn discard(&mut self, id: &str) {
        if self.index(id).is_ok() {
            self.shelf.forget(id);
            self.open.retain(|open| open.kept.id != id);
        }
    }

    /// Whether the draft is other than its file.
    ///
    /// # Errors
    ///
    /// As [`Self::get`].
    pub fn is_unsaved(&self, id: &str) -> Result<bool> {
        self.find(id).map(|draft| draft.kept.text != draft.saved)
    }

    /// A draft that can be built.
    ///
    /// # Errors
    ///
    /// [`Code::ProfileInvalid`] with every problem among its causes.
    pub fn checked(&self, id: &str) -> Result<Checked> {
        let draft = self.find(id)?;
        let (Some(spec), Some(merged), true) =
            (&draft.spec, &draft.merged, draft.problems.is_empty())
        else {
            return Err(draft.refusal());
        };
        let origin = self.around.window_origin();
        let from_window = ["base.mirrors", "base.proxy"]
            .into_iter()
            .filter(|path| Some(merged.origin(path)) == origin)
            .filter_map(|path| Some((path.to_owned(), tree::at(&draft.values, path)?.to_string())));
        Ok(Checked {
            spec: spec.clone(),
            profile: merged.to_toml(),
            own: draft.movable(),
            path: draft.kept.path.clone(),
            extends: draft.extends.clone(),
            is_saved: draft.kept.path.is_some() && draft.kept.text == draft.saved,
            from_window: from_window.collect(),
        })
    }

    /// The spec as far as it can be made, for what is shown while a draft has problems: the one
    /// of now, else `None`.
    ///
    /// # Errors
    ///
    /// As [`Self::get`].
    pub fn spec(&self, id: &str) -> Result<Option<&BuildSpec>> {
        self.find(id).map(|draft| draft.spec.as_ref())
    }

    /// The merged values of a draft, for what must be drawn in spite of problems.
    pub(crate) fn values(&self, id: &str) -> Result<(&Tree, &Tree)> {
        self.find(id).map(|draft| (&draft.values, &draft.base))
    }

    /// The merged values of a profile that can be found by name; `None` if it cannot be read.
    pub(crate) fn profile(&self, name: &str) -> Option<Tree> {
        self.around.find(name)?;
        let values = layers::tree(&self.around.below(Some(name)));
        (!values.is_empty()).then_some(values)
    }

    pub(crate) fn places(&self) -> &Places {
        &self.around.places
    }

    fn index(&self, id: &str) -> Result<usize> {
        let index = self.open.iter().position(|open| open.kept.id == id);
        index.ok_or_else(|| {
            Error::new(
                Code::WrongState,
                "this draft is not open any more",
                "Open it again.",
            )
        })
    }

    fn find(&self, id: &str) -> Result<&Open> {
        self.index(id).map(|index| &self.open[index])
    }
}

impl Open {
    fn new(kept: Kept, saved: String) -> Self {
        Self {
            kept,
            saved,
            touched: false,
            extends: None,
            values: Tree::new(),
            base: Tree::new(),
            own: Vec::new(),
            problems: Vec::new(),
            spec: None,
            merged: None,
        }
    }

    fn movable(&self) -> String {
        let Ok(mut doc) = self.kept.text.parse::<DocumentMut>() else {
            return self.kept.text.clone();
        };
        // No folder is below a file's own name, so every path becomes a whole one.
        materials::moved(&mut doc, &self.kept.folder, Path::new("/dev/null"));
        doc.to_string()
    }

    fn folder(&self) -> String {
        self.kept.folder.to_string_lossy().into_owned()
    }

    /// Works everything out from the text.
    fn look(&mut self, around: &Around) {
        let folder = self.folder();
        let looked = around.look(&self.kept.text, &folder);
        let doc = self.kept.text.parse::<DocumentMut>().ok();
        if let Some(doc) = &doc {
            self.own = toml::paths(doc);
            let extends = doc.get("extends").and_then(toml_edit::Item::as_str);
            self.extends = extends.map(str::to_owned);
        }
        // A broken text leaves what the last good one gave.
        if looked.merged.is_some() || self.base.is_empty() {
            self.values = layers::tree(&looked);
            self.base = layers::tree(&around.below(self.extends.as_deref()));
        }
        let shown = problems::Around {
            doc: doc.as_ref(),
            values: &self.values,
            folder: &folder,
        };
        self.problems = shown.shown(&looked.problems);
        if let Some(spec) = &looked.spec {
            let missing = materials::missing(&spec.materials());
            if missing.is_empty() {
                self.problems.extend(signing::problem(spec));
            }
            self.problems.extend(missing);
        }
        self.spec = looked.spec;
        self.merged = looked.merged;
    }

    fn shown(&self) -> Draft {
        let name = tree::text(&self.values, "branding.name");
        let version = tree::text(&self.values, "branding.version");
        let file = self.kept.path.as_ref().and_then(|path| path.file_name());
        let title = format!("{name} {version}").trim().to_owned();
        let title = match (title.is_empty(), file) {
            (false, _) => title,
            (true, Some(file)) => file.to_string_lossy().into_owned(),
            (true, None) => "Profile".to_owned(),
        };
        Draft {
            id: self.kept.id.clone(),
            title,
            path: self
                .kept
                .path
                .as_ref()
                .map(|path| path.to_string_lossy().into_owned()),
            profile: self.extends.clone(),
            toml: self.kept.text.clone(),
            values: self.values.clone(),
            base: self.base.clone(),
            own: self.own.clone(),
            problems: self.problems.clone(),
        }
    }

    fn refusal(&self) -> Error {
        let message = match self.problems.len() {
            1 => "the profile has a problem".to_owned(),
            count => format!("the profile has {count} problems"),
        };
        let error = Error::new(
            Code::ProfileInvalid,
            message,
            "Correct the fields that are marked.",
        );
        self.problems.iter().take(20).fold(error, |error, problem| {
            error.because(format!("{}: {}", problem.path, problem.message))
        })
    }
}

/// A name that no other draft has, of this window or of one before it.
fn fresh_id() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let millis = now.map_or(0, |since| since.as_millis());
    format!("draft-{millis:x}-{:x}-{count}", std::process::id())
}
