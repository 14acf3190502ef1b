//! A desktop of the tests' own: a screen, a session bus with something that takes
//! notifications, a system bus with the real polkitd and the real service, and people.

use std::{
    env, fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use isosmith_tests::{
    Kit,
    bus::{Authority, Bus, Daemon, Person, folder_of},
    kit::{output, set_mode, workspace},
};
use nix::sys::signal::Signal;
use tempfile::TempDir;
use x11rb::protocol::xproto::{ClientMessageEvent, ConnectionExt as _, EventMask};

use crate::{
    desktop::{picture, screen, session_bus},
    driver::Driver,
    offers::Offers,
    shots,
};

/// May build.
pub const ALICE: Person = Person {
    name: "isosmith-alice",
    id: 61_001,
};

/// May not.
pub const CAROL: Person = Person {
    name: "isosmith-carol",
    id: 61_003,
};

/// Everybody.
pub const PEOPLE: &[Person] = &[ALICE, CAROL];

const HELPER: &str = "org.isosmith.Helper1";

const RULES: &str = r#"
polkit.addRule(function (action, subject) {
    if (action.id.indexOf("org.isosmith.") !== 0) return polkit.Result.NOT_HANDLED;
    return subject.user === "isosmith-alice" ? polkit.Result.YES : polkit.Result.NO;
});
"#;

/// What polkit is told: the packaged actions, and who may.
pub fn authority() -> Authority {
    Authority {
        actions: vec![workspace().join("packaging/org.isosmith.policy")],
        rules: RULES.to_owned(),
    }
}

/// What was built last of `package`'s program, unless `variable` names another.
fn built(variable: &str, name: &str) -> Result<PathBuf> {
    if let Some(path) = env::var_os(variable) {
        return Ok(PathBuf::from(path));
    }
    let newest = ["release", "debug"]
        .into_iter()
        .map(|profile| workspace().join("target").join(profile).join(name))
        .filter_map(|path| Some((fs::metadata(&path).ok()?.modified().ok()?, path)))
        .max();
    let (_, path) = newest.with_context(|| format!("there is no {name} to test; build it"))?;
    Ok(path)
}

/// Everything of one test; it ends when the value goes, in this order.
pub struct World {
    service: Option<Daemon>,
    // They end when the world does.
    _polkit: Option<Daemon>,
    /// What the desktop offers to programs.
    pub offers: Offers,
    bus: Option<Bus>,
    _session: Daemon,
    session_address: String,
    _screen: Daemon,
    display: String,
    pub person: Person,
    /// The window's program: a copy that everybody can run.
    pub program: PathBuf,
    scratch: TempDir,
}

impl World {
    /// A desktop without a service.
    pub fn bare(kit: &Kit, name: &str, person: Person) -> Result<Self> {
        let scratch = kit.scratch(name)?;
        let folder = scratch.path();
        let program = folder.join("isosmith-gui");
        fs::copy(built("ISOSMITH_GUI_BIN", "isosmith-gui")?, &program)?;
        set_mode(&program, 0o755)?;
        let (screen, display) = screen(folder)?;
        let runtime = folder_of(person, &folder.join("run"))?;
        let (session, session_address) = session_bus(person, &runtime)?;
        let offers = Offers::on(&session_address)?;
        let world = Self {
            service: None,
            _polkit: None,
            offers,
            bus: None,
            _session: session,
            session_address,
            _screen: screen,
            display,
            person,
            program,
            scratch,
        };
        world.settle()?;
        Ok(world)
    }

    /// A desktop with the real service and the real polkitd.
    pub fn whole(kit: &Kit, name: &str, person: Person) -> Result<Self> {
        let mut world = Self::bare(kit, name, person)?;
        let services = world.folder().join("services");
        fs::create_dir(&services)?;
        let policy = workspace().join("packaging/org.isosmith.Helper1.conf");
        let bus = Bus::start(world.folder(), &[policy], &services)?;
        world._polkit = Some(bus.polkitd()?);
        world.bus = Some(bus);
        let cache = world.folder().join("cache");
        let builds = cache.join("work");
        fs::create_dir_all(&builds)?;
        set_mode(&cache, 0o700)?;
        kit.link_cache(&builds, &["base-"])?;
        world.start_service()?;
        Ok(world)
    }

    /// Starts the service.
    pub fn start_service(&mut self) -> Result<()> {
        let bus = self.bus.as_ref().context("no system bus")?;
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder().join("service.log"))?;
        self.service = Some(Daemon::start(
            Command::new(built("ISOSMITH_HELPER_BIN", "isosmith-helper")?)
                .args(["--address", bus.address()])
                .arg("--state-dir")
                .arg(self.folder().join("state"))
                .arg("--cache-dir")
                .arg(self.folder().join("cache"))
                .env_clear()
                .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
                .env("RUST_LOG", "info")
                .stdin(Stdio::null())
                .stdout(log.try_clone()?)
                .stderr(log),
        )?);
        bus.await_name(HELPER, true)
    }

    /// Kills the service as a crash would.
    pub fn kill_service(&mut self) -> Result<()> {
        let mut service = self.service.take().context("no service")?;
        service.signal(Signal::SIGKILL)?;
        service.end_within(Duration::from_secs(30))?;
        self.bus
            .as_ref()
            .context("no system bus")?
            .await_name(HELPER, false)
    }

    /// Where everything of the test lies.
    pub fn folder(&self) -> &Path {
        self.scratch.path()
    }

    /// The person's home.
    pub fn home(&self) -> PathBuf {
        self.folder().join("home")
    }

    /// Where ISOs go.
    pub fn output(&self) -> PathBuf {
        self.home().join("ISOs")
    }

    /// Makes a home with settings in it, and profiles that everybody can read.
    fn settle(&self) -> Result<()> {
        let mine = |path: &Path| folder_of(self.person, path);
        mine(&self.home())?;
        mine(&self.output())?;
        mine(&self.home().join(".config"))?;
        let config = mine(&self.home().join(".config/isosmith"))?;
        let settings = format!(
            "output = {:?}\nerrorMode = \"graceful\"\nnotifications = true\nlanguage = \"en\"\ntheme = \"light\"\n",
            self.output()
        );
        let file = config.join("window.toml");
        fs::write(&file, settings)?;
        std::os::unix::fs::chown(&file, Some(self.person.id), Some(self.person.id))?;
        let profiles = workspace().join("profiles");
        let copied = Command::new("cp")
            .arg("-r")
            .arg(profiles)
            .arg(self.folder())
            .status()?;
        ensure!(copied.success(), "the profiles are not copied");
        Ok(())
    }

    /// A file of the person's own.
    pub fn file(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.home().join(name);
        fs::write(&path, text)?;
        std::os::unix::fs::chown(&path, Some(self.person.id), Some(self.person.id))?;
        Ok(path)
    }

    /// A command of the person's, on this desktop.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command
            .uid(self.person.id)
            .gid(self.person.id)
            .current_dir(self.home())
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("LANG", "C.UTF-8")
            .env("HOME", self.home())
            .env("USER", self.person.name)
            .env("XDG_RUNTIME_DIR", self.folder().join("run"))
            .env("XDG_CURRENT_DESKTOP", "test")
            .env("DISPLAY", &self.display)
            .env("DBUS_SESSION_BUS_ADDRESS", &self.session_address)
            .env("ISOSMITH_PROFILES", self.folder().join("profiles"))
            .env("GTK_A11Y", "none")
            .env("GSETTINGS_BACKEND", "memory")
            // No graphics card here.
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            .env("WEBKIT_DISABLE_COMPOSITING_MODE", "1")
            // The switches of Tauri and its web view by which the driver gets in.
            .env("TAURI_AUTOMATION", "true")
            .env("TAURI_WEBVIEW_AUTOMATION", "true");
        let bus = self
            .bus
            .as_ref()
            .map_or("unix:path=/nonexistent", Bus::address);
        command.env("DBUS_SYSTEM_BUS_ADDRESS", bus);
        command
    }

    /// Opens the window.
    pub fn window(&self, arguments: &[&str]) -> Result<Driver> {
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder().join("window.log"))?;
        let mut driver = self.command("/usr/bin/WebKitWebDriver");
        driver.stdout(log.try_clone()?).stderr(log);
        Driver::start(driver, &self.program, arguments).with_context(|| {
            fs::read_to_string(self.folder().join("window.log")).unwrap_or_default()
        })
    }

    /// What the window and its driver have said.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder().join("window.log")).unwrap_or_default()
    }

    /// The number of the window whose title has `words`.
    pub fn titled(&self, words: &str) -> Result<String> {
        let mut search = self.command("/usr/bin/xdotool");
        let found = output(search.args(["search", "--onlyvisible", "--name", words]))
            .with_context(|| format!("no window's title has {words}"))?;
        Ok(found.lines().next().unwrap_or_default().to_owned())
    }

    /// Takes a window off the screen, as whoever puts it away, or back.
    pub fn show(&self, window: &str, shown: bool) -> Result<()> {
        let verb = if shown { "windowmap" } else { "windowunmap" };
        let mut command = self.command("/usr/bin/xdotool");
        output(command.args([verb, "--sync", window]))?;
        Ok(())
    }

    /// Closes a window as its own button does: with a message (ICCCM 4.2.8.1). There is no
    /// window manager on this screen that could be asked to send it.
    pub fn quit(&self, window: &str) -> Result<()> {
        let window: u32 = window.parse().context("a window is a number")?;
        let (screen, _) = x11rb::connect(Some(&self.display))?;
        let atom = |name: &str| -> Result<u32> {
            Ok(screen.intern_atom(false, name.as_bytes())?.reply()?.atom)
        };
        let data = [atom("WM_DELETE_WINDOW")?, x11rb::CURRENT_TIME, 0, 0, 0];
        let message = ClientMessageEvent::new(32, window, atom("WM_PROTOCOLS")?, data);
        let sent = screen.send_event(false, window, EventMask::NO_EVENT, message)?;
        Ok(sent.check()?)
    }

    /// Puts a stand-in for the command line beside the window, which it finds there first; what
    /// it is called with is in [`World::tried`].
    pub fn stand_in(&self) -> Result<()> {
        let program = self.folder().join("isosmith");
        let script = format!("#!/bin/sh\necho \"$@\" >>{}/tried\n", self.home().display());
        fs::write(&program, script)?;
        set_mode(&program, 0o755)
    }

    /// What the stand-in was called with, a call a line.
    pub fn tried(&self) -> String {
        fs::read_to_string(self.home().join("tried")).unwrap_or_default()
    }

    /// Keeps a picture of the screen for people to look at.
    pub fn keep(&self, name: &str) -> Result<()> {
        // What a page has said it has drawn reaches the screen a moment later.
        thread::sleep(Duration::from_millis(500));
        fs::create_dir_all(shots())?;
        let screen = fs::read(self.folder().join("Xvfb_screen0"))?;
        picture(&screen)
            .context("the screen's picture is not understood")?
            .save(shots().join(name))?;
        Ok(())
    }

    /// Processes of the window's program, without those that draw for it.
    pub fn windows(&self) -> Result<Vec<u32>> {
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc")?.filter_map(Result::ok) {
            let Ok(pid) = entry.file_name().to_string_lossy().parse() else {
                continue;
            };
            let runs = fs::read_link(entry.path().join("exe")).is_ok_and(|exe| exe == self.program);
            let words = fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default();
            if runs && !words.contains("--render") {
                found.push(pid);
            }
        }
        Ok(found)
    }
}
