//! The first page, and whether builds can be started.

use std::{
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
    time::Duration,
};

use isosmith_studio::model::{ServiceState, ServiceWord, StartPage};

use super::{Controller, locked};
use crate::{builder::Builder, fault::Answer};

/// The first page does not wait any longer for the service, which may have to be started.
const PATIENCE: Duration = Duration::from_millis(300);

/// Whether the service can be asked to build; found out in the background.
#[derive(Debug, Clone)]
pub(super) struct Reachable(Arc<(Mutex<Option<ServiceState>>, Condvar)>);

impl Reachable {
    /// Begins to find out.
    pub(super) fn ask(builder: &Arc<dyn Builder>) -> Self {
        let found = Self(Arc::default());
        let (tell, builder) = (found.clone(), Arc::clone(builder));
        thread::spawn(move || {
            let state = builder.state();
            *locked(&tell.0.0) = Some(state);
            tell.0.1.notify_all();
        });
        found
    }

    /// What is known. Until it is, nothing speaks against the service; starting a build says
    /// what does.
    fn state(&self) -> ServiceState {
        let (known, found) = &*self.0;
        let (state, _) = found
            .wait_timeout_while(locked(known), PATIENCE, |state| state.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        state.clone().unwrap_or(ServiceState {
            state: ServiceWord::Ready,
            version: None,
        })
    }
}

impl Controller {
    /// What the first page shows.
    ///
    /// # Errors
    ///
    /// Never so far: what cannot be read is not shown.
    pub fn start_page(&self) -> Answer<StartPage> {
        let (profiles, unsaved) = {
            let mut drafts = locked(&self.drafts);
            (drafts.cards(), drafts.unsaved())
        };
        Ok(StartPage {
            profiles,
            recent: self.recent.list(),
            unsaved,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            service: self.service.state(),
        })
    }

    /// A picture by its id: a PNG.
    ///
    /// # Errors
    ///
    /// When there is no such picture, or it cannot be drawn.
    pub fn picture(&self, id: &str) -> Answer<Vec<u8>> {
        let scene = isosmith_studio::scene(id, &locked(&self.drafts), &locked(&self.history))?;
        self.pictures.draw(&scene, &mut locked(&self.renderer))
    }
}
