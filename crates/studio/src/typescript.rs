//! The page's types, written out from [`crate::model`].

use ts_rs::{Config, TS};

use crate::model::{
    BuildDetail, BuildRow, BuildState, Comparison, Draft, DraftSource, FieldDifference, Firmware,
    Fix, Language, PackageCost, PackageDifference, PackageHit, PackageHits, PackageLine, PickKind,
    Plan, Preview, PreviewWarning, Problem, ProfileCard, SearchState, ServiceState, ServiceWord,
    Settings, Severity, SizeDifference, StartPage, Surface, Theme, Totals,
};

const HEAD: &str = "\
/* Made from crates/studio/src/model by `cargo xtask generate`. Not to be edited. */

import type { BuildResult, ErrorMode, Pace, SessionChange, StepInfo } from '../protocol.ts';
import type { Json, Tree } from '../tree.ts';
";

/// Every generated file: its path in the repository, and what it should hold.
pub fn files() -> Vec<(&'static str, String)> {
    // JSON has one kind of number, and no count here passes 2^53.
    let config = Config::new().with_large_int("number");
    let types = [
        of::<ProfileCard>(&config),
        of::<ServiceWord>(&config),
        of::<ServiceState>(&config),
        of::<StartPage>(&config),
        of::<Fix>(&config),
        of::<Problem>(&config),
        of::<Draft>(&config),
        of::<DraftSource>(&config),
        of::<PickKind>(&config),
        of::<Totals>(&config),
        of::<Surface>(&config),
        of::<Severity>(&config),
        of::<PreviewWarning>(&config),
        of::<Preview>(&config),
        of::<PackageHit>(&config),
        of::<SearchState>(&config),
        of::<PackageHits>(&config),
        of::<PackageCost>(&config),
        of::<Plan>(&config),
        of::<BuildState>(&config),
        of::<BuildRow>(&config),
        of::<PackageLine>(&config),
        of::<BuildDetail>(&config),
        of::<FieldDifference>(&config),
        of::<PackageDifference>(&config),
        of::<SizeDifference>(&config),
        of::<Comparison>(&config),
        of::<Firmware>(&config),
        of::<Language>(&config),
        of::<Theme>(&config),
        of::<Settings>(&config),
    ];
    let text = format!("{HEAD}\n{}", types.join("\n"));
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    vec![("ui/src/lib/generated/backend.ts", lines.join("\n") + "\n")]
}

fn of<T: TS>(config: &Config) -> String {
    let docs = T::docs().unwrap_or_default();
    format!("{docs}export {}\n", T::decl(config))
}
