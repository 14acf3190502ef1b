//! Asks the login manager not to let the machine sleep or go down while a build runs.

use std::os::fd;

use zbus::zvariant::OwnedFd;

use crate::bus::{Bus, Partner, SOON, Silence};

/// The machine stays awake as long as this lives.
#[derive(Debug)]
pub struct Awake(#[allow(dead_code, reason = "held, not read")] fd::OwnedFd);

impl Awake {
    /// Asks; `None`, with a warning in the log, where there is no login manager or it refuses.
    pub fn ask(bus: &Bus) -> Option<Self> {
        inhibit(bus)
            .inspect_err(|silence| {
                tracing::warn!(%silence, "the machine may fall asleep during the build");
            })
            .ok()
    }
}

/// `Inhibit` of `org.freedesktop.login1.Manager`
/// (<https://www.freedesktop.org/software/systemd/man/org.freedesktop.login1.html>).
fn inhibit(bus: &Bus) -> Result<Awake, Silence> {
    let owner = bus.owner_of("org.freedesktop.login1")?;
    let manager = Partner {
        name: &owner,
        path: "/org/freedesktop/login1",
        interface: "org.freedesktop.login1.Manager",
    };
    let wish = (
        "sleep:shutdown",
        "Isosmith",
        "An ISO is being built",
        "block",
    );
    let answer = bus.call(manager, "Inhibit", &wish, SOON, None)?;
    let fd: OwnedFd = answer.body().deserialize()?;
    Ok(Awake(fd.into()))
}
