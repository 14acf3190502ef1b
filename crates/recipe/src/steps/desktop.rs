//! The desktop: its login screen, its session, and what it opens.

use isosmith_engine::{Done, Failure, StepCx};
use isosmith_host::fs::Tree;
use isosmith_spec::model::{DisplayManager, Environment};
use serde_json::{Value, json};

use super::{in_tree, not_in_image, users};
use crate::{
    desktop::{self, KIOSK_USER},
    state::Debian,
    tree_file,
};

/// Every file, link and unit.
pub(crate) fn inputs(state: &Debian) -> Value {
    match desktop::plan(&state.spec) {
        Some(plan) => json!({
            "files": tree_file::inputs(&plan.files),
            "links": plan.links,
            "units": plan.units,
        }),
        None => Value::Null,
    }
}

/// Looks whether what the profile names is there, then writes the files and switches the units
/// on.
pub(crate) fn configure(cx: &mut StepCx<'_>, state: &mut Debian) -> Result<Done, Failure> {
    let spec = &state.spec;
    let Some(plan) = desktop::plan(spec) else {
        return Ok(Done::Skipped("the profile has no desktop".to_owned()));
    };
    let root = cx.root().to_owned();
    let tree = Tree::open(&root)?;
    for (field, id, _) in desktop::named_applications(&spec.desktop.applications) {
        if !tree.exists(&format!("/usr/share/applications/{id}")) {
            return Err(not_in_image(
                &format!("desktop.applications.{field}"),
                &format!("no package of this image has the application {id}"),
                "Correct the name, or add the package that has it to software.packages.",
            ));
        }
    }
    if let Some(file) = desktop::session_file(spec).filter(|file| !tree.exists(file)) {
        return Err(not_in_image(
            "desktop.session",
            &format!("this suite's desktop has no such session ({file})"),
            "Choose the other kind of session, or another suite.",
        ));
    }
    if spec.desktop.environment == Some(Environment::Kiosk)
        && users::user_id(&tree, KIOSK_USER)?.is_none()
    {
        let home = "/run/isosmith-kiosk";
        let add = in_tree("useradd", &root).args(["--system", "--user-group", "--no-create-home"]);
        cx.run(&add.args([
            "--home-dir",
            home,
            "--shell",
            "/usr/sbin/nologin",
            KIOSK_USER,
        ]))?;
    }
    tree_file::write(&tree, &plan.files)?;
    if spec.desktop.display_manager == DisplayManager::Sddm {
        // SDDM writes its memory itself, as its own user.
        for path in ["/var/lib/sddm", "/var/lib/sddm/state.conf"] {
            let user = users::user_id(&tree, "sddm")?.unwrap_or(0);
            tree.own(path, user, users::group_id(&tree, "sddm")?.unwrap_or(0))?;
        }
    }
    for (target, path) in &plan.links {
        tree.symlink(target, path)?;
    }
    for unit in &plan.units {
        cx.run(&in_tree("systemctl", &root).args(["enable", unit]))?;
    }
    Ok(Done::Done)
}
