//! Processes, as procfs shows them (proc_pid_stat(5), proc_pid_status(5)).

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

/// What no two processes share while the machine is up: numbers are used again, a number with
/// a start time is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    pub pid: u32,
    /// Clock ticks since the machine started.
    pub start: u64,
}

/// What `/proc/PID/stat` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stat {
    pub identity: Identity,
    /// The program's name, cut off by the kernel after 15 bytes.
    pub name: String,
    pub parent: u32,
    /// The process that leads its session, in the sense of setsid(2).
    pub session: u32,
    /// Device number of its terminal; 0 for none.
    pub terminal: u32,
    /// It waits to be reaped, or is about to.
    pub ended: bool,
}

impl Stat {
    fn parse(text: &str) -> Option<Self> {
        let (pid, rest) = text.split_once(" (")?;
        // A name may hold anything, also spaces and parentheses. What follows it does not.
        let (name, rest) = rest.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        // Numbered as in the manual, where the first one after the name is 3.
        let field = |number: usize| fields.get(number - 3).copied();
        Some(Self {
            identity: Identity {
                pid: pid.parse().ok()?,
                start: field(22)?.parse().ok()?,
            },
            name: name.to_owned(),
            parent: field(4)?.parse().ok()?,
            session: field(6)?.parse().ok()?,
            terminal: field(7)?.parse::<i32>().ok()?.cast_unsigned(),
            ended: matches!(field(3)?, "Z" | "X" | "x"),
        })
    }

    fn read(proc: &Path, pid: u32) -> io::Result<Self> {
        let bytes = fs::read(proc.join(pid.to_string()).join("stat"))?;
        Self::parse(&String::from_utf8_lossy(&bytes)).ok_or(io::ErrorKind::InvalidData.into())
    }
}

/// Whether a process is still the one that it was. When procfs does not tell, it is: no
/// alarm without a reason.
pub fn is_alive(proc: &Path, identity: Identity) -> bool {
    match Stat::read(proc, identity.pid) {
        Ok(stat) => stat.identity == identity && !stat.ended,
        // ESRCH: it ended between opening the file and reading it.
        Err(error) => {
            error.kind() != io::ErrorKind::NotFound
                && error.raw_os_error() != Some(nix::libc::ESRCH)
        }
    }
}

/// Who a process is, by `/proc/PID/status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// Real user id. The owner of the folder in procfs would not do: it is root for programs
    /// that changed their user without starting another.
    pub uid: u32,
    /// Whether it runs in a PID namespace below ours, as in a container.
    pub contained: bool,
}

impl Owner {
    fn parse(text: &str) -> Option<Self> {
        let values = |name: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(name))
                .map(str::split_ascii_whitespace)
        };
        Some(Self {
            uid: values("Uid:")?.next()?.parse().ok()?,
            contained: values("NSpid:").is_some_and(|pids| pids.count() > 1),
        })
    }
}

/// All processes at one moment.
#[derive(Debug)]
pub struct Table {
    proc: PathBuf,
    by_pid: BTreeMap<u32, Stat>,
}

impl Table {
    /// Reads what there is; a process that ends meanwhile is left out.
    pub fn read(proc: &Path) -> Self {
        let entries = fs::read_dir(proc).into_iter().flatten().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let stats = pids.filter_map(|pid| Stat::read(proc, pid).ok());
        Self {
            proc: proc.to_owned(),
            by_pid: stats
                .filter(|stat| !stat.ended)
                .map(|stat| (stat.identity.pid, stat))
                .collect(),
        }
    }

    pub fn all(&self) -> impl Iterator<Item = &Stat> {
        self.by_pid.values()
    }

    pub fn get(&self, pid: u32) -> Option<&Stat> {
        self.by_pid.get(&pid)
    }

    pub fn parent(&self, of: &Stat) -> Option<&Stat> {
        self.get(of.parent)
    }

    pub fn owner(&self, of: &Stat) -> Option<Owner> {
        let bytes = fs::read(self.file(of, "status")).ok()?;
        Owner::parse(&String::from_utf8_lossy(&bytes))
    }

    /// Whether the command line has this word.
    pub fn has_word(&self, of: &Stat, word: &str) -> bool {
        let line = fs::read(self.file(of, "cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0)
            .any(|found| found == word.as_bytes())
    }

    fn file(&self, of: &Stat, name: &str) -> PathBuf {
        self.proc.join(of.identity.pid.to_string()).join(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_hold_anything() {
        let tail = "S 1 812 812 1025 -1 4194560 100 0 0 0 1 2 0 0 20 0 3 0 4711 9 9";
        for (text, want) in [
            (format!("812 (sddm) {tail}"), Some("sddm")),
            (format!("812 (a b) {tail}"), Some("a b")),
            (format!("812 (x) S 9 (y)) {tail}"), Some("x) S 9 (y)")),
            (format!("812 () {tail}"), Some("")),
            ("812 (sddm) S 1 812".to_owned(), None),
            ("812 sddm S".to_owned(), None),
            (String::new(), None),
        ] {
            let stat = Stat::parse(&text);
            assert_eq!(stat.as_ref().map(|stat| stat.name.as_str()), want, "{text}");
            if let Some(stat) = stat {
                let read = (stat.parent, stat.session, stat.terminal, stat.ended);
                assert_eq!(read, (1, 812, 1025, false), "{text}");
                assert_eq!(
                    stat.identity,
                    Identity {
                        pid: 812,
                        start: 4711
                    }
                );
            }
        }
    }

    #[test]
    fn owners_and_containers_are_told_apart() {
        for (text, want) in [
            (
                "Name:\tx\nUid:\t1000\t0\t0\t0\nNSpid:\t812\n",
                Some((1000, false)),
            ),
            ("Uid:\t0\t0\t0\t0\nNSpid:\t812\t1\n", Some((0, true))),
            // Kernels before 4.1 have no NSpid.
            ("Uid:\t0\t0\t0\t0\n", Some((0, false))),
            ("Name:\tx\n", None),
        ] {
            let owner = Owner::parse(text).map(|owner| (owner.uid, owner.contained));
            assert_eq!(owner, want, "{text:?}");
        }
    }

    #[test]
    fn this_process_is_alive_under_its_own_start_time_only() {
        let proc = Path::new("/proc");
        let own = Stat::read(proc, std::process::id()).unwrap().identity;
        assert!(is_alive(proc, own));
        assert!(!is_alive(
            proc,
            Identity {
                start: own.start + 1,
                ..own
            }
        ));
    }
}
