//! Gets finished entries onto the disk, behind the build's back.

use std::{
    fs::File,
    path::PathBuf,
    sync::mpsc::{self, Sender},
    thread,
};

use crate::cache::Entry;

/// Where to send finished entries. Nobody waits for them: an entry that did not get there
/// before the program ends is merely not marked, see [`crate::cache`].
#[derive(Debug)]
pub(crate) struct Syncer(Option<Sender<Entry>>);

impl Syncer {
    /// Starts a thread that ends when this is dropped and its work is done.
    pub(crate) fn start(cache: PathBuf) -> Self {
        let (sender, receiver) = mpsc::channel::<Entry>();
        let work = move || {
            while let Ok(first) = receiver.recv() {
                // One sync serves all that have come in the meantime.
                let entries: Vec<_> = std::iter::once(first).chain(receiver.try_iter()).collect();
                sync(&cache, &entries);
            }
        };
        let started = thread::Builder::new().name("syncfs".to_owned()).spawn(work);
        Self(started.ok().map(|_| sender))
    }

    /// Has `entry` synced at some time.
    pub(crate) fn sync_later(&self, entry: Entry) {
        if let Some(sender) = &self.0 {
            let _ = sender.send(entry);
        }
    }
}

/// Flushes the filesystem and notes it in the entries. Failures only leave them unmarked.
pub(crate) fn sync(cache: &std::path::Path, entries: &[Entry]) {
    let flushed = File::open(cache)
        .and_then(|folder| nix::unistd::syncfs(&folder).map_err(std::io::Error::from));
    if let Err(error) = flushed {
        tracing::debug!(%error, "the cache could not be synced");
        return;
    }
    for entry in entries {
        if let Err(failure) = entry.mark_synced() {
            tracing::debug!(%failure, "an entry could not be marked as synced");
        }
    }
}
