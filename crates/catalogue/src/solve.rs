//! What packages need: an estimate of what apt will choose on a system with nothing installed.
//!
//! It follows the rules that matter for counts and sizes: an alternative that is already chosen
//! before others, the first that can be had otherwise, a package before those that provide it.
//! It does not look back: a choice that later turns out badly is taken back only together with
//! the package that needed it. What is built is what apt chooses.

use std::collections::{HashMap, HashSet, VecDeque};

use serde::{Deserialize, Serialize};

use crate::{
    index::{Field, Index},
    relation::{Atom, alternatives, groups},
};

/// Why a package cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "camelCase")]
pub enum Because {
    /// No archive of the spec has it.
    Unknown,
    /// The spec leaves `package` out.
    LeftOut {
        /// Its name.
        package: String,
    },
    /// `package` cannot be together with `other`, which is chosen already.
    Conflict {
        /// What would be added.
        package: String,
        /// What is in its way.
        other: String,
    },
    /// `package` needs something that no archive of the spec has.
    Needs {
        /// Who needs it.
        package: String,
        /// What, as the package says it: `libc6 (>= 2.41)`.
        relation: String,
    },
}

/// A package that was asked for and cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Missing {
    /// Its name.
    pub wanted: String,
    /// Why not.
    pub because: Because,
}

/// How a spec wants packages to be chosen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules {
    pub(crate) recommends: bool,
    pub(crate) left_out: HashSet<String>,
}

/// How far one package's needs are followed at a time; the rest comes later. Keeps the stack
/// small however long a chain an archive has.
const DEEPEST: usize = 200;

/// How many relations are looked at in all; a whole desktop has some ten thousand. A hostile
/// archive must not keep a processor busy.
const MOST_LOOKS: u32 = 5_000_000;

/// A choice of packages that grows.
#[derive(Debug)]
pub(crate) struct Solver<'a> {
    index: &'a Index,
    rules: &'a Rules,
    chosen: Vec<bool>,
    /// In the order in which they were chosen.
    trail: Vec<u32>,
    /// What chosen packages refuse, and which they are.
    barred: HashMap<&'a str, Vec<(Atom<'a>, u32)>>,
    failed: HashMap<u32, Because>,
    later: Vec<u32>,
    /// Chosen packages whose Recommends are still to be looked at: after all that is needed, so
    /// that something needed can be what is recommended.
    recommending: VecDeque<u32>,
    looks: u32,
}

impl<'a> Solver<'a> {
    /// Begins with packages whose needs are already met among themselves.
    pub(crate) fn new(index: &'a Index, rules: &'a Rules, present: &[u32]) -> Self {
        let mut solver = Self {
            index,
            rules,
            chosen: vec![false; index.rows().len()],
            trail: Vec::new(),
            barred: HashMap::new(),
            failed: HashMap::new(),
            later: Vec::new(),
            recommending: VecDeque::new(),
            looks: 0,
        };
        for row in present {
            solver.choose(*row);
        }
        solver
    }

