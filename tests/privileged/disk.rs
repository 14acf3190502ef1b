//! Disks that fill up while a build runs.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, bail, ensure};
use isosmith_protocol::{Class, Code, EventKind};
use isosmith_tests::{Kit, Small, kit::output};
use libtest_mimic::Trial;

use super::trial;

pub fn trials(kit: &Kit) -> Vec<Trial> {
    vec![trial(kit, "disk::full_at_three_stages", full)]
}

/// More than a build asks for at its start; costs no memory until it is used.
const ROOMY: &str = "8g";

/// A filesystem in memory that one mount namespace has, so that the machine's mounts stay as
/// they are. It goes with the process that holds the namespace.
struct Disk {
    holder: Child,
    folder: PathBuf,
}

impl Disk {
    fn new(folder: &Path, size: &str) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let script = format!(
            "mount -t tmpfs -o size={size},mode=755 tmpfs '{}' && echo ready && read _",
            folder.display()
        );
        let mut holder = Command::new("unshare")
            .args(["--mount", "--propagation", "private", "sh", "-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(holder.stdout.take().context("no output")?).read_line(&mut line)?;
        if line.trim() != "ready" {
            bail!("no filesystem in memory");
        }
        Ok(Self {
            holder,
            folder: folder.to_owned(),
        })
    }

    /// What a command is started by to see the filesystem.
    fn enter(&self) -> Vec<String> {
        vec![
            "nsenter".into(),
            format!("--mount=/proc/{}/ns/mnt", self.holder.id()),
            "--".into(),
        ]
    }

    fn run(&self, args: &[&str]) -> Result<String> {
        let enter = self.enter();
        output(Command::new(&enter[0]).args(&enter[1..]).args(args))
    }

    fn resize(&self, size: &str) -> Result<()> {
        let folder = self.folder.display().to_string();
        self.run(&["mount", "-o", &format!("remount,size={size}"), &folder])
            .map(drop)
    }

    /// Leaves `spare` MiB.
    fn squeeze(&self, spare: u64) -> Result<()> {
        let folder = self.folder.display().to_string();
        let used = self.run(&["df", "--output=used", "--block-size=1M", &folder])?;
        let used: u64 = used.lines().last().unwrap_or("").trim().parse()?;
        self.resize(&format!("{}m", used + spare))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

fn full(kit: &Kit) -> Result<()> {
    let scratch = kit.scratch("disk")?;
    let small = Small::serve(kit, scratch.path(), &[])?;
    let profile = small.profile("disk")?;
    let cache = scratch.path().join("cache");
    let disk = Disk::new(&cache, ROOMY)?;
    disk.run(&["mkdir", "-p", &format!("{}/artifacts", cache.display())])?;
    let tools = fs::read_dir(kit.cache().join("artifacts"))?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("tools-"))
        })
        .context("the shared cache has no tools")?;
    disk.run(&[
        "cp",
        "-a",
        &tools.display().to_string(),
        &format!("{}/artifacts", cache.display()),
    ])?;
    disk.run(&[
        "cp",
        "-a",
        &kit.cache().join("pool").display().to_string(),
        &cache.display().to_string(),
    ])?;
    let enter = disk.enter();
    let enter: Vec<&str> = enter.iter().map(String::as_str).collect();
    let isosmith = kit.isosmith(scratch.path()).cache(&cache).under(&enter);

    let mut wrong = Vec::new();
    // Before anything is done; while the tree is filled; while the image is packed.
    for (step, spare) in [("preflight", 20), ("packages", 0), ("squashfs", 8)] {
        let attempt = || -> Result<()> {
            if step == "preflight" {
                disk.squeeze(spare)?;
            }
            let mut running = isosmith.start(&profile)?;
            let at = |event: &EventKind| matches!(event, EventKind::StepStarted { step: at, .. } if at.as_str() == step);
            ensure!(running.listen_until(at)?, "the step was not reached");
            if step != "preflight" {
                disk.squeeze(spare)?;
            }
            let ended = running.end()?;
            disk.resize(ROOMY)?;
            let message = ended.failed_with(Code::DiskFull, 8)?;
            let error = ended.error()?;
            ensure!(
                error.class == Class::DiskSpace
                    && error.step.as_ref().is_some_and(|at| at.as_str() == step),
                "{error:?}"
            );
            let shown = format!("{message} {} {}", error.advice, error.causes.join(" "));
            ensure!(
                shown.contains("MiB"),
                "it does not say how much room there is: {shown}"
            );
            let resumed = isosmith.resume(&ended.id().context("no id")?)?;
            resumed.iso().context("resume")?;
            Ok(())
        };
        if let Err(error) = attempt() {
            wrong.push(format!("{step}: {error:#}"));
        }
        disk.resize(ROOMY)?;
        // The next stage must do its own work again.
        disk.run(&[
            "sh",
            "-c",
            &format!(
                "rm -rf '{0}'/layers/packages-* '{0}'/artifacts/squashfs-*",
                cache.display()
            ),
        ])?;
        let _ = fs::remove_dir_all(&isosmith.out);
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}
