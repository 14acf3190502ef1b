//! One build, seen from outside its namespaces: start it, follow it, take what it made.

use std::{
    fs::{self, File},
    io::{self, BufReader},
    os::unix::fs::{MetadataExt, chown},
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use isosmith_engine::{Failure, Options, Work, history, run::ErrorMode};
use isosmith_host::{
    Cancel, HostError, LinuxHost,
    fs::{LockGuard, lock_exclusive},
    worker::{Ids, Worker},
};
use isosmith_protocol::{BuildId, BuildResult, Code, Event, EventKind, Output, line};
use isosmith_recipe::{Debian, Order, SquashfsWriter};
use serde::{Deserialize, Serialize};

use crate::{
    args::{BuildArgs, Writer},
    deliver,
    order::{self, Delivered},
    places::Places,
    profile::Loaded,
};

/// What crosses into the namespaces, and what a resumed build begins with.
#[derive(Debug, Serialize, Deserialize)]
struct Job {
    id: BuildId,
    state: PathBuf,
    cache: PathBuf,
    profile: String,
    order: Order,
    strict: bool,
    explain_cache: bool,
    /// Where the ISO goes, for a build that is resumed.
    output: PathBuf,
}

/// Whoever is shown a build.
pub trait Viewer {
    /// Takes an event.
    fn event(&mut self, event: &Event);
    /// Takes the end, with what was delivered.
    fn end(&mut self, result: &BuildResult, delivered: Option<&Path>);
}

/// Builds a profile.
///
/// # Errors
///
/// When the build could not begin; how it ended otherwise is in the result.
pub fn build(
    loaded: Loaded,
    args: &BuildArgs,
    places: &Places,
    viewer: &mut dyn Viewer,
) -> Result<BuildResult, Failure> {
    let ids = Ids::of_this_user().map_err(not_allowed)?;
    let output = output_folder(&args.output)?;
    let loaded = order::ask_passwords(loaded)?;
    let _lock = lock(places)?;
    let id = new_id(&loaded.spec.profile.name);
    let work = Work::new(&places.state, &places.cache, &id);
    work.create()?;

    let delivered = Delivered::at(&places.state, output.join(&loaded.spec.image.file_name));
    let mut order = order::gather(&loaded, Some(&work.inputs()), &delivered)
        .inspect_err(|_| forget(places, &work))?;
    order.squashfs_writer = match args.squashfs_writer {
        Writer::Isosmith => SquashfsWriter::Isosmith,
        Writer::Mksquashfs => SquashfsWriter::Mksquashfs,
    };
    let job = Job {
        id,
        state: places.state.clone(),
        cache: places.cache.clone(),
        profile: loaded.spec.profile.name,
        order,
        strict: args.strict,
        explain_cache: args.explain_cache,
        output,
    };
    work.write_job(&job)?;
    history::prune(&places.state, args.keep)?;
    supervise(&job, &work, &ids, viewer)
}

/// Goes on with a build that was stopped.
///
/// # Errors
///
/// When there is no such build, it runs, or it has succeeded.
pub fn resume(
    id: &BuildId,
    args: &BuildArgs,
    places: &Places,
    viewer: &mut dyn Viewer,
) -> Result<BuildResult, Failure> {
    let ids = Ids::of_this_user().map_err(not_allowed)?;
    let _lock = lock(places)?;
    let work = Work::new(&places.state, &places.cache, id);
    isosmith_engine::resume(&work)?;
    let mut job: Job = work.read_job()?;
    job.strict = args.strict;
    job.explain_cache = args.explain_cache;
    supervise(&job, &work, &ids, viewer)
}

fn not_allowed(error: HostError) -> Failure {
    Failure::from(error)
}

fn output_folder(path: &Path) -> Result<PathBuf, Failure> {
    fs::create_dir_all(path).map_err(|error| Failure::io_at("make", path, error))?;
    let real = path
        .canonicalize()
        .map_err(|error| Failure::io_at("open", path, error))?;
    // Better now than after the whole build.
    tempfile::Builder::new()
        .prefix(".isosmith-")
        .tempfile_in(&real)
        .map_err(|error| Failure::io_at("write to", &real, error))?;
    Ok(real)
}

/// One build at a time in a state folder and in a cache: whoever begins sweeps away what the
/// dead have left there half-made.
fn lock(places: &Places) -> Result<[LockGuard; 2], Failure> {
    Ok([lock_folder(&places.state)?, lock_folder(&places.cache)?])
}

fn lock_folder(folder: &Path) -> Result<LockGuard, Failure> {
    fs::create_dir_all(folder).map_err(|error| Failure::io_at("make", folder, error))?;
    lock_exclusive(&folder.join(LOCK))?.ok_or_else(|| {
        Failure::new(
            Code::Locked,
            format!("another build is running in {}", folder.display()),
            "Wait for it, stop it with `isosmith cancel ID`, or choose other folders with --state-dir and --cache-dir.",
        )
    })
}

/// Held by whoever builds in a folder.
const LOCK: &str = "build.lock";

fn new_id(profile: &str) -> BuildId {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    // Two builds in the same second differ in their fractions.
    BuildId::compose(now.as_secs(), profile, now.subsec_micros() as u16)
}

/// Removes a build that never began.
fn forget(places: &Places, work: &Work) {
    let removed = isosmith_host::fs::Confined::new(&places.state)
        .and_then(|state| state.remove_tree(&work.build()));
    if let Err(error) = removed {
        tracing::warn!(%error, "the folder of a build that never began is left");
    }
}

fn supervise(
    job: &Job,
    work: &Work,
    ids: &Ids,
    viewer: &mut dyn Viewer,
) -> Result<BuildResult, Failure> {
    give_away(job, work, ids)?;
    let text = serde_json::to_string(job).map_err(|error| {
        Failure::plain(Code::Internal, "the job cannot be written").because(error)
    })?;
    let folders = [job.state.clone(), job.cache.clone()];
    let (mut worker, events) = Worker::start(ids, &folders, text)?;
    let stop = stop_on_signals(work)?;

    let mut events = BufReader::new(events);
    let mut result = None;
    while let Ok(Some(event)) = line::read(&mut events) {
        if let EventKind::Finished { result: end } = &event.kind {
            result = Some(end.clone());
        } else {
            viewer.event(&event);
        }
    }
    let _ = worker.wait();
    drop(stop);
    let Some(result) = result else {
        // It died without a word: killed, or out of memory.
        let _ = isosmith_engine::journal::Journal::interrupted(&work.build());
        viewer.end(&BuildResult::Interrupted, None);
        return Ok(BuildResult::Interrupted);
    };
    let BuildResult::Succeeded { iso, files } = &result else {
        viewer.end(&result, None);
        return Ok(result);
    };
    let delivered = hand_over(job, work, iso, files)?;
    viewer.end(&result, Some(&delivered));
    Ok(result)
}

/// Puts the ISO and what goes with it into the output folder.
fn hand_over(job: &Job, work: &Work, iso: &Output, files: &[String]) -> Result<PathBuf, Failure> {
    let name = Path::new(&iso.path).file_name().unwrap_or_default();
    let target = job.output.join(name);
    let record = Delivered::at(&job.state, target.clone());
    let from = isosmith_recipe::output_folder(work);
    if from.join(name).exists() {
        deliver::deliver(&from, &job.output, &name.to_string_lossy(), files)?;
        let key: String = serde_json::from_slice(
            &fs::read(work.memory(isosmith_recipe::CONTENTS_KEY)?)
                .map_err(|error| Failure::io("read what the ISO was made of", error))?,
        )
        .map_err(|error| {
            Failure::plain(Code::Internal, "what the ISO was made of cannot be read").because(error)
        })?;
        record.remember(key, iso, files)?;
    }
    Ok(target)
}

/// Lets the ids inside the build write to its folders.
fn give_away(job: &Job, work: &Work, ids: &Ids) -> Result<(), Failure> {
    let (uid, gid) = ids.root_outside();
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error| Failure::io_at("give away", &path, error)
    };
    for path in [
        &job.state,
        &job.cache,
        &work.builds(),
        &work.layers(),
        &work.artifacts(),
        &work.partials(),
        &work.partial(),
        &work.pool(),
    ] {
        // A resumed build has no half-made things yet.
        if !path.exists() {
            continue;
        }
        let meta = fs::metadata(path).map_err(failed(path))?;
        if meta.uid() != uid {
            chown(path, Some(uid), Some(gid)).map_err(failed(path))?;
        }
    }
    for file in [
        work.cache_lock(),
        job.state.join(LOCK),
        job.cache.join(LOCK),
    ] {
        if file.exists() {
            chown(&file, Some(uid), Some(gid)).map_err(failed(&file))?;
        }
    }
    give_tree_away(&work.build(), uid, gid).map_err(failed(&work.build()))
}

