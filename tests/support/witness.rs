//! The machine before and after: what a build must not change, and what it must not leave.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

/// Folders of the machine whose every name, owner, size and time must stay as it is.
const WATCHED: &[&str] = &[
    "/etc",
    "/usr/bin",
    "/usr/sbin",
    "/usr/local",
    "/boot",
    "/root",
    "/home",
    "/var/lib/dpkg",
    "/usr/lib/modules",
];

/// The machine at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    mounts: String,
    loops: BTreeMap<PathBuf, String>,
    modules: String,
    swaps: String,
    hostname: String,
    time_zone: Option<PathBuf>,
    init: u64,
    files: BTreeMap<&'static str, u64>,
}

impl Witness {
    /// Looks at the machine.
    pub fn now() -> Self {
        let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
        Self {
            mounts: text("/proc/self/mountinfo"),
            loops: loops(),
            modules: text("/proc/modules")
                .lines()
                .filter_map(|line| line.split(' ').next())
                .collect::<Vec<_>>()
                .join(" "),
            swaps: text("/proc/swaps")
                .lines()
                .filter_map(|line| line.split_whitespace().next())
                .collect::<Vec<_>>()
                .join(" "),
            hostname: text("/proc/sys/kernel/hostname"),
            time_zone: fs::read_link("/etc/localtime").ok(),
            init: started(1).unwrap_or(0),
            files: WATCHED
                .iter()
                .map(|folder| (*folder, fingerprint(Path::new(folder))))
                .collect(),
        }
    }

    /// Every way in which the machine differs from what it was; empty for none.
    pub fn changes(&self) -> Vec<String> {
        let now = Self::now();
        let mut found = Vec::new();
        let mut compare = |what: &str, same: bool, detail: String| {
            if !same {
                found.push(format!("{what} changed: {detail}"));
            }
        };
        compare(
            "the mount table",
            now.mounts == self.mounts,
            difference(&self.mounts, &now.mounts),
        );
        compare(
            "loop devices",
            now.loops == self.loops,
            format!("{:?}", now.loops),
        );
        compare(
            "kernel modules",
            now.modules == self.modules,
            now.modules.clone(),
        );
        compare("swap", now.swaps == self.swaps, now.swaps.clone());
        compare(
            "the host name",
            now.hostname == self.hostname,
            now.hostname.clone(),
        );
        compare(
            "the time zone",
            now.time_zone == self.time_zone,
            format!("{:?}", now.time_zone),
        );
        compare(
            "process 1",
            now.init == self.init,
            "it was started again".to_owned(),
        );
        for (folder, before) in &self.files {
            compare(
                folder,
                now.files.get(folder) == Some(before),
                "a file in it".to_owned(),
            );
        }
        found
    }

    /// Fails when the machine is not as it was.
    ///
    /// # Errors
    ///
    /// Names every change.
    pub fn unchanged(&self) -> Result<()> {
        let changes = self.changes();
        if changes.is_empty() {
            Ok(())
        } else {
            bail!("the machine changed: {}", changes.join("; "))
        }
    }
}

/// Lines that only one of two texts has.
fn difference(before: &str, after: &str) -> String {
    let (old, new): (BTreeSet<&str>, BTreeSet<&str>) =
        (before.lines().collect(), after.lines().collect());
    let gone = old.difference(&new).map(|line| format!("-{line}"));
    gone.chain(new.difference(&old).map(|line| format!("+{line}")))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Loop devices and what lies behind them.
fn loops() -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir("/sys/block")
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
    {
        if let Ok(file) = fs::read_to_string(entry.path().join("loop/backing_file")) {
            found.insert(entry.path(), file);
        }
    }
    found
}

/// When a process began, in ticks since the machine did (proc_pid_stat(5), field 22).
fn started(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(19)?.parse().ok()
}

/// Names, owners, modes, sizes and times of everything below a folder.
fn fingerprint(folder: &Path) -> u64 {
    let mut hash = DefaultHasher::new();
    walk(folder, &mut hash, 0);
    hash.finish()
}

fn walk(path: &Path, hash: &mut DefaultHasher, depth: usize) {
    let Ok(meta) = fs::symlink_metadata(path) else {
        return;
    };
    path.hash(hash);
    (meta.mode(), meta.uid(), meta.gid()).hash(hash);
    if !meta.is_dir() {
        (
            meta.size(),
            meta.ino(),
            meta.mtime(),
            meta.mtime_nsec(),
            meta.ctime(),
            meta.ctime_nsec(),
        )
            .hash(hash);
        return;
    }
    // Whoever works at the machine writes into the depths of a home folder all the time.
    let shallow =
        path.starts_with("/root") || path.starts_with("/home") || path.starts_with("/usr/local");
    if shallow && depth >= 1 {
        return;
    }
    let mut names: Vec<_> = fs::read_dir(path)
        .map(|entries| {
            entries
                .filter_map(Result::ok)
                .map(|entry| entry.path())
                .collect()
        })
        .unwrap_or_default();
    names.sort();
    for name in names {
        walk(&name, hash, depth + 1);
    }
}

