//! What lies behind everything: the wallpaper, calmed, or a ground made from colours.

use image::Rgba;

use crate::{
    Brand, Image,
    colour::{Rgb, contrast_of_luminances},
    palette::READABLE,
};

/// Lightest scrim over a wallpaper; even a dark one is calmed a little.
const SCRIM_LEAST: f32 = 0.30;

/// Heaviest scrim; more would leave nothing of the wallpaper.
const SCRIM_MOST: f32 = 0.86;

/// Paints the whole background. `glow` is the height of the light's centre, 0 (top) to 1.
pub(crate) fn paint(brand: &Brand, width: u32, height: u32, glow: f32) -> Image {
    match &brand.wallpaper {
        Some(wallpaper) => calmed(wallpaper.cover(width, height), brand),
        None => designed(brand, width, height, glow),
    }
}

/// The wallpaper under a scrim of the background colour, just heavy enough for the text.
fn calmed(mut picture: Image, brand: &Brand) -> Image {
    let scrim = scrim_for(&picture, brand);
    let height = picture.height().max(2) as f32 - 1.0;
    for (_, y, pixel) in picture.enumerate_pixels_mut() {
        // Transparent wallpapers show the background colour.
        let share = f32::from(pixel[3]) / 255.0;
        // A little heavier at the foot, where the small text stands.
        let cover = (scrim + 0.08 * (y as f32 / height)).min(SCRIM_MOST);
        let mixed = brand.background.mix(
            Rgb::new(pixel[0], pixel[1], pixel[2]),
            share * (1.0 - cover),
        );
        *pixel = Rgba([mixed.r, mixed.g, mixed.b, 255]);
    }
    picture
}

/// Smallest scrim under which 98 % of the middle of the picture lets the text be read.
fn scrim_for(picture: &Image, brand: &Brand) -> f32 {
    let (width, height) = picture.dimensions();
    let samples: Vec<Rgb> = (height / 20..height)
        .step_by(6)
        .flat_map(|y| {
            (width / 6..width - width / 6)
                .step_by(6)
                .map(move |x| (x, y))
        })
        .map(|(x, y)| {
            let pixel = picture.get_pixel(x, y);
            brand.background.mix(
                Rgb::new(pixel[0], pixel[1], pixel[2]),
                f32::from(pixel[3]) / 255.0,
            )
        })
        .collect();
    let text = brand.text.luminance();
    let reads = |scrim: f32| {
        let poor = samples
            .iter()
            .filter(|sample| {
                let ground = sample.mix(brand.background, scrim).luminance();
                contrast_of_luminances(text, ground) < READABLE + 0.4
            })
            .count();
        poor * 50 <= samples.len()
    };
    let steps = [SCRIM_LEAST, 0.40, 0.50, 0.58, 0.66, 0.72, 0.78];
    steps
        .into_iter()
        .find(|&scrim| reads(scrim))
        .unwrap_or(SCRIM_MOST)
}

/// A quiet vertical gradient of the background colour with a soft light of the accent
/// colour behind the name.
fn designed(brand: &Brand, width: u32, height: u32, glow: f32) -> Image {
    let ground = brand.background;
    let (top, foot) = if ground.is_dark() {
        (ground.mix(Rgb::WHITE, 0.035), ground.mix(Rgb::BLACK, 0.38))
    } else {
        (ground.mix(Rgb::WHITE, 0.45), ground.mix(Rgb::BLACK, 0.06))
    };
    let strength = glow_strength(brand, top);
    let (w, h) = (width as f32, height as f32);
    Image::from_fn(width, height, |x, y| {
        let (u, v) = ((x as f32 + 0.5) / w, (y as f32 + 0.5) / h);
        let behind_name = falloff((u - 0.5) / 0.55, (v - glow) / 0.48);
        let corner = falloff((u - 1.02) / 0.60, (v - 1.05) / 0.75);
        let light = strength * (behind_name + 0.45 * corner);
        let channel = |from: u8, to: u8, accent: u8| {
            let base = f32::from(from) + (f32::from(to) - f32::from(from)) * v;
            base + (f32::from(accent) - base) * light
        };
        Rgba([
            dithered(channel(top.r, foot.r, brand.accent.r), x, y),
            dithered(channel(top.g, foot.g, brand.accent.g), x, y),
            dithered(channel(top.b, foot.b, brand.accent.b), x, y),
            255,
        ])
    })
}

/// As much light as the text can stand at its brightest point.
fn glow_strength(brand: &Brand, ground: Rgb) -> f32 {
    let wanted = 0.20;
    let own = brand.text.contrast(ground);
    [1.0, 0.7, 0.45, 0.25]
        .into_iter()
        .map(|share| wanted * share)
        .find(|&strength| {
            brand.text.contrast(ground.mix(brand.accent, strength)) >= (READABLE + 1.5).min(own)
        })
        .unwrap_or(0.0)
}

/// 1 in the middle, 0 from distance 1 on, smooth in between.
fn falloff(x: f32, y: f32) -> f32 {
    let left = (1.0 - (x * x + y * y)).max(0.0);
    left * left
}

/// Rounds with a fixed 4 x 4 pattern (Bayer), so that slow gradients show no bands.
fn dithered(value: f32, x: u32, y: u32) -> u8 {
    const PATTERN: [[f32; 4]; 4] = [
        [0.0, 8.0, 2.0, 10.0],
        [12.0, 4.0, 14.0, 6.0],
        [3.0, 11.0, 1.0, 9.0],
        [15.0, 7.0, 13.0, 5.0],
    ];
    let threshold = (PATTERN[(y % 4) as usize][(x % 4) as usize] + 0.5) / 16.0;
    (value + threshold).floor().clamp(0.0, 255.0) as u8
}
