//! What kind of machine this is.

use std::fs;

use nix::unistd::Uid;

/// Whether this runs as root.
pub fn is_root() -> bool {
    Uid::effective().is_root()
}

/// A machine whose packages can be installed by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distribution {
    /// Debian 12 or 13, or Ubuntu 24.04.
    Known,
    /// Anything else: the names of packages may differ.
    Other,
}

/// Which one this machine is.
pub fn distribution() -> Distribution {
    let text = fs::read_to_string("/etc/os-release")
        .or_else(|_| fs::read_to_string("/usr/lib/os-release"))
        .unwrap_or_default();
    parse_distribution(&text)
}

/// Reads os-release(5).
fn parse_distribution(text: &str) -> Distribution {
    let field = |name: &str| {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.unwrap_or_default().trim_matches(['"', '\''])
    };
    match (field("ID"), field("VERSION_ID")) {
        ("debian", "12" | "13") | ("ubuntu", "24.04") => Distribution::Known,
        _ => Distribution::Other,
    }
}

/// Cores, memory, kernel and system, for a report of figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// How many cores this process may use.
    pub cores: usize,
    /// In MiB.
    pub memory_mib: u64,
    /// Release of the kernel.
    pub kernel: String,
    /// `PRETTY_NAME` of the system.
    pub system: String,
    /// Model of the processor.
    pub processor: String,
}

impl Machine {
    /// Looks at this machine.
    pub fn read() -> Self {
        let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let after = |text: &str, name: &str, mark: char| {
            let line = text
                .lines()
                .find(|line| line.starts_with(name))
                .unwrap_or_default();
            line.split_once(mark)
                .map_or("", |(_, value)| value)
                .trim()
                .to_owned()
        };
        let memory = after(&text("/proc/meminfo"), "MemTotal", ':');
        Self {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_mib: memory
                .split(' ')
                .next()
                .and_then(|kib| kib.parse::<u64>().ok())
                .unwrap_or(0)
                / 1024,
            kernel: text("/proc/sys/kernel/osrelease").trim().to_owned(),
            system: after(&text("/etc/os-release"), "PRETTY_NAME", '=')
                .trim_matches('"')
                .to_owned(),
            processor: after(&text("/proc/cpuinfo"), "model name", ':'),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_systems_are_told_from_others() {
        for (text, want) in [
            ("ID=debian\nVERSION_ID=\"12\"\n", Distribution::Known),
            (
                "PRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\nID=debian\nVERSION_ID='13'\n",
                Distribution::Known,
            ),
            ("ID=ubuntu\nVERSION_ID=\"24.04\"\n", Distribution::Known),
            ("ID=ubuntu\nVERSION_ID=\"22.04\"\n", Distribution::Other),
            ("ID=debian\n", Distribution::Other),
            (
                "ID_LIKE=debian\nID=linuxmint\nVERSION_ID=\"22\"\n",
                Distribution::Other,
            ),
            ("", Distribution::Other),
        ] {
            assert_eq!(parse_distribution(text), want, "{text:?}");
        }
    }
}
