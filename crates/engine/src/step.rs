//! A recipe is a table of steps; a step is a row with two functions.

use std::{collections::BTreeSet, path::Path};

use isosmith_protocol::{Code, Phase, StepId};
use serde_json::{Value, json};

use crate::{context::StepCx, failure::Failure};

/// Every step in the order in which they run, and what all layers have in common.
///
/// `R` is what the steps hand to each other: the checked profile, and what they find out.
pub struct Recipe<R> {
    /// In order.
    pub steps: Vec<StepDef<R>>,
    /// Makes a finished layer's raw upper folder fit to be kept, such as clamping times.
    pub seal: fn(&Path, &R) -> Result<(), Failure>,
}

impl<R> std::fmt::Debug for Recipe<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recipe")
            .field("steps", &self.steps)
            .finish_non_exhaustive()
    }
}

/// One row of a recipe.
pub struct StepDef<R> {
    /// Its name; also the beginning of its folder's name in the cache.
    pub id: StepId,
    /// What it does, for people.
    pub title: &'static str,
    /// Which part of the build it belongs to.
    pub phase: Phase,
    /// Its expected share of the whole time, relative to the other steps'.
    pub weight: u32,
    /// To be raised when the step's code changes what it makes.
    pub version: u32,
    /// What becomes of its result.
    pub kind: Kind,
    /// Earlier steps whose keys go into this one's. A layer has the layer below it as a
    /// parent without saying so. Written `const { &[BASE] }`, because an id may own memory.
    pub after: &'static [StepId],
    /// Whether the system works without what it makes, so that a build that is told to may go
    /// on when it fails.
    pub optional: bool,
    /// Readable JSON of everything else that the result depends on. Asked when the step is
    /// reached, and while planning with what is known then; [`unknown`] is the answer as
    /// long as it cannot be told.
    pub inputs: fn(&R) -> Value,
    /// Does the work. It is called again for another attempt, with fresh folders, but with
    /// `R` as the failed attempt left it.
    pub run: fn(&mut StepCx<'_>, &mut R) -> Result<Done, Failure>,
    /// Called instead of [`StepDef::run`] when the result comes from the cache, to fill `R`
    /// from [`StepCx::out`]; [`nothing`] for most.
    pub recall: fn(&mut StepCx<'_>, &mut R) -> Result<(), Failure>,
}

impl<R> std::fmt::Debug for StepDef<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StepDef")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("version", &self.version)
            .field("after", &self.after)
            .finish_non_exhaustive()
    }
}

/// What becomes of a step's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Runs every time; what it writes to [`StepCx::out`] lasts until the build ends.
    Always,
    /// What it adds to the root tree is kept as an overlay layer.
    Layer,
    /// The folder that it fills is kept.
    Artifact,
}

/// How a step ended well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// It did its work.
    Done,
    /// There was nothing to do, and why, in one sentence. Nothing is kept.
    Skipped(String),
}

/// A [`StepDef::recall`] with nothing to recall.
///
/// # Errors
///
/// None.
pub fn nothing<R>(_cx: &mut StepCx<'_>, _state: &mut R) -> Result<(), Failure> {
    Ok(())
}

/// What [`StepDef::inputs`] answers as long as they cannot be told: `{"unknown": null}`.
pub fn unknown() -> Value {
    json!({ "unknown": null })
}

/// Whether inputs are [`unknown`].
pub(crate) fn is_unknown(inputs: &Value) -> bool {
    inputs.get("unknown").is_some_and(Value::is_null)
}

impl<R> Recipe<R> {
    /// Looks for mistakes in the table: an id twice, an id that cannot be a folder's name, a
    /// parent that does not come earlier.
    ///
    /// # Errors
    ///
    /// [`Code::Internal`] with the first mistake.
    pub fn check(&self) -> Result<(), Failure> {
        let mut earlier = BTreeSet::new();
        for def in &self.steps {
            let clean =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            let name = def.id.as_str();
            if name.is_empty() || name.len() > 64 || !name.bytes().all(clean) {
                return Err(mistake(format!("{name:?} cannot be a step's id")));
            }
            if let Some(parent) = def.after.iter().find(|id| !earlier.contains(*id)) {
                return Err(mistake(format!(
                    "{name} comes after {parent}, which is not earlier"
                )));
            }
            if !earlier.insert(&def.id) {
                return Err(mistake(format!("there are two steps named {name}")));
            }
        }
        Ok(())
    }

    /// The nearest layer below the step at `index`.
    pub(crate) fn layer_below(&self, index: usize) -> Option<&StepId> {
        self.steps[..index]
            .iter()
            .rev()
            .find(|def| def.kind == Kind::Layer)
            .map(|def| &def.id)
    }
}

fn mistake(what: String) -> Failure {
    Failure::plain(
        Code::Internal,
        format!("the recipe's table is wrong: {what}"),
    )
}
