//! Builds measured beside other ways to make the same image, all in one run, on one machine,
//! from one mirror, with the same packages and the same compression.
//!
//! Everything happens in a folder of its own that is removed at the end; what is not ours
//! runs in namespaces of its own, because a build script that fails half-way leaves mounts.

mod measure;
mod report;
mod ways;

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::{Result, ensure};
use clap::ValueEnum;
use xshell::Shell;

use crate::{cargo, packages, system};
use report::{Report, Row};
use ways::{Change, Image, Ways};

/// What to measure, and against what.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to measure.
    #[arg(value_enum, default_value_t = Subject::Pipeline)]
    subject: Subject,
    /// How often; the ways take turns, and the median counts.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Measure live-build too, which takes about four minutes each time.
    #[arg(long)]
    with_live_build: bool,
    /// Where all packages come from.
    #[arg(
        long,
        value_name = "URI",
        default_value = "http://deb.debian.org/debian"
    )]
    mirror: String,
    /// Where the builds happen: a folder on a disk, with 15 GiB free.
    #[arg(long, value_name = "FOLDER", default_value = "/var/tmp")]
    scratch: PathBuf,
    /// Measure this program instead of building it, such as one of an earlier version.
    #[arg(long, value_name = "FILE")]
    isosmith: Option<PathBuf>,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Subject {
    /// From a profile to an ISO.
    Pipeline,
}

/// Measures, prints the figures, and keeps them in `bench/results`.
///
/// # Errors
///
/// When this is not root, or a build fails.
pub fn bench(shell: &Shell, args: &Args) -> Result<()> {
    ensure!(
        system::is_root(),
        "the other ways to build need root. Run: sudo env \"PATH=$PATH\" cargo xtask bench"
    );
    let live_build: &[_] = if args.with_live_build {
        packages::LIVE_BUILD
    } else {
        &[]
    };
    packages::ensure(
        shell,
        &[
            packages::BUILD,
            packages::MEDIA,
            packages::IMAGES,
            packages::OTHER_TREE,
            packages::HAND_SCRIPT,
            live_build,
        ],
    )?;
    let isosmith = match &args.isosmith {
        Some(path) => path.canonicalize()?,
        None => cargo::build_isosmith(shell)?,
    };
    match args.subject {
        Subject::Pipeline => pipeline(shell, args, isosmith),
    }
}

const FIRST: &str = "Isosmith, first build on a machine (tools made too)";
const COLD: &str = "Isosmith, empty cache but for the tools";
const SAME: &str = "Isosmith, nothing changed";
const BRANDING: &str = "Isosmith, another product name";
const WALLPAPER: &str = "Isosmith, another wallpaper";
const HAND: &str = "hand-written script";
const LIVE_BUILD: &str = "live-build, its defaults (xz)";

fn pipeline(shell: &Shell, args: &Args, isosmith: PathBuf) -> Result<()> {
    let scratch = tempfile::Builder::new()
        .prefix("isosmith-bench-")
        .tempdir_in(&args.scratch)?;
    let ways = Ways::new(shell, isosmith, scratch.path(), &args.mirror)?;
    let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
    let mut note = |name: &'static str, image: Image| {
        println!("{:>8.2} s  {name}", image.took.as_secs_f64());
        rows.entry(name)
            .or_insert_with(|| Row::new(name))
            .images
            .push(image);
    };

    note(FIRST, ways.isosmith(Change::None)?);
    for round in 0..args.rounds {
        println!("round {} of {}", round + 1, args.rounds);
        // Who goes first takes turns: the second one finds a warmer machine and mirror.
        if round % 2 == 0 {
            note(HAND, ways.hand_script()?);
        }
        ways.forget_all_but_tools()?;
        note(COLD, ways.isosmith(Change::None)?);
        note(SAME, ways.isosmith(Change::None)?);
        note(BRANDING, ways.isosmith(Change::Name(round))?);
        note(WALLPAPER, ways.isosmith(Change::Wallpaper(round))?);
        if round % 2 == 1 {
            note(HAND, ways.hand_script()?);
        }
        if args.with_live_build {
            note(LIVE_BUILD, ways.live_build()?);
        }
    }

    let order = [HAND, LIVE_BUILD, FIRST, COLD, SAME, BRANDING, WALLPAPER];
    let report = Report {
        date: xshell::cmd!(shell, "date --utc +%F").quiet().read()?,
        machine: system::Machine::read(),
        mirror: args.mirror.clone(),
        packages: ways.packages().to_vec(),
        rows: order.iter().filter_map(|name| rows.remove(name)).collect(),
        ratios: vec![(COLD, HAND), (COLD, LIVE_BUILD)],
    };
    let text = report.markdown();
    let base = format!("bench/results/{}-pipeline", report.date);
    shell.write_file(format!("{base}.md"), &text)?;
    shell.write_file(
        format!("{base}.json"),
        serde_json::to_string_pretty(&report.json())? + "\n",
    )?;
    println!("\n{text}\nkept in {base}.md and {base}.json");
    Ok(())
}
