//! The command line, as written.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use isosmith_protocol::{CacheLimit, ErrorMode, Manner, Pace};

/// Make your own Linux distribution: from a profile to a bootable ISO.
#[derive(Debug, Parser)]
#[command(name = "isosmith", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// What holds for every command.
    #[command(flatten)]
    pub common: Common,
}

/// What the exit status means.
pub const EXIT_CODES: &str = "\
Exit status:
  0    it worked
  1    a fault that has no number of its own
  2    the command line is wrong
  3    the profile is wrong, or a file that it names; or there is no such build
  4    a right is missing, was refused, or its question was closed
  5    the network or a mirror
  6    a signature or checksum
  7    a package
  8    disk, memory, another build in the way, a full queue, or no service where one is needed
  9    a namespace or mount
  130  stopped, or left before the end";

/// What holds for every command.
#[derive(Debug, Args)]
pub struct Common {
    /// Say only what went wrong.
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Say more; twice for everything.
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// How diagnostics look.
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    /// Where builds are kept [default: /var/lib/isosmith/direct for root, else ~/.local/state/isosmith].
    #[arg(long, global = true, value_name = "FOLDER")]
    pub state_dir: Option<PathBuf>,
    /// Where downloads and finished layers are kept [default: /var/cache/isosmith/direct for root, else ~/.cache/isosmith].
    #[arg(long, global = true, value_name = "FOLDER")]
    pub cache_dir: Option<PathBuf>,
    /// Have the system service build, as root too.
    #[arg(long, global = true, conflicts_with_all = ["direct", "state_dir", "cache_dir"])]
    pub service: bool,
    /// Build without the system service, with the rights that this user has.
    #[arg(long, global = true)]
    pub direct: bool,
}

/// How diagnostics look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

/// Which profile, and what to change in it.
#[derive(Debug, Clone, Args)]
pub struct ProfileArgs {
    /// A profile's name, its folder, or its file.
    pub profile: String,
    /// Change a field, such as image.compression=zstd:19; may be given many times.
    #[arg(long, value_name = "FIELD=VALUE")]
    pub set: Vec<String>,
}

/// How to build.
#[derive(Debug, Clone, Args)]
pub struct BuildArgs {
    /// Where the ISO goes [default: here; for a build that is resumed, where it was to go].
    #[arg(long, short, value_name = "FOLDER")]
    pub output: Option<PathBuf>,
    /// Print the protocol, one JSON object per line, and nothing else.
    #[arg(long)]
    pub json: bool,
    /// Say for each step why its result does not come from the cache.
    #[arg(long)]
    pub explain_cache: bool,
    /// End at the first failure, without another try.
    #[arg(long)]
    pub strict: bool,
    /// Leave out what the system can do without when it fails: scripts of the profile, services
    /// that cannot be switched. The report names it.
    #[arg(long, conflicts_with = "strict")]
    pub permissive: bool,
    /// How much of the machine to take: auto, conservative or aggressive.
    #[arg(long, value_name = "PACE", default_value_t)]
    pub pace: Pace,
    /// Let the cache take no more than so many gigabytes once the build has succeeded: what was
    /// used longest ago goes. At least 4.
    #[arg(long, value_name = "GB")]
    pub cache_limit: Option<CacheLimit>,
    /// Who packs the tree.
    #[arg(long, value_enum, default_value_t = Writer::Isosmith)]
    pub squashfs_writer: Writer,
    /// How many finished builds stay in the history; the service has its own.
    #[arg(long, value_name = "NUMBER", default_value_t = 10)]
    pub keep: usize,
}

impl BuildArgs {
    /// How the build is to be done.
    pub const fn manner(&self) -> Manner {
        Manner {
            errors: match (self.strict, self.permissive) {
                (true, _) => ErrorMode::Strict,
                (false, true) => ErrorMode::Permissive,
                (false, false) => ErrorMode::Graceful,
            },
            pace: self.pace,
            cache_limit: self.cache_limit,
        }
    }
}

/// Who packs the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Writer {
    /// Isosmith's own, which takes unchanged blocks from earlier images.
    Isosmith,
    /// mksquashfs of squashfs-tools.
    Mksquashfs,
}

