//! Two trees, and which of their differences are meant.

use std::{collections::BTreeMap, fs, os::unix::fs::MetadataExt, path::Path, process::Command};

use anyhow::{Context, Result};
use isosmith_tests::kit::{output, sha256};
use serde::Deserialize;

/// What a tree has at one path.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    mode: u32,
    owner: (u32, u32),
    /// Of a file its sum, of a link its target, of a device its number.
    content: String,
    capabilities: String,
}

/// A whole tree by path, each beginning with a slash.
#[derive(Debug)]
pub struct Tree(BTreeMap<String, Entry>);

impl Tree {
    /// Reads a tree.
    pub fn read(root: &Path) -> Result<Self> {
        let mut entries = BTreeMap::new();
        let own = fs::symlink_metadata(root)?;
        let top = Entry {
            mode: own.mode(),
            owner: (own.uid(), own.gid()),
            content: String::new(),
            capabilities: String::new(),
        };
        entries.insert("/".to_owned(), top);
        walk(root, root, &mut entries)?;
        // Paths that have capabilities, each followed by them (getcap(8)).
        for line in output(Command::new("getcap").arg("-r").arg(root))?.lines() {
            let Some((path, capabilities)) = line.rsplit_once(' ') else {
                continue;
            };
            let path = path
                .trim_end_matches(" =")
                .strip_prefix(&root.display().to_string())
                .unwrap_or(path);
            if let Some(entry) = entries.get_mut(path) {
                entry.capabilities = capabilities.to_owned();
            }
        }
        Ok(Self(entries))
    }
}

fn walk(root: &Path, folder: &Path, entries: &mut BTreeMap<String, Entry>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let meta = fs::symlink_metadata(&path)?;
        let kind = meta.file_type();
        let content = if kind.is_file() {
            sha256(&path)?
        } else if kind.is_symlink() {
            format!("-> {}", fs::read_link(&path)?.display())
        } else {
            format!("{:x}", meta.rdev())
        };
        let name = format!("/{}", path.strip_prefix(root)?.display());
        let capabilities = String::new();
        entries.insert(
            name,
            Entry {
                mode: meta.mode(),
                owner: (meta.uid(), meta.gid()),
                content,
                capabilities,
            },
        );
        if kind.is_dir() {
            walk(root, &path, entries)?;
        }
    }
    Ok(())
}

/// How a path differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    /// Only the image has it.
    Added,
    /// Only the plain tree has it.
    Missing,
    /// Another content, or another kind of file.
    Content,
    /// Another mode, owner or capability.
    Rights,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pattern {
    /// A path; `*` stands for anything within a name, `**` for anything.
    path: String,
    is: Kind,
    /// Why it is meant.
    reason: String,
}

/// The list of differences that are meant.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    difference: Vec<Pattern>,
}

/// What came of a comparison.
#[derive(Debug)]
pub struct Judged {
    /// Every difference.
    pub every: Vec<String>,
    /// Those that are on no list.
    pub unlisted: Vec<String>,
    /// Patterns that nothing fits.
    pub unused: Vec<String>,
}

impl Listed {
    /// Reads the list; each pattern must have a reason.
    pub fn read(path: &Path) -> Result<Self> {
        let listed: Self = toml::from_str(&fs::read_to_string(path)?)?;
        let without = listed
            .difference
            .iter()
            .find(|pattern| pattern.reason.trim().is_empty());
        anyhow::ensure!(without.is_none(), "{without:?} has no reason");
        Ok(listed)
    }

    /// Compares two trees.
    pub fn judge(&self, image: &Tree, plain: &Tree) -> Judged {
        let mut judged = Judged {
            every: Vec::new(),
            unlisted: Vec::new(),
            unused: Vec::new(),
        };
        let mut used = vec![false; self.difference.len()];
        for (path, kind, text) in differences(image, plain) {
            let line = format!("{kind:?} {path} {text}");
            let fits = |pattern: &Pattern| pattern.is == kind && matches(&pattern.path, &path);
            let mut found = false;
            for (number, pattern) in self.difference.iter().enumerate() {
                if fits(pattern) {
                    used[number] = true;
                    found = true;
                }
            }
            if !found {
                judged.unlisted.push(line.clone());
            }
            judged.every.push(line);
        }
        let unused = self.difference.iter().zip(used).filter(|(_, used)| !used);
        judged.unused = unused
            .map(|(pattern, _)| format!("{:?} {}", pattern.is, pattern.path))
            .collect();
        judged
    }
}

fn differences(image: &Tree, plain: &Tree) -> Vec<(String, Kind, String)> {
    let mut found = Vec::new();
    for (path, entry) in &image.0 {
        let Some(other) = plain.0.get(path) else {
            found.push((path.clone(), Kind::Added, String::new()));
            continue;
        };
        if entry.content != other.content || entry.mode >> 12 != other.mode >> 12 {
            found.push((path.clone(), Kind::Content, String::new()));
        }
        let rights = |entry: &Entry| {
            format!(
                "{:o} {:?} {}",
                entry.mode & 0o7777,
                entry.owner,
                entry.capabilities
            )
        };
        if rights(entry) != rights(other) {
            found.push((
                path.clone(),
                Kind::Rights,
                format!("{} not {}", rights(entry), rights(other)),
            ));
        }
    }
    let missing = plain.0.keys().filter(|path| !image.0.contains_key(*path));
    found.extend(missing.map(|path| (path.clone(), Kind::Missing, String::new())));
    found
}

/// Whether a path fits a pattern; see [`Pattern::path`].
fn matches(pattern: &str, path: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else {
        return pattern == path;
    };
    let Some(rest) = path.strip_prefix(before) else {
        return false;
    };
    let (deep, after) = match after.strip_prefix('*') {
        Some(after) => (true, after),
        None => (false, after),
    };
    let ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
    ends.take_while(|at| deep || !rest[..*at].contains('/'))
        .any(|at| matches(after, &rest[at..]))
}
