//! Draws login screens as their programs show them.

use image::imageops::{self, FilterType};

use super::{gdm, lightdm, sddm};
use crate::{
    Brand, Image, Rect, Rgb, backdrop,
    canvas::{Align, Ink, Sketch, wrapped},
    emblem, paint,
    paint::rgba,
    palette::Palette,
};

/// One line that fits, or its beginning.
fn fitting(text: &str, width: f32, ink: Ink) -> String {
    wrapped(text, width, ink, 1).swap_remove(0)
}

pub(super) fn sddm(brand: &Brand, user: &str, width: u32, height: u32) -> Image {
    let places = sddm::Places::on(width, height);
    let unit = places.unit;
    let palette = Palette::of(brand);
    let mut screen = backdrop::paint(brand, width, height, 0.27);
    let lockup = sddm::lockup(brand).picture;
    let scale = sddm::lockup_scale(&places);
    let side = |side: u32| ((side as f32 * scale) as u32).max(1);
    let lockup = imageops::resize(
        &lockup,
        side(lockup.width()),
        side(lockup.height()),
        FilterType::Triangle,
    );
    paint::draw(
        &mut screen,
        &lockup,
        (width as i32 - lockup.width() as i32) / 2,
        (places.lockup_middle - lockup.height() as f32 / 2.0) as i32,
    );
    let (left, top) = places.card;
    let size = (sddm::CARD_WIDTH * unit, sddm::CARD_HEIGHT * unit);
    let radius = sddm::CARD_RADIUS * unit;
    let text = brand.text;
    let mut sketch = Sketch::over(&screen);
    sketch.rect(
        (left, top),
        size,
        radius,
        brand.background,
        sddm::CARD_COVER,
    );
    sketch.frame((left, top), size, radius, text, 0.16);
    let middle = left + size.0 / 2.0;
    let pad = sddm::PAD * unit;
    let name = Ink::new(sddm::USER_SIZE * unit, 600, text);
    sketch.text(
        (middle, top + pad - 4.0 + name.size),
        &fitting(user, size.0 - 4.0 * pad, name),
        name,
        Align::Middle,
    );
    let field = (size.0 - 2.0 * pad, sddm::FIELD_HEIGHT * unit);
    let round = sddm::FIELD_RADIUS * unit;
    let at = (left + pad, top + sddm::FIELD_TOP * unit);
    sketch.rect(at, field, round, text, 0.1);
    sketch.frame(at, field, round, palette.accent, 1.0);
    sketch.frame(
        (at.0 + 1.0, at.1 + 1.0),
        (field.0 - 2.0, field.1 - 2.0),
        round,
        palette.accent,
        1.0,
    );
    let small = Ink::new(sddm::TEXT_SIZE * unit, 400, text.mix(brand.background, 0.3));
    let line = |y: f32| y + field.1 / 2.0 + small.size * 0.36;
    sketch.text(
        (at.0 + 14.0 * unit, line(at.1)),
        "Password",
        small,
        Align::Start,
    );
    let at = (left + pad, top + sddm::BUTTON_TOP * unit);
    sketch.rect(at, field, round, palette.accent, 1.0);
    let label = Ink::new(sddm::TEXT_SIZE * unit, 600, palette.on_accent);
    sketch.text((middle, line(at.1)), "Login", label, Align::Middle);
    let edge = sddm::EDGE * unit;
    let clock = Ink::new(sddm::CLOCK_SIZE * unit, 600, text);
    let (w, h) = (width as f32, height as f32);
    sketch.text((w - edge, edge + clock.size), "10:30", clock, Align::End);
    let row = Ink::new(sddm::TEXT_SIZE * unit, 400, text);
    sketch.text((edge, h - edge - 4.0), "Plasma  ›", row, Align::Start);
    sketch.text((w - edge, h - edge - 4.0), "Shutdown", row, Align::End);
    sketch.text(
        (w - edge - 96.0 * unit, h - edge - 4.0),
        "Reboot",
        row,
        Align::End,
    );
    sketch.draw(&mut screen);
    screen
}

/// Left and top of LightDM's box.
fn lightdm_box(width: u32, height: u32) -> Rect {
    let (w, h) = (lightdm::BOX_WIDTH as i32, lightdm::BOX_HEIGHT as i32);
    Rect::new((width as i32 - w) / 2, (height as i32 - h) / 2, w, h)
}

pub(super) fn lightdm_texts(width: u32, height: u32) -> Vec<Rect> {
    vec![
        lightdm_box(width, height),
        Rect::new(0, 0, width as i32, lightdm::PANEL as i32 + 6),
    ]
}

