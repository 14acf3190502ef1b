//! Where things stand on GRUB's screen.
//!
//! GRUB's one font has one size, so the parts keep their size in pixels on every screen
//! and are placed around its centre; only the background scales.

use crate::Rect;

/// Width of the picture with logo and name.
pub(super) const LOCKUP_WIDTH: u32 = 640;
/// Width of the panel with the entries.
pub(super) const PANEL_WIDTH: i32 = 560;
/// Thickness of the panel's border pixmaps, and their corner radius.
pub(super) const PANEL_BORDER: i32 = 14;
/// Height of an entry.
pub(super) const ITEM_HEIGHT: i32 = 32;
/// Gap between entries.
pub(super) const ITEM_SPACING: i32 = 4;
/// Gap between the panel's border and the entries.
pub(super) const ITEM_PADDING: i32 = 4;
/// Width of the scroll bar's thumb.
pub(super) const THUMB_WIDTH: i32 = 6;
/// GRUB makes no progress bar lower than this, so the bar is a line in a clear box.
const BAR_HEIGHT: i32 = 28;
/// Clear rows above and below the bar's line.
pub(super) const BAR_CLEAR: i32 = 12;
/// Height of one line of the font.
const LINE: i32 = 16;
/// Bottom edge of the hint above the foot of the screen.
pub(super) const HINT_UP: i32 = 34;

/// A rectangle whose corner is given in pixels from the centre of the screen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) left: i32,
    pub(crate) top: i32,
    pub(crate) width: i32,
    pub(crate) height: i32,
}

impl Place {
    /// On a screen of this size. GRUB rounds the half of an odd size up.
    pub(crate) fn on(self, width: u32, height: u32) -> Rect {
        let middle = |side: u32| (side as i32 + 1) / 2;
        Rect::new(
            middle(width) + self.left,
            middle(height) + self.top,
            self.width,
            self.height,
        )
    }
}

/// Every part of the screen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    pub(crate) lockup: Place,
    pub(crate) panel: Place,
    pub(crate) bar: Place,
    pub(crate) countdown: Place,
}

impl Layout {
    /// Stacks lockup, panel, bar and countdown, centred a little above the middle.
    pub(super) fn new(rows: usize, lockup_height: i32) -> Self {
        let rows = rows as i32;
        let panel_height =
            2 * PANEL_BORDER + 2 * ITEM_PADDING + rows * ITEM_HEIGHT + (rows - 1) * ITEM_SPACING;
        let total = lockup_height + 20 + panel_height + 8 + BAR_HEIGHT + LINE;
        let lockup = Place {
            left: -(LOCKUP_WIDTH as i32) / 2,
            top: -total / 2 - 16,
            width: LOCKUP_WIDTH as i32,
            height: lockup_height,
        };
        let below = |above: Place, gap: i32, height: i32| Place {
            left: -PANEL_WIDTH / 2,
            top: above.top + above.height + gap,
            width: PANEL_WIDTH,
            height,
        };
        let panel = below(lockup, 20, panel_height);
        let bar = below(panel, 8, BAR_HEIGHT);
        let countdown = below(bar, 0, LINE);
        Self {
            lockup,
            panel,
            bar,
            countdown,
        }
    }

    /// The line of help at the foot of the screen.
    pub(crate) fn hint(&self, width: u32, height: u32) -> Rect {
        let left = (width as i32 + 1) / 2 - PANEL_WIDTH / 2;
        Rect::new(left, height as i32 - HINT_UP, PANEL_WIDTH, LINE)
    }
}
