//! A merged profile becomes a [`BuildSpec`], or a list of everything that is wrong with it.

use crate::merge::Merged;
use crate::model::BuildSpec;
use crate::problem::{Problem, Reason};

mod choices;
mod desktop;
mod identity;
mod installers;
mod machine;
mod read;
mod rules;
mod security;
mod system;

pub(crate) use choices::SSH_SERVERS;
use read::Reader;

/// Checks every field and the rules between them.
///
/// # Errors
/// All problems, in the order of the sections. Rules between fields are tried wherever the
/// fields themselves can be read, so one round usually shows everything.
pub fn check(merged: &Merged) -> Result<BuildSpec, Vec<Problem>> {
    verdict(examine(merged))
}

/// A spec only where nothing is wrong.
pub(crate) fn verdict(
    (spec, problems): (Option<BuildSpec>, Vec<Problem>),
) -> Result<BuildSpec, Vec<Problem>> {
    match (spec, problems.is_empty()) {
        (Some(spec), true) => Ok(spec),
        (None, true) => Err(vec![Problem::new(
            "",
            Reason::new(
                "the profile was not read to its end",
                "report this as a defect",
            ),
            None,
        )]),
        (_, false) => Err(problems),
    }
}

/// What can be read, and what is wrong.
pub(crate) fn examine(merged: &Merged) -> (Option<BuildSpec>, Vec<Problem>) {
    let reader = Reader::new(merged);
    let root = reader.root();
    let profile = identity::profile(&root.get("profile"));
    let base = system::base(&root.get("base"));
    let software = system::software(&root.get("software"));
    let desktop = desktop::desktop(&root.get("desktop"));
    let kernel = system::kernel(&root.get("kernel"));
    let region = machine::region(&root.get("region"));
    let users = machine::users(&root.get("users"));
    let services = machine::services(&root.get("services"));
    let files = machine::files(&root.get("files"));
    let scripts = machine::scripts(&root.get("scripts"));
    let security = security::security(&root.get("security"));
    let assistant = security::assistant(&root.get("ai"));
    let installer = desktop::installer(&root.get("installer"));
    let boot = machine::boot(&root.get("boot"));
    let branding = identity::branding(&root.get("branding"));
    let image = identity::image(&root);

    rules::base(&root, base.as_ref());
    rules::kernel(&root, base.as_ref(), kernel.as_ref());
    rules::software(&root, region.as_ref(), users.as_ref());
    rules::services(&root);
    rules::files(&root);
    rules::boot(&root, boot.as_ref());
    choices::desktop(&root, desktop.as_ref());
    choices::installer(&root, installer.as_ref(), desktop.as_ref());
    choices::installing(&root, installer.as_ref(), users.as_ref());
    installers::calamares(&root, base.as_ref(), installer.as_ref());
    installers::debian(&root, base.as_ref(), installer.as_ref(), software.as_ref());
    choices::menu(&root, boot.as_ref(), installer.as_ref());
    choices::security(&root, security.as_ref(), software.as_ref());
    choices::signing(&root, security.as_ref(), boot.as_ref(), files.as_deref());
    choices::accounts(&root, users.as_ref());
    choices::suite(&root, base.as_ref(), desktop.as_ref(), security.as_ref());

    let spec = || {
        Some(BuildSpec {
            profile: profile?,
            base: base?,
            software: software?,
            desktop: desktop?,
            kernel: kernel?,
            region: region?,
            users: users?,
            services: services?,
            files: files?,
            scripts: scripts?,
            security: security?,
            assistant: assistant?,
            installer: installer?,
            boot: boot?,
            branding: branding?,
            image: image?,
        })
    };
    let spec = spec();
    if let Some(spec) = &spec {
        choices::key_of_its_own(&root, spec);
    }
    (spec, reader.into_problems())
}
