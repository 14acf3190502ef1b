//! What a surface cannot show, said before the build.

use serde::Serialize;

use crate::{
    Brand, GrubTheme, Image, IsolinuxTheme, Menu, Rect, Rgb,
    calamares::{self, Slide},
    colour::contrast_of_luminances,
    cp437, grub, isolinux,
    lockup::Lockup,
    palette::READABLE,
    pf2,
    splash::Splash,
    typeset,
};

/// A place where branding shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Surface {
    /// GRUB's graphical menu.
    Grub,
    /// ISOLINUX's graphical menu.
    Isolinux,
    /// Plymouth's splash.
    Splash,
    /// The login screen.
    Login,
    /// The desktop.
    Desktop,
    /// The installer's window.
    Installer,
}

/// What is wrong; stable names for machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WarningCode {
    /// Text that is hard to read on its background.
    LowContrast,
    /// Characters that the surface's font lacks.
    MissingCharacters,
    /// A logo of pixels that is drawn larger than it is.
    LogoEnlarged,
    /// A label that does not fit into the menu.
    LabelTooLong,
    /// A name that had to be cut.
    NameCut,
    /// More entries than are visible at once.
    MenuScrolls,
    /// A slide's words that do not fit.
    SlideTooLong,
}

/// Something that will not look as meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// Where.
    pub surface: Surface,
    /// What.
    pub code: WarningCode,
    /// What a person will see, in one sentence.
    pub message: String,
    /// What to do about it, in one sentence.
    pub fix: String,
}

/// Everything that GRUB's and ISOLINUX's menus cannot show well.
pub fn warnings(brand: &Brand, menu: &Menu) -> Vec<Warning> {
    let mut list = of_grub(brand, menu, &GrubTheme::new(brand, menu));
    list.extend(of_isolinux(brand, menu, &IsolinuxTheme::new(brand, menu)));
    list
}

/// What GRUB's menu cannot show well; `grub` is the theme of that brand and menu.
pub fn of_grub(brand: &Brand, menu: &Menu, grub: &GrubTheme) -> Vec<Warning> {
    let mut found = Found { list: Vec::new() };
    let (width, height) = grub::BACKGROUND;
    let scene = Scene {
        surface: Surface::Grub,
        ground: grub.ground(menu, width, height),
        entries: grub.entry_rects(menu, width, height),
        first_visible: first_visible(menu, grub::VISIBLE_ENTRIES),
        quiet: vec![
            grub.layout.hint(width, height),
            grub.layout.countdown.on(width, height),
        ],
        muted: grub.palette.muted,
        on_accent: grub.palette.on_accent,
    };
    found.contrast(brand, menu, &scene);
    found.labels(
        menu,
        Surface::Grub,
        grub.entry_columns(),
        |label| pf2::unifont().width(label) as usize / 8,
        pf2::grub_can_draw,
    );
    found.scrolling(menu, Surface::Grub, grub::VISIBLE_ENTRIES);
    found.lockup(brand, Surface::Grub, &grub.lockup);
    found.list
}

/// What ISOLINUX's menu cannot show well; `isolinux` is the theme of that brand and menu.
pub fn of_isolinux(brand: &Brand, menu: &Menu, isolinux: &IsolinuxTheme) -> Vec<Warning> {
    let mut found = Found { list: Vec::new() };
    let isolinux_regions = isolinux.text_regions(menu);
    let entries = isolinux.entry_rects(menu);
    let scene = Scene {
        surface: Surface::Isolinux,
        ground: isolinux.ground(menu),
        quiet: isolinux_regions.into_iter().skip(entries.len()).collect(),
        entries,
        first_visible: first_visible(menu, isolinux::VISIBLE_ENTRIES),
        muted: isolinux.palette.muted,
        on_accent: isolinux.palette.on_accent,
    };
    found.contrast(brand, menu, &scene);
    found.labels(
        menu,
        Surface::Isolinux,
        isolinux::ENTRY_COLUMNS,
        |label| label.chars().count(),
        |c| cp437::byte(c).is_some(),
    );
    found.scrolling(menu, Surface::Isolinux, isolinux::VISIBLE_ENTRIES);
    found.lockup(brand, Surface::Isolinux, &isolinux.lockup);
    found.list
}

