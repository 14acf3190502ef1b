//! The window with a recording in the place of the service.

use std::{
    fs,
    os::unix::process::CommandExt,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use isosmith_tests::Kit;
use libtest_mimic::Trial;

use crate::{
    driver::{Driver, SOON},
    trial,
    world::{ALICE, World},
};

pub fn trials(kit: &Kit) -> Vec<Trial> {
    vec![
        trial(kit, "mock::root_is_refused", root_is_refused),
        trial(kit, "mock::from_start_to_result", from_start_to_result),
        trial(kit, "mock::only_one_window", only_one_window),
    ]
}

/// Root gets a sentence and status 2, and no window.
fn root_is_refused(kit: &Kit) -> Result<()> {
    let world = World::bare(kit, "root", ALICE)?;
    for words in [&[][..], &["--mock"], &["--render"], &["x.toml"]] {
        let ended = world
            .command(&world.program)
            .uid(0)
            .gid(0)
            .args(words)
            .stdin(Stdio::null())
            .output()?;
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        ensure!(
            ended.status.code() == Some(2),
            "{words:?}: {:?}: {said}",
            ended.status
        );
        ensure!(said.contains("root"), "{words:?}: {said}");
    }
    Ok(())
}

/// The preview's address: another one is another picture.
fn preview(window: &Driver) -> Result<String> {
    let address = window.script("return document.querySelector('.preview img')?.src ?? ''")?;
    Ok(address.as_str().unwrap_or_default().to_owned())
}

fn from_start_to_result(kit: &Kit) -> Result<()> {
    let world = World::bare(kit, "mock", ALICE)?;
    let begun = Instant::now();
    let window = world.window(&["--mock", "--speed", "10"])?;
    window.await_text("Isosmith Minimal", SOON)?;
    // What the page's policy forbids is told to the page; see the end.
    window.script(
        "window.refused = [];\
         document.addEventListener('securitypolicyviolation',\
           (event) => window.refused.push(event.violatedDirective + ' ' + event.sourceFile))",
    )?;
    eprintln!(
        "interactive {} ms after the driver's start",
        begun.elapsed().as_millis()
    );
    window.wait("pictures on the cards", SOON, || {
        let script = "const seen = [...document.querySelectorAll('.profile')]\
            .filter((card) => card.getBoundingClientRect().top < innerHeight);\
            const drawn = (card) => card.querySelector('img')?.naturalWidth > 0;\
            return seen.length > 1 && seen.every(drawn)";
        Ok(window.script(script)? == true)
    })?;
    world.keep("1-start.png")?;

    window.press("Start from Isosmith Minimal")?;
    window.wait("a preview", SOON, || {
        Ok(preview(&window)?.starts_with("blob:"))
    })?;
    let before = preview(&window)?;
    window.fill("branding.name", "Aurora OS")?;
    window.fill("branding.accent", "#1b9e8a")?;
    window.wait("another preview", SOON, || Ok(preview(&window)? != before))?;
    window.await_text("Aurora OS", SOON)?;
    dialogs(&world, &window)?;
    std::thread::sleep(Duration::from_secs(1));
    world.keep("2-branding.png")?;
    eprintln!("memory: {}", memory(&world)?);

    window.press("Build")?;
    window.await_text("Building Aurora OS", SOON)?;
    window.wait("progress", SOON, || {
        let script = "return +document.querySelector('[role=progressbar]')?.ariaValueNow";
        Ok(window.script(script)?.as_u64() >= Some(5))
    })?;
    world.keep("3-build.png")?;
    window.await_text("is ready", Duration::from_secs(60))?;
    window.await_text("Show in folder", SOON)?;
    world.keep("4-result.png")?;
    let refused = window.script("return window.refused")?;
    ensure!(refused == serde_json::json!([]), "{refused}");
    Ok(())
}

/// Files that a person chooses in the desktop's dialogs arrive; a dialog that is closed changes
/// nothing.
fn dialogs(world: &World, window: &Driver) -> Result<()> {
    const LOGO: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">
        <path fill="#f6b73c" d="M32 4l28 52H4z"/></svg>"##;

    let before = preview(window)?;
    window.press("Logo: ")?;
    window.wait("a dialog", SOON, || Ok(world.offers.dialogs().len() == 1))?;
    std::thread::sleep(Duration::from_millis(500));
    window.await_text("Drop a picture here", SOON)?;
    world.offers.will_choose(&world.file("star.svg", LOGO)?);
    window.press("Logo: ")?;
    window.await_text("star.svg", SOON)?;
    window.wait("the logo in the preview", SOON, || {
        Ok(preview(window)? != before)
    })?;
    let saved = world.home().join("aurora.toml");
    world.offers.will_choose(&saved);
    window.press("Save")?;
    window.wait("the file", SOON, || Ok(saved.exists()))?;
    let text = fs::read_to_string(&saved)?;
    ensure!(
        text.contains("Aurora OS") && text.contains("star.svg"),
        "{text}"
    );
    let kinds: Vec<_> = world
        .offers
        .dialogs()
        .iter()
        .map(|one| one.split(' ').next().unwrap_or_default().to_owned())
        .collect();
    ensure!(
        kinds == ["open", "open", "save"],
        "{:?}",
        world.offers.dialogs()
    );
    Ok(())
}

/// Memory of every process of the window, what they share counted once.
pub fn memory(world: &World) -> Result<String> {
    let mut sum = 0;
    let mut said = Vec::new();
    for entry in fs::read_dir("/proc")?.filter_map(Result::ok) {
        let read = |name: &str| fs::read_to_string(entry.path().join(name)).unwrap_or_default();
        let exe = fs::read_link(entry.path().join("exe")).unwrap_or_default();
        let name = exe.file_name().unwrap_or_default().to_string_lossy();
        let here = world.folder().to_str().context("text")?;
        // WebKit's own processes belong to whoever has their environment.
        let webkit = ["WebKitWebProcess", "WebKitNetworkProcess"].contains(&name.as_ref());
        if exe != world.program && !(webkit && read("environ").contains(here)) {
            continue;
        }
        let rollup = read("smaps_rollup");
        let kib = rollup
            .lines()
            .find_map(|line| line.strip_prefix("Pss:"))
            .and_then(|rest| rest.trim().strip_suffix(" kB")?.parse::<u64>().ok())
            .unwrap_or_default();
        sum += kib;
        let command = read("cmdline").replace('\0', " ");
        let what = match command.contains("--render") {
            true => "isosmith-render",
            false => name.as_ref(),
        };
        said.push(format!("{what} {} MB", kib / 1000));
    }
    Ok(format!("{} MB ({})", sum / 1000, said.join(", ")))
}

/// A second start gives its file to the first and ends.
fn only_one_window(kit: &Kit) -> Result<()> {
    let world = World::bare(kit, "single", ALICE)?;
    let window = world.window(&[])?;
    window.await_text("Isosmith Minimal", SOON)?;
    let file = world.file(
        "mine.toml",
        "format = 1\nextends = \"minimal\"\n[profile]\nname = \"mine\"\n[branding]\nname = \"Nordlicht\"\n",
    )?;
    let second = world
        .command(&world.program)
        .arg(file.file_name().context("a name")?)
        .stdin(Stdio::null())
        .output()?;
    ensure!(second.status.success(), "{second:?}");
    window.await_text("Nordlicht", SOON)?;
    ensure!(world.windows()?.len() == 1, "{:?}", world.windows()?);
    Ok(())
}
