//! LightDM with its GTK greeter: background, logo, and a style sheet for the box.
//!
//! Names of the widgets: `data/*.ui` of lightdm-gtk-greeter 2.0.8 and 2.0.9.

use crate::{Brand, TreeFile, backdrop, desktop, desktop::wallpaper, palette::Palette};

/// Size of the background's file, which the greeter scales to cover the screen.
pub(super) const BACKGROUND: (u32, u32) = (1920, 1080);

/// Of the box in the middle, and of the corners of everything in it.
pub(super) const BOX_WIDTH: u32 = 420;
pub(super) const BOX_HEIGHT: u32 = 232;
pub(super) const RADIUS: u32 = 10;
/// Height of the bar at the top.
pub(super) const PANEL: u32 = 24;
/// Height of the field and of the buttons, without the room that Adwaita adds around a label.
pub(super) const CONTROL: u32 = 34;
/// The same with that room, and the width of a button.
pub(super) const FIELD: u32 = 36;
pub(super) const BUTTON: (u32, u32) = (128, 42);

/// Side of the picture beside the fields, as the greeter shows it.
pub(super) const USER_PICTURE: u32 = 80;

pub(super) fn background(brand: &Brand, width: u32, height: u32) -> crate::Image {
    backdrop::paint(brand, width, height, 0.5)
}

pub(super) fn files(brand: &Brand) -> Vec<TreeFile> {
    let slug = desktop::slug(brand);
    let picture = format!("/usr/share/backgrounds/{slug}/login.jpg");
    let logo = desktop::icons::path(brand, 128);
    // Later than Debian's 01_debian.conf; LightDM's own files in /etc stay the administrator's.
    let conf = format!(
        "[greeter]\nbackground={picture}\nuser-background=false\ntheme-name={slug}\nicon-theme-name=Adwaita\ndefault-user-image={logo}\nround-user-image=false\nposition=50%,center 50%,center\npanel-position=top\nindicators=~host;~spacer;~clock;~spacer;~session;~layout;~a11y;~power\nclock-format=%H:%M\n"
    );
    let (width, height) = BACKGROUND;
    vec![
        TreeFile::new(
            "/usr/share/lightdm/lightdm-gtk-greeter.conf.d/90-brand.conf",
            conf,
        ),
        TreeFile::new(picture, wallpaper::jpeg(&background(brand, width, height))),
    ]
}

/// The greeter's part of the GTK theme.
pub(crate) fn css(brand: &Brand) -> String {
    let palette = Palette::of(brand);
    let (ground, text, accent, ink) = (
        brand.background,
        brand.text,
        palette.accent,
        palette.on_accent,
    );
    format!(
        "#panel_window {{ background: alpha({ground}, 0.6); color: {text}; min-height: {PANEL}px; }}\n\
         #panel_window menubar, #panel_window menubar > menuitem {{ background: transparent; box-shadow: none; color: {text}; }}\n\
         #panel_window menubar > menuitem:hover {{ background: alpha({text}, 0.12); }}\n\
         #login_window {{ background: alpha({ground}, 0.84); color: {text}; border: 1px solid alpha({text}, 0.16); border-radius: {RADIUS}px; box-shadow: none; }}\n\
         #login_window frame > border {{ border: none; }}\n\
         #content_frame, #buttonbox_frame {{ min-width: {BOX_WIDTH}px; background: transparent; border: none; }}\n\
         #content_frame {{ padding-bottom: 14px; }}\n\
         #greeter_infobar {{ margin: 0 24px 14px; border-radius: 6px; border: none; }}\n\
         #login_window label, #login_window cellview {{ color: {text}; }}\n\
         #login_window combobox button, #login_window entry {{ min-height: {CONTROL}px; border-radius: 6px; }}\n\
         #login_window entry {{ background: alpha({text}, 0.1); color: {text}; border: 1px solid alpha({text}, 0.25); caret-color: {text}; box-shadow: none; }}\n\
         #login_window entry:focus {{ border-color: {accent}; box-shadow: inset 0 0 0 1px {accent}; }}\n\
         #login_window combobox button {{ background: transparent; border-color: transparent; box-shadow: none; color: {text}; font-weight: bold; }}\n\
         #login_window button {{ min-height: {CONTROL}px; min-width: 96px; border-radius: 6px; text-shadow: none; }}\n\
         #login_button {{ background: {accent}; color: {ink}; border: none; box-shadow: none; }}\n\
         #login_button label {{ color: {ink}; }}\n\
         #login_button:hover {{ background: shade({accent}, 1.08); }}\n\
         #cancel_button {{ background: alpha({text}, 0.1); color: {text}; border: none; box-shadow: none; }}\n\
         #user_image, #user_image_border {{ background: transparent; border: none; box-shadow: none; }}\n"
    )
}
