//! What a spec comes to.

use std::sync::Arc;

use isosmith_spec::model::{BuildSpec, Compression};
use serde::{Deserialize, Serialize};

use crate::{
    index::{Field, Index},
    size,
    solve::{Missing, Rules, Solver},
    wanted,
};

/// A package of a solution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Package {
    /// Its name.
    pub name: String,
    /// The version that would be installed.
    pub version: String,
    /// Packed, in bytes.
    pub download: u64,
    /// Unpacked, in bytes, as the package estimates it.
    pub installed: u64,
}

/// Which packages a spec comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Solution {
    /// All that is installed, by name.
    pub packages: Vec<Package>,
    /// What cannot be had.
    pub missing: Vec<Missing>,
}

/// What adding a package brings along.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cost {
    /// Names of all packages that come, the package itself with them; none if it is there.
    pub packages: Vec<String>,
    /// Packed, in bytes.
    pub download: u64,
    /// Unpacked, in bytes.
    pub installed: u64,
    /// Why it cannot be added.
    pub missing: Vec<Missing>,
}

/// The sums of a spec. Sizes are in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// How many packages are installed.
    pub packages: u64,
    /// Of all packages, with those that only lend files to the medium. What a build has already
    /// downloaded before is counted, too.
    pub download: u64,
    /// Unpacked, as the packages estimate it.
    pub installed: u64,
    /// The ISO, as an estimate.
    pub iso: u64,
    /// Whether the numbers of packages, download and installed size account for everything that
    /// the spec asks for: not if something is missing, or if there are local packages, whose
    /// needs are not known.
    pub exact: bool,
}

/// The packages of one spec, out of one state of the archives. Later states do not change it.
#[derive(Debug, Clone)]
pub struct Selection {
    index: Arc<Index>,
    rules: Rules,
    rows: Vec<u32>,
    missing: Vec<Missing>,
    /// Bytes of packages that only lend files to the medium.
    lent: u64,
    compression: Compression,
    local: bool,
}

impl Selection {
    /// Chooses packages as a build does: what every system begins with by itself, without
    /// Recommends, then all together.
    pub(crate) fn new(index: Arc<Index>, spec: &BuildSpec) -> Self {
        let left_out = spec.software.exclude.iter().map(ToString::to_string);
        let bare = Rules {
            recommends: false,
            left_out: left_out.collect(),
        };
        let rules = Rules {
            recommends: spec.software.recommends,
            ..bare.clone()
        };
        let base = base_names(&index, &bare);
        let mut first = Solver::new(&index, &bare, &[]);
        let mut missing = first.want(base.iter().copied());
        let mut rows = first.rows();

        let wanted = wanted::installed(spec);
        let mut all = Solver::new(&index, &rules, &[]);
        let names = base.into_iter().chain(wanted.iter().map(String::as_str));
        missing.extend(all.want(names));
        rows.extend(all.rows());
        rows.sort_unstable();
        rows.dedup();
        missing.sort_by(|left, right| left.wanted.cmp(&right.wanted));
        missing.dedup_by(|left, right| left.wanted == right.wanted);

        let lent = wanted::on_the_medium(spec)
            .into_iter()
            .filter_map(|name| index.find(name))
            .map(|row| index.row(row).download)
            .sum();
        Self {
            index,
            rules,
            rows,
            missing,
            lent,
            compression: spec.image.compression,
            local: !spec.software.debs.is_empty(),
        }
    }

    /// Which packages there are, and which cannot be had.
    pub fn solution(&self) -> Solution {
        let packages = self.rows.iter().map(|&row| {
            let kept = self.index.row(row);
            Package {
                name: self.index.get(row, Field::Name).to_owned(),
                version: self.index.get(row, Field::Version).to_owned(),
                download: kept.download,
                installed: u64::from(kept.installed) * 1024,
            }
        });
        Solution {
            packages: packages.collect(),
            missing: self.missing.clone(),
        }
    }

    /// Whether it has the package `name`.
    pub fn has(&self, name: &str) -> bool {
        let row = self.index.find(name);
        row.is_some_and(|row| self.rows.binary_search(&row).is_ok())
    }

    /// What adding the package `name` brings along beyond what is there.
    pub fn cost(&self, name: &str) -> Cost {
        let mut solver = Solver::new(&self.index, &self.rules, &self.rows);
        let missing = solver.want([name]);
        let mut added = solver.rows();
        added.retain(|row| self.rows.binary_search(row).is_err());
        let (download, installed) = sums(&self.index, &added);
        Cost {
            packages: added
                .iter()
                .map(|row| self.index.get(*row, Field::Name).to_owned())
                .collect(),
            download,
            installed,
            missing,
        }
    }

    /// The sums.
    pub fn totals(&self) -> Totals {
        let (download, installed) = sums(&self.index, &self.rows);
        Totals {
            packages: self.rows.len() as u64,
            download: download.saturating_add(self.lent),
            installed,
            iso: size::iso(download, installed, self.compression),
            exact: self.missing.is_empty() && !self.local,
        }
    }
}

/// Essential and required packages of the distribution, and apt. What is merely required may be
/// left out.
fn base_names<'a>(index: &'a Index, rules: &Rules) -> Vec<&'a str> {
    let marked = (0_u32..)
        .zip(index.rows())
        .filter(|(_, row)| row.base)
        .map(|(row, _)| index.get(row, Field::Name));
    let mut names: Vec<&str> = marked
        .chain(["apt"])
        .filter(|name| !rules.left_out.contains(*name))
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Bytes of `rows`, packed and unpacked. An archive may claim any size.
fn sums(index: &Index, rows: &[u32]) -> (u64, u64) {
    rows.iter().fold((0, 0), |(download, installed), row| {
        let row = index.row(*row);
        (
            u64::saturating_add(download, row.download),
            installed + u64::from(row.installed) * 1024,
        )
    })
}
