//! How far a build is, on the window's button in docks and task bars.
//!
//! The signal was Unity's (<https://wiki.ubuntu.com/Unity/LauncherAPI>); Plasma's task manager, Dash
//! to Dock and others draw it too. Nobody answers, and where nobody listens it costs nothing.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use zbus::{blocking::Connection, zvariant::Value};

/// Who the signal speaks of: the desktop file of the package.
const APP: &str = "application://org.isosmith.Isosmith.desktop";

/// An object path that is this program's own; docks look at the one above alone.
const PATH: &str = "/org/isosmith/Isosmith/launcher";

/// The way to docks.
#[derive(Debug, Default)]
pub struct Launcher(Mutex<Option<Connection>>);

impl Launcher {
    /// Says that so many hundredths are done; [`None`]: nothing is being built.
    ///
    /// Docks forget what a program has said when its connection goes, so there is one for good.
    pub fn show(&self, percent: Option<u8>) {
        let mut bus = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let said = match &*bus {
            Some(bus) => tell(bus, percent),
            None => Connection::session().and_then(|new| tell(bus.insert(new), percent)),
        };
        if let Err(error) = said {
            tracing::debug!(%error, "docks are not told");
            *bus = None;
        }
    }
}

fn tell(bus: &Connection, percent: Option<u8>) -> zbus::Result<()> {
    let done = f64::from(percent.unwrap_or(0)) / 100.0;
    let properties = HashMap::from([
        ("progress", Value::from(done)),
        ("progress-visible", Value::from(percent.is_some())),
    ]);
    bus.emit_signal(
        None::<()>,
        PATH,
        "com.canonical.Unity.LauncherEntry",
        "Update",
        &(APP, properties),
    )
}
