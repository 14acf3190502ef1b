//! The renderer's own process: decodes and draws what it is sent, and can do nothing else.

use std::{
    collections::{HashMap, VecDeque},
    io::{self, BufReader, Read, Write},
};

use isosmith_branding::{
    Brand, Countdown, GrubTheme, Image, IsolinuxTheme, Limits, Menu, Picture, Rgb, Urls, Warning,
    WarningCode,
    calamares::{Page, Slide, installer_preview, slide_count},
    desktop::{Tone, desktop_preview},
    login::login_preview,
    quick_png,
    splash::{Moment, Splash},
    warnings,
};
use isosmith_spec::model::{DisplayManager, Environment};
use nix::sys::{
    prctl,
    resource::{Resource, UsageWho, getrusage, setrlimit},
    time::TimeValLike,
};

use super::wire::{self, Answer, Ask, Sent};
use crate::{
    Scene, SceneSlide,
    model::{PreviewWarning, Severity, Surface},
};

/// Address space, in bytes: the program itself, its libraries, a picture of 64 megapixels, and
/// what scaling that takes.
const MEMORY: u64 = 3 << 30;

/// Processor time of one request and of all, in seconds. The window ends a request by the
/// clock, too; this holds even when the window is gone.
const SECONDS: u64 = 10;
const SECONDS_IN_ALL: u64 = 600;

/// Open files: three streams, and what a library opens for a moment.
const FILES: u64 = 16;

/// Pictures that stay decoded.
const MOST_PICTURES: usize = 8;

/// Draws for whoever started this process, until the stream ends. `main` calls this before
/// anything else when the first argument is [`super::ARGUMENT`], and ends with the status that
/// it returns.
#[must_use]
pub fn serve() -> u8 {
    if limit().is_err() {
        return 3;
    }
    let mut known = VecDeque::new();
    let mut from = BufReader::new(io::stdin().lock());
    let mut to = io::stdout().lock();
    loop {
        match answer(&mut from, &mut to, &mut known) {
            Ok(true) => {}
            Ok(false) => return 0,
            Err(_) => return 2,
        }
    }
}

fn limit() -> nix::Result<()> {
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    setrlimit(Resource::RLIMIT_AS, MEMORY, MEMORY)?;
    setrlimit(Resource::RLIMIT_CPU, SECONDS, SECONDS_IN_ALL)?;
    setrlimit(Resource::RLIMIT_NOFILE, FILES, FILES)?;
    // Neither files nor processes; pipes are no files here.
    setrlimit(Resource::RLIMIT_FSIZE, 0, 0)?;
    setrlimit(Resource::RLIMIT_NPROC, 0, 0)?;
    prctl::set_dumpable(false)?;
    prctl::set_no_new_privs()
}

/// The limit counts all time since the process began.
fn allow_more_time() -> nix::Result<()> {
    let used = getrusage(UsageWho::RUSAGE_SELF)?;
    let seconds = used.user_time().num_seconds() + used.system_time().num_seconds();
    let soft = u64::try_from(seconds).unwrap_or(0) + 1 + SECONDS;
    setrlimit(
        Resource::RLIMIT_CPU,
        soft.min(SECONDS_IN_ALL),
        SECONDS_IN_ALL,
    )
}

type Known = VecDeque<(String, Picture)>;

/// Whether to go on.
fn answer(from: &mut impl Read, to: &mut impl Write, known: &mut Known) -> io::Result<bool> {
    let Some(ask) = wire::read::<Ask>(from)? else {
        return Ok(false);
    };
    allow_more_time()?;
    let mut warnings = Vec::new();
    let mut missing = false;
    let mut pictures = HashMap::new();
    for sent in &ask.pictures {
        let picture = match picture(from, sent, known)? {
            Got::Picture(picture) => Some(picture),
            Got::Refused(warning) => {
                warnings.push(warning);
                None
            }
            Got::Unknown => {
                missing = true;
                None
            }
        };
        pictures.extend(picture.map(|picture| (sent.field.clone(), picture)));
    }
    if missing {
        wire::write(to, &Answer::Missing)?;
        to.flush()?;
        return Ok(true);
    }
    let (image, found) = draw(&ask.scene, pictures);
    warnings.extend(found);
    let png = quick_png(&image);
    let length = png.len() as u64;
    wire::write(
        to,
        &Answer::Drawn {
            png: length,
            warnings,
        },
    )?;
    to.write_all(&png)?;
    to.flush()?;
    Ok(true)
}

enum Got {
    Picture(Picture),
    Refused(PreviewWarning),
    Unknown,
}

