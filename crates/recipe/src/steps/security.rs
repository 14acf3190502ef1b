//! What protects the running system.

use isosmith_engine::{Done, Failure, StepCx};
use isosmith_host::fs::Tree;
use isosmith_spec::model::Firewall;
use serde_json::{Value, json};

use super::{in_tree, not_in_image};
use crate::{
    security::{self, UFW_RULES, with_rules},
    state::Debian,
    tree_file,
};

/// Every file, unit and port.
pub(crate) fn inputs(state: &Debian) -> Value {
    let security = &state.spec.security;
    match security::plan(security, state.spec.base.suite) {
        Some(plan) => json!({
            "files": tree_file::inputs(&plan.files),
            "units": plan.units,
            "ports": security.open_ports.iter().map(ToString::to_string).collect::<Vec<_>>(),
        }),
        None => Value::Null,
    }
}

/// Writes the files and switches the units on.
pub(crate) fn configure(cx: &mut StepCx<'_>, state: &mut Debian) -> Result<Done, Failure> {
    let security = &state.spec.security;
    let Some(plan) = security::plan(security, state.spec.base.suite) else {
        return Ok(Done::Skipped("the profile switches nothing on".to_owned()));
    };
    let root = cx.root().to_owned();
    let tree = Tree::open(&root)?;
    if security.firewall == Firewall::Ufw {
        for (path, chain, any) in UFW_RULES {
            let text = tree.read_text(path)?.ok_or_else(|| {
                not_in_image(
                    "security.firewall",
                    &format!("the image has no {path}"),
                    "Take `ufw` out of software.exclude, or choose another firewall.",
                )
            })?;
            let changed = with_rules(&text, &security.open_ports, chain, any);
            tree.write(path, changed.as_bytes(), 0o640)?;
        }
    }
    tree_file::write(&tree, &plan.files)?;
    for unit in &plan.units {
        cx.run(&in_tree("systemctl", &root).args(["enable", unit]))?;
    }
    Ok(Done::Done)
}
