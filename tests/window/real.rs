//! The window with the real service, the real polkitd and a small archive.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::PathBuf,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use isosmith_tests::{
    Fault, Kit, Small,
    kit::sha256,
    made::Made,
    menus::{compare_menu, spec, titles},
};
use libtest_mimic::Trial;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{
    driver::{Driver, SOON},
    trial,
    world::{ALICE, CAROL, World},
};

/// The small system takes half a minute where nothing else is going on.
const A_BUILD: Duration = Duration::from_secs(300);

/// A system from the real mirror, on a machine with nothing in the cache.
const A_REAL_BUILD: Duration = Duration::from_secs(40 * 60);

pub fn trials(kit: &Kit) -> Vec<Trial> {
    vec![
        trial(kit, "real::a_build", a_build),
        trial(kit, "real::refused", refused),
        trial(kit, "real::cancelled", cancelled),
        trial(kit, "real::found_again", found_again),
        trial(kit, "real::the_service_dies", the_service_dies),
        // Minutes: on demand.
        trial(kit, "real::what_was_seen_is_what_boots", boots).with_ignored_flag(true),
    ]
}

/// A desktop, a small archive, and the person's own profile for it.
fn ground(
    kit: &Kit,
    name: &str,
    person: isosmith_tests::bus::Person,
) -> Result<(World, Small, PathBuf)> {
    kit.minimal()?;
    let world = World::whole(kit, name, person)?;
    let slow = Made::new("slow", "1").file("/usr/share/slow", &"slow\n".repeat(4000), 0o644);
    let folder = world.folder().join("small");
    fs::create_dir(&folder)?;
    let small = Small::serve(kit, &folder, &[slow])?;
    let profile = small.profile_with(name, "", &["slow"], "")?;
    let text =
        fs::read_to_string(profile)?.replace("[branding]", "[branding]\nname = \"Nordlicht\"");
    world.file("archive.asc", &fs::read_to_string(small.archive.key())?)?;
    let file = world.file(&format!("{name}.toml"), &text)?;
    Ok((world, small, file))
}

/// Opens the window with a profile and presses Build.
fn build(world: &World, file: &std::path::Path) -> Result<Driver> {
    let window = world.window(&[file.to_str().context("text")?])?;
    window.await_text("Nordlicht", SOON)?;
    window.press("Build")?;
    Ok(window)
}

fn building(window: &Driver) -> Result<()> {
    window.await_text("Building Nordlicht", SOON)?;
    window.await_text("Download the packages", SOON)
}

fn a_build(kit: &Kit) -> Result<()> {
    let (world, _small, file) = ground(kit, "window", ALICE)?;
    let window = build(&world, &file)?;
    building(&window)?;
    window.wait("progress", A_BUILD, || {
        let script = "return +document.querySelector('[role=progressbar]')?.ariaValueNow";
        // Charts need a while to have something to show.
        Ok(window.script(script)?.as_u64() >= Some(45))
    })?;
    world.keep("real-1-build.png")?;
    // The title tells how far it is; then the window is put away.
    let title = world.titled("[0-9] % · Nordlicht 1 · Isosmith")?;
    world.show(&title, false)?;
    window.await_text("is ready", A_BUILD)?;
    window.await_text("Show in folder", SOON)?;

    let iso = fs::read_dir(world.output())?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|end| end == "iso"))
        .context("there is no ISO")?;
    let owner = fs::metadata(&iso)?.uid();
    ensure!(owner == ALICE.id, "the ISO belongs to {owner}");
    let sum = sha256(&iso)?;
    ensure!(
        window.text()?.contains(&sum),
        "{sum} is not on the screen:\n{}",
        window.text()?
    );
    let begun = Instant::now();
    while world.offers.notices().is_empty() && begun.elapsed() < SOON {
        thread::sleep(Duration::from_millis(100));
    }
    let notices = world.offers.notices();
    let notice = notices
        .first()
        .with_context(|| format!("no notification came; {}", world.log()))?;
    ensure!(notices.len() == 1, "{notices:?}");
    ensure!(notice.title.contains("Nordlicht"), "{notice:?}");
    ensure!(
        notice.text.contains(iso.to_str().context("text")?),
        "{notice:?}"
    );
    ensure!(notice.actions == ["open-folder", "try-it"], "{notice:?}");

    // What the buttons of the notification and of the page hand to the desktop.
    let address = format!("file://{}", iso.display());
    world.offers.press(1, "open-folder")?;
    until("the notification's button", || {
        world.offers.shown() == [address.clone()]
    })?;
    world.show(&title, true)?;
    world.keep("real-2-result.png")?;
    window.press("Show in folder")?;
    until("the page's button", || world.offers.shown().len() == 2)?;
    ensure!(
        world.offers.shown()[1] == address,
        "{:?}",
        world.offers.shown()
    );
    world.stand_in()?;
    window.press("BIOS")?;
    let called = format!("try --firmware bios -- {}\n", iso.display());
    until("a machine", || world.tried() == called)?;

    // Docks saw it advance, and then go.
    let told = world.offers.progress();
    let (last, running) = told.split_last().context("docks are not told")?;
    ensure!(!last.1, "{told:?}");
    ensure!(running.len() > 5, "{told:?}");
    ensure!(running.iter().all(|(_, seen)| *seen), "{told:?}");
    ensure!(running.is_sorted(), "{told:?}");
    Ok(())
}

