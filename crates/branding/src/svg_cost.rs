//! How much an SVG grows when its references are followed.
//!
//! `<use>` copies what it points to, so ten lines can stand for a thousand million shapes.
//! The renderer copies first and counts later; here the sum is worked out beforehand.

use std::collections::HashMap;

use resvg::usvg::roxmltree::{Document, Node, NodeId};

use crate::{picture::PictureError, svg::by_id};

/// Elements after all references are followed.
const COST_LIMIT: u64 = 200_000;

/// Elements inside each other, references included.
const DEPTH_LIMIT: usize = 120;

/// Letters of all texts together.
const TEXT_LIMIT: usize = 20_000;

/// What one use of an element costs besides its content: each needs a layer of its own.
fn layer_cost(target: Node<'_, '_>) -> u64 {
    match target.tag_name().name() {
        "filter" => 400,
        "mask" | "pattern" => 100,
        "clipPath" => 20,
        _ => 1,
    }
}

/// Refuses a drawing that would grow too much.
pub(crate) fn check(document: &Document<'_>) -> Result<(), PictureError> {
    check_depth(document)?;
    check_text(document)?;
    let mut sums = Sums {
        ids: by_id(document),
        known: HashMap::new(),
    };
    let drawn = sums.cost(document.root_element(), 0)?;
    let styled = sums.cost_of_styles(document)?;
    if drawn.saturating_add(styled) > COST_LIMIT {
        return Err(too_complex("its references stand for too many elements"));
    }
    Ok(())
}

fn check_depth(document: &Document<'_>) -> Result<(), PictureError> {
    let mut depth: HashMap<NodeId, usize> = HashMap::new();
    for node in document.descendants() {
        let own = node
            .parent()
            .and_then(|parent| depth.get(&parent.id()))
            .map_or(0, |d| d + 1);
        if own > DEPTH_LIMIT {
            return Err(too_complex("its elements are nested too deeply"));
        }
        depth.insert(node.id(), own);
    }
    Ok(())
}

fn check_text(document: &Document<'_>) -> Result<(), PictureError> {
    let letters: usize = document
        .descendants()
        .filter(|node| node.is_element() && node.tag_name().name() == "text")
        .flat_map(|node| node.descendants())
        .filter_map(|node| node.is_text().then(|| node.text()).flatten())
        .map(str::len)
        .sum();
    if letters > TEXT_LIMIT {
        return Err(too_complex("it holds too much text"));
    }
    Ok(())
}

struct Sums<'a, 'input> {
    ids: HashMap<&'a str, Node<'a, 'input>>,
    known: HashMap<NodeId, u64>,
}

impl<'a, 'input> Sums<'a, 'input> {
    /// Elements that `node` stands for. `depth` counts elements and references followed.
    fn cost(&mut self, node: Node<'a, 'input>, depth: usize) -> Result<u64, PictureError> {
        if let Some(&sum) = self.known.get(&node.id()) {
            return Ok(sum);
        }
        // A circle of references also ends here.
        if depth > DEPTH_LIMIT {
            return Err(too_complex("its references are nested too deeply"));
        }
        let mut sum: u64 = 1;
        for child in node.children().filter(Node::is_element) {
            sum = sum.saturating_add(self.cost(child, depth + 1)?);
        }
        for (target, times) in self.references(node) {
            let each = self
                .cost(target, depth + 1)?
                .saturating_add(layer_cost(target));
            sum = sum.saturating_add(each.saturating_mul(times));
        }
        self.known.insert(node.id(), sum);
        Ok(sum)
    }

    /// What a node refers to, and how often it is then drawn.
    fn references(&self, node: Node<'a, 'input>) -> Vec<(Node<'a, 'input>, u64)> {
        let mut found = Vec::new();
        for attribute in node.attributes() {
            let value = attribute.value();
            // A marker is drawn at every point of the path.
            let is_marker = attribute.name().starts_with("marker") || value.contains("marker");
            let points = node
                .attribute("d")
                .or_else(|| node.attribute("points"))
                .map_or(1, |path| path.len() / 2 + 1);
            let times = if is_marker { points as u64 } else { 1 };
            let names = match attribute.name() {
                "href" => value.trim().strip_prefix('#').into_iter().collect(),
                _ => names_in_css(value),
            };
            found.extend(
                names
                    .into_iter()
                    .filter_map(|name| Some((*self.ids.get(name)?, times))),
            );
        }
        found
    }

    /// Style sheets: which elements a rule reaches is not worked out, so each is counted
    /// for all of them. Gradients are free.
    fn cost_of_styles(&mut self, document: &'a Document<'input>) -> Result<u64, PictureError> {
        let elements = document.descendants().filter(Node::is_element).count() as u64;
        let mut sum: u64 = 0;
        for style in document
            .descendants()
            .filter(|node| node.tag_name().name() == "style")
        {
            for css in style
                .descendants()
                .filter_map(|node| node.is_text().then(|| node.text()).flatten())
            {
                for name in names_in_css(css) {
                    let Some(&target) = self.ids.get(name) else {
                        continue;
                    };
                    if target.tag_name().name().ends_with("Gradient") {
                        continue;
                    }
                    let each = self.cost(target, 0)?.saturating_add(layer_cost(target));
                    sum = sum.saturating_add(each.saturating_mul(elements));
                }
            }
        }
        Ok(sum)
    }
}

/// Every NAME in `url(#NAME)`.
fn names_in_css(css: &str) -> Vec<&str> {
    css.match_indices("url(")
        .filter_map(|(at, found)| {
            let inside = css[at + found.len()..].split(')').next()?;
            inside
                .trim_matches([' ', '\t', '\n', '"', '\''])
                .strip_prefix('#')
        })
        .collect()
}

fn too_complex(detail: &str) -> PictureError {
    PictureError::TooComplex {
        detail: detail.to_owned(),
    }
}
