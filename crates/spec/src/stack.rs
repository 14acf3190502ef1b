//! Which texts there are: each layer after the parents it extends.

use crate::layer::{Layer, Origin};
use crate::merge::Finder;
use crate::names::slug;
use crate::problem::{Problem, Reason, quote};
use crate::tree::{Node, Written};
use crate::written;

/// How many profiles may stand on one another.
const MOST_PARENTS: usize = 16;

/// What a settings file may hold; a name with a dot at its end stands for its whole table.
const SETTINGS: [&str; 7] = [
    "base.mirrors",
    "base.proxy",
    "base.snapshot_base",
    "format",
    "image.checksums",
    "image.compression",
    "region.",
];

/// The layers read so far, each parent before its child.
pub(crate) struct Stack<'f> {
    pub(crate) origins: Vec<Origin>,
    pub(crate) read: Vec<Node>,
    pub(crate) problems: Vec<Problem>,
    /// Whether every text could be read.
    pub(crate) complete: bool,
    pub(crate) finder: Finder<'f>,
}

impl Stack<'_> {
    /// Reads a layer after the parents it extends. `names` are the profiles on the way here.
    pub(crate) fn push(&mut self, layer: &Layer, names: &mut Vec<String>) {
        let index = self.origins.len();
        self.origins.push(layer.origin.clone());
        let Some(mut node) = written::read(layer, index, &mut self.problems) else {
            self.complete = false;
            return;
        };
        let mut extends = None;
        if let Written::Table(table) = &mut node.value {
            extends = table.remove("extends");
        }
        self.check_layer(&node, layer);
        if let Some(extends) = extends.filter(|_| layer.origin.is_profile()) {
            self.extend(&extends, &layer.origin, names);
        }
        self.read.push(node);
    }

    fn extend(&mut self, extends: &Node, origin: &Origin, names: &mut Vec<String>) {
        let Some(name) = extends.text() else { return };
        let refuse = |message, fix: &str| {
            Problem::new("extends", Reason::new(message, fix), Some(origin.clone()))
        };
        if names.iter().any(|seen| seen == name) {
            let way = names.join(" → ");
            self.problems.push(refuse(
                format!(
                    "the profiles extend each other in a circle: {way} → {}",
                    shown(name)
                ),
                "let one of them stand on its own",
            ));
            return;
        }
        if names.len() >= MOST_PARENTS {
            self.problems.push(refuse(
                format!("more than {MOST_PARENTS} profiles extend one another"),
                "extend a profile further down the chain",
            ));
            return;
        }
        // The finder may turn the name into a path.
        if let Err(reason) = slug(name, "profile name") {
            self.problems
                .push(Problem::new("extends", reason, Some(origin.clone())));
            return;
        }
        let Some(parent) = (self.finder)(name) else {
            self.problems.push(refuse(
                format!("there is no profile named {}", quote(name)),
                "write the name of a profile that `isosmith profiles` lists",
            ));
            return;
        };
        names.push(name.to_owned());
        let parent = Layer {
            origin: Origin::Profile(name.to_owned()),
            ..parent
        };
        self.push(&parent, names);
    }

    /// What a layer as a whole must and must not hold.
    fn check_layer(&mut self, node: &Node, layer: &Layer) {
        let missing = |path: &str, fix: &str| {
            Problem::new(
                path,
                Reason::new(format!("the profile has no `{path}`"), fix),
                Some(layer.origin.clone()),
            )
        };
        if layer.origin.is_profile() && !node.has("format") {
            self.problems
                .push(missing("format", "write `format = 1` at its top"));
        }
        if layer.origin.is_profile()
            && !node.has("profile.name")
            && node.nearest_to("profile").value != Written::Refused
        {
            self.problems.push(missing(
                "profile.name",
                "write a section `[profile]` with a `name`",
            ));
        }
        if layer.origin.is_settings() {
            let mut paths = Vec::new();
            collect(node, &mut paths);
            let refused = paths.into_iter().filter(|path| !is_setting(path));
            self.problems.extend(refused.map(|path| {
                Problem::new(
                    path.clone(),
                    Reason::new(
                        format!("settings cannot hold `{path}`: it would silently change what every profile builds"),
                        "write it into a profile, or use `--set` for a single build",
                    ),
                    Some(layer.origin.clone()),
                )
            }));
        }
    }
}

fn shown(name: &str) -> String {
    quote(name).trim_matches('`').to_owned()
}

fn is_setting(path: &str) -> bool {
    SETTINGS.iter().any(|known| match known.ends_with('.') {
        true => path.starts_with(known),
        false => path == *known,
    })
}

/// Paths of everything below `node` that is not a table.
fn collect(node: &Node, paths: &mut Vec<String>) {
    match node.table() {
        Some(table) => table.values().for_each(|node| collect(node, paths)),
        None => paths.push(node.at.clone()),
    }
}
