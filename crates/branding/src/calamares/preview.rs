//! Draws Calamares' window as a desktop shows it.

use super::{MARK, Page, SIDEBAR, Slide, WELCOME, WINDOW, sidebar, slides};
use crate::{
    Brand, Image, Rgb, backdrop,
    canvas::{Align, Ink, Sketch},
    desktop::{Tone, wallpaper},
    emblem, paint,
    palette::Palette,
};

/// Height of a title bar.
const TITLE_BAR: f32 = 28.0;

/// Height of the row with the buttons at the foot.
const BUTTONS: f32 = 56.0;

/// Steps as Calamares lists them.
const STEPS: [&str; 8] = [
    "Welcome",
    "Location",
    "Keyboard",
    "Partitions",
    "Users",
    "Summary",
    "Install",
    "Finish",
];

const INSTALL: usize = 6;

/// Height of one step.
const STEP: f32 = 39.0;

/// Height of the place for the logo, above the steps.
const LIST: f32 = 80.0;

struct Window {
    x: f32,
    y: f32,
    width: f32,
    height: f32,
}

pub(super) fn draw(brand: &Brand, slides: &[Slide], page: Page, width: u32, height: u32) -> Image {
    let tone = Tone::of(brand);
    let mut screen = wallpaper::picture(brand, tone, width, height);
    let window = Window {
        width: (WINDOW.0 as f32).min(width as f32 - 40.0),
        height: (WINDOW.1 as f32).min(height as f32 - 60.0),
        x: ((width as f32 - WINDOW.0 as f32) / 2.0).max(20.0),
        y: ((height as f32 - WINDOW.1 as f32 - TITLE_BAR) / 2.0).max(10.0),
    };
    frame(&mut screen, brand, tone, &window, page);
    let left = window.x + SIDEBAR as f32;
    let content = (
        window.width - SIDEBAR as f32,
        window.height - BUTTONS,
        left,
        window.y + TITLE_BAR,
    );
    match page {
        Page::Welcome => welcome(&mut screen, brand, tone, content),
        Page::Slide(number) => slide(&mut screen, brand, slides, number, content),
    }
    screen
}

fn frame(screen: &mut Image, brand: &Brand, tone: Tone, window: &Window, page: Page) {
    let (face, ink) = tone.window();
    let bar = tone.title_bar();
    let [ground, text, current, current_ink] = sidebar(brand);
    let palette = Palette::of(brand);
    let whole = window.height + TITLE_BAR;
    let mut sketch = Sketch::over(screen);
    for spread in [10.0, 6.0, 3.0] {
        sketch.rect(
            (window.x - spread, window.y - spread / 2.0),
            (window.width + 2.0 * spread, whole + 2.0 * spread),
            8.0 + spread,
            Rgb::BLACK,
            0.07,
        );
    }
    sketch.rect((window.x, window.y), (window.width, whole), 8.0, bar, 1.0);
    sketch.rect(
        (window.x, window.y + TITLE_BAR),
        (window.width, window.height),
        0.0,
        face,
        1.0,
    );
    let title = format!("Install {}", brand.title());
    let middle = window.x + window.width / 2.0;
    for line in crate::canvas::wrapped(&title, window.width - 120.0, Ink::new(13.0, 400, ink), 1) {
        sketch.text(
            (middle, window.y + 19.0),
            &line,
            Ink::new(13.0, 400, ink),
            Align::Middle,
        );
    }
    sketch.stroke(
        (window.x + window.width - 20.0, window.y + 16.0),
        "M-4 -4L4 4M4 -4L-4 4",
        1.3,
        ink,
    );
    let top = window.y + TITLE_BAR;
    sketch.rect(
        (window.x, top),
        (SIDEBAR as f32, window.height),
        0.0,
        ground,
        1.0,
    );
    let at = match page {
        Page::Welcome => 0,
        Page::Slide(_) => INSTALL,
    };
    for (number, step) in STEPS.iter().enumerate() {
        let y = top + LIST + number as f32 * STEP;
        if number == at {
            sketch.rect((window.x, y), (SIDEBAR as f32, STEP), 0.0, current, 1.0);
        }
        let ink = if number == at { current_ink } else { text };
        sketch.text(
            (window.x + SIDEBAR as f32 / 2.0, y + 25.5),
            step,
            Ink::new(16.0, 400, ink),
            Align::Middle,
        );
    }
    let foot = window.y + whole - BUTTONS;
    let buttons = [
        ("Back", 292.0, false),
        ("Next", 196.0, true),
        ("Cancel", 100.0, false),
    ];
    for (label, from_right, first) in buttons {
        let x = window.x + window.width - from_right;
        let first = first && page == Page::Welcome;
        let (fill, ink, cover) = match first {
            true => (palette.accent, palette.on_accent, 1.0),
            false => (ink, ink, 0.09),
        };
        sketch.rect((x, foot + 12.0), (86.0, 32.0), 4.0, fill, cover);
        sketch.text(
            (x + 43.0, foot + 33.0),
            label,
            Ink::new(13.0, 400, ink),
            Align::Middle,
        );
    }
    sketch.draw(screen);
    let side = MARK / 2;
    let logo = emblem::square(brand, side);
    let x = window.x as i32 + (SIDEBAR - side) as i32 / 2;
    paint::draw(
        screen,
        &logo,
        x,
        top as i32 + (LIST as i32 - side as i32) / 2,
    );
}

