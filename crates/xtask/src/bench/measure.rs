//! How long a command takes, and how much memory one of its processes uses.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    os::unix::fs::MetadataExt,
    path::Path,
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

/// A finished command.
#[derive(Debug)]
pub struct Measured {
    /// From its start to its end.
    pub took: Duration,
    /// The highest `VmHWM` (proc_pid_status(5)) of any process of the watched program below
    /// it, in KiB; looked at every 10 ms. None when no program was watched.
    pub peak_kib: Option<u64>,
    /// What it printed on standard output.
    pub printed: String,
}

/// Runs a command to its end, what it says on standard error going to `log`.
///
/// # Errors
///
/// When it cannot be started, or fails; then the end of its log is in the message.
pub fn measure(command: &mut Command, watched: Option<&Path>, log: &Path) -> Result<Measured> {
    // What an earlier build left to be written must not be paid for by this one.
    nix::unistd::sync();
    let (program, name) = (
        watched.map(identity).transpose()?,
        command.get_program().to_owned(),
    );
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(File::create(log)?);
    let start = Instant::now();
    let child = command
        .spawn()
        .with_context(|| format!("cannot start {}", name.display()))?;
    let (pid, peak, over) = (child.id(), AtomicU64::new(0), AtomicBool::new(false));
    let (output, took) = thread::scope(|scope| {
        let (peak, over) = (&peak, &over);
        if let Some(program) = program {
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    peak.fetch_max(peak_below(pid, program), Ordering::Relaxed);
                    thread::sleep(Duration::from_millis(10));
                }
            });
        }
        let output = child.wait_with_output();
        let took = start.elapsed();
        over.store(true, Ordering::Relaxed);
        (output, took)
    });
    let output = output?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let said = fs::read(log).unwrap_or_default();
        let said = printed + &String::from_utf8_lossy(&said);
        let lines: Vec<&str> = said.lines().collect();
        bail!(
            "{} ended with {}:\n{}",
            name.display(),
            output.status,
            lines[lines.len().saturating_sub(30)..].join("\n")
        );
    }
    Ok(Measured {
        took,
        peak_kib: program.map(|_| peak.into_inner()),
        printed,
    })
}

/// A program file, whatever it is called: a process that has changed its root shows another
/// path.
type Identity = (u64, u64);

fn identity(path: &Path) -> Result<Identity> {
    let meta = fs::metadata(path).with_context(|| format!("cannot look at {}", path.display()))?;
    Ok((meta.dev(), meta.ino()))
}

/// The highest peak among `pid` and its descendants that run `program`, in KiB.
fn peak_below(pid: u32, program: Identity) -> u64 {
    let mut peak = 0;
    let mut seen = BTreeSet::new();
    let mut ahead = vec![pid];
    while let Some(pid) = ahead.pop() {
        if !seen.insert(pid) {
            continue;
        }
        let folder = Path::new("/proc").join(pid.to_string());
        if fs::metadata(folder.join("exe")).is_ok_and(|meta| (meta.dev(), meta.ino()) == program) {
            let status = fs::read_to_string(folder.join("status")).unwrap_or_default();
            peak = peak.max(high_water_mark(&status));
        }
        for thread in fs::read_dir(folder.join("task"))
            .into_iter()
            .flatten()
            .flatten()
        {
            let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            ahead.extend(
                children
                    .split_whitespace()
                    .filter_map(|pid| pid.parse::<u32>().ok()),
            );
        }
    }
    peak
}

/// `VmHWM` in the text of `/proc/PID/status`, in KiB; 0 for a process that is gone.
fn high_water_mark(status: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse().ok())
        .unwrap_or(0)
}

/// The middle of some times; of an even number the mean of the two in the middle.
pub fn median(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort();
    let (low, high) = (sorted.len().saturating_sub(1) / 2, sorted.len() / 2);
    match (sorted.get(low), sorted.get(high)) {
        (Some(low), Some(high)) => (*low + *high) / 2,
        _ => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        for (times, want) in [
            (&[][..], 0),
            (&[3][..], 3),
            (&[1, 5][..], 3),
            (&[9, 1, 2][..], 2),
            (&[4, 1, 9, 2][..], 3),
        ] {
            let times: Vec<_> = times.iter().copied().map(Duration::from_secs).collect();
            assert_eq!(median(&times), Duration::from_secs(want));
        }
    }

    #[test]
    fn the_high_water_mark_is_read() {
        for (status, want) in [
            ("Name:\tx\nVmPeak:\t  900 kB\nVmHWM:\t   1234 kB\n", 1234),
            ("Name:\tx\n", 0),
            ("", 0),
        ] {
            assert_eq!(high_water_mark(status), want);
        }
    }

    #[test]
    fn only_the_watched_program_counts() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let shell = Path::new("/bin/sh");
        let run = |watched| {
            measure(
                Command::new(shell).args(["-c", "sleep 0.3; echo done"]),
                watched,
                &log,
            )
            .unwrap()
        };
        assert_eq!(run(None).peak_kib, None);
        let watched = run(Some(shell));
        assert!(watched.peak_kib.unwrap() > 0);
        assert_eq!(watched.printed, "done\n");
        assert_eq!(run(Some(Path::new("/bin/cat"))).peak_kib, Some(0));
    }

    #[test]
    fn a_failure_shows_the_end_of_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "echo no room >&2; exit 3"]);
        let error = measure(&mut command, None, &folder.path().join("log"))
            .unwrap_err()
            .to_string();
        assert!(error.contains("no room") && error.contains('3'), "{error}");
    }
}
