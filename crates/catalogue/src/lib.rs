//! What an archive offers, read without rights: package search, what a package costs, and what
//! a spec comes to.
//!
//! **For display only.** Lists are checked against the checksums of the archive's Release file,
//! but nobody has checked the signature of that. Nothing here decides what is installed: a build
//! fetches its own lists, has apt verify their signatures, and has apt choose.
//!
//! [`Catalogue`] is the way in:
//!
//! 1. [`Sources::of`] says where a spec takes packages from, with [`mirrors::Machine`] in the
//!    place of `auto`.
//! 2. [`Catalogue::open`] is there at once and loads in the background: Release files first
//!    (`release`), then those lists that have changed (`load`, `fetch`), which become one compact
//!    index (`packages`, `index`), kept for the next time (`pack`, `store`).
//! 3. [`Catalogue::search`] finds packages by words (`search`).
//! 4. [`Catalogue::select`] chooses what a spec needs (`wanted`, `solve`). The [`Selection`] has
//!    the totals and says what one more package costs (`selection`, `size`).

pub mod mirrors;
pub mod version;
pub mod wanted;

mod catalogue;
mod fetch;
mod index;
mod limits;
mod load;
mod pack;
mod packages;
mod relation;
mod release;
mod search;
mod selection;
mod size;
mod solve;
mod sources;
mod store;
mod text;
mod trouble;

pub use catalogue::{Catalogue, State, Status};
pub use search::{Hit, Hits};
pub use selection::{Cost, Package, Selection, Solution, Totals};
pub use solve::{Because, Missing};
pub use sources::Sources;
