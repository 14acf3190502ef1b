//! Room that builds have taken.

use indicatif::HumanBytes;
use isosmith_client::What;
use isosmith_engine::{Failure, clean};

use super::print;
use crate::{
    Command, Ended,
    agent::Agent,
    args::Common,
    places::Places,
    way::{Way, failed},
};

/// Frees it: in this user's own folders, and where the service builds, in the service's.
pub fn free(
    common: &Common,
    places: &Places,
    dry_run: bool,
    all: bool,
    unused: Option<u64>,
) -> Command {
    let verb = if dry_run { "would be freed" } else { "freed" };
    let Way::Service(client) = Way::of(common)? else {
        let bytes = free_own(places, dry_run, all, unused)?;
        print(&format!("{} {verb}", HumanBytes(bytes)))?;
        return Ok(Ended::Well);
    };
    if !common.service && places.cache.exists() {
        let bytes = free_own(places, dry_run, all, unused)?;
        print(&format!(
            "{} {verb} in {}",
            HumanBytes(bytes),
            places.cache.display()
        ))?;
    }
    let what = match (all, unused) {
        (true, _) => What::Everything,
        (false, Some(_)) => What::Unused,
        (false, None) => What::Leftovers,
    };
    let _agent = Agent::on_terminal();
    let bytes = client.clean(what, dry_run).map_err(failed)?;
    print(&format!("{} {verb} in the service", HumanBytes(bytes)))?;
    Ok(Ended::Well)
}

/// Frees it in this user's own folders; returns bytes.
fn free_own(
    places: &Places,
    dry_run: bool,
    all: bool,
    unused: Option<u64>,
) -> Result<u64, Failure> {
    let wanted = match (all, unused) {
        (true, _) => clean::Wanted::Everything,
        (false, Some(days)) => {
            clean::Wanted::Unused(std::time::Duration::from_secs(days.saturating_mul(86_400)))
        }
        (false, None) => clean::Wanted::Leftovers,
    };
    let plan = clean::plan(&places.state, &places.cache, wanted);
    for item in &plan.items {
        print(&format!(
            "{:>12}  {}",
            HumanBytes(item.bytes).to_string(),
            item.path.display()
        ))?;
    }
    if dry_run {
        return Ok(plan.bytes());
    }
    clean::clean(&places.cache, &plan)
}