/// What builds in some folders have left running or mounted.
#[derive(Debug, Clone)]
pub struct Traces {
    program: (u64, u64),
    folders: Vec<String>,
}

impl Traces {
    /// Of a program, and of builds that work in `folders`.
    ///
    /// # Errors
    ///
    /// When the program is not there.
    pub fn of(program: &Path, folders: &[&Path]) -> Result<Self> {
        let meta = fs::metadata(program)?;
        Ok(Self {
            program: (meta.dev(), meta.ino()),
            folders: folders
                .iter()
                .map(|folder| folder.display().to_string())
                .collect(),
        })
    }

    /// Processes of these builds: those that run the program for one of the folders, and
    /// those in a mount namespace that holds one of the folders and is not this one.
    pub fn processes(&self) -> Vec<(u32, String)> {
        let own = namespace(Path::new("/proc/self"), "mnt");
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc")
            .into_iter()
            .flatten()
            .filter_map(Result::ok)
        {
            let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else {
                continue;
            };
            let path = entry.path();
            let command = fs::read(path.join("cmdline")).unwrap_or_default();
            let command = String::from_utf8_lossy(&command).replace('\0', " ");
            let inside = namespace(&path, "mnt") != own && {
                let mounts = fs::read_to_string(path.join("mountinfo")).unwrap_or_default();
                self.folders
                    .iter()
                    .any(|folder| mounts.contains(folder.as_str()))
            };
            let runs = fs::metadata(path.join("exe"))
                .is_ok_and(|meta| (meta.dev(), meta.ino()) == self.program);
            let named = self
                .folders
                .iter()
                .any(|folder| command.contains(folder.as_str()));
            if inside || (runs && named) {
                found.push((pid, command));
            }
        }
        found
    }

    /// Everything that is left: processes (and with them namespaces), mounts, loop devices,
    /// locks.
    pub fn left(&self) -> Vec<String> {
        let mut found: Vec<String> = self
            .processes()
            .into_iter()
            .map(|(pid, command)| {
                let spaces: Vec<_> = ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup"]
                    .iter()
                    .filter_map(|kind| namespace(Path::new(&format!("/proc/{pid}")), kind))
                    .collect();
                format!("process {pid} {command:?} in {}", spaces.join(" "))
            })
            .collect();
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        for folder in &self.folders {
            let below = |line: &&str| {
                line.split(' ')
                    .nth(4)
                    .is_some_and(|point| point.starts_with(&format!("{folder}/")))
            };
            found.extend(
                mounts
                    .lines()
                    .filter(below)
                    .map(|line| format!("mount {line}")),
            );
            let behind = loops()
                .into_iter()
                .filter(|(_, file)| file.contains(folder.as_str()));
            found.extend(behind.map(|(device, _)| format!("loop device {}", device.display())));
        }
        found.extend(self.locks());
        found
    }

    /// Locks that somebody holds on files of these folders (proc_locks(5)).
    fn locks(&self) -> Vec<String> {
        let mut ours = BTreeMap::new();
        for folder in &self.folders {
            lock_files(Path::new(folder), &mut ours, 0);
        }
        let table = fs::read_to_string("/proc/locks").unwrap_or_default();
        table
            .lines()
            .filter_map(|line| {
                let inode: u64 = line.split_whitespace().find_map(|word| {
                    let mut parts = word.split(':');
                    let (_, _, inode) = (parts.next()?, parts.next()?, parts.next()?);
                    inode.parse().ok()
                })?;
                ours.get(&inode)
                    .map(|path: &PathBuf| format!("lock on {}: {line}", path.display()))
            })
            .collect()
    }

    /// Waits until nothing is left.
    ///
    /// # Errors
    ///
    /// Names what is left after `time`.
    pub fn gone_within(&self, time: Duration) -> Result<Duration> {
        let begun = Instant::now();
        loop {
            let left = self.left();
            if left.is_empty() {
                return Ok(begun.elapsed());
            }
            if begun.elapsed() > time {
                bail!("left after {time:?}: {}", left.join("; "));
            }
            thread::sleep(Duration::from_millis(30));
        }
    }
}

fn namespace(process: &Path, kind: &str) -> Option<String> {
    let link = fs::read_link(process.join("ns").join(kind)).ok()?;
    Some(link.to_string_lossy().into_owned())
}

fn lock_files(folder: &Path, found: &mut BTreeMap<u64, PathBuf>, depth: usize) {
    for entry in fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
    {
        let path = entry.path();
        if path.is_dir() && depth < 2 {
            lock_files(&path, found, depth + 1);
        } else if path.to_string_lossy().ends_with("lock")
            && let Ok(meta) = entry.metadata()
        {
            found.insert(meta.ino(), path);
        }
    }
}
