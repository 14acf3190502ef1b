//! What a package's scripts try in order to get out, stay, or change the machine; in every
//! mode of isolation. One package tries it all, so that a mode costs one build.

use std::{
    collections::BTreeMap,
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use isosmith_protocol::{BuildResult, EventKind, Isolation};
use isosmith_tests::{
    Isosmith, Kit, Small, Witness,
    kit::{output, set_mode},
    made::Made,
    run::Ended,
    same_iso,
    witness::Traces,
};
use libtest_mimic::Trial;

use super::trial;

pub fn trials(kit: &Kit) -> Vec<Trial> {
    vec![
        trial(kit, "contained::with_user_namespaces", |kit| {
            nothing_gets_out(kit, Isolation::Namespace)
        }),
        trial(kit, "contained::without_user_namespaces", |kit| {
            nothing_gets_out(kit, Isolation::Hybrid)
        }),
        trial(kit, "contained::with_few_namespaces", |kit| {
            nothing_gets_out(kit, Isolation::Traditional)
        }),
        trial(kit, "contained::removing_everything", removing_everything),
        trial(kit, "contained::the_same_without_user_namespaces", the_same),
    ]
}

/// What id 0 of builds that root starts is outside.
const RANGE: u32 = 1_845_493_760;

/// Settings that act on the whole machine, each of which the package tries to change.
const SETTINGS: &[&str] = &[
    "/proc/sys/kernel/core_pattern",
    "/proc/sys/kernel/modprobe",
    "/proc/sys/kernel/panic",
    "/proc/sys/kernel/printk",
    "/proc/sys/kernel/domainname",
    "/proc/sys/kernel/hostname",
    "/proc/sys/vm/swappiness",
    "/proc/sys/fs/file-max",
    "/proc/sys/net/ipv4/ip_forward",
];

/// Each line says what it tries and what came of it. `@SECRET@` is a file of the machine,
/// `@MARK@` a word that its processes bear.
const ATTACK: &str = include_str!("contained.sh");

/// What the script tries must at least be this much, or it did not run.
const FEWEST: usize = 150;

/// The program in a mode of isolation, and what must live as long as it is used.
struct Mode {
    isosmith: Isosmith,
    _holder: Option<Holder>,
}

/// A process whose user namespace others enter; ended when this goes.
struct Holder(Child);

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The program where the kernel gives no more than `isolation` needs.
///
/// The machine's own settings are left alone: a user namespace has limits of its own for the
/// namespaces that are made in it (namespaces(7), `/proc/sys/user`). Root of that namespace is
/// to the program what root of a machine is. Its ids are those that builds of root have, so
/// that the shared cache serves both.
fn mode(kit: &Kit, folder: &Path, isolation: Isolation) -> Result<Mode> {
    let denied: &[&str] = match isolation {
        Isolation::Namespace | Isolation::Other => {
            return Ok(Mode {
                isosmith: kit.isosmith(folder),
                _holder: None,
            });
        }
        Isolation::Hybrid => &["user"],
        Isolation::Traditional => &["user", "ipc", "uts", "cgroup", "net"],
    };
    // Somebody else than the machine's root must be able to run it.
    let program = folder.join("isosmith");
    fs::copy(&kit.program, &program)?;
    set_mode(&program, 0o755)?;
    for name in ["state", "out"] {
        let own = folder.join(name);
        fs::create_dir_all(&own)?;
        std::os::unix::fs::chown(&own, Some(RANGE), Some(RANGE))?;
    }
    std::os::unix::fs::chown(kit.cache(), Some(RANGE), Some(RANGE))?;
    let holder = Holder(
        Command::new("unshare")
            .args(["--user", "sleep", "infinity"])
            .stdin(Stdio::null())
            .spawn()?,
    );
    let process = PathBuf::from(format!("/proc/{}", holder.0.id()));
    let ours = fs::read_link("/proc/self/ns/user")?;
    let begun = Instant::now();
    while fs::read_link(process.join("ns/user"))? == ours {
        ensure!(begun.elapsed() < Duration::from_secs(30), "no namespace");
        thread::sleep(Duration::from_millis(5));
    }
    for name in ["uid_map", "gid_map"] {
        fs::write(process.join(name), format!("0 {RANGE} 65536\n"))?;
    }
    let limits: String = denied
        .iter()
        .map(|kind| format!("echo 0 > /proc/sys/user/max_{kind}_namespaces; "))
        .collect();
    let script = format!("set -e; {limits} exec \"$@\"");
    let user = holder.0.id().to_string();
    let isosmith = Isosmith::new(
        &program,
        folder.join("state"),
        kit.cache(),
        folder.join("out"),
    )
    .under(&[
        "nsenter",
        "--user",
        "--target",
        &user,
        "--setuid",
        "0",
        "--setgid",
        "0",
        "unshare",
        "--mount",
        "--propagation",
        "unchanged",
        "sh",
        "-c",
        &script,
        "sh",
    ]);
    Ok(Mode {
        isosmith,
        _holder: Some(holder),
    })
}

/// Everything that was tried is refused, nothing stays, the machine is as it was, and no
/// mount of the build was ever seen outside.
fn nothing_gets_out(kit: &Kit, isolation: Isolation) -> Result<()> {
    let name = format!("contained-{isolation:?}").to_lowercase();
    let scratch = kit.scratch(&name)?;
    let folder = scratch.path();
    let secret = folder.join("secret");
    fs::write(&secret, "only for this machine")?;
    let mark = format!("{name}-{}", std::process::id());
    // Never accepted, which is enough to be connected to.
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let script = ATTACK
        .replace("@SECRET@", &secret.display().to_string())
        .replace("@SETTINGS@", &SETTINGS.join(" "))
        .replace("@PORT@", &listener.local_addr()?.port().to_string())
        .replace("@MARK@", &mark);
    let package = Made::new(&name, "1").script("postinst", &script);
    let small = Small::serve(kit, folder, &[package])?;
    let profile = small.profile_with(&name, "", &[&name], "")?;
    let mode = mode(kit, folder, isolation)?;
    let program = folder.join("isosmith");
    let program = if program.exists() {
        &program
    } else {
        &kit.program
    };

    let (before, settings, devices) = (Witness::now(), settings(), devices());
    let audit = Audit::begin();
    let ended = mode.isosmith.build(&profile)?;
    audit.end()?;
    before.unchanged()?;
    ensure!(settings == self::settings(), "a setting has changed");
    ensure!(devices == self::devices(), "/dev has changed");
    ensure!(fs::read(&secret)? == b"only for this machine");

    ensure!(
        hello(&ended) == Some(isolation),
        "it ran in {:?}, not {isolation:?}: {}",
        hello(&ended),
        ended.stderr
    );
    // The script ends well, and so must the build.
    ended.iso()?;
    let log = ended.log();
    let lines: Vec<&str> = log
        .lines()
        .filter_map(|line| Some(line.split_once("CONTAINED ")?.1.trim()))
        .collect();
    let done: Vec<_> = lines
        .iter()
        .filter(|line| !line.starts_with("refused: "))
        .collect();
    ensure!(
        done.is_empty(),
        "a package's script could, in {isolation:?}: {done:#?}"
    );
    ensure!(
        lines.len() >= FEWEST && lines.last() == Some(&"refused: everything else"),
        "the script tried only {} things: {lines:#?}",
        lines.len()
    );
    let begun = Instant::now();
    while let Some(left) = marked(&mark) {
        ensure!(
            begun.elapsed() < Duration::from_secs(10),
            "still there: {left}"
        );
        thread::sleep(Duration::from_millis(20));
    }
    Traces::of(program, &[&mode.isosmith.state, &kit.cache(), folder])?
        .gone_within(Duration::from_secs(3))?;
    Ok(())
}

/// In what the build said that it is kept.
fn hello(ended: &Ended) -> Option<Isolation> {
    ended.events.iter().find_map(|event| {
        if let EventKind::Hello { isolation, .. } = &event.kind {
            Some(*isolation)
        } else {
            None
        }
    })
}

fn settings() -> BTreeMap<&'static str, String> {
    let more = [
        "/proc/sys/fs/binfmt_misc/status",
        "/proc/sys/kernel/tainted",
    ];
    SETTINGS
        .iter()
        .copied()
        .chain(more)
        .map(|path| (path, fs::read_to_string(path).unwrap_or_default()))
        .collect()
}

