//! Runs an ISO in QEMU and watches what it does.
//!
//! [`Machine`] is a value that says what to run; [`boot()`] runs it, reads the
//! serial console, takes pictures of the screen and presses keys until a
//! [`Marker`] appears, and ends it whatever happens. No root is needed.
//!
//! QEMU cannot outlive its run: a [`boot()`] that returns or unwinds ends it
//! through the handle of its child, and QEMU is started under `setpriv
//! --pdeathsig KILL`, so that the kernel ends it when this program is killed.

mod accel;
mod boot;
mod error;
mod firmware;
mod keys;
mod machine;
mod menu;
mod process;
mod qmp;
mod screen;
mod serial;
mod stillness;
mod watch;
mod window;

pub use accel::{Accel, Acceleration, choose as choose_acceleration};
pub use boot::boot;
pub use error::{BootError, Evidence};
pub use firmware::{Firmware, FirmwareFiles, ImageFormat};
pub use keys::{Key, Printed};
pub use machine::{Attach, Display, Machine, Network, RuntimeFiles};
pub use menu::isolinux_start_with;
pub use serial::Marker;
pub use watch::{Act, BootReport, Ending, Shot, Trigger, Watch};
pub use window::Toolkit;
