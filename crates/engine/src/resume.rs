//! Stopping a build from outside, and going on where one was stopped.

use std::{fs::File, path::Path};

use isosmith_protocol::{BuildId, BuildResult, Code};

use crate::{
    failure::Failure,
    journal::{self, Journal},
    work::{self, Work},
};

/// Asks the build `id` to stop; it does so within moments, wherever it runs.
///
/// # Errors
///
/// When there is no such build or its folder cannot be written.
pub fn request_cancel(state: &Path, id: &BuildId) -> Result<(), Failure> {
    let build = work::builds(state).join(id.as_str());
    if !build.is_dir() {
        return Err(no_such_build(id));
    }
    let flag = work::cancel_flag_of(&build);
    File::create(&flag)
        .map(drop)
        .map_err(|error| Failure::io(format!("write {}", flag.display()), error))
}

/// Makes a stopped build ready for another [`crate::run()`] with the same [`Work`]: results are
/// found by their keys, and what the build remembered is still there.
///
/// # Errors
///
/// [`Code::Locked`] when it runs, [`Code::Io`] when there is no such build,
/// [`Code::ProfileInvalid`] when it has succeeded and there is nothing left to do.
pub fn resume(work: &Work) -> Result<(), Failure> {
    if !work.build().is_dir() {
        return Err(no_such_build(work.id()));
    }
    Journal::interrupted(&work.build())?;
    let _lock = work.lock_build()?;
    if let Some(BuildResult::Succeeded { .. }) = journal::ending(&work.journal()) {
        return Err(Failure::new(
            Code::ProfileInvalid,
            format!("the build {} has succeeded", work.id()),
            "Start a new build of the same profile; it takes everything from the cache.",
        ));
    }
    let flag = work.cancel_flag();
    if flag.exists() {
        std::fs::remove_file(&flag)
            .map_err(|error| Failure::io(format!("remove {}", flag.display()), error))?;
    }
    Ok(())
}

fn no_such_build(id: &BuildId) -> Failure {
    Failure::new(
        Code::Io,
        format!("there is no build {id}"),
        "`isosmith builds` lists all there are.",
    )
}
