//! The boot splash: a Plymouth theme and a picture of what Plymouth draws from it.
//!
//! The theme uses the module `script` of the package plymouth, and the plugin of
//! plymouth-label for texts that are not known beforehand. Name, version and logo are one
//! picture, so no font of the initramfs has to have their letters. Sources: Plymouth 22 and 24,
//! `src/plugins/splash/script`.

mod preview;

use image::Rgba;

use crate::{
    Brand, Image, Rgb, TreeFile, backdrop,
    lockup::{self, Room},
    paint::rgba,
    palette::Palette,
    png,
};

/// Name of the theme and of its folder. The same for every product, so that an initramfs that
/// was made with it needs only other files in that folder, not to be made anew.
pub const THEME: &str = "brand";

/// Where themes lie, in the tree and in the initramfs.
const THEMES: &str = "/usr/share/plymouth/themes";

/// Size of the background's file, which is scaled to cover the screen.
const BACKGROUND: (u32, u32) = (1920, 1080);

/// Screens of this size show everything at its own size; on others it is scaled.
const DESIGN: (f32, f32) = (1024.0, 768.0);

/// Smallest and largest scale.
const SCALES: (f32, f32) = (0.5, 3.0);

/// Pictures have so many pixels for one of the design, to stay sharp on large screens.
const SHARP: u32 = 2;

/// Where the middle of logo and name is, as a share of the screen's height.
const LOCKUP_MIDDLE: f32 = 0.42;
/// From the lockup to the bar, to the field for a password.
const BAR_GAP: f32 = 56.0;
const BAR_WIDTH: f32 = 240.0;
const BAR_HEIGHT: f32 = 4.0;
const FIELD_WIDTH: f32 = 320.0;
const FIELD_HEIGHT: f32 = 44.0;
/// Side of the dot that stands for one letter, and from one to the next.
const BULLET: f32 = 10.0;
const BULLET_STEP: f32 = 16.0;
/// Dots that have room in the field.
const BULLETS: u32 = 18;
/// From the field to the words below it.
const PROMPT_GAP: f32 = 18.0;
/// Where messages stand, as a share of the screen's height.
const MESSAGE_TOP: f32 = 0.86;
/// Size of texts, in points at 96 dots per inch.
const TEXT_POINTS: f32 = 12.0;

/// What the splash shows at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The system starts; so many of a thousand parts are done.
    Starting(u16),
    /// The disk's password is asked for.
    Password,
    /// Something is said, such as that a disk is checked.
    Message,
}

/// A brand's splash: its files and its pictures come from the same drawing.
#[derive(Debug, Clone)]
pub struct Splash {
    brand: Brand,
    lockup: lockup::Lockup,
    field: Image,
    bullet: Image,
    track: Rgba<u8>,
    fill: Rgb,
    ground: Rgb,
    pub(crate) ink: Rgb,
}

impl Splash {
    /// Draws the splash of a brand.
    pub fn new(brand: &Brand) -> Self {
        let palette = Palette::of(brand);
        let room = Room {
            width: 640 * SHARP,
            logo: 120 * SHARP,
            name: 40.0 * SHARP as f32,
            version: 16.0 * SHARP as f32,
            two_lines: true,
        };
        // A bar that cannot be told from the background would be no bar.
        let seen = palette.accent.contrast(brand.background) >= 1.6;
        Self {
            brand: brand.clone(),
            lockup: lockup::draw(brand, room),
            field: pill(
                (FIELD_WIDTH as u32 * SHARP, FIELD_HEIGHT as u32 * SHARP),
                10 * SHARP,
                match brand.wallpaper {
                    Some(_) => rgba(brand.background, 190),
                    None => rgba(brand.text, 20),
                },
                Some(rgba(brand.text, 90)),
            ),
            bullet: pill(
                (BULLET as u32 * SHARP, BULLET as u32 * SHARP),
                BULLET as u32 * SHARP / 2,
                rgba(brand.text, 255),
                None,
            ),
            track: palette.track,
            fill: if seen { palette.accent } else { palette.text },
            ground: brand.background,
            ink: brand.text,
        }
    }

    /// Every file of the theme, and the one that chooses it.
    pub fn files(&self) -> Vec<TreeFile> {
        let file =
            |name: &str, bytes: Vec<u8>| TreeFile::new(format!("{THEMES}/{THEME}/{name}"), bytes);
        let solid = |colour: Rgba<u8>| png::encode(&Image::from_pixel(8, 8, colour));
        let mut files = frame(self.script());
        files.extend([
            file(
                "background.png",
                png::encode(&self.backdrop(BACKGROUND.0, BACKGROUND.1)),
            ),
            file("lockup.png", png::encode(&self.lockup.picture)),
            file("field.png", png::encode(&self.field)),
            file("bullet.png", png::encode(&self.bullet)),
            file("track.png", solid(self.track)),
            file("fill.png", solid(rgba(self.fill, 255))),
        ]);
        files
    }

