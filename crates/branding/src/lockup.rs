//! Logo, name and version as one picture with a clear ground.

use resvg::tiny_skia::Pixmap;

use crate::{
    Brand, Image,
    brand::one_line,
    paint,
    palette::Palette,
    typeset::{Line, Weight},
};

/// How much room there is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    /// Width of the picture; text and logo stay a margin away from its edges.
    pub(crate) width: u32,
    /// Height of the logo's box; its width may be four times that.
    pub(crate) logo: u32,
    /// Largest size of the name, in pixels per em.
    pub(crate) name: f32,
    /// Size of the version below it.
    pub(crate) version: f32,
    /// Whether a long name may take two lines.
    pub(crate) two_lines: bool,
}

/// Smallest size of a name before it is cut.
const SMALLEST_NAME: f32 = 15.0;

/// The finished picture and what had to give.
#[derive(Debug, Clone)]
pub(crate) struct Lockup {
    /// Straight alpha, clear around the content.
    pub(crate) picture: Image,
    /// Whether the name had to be cut.
    pub(crate) name_cut: bool,
    /// Size at which the logo is drawn.
    pub(crate) logo_size: Option<(u32, u32)>,
}

/// Size of the logo inside its box; a logo is never drawn wider than the picture.
fn logo_size(brand: &Brand, room: Room) -> Option<(u32, u32)> {
    let logo = brand.logo.as_ref()?;
    Some(logo.fitted((room.logo * 4).min(room.width - 40), room.logo))
}

/// Draws the brand's logo above its name and version.
pub(crate) fn draw(brand: &Brand, room: Room) -> Lockup {
    let palette = Palette::of(brand);
    let name = Name::fit(&one_line(&brand.name), room, &palette);
    let version = one_line(&brand.version_line());
    let version_line = Line::set(&version, room.version, Weight::Regular, palette.muted);

    let logo_size = logo_size(brand, room);
    let logo_height = logo_size.map_or(0, |(_, height)| height + room.logo / 6 + 2);
    let version_height = match version.is_empty() {
        true => 0,
        false => (room.version * 1.625) as u32,
    };
    let height = logo_height + name.height() + version_height + 4;

    let Some(mut canvas) = Pixmap::new(room.width, height) else {
        return Lockup {
            picture: Image::new(room.width, height),
            name_cut: name.cut,
            logo_size,
        };
    };
    let middle = room.width as f32 / 2.0;
    let mut baseline = logo_height as f32 + name.size;
    for line in &name.lines {
        line.draw_centred(&mut canvas, middle, baseline.round());
        baseline += name.line_height();
    }
    version_line.draw_centred(
        &mut canvas,
        middle,
        (logo_height + name.height()) as f32 + (room.version * 1.125).floor(),
    );

    let mut picture = paint::straight(&canvas);
    if let (Some(logo), Some((width, height))) = (&brand.logo, logo_size) {
        let left = (room.width - width) / 2;
        image::imageops::replace(&mut picture, &logo.render(width, height), left.into(), 0);
    }
    Lockup {
        picture,
        name_cut: name.cut,
        logo_size,
    }
}

/// A name set in one or two lines, as large as the room allows.
struct Name {
    lines: Vec<Line>,
    size: f32,
    cut: bool,
}

impl Name {
    fn fit(name: &str, room: Room, palette: &Palette) -> Self {
        let limit = room.width as f32 - 40.0;
        let set = |text: &str, size: f32| Line::set(text, size, Weight::SemiBold, palette.text);
        let whole = set(name, room.name);
        if whole.width <= limit {
            return Self {
                lines: vec![whole],
                size: room.name,
                cut: false,
            };
        }
        let one_line_size = (room.name * limit / whole.width).floor();
        let comfortable = room.name * 0.7;
        let split = if room.two_lines && one_line_size < comfortable {
            halves(name)
        } else {
            None
        };
        if let Some((first, second)) = split {
            let widest = set(first, room.name)
                .width
                .max(set(second, room.name).width);
            let size = (room.name * limit / widest)
                .floor()
                .min(comfortable.floor());
            if size >= SMALLEST_NAME {
                return Self {
                    lines: vec![set(first, size), set(second, size)],
                    size,
                    cut: false,
                };
            }
        }
        if one_line_size >= SMALLEST_NAME {
            return Self {
                lines: vec![set(name, one_line_size)],
                size: one_line_size,
                cut: false,
            };
        }
        Self {
            lines: vec![Self::shortened(name, limit, &set)],
            size: SMALLEST_NAME,
            cut: true,
        }
    }

    fn shortened(name: &str, limit: f32, set: &dyn Fn(&str, f32) -> Line) -> Line {
        let letters: Vec<char> = name.chars().collect();
        let full = set(name, SMALLEST_NAME).width;
        let guess = (letters.len() as f32 * limit / full) as usize;
        let cut = |keep: usize| {
            let kept: String = letters.iter().take(keep).collect();
            set(&format!("{}…", kept.trim_end()), SMALLEST_NAME)
        };
        (1..=guess)
            .rev()
            .map(cut)
            .find(|line| line.width <= limit)
            .unwrap_or_else(|| cut(0))
    }

    fn line_height(&self) -> f32 {
        (self.size * 1.2).round()
    }

    fn height(&self) -> u32 {
        (self.line_height() * self.lines.len() as f32) as u32 + (self.size * 0.1) as u32
    }
}

/// Splits at the space nearest to the middle.
fn halves(name: &str) -> Option<(&str, &str)> {
    let middle = name.len() / 2;
    let (at, _) = name
        .match_indices(' ')
        .min_by_key(|(at, _)| at.abs_diff(middle))?;
    Some((name[..at].trim_end(), name[at..].trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_split_near_the_middle() {
        let check =
            |name: &str, want: Option<(&str, &str)>| assert_eq!(halves(name), want, "{name}");
        check("Aurora", None);
        check("Aurora OS", Some(("Aurora", "OS")));
        check(
            "Föderale Übersicht für Ämter",
            Some(("Föderale Übersicht", "für Ämter")),
        );
    }
}
