//! Who the ids inside a build are outside, and with it how strongly a build is kept in.

use std::{fs, path::Path};

use isosmith_protocol::Isolation;
use nix::unistd::{Gid, Uid};

use super::Worker;
use crate::HostError;

/// First outside id of builds that root starts: inside the range that systemd sets apart for
/// containers (`systemd.io/UIDS-GIDS`), away from its beginning, where others pick first.
const ROOT_RANGE: u32 = 1_845_493_760;

/// Ids inside a build: 0 to 65535, as Debian's policy has them.
pub(super) const ID_COUNT: u32 = 65_536;

/// Who the ids inside a build are outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ids {
    /// Started by root: everybody inside is an id that nobody has outside.
    Range {
        /// What id 0 inside is outside.
        first: u32,
    },
    /// Started by an ordinary user: root inside is that user, the others are its subordinate
    /// ids (subuid(5)).
    Subordinate {
        /// The user.
        uid: u32,
        /// The user's group.
        gid: u32,
        /// First and count of its subordinate user ids.
        uids: (u32, u32),
        /// First and count of its subordinate group ids.
        gids: (u32, u32),
    },
    /// Started by root where the kernel makes no user namespace: everybody inside is who they
    /// are outside. Less is between a build and the machine then; see [`Weaker`].
    Same(Weaker),
}

/// A mode of isolation without a user namespace.
///
/// Root inside is root outside. What keeps a build in is that no path leads out of its root
/// folder, that its scripts have few capabilities and no way to more, and that the system
/// calls for everything else are refused. The worker itself, which no script runs in, must
/// keep the right to mount, `CAP_SYS_ADMIN`: a hole in Isosmith or the kernel is root's here,
/// where in a user namespace it is nobody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weaker {
    /// All namespaces but the user namespace.
    Hybrid,
    /// Mount and process namespaces; of the others those that the kernel has. Without a
    /// network namespace, sockets of the internet are refused by a filter of system calls, but
    /// abstract sockets of this machine can be reached.
    Traditional,
}

impl Ids {
    /// Finds out how the current user may build: makes the namespaces of each mode for a try,
    /// the strongest first, and takes the first that works. Root may have them all, an
    /// ordinary user can do nothing without a user namespace.
    ///
    /// # Errors
    ///
    /// [`HostError::NotAllowed`] says exactly what is missing and how to get it.
    pub fn of_this_user() -> Result<Self, HostError> {
        let uid = Uid::effective();
        let modes = if uid.is_root() {
            vec![
                Self::Range { first: ROOT_RANGE },
                Self::Same(Weaker::Hybrid),
                Self::Same(Weaker::Traditional),
            ]
        } else {
            vec![subordinate(uid)?]
        };
        strongest(modes, Worker::try_out).map_err(not_allowed)
    }

    /// How strongly a build with these ids is kept in.
    pub fn isolation(&self) -> Isolation {
        match self {
            Self::Range { .. } | Self::Subordinate { .. } => Isolation::Namespace,
            Self::Same(Weaker::Hybrid) => Isolation::Hybrid,
            Self::Same(Weaker::Traditional) => Isolation::Traditional,
        }
    }

    /// Owner (uid, gid) outside of what root inside makes.
    pub fn root_outside(&self) -> (u32, u32) {
        match self {
            Self::Range { first } => (*first, *first),
            Self::Subordinate { uid, gid, .. } => (*uid, *gid),
            Self::Same(_) => (0, 0),
        }
    }
}

/// The first of `modes` that `try_out` takes, or what it said about the first one.
fn strongest<E: std::fmt::Display>(
    modes: Vec<Ids>,
    try_out: impl Fn(&Ids) -> Result<(), E>,
) -> Result<Ids, Option<E>> {
    let mut first_error = None;
    for ids in modes {
        match try_out(&ids) {
            Ok(()) => return Ok(ids),
            Err(error) => {
                tracing::warn!(isolation = ?ids.isolation(), %error, "this machine cannot keep builds like that");
                first_error.get_or_insert(error);
            }
        }
    }
    Err(first_error)
}