    /// Adds the packages `names` with all they need; returns what cannot be had.
    pub(crate) fn want<'n>(&mut self, names: impl IntoIterator<Item = &'n str>) -> Vec<Missing> {
        let mut missing = Vec::new();
        let mut asked = VecDeque::new();
        // All of them first: an alternative that is asked for comes before any other.
        for name in names {
            match self.asked(name) {
                Ok(None) => {}
                Ok(Some(row)) => asked.push_back(row),
                Err(because) => missing.push(Missing {
                    wanted: name.to_owned(),
                    because,
                }),
            }
        }
        loop {
            while let Some(row) = asked.pop_front().or_else(|| self.later.pop()) {
                if !self.chosen[row as usize] {
                    continue;
                }
                let mark = self.trail.len();
                if let Err(because) = self.settle(row, 0) {
                    self.back_to(mark);
                    self.drop(row);
                    missing.push(Missing {
                        wanted: self.name(row).to_owned(),
                        because,
                    });
                }
            }
            match self.recommending.pop_front() {
                None => break,
                Some(row) if self.chosen[row as usize] => self.indulge(row),
                Some(_) => {}
            }
        }
        missing
    }

    /// All that is chosen, by name.
    pub(crate) fn rows(&self) -> Vec<u32> {
        let mut rows = self.trail.clone();
        rows.sort_unstable();
        rows
    }

    fn name(&self, row: u32) -> &'a str {
        self.index.get(row, Field::Name)
    }

    /// Chooses what is asked for by name; `None` if it already is. Of a name that only others
    /// provide, a single provider is meant, as apt has it.
    fn asked(&mut self, name: &str) -> Result<Option<u32>, Because> {
        let row = match self.index.find(name) {
            Some(row) => row,
            None => {
                let mut providers = self.index.meeting(Atom { name, bound: None });
                match (providers.next(), providers.next()) {
                    (Some(row), None) => row,
                    (None, _) | (Some(_), Some(_)) => return Err(Because::Unknown),
                }
            }
        };
        if self.chosen[row as usize] {
            return Ok(None);
        }
        self.allow(row)?;
        self.choose(row);
        Ok(Some(row))
    }

    /// Chooses what `row`, which is chosen, needs; what it recommends comes later.
    fn settle(&mut self, row: u32, depth: usize) -> Result<(), Because> {
        if depth > DEEPEST {
            self.later.push(row);
            return Ok(());
        }
        let index = self.index;
        for field in [Field::PreDepends, Field::Depends] {
            for group in groups(index.get(row, field)) {
                self.meet(row, group, depth)?;
            }
        }
        if self.rules.recommends {
            self.recommending.push_back(row);
        }
        Ok(())
    }

    /// Chooses what `row` recommends. What cannot be had is done without.
    fn indulge(&mut self, row: u32) {
        let index = self.index;
        for group in groups(index.get(row, Field::Recommends)) {
            let _ = self.meet(row, group, 0);
        }
    }

    fn meet(&mut self, row: u32, group: &'a str, depth: usize) -> Result<(), Because> {
        let index = self.index;
        self.looks += 1;
        let met = alternatives(group).any(|atom| {
            index
                .meeting(atom)
                .any(|candidate| self.chosen[candidate as usize])
        });
        if met || self.looks > MOST_LOOKS {
            return Ok(());
        }
        let mut because = None;
        for atom in alternatives(group) {
            for candidate in index.meeting(atom) {
                match self.add(candidate, depth + 1) {
                    Ok(()) => return Ok(()),
                    Err(why) => {
                        because.get_or_insert(why);
                    }
                }
            }
        }
        Err(because.unwrap_or_else(|| Because::Needs {
            package: self.name(row).to_owned(),
            relation: group.to_owned(),
        }))
    }

    fn add(&mut self, row: u32, depth: usize) -> Result<(), Because> {
        if let Some(because) = self.failed.get(&row) {
            return Err(because.clone());
        }
        let mark = self.trail.len();
        let added = self.allow(row).and_then(|()| {
            self.choose(row);
            self.settle(row, depth)
        });
        if let Err(because) = &added {
            self.back_to(mark);
            self.failed.insert(row, because.clone());
        }
        added
    }

    /// Whether `row` may be chosen beside what is.
    fn allow(&self, row: u32) -> Result<(), Because> {
        let name = self.name(row);
        if self.rules.left_out.contains(name) {
            return Err(Because::LeftOut {
                package: name.to_owned(),
            });
        }
        match self.in_the_way(row) {
            None => Ok(()),
            Some(other) => Err(Because::Conflict {
                package: name.to_owned(),
                other: self.name(other).to_owned(),
            }),
        }
    }

    fn in_the_way(&self, row: u32) -> Option<u32> {
        let index = self.index;
        let refused = refusals(index, row).find_map(|atom| {
            index
                .meeting(atom)
                .find(|other| *other != row && self.chosen[*other as usize])
        });
        let refusing = |name: &str, fits: &dyn Fn(&Atom<'_>) -> bool| {
            let atoms = self.barred.get(name)?;
            let (_, by) = atoms.iter().find(|(atom, by)| *by != row && fits(atom))?;
            Some(*by)
        };
        let version = index.get(row, Field::Version);
        refused
            .or_else(|| refusing(self.name(row), &|atom| atom.allows(version)))
            .or_else(|| {
                groups(index.get(row, Field::Provides))
                    .flat_map(alternatives)
                    .find_map(|provided| {
                        refusing(provided.name, &|atom| {
                            atom.allows_provided(provided.version())
                        })
                    })
            })
    }

    fn choose(&mut self, row: u32) {
        self.chosen[row as usize] = true;
        self.trail.push(row);
        for atom in refusals(self.index, row) {
            self.barred.entry(atom.name).or_default().push((atom, row));
        }
    }

    fn back_to(&mut self, mark: usize) {
        while self.trail.len() > mark {
            if let Some(row) = self.trail.pop() {
                self.forget(row);
            }
        }
    }

    fn drop(&mut self, row: u32) {
        self.trail.retain(|chosen| *chosen != row);
        self.forget(row);
    }

    fn forget(&mut self, row: u32) {
        self.chosen[row as usize] = false;
        for atom in refusals(self.index, row) {
            if let Some(barred) = self.barred.get_mut(atom.name) {
                barred.retain(|(_, by)| *by != row);
            }
        }
    }
}

