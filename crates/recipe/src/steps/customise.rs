//! What the profile's owner lays over the tree: files and scripts.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use isosmith_engine::{Done, Failure, StepCx};
use isosmith_host::{Sandbox, fs::Tree};
use isosmith_protocol::Code;
use isosmith_spec::model::{FileOverlay, Script, ScriptPoint};
use serde_json::{Value, json};

use super::{
    in_tree, not_in_image, quiet,
    users::{group_id, user_id},
    without_services,
};
use crate::state::{Debian, machine_files};

/// Where scripts for the first start lie, and the mark that they have run.
const FIRST_BOOT: &str = "/usr/lib/isosmith/first-boot.d";

/// Contents and places of every overlay and first-boot script.
pub(crate) fn files_inputs(state: &Debian) -> Value {
    let files: Vec<_> = state
        .spec
        .files
        .iter()
        .map(|file| {
            json!({
                "sha256": state.materials.hash(&file.source),
                "target": file.target.as_str(),
                "owner": file.owner.as_str(),
                "group": file.group.as_str(),
                "mode": file.mode,
            })
        })
        .collect();
    json!({ "files": files, "firstBoot": script_inputs(state, ScriptPoint::FirstBoot) })
}

fn script_inputs(state: &Debian, point: ScriptPoint) -> Value {
    scripts(state, point)
        .map(|script| json!({ "sha256": state.materials.hash(&script.source), "network": script.network }))
        .collect()
}

fn scripts(state: &Debian, point: ScriptPoint) -> impl Iterator<Item = &Script> {
    state
        .spec
        .scripts
        .iter()
        .filter(move |script| script.point == point)
}

/// Lays the profile's files over the tree.
pub(crate) fn files(cx: &mut StepCx<'_>, state: &mut Debian) -> Result<Done, Failure> {
    let first_boot: Vec<&Script> = scripts(state, ScriptPoint::FirstBoot).collect();
    if state.spec.files.is_empty() && first_boot.is_empty() {
        return Ok(Done::Skipped(
            "the profile lays no files over the tree".to_owned(),
        ));
    }
    let tree = Tree::open(cx.root())?;
    for (number, file) in state.spec.files.iter().enumerate() {
        let material = state.materials.get(&file.source)?;
        let owner = owner(&tree, number, file)?;
        lay(
            &tree,
            &material.path,
            file.target.as_str(),
            file.mode,
            owner,
        )?;
    }
    if first_boot.is_empty() {
        return Ok(Done::Done);
    }
    for (number, script) in first_boot.iter().enumerate() {
        let from = &state.materials.get(&script.source)?.path;
        let text = fs::read(from).map_err(|error| Failure::io_at("read", from, error))?;
        tree.write(&format!("{FIRST_BOOT}/{number:02}"), &text, 0o755)?;
    }
    tree.write(
        "/usr/lib/systemd/system/isosmith-first-boot.service",
        FIRST_BOOT_UNIT.as_bytes(),
        0o644,
    )?;
    cx.run(&in_tree("systemctl", cx.root()).args(["enable", "isosmith-first-boot.service"]))?;
    Ok(Done::Done)
}

const FIRST_BOOT_UNIT: &str = "\
[Unit]
Description=Scripts for the first start
ConditionPathExists=!/var/lib/isosmith/first-boot.done
After=local-fs.target systemd-user-sessions.service live-config.service
Before=display-manager.service getty.target

[Service]
Type=oneshot
RemainAfterExit=yes
StateDirectory=isosmith
ExecStart=/usr/bin/run-parts --regex=.* --exit-on-error /usr/lib/isosmith/first-boot.d
ExecStartPost=/usr/bin/touch /var/lib/isosmith/first-boot.done

[Install]
WantedBy=multi-user.target
";

fn owner(tree: &Tree, number: usize, file: &FileOverlay) -> Result<(u32, u32), Failure> {
    let missing = |field: &str, name: &str| {
        not_in_image(
            &format!("files[{number}].{field}"),
            &format!("the image has no {field} {name}"),
            "Take one that a package of the image makes; the live user exists only in the running system.",
        )
    };
    let uid =
        user_id(tree, file.owner.as_str())?.ok_or_else(|| missing("owner", file.owner.as_str()))?;
    let gid = group_id(tree, file.group.as_str())?
        .ok_or_else(|| missing("group", file.group.as_str()))?;
    Ok((uid, gid))
}

