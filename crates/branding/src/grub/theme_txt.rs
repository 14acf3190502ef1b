//! `theme.txt`.

use super::{
    FONT, GrubTheme, HINT,
    layout::{self, Place},
};

/// GRUB fills in the seconds.
pub(super) const COUNTDOWN: &str = "Starting in %d s";

impl GrubTheme {
    /// The theme's description.
    ///
    /// An entry's text is set below its box's upper border, so a selection with borders
    /// above and below would make the selected text jump; it has them only at its sides.
    pub(super) fn theme_txt(&self) -> String {
        let palette = &self.palette;
        let layout = &self.layout;
        format!(
            r#"# Made by Isosmith.
title-text: ""
desktop-image: "background.png"
desktop-image-scale-method: "crop"
desktop-color: "{desktop}"
terminal-font: "{FONT}"
terminal-box: "terminal_*.png"
terminal-border: "8"
terminal-left: "10%"
terminal-top: "10%"
terminal-width: "80%"
terminal-height: "80%"

+ image {{
{lockup}
  file = "brand.png"
}}

+ boot_menu {{
{panel}
  item_font = "{FONT}"
  item_color = "{text}"
  selected_item_color = "{on_accent}"
  icon_width = 0
  icon_height = 0
  item_icon_space = 0
  item_height = {item_height}
  item_padding = {item_padding}
  item_spacing = {item_spacing}
  menu_pixmap_style = "menu_*.png"
  selected_item_pixmap_style = "select_*.png"
  scrollbar_thumb = "thumb_*.png"
  scrollbar_width = {thumb_width}
  scrollbar_left_pad = 0
}}

+ progress_bar {{
  id = "__timeout__"
{bar}
  bar_style = "bar_*.png"
  highlight_style = "fill_*.png"
}}

+ label {{
  id = "__timeout__"
{countdown}
  text = "{COUNTDOWN}"
  font = "{FONT}"
  color = "{muted}"
  align = "center"
}}

+ label {{
  left = 50%{half_panel:+}
  top = 100%-{hint_up}
  width = {panel_width}
  text = "{HINT}"
  font = "{FONT}"
  color = "{muted}"
  align = "center"
}}
"#,
            desktop = self.desktop,
            lockup = corner(layout.lockup),
            panel = corner_and_size(layout.panel),
            bar = corner_and_size(layout.bar),
            countdown = corner_and_size(layout.countdown),
            text = palette.text,
            on_accent = palette.on_accent,
            muted = palette.muted,
            item_height = layout::ITEM_HEIGHT,
            item_padding = layout::ITEM_PADDING,
            item_spacing = layout::ITEM_SPACING,
            thumb_width = layout::THUMB_WIDTH,
            half_panel = -layout::PANEL_WIDTH / 2,
            hint_up = layout::HINT_UP,
            panel_width = layout::PANEL_WIDTH,
        )
    }
}

fn corner(place: Place) -> String {
    format!("  left = 50%{:+}\n  top = 50%{:+}", place.left, place.top)
}

fn corner_and_size(place: Place) -> String {
    format!(
        "{}\n  width = {}\n  height = {}",
        corner(place),
        place.width,
        place.height
    )
}