fn give_tree_away(path: &Path, uid: u32, gid: u32) -> io::Result<()> {
    let meta = fs::symlink_metadata(path)?;
    if meta.uid() != uid {
        std::os::unix::fs::lchown(path, Some(uid), Some(gid))?;
    }
    if meta.is_dir() {
        for entry in fs::read_dir(path)? {
            give_tree_away(&entry?.path(), uid, gid)?;
        }
    }
    Ok(())
}

/// Turns the first interrupt into a cancel; a second one ends this program, and with it the
/// build.
fn stop_on_signals(work: &Work) -> Result<impl Drop, Failure> {
    struct Handle(signal_hook::iterator::Handle);
    impl Drop for Handle {
        fn drop(&mut self) {
            self.0.close();
        }
    }
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP])
        .map_err(|error| Failure::io("watch signals", error))?;
    let handle = Handle(signals.handle());
    let flag = work.cancel_flag();
    std::thread::spawn(move || {
        for (number, signal) in signals.forever().enumerate() {
            // A terminal that went away must not take a build of hours with it.
            if signal == SIGHUP {
                continue;
            }
            if number > 0 {
                let _ = signal_hook::low_level::emulate_default_handler(signal);
            }
            let _ = File::create(&flag);
        }
    });
    Ok(handle)
}

