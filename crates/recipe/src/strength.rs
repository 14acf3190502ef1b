//! How much of the machine a build takes.

use std::{fs, thread};

use isosmith_protocol::Pace;

/// Memory that must be free for each thread that compresses or unpacks, in bytes: a block of the
/// largest size with the state of the greediest compressor.
const PER_THREAD: u64 = 256 << 20;

/// Downloads at the same time, at most.
pub(crate) const MOST_DOWNLOADS: usize = 16;

/// What a build may do at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Strength {
    /// Threads that compress, packages that are unpacked; at least one.
    pub threads: usize,
    /// Downloads; at least one. Eight hide a mirror's latency and are still polite.
    pub downloads: usize,
}

impl Strength {
    /// What `pace` means on this machine.
    pub fn here(pace: Pace) -> Self {
        let cores = thread::available_parallelism().map_or(2, usize::from);
        let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        Self::of(pace, cores, available(&meminfo))
    }

    /// What `pace` means with so many processors and so many bytes of memory, where that is
    /// known.
    pub fn of(pace: Pace, cores: usize, memory: Option<u64>) -> Self {
        let room = memory.map_or(cores, |bytes| {
            usize::try_from(bytes / PER_THREAD).unwrap_or(cores)
        });
        let (threads, downloads) = match pace {
            Pace::Auto => (cores.min(room), 8),
            Pace::Conservative => ((cores / 2).min(room), 2),
            Pace::Aggressive => (cores, MOST_DOWNLOADS),
        };
        Self {
            threads: threads.max(1),
            downloads,
        }
    }
}

/// `MemAvailable` of `/proc/meminfo` (proc_meminfo(5)), in bytes.
fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_is_numbers() {
        const PLENTY: Option<u64> = Some(64 << 30);
        for (pace, cores, memory, threads, downloads) in [
            (Pace::Auto, 8, PLENTY, 8, 8),
            (Pace::Auto, 8, None, 8, 8),
            (Pace::Auto, 8, Some(1 << 30), 4, 8),
            (Pace::Auto, 8, Some(0), 1, 8),
            (Pace::Conservative, 8, PLENTY, 4, 2),
            (Pace::Conservative, 1, PLENTY, 1, 2),
            (Pace::Conservative, 8, Some(512 << 20), 2, 2),
            (Pace::Aggressive, 8, PLENTY, 8, 16),
            (Pace::Aggressive, 8, Some(0), 8, 16),
        ] {
            let strength = Strength::of(pace, cores, memory);
            let want = Strength { threads, downloads };
            assert_eq!(strength, want, "{pace} {cores} {memory:?}");
        }
    }

    #[test]
    fn what_the_kernel_says_of_memory_is_read() {
        for (text, want) in [
            ("MemTotal: 9 kB\nMemAvailable:    2 kB\n", Some(2048)),
            ("MemTotal: 9 kB\n", None),
            ("MemAvailable: much\n", None),
        ] {
            assert_eq!(available(text), want, "{text}");
        }
    }
}
