//! What a build would do, told without doing it.

use std::collections::BTreeMap;

use isosmith_protocol::{StepId, StepInfo};

use crate::{
    cache::{Cache, Lookup},
    key::CacheKey,
    step::{Kind, Recipe, is_unknown},
    work::Work,
};

/// A step with what can be told about it now.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedStep {
    /// As viewers see it; not known whether cached counts as not.
    pub info: StepInfo,
    /// What its result depends on; `None` as long as that takes earlier steps to tell.
    pub key: Option<CacheKey>,
    /// Whether its result will come from the cache; `None` when there is no key yet.
    pub cached: Option<bool>,
}

/// What would happen now, without running a step.
pub fn plan<R>(recipe: &Recipe<R>, state: &R, work: &Work) -> Vec<PlannedStep> {
    let cache = Cache::new(work);
    let mut known = BTreeMap::new();
    let mut planned = Vec::with_capacity(recipe.steps.len());
    for (index, def) in recipe.steps.iter().enumerate() {
        let key = key_of(recipe, index, state, &known);
        let expected = Expected::of(def.kind, key.as_ref(), &cache);
        planned.push(PlannedStep {
            info: StepInfo {
                id: def.id.clone(),
                title: def.title.to_owned(),
                phase: def.phase,
                weight: def.weight,
                cached: expected.cached,
            },
            cached: key.as_ref().map(|_| expected.cached),
            key,
        });
        known.insert(def.id.clone(), expected);
    }
    planned
}

/// What is known about a step's result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expected {
    /// Of its key.
    pub hash: Option<String>,
    /// Whether it came or will come from the cache.
    pub cached: bool,
}

impl Expected {
    pub(crate) fn of(kind: Kind, key: Option<&CacheKey>, cache: &Cache<'_>) -> Self {
        let hit = |key| matches!(cache.look(kind, key), Lookup::Hit(_));
        Self {
            hash: key.map(CacheKey::hash),
            cached: key.is_some_and(hit),
        }
    }
}

/// The key of the step at `index`, if its inputs and all that it builds on are known.
pub(crate) fn key_of<R>(
    recipe: &Recipe<R>,
    index: usize,
    state: &R,
    known: &BTreeMap<StepId, Expected>,
) -> Option<CacheKey> {
    let def = &recipe.steps[index];
    let below = match def.kind {
        Kind::Layer => recipe.layer_below(index),
        Kind::Always | Kind::Artifact => None,
    };
    let parents = def
        .after
        .iter()
        .chain(below)
        .map(|id| Some((id.as_str().to_owned(), known.get(id)?.hash.clone()?)))
        .collect::<Option<BTreeMap<_, _>>>()?;
    let inputs = (def.inputs)(state);
    (!is_unknown(&inputs)).then(|| CacheKey {
        step: def.id.clone(),
        version: def.version,
        inputs,
        parents,
    })
}

/// What is known about every step: of those before `index` what was found, of the others
/// what can be told now.
pub(crate) fn outlook<R>(
    recipe: &Recipe<R>,
    index: usize,
    state: &R,
    cache: &Cache<'_>,
    found: &BTreeMap<StepId, Expected>,
) -> BTreeMap<StepId, Expected> {
    let mut known = found.clone();
    for (later, def) in recipe.steps.iter().enumerate().skip(index) {
        if known.contains_key(&def.id) {
            continue;
        }
        let key = key_of(recipe, later, state, &known);
        known.insert(def.id.clone(), Expected::of(def.kind, key.as_ref(), cache));
    }
    known
}
