//! The events of a build on disk: what viewers attach to, and what resume and history read.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use isosmith_host::Cancel;
use isosmith_protocol::{BuildResult, Event, EventKind, line};

use crate::{
    failure::Failure,
    work::{journal_of, lock_of},
};

/// An open journal. Lossy events are left out of it.
#[derive(Debug)]
pub struct Journal {
    file: File,
    /// Of all whole lines, in bytes.
    length: u64,
}

impl Journal {
    /// Begins the journal at `path`; an older one there, of the run that is now resumed,
    /// becomes `journal.1.jsonl`, `journal.2.jsonl`, ….
    ///
    /// # Errors
    ///
    /// When the file cannot be made.
    pub fn begin(path: &Path) -> Result<Self, Failure> {
        if path.exists() {
            let aside = (1u32..)
                .map(|n| path.with_extension(format!("{n}.jsonl")))
                .find(|aside| !aside.exists());
            if let Some(aside) = aside {
                std::fs::rename(path, &aside)
                    .map_err(|error| Failure::io(format!("set {} aside", path.display()), error))?;
            }
        }
        OpenOptions::new()
            .append(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map(|file| Self { file, length: 0 })
            .map_err(|error| Failure::io_at("begin", path, error))
    }

    /// Writes an event; the plan, the end of a step and the end of the build are on disk
    /// when this returns.
    ///
    /// # Errors
    ///
    /// When the disk is full or broken.
    pub fn write(&mut self, event: &Event) -> io::Result<()> {
        if event.kind.is_lossy() {
            return Ok(());
        }
        if let Err(error) = line::write(&mut self.file, event) {
            // Whatever can be written later must not be glued to a torn line.
            self.file.set_len(self.length)?;
            return Err(error);
        }
        self.length = self.file.metadata()?.len();
        if matters(&event.kind) {
            self.file.sync_data()?;
        }
        Ok(())
    }
}

/// Whether a power cut right after the event must not lose it.
const fn matters(kind: &EventKind) -> bool {
    match kind {
        EventKind::Hello { .. }
        | EventKind::Planned { .. }
        | EventKind::StepFinished { .. }
        | EventKind::Finished { .. } => true,
        EventKind::StepStarted { .. }
        | EventKind::Progress { .. }
        | EventKind::Log { .. }
        | EventKind::Warned { .. }
        | EventKind::StepRetried { .. }
        | EventKind::Asked { .. }
        | EventKind::Answered { .. }
        | EventKind::SessionWatched { .. }
        | EventKind::SessionChanged { .. }
        | EventKind::Metrics { .. }
        | EventKind::Unknown => false,
    }
}

/// All events of a journal. A torn last line is dropped, as is a line that is no event: a
/// journal is read in bad times.
///
/// # Errors
///
/// When the file cannot be read.
pub fn read(path: &Path) -> Result<Vec<Event>, Failure> {
    let failed = |error| Failure::io(format!("read {}", path.display()), error);
    let mut from = BufReader::new(File::open(path).map_err(failed)?);
    let mut events = Vec::new();
    let mut text = Vec::new();
    while from.read_until(b'\n', &mut text).map_err(failed)? > 0 {
        events.extend(parse(&text));
        text.clear();
    }
    Ok(events)
}

/// The first event, which says which build it is.
pub(crate) fn first(path: &Path) -> Option<Event> {
    let mut text = Vec::new();
    let mut from = BufReader::new(File::open(path).ok()?.take(line::MAX_LINE));
    from.read_until(b'\n', &mut text).ok()?;
    parse(&text)
}

/// The last whole event, found without reading all before it.
pub(crate) fn last(path: &Path) -> Option<Event> {
    let mut file = File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    let start = length.saturating_sub(line::MAX_LINE);
    file.seek(SeekFrom::Start(start)).ok()?;
    let mut text = Vec::new();
    file.take(line::MAX_LINE).read_to_end(&mut text).ok()?;
    text.split_inclusive(|&byte| byte == b'\n')
        .rev()
        .find_map(parse)
}

/// How the build of a journal ended, if it did.
pub(crate) fn ending(path: &Path) -> Option<BuildResult> {
    match last(path)?.kind {
        EventKind::Finished { result } => Some(result),
        EventKind::Hello { .. }
        | EventKind::Planned { .. }
        | EventKind::StepStarted { .. }
        | EventKind::Progress { .. }
        | EventKind::Log { .. }
        | EventKind::Warned { .. }
        | EventKind::StepRetried { .. }
        | EventKind::StepFinished { .. }
        | EventKind::Asked { .. }
        | EventKind::Answered { .. }
        | EventKind::SessionWatched { .. }
        | EventKind::SessionChanged { .. }
        | EventKind::Metrics { .. }
        | EventKind::Unknown => None,
    }
}

/// A whole line that is an event.
fn parse(text: &[u8]) -> Option<Event> {
    let whole = text.ends_with(b"\n") && text.len() as u64 <= line::MAX_LINE;
    whole.then(|| serde_json::from_slice(text).ok()).flatten()
}

impl Journal {
    /// Writes the ending that a killed build could not write: if the journal in the folder
    /// `build` has none and nobody holds the build's lock, appends
    /// [`BuildResult::Interrupted`]. Returns whether it did.
    ///
    /// # Errors
    ///
    /// When the journal cannot be written, or is not a file of ours: whoever ends it may be
    /// root, and the dead build somebody else.
    pub fn interrupted(build: &Path) -> Result<bool, Failure> {
        let path = journal_of(build);
        refuse_traps(build).map_err(|error| Failure::io_at("end", &path, error))?;
        if !path.exists() || ending(&path).is_some() {
            return Ok(false);
        }
        let Some(_lock) = isosmith_host::fs::lock_exclusive(&lock_of(build))? else {
            return Ok(false);
        };
        // It may have ended between the two questions.
        if ending(&path).is_some() {
            return Ok(false);
        }
        end(&path).map_err(|error| Failure::io_at("end", &path, error))?;
        Ok(true)
    }
}

/// Refuses a link that somebody else has put on the way to a build's journal or lock, and
/// anything but a file in their place. The build must be dead, or it could put one there after
/// the look.
fn refuse_traps(build: &Path) -> io::Result<()> {
    let me = nix::unistd::Uid::effective().as_raw();
    let (journal, lock) = (journal_of(build), lock_of(build));
    let folders = build.parent().into_iter().chain([build]);
    let files = [journal.as_path(), lock.as_path()];
    for (path, is_folder) in folders
        .map(|path| (path, true))
        .chain(files.map(|path| (path, false)))
    {
        let meta = match path.symlink_metadata() {
            Ok(meta) => meta,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        let right = match (meta.is_symlink(), is_folder) {
            (true, _) => [0, me].contains(&meta.uid()),
            (false, true) => meta.is_dir(),
            (false, false) => meta.is_file(),
        };
        if !right {
            return Err(io::Error::other(format!("{} is a trap", path.display())));
        }
    }
    Ok(())
}

fn end(path: &Path) -> io::Result<()> {
    let (seq, at_ms) = last(path).map_or((0, 0), |event| (event.seq + 1, event.at_ms));
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let whole = whole_lines(&mut file)?;
    file.set_len(whole)?;
    file.seek(SeekFrom::Start(whole))?;
    let kind = EventKind::Finished {
        result: BuildResult::Interrupted,
    };
    line::write(&mut file, &Event { seq, at_ms, kind })?;
    file.flush()?;
    file.sync_data()
}

/// The length of a file without a torn last line.
fn whole_lines(file: &mut File) -> io::Result<u64> {
    const PIECE: u64 = 64 * 1024;
    let mut end = file.metadata()?.len();
    while end > 0 {
        let start = end.saturating_sub(PIECE);
        let mut piece = vec![0; usize::try_from(end - start).map_err(io::Error::other)?];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut piece)?;
        if let Some(at) = piece.iter().rposition(|&byte| byte == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// Follows a journal from event `from_seq` on, while it is being written, until its ending
/// or until `stop`. A build that dies on the way gets its ending from here.
pub fn follow(path: &Path, from_seq: u64, stop: &Cancel) -> Follow {
    Follow {
        path: path.to_owned(),
        from_seq,
        stop: stop.clone(),
        file: None,
        text: Vec::new(),
        over: false,
        idle: 0,
    }
}

/// See [`follow`].
#[derive(Debug)]
pub struct Follow {
    path: PathBuf,
    from_seq: u64,
    stop: Cancel,
    file: Option<BufReader<File>>,
    text: Vec<u8>,
    over: bool,
    idle: u32,
}

impl Follow {
    const POLL: Duration = Duration::from_millis(100);
    /// After so many empty polls it is time to ask whether the build still lives.
    const PATIENCE: u32 = 20;

    /// The next whole line; `None` when there is none yet.
    fn whole_line(&mut self) -> Option<Vec<u8>> {
        if self.file.is_none() {
            self.file = File::open(&self.path).ok().map(BufReader::new);
        }
        let read = self.file.as_mut()?.read_until(b'\n', &mut self.text);
        let whole = read.is_ok() && self.text.ends_with(b"\n");
        whole.then(|| std::mem::take(&mut self.text))
    }

    fn wait(&mut self) {
        self.idle += 1;
        if self.idle.is_multiple_of(Self::PATIENCE)
            && let Some(build) = self.path.parent()
            && let Err(failure) = Journal::interrupted(build)
        {
            tracing::debug!(%failure, "a dead build's journal could not be ended");
        }
        thread::sleep(Self::POLL);
    }
}

impl Iterator for Follow {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        while !self.over && !self.stop.is_cancelled() {
            let Some(text) = self.whole_line() else {
                self.wait();
                continue;
            };
            self.idle = 0;
            let Some(event) = parse(&text) else { continue };
            self.over = matches!(event.kind, EventKind::Finished { .. });
            if event.seq >= self.from_seq {
                return Some(event);
            }
        }
        None
    }
}
