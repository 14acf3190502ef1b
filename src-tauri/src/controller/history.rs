//! Builds that were, and that are.

use std::{path::Path, sync::Arc, sync::mpsc, thread, time::Duration};

use isosmith_protocol::BuildId;
use isosmith_studio::model::{BuildDetail, BuildRow, Comparison, Firmware};

use super::{Controller, locked, no_such_build};
use crate::fault::Answer;

/// The list does not wait any longer for what the service knows; it may have to be started.
const PATIENCE: Duration = Duration::from_millis(500);

impl Controller {
    /// All builds, newest first; also those that ran while no window was open.
    ///
    /// # Errors
    ///
    /// When the history cannot be read.
    pub fn builds(self: &Arc<Self>) -> Answer<Vec<BuildRow>> {
        let (over, heard) = mpsc::channel();
        let controller = Arc::clone(self);
        thread::spawn(move || {
            controller.reconcile();
            over.send(())
        });
        let _ = heard.recv_timeout(PATIENCE);
        locked(&self.history).rows()
    }

    /// Takes over what the service knows of builds that nobody follows.
    fn reconcile(&self) {
        let known = self.builder.list().and_then(|listed| {
            let unclear = locked(&self.history).reconcile(&listed)?;
            for id in unclear {
                let described = self.builder.describe(&id)?;
                locked(&self.history).describe(&described)?;
            }
            Ok(())
        });
        if let Err(fault) = known {
            tracing::info!(error = ?fault, "the service's list is not taken over");
        }
    }

    /// All about one.
    ///
    /// # Errors
    ///
    /// When there is no such build, as in every other call.
    pub fn build(&self, id: &str) -> Answer<BuildDetail> {
        locked(&self.history).detail(&parsed(id)?)
    }

    /// Forgets one and removes its files.
    ///
    /// # Errors
    ///
    /// When a file cannot be removed.
    pub fn delete_build(&self, id: &str) -> Answer<()> {
        let kept = locked(&self.history).delete(&parsed(id)?, true)?;
        if !kept.is_empty() {
            tracing::info!(?kept, "files that are not as they were delivered stay");
        }
        Ok(())
    }

    /// In what two differ.
    ///
    /// # Errors
    ///
    /// When one is not there.
    pub fn compare(&self, a: &str, b: &str) -> Answer<Comparison> {
        locked(&self.history).compare(&parsed(a)?, &parsed(b)?)
    }

    /// Whether a file has a checksum.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or that is no checksum.
    pub fn check_download(&self, path: &Path, algorithm: &str, sum: &str) -> Answer<bool> {
        isosmith_studio::check_download(path, algorithm, sum)
    }

    /// Starts an ISO in a virtual machine.
    ///
    /// # Errors
    ///
    /// When it does not start.
    pub fn try_iso(&self, iso: &Path, firmware: Firmware) -> Answer<()> {
        self.desktop.try_iso(iso, firmware)
    }

    /// Shows a file in its folder, or a folder.
    ///
    /// # Errors
    ///
    /// When it is not there, or the desktop cannot.
    pub fn show(&self, path: &Path) -> Answer<()> {
        self.desktop.show(path)
    }
}

fn parsed(id: &str) -> Answer<BuildId> {
    BuildId::parse(id).ok_or_else(|| no_such_build(id))
}