    /// The background alone. It looks the same at every size, so a preview need not draw the
    /// file's and scale it as Plymouth does.
    pub(crate) fn backdrop(&self, width: u32, height: u32) -> Image {
        backdrop::paint(&self.brand, width, height, LOCKUP_MIDDLE)
    }

    pub(crate) fn lockup(&self) -> &lockup::Lockup {
        &self.lockup
    }

    /// What Plymouth runs.
    fn script(&self) -> String {
        let colour = |Rgb { r, g, b }: Rgb| {
            let part = |value: u8| f32::from(value) / 255.0;
            format!("{:.4}, {:.4}, {:.4}", part(r), part(g), part(b))
        };
        let (width, height) = DESIGN;
        let (least, most) = SCALES;
        let ground = colour(self.ground);
        let ink = colour(self.ink);
        let sharp = SHARP;
        let last_bullet = BULLETS;
        format!(
            r#"# Made by Isosmith.
Window.SetBackgroundTopColor({ground});
Window.SetBackgroundBottomColor({ground});

screen_width = Window.GetWidth();
screen_height = Window.GetHeight();
unit = Math.Min(screen_width / {width}, screen_height / {height});
if (unit < {least}) unit = {least};
if (unit > {most}) unit = {most};

fun scaled(picture, factor) {{
    return picture.Scale(Math.Int(picture.GetWidth() * factor), Math.Int(picture.GetHeight() * factor));
}}

fun put(sprite, left, top, depth) {{
    sprite.SetX(Math.Int(Window.GetX() + left));
    sprite.SetY(Math.Int(Window.GetY() + top));
    sprite.SetZ(depth);
}}

fun label(words) {{
    return Image.Text(words, {ink}, 1, "Sans {TEXT_POINTS}");
}}

background_picture = Image("background.png");
cover = Math.Max(screen_width / background_picture.GetWidth(), screen_height / background_picture.GetHeight());
background_picture = scaled(background_picture, cover);
background = Sprite(background_picture);
put(background, (screen_width - background_picture.GetWidth()) / 2, (screen_height - background_picture.GetHeight()) / 2, -10);

lockup_picture = scaled(Image("lockup.png"), unit / {sharp});
lockup_top = screen_height * {LOCKUP_MIDDLE} - lockup_picture.GetHeight() / 2;
lockup = Sprite(lockup_picture);
put(lockup, (screen_width - lockup_picture.GetWidth()) / 2, lockup_top, 1);

below = lockup_top + lockup_picture.GetHeight() + {BAR_GAP} * unit;
bar_width = Math.Int({BAR_WIDTH} * unit);
bar_height = Math.Int({BAR_HEIGHT} * unit);
if (bar_height < 2) bar_height = 2;
bar_left = (screen_width - bar_width) / 2;
track = Sprite(Image("track.png").Scale(bar_width, bar_height));
put(track, bar_left, below, 2);
fill_picture = Image("fill.png");
fill = Sprite();
put(fill, bar_left, below, 3);

field_picture = scaled(Image("field.png"), unit / {sharp});
field = Sprite(field_picture);
field_left = (screen_width - field_picture.GetWidth()) / 2;
put(field, field_left, below, 4);
field.SetOpacity(0);
bullet_picture = scaled(Image("bullet.png"), unit / {sharp});
for (index = 0; index < {last_bullet}; index++) {{
    bullets[index] = Sprite(bullet_picture);
    bullets[index].SetOpacity(0);
}}
prompt = Sprite();
message = Sprite();

fun show_bar(visible) {{
    track.SetOpacity(visible);
    fill.SetOpacity(visible);
}}

fun on_progress(time, progress) {{
    if (progress > 1) progress = 1;
    done = Math.Int(bar_width * progress);
    if (done > 0) fill.SetImage(fill_picture.Scale(done, bar_height));
}}

fun show_prompt(words) {{
    words_picture = label(words);
    prompt.SetImage(words_picture);
    prompt.SetOpacity(1);
    put(prompt, (screen_width - words_picture.GetWidth()) / 2, below + field_picture.GetHeight() + {PROMPT_GAP} * unit, 5);
}}

fun show_bullets(count) {{
    if (count > {last_bullet}) count = {last_bullet};
    row = (count - 1) * {BULLET_STEP} * unit + bullet_picture.GetWidth();
    for (index = 0; index < {last_bullet}; index++) {{
        put(bullets[index], (screen_width - row) / 2 + index * {BULLET_STEP} * unit, below + (field_picture.GetHeight() - bullet_picture.GetHeight()) / 2, 6);
        if (index < count) bullets[index].SetOpacity(1);
        else bullets[index].SetOpacity(0);
    }}
}}

fun on_password(words, count) {{
    show_bar(0);
    field.SetOpacity(1);
    show_prompt(words);
    show_bullets(count);
}}

fun on_question(words, answer) {{
    show_bar(0);
    field.SetOpacity(1);
    show_bullets(0);
    show_prompt(words + " " + answer);
}}

fun on_normal() {{
    field.SetOpacity(0);
    prompt.SetOpacity(0);
    show_bullets(0);
    show_bar(1);
}}

fun on_message(words) {{
    words_picture = label(words);
    message.SetImage(words_picture);
    message.SetOpacity(1);
    put(message, (screen_width - words_picture.GetWidth()) / 2, screen_height * {MESSAGE_TOP}, 5);
}}

fun on_hide_message(words) {{
    message.SetOpacity(0);
}}

Plymouth.SetBootProgressFunction(on_progress);
Plymouth.SetDisplayPasswordFunction(on_password);
Plymouth.SetDisplayQuestionFunction(on_question);
Plymouth.SetDisplayNormalFunction(on_normal);
Plymouth.SetDisplayMessageFunction(on_message);
Plymouth.SetHideMessageFunction(on_hide_message);
"#
        )
    }
}

