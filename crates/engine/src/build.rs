//! The loop: look in the cache, run, retry, keep, go on.

use std::{
    any::Any,
    collections::{BTreeMap, BTreeSet},
    hash::{BuildHasher, RandomState},
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    time::Duration,
};

use isosmith_host::Host;
use isosmith_protocol::{
    BuildResult, Choice, Code, EPOCH, ErrorMode, EventKind, Level, Outcome, Output, REVISION,
    Recovery, StepId,
};

use crate::{
    cache::{Cache, Entry, Lookup, seconds_since_1970},
    clean,
    context::StepCx,
    control::Answers,
    failure::Failure,
    key::CacheKey,
    plan::{Expected, key_of, outlook, plan},
    report::Voice,
    run::Options,
    step::{Done, Kind, Recipe, StepDef},
    sync::Syncer,
    tree::look_like,
    work::{Work, make},
};

/// Attempts in all, when a failure may pass.
const ATTEMPTS: u32 = 3;

/// A build at work.
pub(crate) struct Build<'a, R> {
    recipe: &'a Recipe<R>,
    host: &'a dyn Host,
    work: &'a Work,
    options: &'a Options,
    voice: Voice,
    /// Of a person, where one can be asked.
    answers: Option<Answers>,
    /// Asked so far.
    questions: u32,
    cache: Cache<'a>,
    syncer: Syncer,
    /// What is known about the steps so far.
    found: BTreeMap<StepId, Expected>,
    /// The folders of the steps so far.
    outputs: BTreeMap<StepId, PathBuf>,
    /// Topmost first.
    layers: Vec<PathBuf>,
    delivered: Option<(Output, Vec<String>)>,
    /// The step at work.
    at: Option<StepId>,
}

impl<'a, R> Build<'a, R> {
    pub(crate) fn new(
        recipe: &'a Recipe<R>,
        host: &'a dyn Host,
        work: &'a Work,
        options: &'a Options,
        voice: Voice,
    ) -> Self {
        Self {
            recipe,
            host,
            work,
            options,
            voice,
            answers: None,
            questions: 0,
            cache: Cache::new(work),
            syncer: Syncer::start(work.cache().to_owned()),
            found: BTreeMap::new(),
            outputs: BTreeMap::new(),
            layers: Vec::new(),
            delivered: None,
            at: None,
        }
    }

    /// Somebody can be asked from now on.
    pub(crate) fn attend(&mut self, answers: Answers) {
        self.answers = Some(answers);
    }

    /// Runs every step and leaves nothing half-made.
    pub(crate) fn run(&mut self, state: &mut R) -> BuildResult {
        let ended = self.all_steps(state);
        self.tidy();
        if let (Ok(()), Some(limit)) = (&ended, self.options.cache_limit) {
            self.shrink_cache(limit);
        }
        match (ended, self.delivered.take()) {
            (Ok(()), Some((iso, files))) => BuildResult::Succeeded { iso, files },
            (Ok(()), None) => {
                let what = "the recipe came to its end without an image";
                self.failed(Failure::plain(Code::Internal, what))
            }
            (Err(failure), _) => self.failed(failure),
        }
    }

    /// What a failure makes of the build.
    pub(crate) fn failed(&self, failure: Failure) -> BuildResult {
        // Commands fail in all sorts of ways when they are stopped; the reason is the stop.
        if failure.code == Code::Cancelled || self.host.cancel().is_cancelled() {
            return BuildResult::Cancelled;
        }
        BuildResult::Failed {
            error: failure.view(self.at.clone()),
        }
    }

    fn all_steps(&mut self, state: &mut R) -> Result<(), Failure> {
        for index in 0..self.recipe.steps.len() {
            self.at = None;
            self.check_cancel()?;
            self.at = Some(self.recipe.steps[index].id.clone());
            self.step(index, state)?;
        }
        self.at = None;
        Ok(())
    }

