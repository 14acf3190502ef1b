//! Draws what GRUB draws, step by step as `gfxmenu` does.

use super::{GrubTheme, HINT, layout, theme_txt::COUNTDOWN};
use crate::{Image, Menu, Rect, Rgb, box_art, paint, pf2};

impl GrubTheme {
    /// The menu on a screen of this size.
    pub fn preview(&self, menu: &Menu, width: u32, height: u32) -> Image {
        let mut screen = self.ground(menu, width, height);
        self.draw_entries(&mut screen, menu);
        let layout = &self.layout;
        if let Some(countdown) = menu.countdown {
            let text = COUNTDOWN.replace("%d", &countdown.left.to_string());
            draw_centred(
                &mut screen,
                layout.countdown.on(width, height),
                &text,
                self.palette.muted,
            );
        }
        draw_centred(
            &mut screen,
            layout.hint(width, height),
            HINT,
            self.palette.muted,
        );
        screen
    }

    /// Everything but the text.
    pub(crate) fn ground(&self, menu: &Menu, width: u32, height: u32) -> Image {
        let mut screen = self.desktop_picture(width, height);
        let lockup = self.layout.lockup.on(width, height);
        paint::draw(&mut screen, &self.lockup.picture, lockup.x, lockup.y);
        self.draw_panel(&mut screen, menu);
        self.draw_bar(&mut screen, menu);
        screen
    }

    /// The background cut to the screen's proportions and scaled (scale method "crop").
    pub(crate) fn desktop_picture(&self, width: u32, height: u32) -> Image {
        let (own_width, own_height) = self.background.dimensions();
        let (cut_width, cut_height) = if own_width * height < width * own_height {
            (own_width, own_width * height / width)
        } else {
            (own_height * width / height, own_height)
        };
        let cut = image::imageops::crop_imm(
            &self.background,
            (own_width - cut_width) / 2,
            (own_height - cut_height) / 2,
            cut_width,
            cut_height,
        );
        box_art::scaled(&cut.to_image(), width, height)
    }

    /// The inside of the panel, where entries stand.
    fn list(&self, width: u32, height: u32) -> Rect {
        let panel = self.layout.panel.on(width, height);
        let pad = layout::ITEM_PADDING;
        Rect::new(
            panel.x + self.panel.left() + pad,
            panel.y + self.panel.top() + pad,
            panel.width - self.panel.left() - self.panel.right() - 2 * pad,
            panel.height - self.panel.top() - self.panel.bottom() - 2 * pad,
        )
    }

    /// Pixels that an entry's text may take, the same for plain and selected ones.
    pub(super) fn text_width(&self) -> i32 {
        let list = self.list(0, 0);
        list.width - self.selection.left() - self.selection.right()
    }

    /// How many entries are visible, and which is the first.
    fn window(&self, menu: &Menu) -> (usize, usize) {
        let list = self.list(0, 0);
        let step = layout::ITEM_HEIGHT + layout::ITEM_SPACING;
        let shown = ((list.height + layout::ITEM_SPACING) / step).max(1) as usize;
        (shown, (menu.selected + 1).saturating_sub(shown))
    }

    /// Visible entries with the place of each one's text.
    fn rows<'a>(&self, menu: &'a Menu, width: u32, height: u32) -> Vec<(&'a str, bool, Rect)> {
        let list = self.list(width, height);
        let (shown, first) = self.window(menu);
        let step = layout::ITEM_HEIGHT + layout::ITEM_SPACING;
        menu.entries
            .iter()
            .enumerate()
            .skip(first)
            .take(shown)
            .zip(0..)
            .map(|((index, label), row)| {
                let left = list.x + self.selection.left();
                let place = Rect::new(
                    left,
                    list.y + row * step,
                    self.text_width(),
                    layout::ITEM_HEIGHT,
                );
                (label.as_str(), index == menu.selected, place)
            })
            .collect()
    }

    /// Places of the visible entries' texts.
    pub(crate) fn entry_rects(&self, menu: &Menu, width: u32, height: u32) -> Vec<Rect> {
        self.rows(menu, width, height)
            .into_iter()
            .map(|(_, _, place)| place)
            .collect()
    }

    fn draw_panel(&self, screen: &mut Image, menu: &Menu) {
        let (width, height) = screen.dimensions();
        let panel = self.layout.panel.on(width, height);
        let (inner_width, inner_height) = (
            panel.width - self.panel.left() - self.panel.right(),
            panel.height - self.panel.top() - self.panel.bottom(),
        );
        self.panel
            .draw(screen, panel.x, panel.y, inner_width, inner_height);
        let list = self.list(width, height);
        let selected = self
            .rows(menu, width, height)
            .into_iter()
            .find(|(_, selected, _)| *selected);
        if let Some((_, _, place)) = selected {
            self.selection.draw(
                screen,
                list.x,
                place.y,
                self.text_width(),
                layout::ITEM_HEIGHT,
            );
        }
        self.draw_thumb(screen, menu, panel, inner_height);
    }

    /// The scroll bar, in the panel's right border (`draw_scrollbar`, slice "east").
    fn draw_thumb(&self, screen: &mut Image, menu: &Menu, panel: Rect, track: i32) {
        let (shown, first) = self.window(menu);
        let all = menu.entries.len();
        if shown >= all {
            return;
        }
        let part = |count: usize| track * count as i32 / all as i32;
        let x = panel.right() - self.panel.right();
        let y = panel.y + self.panel.top() + part(first);
        let pads = self.thumb.top() + self.thumb.bottom();
        let width = layout::THUMB_WIDTH - self.thumb.left() - self.thumb.right();
        self.thumb
            .draw(screen, x, y, width, (part(shown) + 1).max(pads) - pads);
    }

    fn draw_bar(&self, screen: &mut Image, menu: &Menu) {
        let Some(countdown) = menu.countdown else {
            return;
        };
        let (width, height) = screen.dimensions();
        let bar = self.layout.bar.on(width, height);
        let line = bar.height - self.bar.top() - self.bar.bottom();
        self.bar.draw(screen, bar.x, bar.y, bar.width, line);
        let gone = countdown.total.saturating_sub(countdown.left);
        let filled = (bar.width as u32 * gone)
            .checked_div(countdown.total)
            .unwrap_or(0);
        self.bar_fill
            .draw(screen, bar.x, bar.y + self.bar.top(), filled as i32, line);
    }

    fn draw_entries(&self, screen: &mut Image, menu: &Menu) {
        let (width, height) = screen.dimensions();
        let font = pf2::unifont();
        // Ascent 14 and descent 2, centred in the entry.
        let down = (layout::ITEM_HEIGHT - 16) / 2 + font.ascent();
        for (label, selected, place) in self.rows(menu, width, height) {
            let colour = if selected {
                self.palette.on_accent
            } else {
                self.palette.text
            };
            // A plain entry has no right border, so its text may run on under it.
            let extra = if selected { 0 } else { self.selection.right() };
            let clip = Rect::new(place.x, place.y, place.width + extra, place.height);
            font.draw(screen, clip, place.x, place.y + down, label, colour);
        }
    }
}

/// One line of text in the middle of `place`, as GRUB's labels are (`label_paint`).
fn draw_centred(screen: &mut Image, place: Rect, text: &str, colour: Rgb) {
    let font = pf2::unifont();
    let left = (place.width - font.width(text)) / 2;
    font.draw(
        screen,
        place,
        place.x + left.max(0),
        place.y + font.ascent(),
        text,
        colour,
    );
}
