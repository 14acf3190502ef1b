//! A GTK 3 theme: Adwaita with the product's colour where it marks something, and the greeter.
//!
//! GTK 4 programs of GNOME take the colour from the desktop's settings instead.

use super::{Tone, slug};
use crate::{Brand, TreeFile, escape::key_file, login, palette::Palette};

pub(super) fn files(brand: &Brand) -> Vec<TreeFile> {
    let slug = slug(brand);
    let folder = format!("/usr/share/themes/{slug}");
    let index = format!(
        "[Desktop Entry]\nType=X-GNOME-Metatheme\nName={name}\nComment={name}\nEncoding=UTF-8\n\n[X-GNOME-Metatheme]\nGtkTheme={slug}\nIconTheme=Adwaita\n",
        name = key_file(&brand.short_name)
    );
    let css = |tone: Tone| css(brand, tone);
    vec![
        TreeFile::new(format!("{folder}/index.theme"), index),
        TreeFile::new(format!("{folder}/gtk-3.0/gtk.css"), css(Tone::of(brand))),
        TreeFile::new(format!("{folder}/gtk-3.0/gtk-dark.css"), css(Tone::Dark)),
    ]
}

fn css(brand: &Brand, tone: Tone) -> String {
    let palette = Palette::of(brand);
    let (accent, ink) = (palette.accent, palette.on_accent);
    let base = match tone {
        Tone::Light => "gtk-contained.css",
        Tone::Dark => "gtk-contained-dark.css",
    };
    let greeter = login::greeter_css(brand);
    // xfdesktop writes the names below its icons in `theme_selected_fg_color`, on the wallpaper.
    let text = brand.text;
    let (panel, panel_ink) = tone.window();
    format!(
        "@import url(\"resource:///org/gtk/libgtk/theme/Adwaita/{base}\");\n\
         @define-color theme_selected_bg_color {accent};\n\
         @define-color theme_selected_fg_color {text};\n\
         @define-color accent_color {accent};\n\
         @define-color accent_bg_color {accent};\n\
         @define-color accent_fg_color {ink};\n\
         selection, *:selected, row:selected, treeview.view:selected, iconview:selected, menuitem:hover, menu menuitem:hover, entry selection, textview text selection, label selection {{ background-color: {accent}; color: {ink}; }}\n\
         row:selected label, row:selected image, menuitem:hover > label, menuitem:hover > accelerator {{ color: {ink}; }}\n\
         button.suggested-action {{ background-image: none; background-color: {accent}; color: {ink}; border-color: {accent}; }}\n\
         check:checked, radio:checked, check:indeterminate, radio:indeterminate {{ background-image: none; background-color: {accent}; color: {ink}; border-color: {accent}; }}\n\
         switch:checked {{ background-image: none; background-color: {accent}; border-color: {accent}; }}\n\
         scale highlight, progressbar progress, levelbar block.filled {{ background-image: none; background-color: {accent}; border-color: {accent}; }}\n\
         entry:focus, notebook > header tab:checked {{ border-color: {accent}; box-shadow: inset 0 0 0 1px {accent}; }}\n\
         .xfce4-panel.background {{ background-color: {panel}; color: {panel_ink}; }}\n\
         {greeter}"
    )
}