    /// Says the beginning and the plan.
    pub(crate) fn hello(&self, state: &R) -> Result<(), Failure> {
        self.voice.tell(EventKind::Hello {
            epoch: EPOCH,
            revision: REVISION,
            version: self.options.version.clone(),
            build: self.options.build.clone(),
            profile: self.options.profile.clone(),
            started: seconds_since_1970(),
            isolation: self.options.isolation,
        })?;
        let planned = caught(|| Ok(plan(self.recipe, state, self.work)))?;
        let steps = planned.into_iter().map(|step| step.info).collect();
        self.voice.tell(EventKind::Planned { steps })
    }

    fn check_cancel(&self) -> Result<(), Failure> {
        if self.host.cancel().is_cancelled() || self.work.cancel_requested() {
            return Err(Failure::cancelled());
        }
        Ok(())
    }

    /// Takes one step from its start to its end, both of which are said.
    fn step(&mut self, index: usize, state: &mut R) -> Result<(), Failure> {
        let def = &self.recipe.steps[index];
        let began = self.voice.now_ms();
        self.voice.tell(EventKind::StepStarted {
            step: def.id.clone(),
            attempt: 1,
        })?;
        let ended = caught(|| self.reach(index, state));
        let outcome = match &ended {
            Ok(outcome) => outcome.clone(),
            Err(failure) => Outcome::Failed {
                error: failure.view(Some(def.id.clone())),
            },
        };
        let took_ms = self.voice.now_ms() - began;
        let told = self.voice.tell(EventKind::StepFinished {
            step: def.id.clone(),
            outcome,
            took_ms,
        });
        ended?;
        told
    }

    fn reach(&mut self, index: usize, state: &mut R) -> Result<Outcome, Failure> {
        let def = &self.recipe.steps[index];
        let key = key_of(self.recipe, index, state, &self.found);
        if def.kind == Kind::Always {
            let hash = key.as_ref().map(CacheKey::hash);
            return self.make(index, None, hash, state);
        }
        let Some(key) = key else {
            let what = format!("what {} depends on is not known when it is reached", def.id);
            return Err(Failure::plain(Code::Internal, what));
        };
        let hash = Some(key.hash());
        match self.cache.look(def.kind, &key) {
            Lookup::Hit(entry) => {
                if self.take(def, &entry, hash.clone(), state)? {
                    return Ok(Outcome::Cached);
                }
                self.cache.discard(&entry)?;
            }
            Lookup::Distrusted(entry) => {
                self.explain(def, &key);
                self.cache.discard(&entry)?;
            }
            Lookup::Miss => self.explain(def, &key),
        }
        self.make(index, Some(key), hash, state)
    }

    fn explain(&self, def: &StepDef<R>, key: &CacheKey) {
        if !self.options.explain_cache {
            return;
        }
        let reporter = self.voice.of_step(&def.id);
        for reason in self.cache.explain(def.kind, key) {
            reporter.log(Level::Info, format!("not from the cache: {reason}"));
        }
    }

    /// Takes a result from the cache; `false` when it is of no use after all.
    fn take(
        &mut self,
        def: &StepDef<R>,
        entry: &Entry,
        hash: Option<String>,
        state: &mut R,
    ) -> Result<bool, Failure> {
        let mut cx = self.context(def, 1, entry.data(), None, self.found.clone());
        if let Err(failure) = (def.recall)(&mut cx, state) {
            if failure.code == Code::Cancelled || self.host.cancel().is_cancelled() {
                return Err(failure);
            }
            cx.warn(format!(
                "what the cache has of this step is of no use ({failure}); it is made anew"
            ));
            return Ok(false);
        }
        let delivered = cx.delivered.take();
        entry.touch();
        self.found(def, hash, true, Some(entry.data()), delivered);
        if def.kind == Kind::Layer {
            self.layers.insert(0, entry.fs());
        }
        Ok(true)
    }

