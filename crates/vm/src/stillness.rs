//! Finding out that the screen has stopped changing, as a menu's does.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::qmp::Qmp;
use crate::screen::Picture;

/// Time between two looks at the screen.
const LOOK: Duration = Duration::from_millis(700);

/// How long the screen has not changed.
#[derive(Debug, Default)]
pub(crate) struct Stillness {
    looked: Option<Instant>,
    last: Option<Picture>,
    equal: u32,
}

impl Stillness {
    /// Looks again if it is time; true when the screen has been still for
    /// `looks`. Starts anew afterwards.
    pub(crate) fn reached(
        &mut self,
        qmp: &mut Qmp,
        file: &Path,
        looks: u32,
        colours: usize,
        size: Option<(u32, u32)>,
    ) -> bool {
        if self.looked.is_some_and(|at| at.elapsed() < LOOK) {
            return false;
        }
        self.looked = Some(Instant::now());
        // A display that is being switched has no picture for a moment.
        let picture = qmp
            .screendump_ppm(file)
            .ok()
            .and_then(|()| fs::read(file).ok());
        let picture = picture.and_then(|bytes| Picture::parse(&bytes));
        self.add(picture, looks, colours, size)
    }

    fn add(
        &mut self,
        picture: Option<Picture>,
        looks: u32,
        colours: usize,
        size: Option<(u32, u32)>,
    ) -> bool {
        let wanted = picture.filter(|picture| {
            size.is_none_or(|size| size == (picture.width, picture.height))
                && picture.has_colours(colours)
        });
        let same = wanted
            .as_ref()
            .zip(self.last.as_ref())
            .is_some_and(|(new, old)| new.is_like(old));
        self.equal = if same {
            self.equal + 1
        } else {
            u32::from(wanted.is_some())
        };
        self.last = wanted;
        if self.equal < looks.max(1) {
            return false;
        }
        self.equal = 0;
        self.last = None;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn screen(colour: u8) -> Option<Picture> {
        Picture::parse(&[&b"P6\n2 1\n255\n"[..], &[0, 0, 0, colour, 0, 0]].concat())
    }

    fn check(screens: &[Option<u8>], looks: u32, expected: Option<usize>) {
        let mut stillness = Stillness::default();
        let reached = screens
            .iter()
            .position(|colour| stillness.add(colour.and_then(screen), looks, 2, Some((2, 1))));
        assert_eq!(reached, expected, "{screens:?}");
    }

    #[test]
    fn stillness_counts_equal_screens_of_the_wanted_kind() {
        check(&[Some(1), Some(1), Some(1)], 3, Some(2));
        check(&[Some(1), Some(2), Some(2), Some(2)], 3, Some(3));
        check(&[Some(1), Some(1), None, Some(1), Some(1)], 3, None);
        // One colour only: an empty screen.
        check(&[Some(0), Some(0), Some(0)], 2, None);
        check(&[Some(1)], 0, Some(0));
    }
}
