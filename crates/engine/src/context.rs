//! All that a step may touch.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use isosmith_host::{Cancel, Cmd, Host, Watch, mount::MountGuard};
use isosmith_protocol::{Code, Level, Output, StepId, Stream, Unit};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    failure::Failure,
    plan::Expected,
    report::Reporter,
    tree::look_like,
    work::{Work, make, read_json, write_json},
};

/// What becomes of a line that [`StepCx::run_watching`] has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineUse {
    /// It goes to the log.
    Log,
    /// It was for the machine only, such as a status line.
    Swallow,
}

/// A step's view of the build: the machine, the paths, and somebody to talk to.
pub struct StepCx<'a> {
    pub(crate) host: &'a dyn Host,
    pub(crate) work: &'a Work,
    pub(crate) step: &'a StepId,
    pub(crate) attempt: u32,
    pub(crate) reporter: Reporter,
    pub(crate) out: PathBuf,
    pub(crate) upper: Option<PathBuf>,
    pub(crate) root: PathBuf,
    pub(crate) layers: &'a [PathBuf],
    pub(crate) outputs: &'a BTreeMap<StepId, PathBuf>,
    pub(crate) expected: BTreeMap<StepId, Expected>,
    pub(crate) delivered: Option<(Output, Vec<String>)>,
}

impl std::fmt::Debug for StepCx<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StepCx")
            .field("step", &self.step)
            .field("attempt", &self.attempt)
            .field("out", &self.out)
            .field("layers", &self.layers)
            .finish_non_exhaustive()
    }
}