/// Names in the machine's `/dev`. Terminals lie deeper; somebody may work at the machine.
fn devices() -> Vec<PathBuf> {
    let mut names: Vec<_> = fs::read_dir("/dev")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    names.sort();
    names
}

/// A process that calls itself by `mark`, if there is one.
fn marked(mark: &str) -> Option<String> {
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .find_map(|entry| {
            let command = fs::read(entry.path().join("cmdline")).ok()?;
            String::from_utf8_lossy(&command)
                .contains(mark)
                .then(|| entry.path().display().to_string())
        })
}

/// Looks at the machine's mounts every 20 ms.
struct Audit {
    over: Arc<AtomicBool>,
    looker: JoinHandle<(usize, Option<String>)>,
}

impl Audit {
    fn begin() -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&over);
        let tables = || {
            ["/proc/1/mountinfo", "/proc/self/mountinfo"]
                .map(|path| fs::read_to_string(path).unwrap_or_default())
        };
        let first = tables();
        let looker = thread::spawn(move || {
            let (mut samples, mut strange) = (0, None);
            while !told.load(Ordering::Relaxed) {
                let now = tables();
                samples += 1;
                let new = now
                    .iter()
                    .zip(&first)
                    .flat_map(|(now, first)| now.lines().filter(|line| !first.contains(line)))
                    .next();
                strange = strange.or_else(|| new.map(str::to_owned));
                thread::sleep(Duration::from_millis(20));
            }
            (samples, strange)
        });
        Self { over, looker }
    }

    fn end(self) -> Result<()> {
        self.over.store(true, Ordering::Relaxed);
        let (samples, strange) = self
            .looker
            .join()
            .map_err(|_| anyhow::anyhow!("the audit stopped"))?;
        ensure!(samples > 50, "there were only {samples} samples");
        match strange {
            Some(line) => anyhow::bail!("a mount was seen outside: {line}"),
            None => Ok(()),
        }
    }
}