/// The theme without anything of a product: enough for an initramfs to take the programs, the
/// module and the theme's folder in. The product's own files go over it.
pub fn skeleton() -> Vec<TreeFile> {
    frame("# Made by Isosmith.\nWindow.SetBackgroundTopColor(0, 0, 0);\nWindow.SetBackgroundBottomColor(0, 0, 0);\n".to_owned())
}

fn frame(script: String) -> Vec<TreeFile> {
    let folder = format!("{THEMES}/{THEME}");
    let theme = format!(
        "[Plymouth Theme]\nName=Product\nDescription=The product's boot splash\nModuleName=script\n\n[script]\nImageDir={folder}\nScriptFile={folder}/{THEME}.script\n"
    );
    vec![
        TreeFile::new(format!("{folder}/{THEME}.plymouth"), theme.into_bytes()),
        TreeFile::new(format!("{folder}/{THEME}.script"), script.into_bytes()),
        TreeFile::new(
            "/etc/plymouth/plymouthd.conf".to_owned(),
            format!("[Daemon]\nTheme={THEME}\nShowDelay=0\n").into_bytes(),
        ),
    ]
}

/// A filled shape with round corners and, where asked for, a hairline.
fn pill((width, height): (u32, u32), radius: u32, fill: Rgba<u8>, edge: Option<Rgba<u8>>) -> Image {
    crate::box_art::rounded_rect(
        width,
        height,
        radius as f32,
        fill,
        edge.unwrap_or(Rgba([0, 0, 0, 0])),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_script_shows_is_in_the_folder() {
        let files = Splash::new(&Brand::sample()).files();
        let script = files
            .iter()
            .find(|file| file.path.ends_with("brand.script"))
            .expect("a script");
        let script = String::from_utf8(script.bytes.clone()).expect("text");
        let shown: Vec<&str> = script
            .split("Image(\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        assert!(shown.len() >= 6, "{shown:?}");
        for name in shown {
            let path = format!("{THEMES}/{THEME}/{name}");
            assert!(files.iter().any(|file| file.path == path), "{name}");
        }
        for (open, close) in [('{', '}'), ('(', ')')] {
            assert_eq!(script.matches(open).count(), script.matches(close).count());
        }
    }

    #[test]
    fn the_skeleton_knows_no_product() {
        let text = |files: &[TreeFile], end: &str| {
            let file = files.iter().find(|file| file.path.ends_with(end));
            file.map(|file| file.bytes.clone())
        };
        let files = Splash::new(&Brand::sample()).files();
        for end in [".plymouth", "plymouthd.conf"] {
            assert_eq!(text(&skeleton(), end), text(&files, end), "{end}");
        }
        assert_ne!(text(&skeleton(), ".script"), text(&files, ".script"));
    }

    #[test]
    fn every_moment_is_drawn_at_every_size() {
        let splash = Splash::new(&Brand::sample());
        for size in [(640, 480), (1024, 768), (1920, 1080), (600, 1024)] {
            let moments = [
                Moment::Starting(100),
                Moment::Starting(900),
                Moment::Password,
                Moment::Message,
            ];
            let drawn = moments.map(|moment| splash.preview(moment, size.0, size.1));
            for (number, picture) in drawn.iter().enumerate() {
                assert_eq!(picture.dimensions(), size);
                assert!(
                    !drawn[..number].contains(picture),
                    "{number} is like another"
                );
            }
        }
    }
}
