//! Draws a desktop after its first login: wallpaper, panel, and what lies on it.

use isosmith_spec::model::Environment;

use super::{Tone, gnome, kde, lxqt, wallpaper, xfce};
use crate::{
    Brand, Image, Rect, Rgb,
    canvas::{Align, Ink, Sketch},
    emblem, paint,
    palette::Palette,
};

/// Height of GNOME Shell's bar at the top, and of the panels of Cinnamon and MATE.
const GNOME_BAR: u32 = 32;
const CINNAMON_PANEL: u32 = 40;
const MATE_PANEL: u32 = 28;

/// A bar along an edge of the screen.
struct Panel {
    place: Rect,
    radius: f32,
    ground: Rgb,
    cover: f32,
    ink: Rgb,
    /// Side of the logo at its left; `None` where there is none.
    logo: Option<u32>,
    /// Names of things at the right.
    clock: bool,
}

fn place(environment: Environment, width: u32, height: u32) -> Option<Rect> {
    let (w, h) = (width as i32, height as i32);
    let bottom = |side: u32| Rect::new(0, h - side as i32, w, side as i32);
    match environment {
        Environment::Kde => {
            let (gap, side) = (kde::PANEL_GAP as i32, kde::PANEL as i32);
            Some(Rect::new(gap, h - side - gap, w - 2 * gap, side))
        }
        Environment::Gnome => Some(Rect::new(0, 0, w, GNOME_BAR as i32)),
        Environment::Xfce => Some(bottom(xfce::PANEL)),
        Environment::Lxqt => Some(bottom(lxqt::PANEL)),
        Environment::Cinnamon => Some(bottom(CINNAMON_PANEL)),
        Environment::Mate => Some(Rect::new(0, 0, w, MATE_PANEL as i32)),
        Environment::Kiosk => None,
    }
}

pub(super) fn moving_regions(environment: Environment, width: u32, height: u32) -> Vec<Rect> {
    let mut regions: Vec<Rect> = place(environment, width, height).into_iter().collect();
    // Icons that a desktop puts in its first column.
    match environment {
        Environment::Kde
        | Environment::Xfce
        | Environment::Lxqt
        | Environment::Mate
        | Environment::Cinnamon => regions.push(Rect::new(0, 0, 116, height as i32)),
        Environment::Gnome | Environment::Kiosk => {}
    }
    regions
}

pub(super) fn draw(
    brand: &Brand,
    environment: Environment,
    tone: Tone,
    width: u32,
    height: u32,
) -> Image {
    if environment == Environment::Kiosk {
        return kiosk(brand, width, height);
    }
    let mut screen = wallpaper::picture(brand, tone, width, height);
    let Some(place) = place(environment, width, height) else {
        return screen;
    };
    let (face, ink) = tone.window();
    let panel = |radius: f32, ground: Rgb, cover: f32, ink: Rgb, logo: Option<u32>| Panel {
        place,
        radius,
        ground,
        cover,
        ink,
        logo,
        clock: true,
    };
    let panel = match environment {
        Environment::Kde => panel(8.0, face, 0.92, ink, Some(28)),
        Environment::Gnome => panel(0.0, Rgb::BLACK, 1.0, Rgb::WHITE, None),
        Environment::Xfce => panel(0.0, face, 1.0, ink, Some(xfce::PANEL_ICON)),
        Environment::Lxqt => panel(0.0, face, 1.0, ink, Some(22)),
        Environment::Cinnamon => panel(0.0, Rgb::new(0x22, 0x22, 0x26), 1.0, Rgb::WHITE, Some(28)),
        Environment::Mate => panel(0.0, face, 1.0, ink, Some(20)),
        Environment::Kiosk => return screen,
    };
    let accent = match environment {
        Environment::Gnome => gnome::accent_shown(brand.accent),
        Environment::Kde
        | Environment::Xfce
        | Environment::Lxqt
        | Environment::Cinnamon
        | Environment::Mate
        | Environment::Kiosk => Palette::of(brand).accent,
    };
    window(&mut screen, brand, tone, accent);
    bar(&mut screen, brand, environment, &panel);
    screen
}

fn bar(screen: &mut Image, brand: &Brand, environment: Environment, panel: &Panel) {
    let place = panel.place;
    let (x, y) = (place.x as f32, place.y as f32);
    let (w, h) = (place.width as f32, place.height as f32);
    let middle = y + h / 2.0;
    let small = Ink::new(13.0, 400, panel.ink);
    let line = middle + 4.5;
    let mut sketch = Sketch::over(screen);
    sketch.rect((x, y), (w, h), panel.radius, panel.ground, panel.cover);
    match environment {
        Environment::Gnome => {
            sketch.rect((14.0, middle - 4.0), (30.0, 8.0), 4.0, panel.ink, 1.0);
            sketch.circle((56.0, middle), 4.0, panel.ink, 0.5);
            sketch.text(
                (w / 2.0, line),
                "10:30",
                Ink::new(13.0, 600, panel.ink),
                Align::Middle,
            );
            sketch.circle((w - 22.0, middle), 6.0, panel.ink, 0.9);
            sketch.circle((w - 44.0, middle), 6.0, panel.ink, 0.9);
        }
        Environment::Mate => {
            sketch.text(
                (x + 34.0, line),
                "Applications   Places   System",
                small,
                Align::Start,
            );
            sketch.text((x + w - 12.0, line), "10:30", small, Align::End);
        }
        Environment::Kde
        | Environment::Xfce
        | Environment::Lxqt
        | Environment::Cinnamon
        | Environment::Kiosk => {
            for (number, tint) in [0.9, 0.7].into_iter().enumerate() {
                let left = x + 62.0 + number as f32 * 44.0;
                sketch.rect(
                    (left, middle - 11.0),
                    (22.0, 22.0),
                    5.0,
                    panel.ink,
                    tint * 0.35,
                );
            }
            if panel.clock {
                sketch.text((x + w - 14.0, line), "10:30", small, Align::End);
            }
            for number in 0..3 {
                let left = x + w - 78.0 - number as f32 * 26.0;
                sketch.circle((left, middle), 6.0, panel.ink, 0.55);
            }
        }
    }
    sketch.draw(screen);
    if let Some(side) = panel.logo {
        let logo = emblem::square(brand, side);
        let top = place.y + (place.height - side as i32) / 2;
        // Xfce's button leaves two pixels around its icon.
        let inset = match environment {
            Environment::Xfce => 2,
            Environment::Kde
            | Environment::Gnome
            | Environment::Lxqt
            | Environment::Cinnamon
            | Environment::Mate
            | Environment::Kiosk => 10,
        };
        paint::draw(screen, &logo, place.x + inset, top);
    }
}

