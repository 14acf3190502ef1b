//! A system bus of the tests' own, with people and polkit rules of the tests' own.
//!
//! polkitd reads its actions and rules from fixed folders and asks the user database who a
//! caller is, and so does everything else that serves people. A suite therefore enters a
//! mount namespace of its own first ([`private_machine`]), in which the tests' actions, rules
//! and people lie where the machine's do, and the machine's own bus cannot be reached. Nothing
//! of it is visible outside, and it goes with the suite's last process.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::chown,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use nix::{
    mount::{MsFlags, mount},
    sched::{CloneFlags, unshare},
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use zbus::blocking::{Connection, connection::Builder, fdo::DBusProxy};

use crate::kit::set_mode;

/// Somebody who exists only for the tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Person {
    /// Name of the user and of its group.
    pub name: &'static str,
    /// User id and group id.
    pub id: u32,
}

/// A further group of some of the people.
#[derive(Debug, Clone, Copy)]
pub struct Party {
    /// Its name.
    pub name: &'static str,
    /// Its id.
    pub id: u32,
    /// Who is in it.
    pub people: &'static [Person],
}

/// What polkit is told.
#[derive(Debug, Clone)]
pub struct Authority {
    /// Policy files, as packages ship them.
    pub actions: Vec<PathBuf>,
    /// One file of rules (polkit(8)).
    pub rules: String,
}

/// Puts this process, and every process that it starts from now on, on a machine where the
/// people, polkit's actions and rules are those of the test. Must run before there are
/// threads. `folder` must stay as long as the process does.
///
/// # Errors
///
/// When this is not root, or something cannot be mounted.
pub fn private_machine(
    folder: &Path,
    people: &[Person],
    parties: &[Party],
    authority: &Authority,
) -> Result<()> {
    let place = |name: &str| -> Result<PathBuf> {
        let path = folder.join(name);
        fs::create_dir_all(&path)?;
        set_mode(&path, 0o755)?;
        Ok(path)
    };
    let (actions, rules, empty) = (place("actions")?, place("rules")?, place("empty")?);
    for file in &authority.actions {
        let name = file.file_name().context("a policy file has a name")?;
        fs::copy(file, actions.join(name))?;
    }
    fs::write(rules.join("10-tests.rules"), &authority.rules)?;
    let mut users = fs::read_to_string("/etc/passwd")?;
    let mut groups = fs::read_to_string("/etc/group")?;
    for Person { name, id } in people {
        users.push_str(&format!("{name}:x:{id}:{id}::/nonexistent:/bin/sh\n"));
        groups.push_str(&format!("{name}:x:{id}:\n"));
    }
    for Party { name, id, people } in parties {
        let names: Vec<&str> = people.iter().map(|person| person.name).collect();
        groups.push_str(&format!("{name}:x:{id}:{}\n", names.join(",")));
    }
    let (passwd, group) = (folder.join("passwd"), folder.join("group"));
    fs::write(&passwd, users)?;
    fs::write(&group, groups)?;
    for file in [&passwd, &group] {
        set_mode(file, 0o644)?;
    }

    unshare(CloneFlags::CLONE_NEWNS).context("a mount namespace of the tests' own")?;
    mount(
        None::<&str>,
        "/",
        None::<&str>,
        MsFlags::MS_SLAVE | MsFlags::MS_REC,
        None::<&str>,
    )?;
    for (from, to) in [
        (&passwd, "/etc/passwd"),
        (&group, "/etc/group"),
        (&actions, "/usr/share/polkit-1/actions"),
        (&empty, "/usr/share/polkit-1/rules.d"),
        (&rules, "/etc/polkit-1/rules.d"),
        (&empty, "/run/dbus"),
    ] {
        // Folders that this machine has not got need not be covered.
        if !Path::new(to).exists() {
            continue;
        }
        mount(
            Some(from.as_path()),
            to,
            None::<&str>,
            MsFlags::MS_BIND,
            None::<&str>,
        )
        .with_context(|| format!("{to} cannot be covered"))?;
    }
    Ok(())
}

/// A program that ends when the value goes.
///
/// It is this process's child and is waited for nowhere else, so its number cannot have
/// passed to another process when it is killed.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    what: String,
}

