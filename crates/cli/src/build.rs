//! A build that this program starts itself.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use isosmith_engine::{Failure, Work, history};
use isosmith_host::{
    HostError,
    worker::{Channels, Ids},
};
use isosmith_protocol::{BuildId, BuildResult, Code, Control, Event, Output};
use isosmith_recipe::SquashfsWriter;
use isosmith_supervise::{Build, Controls, Job, forget, lock, new_id};

use crate::{
    args::{BuildArgs, Writer},
    deliver,
    keys::{self, Keys},
    order::{self, Delivered},
    places::Places,
    profile::Loaded,
};

/// Whoever is shown a build.
pub trait Viewer {
    /// Takes an event.
    fn event(&mut self, event: &Event);
    /// Takes something that is no event of the build.
    fn note(&mut self, text: &str);
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
    let output = output_folder(args.output.as_deref().unwrap_or(Path::new(".")))?;
    let loaded = order::ask_passwords(loaded)?;
    let _lock = lock(&places.state, &places.cache)?;
    let id = new_id(&loaded.spec.profile.name);
    let work = Work::new(&places.state, &places.cache, &id);
    work.create()?;

    let delivered = Delivered::at(&places.state, output.join(&loaded.spec.image.file_name));
    let mut order =
        order::gather(&loaded, Some(&work.inputs()), &delivered).inspect_err(|_| forget(&work))?;
    order.squashfs_writer = match args.squashfs_writer {
        Writer::Isosmith => SquashfsWriter::Isosmith,
        Writer::Mksquashfs => SquashfsWriter::Mksquashfs,
    };
    order.manner = args.manner();
    let job = Job {
        id,
        state: places.state.clone(),
        cache: places.cache.clone(),
        profile: loaded.spec.profile.name,
        order,
        explain_cache: args.explain_cache,
        attended: attended(args),
        output: Some(output),
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
    let _lock = lock(&places.state, &places.cache)?;
    let work = Work::new(&places.state, &places.cache, id);
    isosmith_engine::resume(&work)?;
    let mut job: Job = work.read_job()?;
    job.order.manner = args.manner();
    job.explain_cache = args.explain_cache;
    job.attended = attended(args);
    if let Some(output) = &args.output {
        job.output = Some(output_folder(output)?);
    }
    supervise(&job, &work, &ids, viewer)
}

/// Whether somebody sees a question and has a key to answer it.
fn attended(args: &BuildArgs) -> bool {
    keys::are_there() && !args.json && !args.strict
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

fn supervise(
    job: &Job,
    work: &Work,
    ids: &Ids,
    viewer: &mut dyn Viewer,
) -> Result<BuildResult, Failure> {
    let mut build = Build::begin(job, ids)?;
    // Kept to the end: a build whose questions nobody can answer waits in vain.
    let controls = build
        .controls()
        .map(|controls| Arc::new(Mutex::new(controls)));
    let stop = stop_on_signals(work)?;
    let mut keys = None;
    let result = build.follow(&mut |event| {
        viewer.event(event);
        Keys::follow(&mut keys, &event.kind, |question| {
            listen(question, controls.as_ref())
        });
    });
    drop((stop, keys));
    let BuildResult::Succeeded { iso, files } = &result else {
        viewer.end(&result, None);
        return Ok(result);
    };
    let delivered = hand_over(job, work, iso, files)?;
    viewer.end(&result, Some(&delivered));
    Ok(result)
}

/// Answers a question with one key.
fn listen(question: u32, controls: Option<&Arc<Mutex<Controls>>>) -> Option<Keys> {
    let controls = controls?.clone();
    Keys::listen(move |choice| {
        let mut controls = controls.lock().unwrap_or_else(PoisonError::into_inner);
        controls.tell(&Control::Answer { question, choice });
    })
}

/// Puts the ISO and what goes with it into the output folder.
fn hand_over(job: &Job, work: &Work, iso: &Output, files: &[String]) -> Result<PathBuf, Failure> {
    let name = Path::new(&iso.path).file_name().unwrap_or_default();
    let output = job
        .output
        .as_deref()
        .ok_or_else(|| Failure::plain(Code::Internal, "the build has no output folder"))?;
    let target = output.join(name);
    let record = Delivered::at(&job.state, target.clone());
    let from = isosmith_recipe::output_folder(work);
    if from.join(name).exists() {
        deliver::deliver(&from, output, &name.to_string_lossy(), files)?;
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
pub fn inside(job: String, channels: Channels) -> i32 {
    crate::start_logging(crate::args::LogFormat::Text, 0, false);
    isosmith_supervise::inside(job, channels)
}
