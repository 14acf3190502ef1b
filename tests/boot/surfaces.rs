//! Splash, login screen and desktop on the screen of a machine, beside their previews.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use isosmith_branding::{
    Brand, Image, Limits, Picture, Rect,
    desktop::{self, Tone},
    login, read_screendump,
    splash::{Moment, Splash},
    ssim,
};
use isosmith_spec::{BuildSpec, model::Environment};
use isosmith_tests::{Kit, kit::workspace};

use super::{TIMEOUT, spec};

/// Least likeness outside of words that programs set themselves. The splash is drawn from the
/// very pictures that are on the medium; only scaling differs by a rounding.
const SPLASH: f64 = 0.98;

/// The login screen's background is a JPEG that its toolkit scales with a filter of its own.
const LOGIN: f64 = 0.96;

/// On the desktop a preview shows a window for its colours, which is left out here together with
/// the panel; what is left is the wallpaper, scaled by the desktop.
const DESKTOP: f64 = 0.96;

/// Seconds that software emulation takes from the display manager's start to a picture that
/// stays; there is no event for "everything is drawn".
const SETTLE: u32 = 150;

/// Builds two systems with `environment`, one that logs nobody in and one that does, and
/// compares what they show.
pub fn compare(kit: &Kit, profile: &str) -> Result<()> {
    let mut wrong = Vec::new();
    for (autologin, marks) in [(false, &["SPLASH", "LOGIN"][..]), (true, &["DESKTOP"][..])] {
        let folder = kit
            .root
            .join("surfaces")
            .join(format!("{profile}-{autologin}"));
        fs::create_dir_all(&folder)?;
        let path = shown(profile, autologin, &folder)?;
        let isosmith = kit.isosmith(&kit.root.join("surfaces")).env(
            "ISOSMITH_PROFILES",
            &workspace().join("profiles").display().to_string(),
        );
        let iso = isosmith.build(&path)?.iso()?;
        let spec = spec(&path)?;
        for mark in marks {
            let shot = start(kit, &iso, &folder, mark)?;
            if let Err(error) = look(&spec, mark, &shot, &folder) {
                wrong.push(format!("{error:#}"));
            }
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// A profile whose system says over the serial line when there is something to see.
fn shown(extends: &str, autologin: bool, folder: &Path) -> Result<PathBuf> {
    let units = folder.join("units");
    let unit = |name: &str,
                after: &str,
                before: &str,
                wanted: &str,
                wait: u32,
                rest: u32|
     -> Result<()> {
        let wants = units.join(format!("{wanted}.wants"));
        fs::create_dir_all(&wants)?;
        let lower = name.to_lowercase();
        let file = format!("isosmith-{lower}.service");
        let text = format!(
            "[Unit]\nDescription=Say that the {lower} is shown\nDefaultDependencies=no\nAfter={after}\n{before}\n[Service]\nType=oneshot\nTimeoutStartSec=infinity\nExecStart=/bin/sh -c 'sleep {wait}; echo ISOSMITH-{name}-END >/dev/ttyS0; sleep {rest}'\n"
        );
        fs::write(units.join(&file), text)?;
        let link = wants.join(&file);
        if fs::symlink_metadata(&link).is_err() {
            std::os::unix::fs::symlink(format!("../{file}"), link)?;
        }
        Ok(())
    };
    unit(
        "SPLASH",
        "plymouth-start.service systemd-udev-settle.service",
        "Before=sysinit.target\n",
        "sysinit.target",
        4,
        8,
    )?;
    unit(
        "LOGIN",
        "display-manager.service",
        "",
        "graphical.target",
        SETTLE,
        0,
    )?;
    unit(
        "DESKTOP",
        "display-manager.service",
        "",
        "graphical.target",
        2 * SETTLE,
        0,
    )?;
    let logo = workspace().join("icons/isosmith.svg");
    let path = folder.join("profile.toml");
    let text = format!(
        r##"format = 1
extends = "{extends}"

[profile]
name = "surfaces"
description = "What a brand looks like"

[desktop]
size = "minimal"

[kernel]
firmware = []

[installer]
calamares = false

[users.live]
autologin = {autologin}

[[files]]
source = "{units}"
target = "/etc/systemd/system"

[boot]
timeout = 3
serial = {{ unit = 0, speed = 115200 }}

[branding]
name = "Aurora OS"
short_name = "Aurora"
logo = "{logo}"
accent = "#3bc9db"
background = "#121b2b"
text = "#f2f5f9"
"##,
        units = units.display(),
        logo = logo.display(),
    );
    fs::write(&path, text)?;
    Ok(path)
}

fn start(kit: &Kit, iso: &Path, folder: &Path, mark: &str) -> Result<PathBuf> {
    let shot = folder.join(format!("{mark}.png"));
    let serial = folder.join(format!("{mark}-serial.log"));
    let run = Command::new(&kit.program)
        .arg("test-boot")
        .arg(iso)
        .args(["--firmware", "bios", "--timeout", TIMEOUT, "--json"])
        .args(["--marker", &format!("ISOSMITH-{mark}-END")])
        .arg("--screendump")
        .arg(&shot)
        .arg("--serial-log")
        .arg(&serial)
        .output()?;
    ensure!(
        run.status.success(),
        "{mark} did not come: {}; see {}",
        String::from_utf8_lossy(&run.stderr),
        serial.display()
    );
    Ok(shot)
}

fn look(spec: &BuildSpec, mark: &str, shot: &Path, folder: &Path) -> Result<()> {
    let screen = read_screendump(&fs::read(shot)?)?;
    let (width, height) = screen.dimensions();
    let logo = fs::read(workspace().join("icons/isosmith.svg"))?;
    let logo = Picture::decode(&logo, Limits::default())?;
    let brand = Brand::from_spec(&spec.branding, Some(logo), None);
    let environment = spec
        .desktop
        .environment
        .context("the profile has a desktop")?;
    let (preview, mask, least): (Image, Vec<Rect>, f64) = match mark {
        "SPLASH" => {
            let splash = Splash::new(&brand);
            let mask = splash.moving_regions(width, height);
            (
                splash.preview(Moment::Starting(300), width, height),
                mask,
                SPLASH,
            )
        }
        "LOGIN" => {
            let manager = spec.desktop.display_manager;
            let preview = login::login_preview(&brand, manager, "Live user", width, height);
            let mask = login::moving_regions(manager, width, height);
            (preview.context("a login screen")?, mask, LOGIN)
        }
        _ => desktop(&brand, environment, width, height),
    };
    preview.save(folder.join(format!("{mark}-preview.png")))?;
    let likeness = ssim(&screen, &preview, &mask)?;
    eprintln!("{mark}: like its preview by {likeness:.3}");
    ensure!(
        likeness >= least,
        "{mark} ({}) is like its preview by only {likeness:.3}",
        shot.display()
    );
    Ok(())
}

fn desktop(
    brand: &Brand,
    environment: Environment,
    width: u32,
    height: u32,
) -> (Image, Vec<Rect>, f64) {
    let preview = desktop::desktop_preview(brand, environment, Tone::of(brand), width, height);
    let mut mask = desktop::moving_regions(environment, width, height);
    mask.push(desktop::window_region(width, height));
    (preview, mask, DESKTOP)
}