/// What the splash, and a login screen with the same name and logo, cannot show well.
pub fn of_splash(brand: &Brand, surface: Surface, splash: &Splash) -> Vec<Warning> {
    let mut found = Found { list: Vec::new() };
    // Large enough to find what is hard to read.
    let (width, height) = (640, 400);
    let ground = splash.backdrop(width, height);
    let contrast = contrast_on(&ground, splash.name_place(width, height), brand.text);
    if contrast < READABLE {
        found.add(
            surface,
            WarningCode::LowContrast,
            format!(
                "The name will be hard to read: the contrast is {contrast:.1}, at least {READABLE} is needed."
            ),
            "Choose a lighter or darker text or background colour, or a calmer wallpaper.",
        );
    }
    found.lockup(brand, surface, splash.lockup());
    found.list
}

/// What a desktop cannot show well: its largest icon is 512 pixels wide.
pub fn of_desktop(brand: &Brand) -> Vec<Warning> {
    let mut found = Found { list: Vec::new() };
    found.enlarged(brand, Surface::Desktop, (256, 256));
    found.list
}

/// What the installer cannot show well.
pub fn of_installer(brand: &Brand, slides: &[Slide]) -> Vec<Warning> {
    let mut found = Found { list: Vec::new() };
    found.enlarged(brand, Surface::Installer, (160, 160));
    for slide in slides {
        for (what, text, lines) in [("title", &slide.title, 2), ("text", &slide.text, 5)] {
            let fits = match what {
                "title" => calamares::title_fits(text),
                _ => calamares::text_fits(text),
            };
            if fits {
                continue;
            }
            let begin: String = text.chars().take(40).collect();
            found.add(
                Surface::Installer,
                WarningCode::SlideTooLong,
                format!("The {what} of a slide, \"{begin}…\", is cut: {lines} lines fit."),
                "Say it in fewer words, or on two slides.",
            );
        }
    }
    found.list
}

fn first_visible(menu: &Menu, visible: usize) -> usize {
    (menu.selected + 1).saturating_sub(visible)
}

/// A menu without its text, and where the text will stand.
struct Scene {
    surface: Surface,
    ground: Image,
    entries: Vec<Rect>,
    first_visible: usize,
    quiet: Vec<Rect>,
    muted: Rgb,
    on_accent: Rgb,
}

struct Found {
    list: Vec<Warning>,
}

impl Found {
    fn add(&mut self, surface: Surface, code: WarningCode, message: String, fix: &str) {
        self.list.push(Warning {
            surface,
            code,
            message,
            fix: fix.to_owned(),
        });
    }

    fn contrast(&mut self, brand: &Brand, menu: &Menu, scene: &Scene) {
        let worst = |places: &mut dyn Iterator<Item = &Rect>, colour: Rgb| {
            places
                .map(|place| contrast_on(&scene.ground, *place, colour))
                .fold(f32::INFINITY, f32::min)
        };
        let chosen = menu.selected.wrapping_sub(scene.first_visible);
        let plain = scene
            .entries
            .iter()
            .enumerate()
            .filter(|(row, _)| *row != chosen)
            .map(|(_, place)| place);
        let cases = [
            ("The entries of the menu", worst(&mut { plain }, brand.text)),
            (
                "The selected entry",
                worst(&mut scene.entries.get(chosen).into_iter(), scene.on_accent),
            ),
            (
                "The hint and the countdown",
                worst(&mut scene.quiet.iter(), scene.muted),
            ),
        ];
        for (what, contrast) in cases {
            if contrast < READABLE {
                let message = format!(
                    "{what} will be hard to read: the contrast is {contrast:.1}, at least {READABLE} is needed."
                );
                self.add(
                    scene.surface,
                    WarningCode::LowContrast,
                    message,
                    "Choose a lighter or darker text or background colour, or a calmer wallpaper.",
                );
            }
        }
    }