/// Copies a file, or what is in a folder, to `target` in the tree.
fn lay(
    tree: &Tree,
    from: &Path,
    target: &str,
    mode: Option<u32>,
    owner: (u32, u32),
) -> Result<(), Failure> {
    let failed = |error| Failure::io_at("read", from, error);
    let meta = fs::symlink_metadata(from).map_err(failed)?;
    if meta.is_symlink() {
        let link = fs::read_link(from).map_err(failed)?;
        tree.symlink(&link.to_string_lossy(), target)?;
        return Ok(tree.own(target, owner.0, owner.1)?);
    }
    if !meta.is_dir() {
        let own_mode = if meta.permissions().mode() & 0o111 == 0 {
            0o644
        } else {
            0o755
        };
        let bytes = fs::read(from).map_err(failed)?;
        return Ok(tree.write_owned(target, &bytes, mode.unwrap_or(own_mode), owner.0, owner.1)?);
    }
    let existed = tree.exists(target);
    tree.mkdir_all(target)?;
    if !existed {
        tree.own(target, owner.0, owner.1)?;
    }
    for entry in fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let name = name.to_str().ok_or_else(|| {
            Failure::plain(
                Code::MaterialInvalid,
                format!("{} is not UTF-8", entry.path().display()),
            )
        })?;
        lay(
            tree,
            &entry.path(),
            &format!("{}/{name}", target.trim_end_matches('/')),
            mode,
            owner,
        )?;
    }
    Ok(())
}

/// Scripts that run once the base system stands.
pub(crate) fn after_base_inputs(state: &Debian) -> Value {
    script_inputs(state, ScriptPoint::AfterBase)
}

/// Scripts that run once all packages are installed.
pub(crate) fn after_packages_inputs(state: &Debian) -> Value {
    script_inputs(state, ScriptPoint::AfterPackages)
}

/// Scripts that run last.
pub(crate) fn before_image_inputs(state: &Debian) -> Value {
    script_inputs(state, ScriptPoint::BeforeImage)
}

/// See [`after_base_inputs`].
pub(crate) fn after_base(cx: &mut StepCx<'_>, state: &mut Debian) -> Result<Done, Failure> {
    run_scripts(cx, state, ScriptPoint::AfterBase)
}

/// See [`after_packages_inputs`].
pub(crate) fn after_packages(cx: &mut StepCx<'_>, state: &mut Debian) -> Result<Done, Failure> {
    run_scripts(cx, state, ScriptPoint::AfterPackages)
}

/// See [`before_image_inputs`].
pub(crate) fn before_image(cx: &mut StepCx<'_>, state: &mut Debian) -> Result<Done, Failure> {
    run_scripts(cx, state, ScriptPoint::BeforeImage)
}

fn run_scripts(cx: &StepCx<'_>, state: &Debian, point: ScriptPoint) -> Result<Done, Failure> {
    let chosen: Vec<&Script> = scripts(state, point).collect();
    if chosen.is_empty() {
        return Ok(Done::Skipped(
            "the profile has no script for this point".to_owned(),
        ));
    }
    let tree = Tree::open(cx.root())?;
    without_services(&tree, || {
        chosen
            .into_iter()
            .try_for_each(|script| run_script(cx, state, script))
    })?;
    Ok(Done::Done)
}

fn run_script(cx: &StepCx<'_>, state: &Debian, script: &Script) -> Result<(), Failure> {
    const INSIDE: &str = "/run/isosmith-script";
    let material = state.materials.get(&script.source)?;
    fs::set_permissions(&material.path, fs::Permissions::from_mode(0o755))
        .map_err(|error| Failure::io_at("make executable", &material.path, error))?;
    let mut sandbox = Sandbox::tree("tree", cx.root()).bind_ro(&material.path, INSIDE);
    if script.network {
        // Over files that the tree may not have: made empty, and gone with the cleaning.
        sandbox = machine_files()
            .filter(|file| file.is_file())
            .fold(sandbox.online(), |sandbox, file| {
                sandbox.bind_ro(file, file)
            });
    }
    let cmd = quiet(isosmith_host::Cmd::new(INSIDE))
        .env("ISOSMITH_PRODUCT", state.spec.branding.name.clone())
        .env("ISOSMITH_SUITE", state.spec.base.suite.as_str())
        .inside(sandbox);
    cx.run(&cmd).map_err(|mut failure| {
        if matches!(failure.code, Code::CommandFailed | Code::CommandMissing) {
            let words = Failure::plain(
                Code::ScriptFailed,
                format!(
                    "the script {} of the profile failed: {}",
                    script.source, failure.message
                ),
            );
            failure.code = words.code;
            failure.message = words.message;
            failure.advice = words.advice;
        }
        failure
    })
}
