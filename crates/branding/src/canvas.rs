//! Drawing that is written as SVG: parts of a preview that the real surface draws with a
//! toolkit of its own.

use std::fmt::Write;

use resvg::{
    tiny_skia::{self, Pixmap},
    usvg,
};

use crate::{Image, Rgb, escape, paint, typeset};

/// Shapes and texts over a picture of the same size, collected and then drawn at once.
#[derive(Debug)]
pub(crate) struct Sketch {
    width: u32,
    height: u32,
    body: String,
}

/// Where a text stands relative to its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Start,
    Middle,
    End,
}

impl Align {
    fn css(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Middle => "middle",
            Self::End => "end",
        }
    }
}

/// How a text looks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ink {
    /// Pixels per em.
    pub(crate) size: f32,
    /// 400 or 600.
    pub(crate) weight: u16,
    pub(crate) colour: Rgb,
}

impl Ink {
    pub(crate) const fn new(size: f32, weight: u16, colour: Rgb) -> Self {
        Self {
            size,
            weight,
            colour,
        }
    }
}

impl Sketch {
    pub(crate) fn over(picture: &Image) -> Self {
        Self {
            width: picture.width(),
            height: picture.height(),
            body: String::new(),
        }
    }

    fn add(&mut self, element: std::fmt::Arguments<'_>) {
        // Writing to a text cannot fail.
        let _ = self.body.write_fmt(element);
    }

    /// A rectangle with round corners; `opacity` from 0 to 1.
    pub(crate) fn rect(
        &mut self,
        at: (f32, f32),
        size: (f32, f32),
        radius: f32,
        fill: Rgb,
        opacity: f32,
    ) {
        let ((x, y), (width, height)) = (at, size);
        self.add(format_args!(
            r#"<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="{radius}" fill="{fill}" fill-opacity="{opacity}"/>"#
        ));
    }

    /// The hairline of a rectangle with round corners, inside it.
    pub(crate) fn frame(
        &mut self,
        at: (f32, f32),
        size: (f32, f32),
        radius: f32,
        line: Rgb,
        opacity: f32,
    ) {
        let (x, y) = (at.0 + 0.5, at.1 + 0.5);
        let (width, height) = (size.0 - 1.0, size.1 - 1.0);
        self.add(format_args!(
            r#"<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="{radius}" fill="none" stroke="{line}" stroke-opacity="{opacity}"/>"#
        ));
    }

    pub(crate) fn circle(&mut self, middle: (f32, f32), radius: f32, fill: Rgb, opacity: f32) {
        let (x, y) = middle;
        self.add(format_args!(
            r#"<circle cx="{x}" cy="{y}" r="{radius}" fill="{fill}" fill-opacity="{opacity}"/>"#
        ));
    }

    /// An outline, such as an icon, as SVG path data around (0, 0).
    pub(crate) fn stroke(&mut self, at: (f32, f32), path: &str, width: f32, colour: Rgb) {
        let (x, y) = at;
        self.add(format_args!(
            r#"<path transform="translate({x} {y})" d="{path}" fill="none" stroke="{colour}" stroke-width="{width}" stroke-linecap="round" stroke-linejoin="round"/>"#
        ));
    }

    /// One line of text with its baseline at `at`.
    pub(crate) fn text(&mut self, at: (f32, f32), text: &str, ink: Ink, align: Align) {
        let (x, y) = at;
        let Ink {
            size,
            weight,
            colour,
        } = ink;
        let (family, align, text) = (typeset::FAMILY, align.css(), escape::xml(text));
        self.add(format_args!(
            r#"<text x="{x}" y="{y}" font-family="{family}" font-size="{size}" font-weight="{weight}" fill="{colour}" text-anchor="{align}" xml:space="preserve">{text}</text>"#
        ));
    }

    /// Text in lines that fit, at most `most` of them; returns the first baseline below.
    pub(crate) fn paragraph(
        &mut self,
        at: (f32, f32),
        width: f32,
        text: &str,
        ink: Ink,
        align: Align,
        most: usize,
    ) -> f32 {
        let line_height = (ink.size * 1.4).round();
        let mut baseline = at.1;
        for line in wrapped(text, width, ink, most) {
            self.text((at.0, baseline), &line, ink, align);
            baseline += line_height;
        }
        baseline
    }

    /// Draws what was collected over `picture`.
    pub(crate) fn draw(self, picture: &mut Image) {
        let svg = format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{}" height="{}">{}</svg>"#,
            self.width, self.height, self.body
        );
        let options = usvg::Options {
            fontdb: typeset::fonts(),
            font_family: typeset::FAMILY.to_owned(),
            ..usvg::Options::default()
        };
        let (Ok(tree), Some(mut pixmap)) = (
            usvg::Tree::from_str(&svg, &options),
            Pixmap::new(self.width, self.height),
        ) else {
            return;
        };
        resvg::render(
            &tree,
            tiny_skia::Transform::identity(),
            &mut pixmap.as_mut(),
        );
        paint::draw(picture, &paint::straight(&pixmap), 0, 0);
    }
}

/// Breaks at spaces; what does not fit into `most` lines ends in "…".
pub(crate) fn wrapped(text: &str, width: f32, ink: Ink, most: usize) -> Vec<String> {
    let weight = match ink.weight {
        600 => typeset::Weight::SemiBold,
        _ => typeset::Weight::Regular,
    };
    let fits = |line: &str| typeset::Line::set(line, ink.size, weight, ink.colour).width <= width;
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let longer = match line.is_empty() {
            true => word.to_owned(),
            false => format!("{line} {word}"),
        };
        if line.is_empty() || fits(&longer) {
            line = longer;
            continue;
        }
        lines.push(std::mem::replace(&mut line, word.to_owned()));
        if lines.len() > most {
            break;
        }
    }
    lines.push(line);
    let cut = lines.len() > most;
    lines.truncate(most);
    if let Some(last) = lines.last_mut() {
        let mut kept: Vec<char> = last.chars().collect();
        if cut {
            kept.push('…');
            *last = kept.iter().collect();
        }
        // One word may be wider than the line all by itself.
        while !fits(last) && kept.len() > 1 {
            let keep = (kept.len() * 9 / 10).max(1);
            kept.truncate(keep);
            *last = kept.iter().collect::<String>().trim_end().to_owned() + "…";
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_spaces_and_end_where_they_must() {
        let ink = Ink::new(16.0, 400, Rgb::BLACK);
        let check = |text: &str, most: usize, lines: usize, ends: bool| {
            let got = wrapped(text, 160.0, ink, most);
            assert_eq!(got.len(), lines, "{got:?}");
            assert_eq!(
                got.last().is_some_and(|line| line.ends_with('…')),
                ends,
                "{got:?}"
            );
        };
        check("short", 3, 1, false);
        check("a line that needs more room than it has", 3, 2, false);
        check("a line that needs more room than it has", 1, 1, true);
        check(&"x".repeat(200), 3, 1, true);
        check("", 3, 1, false);
    }
}
