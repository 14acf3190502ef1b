//! What the page and the window's Rust side say to each other, as JSON.
//!
//! `ui/src/lib/generated` is made from these types by `cargo xtask generate`. Sizes are bytes
//! everywhere; paths of fields are those of `profiles/schema.json`, such as
//! `software.packages[3]`.

mod build;
mod draft;
mod settings;
mod start;

pub use build::{
    BuildDetail, BuildRow, BuildState, Comparison, FieldDifference, Firmware, PackageDifference,
    PackageLine, Plan, SizeDifference,
};
pub use draft::{
    Draft, DraftSource, Fix, PackageCost, PackageHit, PackageHits, PickKind, Preview,
    PreviewWarning, Problem, SearchState, Severity, Surface, Totals,
};
pub use settings::{Language, Settings, Theme};
pub use start::{ProfileCard, ServiceState, ServiceWord, StartPage};
