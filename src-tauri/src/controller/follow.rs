//! Builds on their way into the history, whether or not the page looks at them.

use std::{collections::BTreeMap, sync::Arc, sync::atomic::Ordering, thread, time::Duration};

use isosmith_protocol::{BuildId, BuildResult, BuildView, Code, EventKind};

use super::{Controller, locked};
use crate::{
    fault::Answer,
    words::{self, Speech},
};

/// Until a service that is gone is looked for again. It is started anew by whoever asks for it.
const BETWEEN: Duration = Duration::from_secs(5);

impl Controller {
    /// Follows every build that runs; those of an earlier window, too.
    pub(super) fn follow_running(self: &Arc<Self>) {
        let listed = match self.builder.list() {
            Ok(listed) => listed,
            Err(fault) => {
                tracing::info!(error = ?fault, "nothing is known of running builds");
                return;
            }
        };
        for build in listed.into_iter().filter(|build| build.state.is_open()) {
            self.follow(build.id);
        }
    }

    /// Follows a build to its end, unless that is being done.
    pub(super) fn follow(self: &Arc<Self>, build: BuildId) {
        if !locked(&self.followed).insert(build.clone()) {
            return;
        }
        let controller = Arc::clone(self);
        thread::spawn(move || {
            let result = controller.follow_to_the_end(&build);
            controller.reached(&build, None);
            locked(&controller.followed).remove(&build);
            controller.unfollowed.notify_all();
            // A question about closing was about a build that is over.
            controller.asked.store(false, Ordering::Relaxed);
            if let Some(result) = result {
                controller.tell(&build, &result);
            }
        });
    }

    /// The ending; [`None`] when there is no such build any more.
    fn follow_to_the_end(&self, build: &BuildId) -> Option<BuildResult> {
        let mut next = 0;
        let mut view = BuildView::default();
        loop {
            match self.follow_some(build, &mut next, &mut view) {
                Ok(Some(result)) => return Some(result),
                Ok(None) => {}
                Err(fault) if fault.code() == Code::NoSuchBuild => return None,
                Err(fault) => tracing::warn!(error = ?fault, "the events of a build broke off"),
            }
            thread::sleep(BETWEEN);
        }
    }

    fn follow_some(
        &self,
        build: &BuildId,
        next: &mut u64,
        view: &mut BuildView,
    ) -> Answer<Option<BuildResult>> {
        let output = self.output_of(build);
        for event in self.builder.events(build, *next, output.as_deref())? {
            let event = event?;
            *next = event.seq + 1;
            view.apply(&event);
            self.reached(build, Some(hundredths(view)));
            if let Err(fault) = locked(&self.history).record(build, std::slice::from_ref(&event)) {
                tracing::warn!(error = ?fault, "an event is not in the history");
            }
            if let EventKind::Finished { result } = event.kind {
                return Ok(Some(result));
            }
        }
        Ok(None)
    }

    /// Tells docks how far a build is, when that is news; [`None`]: it is over. Of several builds
    /// the one that is furthest counts: the others wait for it.
    fn reached(&self, build: &BuildId, percent: Option<u8>) {
        let mut all = locked(&self.progress);
        let furthest = |all: &BTreeMap<BuildId, u8>| all.values().max().copied();
        let before = furthest(&all);
        match percent {
            Some(percent) => drop(all.insert(build.clone(), percent)),
            None => drop(all.remove(build)),
        }
        let now = furthest(&all);
        // Told under the lock, or an older number could come last.
        if now != before {
            self.desktop.progress(now);
        }
    }

    /// Tells the person how a build ended, where they would not see it.
    fn tell(&self, build: &BuildId, result: &BuildResult) {
        let settings = self.settings();
        if !settings.notifications || self.focused.load(Ordering::Relaxed) {
            return;
        }
        let known = locked(&self.history).detail(build);
        let title = known.map_or_else(|_| build.to_string(), |detail| detail.row.title);
        let speech = Speech::of(settings.language);
        if let Some(notice) = words::notice(speech, &title, result) {
            self.desktop.notify(notice);
        }
    }
}

/// Whole hundredths, as the page shows them.
fn hundredths(view: &BuildView) -> u8 {
    // From 0 to 1, so it fits.
    (view.fraction() * 100.0) as u8
}
