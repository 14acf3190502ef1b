//! Xfce: channels of xfconf, and the panel.

use std::fmt::Write;

use super::{Tone, icons, slug, wallpaper_path};
use crate::{Brand, TreeFile, escape::xml};

/// Height of the panel at the bottom, in pixels.
pub(super) const PANEL: u32 = 36;

/// Of the icons in it.
pub(super) const PANEL_ICON: u32 = 24;

/// Monitors by the names that X gives them. xfdesktop has no entry for "any monitor": for one
/// that is not here it takes its built-in picture, in whose place the recipe puts ours.
const MONITORS: [&str; 16] = [
    "0",
    "eDP-1",
    "LVDS-1",
    "HDMI-1",
    "HDMI-2",
    "HDMI-A-1",
    "DP-1",
    "DP-2",
    "DVI-D-1",
    "DVI-I-1",
    "VGA-1",
    "Virtual-1",
    "Virtual1",
    "default",
    "None-1",
    "screen",
];

const FOLDER: &str = "/etc/xdg/xfce4/xfconf/xfce-perchannel-xml";

pub(super) fn files(brand: &Brand) -> Vec<TreeFile> {
    let channel = |name: &str, body: String| {
        TreeFile::new(
            format!("{FOLDER}/{name}.xml"),
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\n<channel name=\"{name}\" version=\"1.0\">\n{body}</channel>\n"
            ),
        )
    };
    vec![
        channel("xfce4-desktop", desktop(brand)),
        channel("xsettings", settings(brand)),
        channel("xfce4-panel", panel(brand)),
    ]
}

fn desktop(brand: &Brand) -> String {
    let picture = xml(&wallpaper_path(brand, Tone::of(brand)));
    let mut monitors = String::new();
    for monitor in MONITORS {
        // Writing to a text cannot fail. 5 is "zoomed" (xfdesktop, XfceBackdropImageStyle).
        let _ = write!(
            monitors,
            "      <property name=\"monitor{monitor}\" type=\"empty\">\n        <property name=\"workspace0\" type=\"empty\">\n          <property name=\"image-style\" type=\"int\" value=\"5\"/>\n          <property name=\"last-image\" type=\"string\" value=\"{picture}\"/>\n        </property>\n      </property>\n"
        );
    }
    format!(
        "  <property name=\"backdrop\" type=\"empty\">\n    <property name=\"single-workspace-mode\" type=\"bool\" value=\"true\"/>\n    <property name=\"single-workspace-number\" type=\"int\" value=\"0\"/>\n    <property name=\"screen0\" type=\"empty\">\n{monitors}    </property>\n  </property>\n"
    )
}

fn settings(brand: &Brand) -> String {
    // Of elementary-xfce-icon-theme; the dark one has symbols for dark panels.
    let icons = match Tone::of(brand) {
        Tone::Light => "elementary-xfce",
        Tone::Dark => "elementary-xfce-dark",
    };
    format!(
        "  <property name=\"Net\" type=\"empty\">\n    <property name=\"ThemeName\" type=\"string\" value=\"{}\"/>\n    <property name=\"IconThemeName\" type=\"string\" value=\"{icons}\"/>\n  </property>\n",
        xml(&slug(brand))
    )
}

/// One panel at the bottom: the menu with the product's logo, windows, and what the system says.
fn panel(brand: &Brand) -> String {
    let icon = xml(&icons::name(brand));
    let dark = Tone::of(brand) == Tone::Dark;
    let ids: String = (1..=8)
        .map(|id| format!("        <value type=\"int\" value=\"{id}\"/>\n"))
        .collect();
    format!(
        r#"  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array">
    <value type="int" value="1"/>
    <property name="dark-mode" type="bool" value="{dark}"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=8;x=0;y=0"/>
      <property name="position-locked" type="bool" value="true"/>
      <property name="length" type="uint" value="100"/>
      <property name="size" type="uint" value="{PANEL}"/>
      <property name="icon-size" type="uint" value="{PANEL_ICON}"/>
      <property name="plugin-ids" type="array">
{ids}      </property>
    </property>
  </property>
  <property name="plugins" type="empty">
    <property name="plugin-1" type="string" value="applicationsmenu">
      <property name="button-icon" type="string" value="{icon}"/>
      <property name="show-button-title" type="bool" value="false"/>
    </property>
    <property name="plugin-2" type="string" value="separator">
      <property name="style" type="uint" value="0"/>
    </property>
    <property name="plugin-3" type="string" value="tasklist">
      <property name="grouping" type="uint" value="1"/>
    </property>
    <property name="plugin-4" type="string" value="separator">
      <property name="expand" type="bool" value="true"/>
      <property name="style" type="uint" value="0"/>
    </property>
    <property name="plugin-5" type="string" value="systray">
      <property name="square-icons" type="bool" value="true"/>
    </property>
    <property name="plugin-6" type="string" value="pulseaudio"/>
    <property name="plugin-7" type="string" value="clock"/>
    <property name="plugin-8" type="string" value="actions"/>
  </property>
"#
    )
}
