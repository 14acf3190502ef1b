//! How busy the machine is.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use isosmith_protocol::Metrics;
use sysinfo::{Networks, System};

/// What diskstats counts in, whatever the device's own sectors are
/// (`Documentation/admin-guide/iostats.rst` of Linux).
const SECTOR: u64 = 512;

/// Reads processors, memory, disks and network. Rates are over the time since the last
/// reading, so it should be read every second or two.
#[derive(Debug)]
pub struct Meter {
    folder: PathBuf,
    system: System,
    networks: Networks,
    disks: Sectors,
    at: Instant,
}

impl Meter {
    /// A meter for a build on the filesystem of `folder`.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        let mut system = System::new();
        system.refresh_cpu_usage();
        Self {
            folder: folder.into(),
            system,
            networks: Networks::new_with_refreshed_list(),
            disks: Sectors::now(),
            at: Instant::now(),
        }
    }

    /// Reads them. What the machine does not show is 0.
    pub fn read(&mut self) -> Metrics {
        let passed = self.at.elapsed();
        self.at = Instant::now();
        self.system.refresh_cpu_usage();
        self.system.refresh_memory();
        self.networks.refresh(true);
        let disks = Sectors::now();
        let before = std::mem::replace(&mut self.disks, disks);
        let counted = self.networks.iter().filter(|(name, _)| is_a_device(name));
        let (received, sent) = counted.fold((0, 0), |(received, sent), (_, data)| {
            (received + data.received(), sent + data.transmitted())
        });
        Metrics {
            cpu_permille: permille(self.system.global_cpu_usage()),
            memory_used: self.system.used_memory(),
            memory_total: self.system.total_memory(),
            disk_read: per_second(disks.read.saturating_sub(before.read) * SECTOR, passed),
            disk_written: per_second(
                disks.written.saturating_sub(before.written) * SECTOR,
                passed,
            ),
            received: per_second(received, passed),
            sent: per_second(sent, passed),
            disk_free: free(&self.folder),
        }
    }
}

/// Sectors read from and written to all disks since the machine started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sectors {
    read: u64,
    written: u64,
}

impl Sectors {
    fn now() -> Self {
        let text = fs::read_to_string("/proc/diskstats").unwrap_or_default();
        Self::parse(&text, |name| {
            // Partitions are not below /sys/block, and what is stacked on disks has no device.
            Path::new("/sys/block").join(name).join("device").exists()
        })
    }

    /// Adds up the disks among the lines of `/proc/diskstats`.
    fn parse(text: &str, is_a_disk: impl Fn(&str) -> bool) -> Self {
        let counts = text.lines().filter_map(|line| {
            let mut fields = line.split_ascii_whitespace().skip(2);
            fields.next().filter(|name| is_a_disk(name))?;
            let read: u64 = fields.nth(2)?.parse().ok()?;
            let written: u64 = fields.nth(3)?.parse().ok()?;
            Some((read, written))
        });
        counts.fold(Self::default(), |sum, (read, written)| Self {
            read: sum.read + read,
            written: sum.written + written,
        })
    }
}

/// A network card: bridges and tunnels pass on what a card has counted already.
fn is_a_device(name: &str) -> bool {
    Path::new("/sys/class/net")
        .join(name)
        .join("device")
        .exists()
}

fn per_second(bytes: u64, passed: Duration) -> u64 {
    let millis = passed.as_millis().max(1);
    u64::try_from(u128::from(bytes) * 1000 / millis).unwrap_or(u64::MAX)
}

fn permille(percent: f32) -> u32 {
    let clamped = f64::from(percent).clamp(0.0, 100.0);
    // At most 1000, so it fits.
    (clamped * 10.0).round() as u32
}

/// Bytes that an ordinary user could still write to the filesystem of `folder`.
fn free(folder: &Path) -> u64 {
    nix::sys::statvfs::statvfs(folder)
        .map(|found| found.blocks_available() * found.fragment_size())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DISKSTATS: &str = "\
 254       0 vda 100 5 2000 10 50 6 4000 20 0 30 40 0 0 0 0 0 0
 254       1 vda1 90 5 1900 10 50 6 4000 20 0 30 40 0 0 0 0 0 0
   7       0 loop0 9 0 900 0 0 0 0 0 0 0 0
   8      16 sdb 1 0 8 0 2 0 16 0 0 0 0
 bad line
";

    #[test]
    fn disks_are_added_up_without_their_partitions() {
        let sectors = Sectors::parse(DISKSTATS, |name| ["vda", "sdb"].contains(&name));
        assert_eq!(
            sectors,
            Sectors {
                read: 2008,
                written: 4016
            }
        );
        assert_eq!(Sectors::parse("", |_| true), Sectors::default());
    }

    #[test]
    fn rates_are_per_second() {
        for (bytes, millis, want) in [
            (2000, 2000, 1000),
            (2000, 500, 4000),
            (0, 10, 0),
            (5, 0, 5000),
            (u64::MAX, 1, u64::MAX),
        ] {
            let rate = per_second(bytes, Duration::from_millis(millis));
            assert_eq!(rate, want, "{bytes} in {millis} ms");
        }
    }

    #[test]
    fn shares_stay_within_a_thousand() {
        for (percent, want) in [(0.0, 0), (12.34, 123), (100.0, 1000), (130.0, 1000)] {
            assert_eq!(permille(percent), want, "{percent}");
        }
        assert_eq!(permille(f32::NAN), 0);
    }

    #[test]
    fn this_machine_has_memory_and_room() {
        let mut meter = Meter::new("/");
        let metrics = meter.read();
        assert!(metrics.memory_total > 0, "{metrics:?}");
        assert!(metrics.memory_used <= metrics.memory_total, "{metrics:?}");
        assert!(metrics.disk_free > 0, "{metrics:?}");
        assert_eq!(Meter::new("/no/such/folder").read().disk_free, 0);
    }
}
