//! What a person wants built: profiles as written, checked into a [`BuildSpec`].
//!
//! The way of a profile, all of it without touching files, processes or clocks:
//!
//! 1. [`Layer`]: a text and where it comes from; [`set`] makes one from `--set PATH=VALUE`.
//! 2. [`merge()`]: all layers, with the parents they extend, over the built-in defaults;
//!    [`Merged`] still knows where each value was written.
//! 3. [`check()`]: every field and the rules between them; a [`BuildSpec`], or every
//!    [`Problem`] at once.
//!
//! [`load`] does all three. The types in [`model`] hold [`names`] that cannot be wrong, and
//! choices with their [words](model::Suite::as_str). [`schema()`] is the format for editors.
//!
//! ```
//! use isosmith_spec::{Layer, Origin, load, set};
//!
//! let profile = "format = 1\n[profile]\nname = 'demo'\n[software]\npackages = ['htop']";
//! let layers = vec![
//!     Layer::new(Origin::Profile("demo".into()), "/srv/demo", profile),
//!     set("image.compression", "zstd:19").unwrap(),
//! ];
//! let (spec, merged) = load(layers, &|_| None).unwrap();
//! assert_eq!(spec.image.file_name, "demo-trixie-amd64.iso");
//! assert_eq!(merged.origin("image.compression"), &Origin::CommandLine);
//! ```

pub mod model;
pub mod names;

mod check;
mod layer;
mod materials;
mod merge;
mod problem;
mod raw;
mod schema;
mod settle;
pub mod signing;
mod stack;
mod tree;
mod warnings;
mod words;
mod written;

pub use check::check;
pub use layer::{Layer, Origin, set};
pub use materials::{Material, MaterialKind};
pub use merge::{Finder, Merged, merge};
pub use model::BuildSpec;
pub use problem::{Problem, Reason};
pub use raw::{FORMAT, MOST_BYTES, MOST_CHARACTERS, MOST_ENTRIES, MOST_MOTD};
pub use schema::schema;
pub use warnings::warnings;

/// Merges layers, lowest first, over the built-in defaults and checks the result.
///
/// `finder` gives the profile that an `extends` names, with its folder.
///
/// # Errors
/// Every problem of every text, in one list.
pub fn load(layers: Vec<Layer>, finder: Finder<'_>) -> Result<(BuildSpec, Merged), Vec<Problem>> {
    let (merged, mut problems) = merge::merge_what_can_be(layers, finder);
    let Some(merged) = merged else {
        return Err(problems);
    };
    let (spec, found) = check::examine(&merged);
    problems.extend(found);
    check::verdict((spec, problems)).map(|spec| (spec, merged))
}

/// What [`load`] would say, with as much of the result as there is: for an editor, in which a
/// profile has problems most of the time.
#[derive(Debug)]
pub struct Looked {
    /// The spec; `None` unless there are no problems.
    pub spec: Option<BuildSpec>,
    /// The merged profile without the values that were refused; `None` if a text is not TOML.
    pub merged: Option<Merged>,
    /// Every problem of every text.
    pub problems: Vec<Problem>,
}

/// Merges and checks like [`load`], and goes on in spite of problems.
pub fn look(layers: Vec<Layer>, finder: Finder<'_>) -> Looked {
    let (merged, mut problems) = merge::merge_what_can_be(layers, finder);
    let (spec, found) = merged.as_ref().map(check::examine).unwrap_or_default();
    problems.extend(found);
    Looked {
        spec: spec.filter(|_| problems.is_empty()),
        merged,
        problems,
    }
}

/// How the field at `path` (without indices, such as `software.packages`) meets what a parent
/// profile wrote: `Some(true)` adds to the parent's list, `Some(false)` replaces; `None` if
/// there is no such field.
pub fn adds(path: &str) -> Option<bool> {
    raw::find(path).map(|field| matches!(field.kind, raw::Kind::List { adds: true, .. }))
}