    fn labels(
        &mut self,
        menu: &Menu,
        surface: Surface,
        columns: usize,
        width: impl Fn(&str) -> usize,
        can_draw: impl Fn(char) -> bool,
    ) {
        for label in &menu.entries {
            let needed = width(label);
            if needed > columns {
                let message = format!(
                    "\"{label}\" is too long for this menu: {columns} characters fit, it needs {needed}."
                );
                self.add(
                    surface,
                    WarningCode::LabelTooLong,
                    message,
                    "Choose a shorter name for the entry.",
                );
            }
            let missing: String = label.chars().filter(|&c| !can_draw(c)).collect();
            if !missing.is_empty() {
                let message =
                    format!("\"{label}\" has characters that this menu's font lacks: {missing}");
                self.add(
                    surface,
                    WarningCode::MissingCharacters,
                    message,
                    "Write the entry's name without these characters.",
                );
            }
        }
    }

    fn scrolling(&mut self, menu: &Menu, surface: Surface, visible: usize) {
        let count = menu.entries.len();
        if count > visible {
            let message = format!(
                "The menu has {count} entries; {visible} are visible, the others by scrolling."
            );
            self.add(
                surface,
                WarningCode::MenuScrolls,
                message,
                "Leave out entries that few people need.",
            );
        }
    }

    fn lockup(&mut self, brand: &Brand, surface: Surface, lockup: &Lockup) {
        if lockup.name_cut {
            let message = format!("The name \"{}\" is cut because it is too long.", brand.name);
            self.add(
                surface,
                WarningCode::NameCut,
                message,
                "Choose a shorter name.",
            );
        }
        let text = format!("{}{}", brand.name, brand.version_line());
        let missing: String = typeset::missing(&text).into_iter().collect();
        if !missing.is_empty() {
            let message =
                format!("The name or version has characters that no built-in font has: {missing}");
            self.add(
                surface,
                WarningCode::MissingCharacters,
                message,
                "Draw the name as part of the logo, as paths, and choose a name in another script.",
            );
        }
        if let Some(size) = lockup.logo_size {
            self.enlarged(brand, surface, size);
        }
    }

    /// A logo of pixels that is drawn larger than it is.
    fn enlarged(&mut self, brand: &Brand, surface: Surface, (width, height): (u32, u32)) {
        let Some(logo) = &brand.logo else { return };
        let (own_width, own_height) = logo.size();
        if !logo.is_scalable() && own_height < height && own_width < width {
            let message = format!(
                "The logo has {own_width} x {own_height} pixels and is drawn at {width} x {height}, so it looks blurred."
            );
            self.add(
                surface,
                WarningCode::LogoEnlarged,
                message,
                "Give the logo as SVG, or as a PNG of at least 256 pixels.",
            );
        }
    }
}

/// Contrast of a colour with the ground below a text; the worst twentieth is left out, as
/// a few bright specks do not make a line unreadable.
fn contrast_on(ground: &Image, place: Rect, colour: Rgb) -> f32 {
    let text = colour.luminance();
    let mut ratios: Vec<f32> = place
        .clip(&Rect::of(ground))
        .pixels()
        .step_by(3)
        .map(|(x, y)| {
            let pixel = ground.get_pixel(x as u32, y as u32);
            contrast_of_luminances(text, Rgb::new(pixel[0], pixel[1], pixel[2]).luminance())
        })
        .collect();
    ratios.sort_by(f32::total_cmp);
    ratios
        .get(ratios.len() / 20)
        .copied()
        .unwrap_or(f32::INFINITY)
}

#[cfg(test)]
#[path = "warnings_tests.rs"]
mod tests;
