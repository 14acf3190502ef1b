//! Which namespaces each mode of isolation takes.

use isosmith_protocol::Isolation;
use nix::sched::{CloneFlags, unshare};

/// What no mode goes without.
const ALWAYS: CloneFlags = CloneFlags::CLONE_NEWNS
    .union(CloneFlags::CLONE_NEWPID)
    .union(CloneFlags::CLONE_NEWUSER);

/// Namespaces that can be missing from a kernel, each by itself.
const MAY_BE_MISSING: [CloneFlags; 4] = [
    CloneFlags::CLONE_NEWIPC,
    CloneFlags::CLONE_NEWUTS,
    CloneFlags::CLONE_NEWCGROUP,
    CloneFlags::CLONE_NEWNET,
];

/// Makes the namespaces in `wanted` for this process, and returns those that it has got.
///
/// In [`Isolation::Traditional`] mode, one that the kernel has not got is done without;
/// in every other mode all of them are needed.
pub(crate) fn take(isolation: Isolation, wanted: CloneFlags) -> nix::Result<CloneFlags> {
    match isolation {
        Isolation::Namespace | Isolation::Hybrid | Isolation::Other => {
            unshare(wanted)?;
            Ok(wanted)
        }
        Isolation::Traditional => {
            let mut got = wanted & ALWAYS;
            unshare(got)?;
            for flag in MAY_BE_MISSING {
                if wanted.contains(flag) && unshare(flag).is_ok() {
                    got |= flag;
                }
            }
            Ok(got)
        }
    }
}