/// What a package cannot be together with.
fn refusals(index: &Index, row: u32) -> impl Iterator<Item = Atom<'_>> {
    [Field::Conflicts, Field::Breaks]
        .into_iter()
        .flat_map(move |field| groups(index.get(row, field)))
        .flat_map(alternatives)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packages::{Builder, Standing};

    /// A package on each line: its name, then its fields.
    const ARCHIVE: &str = "
app; Depends: lib (>= 2), shell | other-shell
lib; Version: 2; Depends: libc
libc; Pre-Depends: linker
linker
shell; Conflicts: other-shell
other-shell
mailer; Depends: mta
exim; Provides: mta; Conflicts: mta
postfix; Provides: mta; Priority: important; Conflicts: mta
reader; Recommends: fonts, nonesuch, mailer; Depends: libc
fonts; Depends: nonesuch-too
picky; Depends: lib (>= 3)
either; Depends: nonesuch | picky | libc
first; Depends: second
second; Depends: first
old; Depends: thing (= 1)
new; Depends: thing (>= 1)
thing-1; Provides: thing (= 1)
thing; Version: 2
loner; Breaks: lib (<< 3)
fussy; Depends: other-shell, shell
deep; Depends: fussy | linker
";

    fn index(list: &str) -> Index {
        let mut builder = Builder::default();
        let standing = Standing {
            base: true,
            automatic: true,
            preferred: &[],
        };
        builder.add(list.as_bytes(), standing).expect("a list");
        builder.finish()
    }

    fn archive() -> Index {
        let lines = ARCHIVE.lines().filter(|line| !line.is_empty());
        let stanzas = lines.map(|line| {
            let fields = line.replace("; ", "\n");
            let version = if fields.contains("Version") {
                ""
            } else {
                "\nVersion: 1"
            };
            format!("Package: {fields}{version}\n")
        });
        index(&stanzas.collect::<Vec<_>>().join("\n"))
    }

    fn solve(rules: &Rules, wanted: &str) -> (String, Vec<Missing>) {
        let index = archive();
        let mut solver = Solver::new(&index, rules, &[]);
        let missing = solver.want(wanted.split(' '));
        let rows = solver.rows();
        let names: Vec<_> = rows
            .iter()
            .map(|row| index.get(*row, Field::Name))
            .collect();
        (names.join(" "), missing)
    }

    fn check(rules: &Rules, wanted: &str, want: &str) {
        assert_eq!(solve(rules, wanted), (want.to_owned(), vec![]), "{wanted}");
    }

    fn refused(rules: &Rules, wanted: &str, want: &str, because: Because) {
        let (names, missing) = solve(rules, wanted);
        assert_eq!(names, want, "{wanted}");
        let reasons: Vec<_> = missing.into_iter().map(|entry| entry.because).collect();
        assert_eq!(reasons, [because], "{wanted}");
    }

    #[test]
    fn needs_are_followed() {
        let rules = Rules::default();
        check(&rules, "linker", "linker");
        check(&rules, "app", "app lib libc linker shell");
        check(&rules, "app other-shell", "app lib libc linker other-shell");
        check(&rules, "first", "first second");
        check(&rules, "either", "either libc linker");
        check(&rules, "deep", "deep linker");
        check(&rules, "new", "new thing");
        check(&rules, "old", "old thing-1");
        check(&rules, "old new", "new old thing-1");
    }

    #[test]
    fn something_provided_comes_from_the_most_important() {
        let rules = Rules::default();
        check(&rules, "mailer", "mailer postfix");
        check(&rules, "exim mailer", "exim mailer");
        check(&rules, "mailer exim", "exim mailer");
    }

    #[test]
    fn recommends_come_where_they_are_wanted_and_can_be_had() {
        let with = Rules {
            recommends: true,
            ..Rules::default()
        };
        check(&Rules::default(), "reader", "libc linker reader");
        check(&with, "reader", "libc linker mailer postfix reader");
        check(&with, "reader exim", "exim libc linker mailer reader");
    }

    #[test]
    fn what_is_left_out_stays_out() {
        let without = |name: &str| Rules {
            left_out: HashSet::from([name.to_owned()]),
            recommends: true,
        };
        check(&without("shell"), "app", "app lib libc linker other-shell");
        check(&without("postfix"), "mailer", "exim mailer");
        check(&without("mailer"), "reader", "libc linker reader");
        let because = Because::LeftOut {
            package: "libc".to_owned(),
        };
        refused(&without("libc"), "lib", "", because.clone());
        refused(&without("libc"), "app linker", "linker", because);
    }

    #[test]
    fn what_cannot_be_had_is_said() {
        let rules = Rules::default();
        refused(&rules, "gaem linker", "linker", Because::Unknown);
        refused(&rules, "mta", "", Because::Unknown);
        refused(
            &rules,
            "picky linker",
            "linker",
            Because::Needs {
                package: "picky".to_owned(),
                relation: "lib (>= 3)".to_owned(),
            },
        );
        let conflict = |package: &str, other: &str| Because::Conflict {
            package: package.to_owned(),
            other: other.to_owned(),
        };
        refused(&rules, "fussy", "", conflict("shell", "other-shell"));
        refused(
            &rules,
            "shell other-shell",
            "shell",
            conflict("other-shell", "shell"),
        );
        refused(&rules, "exim postfix", "exim", conflict("postfix", "exim"));
        refused(
            &rules,
            "lib loner",
            "lib libc linker",
            conflict("loner", "lib"),
        );
    }

    #[test]
    fn a_chain_of_any_length_is_followed() {
        let mut list = String::new();
        for number in 0..20_000 {
            let next = number + 1;
            list += &format!("Package: p{number}\nVersion: 1\nDepends: p{next}\n\n");
        }
        list += "Package: p20000\nVersion: 1\n";
        let (index, rules) = (index(&list), Rules::default());
        let mut solver = Solver::new(&index, &rules, &[]);
        assert_eq!(solver.want(["p0"]), []);
        assert_eq!(solver.rows().len(), 20_001);
    }
}