    /// Does the work, more than once if need be.
    fn make(
        &mut self,
        index: usize,
        key: Option<CacheKey>,
        hash: Option<String>,
        state: &mut R,
    ) -> Result<Outcome, Failure> {
        let def = &self.recipe.steps[index];
        let mut tries = 0;
        for attempt in 1.. {
            tries += 1;
            let failure = match self.attempt(index, attempt, key.as_ref(), hash.clone(), state) {
                Ok(outcome) => return Ok(outcome),
                Err(failure) => failure.with_room(self.work.cache()),
            };
            let retries = match self.options.error_mode {
                ErrorMode::Graceful | ErrorMode::Permissive => {
                    failure.code.recovery() == Recovery::Retry
                }
                ErrorMode::Strict => false,
            };
            if self.host.cancel().is_cancelled() {
                return Err(failure);
            }
            if !retries || tries == ATTEMPTS {
                if self.is_dispensable(def, &failure) {
                    return self.leave_out(def, hash, &failure);
                }
                self.ask(def, failure)?;
                tries = 0;
                self.voice.tell(EventKind::StepStarted {
                    step: def.id.clone(),
                    attempt: attempt + 1,
                })?;
                continue;
            }
            let wait = jittered(self.options.retry_wait * 4u32.pow(tries - 1));
            self.voice.tell(EventKind::StepRetried {
                step: def.id.clone(),
                attempt,
                wait_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
                error: failure.view(Some(def.id.clone())),
            })?;
            if !self.host.cancel().sleep(wait) {
                return Err(Failure::cancelled());
            }
            self.voice.tell(EventKind::StepStarted {
                step: def.id.clone(),
                attempt: attempt + 1,
            })?;
        }
        Err(Failure::plain(Code::Internal, "attempts ran out"))
    }

    /// Whether the build may go on without a step that has failed.
    fn is_dispensable(&self, def: &StepDef<R>, failure: &Failure) -> bool {
        match self.options.error_mode {
            ErrorMode::Permissive => def.optional && failure.code != Code::Cancelled,
            ErrorMode::Graceful | ErrorMode::Strict => false,
        }
    }

    /// Goes on as though a failed step had done nothing.
    fn leave_out(
        &mut self,
        def: &StepDef<R>,
        hash: Option<String>,
        failure: &Failure,
    ) -> Result<Outcome, Failure> {
        self.work.drop_partial(&def.id)?;
        let why = format!("it failed, and the build goes on without it: {failure}");
        self.voice
            .of_step(&def.id)
            .warn(format!("{}: {why}", def.title));
        // What is made on top of this differs from what is made on top of a success.
        let hash = hash.map(|hash| format!("{hash}-left-out"));
        self.found(def, hash, false, None, None);
        Ok(Outcome::Skipped { why })
    }

    /// Lets a person do something about a failure; `Ok` if the step is to be tried again.
    fn ask(&mut self, def: &StepDef<R>, failure: Failure) -> Result<(), Failure> {
        let curable = match failure.code.recovery() {
            Recovery::Retry | Recovery::FixAndResume => true,
            Recovery::Resume | Recovery::EditSpec | Recovery::Report => false,
        };
        let answers = match (&self.answers, self.options.error_mode) {
            (Some(answers), ErrorMode::Graceful | ErrorMode::Permissive) if curable => answers,
            (Some(_) | None, ErrorMode::Graceful | ErrorMode::Strict | ErrorMode::Permissive) => {
                return Err(failure);
            }
        };
        self.questions += 1;
        let question = self.questions;
        self.voice.tell(EventKind::Asked {
            question,
            error: failure.view(Some(def.id.clone())),
            choices: vec![Choice::Retry, Choice::Stop],
        })?;
        let answer = answers.wait(question, self.options.answer_wait, self.host.cancel());
        let choice = answer.unwrap_or(Choice::Stop);
        self.voice.tell(EventKind::Answered { question, choice })?;
        match choice {
            Choice::Retry => Ok(()),
            Choice::Stop | Choice::Other => Err(failure),
        }
    }