/// Corner and size of the window.
fn window_place(width: f32, height: f32) -> ((f32, f32), (f32, f32)) {
    let size = ((width * 0.36).min(520.0), (height * 0.42).min(360.0));
    ((width * 0.52, height * 0.2), size)
}

/// The window with its shadow.
pub(super) fn window_region(width: u32, height: u32) -> Rect {
    let ((x, y), (w, h)) = window_place(width as f32, height as f32);
    let shadow = 20.0;
    Rect::new(
        (x - shadow) as i32,
        (y - shadow) as i32,
        (w + 2.0 * shadow) as i32,
        (h + 2.0 * shadow) as i32,
    )
}

/// A window, to show its colours: a list with one row chosen, and buttons.
fn window(screen: &mut Image, brand: &Brand, tone: Tone, accent: Rgb) {
    let (width, height) = (screen.width() as f32, screen.height() as f32);
    if width < 480.0 || height < 360.0 {
        return;
    }
    let (face, ink) = tone.window();
    let (at, size) = window_place(width, height);
    let on_accent = Palette::of(&Brand {
        accent,
        ..brand.clone()
    })
    .on_accent;
    let mut sketch = Sketch::over(screen);
    for spread in [9.0, 5.0, 2.0] {
        sketch.rect(
            (at.0 - spread, at.1 - spread / 2.0),
            (size.0 + 2.0 * spread, size.1 + 2.0 * spread),
            9.0 + spread,
            Rgb::BLACK,
            0.07,
        );
    }
    sketch.rect(at, size, 9.0, tone.title_bar(), 1.0);
    sketch.rect(
        (at.0, at.1 + 34.0),
        (size.0, size.1 - 44.0),
        0.0,
        tone.view(),
        1.0,
    );
    sketch.rect(
        (at.0, at.1 + size.1 - 20.0),
        (size.0, 20.0),
        9.0,
        tone.view(),
        1.0,
    );
    sketch.rect(
        (at.0, at.1 + 34.0),
        (size.0 * 0.32, size.1 - 54.0),
        0.0,
        face,
        1.0,
    );
    sketch.text(
        (at.0 + size.0 / 2.0, at.1 + 22.0),
        "Files",
        Ink::new(13.0, 600, ink),
        Align::Middle,
    );
    sketch.stroke(
        (at.0 + size.0 - 20.0, at.1 + 17.0),
        "M-4 -4L4 4M4 -4L-4 4",
        1.3,
        ink,
    );
    for (number, label) in ["Home", "Documents", "Pictures", "Music"]
        .into_iter()
        .enumerate()
    {
        let top = at.1 + 44.0 + number as f32 * 30.0;
        let chosen = number == 0;
        if chosen {
            sketch.rect(
                (at.0 + 8.0, top),
                (size.0 * 0.32 - 16.0, 26.0),
                5.0,
                accent,
                1.0,
            );
        }
        let ink = if chosen { on_accent } else { ink };
        sketch.text(
            (at.0 + 18.0, top + 18.0),
            label,
            Ink::new(12.5, 400, ink),
            Align::Start,
        );
    }
    for number in 0..6 {
        let left = at.0 + size.0 * 0.38 + (number % 3) as f32 * size.0 * 0.2;
        let top = at.1 + 56.0 + (number / 3) as f32 * 84.0;
        sketch.rect((left, top), (44.0, 36.0), 5.0, accent, 0.85);
        sketch.rect((left, top - 5.0), (20.0, 12.0), 3.0, accent, 0.85);
        sketch.rect((left - 2.0, top + 46.0), (48.0, 5.0), 2.0, ink, 0.4);
    }
    sketch.draw(screen);
}

/// One page over the whole screen.
fn kiosk(brand: &Brand, width: u32, height: u32) -> Image {
    let mut screen = Image::from_pixel(width, height, paint::rgba(Rgb::WHITE, 255));
    let (w, h) = (width as f32, height as f32);
    let grey = Rgb::new(0xd8, 0xdb, 0xdf);
    let mut sketch = Sketch::over(&screen);
    sketch.rect((0.0, 0.0), (w, h * 0.12), 0.0, brand.accent, 1.0);
    sketch.rect((w * 0.1, h * 0.2), (w * 0.8, h * 0.34), 12.0, grey, 1.0);
    for line in 0..6 {
        let length = if line == 5 { 0.4 } else { 0.8 };
        sketch.rect(
            (w * 0.1, h * (0.6 + 0.05 * line as f32)),
            (w * length, h * 0.02),
            4.0,
            grey,
            1.0,
        );
    }
    sketch.draw(&mut screen);
    screen
}