/// An ordinary user's ids.
fn subordinate(uid: Uid) -> Result<Ids, HostError> {
    let name = nix::unistd::User::from_uid(uid)
        .ok()
        .flatten()
        .map_or_else(|| uid.to_string(), |user| user.name);
    let range = |path: &str| {
        let table = fs::read_to_string(path).unwrap_or_default();
        subordinate_range(&table, &name, uid.as_raw())
    };
    let (Some(uids), Some(gids)) = (range("/etc/subuid"), range("/etc/subgid")) else {
        return Err(HostError::NotAllowed {
            message: format!("the user {name} has no {ID_COUNT} subordinate ids"),
            advice: format!(
                "Run isosmith with sudo, or let root run: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {name}"
            ),
        });
    };
    for tool in ["newuidmap", "newgidmap"] {
        if !Path::new("/usr/bin").join(tool).exists() {
            return Err(HostError::NotAllowed {
                message: format!("the program {tool} is missing"),
                advice: "Run isosmith with sudo, or install the package uidmap.".to_owned(),
            });
        }
    }
    Ok(Ids::Subordinate {
        uid: uid.as_raw(),
        gid: Gid::effective().as_raw(),
        uids,
        gids,
    })
}

/// Says why not even the weakest mode works, by what is known to forbid namespaces.
fn not_allowed(error: Option<HostError>) -> HostError {
    let setting = |path: &str| fs::read_to_string(path).unwrap_or_default();
    if setting("/proc/sys/user/max_user_namespaces").trim() == "0" && !Uid::effective().is_root() {
        return HostError::NotAllowed {
            message: "this machine allows no user namespaces".to_owned(),
            advice: "Set user.max_user_namespaces to at least 1000 with sysctl.".to_owned(),
        };
    }
    let restricted = setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns");
    if restricted.trim() == "1" && !Uid::effective().is_root() {
        return HostError::NotAllowed {
            message: "AppArmor on this machine lets no ordinary user make user namespaces"
                .to_owned(),
            advice: "Run isosmith with sudo, or install the Isosmith package, whose AppArmor profile allows it."
                .to_owned(),
        };
    }
    error.unwrap_or_else(|| HostError::NotAllowed {
        message: "this machine can keep no build".to_owned(),
        advice: "Run isosmith with sudo.".to_owned(),
    })
}

/// First and count of a big enough range of `name` (or of the same user by number) in a table
/// of subuid(5).
fn subordinate_range(table: &str, name: &str, uid: u32) -> Option<(u32, u32)> {
    table.lines().find_map(|line| {
        let mut fields = line.trim().split(':');
        let owner = fields.next()?;
        let first = fields.next()?.parse().ok()?;
        let count: u32 = fields.next()?.parse().ok()?;
        let ours = owner == name || owner == uid.to_string();
        (ours && count >= ID_COUNT - 1).then_some((first, ID_COUNT - 1))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subordinate_range_must_be_big_enough_and_ours() {
        let table = "other:100000:65536\nada:165536:65536\n1001:300000:65535\nsmall:1:100\n";
        for (name, uid, want) in [
            ("ada", 1000, Some((165_536, 65_535))),
            ("eve", 1001, Some((300_000, 65_535))),
            ("small", 1002, None),
            ("nobody", 1003, None),
        ] {
            assert_eq!(subordinate_range(table, name, uid), want, "{name}");
        }
    }

    #[test]
    fn the_strongest_mode_that_works_is_taken() {
        use Isolation::{Hybrid, Namespace, Traditional};

        let modes = || {
            vec![
                Ids::Range { first: ROOT_RANGE },
                Ids::Same(Weaker::Hybrid),
                Ids::Same(Weaker::Traditional),
            ]
        };
        for (working, want) in [
            (&[Namespace, Hybrid, Traditional][..], Ok(Namespace)),
            (&[Hybrid, Traditional], Ok(Hybrid)),
            (&[Traditional], Ok(Traditional)),
            (&[], Err(Some("Namespace".to_owned()))),
        ] {
            let taken = strongest(modes(), |ids| {
                let isolation = ids.isolation();
                if working.contains(&isolation) {
                    Ok(())
                } else {
                    Err(format!("{isolation:?}"))
                }
            });
            assert_eq!(taken.map(|ids| ids.isolation()), want, "{working:?}");
        }
    }
}