fn welcome(
    screen: &mut Image,
    brand: &Brand,
    tone: Tone,
    (width, height, left, top): (f32, f32, f32, f32),
) {
    let (_, ink) = tone.window();
    let title = format!("Welcome to the {} installer", brand.title());
    let mut sketch = Sketch::over(screen);
    let below = sketch.paragraph(
        (left + width / 2.0, top + 44.0),
        width - 60.0,
        &title,
        Ink::new(19.0, 400, ink),
        Align::Middle,
        2,
    );
    let room = (width - 80.0, (height - (below - top) - 96.0).max(40.0));
    sketch.rect(
        (left + 60.0, top + height - 60.0),
        (width - 120.0, 34.0),
        4.0,
        ink,
        0.08,
    );
    sketch.text(
        (left + 76.0, top + height - 38.0),
        "English (US)",
        Ink::new(14.0, 400, ink),
        Align::Start,
    );
    sketch.draw(screen);
    let scale = (room.0 / WELCOME.0 as f32).min(room.1 / WELCOME.1 as f32);
    let (w, h) = (
        (WELCOME.0 as f32 * scale) as u32,
        (WELCOME.1 as f32 * scale) as u32,
    );
    let picture = image::imageops::resize(
        &super::welcome(brand),
        w.max(1),
        h.max(1),
        image::imageops::FilterType::Triangle,
    );
    let x = left as i32 + (width as i32 - w as i32) / 2;
    paint::draw(screen, &picture, x, below as i32);
}

fn slide(
    screen: &mut Image,
    brand: &Brand,
    list: &[Slide],
    number: usize,
    (width, height, left, top): (f32, f32, f32, f32),
) {
    let Some(slide) = list.get(number.min(list.len().saturating_sub(1))) else {
        return;
    };
    // Below the slides is the line that tells what is being done.
    let bar = 58.0;
    let show = height - bar;
    let ground = backdrop_of(brand, width as u32, show as u32);
    paint::draw(screen, &ground, left as i32, top as i32);
    let palette = Palette::of(brand);
    let room = (
        (width * slides::TEXT_WIDTH) as u32,
        (show * slides::PICTURE_HEIGHT) as u32,
    );
    if let Some(picture) = &slide.picture {
        let (w, h) = picture.fitted(room.0, room.1);
        let x = left as i32 + (width as i32 - w as i32) / 2;
        let y = (top + show * slides::PICTURE_TOP) as i32 + (room.1 as i32 - h as i32) / 2;
        paint::draw(screen, &picture.render(w, h), x, y);
    }
    let middle = left + width / 2.0;
    let share = match slide.picture {
        Some(_) => slides::TITLE_TOP,
        None => slides::TITLE_TOP_ALONE,
    };
    let mut sketch = Sketch::over(screen);
    let below = sketch.paragraph(
        (middle, top + show * share + slides::TITLE_SIZE),
        width * slides::TEXT_WIDTH,
        &slide.title,
        Ink::new(slides::TITLE_SIZE, 600, brand.text),
        Align::Middle,
        2,
    );
    sketch.paragraph(
        (
            middle,
            below - slides::TITLE_SIZE + slides::TEXT_GAP + slides::TEXT_SIZE,
        ),
        width * slides::TEXT_WIDTH,
        &slide.text,
        Ink::new(slides::TEXT_SIZE, 400, slides::muted(brand)),
        Align::Middle,
        5,
    );
    let step = slides::DOT + slides::DOT_GAP;
    let first = middle - (list.len() as f32 * step - slides::DOT_GAP) / 2.0;
    for (at, _) in list.iter().enumerate() {
        let (fill, cover) = match at == number {
            true => (palette.accent, 1.0),
            false => (brand.text, 0.3),
        };
        let x = first + at as f32 * step + slides::DOT / 2.0;
        let y = top + show - slides::DOT_UP - slides::DOT / 2.0;
        sketch.circle((x, y), slides::DOT / 2.0, fill, cover);
    }
    let (_, ink) = Tone::of(brand).window();
    let y = top + height - 24.0;
    sketch.text(
        (left + 16.0, y - 14.0),
        "Copying files…",
        Ink::new(13.0, 400, ink),
        Align::Start,
    );
    sketch.rect((left + 16.0, y), (width - 32.0, 8.0), 3.0, ink, 0.2);
    let done = (number + 1) as f32 / (list.len() + 1) as f32;
    sketch.rect(
        (left + 16.0, y),
        ((width - 32.0) * done, 8.0),
        3.0,
        palette.accent,
        1.0,
    );
    sketch.draw(screen);
}

fn backdrop_of(brand: &Brand, width: u32, height: u32) -> Image {
    let plain = Brand {
        wallpaper: None,
        ..brand.clone()
    };
    backdrop::paint(&plain, width, height, 0.4)
}
