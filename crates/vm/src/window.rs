//! What QEMU can draw a window with.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::error::BootError;

/// What a window of QEMU is drawn with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Toolkit {
    /// GTK: scales, and has a menu.
    Gtk,
    /// SDL.
    Sdl,
}

impl Toolkit {
    /// QEMU's word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gtk => "gtk",
            Self::Sdl => "sdl",
        }
    }

    /// The best that `qemu` has. Without a choice QEMU would show the screen on a VNC server when
    /// it has no window, and nobody would see it.
    ///
    /// # Errors
    /// [`BootError::NoWindow`] when it has none or there is no screen to show one on,
    /// [`BootError::File`] when it does not start.
    pub(crate) fn of(qemu: &Path) -> Result<Self, BootError> {
        let screens = ["WAYLAND_DISPLAY", "DISPLAY"];
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        if !screens.into_iter().any(set) {
            return Err(BootError::NoWindow);
        }
        let help = Command::new(qemu)
            .args(["-display", "help"])
            .stdin(Stdio::null())
            .output()
            .map_err(BootError::file(qemu))?;
        best(&String::from_utf8_lossy(&help.stdout)).ok_or(BootError::NoWindow)
    }
}

/// The best in the output of `-display help`: a name on each line, after a headline.
fn best(help: &str) -> Option<Toolkit> {
    let has = |toolkit: &Toolkit| help.lines().any(|line| line.trim() == toolkit.name());
    [Toolkit::Gtk, Toolkit::Sdl].into_iter().find(has)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_window_is_chosen() {
        const HEAD: &str = "Available display backend types:\nnone\n";
        for (more, want) in [
            ("sdl\ngtk\ncurses\n", Some(Toolkit::Gtk)),
            ("sdl\n", Some(Toolkit::Sdl)),
            ("egl-headless\ncurses\nspice-app\ndbus", None),
        ] {
            assert_eq!(best(&format!("{HEAD}{more}")), want, "{more}");
        }
    }
}