/// What to do about what a build asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Answer {
    /// The cause is gone: try the step again.
    Retry,
    /// End the build; it can be resumed.
    Stop,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Build an ISO.
    ///
    /// Where the system service is installed, it builds for ordinary users, once a question for
    /// the right to do so was answered, and the ISO appears in the output folder. Root builds
    /// itself, as does an ordinary user on a machine without the service, with --direct, and
    /// with --state-dir or --cache-dir.
    ///
    /// Ctrl-C stops the build; once more, and its end is not waited for. A build in the service
    /// outlives a closed terminal: `isosmith attach` returns to it.
    Build {
        /// Which profile.
        #[command(flatten)]
        profile: ProfileArgs,
        /// How.
        #[command(flatten)]
        build: BuildArgs,
    },
    /// Look for problems in a profile.
    Check {
        /// Which profile.
        #[command(flatten)]
        profile: ProfileArgs,
        /// Print the problems as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show the steps of a build without doing them.
    Plan {
        /// Which profile.
        #[command(flatten)]
        profile: ProfileArgs,
        /// Print JSON.
        #[arg(long)]
        json: bool,
        /// Show every field of the profile and where its value came from.
        #[arg(long)]
        explain: bool,
        /// Print every command that would run; versions read VERSION.
        #[arg(long)]
        dry_run: bool,
    },
    /// List the profiles that can be built by name.
    Profiles {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// List the builds so far.
    Builds {
        /// Print JSON.
        #[arg(long)]
        json: bool,
        /// Also other people's builds in the service, which is a right of its own.
        #[arg(long, conflicts_with_all = ["direct", "state_dir", "cache_dir"])]
        everybody: bool,
    },
    /// Return to a build, and see it from its beginning.
    ///
    /// Ctrl-C leaves it, and it goes on.
    Attach {
        /// Its id, from `isosmith builds` [default: the newest that runs].
        id: Option<String>,
        /// Print the protocol, one JSON object per line, and nothing else.
        #[arg(long)]
        json: bool,
    },
    /// Answer the question of a build that waits for a person.
    #[command(allow_missing_positional = true)]
    Answer {
        /// Its id, from `isosmith builds` [default: the newest that runs].
        id: Option<String>,
        /// What to do.
        #[arg(value_enum)]
        choice: Answer,
        /// The question's number [default: the one that is open].
        #[arg(long, value_name = "NUMBER")]
        question: Option<u32>,
    },
    /// Go on with a build that was stopped.
    ///
    /// Ctrl-C stops it again, as for `build`.
    Resume {
        /// Its id, from `isosmith builds`.
        id: String,
        /// How.
        #[command(flatten)]
        build: BuildArgs,
    },
    /// Stop a running build, wherever it runs.
    Cancel {
        /// Its id, from `isosmith builds`.
        id: String,
    },
    /// Free the room that builds have taken.
    Clean {
        /// Show what would go, and remove nothing.
        #[arg(long)]
        dry_run: bool,
        /// Everything: downloads, layers, tools.
        #[arg(long, conflicts_with = "unused")]
        all: bool,
        /// Results that were not used for so many days; the service has a measure of its own.
        #[arg(long, value_name = "DAYS")]
        unused: Option<u64>,
    },
    /// Look whether an ISO is whole and would start.
    Verify {
        /// The ISO.
        iso: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
        /// Want it to start on a BIOS [default: what the ISO says it is].
        #[arg(long)]
        bios: bool,
        /// Want it to start on UEFI.
        #[arg(long)]
        uefi: bool,
        /// Want it to start with Secure Boot.
        #[arg(long)]
        secure_boot: bool,
    },
    /// Start an ISO in QEMU and see whether it comes up.
    TestBoot(TestBootArgs),
    /// Start an ISO in a window, to look at it.
    ///
    /// Nothing is written: the machine has no disk. It ends when it is switched off, restarts, or
    /// its window is closed.
    Try(TryArgs),
    /// Print the JSON schema of profiles.
    Schema,
    /// Print completions for a shell.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
    /// Write the manual pages.
    Man {
        /// Where they go.
        folder: PathBuf,
    },
}

/// How to start an ISO in QEMU.
#[derive(Debug, Args)]
pub struct TestBootArgs {
    /// The ISO.
    pub iso: PathBuf,
    /// What kind of machine.
    #[arg(long, value_enum, default_value_t = Machine::Bios)]
    pub firmware: Machine,
    /// Plug it in as a stick instead of a disc.
    #[arg(long)]
    pub usb: bool,
    /// What to wait for on the serial line [default: a login prompt].
    #[arg(long, value_name = "TEXT")]
    pub marker: Option<String>,
    /// How long to wait, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub timeout: u64,
    /// Memory in MiB.
    #[arg(long, value_name = "MIB", default_value_t = 2048)]
    pub memory: u32,
    /// Save a picture of the screen at the end (PNG).
    #[arg(long, value_name = "FILE")]
    pub screendump: Option<PathBuf>,
    /// Save a picture of the boot menu (PNG).
    #[arg(long, value_name = "FILE")]
    pub menu_screendump: Option<PathBuf>,
    /// Save what the machine wrote on its serial line.
    #[arg(long, value_name = "FILE")]
    pub serial_log: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// How to look at an ISO.
#[derive(Debug, Args)]
pub struct TryArgs {
    /// The ISO.
    pub iso: PathBuf,
    /// What kind of machine.
    #[arg(long, value_enum, default_value_t = Machine::Bios)]
    pub firmware: Machine,
    /// Memory in MiB.
    #[arg(long, value_name = "MIB", default_value_t = 2048)]
    pub memory: u32,
    /// Give it no network.
    #[arg(long)]
    pub offline: bool,
}

/// A kind of machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Machine {
    /// A BIOS.
    Bios,
    /// UEFI without Secure Boot.
    Uefi,
    /// UEFI with Secure Boot enforced and Microsoft's keys.
    SecureBoot,
}