/// A script that removes all it can reach: the build fails or not, but says so; the machine,
/// the cache and the next build know nothing of it.
fn removing_everything(kit: &Kit) -> Result<()> {
    let scratch = kit.scratch("removing")?;
    let folder = scratch.path();
    let secret = folder.join("secret");
    fs::write(&secret, "only for this machine")?;
    let removing = Made::new("removing", "1").script(
        "postinst",
        "#!/bin/sh\necho CONTAINED begins\nrm -rf --no-preserve-root / 2> /dev/null\n\
         command -v ls > /dev/null || echo CONTAINED gone\nexit 0\n",
    );
    let small = Small::serve(kit, folder, &[removing])?;
    let isosmith = kit.isosmith(folder);
    let plain = small.profile("removing-before")?;
    let undisturbed = folder.join("undisturbed.iso");
    fs::rename(isosmith.build(&plain)?.iso()?, &undisturbed)?;

    let (before, devices) = (Witness::now(), devices());
    let ended = isosmith.build(&small.profile_with("removing", "", &["removing"], "")?)?;
    before.unchanged()?;
    ensure!(devices == self::devices(), "/dev has changed");
    ensure!(fs::read(&secret)? == b"only for this machine");
    let log = ended.log();
    ensure!(
        log.contains("CONTAINED gone"),
        "the script removed nothing: {log}"
    );
    ensure!(
        matches!(ended.result(), Some(BuildResult::Failed { .. })),
        "a system without files was built: {:?}",
        ended.result()
    );

    // Layers below were not touched.
    let again = small.profile("removing-before")?;
    let iso = isosmith
        .build(&again)?
        .iso()
        .context("after everything was removed")?;
    same_iso(
        "before and after everything was removed",
        &undisturbed,
        &iso,
    )
}

/// What is built does not depend on how the build was kept in.
fn the_same(kit: &Kit) -> Result<()> {
    let scratch = kit.scratch("modes")?;
    let small = Small::serve(kit, scratch.path(), &[])?;
    let profile = small.profile("modes")?;
    // The base system comes from here.
    kit.isosmith(scratch.path()).build(&profile)?.iso()?;
    let mut isos = Vec::new();
    for isolation in [Isolation::Namespace, Isolation::Hybrid] {
        let folder = scratch.path().join(format!("{isolation:?}"));
        let cache = folder.join("cache");
        fs::create_dir_all(&cache)?;
        kit.link_cache(&cache, &["base-"])?;
        for name in [".", "artifacts", "layers"] {
            output(
                Command::new("chown")
                    .arg(format!("{RANGE}:{RANGE}"))
                    .arg(cache.join(name)),
            )?;
        }
        let mode = mode(kit, &folder, isolation)?;
        let ended = mode.isosmith.cache(&cache).build(&profile)?;
        ensure!(hello(&ended) == Some(isolation), "{}", ended.stderr);
        ensure!(
            ended.made().contains(&"packages"),
            "nothing was made: {:?}",
            ended.made()
        );
        isos.push(ended.iso()?);
    }
    same_iso("with and without user namespaces", &isos[0], &isos[1])
}