/// The build itself, inside its namespaces; see [`isosmith_host::worker::entry`].
pub fn inside(job: String, mut events: File) -> i32 {
    crate::start_logging(crate::args::LogFormat::Text, 0, false);
    let job: Job = match serde_json::from_str(&job) {
        Ok(job) => job,
        Err(error) => {
            tracing::error!(%error, "the job cannot be read");
            return 1;
        }
    };
    let work = Work::new(&job.state, &job.cache, &job.id);
    let mut options = Options::new(
        job.id.clone(),
        job.profile.clone(),
        env!("CARGO_PKG_VERSION"),
    );
    options.explain_cache = job.explain_cache;
    if job.strict {
        options.error_mode = ErrorMode::Strict;
    }
    // Nobody may read any more; the build goes on and the journal has it all.
    let mut sink = |event: &Event| drop(line::write(&mut events, event));
    let host = LinuxHost::new(Cancel::new());
    let result = match Debian::new(job.order) {
        Ok(mut state) => {
            let recipe = isosmith_recipe::recipe(&state.spec);
            isosmith_engine::run(&recipe, &mut state, &host, &work, &options, &mut sink)
        }
        Err(failure) => {
            let result = BuildResult::Failed {
                error: failure.view(None),
            };
            sink(&Event {
                seq: 0,
                at_ms: 0,
                kind: EventKind::Finished {
                    result: result.clone(),
                },
            });
            result
        }
    };
    i32::from(!matches!(result, BuildResult::Succeeded { .. }))
}