pub(super) fn lightdm(brand: &Brand, user: &str, width: u32, height: u32) -> Image {
    let palette = Palette::of(brand);
    let (ground, text) = (brand.background, brand.text);
    let mut screen = lightdm::background(brand, width, height);
    let place = lightdm_box(width, height);
    let (x, y) = (place.x as f32, place.y as f32);
    let (w, h) = (place.width as f32, place.height as f32);
    let panel = lightdm::PANEL as f32;
    let mut sketch = Sketch::over(&screen);
    sketch.rect((0.0, 0.0), (width as f32, panel), 0.0, ground, 0.6);
    let small = Ink::new(13.0, 400, text);
    sketch.text((6.0, 16.0), "live", small, Align::Start);
    sketch.text(
        (width as f32 / 2.0 - 40.0, 16.0),
        "10:30",
        Ink::new(13.0, 600, text),
        Align::Middle,
    );
    sketch.stroke(
        (width as f32 - 16.0, 12.0),
        "M-4 -3.5A6 6 0 1 0 4 -3.5M0 -6.5V-1",
        1.4,
        text,
    );
    sketch.rect((x, y), (w, h), lightdm::RADIUS as f32, ground, 0.84);
    sketch.frame((x, y), (w, h), lightdm::RADIUS as f32, text, 0.16);
    let picture = lightdm::USER_PICTURE as f32;
    let left = x + 24.0 + picture + 18.0;
    let field_width = w - 48.0 - picture - 18.0;
    let name = Ink::new(14.0, 600, text);
    sketch.text(
        (left + 10.0, y + 24.0 + 12.0 + 22.0),
        &fitting(user, field_width - 40.0, name),
        name,
        Align::Start,
    );
    sketch.stroke(
        (left + field_width - 14.0, y + 53.0),
        "M-4 -2L0 2L4 -2",
        1.4,
        text,
    );
    let field = (left, y + 86.0);
    let field_size = (field_width, lightdm::FIELD as f32);
    sketch.rect(field, field_size, 6.0, text, 0.1);
    sketch.frame(field, field_size, 6.0, palette.accent, 1.0);
    sketch.text(
        (left + 15.0, field.1 + 22.0),
        "Enter your password",
        Ink::new(13.0, 400, text.mix(ground, 0.35)),
        Align::Start,
    );
    let button = (lightdm::BUTTON.0 as f32, lightdm::BUTTON.1 as f32);
    let foot = y + h - 24.0 - button.1;
    sketch.rect((x + 24.0, foot), button, 6.0, text, 0.1);
    sketch.text(
        (x + 24.0 + button.0 / 2.0, foot + 25.0),
        "Cancel",
        small,
        Align::Middle,
    );
    sketch.rect(
        (x + w - 24.0 - button.0, foot),
        button,
        6.0,
        palette.accent,
        1.0,
    );
    sketch.text(
        (x + w - 24.0 - button.0 / 2.0, foot + 25.0),
        "Log In",
        Ink::new(13.0, 400, palette.on_accent),
        Align::Middle,
    );
    sketch.draw(&mut screen);
    let logo = emblem::square(brand, lightdm::USER_PICTURE);
    paint::draw(&mut screen, &logo, place.x + 24, place.y + 30);
    screen
}

/// Ground of GNOME Shell's login screen, `$system_base_color` of its style sheet.
const GDM_GROUND: Rgb = Rgb::new(0x28, 0x28, 0x28);

pub(super) fn gdm(brand: &Brand, user: &str, width: u32, height: u32) -> Image {
    let mut screen = Image::from_pixel(width, height, rgba(GDM_GROUND, 255));
    let (w, h) = (width as f32, height as f32);
    let white = Rgb::WHITE;
    let mut sketch = Sketch::over(&screen);
    let row = (320.0_f32.min(w - 40.0), 72.0);
    let at = ((w - row.0) / 2.0, h * 0.42);
    sketch.rect(at, row, 14.0, white, 0.1);
    sketch.circle((at.0 + 42.0, at.1 + 36.0), 24.0, white, 0.18);
    sketch.stroke(
        (at.0 + 42.0, at.1 + 36.0),
        "M-9 12C-9 4 9 4 9 12M-5 -5A5 5 0 1 0 5 -5A5 5 0 1 0 -5 -5",
        2.0,
        white,
    );
    let name = Ink::new(17.0, 600, white);
    sketch.text(
        (at.0 + 80.0, at.1 + 42.0),
        &fitting(user, row.0 - 100.0, name),
        name,
        Align::Start,
    );
    let quiet = Ink::new(13.0, 400, white.mix(GDM_GROUND, 0.3));
    sketch.text((w / 2.0, at.1 + 118.0), "Not listed?", quiet, Align::Middle);
    sketch.text(
        (w / 2.0, 22.0),
        "10:30",
        Ink::new(13.0, 600, white),
        Align::Middle,
    );
    sketch.draw(&mut screen);
    let side = gdm::LOGO;
    let logo = emblem::square(brand, side);
    paint::draw(
        &mut screen,
        &logo,
        (width as i32 - side as i32) / 2,
        height as i32 - side as i32 - 40,
    );
    screen
}
