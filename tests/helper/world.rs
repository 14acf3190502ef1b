//! One test's world: a bus, polkit or what stands in for it, the real service with folders of
//! its own, people with homes.

use std::{
    collections::BTreeSet,
    env, fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use isosmith_protocol::{BuildResult, Event, EventKind};
use isosmith_tests::{
    Kit, Small, Witness,
    bus::{Bus, Daemon, Person, folder_of},
    kit::{set_mode, workspace},
    made::Made,
    witness::Traces,
};
use nix::{fcntl::OFlag, sys::signal::Signal};
use tempfile::TempDir;

use crate::{
    asks::{Arg, Source},
    caller::Caller,
    client::HELPER,
    mock::{Mock, Verdict},
    people,
};

/// How long after its end something of a build may still be there.
const GONE: Duration = Duration::from_secs(5);
/// How long the service may take to leave when it is told to.
const LEAVES: Duration = Duration::from_secs(30);

/// Who decides.
pub enum Polkit {
    Real(#[allow(dead_code, reason = "it ends when the world does")] Daemon),
    Mock(Mock),
    Nobody,
}

/// Everything of one test; nothing of it is left when it goes. Fields go in this order.
pub struct World {
    service: Option<Daemon>,
    pub polkit: Polkit,
    pub bus: Bus,
    /// The service's program: a copy, so that its processes can be told from all others.
    pub program: PathBuf,
    pub state: PathBuf,
    pub cache: PathBuf,
    log: PathBuf,
    before: Witness,
    machine: String,
    scratch: TempDir,
}

impl World {
    /// With the real polkitd, and the service running.
    pub fn real(kit: &Kit, name: &str) -> Result<Self> {
        let mut world = Self::empty(kit, name)?;
        world.polkit = Polkit::Real(world.bus.polkitd()?);
        world.start(&[])?;
        Ok(world)
    }

    /// With something that stands in for polkit, and the service running.
    pub fn mock(kit: &Kit, name: &str, verdict: Verdict) -> Result<Self> {
        let mut world = Self::empty(kit, name)?;
        world.polkit = Polkit::Mock(Mock::start(&world.bus, verdict)?);
        world.start(&[])?;
        Ok(world)
    }

    /// With nothing but a bus, and a cache that has the tools and Debian's base system.
    pub fn empty(kit: &Kit, name: &str) -> Result<Self> {
        let before = Witness::now();
        let machine = machine_mounts();
        let scratch = kit.scratch(name)?;
        let folder = scratch.path();
        let program = folder.join("isosmith-helper");
        fs::copy(built(kit)?, &program)?;
        set_mode(&program, 0o755)?;
        let services = folder.join("services");
        fs::create_dir(&services)?;
        let bus = Bus::start(folder, &[people::bus_policy(folder)?], &services)?;
        let world = Self {
            service: None,
            polkit: Polkit::Nobody,
            bus,
            program,
            state: folder.join("state"),
            cache: folder.join("cache"),
            log: folder.join("service.log"),
            before,
            machine,
            scratch,
        };
        world.fresh_cache(kit)?;
        Ok(world)
    }

    /// A cache with the tools and the base system and nothing else; for a stopped service.
    pub fn fresh_cache(&self, kit: &Kit) -> Result<()> {
        if self.cache.exists() {
            fs::remove_dir_all(&self.cache)?;
        }
        fs::create_dir(&self.cache)?;
        set_mode(&self.cache, 0o700)?;
        // What is below belongs to the builds.
        let theirs = self.cache.join("work");
        fs::create_dir(&theirs)?;
        kit.link_cache(&theirs, &["base-"])
    }

    /// Where everything of the test lies.
    pub fn folder(&self) -> &Path {
        self.scratch.path()
    }

    /// Starts the service; `more` goes after its usual arguments.
    pub fn start(&mut self, more: &[&str]) -> Result<()> {
        self.service = Some(self.spawn(&self.state, more)?);
        let begun = Instant::now();
        let connection = self.bus.connect()?;
        let names = zbus::blocking::fdo::DBusProxy::new(&connection)?;
        while !names.name_has_owner(HELPER.try_into()?)? {
            if let Some(status) = self.service()?.ended()? {
                bail!("the service ended with {status}:\n{}", self.log());
            }
            ensure!(
                begun.elapsed() < LEAVES,
                "the service does not take its name:\n{}",
                self.log()
            );
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Starts the service with another folder for its state, and waits for nothing.
    pub fn spawn(&self, state: &Path, more: &[&str]) -> Result<Daemon> {
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.log)?;
        Daemon::start(
            self.command(state)
                .args(more)
                .env_clear()
                .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
                .env("RUST_LOG", "info")
                .stdin(Stdio::null())
                .stdout(log.try_clone()?)
                .stderr(log),
        )
    }

    /// The service's command line.
    pub fn command(&self, state: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command
            .arg("--address")
            .arg(self.bus.address())
            .arg("--state-dir")
            .arg(state)
            .arg("--cache-dir")
            .arg(&self.cache);
        command
    }

    /// The running service.
    pub fn service(&mut self) -> Result<&mut Daemon> {
        self.service.as_mut().context("the service is not running")
    }

    /// Kills the service as a crash or the kernel would, and waits until the bus knows.
    pub fn kill(&mut self) -> Result<()> {
        let service = self.service()?;
        service.signal(Signal::SIGKILL)?;
        service.end_within(LEAVES)?;
        self.service = None;
        self.bus.await_name(HELPER, false)
    }

    /// Asks the service to leave, as a service manager would.
    pub fn stop(&mut self) -> Result<()> {
        let Some(mut service) = self.service.take() else {
            return Ok(());
        };
        ensure!(
            service.ended()?.is_none(),
            "the service ended by itself:\n{}",
            self.log()
        );
        service.signal(Signal::SIGTERM)?;
        service
            .end_within(LEAVES)
            .with_context(|| format!("SIGTERM:\n{}", self.log()))?;
        Ok(())
    }

    /// The end of what the service has logged.
    pub fn log(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    /// What stands in for polkit.
    pub fn polkit(&self) -> Result<&Mock> {
        match &self.polkit {
            Polkit::Mock(mock) => Ok(mock),
            Polkit::Real(_) | Polkit::Nobody => bail!("there is no stand-in for polkit"),
        }
    }

    /// Somebody's program at this world's bus.
    pub fn caller(&self, person: Person) -> Result<Caller> {
        Caller::start(person, self.bus.address())
    }

    /// A folder of somebody's own that nobody else may look into.
    pub fn home(&self, person: Person) -> Result<PathBuf> {
        let homes = self.folder().join("home");
        fs::create_dir_all(&homes)?;
        set_mode(&homes, 0o755)?;
        folder_of(person, &homes.join(person.name))
    }

    /// A folder in somebody's home.
    pub fn folder_in_home(&self, person: Person, name: &str) -> Result<PathBuf> {
        folder_of(person, &self.home(person)?.join(name))
    }

    /// The small system and `more` packages, served.
    pub fn small(&self, kit: &Kit, more: &[Made]) -> Result<Small> {
        let folder = self.folder().join("small");
        fs::create_dir(&folder)?;
        Small::serve(kit, &folder, more)
    }

    /// What the builds of this world have left running, mounted or locked.
    pub fn traces(&self) -> Result<Traces> {
        Traces::of(&self.program, &[&self.state, &self.cache])
    }

    /// Every process that runs the service's program.
    pub fn processes(&self) -> Result<BTreeSet<u32>> {
        let ours = fs::metadata(&self.program)?;
        let mut found = BTreeSet::new();
        for entry in fs::read_dir("/proc")?.filter_map(Result::ok) {
            let Ok(pid) = entry.file_name().to_string_lossy().parse() else {
                continue;
            };
            let runs = fs::metadata(entry.path().join("exe"))
                .is_ok_and(|meta| (meta.dev(), meta.ino()) == (ours.dev(), ours.ino()));
            if runs {
                found.insert(pid);
            }
        }
        Ok(found)
    }

    /// Nothing of any build is left, and the machine is as it was; for a stopped service.
    pub fn nothing_left(&self) -> Result<()> {
        self.traces()?
            .gone_within(GONE)
            .with_context(|| self.log())?;
        let begun = Instant::now();
        loop {
            let left = self.processes()?;
            if left.is_empty() {
                break;
            }
            ensure!(begun.elapsed() < GONE, "processes are left: {left:?}");
            thread::sleep(Duration::from_millis(30));
        }
        ensure!(
            machine_mounts() == self.machine,
            "the mounts of the machine's first process changed"
        );
        self.before.unchanged()
    }

    /// Stops the service and looks at what is left.
    pub fn end(mut self) -> Result<()> {
        self.stop()?;
        self.nothing_left()
    }
}

/// The mounts that everybody sees; this suite has a namespace of its own.
fn machine_mounts() -> String {
    fs::read_to_string("/proc/1/mountinfo").unwrap_or_default()
}

/// The service under test: `ISOSMITH_HELPER_BIN`, else what the workspace has built last.
fn built(_: &Kit) -> Result<PathBuf> {
    if let Some(path) = env::var_os("ISOSMITH_HELPER_BIN") {
        return Ok(PathBuf::from(path));
    }
    ["release", "debug"]
        .into_iter()
        .map(|profile| {
            workspace()
                .join("target")
                .join(profile)
                .join("isosmith-helper")
        })
        .find(|path| path.is_file())
        .context("there is no isosmith-helper to test; run `cargo build -p isosmith-helper`")
}

/// What somebody asks to be built.
#[derive(Debug, Clone)]
pub struct Request {
    pub spec: String,
    pub files: Vec<(String, Source)>,
    pub options: Vec<(String, Arg)>,
}

impl Request {
    /// A profile of the small system, with the key of its archive.
    pub fn of(small: &Small, profile: &Path) -> Result<Self> {
        let key = fs::read_to_string(small.archive.key())?;
        Ok(Self {
            spec: fs::read_to_string(profile)?,
            files: vec![("archive.asc".to_owned(), Source::Text(key))],
            options: Vec::new(),
        })
    }

    /// With another file.
    pub fn file(mut self, name: &str, source: Source) -> Self {
        self.files.push((name.to_owned(), source));
        self
    }

    /// The arguments of `Start`.
    pub fn args(&self, output: Source) -> Vec<Arg> {
        vec![
            Arg::Text(self.spec.clone()),
            Arg::Files(self.files.clone()),
            Arg::Descriptor(output),
            Arg::Options(self.options.clone()),
        ]
    }

    /// Starts it into a folder; the build's id.
    pub fn start(&self, caller: &Caller, output: &Path) -> Result<String> {
        let id = caller.done("Start", self.args(folder(output)))?;
        Ok(id.as_str().context("no id")?.to_owned())
    }

    /// Builds it to its end, which must be a good one.
    pub fn build(&self, caller: &Caller, output: &Path) -> Result<(String, Vec<Event>)> {
        let id = self.start(caller, output)?;
        let events = caller.events(&id, 0)?;
        succeeded(&events)?;
        Ok((id, events))
    }
}

/// A folder as it is handed over.
pub fn folder(path: &Path) -> Source {
    Source::Path(path.to_owned(), OFlag::O_DIRECTORY.bits())
}

/// How a build ended; it must have ended once, at last.
pub fn ending(events: &[Event]) -> Result<&BuildResult> {
    let ends = events.iter().filter_map(|event| {
        if let EventKind::Finished { result } = &event.kind {
            Some(result)
        } else {
            None
        }
    });
    let ends: Vec<_> = ends.collect();
    ensure!(ends.len() == 1, "{} endings", ends.len());
    let last = events.last().map(|event| &event.kind);
    ensure!(
        matches!(last, Some(EventKind::Finished { .. })),
        "the ending is not the last: {last:?}"
    );
    Ok(ends[0])
}

/// Fails unless a build ended well; the ISO's file name and SHA-256.
pub fn succeeded(events: &[Event]) -> Result<(String, String)> {
    match ending(events)? {
        BuildResult::Succeeded { iso, .. } => {
            let name = Path::new(&iso.path).file_name().context("no file name")?;
            let sum = iso.checksums.get("sha256").context("no SHA-256")?;
            Ok((name.to_string_lossy().into_owned(), sum.clone()))
        }
        BuildResult::Failed { error } => {
            bail!("the build failed: {}", isosmith_tests::run::describe(error))
        }
        other @ (BuildResult::Cancelled | BuildResult::Interrupted | BuildResult::Unknown) => {
            bail!("the build ended with {other:?}")
        }
    }
}
