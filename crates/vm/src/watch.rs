//! What to wait for during a run, what to do meanwhile, and what came of it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use serde::Serialize;

use crate::accel::Acceleration;
use crate::firmware::Firmware;
use crate::keys::Key;
use crate::serial::Marker;

/// When to act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trigger {
    /// This long after the start.
    After(Duration),
    /// When this text appears on the serial console.
    Serial(Marker),
    /// When the screen keeps showing the same, as a boot menu does. A
    /// countdown or a cursor may move.
    Still {
        /// How many looks in a row, about 0.7 s apart.
        looks: u32,
        /// Only a screen of this many colours or more; 2 excludes an empty
        /// one, 64 a text.
        colours: usize,
        /// Only a screen of this width and height.
        size: Option<(u32, u32)>,
    },
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Take a picture of the screen.
    Screendump(PathBuf),
    /// Press keys.
    Press(Vec<Key>),
    /// Send text over the serial line.
    Send(String),
}

/// What to wait for and do meanwhile.
#[derive(Debug, Clone)]
pub struct Watch {
    /// The run succeeds with the first of these.
    pub success: Vec<Marker>,
    /// The run fails with the first of these.
    pub failure: Vec<Marker>,
    /// The longest the run may take.
    pub timeout: Duration,
    /// A picture of the screen at the end, good or bad.
    pub screendump: Option<PathBuf>,
    /// Acts, each done once. Those with [`Trigger::Still`] are done in their
    /// order, one per still screen.
    pub acts: Vec<(Trigger, Act)>,
    /// Everything that came over the serial line, as it came.
    pub serial_log: Option<PathBuf>,
    /// Set to end the run.
    pub cancel: Arc<AtomicBool>,
}

impl Watch {
    /// Waits for one marker; the usual failures end the run.
    #[must_use]
    pub fn until(success: Marker, timeout: Duration) -> Self {
        Self {
            success: vec![success],
            failure: Marker::usual_failures(),
            timeout,
            screendump: None,
            acts: Vec::new(),
            serial_log: None,
            cancel: Arc::default(),
        }
    }

    /// Waits until somebody switches the machine off or closes its window.
    #[must_use]
    pub fn until_off() -> Self {
        Self {
            success: Vec::new(),
            failure: Vec::new(),
            timeout: Duration::MAX,
            screendump: None,
            acts: Vec::new(),
            serial_log: None,
            cancel: Arc::default(),
        }
    }

    pub(crate) fn longest_text(&self) -> usize {
        let triggers = self.acts.iter().filter_map(|(trigger, _)| match trigger {
            Trigger::Serial(marker) => Some(marker),
            Trigger::After(_) | Trigger::Still { .. } => None,
        });
        let all = self.success.iter().chain(&self.failure).chain(triggers);
        all.map(|marker| marker.text().len()).max().unwrap_or(0)
    }
}

/// A picture that was taken.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shot {
    /// Where it is. The ending is `.ppm` when QEMU could not write PNG.
    pub path: PathBuf,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// When it was taken, in seconds after the start.
    pub at: f32,
}

/// How a good run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// A success marker appeared.
    Marker(String),
    /// No marker was asked for and the machine was switched off or its
    /// window closed.
    SwitchedOff,
}

/// A good run.
#[derive(Debug, Clone, Serialize)]
pub struct BootReport {
    /// How it ended.
    pub ending: Ending,
    /// Seconds from the start of QEMU to the end.
    pub seconds: f32,
    /// How the machine started.
    pub firmware: Firmware,
    /// How fast it was allowed to be.
    pub acceleration: Acceleration,
    /// The last lines of the serial console, escapes removed.
    pub serial_tail: Vec<String>,
    /// Pictures, in the order they were taken.
    pub shots: Vec<Shot>,
}
