//! The system service: builds for people who are not root, once polkit has said yes.
//!
//! ```text
//! bus ─ desk ─ gate ─ request ─ builds ─ floor ─ supervise … worker
//!        │      │        │         │        └─ output ─ deliver (as the user)
//!        │    polkit   places    live ─ viewer ─ pipe
//! ```
//!
//! A call comes to the [`desk`], which knows the methods of its [`method`] table and nothing
//! else. The [`gate`] decides, and hands out values that prove its decision. A [`request`] is
//! copied and hashed before a person is asked about it. [`builds`] keeps the queue, and the
//! [`floor`] runs one build after the other. Everything here is threads; only the bus's own
//! library has an executor, and nothing of ours runs in it.
//!
//! **Invariants**
//!
//! - Nothing is opened by a path that a caller or a build controls.
//! - What a caller may do is proven by values that only [`gate`] makes.
//! - No build can reach what the service knows of it ([`places`]).

mod builds;
mod bus;
mod callers;
mod deliver;
mod desk;
mod floor;
mod gate;
mod inhibit;
mod live;
mod method;
mod output;
mod places;
mod polkit;
mod record;
mod refusal;
mod request;
mod stage;
mod viewer;

use std::{io, path::PathBuf, process::ExitCode, sync::Arc, thread, time::Duration};

use clap::Parser;
use isosmith_engine::Failure;
use isosmith_host::{
    fs::lock_exclusive,
    worker::{Channels, Ids},
};
use isosmith_protocol::Code;
use nix::{
    sys::{
        resource::{Resource, getrlimit, setrlimit},
        stat::{Mode, umask},
    },
    unistd::Uid,
};

use crate::{
    builds::Builds,
    bus::Bus,
    callers::Callers,
    desk::{Desk, News, OnTheBus},
    floor::Floor,
    gate::Gate,
    places::Places,
    polkit::Polkit,
};

/// The system service of Isosmith. Started by the message bus when somebody needs it.
#[derive(Debug, Parser)]
#[command(name = "isosmith-helper", version)]
struct Args {
    /// Folder of what must not be lost.
    #[arg(long, value_name = "DIR", default_value = "/var/lib/isosmith")]
    state_dir: PathBuf,
    /// Folder of what can be made again.
    #[arg(long, value_name = "DIR", default_value = "/var/cache/isosmith")]
    cache_dir: PathBuf,
    /// Leaves after so many seconds in which nothing was wanted.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    idle: u64,
    /// Bus to serve on; the system bus otherwise.
    #[arg(long, value_name = "ADDRESS")]
    address: Option<String>,
}

fn main() -> ExitCode {
    isosmith_host::worker::entry(inside);
    isosmith_host::user::entry(deliver::as_user);
    umask(Mode::from_bits_truncate(0o077));
    start_logging();
    let args = Args::parse();
    match serve(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tracing::error!(causes = ?failure.causes, "{failure}");
            ExitCode::FAILURE
        }
    }
}

/// The build itself, inside its namespaces; see [`isosmith_host::worker::entry`].
fn inside(job: String, channels: Channels) -> i32 {
    start_logging();
    isosmith_supervise::inside(job, channels)
}

fn start_logging() {
    use tracing_subscriber::{EnvFilter, fmt};

    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("warn,isosmith_helper=info"));
    // A second call finds a logger in place, which is as good.
    let _ = fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .without_time()
        .with_ansi(false)
        .try_init();
}

/// Viewers take descriptors, and the usual limit is low.
fn let_many_be_open() -> Result<(), Failure> {
    const ENOUGH: u64 = 8192;
    let failed = |error: nix::Error| Failure::io("look at the limits", error.into());
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).map_err(failed)?;
    let wanted = soft.max(ENOUGH.min(hard));
    setrlimit(Resource::RLIMIT_NOFILE, wanted, hard).map_err(failed)
}

fn serve(args: &Args) -> Result<(), Failure> {
    if !Uid::effective().is_root() {
        return Err(Failure::new(
            Code::NotAllowed,
            "the service must be started by root",
            "The message bus starts it when it is needed.",
        ));
    }
    let_many_be_open()?;
    std::env::set_current_dir("/").map_err(|error| Failure::io("go to /", error))?;
    let places = Places::open(&args.state_dir, &args.cache_dir)?;
    let _alone = lock_exclusive(&places.state().join("service.lock"))?.ok_or_else(|| {
        Failure::plain(
            Code::Locked,
            "the service is already running in this folder",
        )
    })?;
    let ids = Ids::of_this_user()?;
    let isolation = ids.isolation();
    let bus = Bus::connect(args.address.as_deref()).map_err(|error| {
        Failure::plain(Code::ServiceUnavailable, "there is no message bus").because(error)
    })?;
    let bus = Arc::new(bus);
    let callers = Arc::new(Callers::default());
    let news = News::on(bus.clone(), callers.clone());
    let builds = Builds::recover(places, Box::new(news))?;
    let gate = Gate::new(
        callers.clone(),
        Box::new(OnTheBus(bus.clone())),
        Box::new(Polkit::on(bus.clone())),
    );
    let floor = Floor {
        builds: builds.clone(),
        bus: bus.clone(),
        ids,
    };
    thread::Builder::new()
        .name("floor".to_owned())
        .spawn(move || floor.run())
        .map_err(|error| Failure::io("start a thread", error))?;
    let desk = Arc::new(Desk::new(bus, callers, gate, builds, isolation));
    let gone = desk.open(Duration::from_secs(args.idle));
    // What was allowed is finished without the bus, too.
    while desk.is_busy() {
        thread::sleep(Duration::from_secs(1));
    }
    gone
}
