//! The AI helper: a Debian package, made here and installed like any other.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use isosmith_engine::{Done, Failure, StepCx};
use isosmith_host::{
    Cmd, Sandbox,
    fs::{Confined, Tree},
};
use isosmith_protocol::Code;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    environment::{tools_sandbox, write},
    quiet, without_services,
};
use crate::{
    assistant::{self, PackageFile},
    materials::hex,
    state::Debian,
};

/// Where the package lies while it is installed.
const INSIDE: &str = "/run/isosmith-ai-helper.deb";

/// Everything that is in the package.
pub(crate) fn inputs(state: &Debian) -> Value {
    let Some(spec) = &state.spec.assistant else {
        return Value::Null;
    };
    let files: Vec<_> = assistant::data()
        .map(|(path, bytes)| json!({ "path": path, "sha256": hex(&Sha256::digest(bytes)) }))
        .collect();
    json!({
        "version": assistant::version(),
        "config": assistant::config(spec),
        "program": state.assistant.as_ref().map(|program| &program.sha256),
        "files": files,
    })
}

/// Packs and installs it.
pub(crate) fn install(cx: &mut StepCx<'_>, state: &mut Debian) -> Result<Done, Failure> {
    let Some(spec) = &state.spec.assistant else {
        return Ok(Done::Skipped("the profile has no AI helper".to_owned()));
    };
    let program = state.assistant.as_ref().ok_or_else(|| {
        Failure::plain(
            Code::Internal,
            "the AI helper's program was not copied into the build",
        )
    })?;
    let files = assistant::files(spec, program)?;
    // Left beside the tree, for whoever wants to look at it.
    let out = cx.out().to_owned();
    lay_out(&out.join(STAGE), &files)?;
    let pack = quiet(Cmd::new("dpkg-deb"))
        .env("SOURCE_DATE_EPOCH", state.source_date().to_string())
        .args(["--build", "--root-owner-group", "-Zxz"])
        .args([
            format!("/run/out/{STAGE}"),
            format!("/run/out/{}", assistant::file_name()),
        ])
        .inside(tools_sandbox(state.tools()?).bind(&out, "/run/out"));
    cx.run(&pack)?;
    Confined::new(&out)?.remove_tree(&out.join(STAGE))?;

    let deb = out.join(assistant::file_name());
    let tree = Tree::open(cx.root())?;
    without_services(&tree, || {
        let install = quiet(Cmd::new("dpkg"))
            .args(["--force-unsafe-io", "--install", INSIDE])
            .inside(Sandbox::tree("tree", cx.root()).bind_ro(&deb, INSIDE));
        cx.run(&install).map_err(explain)
    })?;
    Ok(Done::Done)
}

/// Below [`StepCx::out`]; gone when the package is made.
const STAGE: &str = "stage";

/// Lays the package out as dpkg-deb(1) wants it.
fn lay_out(root: &Path, files: &[PackageFile]) -> Result<(), Failure> {
    let place = |path: &str, bytes: &[u8], mode: u32| {
        let file = root.join(path);
        let folder = file.parent().unwrap_or(root);
        fs::create_dir_all(folder).map_err(|error| Failure::io_at("make", folder, error))?;
        write(&file, bytes)?;
        open(&file, mode)
    };
    for file in files {
        place(file.path, &file.bytes, file.mode)?;
    }
    for (name, text) in assistant::about(files) {
        place(&format!("DEBIAN/{name}"), text.as_bytes(), 0o644)?;
    }
    open_folders(root)
}

/// Folders are open to everybody, whatever umask made them.
fn open_folders(folder: &Path) -> Result<(), Failure> {
    open(folder, 0o755)?;
    let failed = |error| Failure::io_at("read", folder, error);
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            open_folders(&path)?;
        }
    }
    Ok(())
}

fn open(path: &Path, mode: u32) -> Result<(), Failure> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .map_err(|error| Failure::io_at("set permissions of", path, error))
}

/// A program that was compiled on a newer system than the image's.
fn explain(mut failure: Failure) -> Failure {
    let old = failure
        .tail
        .iter()
        .any(|line| line.contains("depends on libc6"));
    if old {
        failure.code = Code::PackageFailed;
        failure.message =
            "the AI helper was compiled for a newer Debian than the image has".to_owned();
        failure.advice =
            "Take Isosmith's own package, which is compiled on the oldest Debian that it builds; or take `ai` out of the profile.".into();
    }
    failure
}
