//! Draws what Plymouth draws, from the same pictures and numbers as its script.

use image::imageops::{self, FilterType};

use super::{
    BAR_GAP, BAR_HEIGHT, BAR_WIDTH, BULLET_STEP, DESIGN, LOCKUP_MIDDLE, MESSAGE_TOP, Moment,
    PROMPT_GAP, SCALES, SHARP, Splash, TEXT_POINTS,
};
use crate::{
    Image, Rect,
    canvas::{Align, Ink, Sketch},
    paint::{self, rgba},
};

/// Where things stand on one screen, in pixels.
struct Places {
    unit: f32,
    lockup: (i32, i32),
    lockup_size: (u32, u32),
    below: f32,
    bar: (f32, f32),
}

impl Splash {
    /// The splash on a screen of this size.
    pub fn preview(&self, moment: Moment, width: u32, height: u32) -> Image {
        let mut screen = self.ground(width, height);
        let places = self.places(width, height);
        let (w, h) = (width as f32, height as f32);
        let (bar_width, bar_height) = places.bar;
        let bar_left = ((w - bar_width) / 2.0) as i32;
        let bar = |length: i32| Rect::new(bar_left, places.below as i32, length, bar_height as i32);
        match moment {
            Moment::Starting(done) => {
                paint::fill(&mut screen, bar(bar_width as i32), self.track);
                let done = bar_width * f32::from(done.min(1000)) / 1000.0;
                paint::fill(&mut screen, bar(done as i32), rgba(self.fill, 255));
            }
            Moment::Password => self.draw_password(&mut screen, &places),
            Moment::Message => {
                paint::fill(&mut screen, bar(bar_width as i32), self.track);
                paint::fill(
                    &mut screen,
                    bar((bar_width * 0.4) as i32),
                    rgba(self.fill, 255),
                );
                let size = TEXT_POINTS * 96.0 / 72.0;
                let mut sketch = Sketch::over(&screen);
                sketch.text(
                    (w / 2.0, h * MESSAGE_TOP + size),
                    "Checking the disk",
                    Ink::new(size, 400, self.ink),
                    Align::Middle,
                );
                sketch.draw(&mut screen);
            }
        }
        screen
    }

    /// Background, logo and name: what stays the same from the first moment to the last.
    pub fn ground(&self, width: u32, height: u32) -> Image {
        let mut screen = self.backdrop(width, height);
        let places = self.places(width, height);
        let (w, h) = places.lockup_size;
        let lockup = resized(&self.lockup.picture, w, h);
        paint::draw(&mut screen, &lockup, places.lockup.0, places.lockup.1);
        screen
    }

    /// Where logo and name stand, but for the clear room beside them.
    pub(crate) fn name_place(&self, width: u32, height: u32) -> Rect {
        let places = self.places(width, height);
        let (w, h) = (places.lockup_size.0 as i32, places.lockup_size.1 as i32);
        Rect::new(places.lockup.0 + w / 4, places.lockup.1, w / 2, h)
    }

    /// Where words appear that Plymouth sets by itself, and the bar that moves: what a
    /// comparison with a screendump leaves out.
    pub fn moving_regions(&self, width: u32, height: u32) -> Vec<Rect> {
        let places = self.places(width, height);
        let (bar_width, bar_height) = places.bar;
        vec![
            Rect::new(
                ((width as f32 - bar_width) / 2.0) as i32 - 2,
                places.below as i32 - 2,
                bar_width as i32 + 4,
                bar_height as i32 + 4,
            ),
            Rect::new(
                0,
                (height as f32 * MESSAGE_TOP) as i32,
                width as i32,
                (40.0 * places.unit) as i32,
            ),
        ]
    }

    fn draw_password(&self, screen: &mut Image, places: &Places) {
        let (width, height) = screen.dimensions();
        let factor = places.unit / SHARP as f32;
        let sized = |picture: &Image| {
            let side = |side: u32| ((side as f32 * factor) as u32).max(1);
            resized(picture, side(picture.width()), side(picture.height()))
        };
        let field = sized(&self.field);
        let bullet = sized(&self.bullet);
        let top = places.below as i32;
        paint::draw(
            screen,
            &field,
            (width as i32 - field.width() as i32) / 2,
            top,
        );
        let count = 6;
        let step = BULLET_STEP * places.unit;
        let row = (count - 1) as f32 * step + bullet.width() as f32;
        for index in 0..count {
            let x = (width as f32 - row) / 2.0 + index as f32 * step;
            let y = top + (field.height() as i32 - bullet.height() as i32) / 2;
            paint::draw(screen, &bullet, x as i32, y);
        }
        let size = TEXT_POINTS * 96.0 / 72.0;
        let y = top as f32 + field.height() as f32 + PROMPT_GAP * places.unit + size;
        let mut sketch = Sketch::over(screen);
        sketch.text(
            (width as f32 / 2.0, y.min(height as f32)),
            "Please unlock the disk",
            Ink::new(size, 400, self.ink),
            Align::Middle,
        );
        sketch.draw(screen);
    }

    fn places(&self, width: u32, height: u32) -> Places {
        let (w, h) = (width as f32, height as f32);
        let unit = (w / DESIGN.0).min(h / DESIGN.1).clamp(SCALES.0, SCALES.1);
        let factor = unit / SHARP as f32;
        let side = |side: u32| ((side as f32 * factor) as u32).max(1);
        let picture = &self.lockup.picture;
        let lockup_size = (side(picture.width()), side(picture.height()));
        let top = h * LOCKUP_MIDDLE - lockup_size.1 as f32 / 2.0;
        Places {
            unit,
            lockup: ((width as i32 - lockup_size.0 as i32) / 2, top as i32),
            lockup_size,
            below: top + lockup_size.1 as f32 + BAR_GAP * unit,
            bar: (
                (BAR_WIDTH * unit).floor(),
                (BAR_HEIGHT * unit).floor().max(2.0),
            ),
        }
    }
}

fn resized(picture: &Image, width: u32, height: u32) -> Image {
    match picture.dimensions() == (width, height) {
        true => picture.clone(),
        false => imageops::resize(picture, width, height, FilterType::Triangle),
    }
}
