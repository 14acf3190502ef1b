//! The renderer's process: this very program is it, when it gets the hidden argument.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on stops with a message"
)]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use isosmith_protocol::Code;
use isosmith_studio::{
    Drafts, History, Pictures, Places, Renderer,
    model::{DraftSource, Preview, Settings, Severity, Surface},
    renderer,
};
use libtest_mimic::{Arguments, Trial};
use serde_json::json;

fn main() -> ExitCode {
    if env::args().nth(1).as_deref() == Some(renderer::ARGUMENT) {
        return ExitCode::from(renderer::serve());
    }
    let trials = vec![
        trial("every_profile_is_drawn", every_profile_is_drawn),
        trial("a_name_shows", a_name_shows),
        trial(
            "hostile_pictures_are_warnings",
            hostile_pictures_are_warnings,
        ),
        trial("a_dead_renderer_is_replaced", a_dead_renderer_is_replaced),
        trial("a_mute_renderer_is_given_up", a_mute_renderer_is_given_up),
        trial("pictures_are_kept", pictures_are_kept),
        trial("figures", figures).with_ignored_flag(true),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn trial(name: &str, test: fn()) -> Trial {
    Trial::test(name, move || {
        test();
        Ok(())
    })
}

struct World {
    root: tempfile::TempDir,
    places: Places,
    drafts: Drafts,
    renderer: Renderer,
}

impl World {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../profiles");
        let places = Places::below(root.path(), &[&shipped]);
        let drafts = Drafts::new(places.clone(), &Settings::usual(&places));
        Self {
            root,
            drafts,
            places,
            renderer: Renderer::new(),
        }
    }

    fn open(&mut self, profile: &str) -> String {
        self.drafts
            .open(&DraftSource::Profile(profile.into()))
            .unwrap()
            .id
    }

    fn draw(&mut self, id: &str, surface: Surface) -> Preview {
        let scene = self.drafts.scene(id, surface, 0, (1280, 800)).unwrap();
        self.renderer.draw(&scene).unwrap()
    }

    /// A file in the world's folder, named in the draft as its wallpaper.
    fn wallpaper(&mut self, id: &str, name: &str, bytes: &[u8]) -> PathBuf {
        let file = self.root.path().join(name);
        fs::write(&file, bytes).unwrap();
        let path = json!(file.to_str().unwrap());
        self.drafts.edit(id, "branding.wallpaper", path).unwrap();
        file
    }
}

/// Width and height out of the header of a PNG.
fn size(png: &[u8]) -> (u32, u32) {
    assert!(png.starts_with(b"\x89PNG"), "a PNG");
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}

fn every_profile_is_drawn() {
    let mut world = World::new();
    let names: Vec<_> = world
        .drafts
        .cards()
        .into_iter()
        .map(|card| card.name)
        .collect();
    assert!(names.is_sorted() && names.len() >= 10, "{names:?}");
    for name in names {
        let id = world.open(&name);
        for (surface, want) in [
            (Surface::Grub, (1280, 800)),
            (Surface::Isolinux, (640, 480)),
            (Surface::Splash, (1280, 800)),
            (Surface::Password, (1280, 800)),
            (Surface::Login, (1280, 800)),
            (Surface::DesktopLight, (1280, 800)),
            (Surface::DesktopDark, (1280, 800)),
            (Surface::Installer, (1280, 800)),
            (Surface::Slides, (1280, 800)),
        ] {
            let drawn = world.draw(&id, surface);
            assert_eq!(size(&drawn.png), want, "{name}");
            assert_eq!(drawn.warnings, [], "{name} {surface:?}");
        }
    }
}

fn a_name_shows() {
    let mut world = World::new();
    let id = world.open("minimal");
    let before = world.draw(&id, Surface::Grub);
    assert_eq!(world.draw(&id, Surface::Grub), before, "the same again");
    world
        .drafts
        .edit(&id, "branding.name", json!("Aurora OS"))
        .unwrap();
    assert_ne!(world.draw(&id, Surface::Grub).png, before.png);
    world
        .drafts
        .edit(&id, "branding.name", json!("系統"))
        .unwrap();
    let warnings = world.draw(&id, Surface::Isolinux).warnings;
    let bad = |field: &str| {
        let found = warnings.iter().find(|warning| warning.field == field);
        found.map(|warning| warning.severity)
    };
    assert_eq!(bad("branding.name"), Some(Severity::Error), "{warnings:?}");
}

fn hostile_pictures_are_warnings() {
    let mut world = World::new();
    let id = world.open("minimal");
    let cases: [(&str, Vec<u8>); 5] = [
        ("empty.png", Vec::new()),
        ("cut.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec()),
        ("noise.jpg", (0..50_000u32).map(|n| (n * 31 % 251) as u8).collect()),
        (
            "outside.svg",
            b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><image href='file:///etc/passwd'/></svg>".to_vec(),
        ),
        (
            "entities.svg",
            b"<!DOCTYPE svg [<!ENTITY a 'aaaaaaaaaa'>]><svg xmlns='http://www.w3.org/2000/svg'>&a;</svg>".to_vec(),
        ),
    ];
    for (name, bytes) in cases {
        world.wallpaper(&id, name, &bytes);
        let drawn = world.draw(&id, Surface::Grub);
        assert_eq!(size(&drawn.png), (1280, 800), "{name}");
        let warning = &drawn.warnings[0];
        assert_eq!(warning.field, "branding.wallpaper", "{name}");
        assert_eq!(
            warning.severity,
            Severity::Error,
            "{name}: {}",
            warning.message
        );
    }
    let file = world.wallpaper(&id, "gone.png", b"");
    fs::remove_file(file).unwrap();
    let warnings = world.draw(&id, Surface::Grub).warnings;
    assert!(warnings[0].message.contains("gone.png"), "{warnings:?}");
}

fn a_dead_renderer_is_replaced() {
    let mut world = World::new();
    let id = world.open("minimal");
    let scene = world
        .drafts
        .scene(&id, Surface::Grub, 0, (1280, 800))
        .unwrap();
    let mut dead = Renderer::of(Path::new("/bin/false"), &[]);
    for _ in 0..2 {
        assert_eq!(dead.draw(&scene).unwrap_err().code(), Code::MaterialInvalid);
    }
    let mut none = Renderer::of(Path::new("/nonexistent"), &[]);
    assert_eq!(none.draw(&scene).unwrap_err().code(), Code::CommandMissing);
    let mut babbling = Renderer::of(Path::new("/bin/echo"), &["nonsense, and much of it"]);
    assert!(babbling.draw(&scene).is_err());
    let good = world.draw(&id, Surface::Grub);
    assert_eq!(size(&good.png), (1280, 800));
}

fn a_mute_renderer_is_given_up() {
    let mut world = World::new();
    let id = world.open("minimal");
    let scene = world
        .drafts
        .scene(&id, Surface::Grub, 0, (1280, 800))
        .unwrap();
    let mut mute = Renderer::of(Path::new("/bin/sleep"), &["1000"]);
    let error = mute.draw(&scene).unwrap_err();
    assert!(error.to_string().contains("10 seconds"), "{error}");
}

fn pictures_are_kept() {
    let mut world = World::new();
    let (history, _) = History::open(&world.places);
    let pictures = Pictures::new(&world.places);
    let card = world.drafts.cards().remove(0);
    let id = card.picture.unwrap();
    let png = pictures
        .get(&id, &world.drafts, &history, &mut world.renderer)
        .unwrap();
    assert_eq!(size(&png), (1280, 800));
    let mut none = Renderer::of(Path::new("/nonexistent"), &[]);
    let kept = pictures
        .get(&id, &world.drafts, &history, &mut none)
        .unwrap();
    assert_eq!(kept, png, "drawn once");
    for id in ["profile:no", "profile:../x", "build:x", "x", ""] {
        assert!(
            pictures
                .get(id, &world.drafts, &history, &mut none)
                .is_err(),
            "{id}"
        );
    }
}

/// Not a test: how long a preview takes after each keystroke.
fn figures() {
    let mut world = World::new();
    let id = world.open("minimal");
    let svg = include_bytes!("../../../icons/isosmith.svg");
    let logo = world.root.path().join("logo.svg");
    fs::write(&logo, svg).unwrap();
    let run = |world: &mut World, what: &str| {
        for surface in [Surface::Grub, Surface::Isolinux] {
            let mut times: Vec<Duration> = (0..12)
                .map(|number| {
                    let name = json!(format!("Aurora {number}"));
                    world.drafts.edit(&id, "branding.name", name).unwrap();
                    let start = Instant::now();
                    world.draw(&id, surface);
                    start.elapsed()
                })
                .collect();
            let first = times[0];
            times.sort();
            eprintln!(
                "{what}, {surface:?}: first {first:?}, median {:?}, worst {:?}",
                times[6], times[11]
            );
        }
        let start = Instant::now();
        world
            .drafts
            .edit(&id, "branding.version", json!(what))
            .unwrap();
        eprintln!("one edit: {:?}", start.elapsed());
    };
    run(&mut world, "plain");
    world
        .drafts
        .edit(&id, "branding.logo", json!(logo.to_str().unwrap()))
        .unwrap();
    run(&mut world, "logo");
    let wide = isosmith_branding::Image::from_fn(3840, 2160, |x, y| {
        image::Rgba([(x / 15) as u8, (y / 9) as u8, ((x * y) / 997) as u8, 255])
    });
    let wallpaper = world.root.path().join("wall.png");
    wide.save(&wallpaper).unwrap();
    world
        .drafts
        .edit(
            &id,
            "branding.wallpaper",
            json!(wallpaper.to_str().unwrap()),
        )
        .unwrap();
    run(&mut world, "logo and 4K wallpaper");
}
