//! The build itself, inside its namespaces.

use isosmith_engine::Options;
use isosmith_host::{Cancel, LinuxHost, worker::Channels};
use isosmith_protocol::{BuildResult, CacheLimit, Event, EventKind, Pace, line};
use isosmith_recipe::Debian;

use crate::{Entry, Job};

/// Runs a [`Job`]; what a program that starts builds gives to
/// [`isosmith_host::worker::entry`]. Returns the exit status.
pub fn inside(job: String, channels: Channels) -> i32 {
    let Entry { job, isolation } = match serde_json::from_str::<Entry<Job>>(&job) {
        Ok(entry) => entry,
        Err(error) => {
            tracing::error!(%error, "the job cannot be read");
            return 1;
        }
    };
    let work = job.work();
    let mut options = Options::new(
        job.id.clone(),
        job.profile.clone(),
        env!("CARGO_PKG_VERSION"),
    );
    options.explain_cache = job.explain_cache;
    options.isolation = isolation;
    options.error_mode = job.order.manner.errors;
    options.cache_limit = job.order.manner.cache_limit.map(CacheLimit::bytes);
    match job.order.manner.pace {
        Pace::Conservative => isosmith_host::worker::step_far_back(),
        Pace::Auto | Pace::Aggressive => {}
    }
    let Channels {
        control,
        mut events,
    } = channels;
    let control = job.attended.then(|| Box::new(control) as Box<_>);
    // Nobody may read any more; the build goes on and the journal has it all.
    let mut sink = |event: &Event| drop(line::write(&mut events, event));
    let host = LinuxHost::new(Cancel::new()).in_isolation(isolation);
    let result = match Debian::new(job.order) {
        Ok(mut state) => {
            let recipe = isosmith_recipe::recipe(&state.spec);
            isosmith_engine::run(
                &recipe, &mut state, &host, &work, &options, control, &mut sink,
            )
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
