//! The table of steps as others know it.

use isosmith_spec::{Layer, Origin, load};
use serde_json::{Value, json};

/// Read by the tests of the window, too: it names every step in its own language, and shares
/// progress out before a build says more.
const STEPS: &str = include_str!("../tests/fixtures/steps.json");

#[test]
fn the_list_of_steps_for_others_is_fresh() {
    let text = "format = 1\n[profile]\nname = 't'\n[installer]\ncalamares = true\nonly = true\n[security.signing]\nkey = 'a.key'\ncertificate = 'a.pem'";
    let layer = Layer::new(Origin::Profile("t".into()), "", text);
    let (spec, _) = load(vec![layer], &|_| None).expect("a spec with every step");
    let steps = crate::recipe(&spec).steps;
    let fresh: Vec<Value> = steps
        .iter()
        .map(|step| json!({ "id": step.id, "phase": step.phase, "weight": step.weight }))
        .collect();
    let kept: Vec<Value> = serde_json::from_str(STEPS).expect("JSON");
    let fresh_text = serde_json::to_string_pretty(&fresh).expect("JSON");
    assert!(kept == fresh, "steps.json should hold\n{fresh_text}");
}