fn picture(from: &mut impl Read, sent: &Sent, known: &mut Known) -> io::Result<Got> {
    let Some(length) = sent.bytes else {
        let found = known.iter().find(|(hash, _)| *hash == sent.hash);
        return Ok(found.map_or(Got::Unknown, |(_, picture)| Got::Picture(picture.clone())));
    };
    let bytes = wire::read_bytes(from, length, wire::MOST_FILE)?;
    match Picture::decode(&bytes, Limits::default()) {
        Ok(picture) => {
            if known.len() == MOST_PICTURES {
                known.pop_front();
            }
            known.push_back((sent.hash.clone(), picture.clone()));
            Ok(Got::Picture(picture))
        }
        Err(error) => Ok(Got::Refused(PreviewWarning {
            severity: Severity::Error,
            field: sent.field.clone(),
            message: format!("This picture cannot be used: {error}. {}", error.advice()),
        })),
    }
}

/// Pictures by the fields that name them.
type Pictures = HashMap<String, Picture>;

fn draw(scene: &Scene, mut pictures: Pictures) -> (Image, Vec<PreviewWarning>) {
    let rgb = |[r, g, b]: [u8; 3]| Rgb::new(r, g, b);
    let brand = Brand {
        name: scene.name.clone(),
        short_name: scene.short_name.clone(),
        id: String::new(),
        version: scene.version.clone(),
        codename: scene.codename.clone(),
        vendor: String::new(),
        urls: Urls::default(),
        accent: rgb(scene.accent),
        background: rgb(scene.background),
        text: rgb(scene.text),
        logo: pictures.remove("branding.logo"),
        wallpaper: pictures.remove("branding.wallpaper"),
        wallpaper_dark: pictures.remove("branding.wallpaper_dark"),
        motd: None,
    };
    let (image, found) = surface(scene, &brand, &pictures);
    (image, found.into_iter().map(shown).collect())
}

fn surface(scene: &Scene, brand: &Brand, pictures: &Pictures) -> (Image, Vec<Warning>) {
    let (width, height) = (scene.width, scene.height);
    let menu = || {
        let countdown = scene.timeout.map(Countdown::starting);
        Menu::new(scene.entries.clone(), countdown)
    };
    let splash = |moment| {
        let splash = Splash::new(brand);
        let found = warnings::of_splash(brand, warnings::Surface::Splash, &splash);
        (splash.preview(moment, width, height), found)
    };
    let desktop = |tone| {
        // Without a desktop nothing but its wallpaper can be shown.
        let environment = scene.environment.parse().unwrap_or(Environment::Kiosk);
        let image = desktop_preview(brand, environment, tone, width, height);
        (image, warnings::of_desktop(brand))
    };
    let installer = |page| {
        let slides = slides(scene, pictures);
        let image = installer_preview(brand, &slides, page, width, height);
        (image, warnings::of_installer(brand, &slides))
    };
    match scene.surface {
        Surface::Grub => {
            let menu = menu();
            let theme = GrubTheme::new(brand, &menu);
            let image = theme.preview(&menu, width, height);
            (image, warnings::of_grub(brand, &menu, &theme))
        }
        Surface::Isolinux => {
            let menu = menu();
            let theme = IsolinuxTheme::new(brand, &menu);
            let image = theme.preview(&menu);
            (image, warnings::of_isolinux(brand, &menu, &theme))
        }
        Surface::Splash => splash(Moment::Starting(scene.moment)),
        Surface::Password => splash(Moment::Password),
        Surface::Login => {
            let manager = scene.display_manager.parse();
            let manager = manager.unwrap_or(DisplayManager::None);
            match login_preview(brand, manager, &scene.user, width, height) {
                Some(image) => {
                    let splash = Splash::new(brand);
                    let found = warnings::of_splash(brand, warnings::Surface::Login, &splash);
                    (image, found)
                }
                None => (Splash::new(brand).ground(width, height), Vec::new()),
            }
        }
        Surface::DesktopLight => desktop(Tone::Light),
        Surface::DesktopDark => desktop(Tone::Dark),
        Surface::Installer => installer(Page::Welcome),
        Surface::Slides => {
            let count = slide_count(brand, &slides(scene, pictures)).max(1);
            installer(Page::Slide(usize::from(scene.moment) % count))
        }
    }
}

fn slides(scene: &Scene, pictures: &Pictures) -> Vec<Slide> {
    let slide = |(number, slide): (usize, &SceneSlide)| Slide {
        title: slide.title.clone(),
        text: slide.text.clone(),
        picture: pictures
            .get(&format!("branding.slides[{number}].picture"))
            .cloned(),
    };
    scene.slides.iter().enumerate().map(slide).collect()
}

fn shown(warning: Warning) -> PreviewWarning {
    let (severity, field) = match warning.code {
        WarningCode::LowContrast => (Severity::Warning, "branding.text"),
        WarningCode::MissingCharacters => (Severity::Error, "branding.name"),
        WarningCode::LogoEnlarged => (Severity::Warning, "branding.logo"),
        WarningCode::LabelTooLong | WarningCode::NameCut => (Severity::Warning, "branding.name"),
        WarningCode::MenuScrolls => (Severity::Warning, "boot.entries"),
        WarningCode::SlideTooLong => (Severity::Warning, "branding.slides"),
    };
    PreviewWarning {
        severity,
        field: field.to_owned(),
        message: format!("{} {}", warning.message, warning.fix),
    }
}