impl Daemon {
    /// Starts it.
    ///
    /// # Errors
    ///
    /// When it is not there.
    pub fn start(command: &mut Command) -> Result<Self> {
        let what = format!("{command:?}");
        let child = command.spawn().with_context(|| what.clone())?;
        Ok(Self { child, what })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    ///
    /// When it cannot be waited for.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Sends it a signal.
    ///
    /// # Errors
    ///
    /// When it has ended.
    pub fn signal(&mut self, signal: Signal) -> Result<()> {
        ensure!(self.ended()?.is_none(), "{} has ended", self.what);
        kill(Pid::from_raw(i32::try_from(self.id())?), signal)?;
        Ok(())
    }

    /// Waits for its end.
    ///
    /// # Errors
    ///
    /// When it goes on for longer than `limit`.
    pub fn end_within(&mut self, limit: Duration) -> Result<ExitStatus> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            ensure!(
                begun.elapsed() < limit,
                "{} goes on after {limit:?}",
                self.what
            );
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A bus at work; it ends when the value goes.
#[derive(Debug)]
pub struct Bus {
    daemon: Daemon,
    address: String,
}

impl Bus {
    /// Starts a bus with the rules and limits of a real system bus, a socket in `folder`, the
    /// bus policies `policies`, and services to start on demand described in `services`.
    ///
    /// # Errors
    ///
    /// When `dbus-daemon` is not there or does not start.
    pub fn start(folder: &Path, policies: &[PathBuf], services: &Path) -> Result<Self> {
        let socket = folder.join("bus");
        let _ = fs::remove_file(&socket);
        let config = folder.join("bus.conf");
        fs::write(&config, configuration(&socket, policies, services))?;
        let mut command = Command::new("dbus-daemon");
        command
            .args(["--nofork", "--nopidfile", "--nosyslog", "--print-address"])
            .arg(format!("--config-file={}", config.display()))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(folder.join("bus.log"))?);
        let mut daemon = Daemon::start(&mut command)?;
        let said = daemon.child.stdout.take().context("no standard output")?;
        let mut address = String::new();
        // Said when the socket is ready.
        BufReader::new(said).read_line(&mut address)?;
        ensure!(
            !address.trim().is_empty(),
            "the bus did not start: {}",
            fs::read_to_string(folder.join("bus.log"))?
        );
        Ok(Self {
            daemon,
            address: format!("unix:path={}", socket.display()),
        })
    }

    /// Where it listens, as D-Bus writes it.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The bus's own process.
    pub fn id(&self) -> u32 {
        self.daemon.id()
    }

    /// A connection as root.
    ///
    /// # Errors
    ///
    /// When the bus is gone.
    pub fn connect(&self) -> Result<Connection> {
        Ok(Builder::address(self.address())?
            .method_timeout(Duration::from_secs(120))
            .build()?)
    }

    /// Waits until somebody owns a name, or nobody does any more.
    ///
    /// # Errors
    ///
    /// When that takes longer than half a minute.
    pub fn await_name(&self, name: &'static str, owned: bool) -> Result<()> {
        let connection = self.connect()?;
        let bus = DBusProxy::new(&connection)?;
        let begun = Instant::now();
        while bus.name_has_owner(name.try_into()?)? != owned {
            if begun.elapsed() > Duration::from_secs(30) {
                let state = if owned {
                    "nobody owns"
                } else {
                    "somebody owns"
                };
                bail!("{state} {name}");
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Starts the real polkitd on this bus.
    ///
    /// # Errors
    ///
    /// When it is not installed or does not start.
    pub fn polkitd(&self) -> Result<Daemon> {
        let program = ["/usr/lib/polkit-1/polkitd", "/usr/libexec/polkitd"]
            .into_iter()
            .find(|path| Path::new(path).exists())
            .context("polkitd is not installed")?;
        let daemon = Daemon::start(
            Command::new(program)
                .arg("--no-debug")
                .env("DBUS_SYSTEM_BUS_ADDRESS", self.address())
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null()),
        )?;
        self.await_name(POLKIT, true)?;
        Ok(daemon)
    }
}

/// The name that polkit owns on a bus.
pub const POLKIT: &str = "org.freedesktop.PolicyKit1";

/// What Debian's `/usr/share/dbus-1/system.conf` says, but for who the bus runs as and where it
/// listens; root may stand in for polkit. The limits are not named, so they are the stock ones.
fn configuration(socket: &Path, policies: &[PathBuf], services: &Path) -> String {
    let include = |path: &PathBuf| format!("  <include>{}</include>\n", path.display());
    let included: String = policies.iter().map(include).collect();
    format!(
        r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <auth>EXTERNAL</auth>
  <listen>unix:path={}</listen>
  <servicedir>{}</servicedir>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus.Introspectable"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus.Properties"/>
    <deny send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus" send_member="UpdateActivationEnvironment"/>
  </policy>
  <policy context="default">
    <allow send_destination="org.freedesktop.PolicyKit1"/>
  </policy>
  <policy user="root">
    <allow own="org.freedesktop.PolicyKit1"/>
    <allow send_interface="org.freedesktop.PolicyKit1.AuthenticationAgent"/>
  </policy>
  <policy user="polkitd">
    <allow own="org.freedesktop.PolicyKit1"/>
    <allow send_interface="org.freedesktop.PolicyKit1.AuthenticationAgent"/>
  </policy>
{included}</busconfig>
"#,
        socket.display(),
        services.display(),
    )
}

/// A folder that belongs to a person, and that nobody else may look into.
///
/// # Errors
///
/// When it cannot be made or given away.
pub fn folder_of(person: Person, path: &Path) -> Result<PathBuf> {
    fs::create_dir_all(path)?;
    set_mode(path, 0o700)?;
    chown(path, Some(person.id), Some(person.id))?;
    Ok(path.to_owned())
}