impl StepCx<'_> {
    /// The machine.
    pub fn host(&self) -> &dyn Host {
        self.host
    }

    /// The paths.
    pub fn work(&self) -> &Work {
        self.work
    }

    /// Which step this is.
    pub fn step(&self) -> &StepId {
        self.step
    }

    /// The token that ends the build; to be asked in long loops.
    pub fn cancel(&self) -> &Cancel {
        self.host.cancel()
    }

    /// 1 for the first attempt.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Somebody to talk to from other threads.
    pub fn reporter(&self) -> Reporter {
        self.reporter.clone()
    }

    /// See [`Reporter::log`].
    pub fn log(&self, level: Level, text: impl Into<String>) {
        self.reporter.log(level, text);
    }

    /// See [`Reporter::warn`].
    pub fn warn(&self, message: impl Into<String>) {
        self.reporter.warn(message);
    }

    /// See [`Reporter::progress`].
    pub fn progress(&self, done: u64, total: Option<u64>, unit: Unit, note: Option<&str>) {
        self.reporter.progress(done, total, unit, note);
    }

    /// The step's own folder, empty at first. An artifact's is kept as it is; a layer may
    /// leave here what belongs to it but not into the tree; of a step that always runs it
    /// lasts until the build ends. When the result comes from the cache: what is kept there.
    pub fn out(&self) -> &Path {
        &self.out
    }

    /// The folder ([`StepCx::out`]) of an earlier step; `None` when it made nothing.
    pub fn try_output_of(&self, step: &StepId) -> Option<&Path> {
        self.outputs.get(step).map(PathBuf::as_path)
    }

    /// The folder ([`StepCx::out`]) of an earlier step.
    ///
    /// # Panics
    ///
    /// When that step comes later or was skipped: a mistake in the recipe, which ends the
    /// build with [`Code::Internal`].
    #[track_caller]
    pub fn output_of(&self, step: &StepId) -> &Path {
        match self.try_output_of(step) {
            Some(folder) => folder,
            None => panic!(
                "{} wants the output of {step}, which has made none",
                self.step
            ),
        }
    }

    /// The merged root tree, for a layer; for others it is there once [`StepCx::mount_root`]
    /// was called, as long as its guard lives.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What a layer adds to the tree, raw; only a layer has it.
    ///
    /// # Panics
    ///
    /// When the step is no layer: a mistake in the recipe, which ends the build with
    /// [`Code::Internal`].
    #[track_caller]
    pub fn upper(&self) -> &Path {
        match &self.upper {
            Some(upper) => upper,
            None => panic!("{} is no layer and has no upper folder", self.step),
        }
    }

    /// The finished layers so far, topmost first.
    pub fn layers(&self) -> Vec<PathBuf> {
        self.layers.to_vec()
    }

    /// Mounts the finished layers at [`StepCx::root`] until the guard is dropped. Writing
    /// there is possible and goes nowhere.
    ///
    /// # Errors
    ///
    /// When there is no layer yet, the step is a layer itself, or the kernel refuses.
    pub fn mount_root(&mut self) -> Result<MountGuard, Failure> {
        if self.upper.is_some() || self.layers.is_empty() {
            let what = format!(
                "{} cannot mount the tree: it is a layer, or there is none yet",
                self.step
            );
            return Err(Failure::plain(Code::Internal, what));
        }
        let scratch = self.work.scratch_of(self.step);
        let (upper, work) = (scratch.join("upper"), scratch.join("work"));
        make(&upper)?;
        make(&work)?;
        look_like(&self.layers[0], &upper)?;
        Ok(self.host.overlay(self.layers, &upper, &work, &self.root)?)
    }

    /// The hash of another step's key, as far as it can be told now.
    pub fn key_of(&self, step: &StepId) -> Option<&str> {
        self.expected.get(step)?.hash.as_deref()
    }

    /// Whether another step's result came or will come from the cache, as far as it can be
    /// told when this step begins.
    pub fn is_cached(&self, step: &StepId) -> bool {
        self.expected
            .get(step)
            .is_some_and(|expected| expected.cached)
    }

    /// Runs a command; it and its lines go to the log.
    ///
    /// # Errors
    ///
    /// Those of [`Host::run`], with a code.
    pub fn run(&self, cmd: &Cmd) -> Result<(), Failure> {
        self.run_watching(cmd, &mut |_, _| LineUse::Log)
    }

    /// Runs a command and shows every line to `watch` first.
    ///
    /// # Errors
    ///
    /// Those of [`Host::run`], with a code.
    pub fn run_watching(
        &self,
        cmd: &Cmd,
        watch: &mut dyn FnMut(isosmith_host::Stream, &str) -> LineUse,
    ) -> Result<(), Failure> {
        self.watched(cmd, watch, &mut |_| Ok(()))
    }

    /// Runs a command for what it prints, at most 64 MiB; invalid UTF-8 is replaced.
    ///
    /// # Errors
    ///
    /// Those of [`Host::run`], with a code; [`Code::Io`] when it prints more.
    pub fn run_for_output(&self, cmd: &Cmd) -> Result<String, Failure> {
        const MOST: usize = 64 << 20;
        let mut bytes = Vec::new();
        self.run_for_bytes(cmd, &mut |piece| {
            if bytes.len() + piece.len() > MOST {
                return Err(io::Error::other("more than 64 MiB of output"));
            }
            bytes.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Runs a command and hands over its standard output in pieces.
    ///
    /// # Errors
    ///
    /// Those of [`Host::run`], with a code; that of `take`, which ends the command.
    pub fn run_for_bytes(
        &self,
        cmd: &Cmd,
        take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<(), Failure> {
        self.watched(&cmd.clone().binary_output(), &mut |_, _| LineUse::Log, take)
    }

    fn watched(
        &self,
        cmd: &Cmd,
        watch: &mut dyn FnMut(isosmith_host::Stream, &str) -> LineUse,
        take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<(), Failure> {
        self.log(Level::Info, format!("$ {cmd}"));
        let mut listener = Listener {
            reporter: &self.reporter,
            watch,
            take,
        };
        Ok(self.host.run(cmd, &mut listener)?)
    }

    /// Keeps a value in the build's folder, where a resumed run finds it.
    ///
    /// # Errors
    ///
    /// When it cannot be written; [`Code::Internal`] when `name` is not a plain word.
    pub fn remember(&self, name: &str, value: &impl Serialize) -> Result<(), Failure> {
        write_json(&self.work.memory(name)?, value)
    }

    /// What this run, or the one that it resumes, remembered.
    ///
    /// # Errors
    ///
    /// When it is there but cannot be read.
    pub fn recall<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Failure> {
        read_json(&self.work.memory(name)?)
    }

    /// Names what the build has made: the image, and the files beside it. The build
    /// succeeds only if a step does this.
    pub fn deliver(&mut self, iso: Output, files: Vec<String>) {
        self.delivered = Some((iso, files));
    }
}

struct Listener<'a> {
    reporter: &'a Reporter,
    watch: &'a mut dyn FnMut(isosmith_host::Stream, &str) -> LineUse,
    take: &'a mut dyn FnMut(&[u8]) -> io::Result<()>,
}

impl Watch for Listener<'_> {
    fn line(&mut self, stream: isosmith_host::Stream, line: &str) {
        if (self.watch)(stream, line) == LineUse::Swallow {
            return;
        }
        let stream = match stream {
            isosmith_host::Stream::Stdout => Stream::Stdout,
            isosmith_host::Stream::Stderr => Stream::Stderr,
        };
        self.reporter.log_from(stream, Level::Debug, line);
    }

    fn bytes(&mut self, chunk: &[u8]) -> io::Result<()> {
        (self.take)(chunk)
    }
}
