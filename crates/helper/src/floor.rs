//! Where builds run: one thread that takes them one after the other.

mod inputs;
mod notes;

use std::{
    os::fd::OwnedFd,
    path::Path,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use isosmith_engine::Failure;
use isosmith_host::{
    fs::{Confined, LockGuard},
    user::User,
    worker::Ids,
};
use isosmith_protocol::{BuildResult, Code, Control, Output};
use isosmith_supervise::{Build, Job};
use nix::{
    fcntl::{OFlag, OpenHow, ResolveFlag, openat2},
    sys::stat::{SFlag, fstat},
};

use crate::{
    builds::{Builds, Turn},
    bus::Bus,
    inhibit::Awake,
    record::Record,
};

/// Words to a build that wait until it listens.
const WORDS: usize = 64;

/// How often a lock is tried that a dying build may still hold.
const LOCK_TRIES: usize = 50;

/// The place where builds run.
#[derive(Debug)]
pub struct Floor {
    /// Every build.
    pub builds: Arc<Builds>,
    /// The way to the login manager.
    pub bus: Arc<Bus>,
    /// Who builds are outside.
    pub ids: Ids,
}

/// What has come of a turn.
enum Made {
    /// It is over.
    Over(BuildResult),
    /// An ISO, which is not yet where it is wanted.
    Undelivered(Box<Job>, BuildResult),
}

impl Floor {
    /// Runs builds for ever. Not to be called from a thread that ends earlier: what runs ends
    /// with it.
    pub fn run(&self) {
        loop {
            let (turn, floor) = self.builds.next();
            let made = self.build(&turn);
            drop(floor);
            match made {
                Ok(Made::Over(result)) => end(&self.builds, &turn, &result),
                Ok(Made::Undelivered(job, result)) => self.hand_over(turn, job, result),
                Err(failure) => end(&self.builds, &turn, &failed(&turn, &failure)),
            }
        }
    }

    fn build(&self, turn: &Turn) -> Result<Made, Failure> {
        let record = Record::at(self.builds.places().record(&turn.id));
        turn.live.begin()?;
        let job = record.job()?;
        let _awake = Awake::ask(&self.bus);
        self.builds.places().look_for_traps(&turn.id)?;
        let _locks = lock(&job)?;
        let result = match record.built().filter(|result| is_there(&job, result)) {
            Some(result) => result,
            None => self.make(turn, &record, &job)?,
        };
        let BuildResult::Succeeded { .. } = &result else {
            return Ok(Made::Over(result));
        };
        match record.write_built(&result) {
            Ok(()) => inputs::forget_secrets(&record.inputs(), &job.order.materials),
            Err(failure) => tracing::warn!(%failure, "a resumed build will be made again"),
        }
        Ok(Made::Undelivered(Box::new(job), result))
    }

    /// Delivers in a thread of its own: whoever owns the folder can make that take for ever,
    /// and the next build must not wait for them.
    fn hand_over(&self, turn: Turn, job: Box<Job>, result: BuildResult) {
        self.builds.delivers(&turn.id);
        let builds = self.builds.clone();
        thread::spawn(move || {
            let result = match deliver(&builds, &turn, &job, &result) {
                Ok(result) => result,
                Err(_) if builds.is_cancelled(&turn.id) => BuildResult::Cancelled,
                Err(failure) => failed(&turn, &failure),
            };
            end(&builds, &turn, &result);
        });
    }

    /// Runs the build itself, in its namespaces.
    fn make(&self, turn: &Turn, record: &Record, job: &Job) -> Result<BuildResult, Failure> {
        let work = job.work();
        work.create()?;
        remove(work.state(), &work.cancel_flag())?;
        inputs::renew(&record.inputs(), &work)?;
        if self.builds.is_cancelled(&turn.id) {
            return Ok(BuildResult::Cancelled);
        }
        let mut build = Build::begin(job, &self.ids)?;
        let (tell, words) = mpsc::sync_channel::<Control>(WORDS);
        if let Some(mut controls) = build.controls() {
            // A build that does not listen holds up this thread alone.
            thread::spawn(move || words.iter().for_each(|word| controls.tell(&word)));
        }
        let notes = notes::Notes::begin(
            self.builds.clone(),
            turn,
            &work,
            tell.clone(),
            build.ender(),
        );
        self.builds.can_be_told(&turn.id, tell);
        let result = build.follow(&mut |event| {
            // First, because whoever sees a question may answer it at once.
            self.builds.heard(&turn.id, event);
            if let Err(error) = turn.live.tell(event) {
                tracing::warn!(%error, id = %turn.id, "an event could not be kept");
            }
        });
        drop(notes);
        if let Err(failure) = record.write_session(&self.builds.session(&turn.id)) {
            tracing::warn!(%failure, id = %turn.id, "the session's changes could not be kept");
        }
        // It may have had to be ended.
        if result == BuildResult::Interrupted && self.builds.is_cancelled(&turn.id) {
            return Ok(BuildResult::Cancelled);
        }
        Ok(result)
    }
}

fn failed(turn: &Turn, failure: &Failure) -> BuildResult {
    tracing::warn!(id = %turn.id, %failure, causes = ?failure.causes, "failed");
    BuildResult::Failed {
        error: failure.view(None),
    }
}

fn end(builds: &Builds, turn: &Turn, result: &BuildResult) {
    if let BuildResult::Succeeded { .. } = result {
        tidy(builds, turn);
    }
    builds.finish(turn, result);
    builds.forget_old();
}

/// What nobody needs any more goes.
fn tidy(builds: &Builds, turn: &Turn) {
    let places = builds.places();
    let record = Record::at(places.record(&turn.id));
    let left = [
        (places.own_states(), places.own_state(&turn.id)),
        (record.folder(), record.inputs()),
    ];
    for (root, path) in left {
        if let Err(failure) = remove(&root, &path) {
            tracing::warn!(%failure, "something is left");
        }
    }
}

/// Puts the ISO and what goes beside it where they are wanted, the ISO last.
fn deliver(
    builds: &Builds,
    turn: &Turn,
    job: &Job,
    result: &BuildResult,
) -> Result<BuildResult, Failure> {
    let BuildResult::Succeeded { iso, files } = result else {
        return Ok(result.clone());
    };
    let user = User::of(turn.owner.uid)?;
    let (iso, files) = expected(turn, iso, files);
    let sources = files
        .iter()
        .chain([&iso.path])
        .map(|name| Ok((name.clone(), finished(job, name)?)))
        .collect::<Result<Vec<_>, Failure>>()?;
    let wanted = || !builds.is_cancelled(&turn.id);
    turn.output.place(&user, sources, &wanted)?;
    Ok(BuildResult::Succeeded { iso, files })
}

fn remove(root: &Path, path: &Path) -> Result<(), Failure> {
    Ok(Confined::new(root)?.remove_tree(path)?)
}

fn lock(job: &Job) -> Result<[LockGuard; 2], Failure> {
    for _ in 1..LOCK_TRIES {
        match isosmith_supervise::lock(&job.state, &job.cache) {
            Err(failure) if failure.code == Code::Locked => {
                thread::sleep(Duration::from_millis(200));
            }
            other => return other,
        }
    }
    isosmith_supervise::lock(&job.state, &job.cache)
}

/// The ISO and what goes beside it, under the names that the request has for them: what a
/// build says is not believed. Paths become file names.
fn expected(turn: &Turn, iso: &Output, files: &[String]) -> (Output, Vec<String>) {
    let name = &turn.owner.iso;
    let beside = |file: &&String| {
        let ending = file.strip_prefix(name.as_str());
        let word = ending.and_then(|ending| ending.strip_prefix('.'));
        word.is_some_and(|word| {
            !word.is_empty() && word.len() < 16 && word.bytes().all(|b| b.is_ascii_alphanumeric())
        })
    };
    let iso = Output {
        path: name.clone(),
        ..iso.clone()
    };
    let mut files: Vec<String> = files.iter().filter(beside).cloned().collect();
    files.sort();
    files.dedup();
    (iso, files)
}

fn is_there(job: &Job, result: &BuildResult) -> bool {
    match result {
        BuildResult::Succeeded { iso, .. } => {
            let name = Path::new(&iso.path).file_name();
            name.and_then(|name| name.to_str())
                .is_some_and(|name| finished(job, name).is_ok())
        }
        BuildResult::Failed { .. }
        | BuildResult::Cancelled
        | BuildResult::Interrupted
        | BuildResult::Unknown => false,
    }
}

/// Opens a finished file of a build for reading. The build may have put anything there, so no
/// link is followed on the way, and nothing but an ordinary file is opened.
fn finished(job: &Job, name: &str) -> Result<OwnedFd, Failure> {
    let folder = isosmith_recipe::output_folder(&job.work());
    let path = folder.join(name);
    let failed = |error: std::io::Error| Failure::io_at("open", &path, error);
    let below = path
        .strip_prefix(&job.state)
        .map_err(|error| failed(std::io::Error::other(error)))?;
    let root = std::fs::File::open(&job.state).map_err(failed)?;
    let how = OpenHow::new()
        .flags(OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC)
        .resolve(ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_SYMLINKS);
    let fd = openat2(&root, below, how).map_err(|error| failed(error.into()))?;
    let stat = fstat(&fd).map_err(|error| failed(error.into()))?;
    if SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT != SFlag::S_IFREG {
        return Err(failed(std::io::Error::other("is no regular file")));
    }
    Ok(fd)
}