/// Waits for what the desktop is told.
fn until(what: &str, reached: impl Fn() -> bool) -> Result<()> {
    let begun = Instant::now();
    while !reached() {
        ensure!(begun.elapsed() < SOON, "not within {SOON:?}: {what}");
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

fn refused(kit: &Kit) -> Result<()> {
    let (world, _small, file) = ground(kit, "refused", CAROL)?;
    let window = build(&world, &file)?;
    window.wait("a refusal", SOON, || {
        let script = "return document.querySelector('[data-code]')?.dataset.code ?? ''";
        Ok(window.script(script)? == "not_authorised")
    })?;
    world.keep("real-3-refused.png")?;
    ensure!(
        fs::read_dir(world.output())?.next().is_none(),
        "something came"
    );
    ensure!(
        world.offers.notices().is_empty(),
        "{:?}",
        world.offers.notices()
    );
    Ok(())
}

fn cancelled(kit: &Kit) -> Result<()> {
    let (world, small, file) = ground(kit, "cancelled", ALICE)?;
    small.server.fault("/pool/slow_", Fault::Stall(100));
    let window = build(&world, &file)?;
    building(&window)?;
    window.press("Cancel the build")?;
    window.await_text("Stop this build?", SOON)?;
    window.press("Stop the build")?;
    window.await_text("was stopped", A_BUILD)?;
    world.keep("real-4-cancelled.png")?;
    ensure!(
        fs::read_dir(world.output())?.next().is_none(),
        "something came"
    );
    small.server.heal();
    window.press("Resume the build")?;
    window.await_text("is ready", A_BUILD)
}

/// The window is killed in the middle; the next one shows the build that goes on. Closed, it asks
/// first, and the build goes on, too.
fn found_again(kit: &Kit) -> Result<()> {
    let (world, small, file) = ground(kit, "again", ALICE)?;
    small.server.fault("/pool/slow_", Fault::Stall(100));
    let window = build(&world, &file)?;
    building(&window)?;
    for pid in world.windows()? {
        kill(Pid::from_raw(i32::try_from(pid)?), Signal::SIGKILL)?;
    }
    drop(window);
    let window = world.window(&[])?;
    building(&window)?;

    let title = world.titled("Isosmith")?;
    world.quit(&title)?;
    window.await_text("The build goes on", SOON)?;
    world.keep("real-6-closing.png")?;
    window.press("Stay here")?;
    building(&window)?;
    world.quit(&title)?;
    window.await_text("The build goes on", SOON)?;
    // Its answer cannot come any more.
    let _ = window.press("Close the window");
    until("the window's end", || {
        world.windows().is_ok_and(|left| left.is_empty())
    })?;
    drop(window);
    let window = world.window(&[])?;
    building(&window)?;
    small.server.heal();
    window.await_text("is ready", A_BUILD)
}

/// The service is killed in the middle; the window says what became of the build, and goes on
/// with it when it is told to.
fn the_service_dies(kit: &Kit) -> Result<()> {
    let (mut world, small, file) = ground(kit, "dies", ALICE)?;
    small.server.fault("/pool/slow_", Fault::Stall(100));
    let window = build(&world, &file)?;
    building(&window)?;
    world.kill_service()?;
    small.server.heal();
    world.start_service()?;
    window.await_text("was interrupted", A_BUILD)?;
    world.keep("real-5-interrupted.png")?;
    window.press("Resume the build")?;
    window.await_text("is ready", A_BUILD)
}

/// A real system, named and coloured in the window: its boot menus, on the screens of virtual
/// machines, are those that were seen before.
fn boots(kit: &Kit) -> Result<()> {
    const LOGO: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">
        <path fill="#f6b73c" d="M32 4l28 52H4z"/></svg>"##;
    const WALLPAPER: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1920 1080">
        <rect width="1920" height="1080" fill="#132033"/>
        <circle cx="1500" cy="300" r="420" fill="#1f3a5c"/></svg>"##;

    kit.minimal()?;
    let world = World::whole(kit, "boots", ALICE)?;
    world.file("logo.svg", LOGO)?;
    world.file("wallpaper.svg", WALLPAPER)?;
    let file = world.file(
        "aurora.toml",
        "format = 1\nextends = \"minimal\"\n[profile]\nname = \"aurora\"\n\
         [boot]\nserial = { unit = 0, speed = 115200 }\ntimeout = 20\n\
         [branding]\nlogo = \"logo.svg\"\nwallpaper = \"wallpaper.svg\"\n",
    )?;
    let window = world.window(&[file.to_str().context("text")?])?;
    window.await_text("Isosmith Minimal", SOON)?;
    window.press("Branding")?;
    window.fill("branding.name", "Polarlicht")?;
    window.fill("branding.accent", "#f6b73c")?;
    window.await_text("Polarlicht", SOON)?;
    window.press("Save")?;
    thread::sleep(Duration::from_secs(2));
    world.keep("boots-1-branding.png")?;
    window.press("Build")?;
    window.await_text("is ready", A_REAL_BUILD)?;
    let iso = fs::read_dir(world.output())?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|end| end == "iso"))
        .context("there is no ISO")?;

    let spec = spec(&file)?;
    ensure!(spec.branding.name == "Polarlicht", "{:?}", spec.branding);
    let named = titles(&iso, "uefi")?;
    ensure!(
        named.iter().any(|title| title.contains("Polarlicht")),
        "{named:?}"
    );
    for firmware in ["bios", "uefi"] {
        let shot = crate::shots().join(format!("boots-{firmware}-menu.png"));
        let ended = Command::new(&kit.program)
            .arg("test-boot")
            .arg(&iso)
            .args(["--firmware", firmware, "--timeout", "900"])
            .arg("--menu-screendump")
            .arg(&shot)
            .output()?;
        ensure!(
            ended.status.success(),
            "{firmware}: {}",
            String::from_utf8_lossy(&ended.stderr)
        );
        let likeness = compare_menu(&iso, firmware, &shot, &spec, &world.home())?;
        eprintln!("{firmware}: the menu is like its preview by {likeness:.3}");
    }
    Ok(())
}
