//! Which units start with the system.

use isosmith_engine::{Done, Failure, StepCx};
use serde_json::{Value, json};

use super::{in_tree, not_in_image};
use crate::state::Debian;

/// The units that the profile names.
pub(crate) fn inputs(state: &Debian) -> Value {
    let services = &state.spec.services;
    json!({
        "enable": services.enable.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "disable": services.disable.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

/// Switches them; after files are laid, because a profile may bring units of its own.
pub(crate) fn switch(cx: &mut StepCx<'_>, state: &mut Debian) -> Result<Done, Failure> {
    let services = &state.spec.services;
    if services.enable.is_empty() && services.disable.is_empty() {
        return Ok(Done::Skipped("the profile switches no services".to_owned()));
    }
    for (verb, field, units) in [
        ("enable", "services.enable", &services.enable),
        ("disable", "services.disable", &services.disable),
    ] {
        for (number, unit) in units.iter().enumerate() {
            let cmd = in_tree("systemctl", cx.root()).args([verb, unit.as_str()]);
            cx.run(&cmd).map_err(|failure| {
                let missing = failure
                    .tail
                    .iter()
                    .any(|line| line.contains("does not exist") || line.contains("not found"));
                if !missing {
                    return failure;
                }
                not_in_image(
                    &format!("{field}[{number}]"),
                    &format!("no package of this image has the unit {unit}"),
                    "Correct the unit's name, or add the package that has it.",
                )
            })?;
        }
    }
    Ok(Done::Done)
}