    /// Does the work once, with fresh folders, and keeps the result.
    fn attempt(
        &mut self,
        index: usize,
        attempt: u32,
        key: Option<&CacheKey>,
        hash: Option<String>,
        state: &mut R,
    ) -> Result<Outcome, Failure> {
        let def = &self.recipe.steps[index];
        let layer = def.kind == Kind::Layer;
        let partial = self.work.begin(&def.id, layer)?;
        let upper = layer.then(|| partial.join("fs"));
        let outlook = outlook(self.recipe, index, state, &self.cache, &self.found);

        let mounted = match &upper {
            Some(upper) if !self.layers.is_empty() => {
                let work = self.work.scratch_of(&def.id).join("work");
                make(&work)?;
                look_like(&self.layers[0], upper)?;
                Some(
                    self.host
                        .overlay(&self.layers, upper, &work, &self.work.root())?,
                )
            }
            Some(_) | None => None,
        };
        let mut cx = self.context(def, attempt, partial.join("data"), upper.clone(), outlook);
        if let (Some(upper), None) = (&upper, &mounted) {
            cx.root.clone_from(upper);
        }
        let done = (def.run)(&mut cx, state)?;
        let delivered = cx.delivered.take();
        drop(mounted);

        if let Done::Skipped(why) = done {
            self.work.drop_partial(&def.id)?;
            self.found(def, hash, false, None, delivered);
            return Ok(Outcome::Skipped { why });
        }
        let Some(key) = key else {
            self.found(def, hash, false, Some(partial.join("data")), delivered);
            return Ok(Outcome::Done);
        };
        if let Some(upper) = &upper {
            (self.recipe.seal)(upper, state)?;
        }
        let entry = self.cache.commit(def.kind, key, &partial)?;
        self.work.drop_partial(&def.id)?;
        self.syncer.sync_later(entry.clone());
        self.found(def, hash, false, Some(entry.data()), delivered);
        if layer {
            self.layers.insert(0, entry.fs());
        }
        Ok(Outcome::Done)
    }

    fn context<'b>(
        &'b self,
        def: &'b StepDef<R>,
        attempt: u32,
        out: PathBuf,
        upper: Option<PathBuf>,
        expected: BTreeMap<StepId, Expected>,
    ) -> StepCx<'b> {
        StepCx {
            host: self.host,
            work: self.work,
            step: &def.id,
            attempt,
            reporter: self.voice.of_step(&def.id),
            out,
            upper,
            root: self.work.root(),
            layers: &self.layers,
            outputs: &self.outputs,
            expected,
            delivered: None,
        }
    }

    fn found(
        &mut self,
        def: &StepDef<R>,
        hash: Option<String>,
        cached: bool,
        output: Option<PathBuf>,
        delivered: Option<(Output, Vec<String>)>,
    ) {
        self.found.insert(def.id.clone(), Expected { hash, cached });
        if let Some(output) = output {
            self.outputs.insert(def.id.clone(), output);
        }
        if delivered.is_some() {
            self.delivered = delivered;
        }
    }

    /// Removes what was used longest ago, but nothing of this build, until the cache keeps to
    /// its limit. The image is made; a failure costs room and no more.
    fn shrink_cache(&self, limit: u64) {
        let used: BTreeSet<PathBuf> = self
            .outputs
            .values()
            .chain(&self.layers)
            .filter_map(|folder| Some(folder.parent()?.to_owned()))
            .collect();
        let Some(last) = self.recipe.steps.last() else {
            return;
        };
        let reporter = self.voice.of_step(&last.id);
        match clean::shrink(self.work.cache(), limit, &used) {
            Ok(0) => {}
            Ok(freed) => reporter.log(
                Level::Info,
                format!(
                    "{} MB of the cache were freed: its limit is {} GB",
                    freed / 1_000_000,
                    limit / 1_000_000_000
                ),
            ),
            Err(failure) => reporter.warn(format!("the cache stays above its limit: {failure}")),
        }
    }

    /// Removes what was half-made. A failure costs room until the next build, no more.
    fn tidy(&self) {
        if let Err(failure) = self.work.drop_partials() {
            tracing::warn!(%failure, "half-made things were left behind");
        }
    }
}

/// Makes a panic a failure of its own kind.
fn caught<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let what = format!("Isosmith itself failed: {}", message(panic.as_ref()));
        Err(Failure::plain(Code::Internal, what))
    })
}

fn message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without words")
}

/// Up to a quarter more.
fn jittered(wait: Duration) -> Duration {
    // A fresh hasher is seeded by chance; that is all the randomness needed here.
    let chance = RandomState::new().hash_one(0) % 256;
    wait + wait / 1024 * u32::try_from(chance).unwrap_or(0)
}
