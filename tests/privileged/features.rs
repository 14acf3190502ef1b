//! What a profile says, read back from the finished ISO.

use anyhow::Result;
use isosmith_tests::{Kit, Small};
use libtest_mimic::Trial;

use super::trial;

pub fn trials(kit: &Kit) -> Vec<Trial> {
    vec![trial(kit, "features::the_small_system_builds", builds)]
}

fn builds(kit: &Kit) -> Result<()> {
    let scratch = kit.scratch("small")?;
    let small = Small::serve(kit, scratch.path(), &[])?;
    let isosmith = kit.isosmith(scratch.path());
    let ended = isosmith.build(&small.profile("small")?)?;
    eprintln!("{:?} {:?}", ended.took, ended.iso()?);
    Ok(())
}
